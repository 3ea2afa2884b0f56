//! HL7 batches in a rolling file.
//!
//! ```text
//! file  := FHS { batch } [ FTS ]
//! batch := BHS { message } BTS|<messages>      one batch for each write
//! ```
//!
//! HL7 v2.5.1 ch. 2 §2.10.3. A file that is still written to has no FTS; it comes when the file is
//! followed by the next. Every write is a batch of its own, so nothing is overwritten and a reader
//! can check each count.

use hilum_words::Timestamp;

/// Why a message cannot stand in a batch.
pub(super) enum Unfit {
    /// It does not begin with MSH.
    NoMsh,
    /// It holds several messages, or the header or trailer of a batch.
    IsBatch,
}

/// What stands at the beginning of a file.
pub(super) fn file_header(now: Timestamp, name: &str) -> Vec<u8> {
    format!("FHS|^~\\&|||||{}||{name}\r", now.hl7()).into_bytes()
}

/// What stands before the messages of one write. The control id is the first delivery's.
pub(super) fn header(now: Timestamp, control_id: &str) -> Vec<u8> {
    format!("BHS|^~\\&|||||{}||||{control_id}\r", now.hl7()).into_bytes()
}

/// What stands after the messages of one write.
pub(super) fn trailer(messages: usize) -> Vec<u8> {
    format!("BTS|{messages}\r").into_bytes()
}

/// What stands at the end of a file that is no longer written to.
pub(super) fn file_trailer(batches: usize) -> Vec<u8> {
    format!("FTS|{batches}\r").into_bytes()
}

/// Whether the bytes are one message, so that its segments cannot be taken for the batch's.
pub(super) fn check(message: &[u8]) -> Result<(), Unfit> {
    let mut segments = message.split(|byte| matches!(byte, b'\r' | b'\n'));
    if !segments.next().is_some_and(|first| first.starts_with(b"MSH")) {
        return Err(Unfit::NoMsh);
    }
    let ours = |segment: &[u8]| {
        [b"MSH", b"FHS", b"BHS", b"BTS", b"FTS"].iter().any(|name| segment.starts_with(*name))
    };
    if segments.any(ours) { Err(Unfit::IsBatch) } else { Ok(()) }
}

/// Adds a message, ended by a segment's end if it has none.
pub(super) fn push(batch: &mut Vec<u8>, message: &[u8]) {
    batch.extend_from_slice(message);
    if !message.ends_with(b"\r") && !message.ends_with(b"\n") {
        batch.push(b'\r');
    }
}
