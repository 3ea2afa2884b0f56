//! Records within a payload, and the fields within a record.
//!
//! ```text
//! payload = record*                 at most 1,000
//! record  = tag (2 bytes), flags (2 bytes), length (4 bytes), content
//! flags   = bit 0: a reader that does not know the tag may skip the record
//! field   = a number, or bytes with their length (4 bytes) before them
//! ```
//!
//! A record may end with fields that a reader does not know: what is added later stands at the end.
//! Words that may grow in number (causes, classes, formats) are text.

#![warn(clippy::indexing_slicing, clippy::as_conversions)]

use std::ops::Range;

/// Records that a payload has at most.
pub(crate) const RECORDS_MAX: usize = 1_000;

const SKIPPABLE: u16 = 1;
const RECORD_HEAD: usize = 8;

/// Why a payload does not read, though its checksum is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It was never written like this.
    Malformed(&'static str),
    /// A newer gateway wrote it.
    Newer(String),
}

/// Appends a record; `content` writes its fields.
pub(crate) fn put_record(out: &mut Vec<u8>, tag: u16, content: impl FnOnce(&mut Vec<u8>)) {
    put_record_with(out, tag, 0, content);
}

/// Appends a record that a reader may skip if it does not know the tag.
#[cfg(test)]
pub(crate) fn put_skippable(out: &mut Vec<u8>, tag: u16, content: impl FnOnce(&mut Vec<u8>)) {
    put_record_with(out, tag, SKIPPABLE, content);
}

fn put_record_with(out: &mut Vec<u8>, tag: u16, flags: u16, content: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    content(out);
    // Every caller's bounds are far below 4 GiB.
    let length = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Appends bytes with their length.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u32(out, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(bytes);
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

pub(crate) fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

pub(crate) fn put_u64(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

pub(crate) fn put_i64(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(&number.to_le_bytes());
}

/// Appends an id, big-endian as UUIDs are written.
pub(crate) fn put_id(out: &mut Vec<u8>, bits: u128) {
    out.extend_from_slice(&bits.to_be_bytes());
}

/// Appends whether there is a value, and the value.
pub(crate) fn put_option<T>(
    out: &mut Vec<u8>,
    value: Option<T>,
    put: impl FnOnce(&mut Vec<u8>, T),
) {
    match value {
        Some(value) => {
            out.push(1);
            put(out, value);
        }
        None => out.push(0),
    }
}

/// A record as it was read.
pub(crate) struct Record<'a> {
    pub(crate) tag: u16,
    pub(crate) skippable: bool,
    pub(crate) content: &'a [u8],
    /// Where the content lies in the payload.
    pub(crate) range: Range<usize>,
}

/// The records of a payload, in order.
pub(crate) fn records(payload: &[u8]) -> Records<'_> {
    Records { payload, at: 0, count: 0 }
}

pub(crate) struct Records<'a> {
    payload: &'a [u8],
    at: usize,
    count: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Unread>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == self.payload.len() {
            return None;
        }
        let record = self.read();
        if record.is_err() {
            self.at = self.payload.len();
        }
        Some(record)
    }
}

impl<'a> Records<'a> {
    fn read(&mut self) -> Result<Record<'a>, Unread> {
        const CUT: Unread = Unread::Malformed("a record is cut");
        self.count += 1;
        if RECORDS_MAX < self.count {
            return Err(Unread::Malformed("too many records"));
        }
        let mut fields = Fields::new(self.payload.get(self.at..).ok_or(CUT)?);
        let tag = u16::from_le_bytes(fields.array()?);
        let flags = u16::from_le_bytes(fields.array()?);
        let length = usize::try_from(fields.u32()?).map_err(|_| CUT)?;
        let start = self.at + RECORD_HEAD;
        let end = start.checked_add(length).ok_or(CUT)?;
        let content = self.payload.get(start..end).ok_or(CUT)?;
        self.at = end;
        Ok(Record { tag, skippable: flags & SKIPPABLE != 0, content, range: start..end })
    }
}

/// Takes fields from the front of a record.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(content: &'a [u8]) -> Self {
        Self { rest: content }
    }

    /// Whether something follows: what was added to a record later stands at its end.
    pub(crate) fn has_more(&self) -> bool {
        !self.rest.is_empty()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Unread> {
        let (array, rest) =
            self.rest.split_first_chunk::<N>().ok_or(Unread::Malformed("a field is cut"))?;
        self.rest = rest;
        Ok(*array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Unread> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Unread> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Unread> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Unread> {
        self.array().map(i64::from_le_bytes)
    }

    pub(crate) fn id(&mut self) -> Result<u128, Unread> {
        self.array().map(u128::from_be_bytes)
    }

    pub(crate) fn size(&mut self) -> Result<usize, Unread> {
        usize::try_from(self.u32()?).map_err(|_| Unread::Malformed("a number is too large"))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Unread> {
        let length = self.size()?;
        let (bytes, rest) =
            self.rest.split_at_checked(length).ok_or(Unread::Malformed("a field is cut"))?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Unread> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Unread::Malformed("a text is not UTF-8"))
    }

    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Unread>,
    ) -> Result<Option<T>, Unread> {
        match self.u8()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Unread::Malformed("neither there nor absent")),
        }
    }

    /// A list: how many, then each.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Unread>,
    ) -> Result<Vec<T>, Unread> {
        let count = self.size()?;
        // Not reserved: the count is not trusted, the fields run out first.
        (0..count).map(|_| read(self)).collect()
    }
}
