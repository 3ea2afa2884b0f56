//! Frames: how anything lies on disk.
//!
//! ```text
//! offset  bytes
//!      0  8   mark            drawn once for a journal, so that no content looks like a frame
//!      8  1   kind            1 segment, 2 arrival, 3 step, 4 started, 5 idle
//!      9  1   format          1
//!     10  2   key id          0: the payload is plain
//!     12  4   node
//!     16  8   sequence        one more than the frame before
//!     24  8   synced through  the last sequence known to be durable when this was written
//!     32  8   written at      microseconds since 1970
//!     40  4   length          of the payload
//!     44  4   payload's CRC-32C, over the bytes as they lie
//!     48  12  zero
//!     60  4   CRC-32C of the 60 bytes before
//!     64      payload, then zeros up to a multiple of 8
//! ```
//!
//! Numbers are little-endian. A payload is a list of records (`wire`); what they say is in
//! `content`. A segment is a file of frames without gaps; its first frame is of kind *segment*.
//!
//! Promises: bytes from the disk are not trusted: nothing here indexes, casts or panics.

#![warn(clippy::indexing_slicing, clippy::as_conversions)]

/// Bytes before the payload.
pub(crate) const HEAD_BYTES: usize = 64;
/// Frames begin at multiples of it.
pub(crate) const ALIGNMENT: usize = 8;
/// No payload is longer. Everything that writes has smaller bounds.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1 << 30;

const FORMAT: u8 = 1;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The beginning of a segment.
    Segment,
    /// A message.
    Arrival,
    /// A decision.
    Step,
    /// A worker began with a run.
    Started,
    /// Nothing: it vouches for what is before it.
    Idle,
}

impl Kind {
    const ALL: [(Self, u8); 5] = [
        (Self::Segment, 1),
        (Self::Arrival, 2),
        (Self::Step, 3),
        (Self::Started, 4),
        (Self::Idle, 5),
    ];

    fn number(self) -> u8 {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, number)| *number)
    }

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().find(|(_, it)| *it == number).map(|(kind, _)| *kind)
    }
}

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) mark: u64,
    pub(crate) kind: Kind,
    pub(crate) node: u32,
    pub(crate) sequence: u64,
    pub(crate) synced_through: u64,
    pub(crate) at: i64,
    pub(crate) length: u32,
    pub(crate) crc: u32,
}

/// Why bytes are no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHead {
    /// They are not what was written.
    Bad(&'static str),
    /// They are intact, and not of this version.
    Newer(&'static str),
}

impl Head {
    pub(crate) fn to_bytes(self) -> [u8; HEAD_BYTES] {
        let mut out = Vec::with_capacity(HEAD_BYTES);
        out.extend_from_slice(&self.mark.to_le_bytes());
        out.extend_from_slice(&[self.kind.number(), FORMAT, 0, 0]);
        out.extend_from_slice(&self.node.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.synced_through.to_le_bytes());
        out.extend_from_slice(&self.at.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(&self.crc.to_le_bytes());
        out.extend_from_slice(&[0; 12]);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        let mut bytes = [0; HEAD_BYTES];
        bytes.copy_from_slice(&out);
        bytes
    }

    /// Reads a head of the journal with this mark.
    pub(crate) fn from_bytes(bytes: &[u8; HEAD_BYTES], mark: u64) -> Result<Self, NoHead> {
        let mut fields = Fields(bytes);
        let head_mark = u64::from_le_bytes(fields.take());
        if head_mark != mark {
            return Err(NoHead::Bad("no frame begins here"));
        }
        let [kind, format, key_low, key_high] = fields.take();
        let node = u32::from_le_bytes(fields.take());
        let sequence = u64::from_le_bytes(fields.take());
        let synced_through = u64::from_le_bytes(fields.take());
        let at = i64::from_le_bytes(fields.take());
        let length = u32::from_le_bytes(fields.take());
        let crc = u32::from_le_bytes(fields.take());
        let _zero: [u8; 12] = fields.take();
        let head_crc = u32::from_le_bytes(fields.take());
        let (covered, _) = bytes.split_at(HEAD_BYTES - 4);
        if crc32c::crc32c(covered) != head_crc {
            return Err(NoHead::Bad("the checksum of a frame's head is wrong"));
        }
        if format != FORMAT {
            return Err(NoHead::Newer("a frame format"));
        }
        if [key_low, key_high] != [0, 0] {
            return Err(NoHead::Newer("an encrypted frame"));
        }
        let kind = Kind::from_number(kind).ok_or(NoHead::Newer("a kind of frame"))?;
        Ok(Self { mark, kind, node, sequence, synced_through, at, length, crc })
    }

    /// Bytes of the whole frame, with padding.
    pub(crate) fn frame_bytes(self) -> u64 {
        frame_bytes(u64::from(self.length))
    }
}

/// Bytes of a frame with a payload of `length`, with padding.
pub(crate) fn frame_bytes(length: u64) -> u64 {
    let (head, alignment) = (64, 8);
    (head + length).next_multiple_of(alignment)
}

/// Takes arrays from the front of a head, whose length the caller's type fixes.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((array, rest)) => {
                self.0 = rest;
                *array
            }
            None => [0; N],
        }
    }
}

/// Where a frame lies, with the checksum of its payload: who follows it knows what must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FrameRef {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) length: u32,
    pub(crate) crc: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            mark: 0x1122_3344_5566_7788,
            kind: Kind::Step,
            node: 7,
            sequence: 99,
            synced_through: 98,
            at: -5,
            length: 13,
            crc: 4,
        }
    }

    #[test]
    fn a_head_reads_back() {
        assert_eq!(Head::from_bytes(&head().to_bytes(), head().mark), Ok(head()));
        assert_eq!(head().frame_bytes(), 80);
    }

    #[test]
    fn one_flipped_bit_is_noticed() {
        for bit in 0..HEAD_BYTES * 8 {
            let mut bytes = head().to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(Head::from_bytes(&bytes, head().mark), Err(NoHead::Bad(_))));
        }
    }

    #[test]
    fn an_intact_head_of_a_newer_gateway_is_told_apart() {
        for (at, value) in [(8, 200), (9, 2), (10, 1)] {
            let mut bytes = head().to_bytes();
            bytes[at] = value;
            let crc = crc32c::crc32c(&bytes[..60]);
            bytes[60..].copy_from_slice(&crc.to_le_bytes());
            assert!(matches!(Head::from_bytes(&bytes, head().mark), Err(NoHead::Newer(_))));
        }
    }
}
