use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::finding::{FindingKind, Findings};
use crate::index::{Index, index, starts_with_header};
use crate::{Charset, DecodeError, Delimiters, Finding, Path, SegmentName, Unfit};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An HL7 v2 message, or a file of several: its bytes, and where everything stands in them.
///
/// A clone shares both. `Debug` prints counts alone.
#[derive(Clone)]
pub struct Message {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) bytes: Bytes,
    pub(crate) index: Index,
    pub(crate) charset: Charset,
    findings: Vec<Finding>,
}

/// What a site knows about its senders and they do not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Options {
    /// The character set where MSH-18 is empty. HL7 says ASCII; UTF-8 reads that too.
    pub default_charset: Charset,
}

/// Why bytes are no HL7 v2 message. Everything else is read, with [findings](Finding).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing, or nothing but blanks.
    #[error("the message is empty")]
    Empty,
    /// The first segment is not MSH (nor FHS or BHS).
    #[error("the message does not begin with MSH")]
    NoMsh,
    /// MSH-1 and MSH-2 do not declare characters that can be told apart.
    #[error("MSH-1 and MSH-2 declare no usable delimiters")]
    BadDelimiters,
    /// More than 4 GiB.
    #[error("the message is longer than 4 GiB")]
    TooLong,
    /// It is in UTF-16 or UTF-32, whose bytes cannot be told from delimiters.
    #[error("the message is in UTF-16 or UTF-32; only character sets that extend ASCII are read")]
    WideCharset,
}

impl Message {
    /// Reads a message. Blanks, line ends, a VT and a byte order mark before the first segment are
    /// its prefix and kept.
    pub fn parse(bytes: Bytes) -> Result<Self, ParseError> {
        Self::parse_with(bytes, &Options::default())
    }

    /// The same, with what the site knows.
    pub fn parse_with(bytes: Bytes, options: &Options) -> Result<Self, ParseError> {
        if too_long(bytes.len()) {
            return Err(ParseError::TooLong);
        }
        let mut findings = Findings::default();
        let start = skip_prefix(&bytes, &mut findings);
        let content = bytes.get(start..).unwrap_or_default();
        if content.is_empty() {
            return Err(ParseError::Empty);
        }
        if !starts_with_header(content) {
            return Err(if is_wide(content) { ParseError::WideCharset } else { ParseError::NoMsh });
        }
        let (delimiters, odd) = Delimiters::declared(content).ok_or(ParseError::BadDelimiters)?;
        for kind in odd {
            findings.add(start, 1, kind);
        }
        let index = index(&bytes, start, delimiters, &mut findings);
        let inner = Inner { bytes, index, charset: options.default_charset, findings: Vec::new() };
        let mut message = Self { inner: Arc::new(inner) };
        let charset = message.declared_charset(start, options.default_charset, &mut findings);
        let invalid = charset.first_invalid(message.bytes().get(start..).unwrap_or_default());
        if let Some(offset) = invalid.map(|offset| start + offset) {
            let segment = message.inner.index.segment_at(offset);
            findings.add(offset, segment, FindingKind::NotInCharset);
        }
        if let Some(inner) = Arc::get_mut(&mut message.inner) {
            inner.charset = charset;
            inner.findings = findings.into_vec();
        }
        Ok(message)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &Bytes {
        &self.inner.bytes
    }

    /// What stands before the first segment.
    pub fn prefix(&self) -> Range<usize> {
        0..self.inner.index.span(0).map_or(0, |span| span.range.start)
    }

    /// The delimiters that the first segment declares. Each message of a batch may have its own:
    /// [`Segment::delimiters`](crate::Segment::delimiters).
    pub fn delimiters(&self) -> &Delimiters {
        &self.inner.index.first
    }

    /// The character set: MSH-18, or the site's default if that is empty.
    pub fn charset(&self) -> Charset {
        self.inner.charset
    }

    /// What is odd about the message, at most 65 entries.
    pub fn findings(&self) -> &[Finding] {
        &self.inner.findings
    }

    /// How many MSH segments there are.
    pub fn count_messages(&self) -> usize {
        self.segments_named(SegmentName::MSH).count()
    }

    /// Whether this is anything but one message: FHS or BHS, no MSH, or several.
    pub fn is_batch(&self) -> bool {
        let envelope = [SegmentName::FHS, SegmentName::BHS];
        let enveloped = envelope.into_iter().any(|name| self.segments_named(name).next().is_some());
        enveloped || self.count_messages() != 1
    }

    /// The text of a value: the bytes of the range, unescaped, in the message's character set.
    pub fn text(&self, range: Range<usize>) -> Result<String, DecodeError> {
        let delimiters = self.inner.index.delimiters_at(range.start);
        let raw = self.bytes().get(range).ok_or(DecodeError::NoSuchRange)?;
        self.charset().decode(delimiters.unescape(raw))
    }

    /// Writes a text as a value of this message: [`Delimiters::escape_into`].
    pub fn escape_into(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Unfit> {
        self.delimiters().escape_into(self.charset(), text, out)
    }

    /// Type and event of the message, `ADT^A01`, from MSH-9; empty if it has none. A part that
    /// does not look like a code prints as `?`, since the text goes into logs.
    pub fn kind(&self) -> String {
        let part = |component: u32| {
            let path = Path { component: Some(component), ..Path::field_of(SegmentName::MSH, 9) };
            let code = self.find(&path).and_then(|range| self.bytes().get(range))?;
            let printable = code.len() <= 16 && code.iter().all(u8::is_ascii_alphanumeric);
            Some(if printable { String::from_utf8_lossy(code) } else { "?".into() })
        };
        match (part(1), part(2)) {
            (None, None) => String::new(),
            (Some(code), None) => code.into_owned(),
            (code, Some(event)) => format!("{}^{event}", code.unwrap_or_default()),
        }
    }

    fn declared_charset(&self, start: usize, default: Charset, findings: &mut Findings) -> Charset {
        let marked = self.bytes().get(..start).is_some_and(|prefix| {
            prefix.windows(BYTE_ORDER_MARK.len()).any(|window| window == BYTE_ORDER_MARK)
        });
        let default = if marked { Charset::Utf8 } else { default };
        let Some(msh) = self.segment(SegmentName::MSH, 1) else {
            return default;
        };
        let Some(range) = msh.field(18).filter(|range| !range.is_empty()) else {
            return default;
        };
        let mut found = |kind| findings.add(range.start, msh.number(), kind);
        let field = self.bytes().get(range.clone()).unwrap_or_default();
        let first = msh.delimiters().repetition_of(field, 1).unwrap_or_default();
        if first.len() < field.len() {
            found(FindingKind::FurtherCharsets);
        }
        if first.is_empty() || first == b"\"\"" {
            return default;
        }
        let charset = Charset::from_name(first).or_else(|| {
            let charset = Charset::from_other_spelling(first);
            found(charset.map_or(FindingKind::UnknownCharset, |_| FindingKind::CharsetSpelling));
            charset
        });
        let charset = charset.unwrap_or(Charset::Unknown);
        if marked && charset != Charset::Utf8 {
            found(FindingKind::CharsetContradiction);
        }
        charset
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("bytes", &self.bytes().len())
            .field("segments", &self.inner.index.count())
            .field("findings", &self.findings().len())
            .finish()
    }
}

/// Offsets are kept in 32 bits.
fn too_long(length: usize) -> bool {
    u32::try_from(length).is_err()
}

/// How many bytes before the first segment are no part of it.
fn skip_prefix(bytes: &[u8], findings: &mut Findings) -> usize {
    let mut rest = bytes;
    loop {
        let offset = bytes.len() - rest.len();
        match rest {
            [b' ' | b'\t' | b'\r' | b'\n' | 0x0b, after @ ..] => {
                findings.add_once(offset, 0, FindingKind::BlankPrefix);
                rest = after;
            }
            [0xef, 0xbb, 0xbf, after @ ..] => {
                findings.add_once(offset, 0, FindingKind::ByteOrderMark);
                rest = after;
            }
            _ => return offset,
        }
    }
}

/// A byte order mark of UTF-16 or UTF-32, or a header whose letters have zeros between them.
fn is_wide(bytes: &[u8]) -> bool {
    let header: Vec<u8> = bytes.iter().copied().take(16).filter(|&byte| byte != 0).collect();
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0, 0xfe, 0xff, ..])
        || bytes.iter().take(16).any(|&byte| byte == 0) && starts_with_header(&header)
}

#[cfg(test)]
mod tests;
