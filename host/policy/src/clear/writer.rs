use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use hilum_message::Message;

use crate::seals::Plain;
use crate::{Classes, Mark, Part};

/// Ranges of the input below this are copied: a part costs more than that.
const RANGE_BYTES_MIN: usize = 512;

/// Writes a body from an old one: copies what stays, and is told what goes in between.
pub(super) struct Writer<'a> {
    body: &'a Bytes,
    original: &'a Arc<Message>,
    /// Whether `body` is the original.
    is_stored: bool,
    /// How far the body has been dealt with.
    from: usize,
    /// A range of the body that goes next, as long as nothing else comes between.
    pending: Range<usize>,
    parts: Vec<Part>,
    buffer: Vec<u8>,
    /// Bytes in `parts`.
    len: usize,
    marks: Vec<Mark>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(body: &'a Bytes, original: &'a Arc<Message>, is_stored: bool) -> Self {
        // Values take about as much room as their tokens. What the store has is not copied.
        let room = if is_stored { 0 } else { body.len() + body.len() / 8 };
        Self {
            body,
            original,
            is_stored,
            from: 0,
            pending: 0..0,
            parts: Vec::new(),
            buffer: Vec::with_capacity(room),
            len: 0,
            marks: Vec::new(),
        }
    }

    /// Copies the body up to `to`.
    pub(super) fn keep_to(&mut self, to: usize) {
        let range = self.from..to.max(self.from);
        self.from = range.end;
        self.copy(range);
    }

    /// Leaves the body out up to `to`.
    pub(super) fn skip_to(&mut self, to: usize) {
        self.from = to.max(self.from);
    }

    /// Copies bytes of the body from anywhere.
    pub(super) fn copy(&mut self, range: Range<usize>) {
        if self.pending.end != range.start {
            self.settle();
            self.pending.start = range.start;
        }
        self.pending.end = range.end;
    }

    /// Writes bytes that are not the body's.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.buffer().extend_from_slice(bytes);
    }

    /// Gives the buffer to write to, once all that comes before is in it.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        self.settle();
        &mut self.buffer
    }

    /// Writes the raw bytes of a value as they stand in its message.
    pub(super) fn put_raw(&mut self, message: &Arc<Message>, range: &Range<usize>) {
        if Arc::ptr_eq(message, self.original) && RANGE_BYTES_MIN <= range.len() {
            self.settle();
            self.flush();
            self.push(Part::OfInput(range.clone()));
        } else {
            self.put(message.bytes().get(range.clone()).unwrap_or_default());
        }
    }

    /// How long the output is so far.
    pub(super) fn at(&self) -> usize {
        self.len + self.buffer.len() + self.pending.len()
    }

    /// Marks what was written since `start`.
    pub(super) fn mark(&mut self, start: usize, classes: Classes) {
        let range = start..self.at();
        if !classes.is_empty() && !range.is_empty() {
            self.marks.push(Mark { range, classes });
        }
    }

    pub(super) fn finish(mut self) -> (Vec<Part>, Vec<Mark>) {
        self.keep_to(self.body.len());
        self.settle();
        self.flush();
        (self.parts, self.marks)
    }

    fn settle(&mut self) {
        let range = std::mem::replace(&mut self.pending, 0..0);
        if self.is_stored && RANGE_BYTES_MIN <= range.len() {
            self.flush();
            self.push(Part::OfInput(range));
        } else {
            self.buffer.extend_from_slice(self.body.get(range).unwrap_or_default());
        }
    }

    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            let bytes = Bytes::from(std::mem::take(&mut self.buffer));
            self.push(Part::Bytes(bytes));
        }
    }

    fn push(&mut self, part: Part) {
        self.len += part.len();
        self.parts.push(part);
    }
}

/// The raw bytes of a plain value, if it stands somewhere.
pub(super) fn raw(plain: &Plain) -> Option<(&Arc<Message>, &Range<usize>, &[u8])> {
    let Plain::Of(message, found) = plain else { return None };
    let raw = message.bytes().get(found.range.clone())?;
    Some((message, &found.range, raw))
}
