use bytes::Bytes;

use crate::{CR, FS, VT};

/// Bounds of a connection's frames.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a frame's content.
    pub frame_bytes_max: usize,
    /// Bytes other than white space that are skipped before a frame.
    pub junk_bytes_max: usize,
    /// Whether each finding is a fault.
    pub strict: bool,
}

/// Something odd about the bytes of a frame that did not keep it from being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finding {
    /// Bytes other than white space stood before VT.
    Junk,
    /// FS was followed by LF.
    EndedByLf,
    /// FS was followed by the next frame.
    EndedByNextFrame,
    /// FS was followed by the end of the stream.
    EndedByClose,
    /// FS was followed by silence.
    EndedBySilence,
    /// FS stood inside the content.
    SeparatorInside,
}

impl Finding {
    /// The finding in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Junk => "bytes stood before the start of the frame",
            Self::EndedByLf => "the frame ended with FS and LF",
            Self::EndedByNextFrame => "the frame ended with FS and no CR",
            Self::EndedByClose => "the frame ended with FS and the end of the stream",
            Self::EndedBySilence => "the frame ended with FS and silence",
            Self::SeparatorInside => "FS stood inside the message",
        }
    }
}

/// One whole frame.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// What stood between VT and FS.
    pub content: Bytes,
    /// What was odd about it.
    pub findings: Vec<Finding>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({} bytes, {:?})", self.content.len(), self.findings)
    }
}

/// What the bytes so far amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole frame.
    Frame(Frame),
    /// A frame without content.
    Empty,
    /// A frame began before the last one ended: the unfinished message is lost, and nobody may
    /// acknowledge it.
    Dropped {
        /// Bytes of it that had arrived.
        bytes: usize,
    },
}

/// Why our place in the stream is lost. The connection must close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// More junk than `junk_bytes_max` stood where a frame should begin.
    #[error("more than {junk_bytes_max} bytes stood where a frame should begin")]
    Junk {
        /// The bound.
        junk_bytes_max: usize,
    },
    /// A frame outgrew `frame_bytes_max`.
    #[error("a frame is longer than {frame_bytes_max} bytes")]
    TooLong {
        /// The bound.
        frame_bytes_max: usize,
    },
    /// A finding, where `strict` allows none.
    #[error("strict framing: {}", .0.text())]
    Strict(Finding),
    /// A message was cut off by the start of another, where `strict` allows none.
    #[error("strict framing: a message was cut off by the start of another")]
    Dropped,
    /// The stream ended inside a frame.
    #[error("the stream ended inside a frame")]
    CutOff,
}

/// What a decoder may keep of its buffer between frames: a thousand connections may be idle for days.
const KEPT_BYTES: usize = 4 << 10;

/// How much of an unfinished frame [`Decoder::beginning`] gives.
const BEGINNING_BYTES: usize = 4 << 10;

/// What the decoder is waiting for, so that the connection can bound the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The start of a frame: a connection may be idle for days.
    Start,
    /// The end of a frame that has begun.
    End,
    /// What follows FS: after a second of silence call [`Decoder::silence`].
    AfterSeparator,
}

/// Bytes in, events out.
pub struct Decoder {
    limits: Limits,
    buffer: Vec<u8>,
    /// Where the unread part of `buffer` begins; inside a frame, where its content begins.
    start: usize,
    /// How far `buffer` has been searched for the end of the frame.
    searched: usize,
    inside: bool,
    /// Junk skipped since the last frame.
    junk: usize,
    /// Blanks, line ends and junk skipped in all.
    skipped: u64,
    findings: Vec<Finding>,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            inside: false,
            junk: 0,
            skipped: 0,
            findings: Vec::new(),
        }
    }

    /// Adds bytes that were read. Take all events before the next call, or the buffer grows.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start.min(self.buffer.len()));
        self.searched = self.searched.saturating_sub(self.start);
        self.start = 0;
        if KEPT_BYTES < self.buffer.capacity() && self.buffer.len() <= KEPT_BYTES {
            // A long frame has passed: an idle connection must not keep its room.
            self.buffer.shrink_to(KEPT_BYTES);
        }
        if self.buffer.capacity() - self.buffer.len() < bytes.len() {
            // Doubling would take up to twice the memory that is accounted for.
            self.buffer.reserve_exact(bytes.len().max(self.buffer.len() / 8));
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next event, or `None` until more bytes arrive. After an error our place in the stream is
    /// lost, so the connection must close.
    pub fn next_event(&mut self) -> Result<Option<Event>, FrameError> {
        if !self.inside && !self.skip_to_start()? {
            return Ok(None);
        }
        loop {
            let rest = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(found) = memchr::memchr2(VT, FS, rest) else {
                self.searched = self.buffer.len();
                self.check_length(self.searched)?;
                return Ok(None);
            };
            let at = self.searched + found;
            self.check_length(at)?;
            if self.buffer.get(at) == Some(&VT) {
                return self.cut_off(at).map(Some);
            }
            // FS: what follows decides.
            self.searched = at;
            match self.buffer.get(at + 1).copied() {
                None => return Ok(None),
                Some(CR) => return self.whole(at, 2, None).map(Some),
                Some(b'\n') => return self.whole(at, 2, Some(Finding::EndedByLf)).map(Some),
                Some(VT) => return self.whole(at, 1, Some(Finding::EndedByNextFrame)).map(Some),
                Some(_) => {
                    self.note(Finding::SeparatorInside)?;
                    self.searched = at + 1;
                }
            }
        }
    }

    /// A second of silence after FS: the frame has ended.
    pub fn silence(&mut self) -> Result<Option<Event>, FrameError> {
        if self.waiting() != Waiting::AfterSeparator {
            return Ok(None);
        }
        self.whole(self.searched, 1, Some(Finding::EndedBySilence)).map(Some)
    }

    /// The stream has ended. A frame that was not finished is an error; nothing was promised.
    pub fn end(&mut self) -> Result<Option<Event>, FrameError> {
        match self.waiting() {
            Waiting::Start => Ok(None),
            Waiting::End => Err(FrameError::CutOff),
            Waiting::AfterSeparator => {
                self.whole(self.searched, 1, Some(Finding::EndedByClose)).map(Some)
            }
        }
    }

    /// What the decoder is waiting for, once [`next_event`](Self::next_event) answered none.
    pub fn waiting(&self) -> Waiting {
        if !self.inside {
            Waiting::Start
        } else if self.buffer.get(self.searched) == Some(&FS) {
            Waiting::AfterSeparator
        } else {
            Waiting::End
        }
    }

    /// The beginning of the frame that has not ended yet: enough to find its header.
    pub fn beginning(&self) -> Bytes {
        let unread = self.buffer.get(self.start..).unwrap_or_default();
        Bytes::copy_from_slice(unread.get(..BEGINNING_BYTES).unwrap_or(unread))
    }

    /// Bytes that wait in the buffer.
    pub fn buffered(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    /// Bytes skipped outside of frames, in all.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Bytes other than white space that stood outside of frames since the last one.
    pub fn junk(&self) -> usize {
        self.junk
    }

    /// Skips what stands before VT and VT itself; whether it was there.
    fn skip_to_start(&mut self) -> Result<bool, FrameError> {
        let unread = self.buffer.get(self.start..).unwrap_or_default();
        let vt = memchr::memchr(VT, unread);
        let skipped = unread.get(..vt.unwrap_or(unread.len())).unwrap_or_default();
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let junk = skipped.iter().filter(|byte| !is_blank(byte)).count();
        self.skipped =
            self.skipped.saturating_add(u64::try_from(skipped.len()).unwrap_or(u64::MAX));
        self.junk += junk;
        self.start += skipped.len();
        self.searched = self.start;
        if self.limits.junk_bytes_max < self.junk {
            return Err(FrameError::Junk { junk_bytes_max: self.limits.junk_bytes_max });
        }
        if vt.is_none() {
            return Ok(false);
        }
        self.start += 1;
        self.searched = self.start;
        self.inside = true;
        if 0 < self.junk {
            self.junk = 0;
            self.note(Finding::Junk)?;
        }
        Ok(true)
    }

    /// A new frame begins at `at`, inside of this one.
    fn cut_off(&mut self, at: usize) -> Result<Event, FrameError> {
        if self.limits.strict {
            return Err(FrameError::Dropped);
        }
        let bytes = at - self.start;
        self.start = at + 1;
        self.searched = self.start;
        self.findings.clear();
        Ok(Event::Dropped { bytes })
    }

    /// The frame ends at `at`, with `end` bytes of framing.
    fn whole(
        &mut self,
        at: usize,
        end: usize,
        found: Option<Finding>,
    ) -> Result<Event, FrameError> {
        if let Some(found) = found {
            self.note(found)?;
        }
        let content = self.content(at);
        // FS followed by VT: the VT belongs to the next frame.
        self.start = (at + end).min(self.buffer.len());
        self.searched = self.start;
        self.inside = false;
        if self.start == self.buffer.len() {
            // All is read: nothing of it is kept until more comes.
            self.buffer.clear();
            self.buffer.shrink_to(KEPT_BYTES);
            (self.start, self.searched) = (0, 0);
        }
        let findings = std::mem::take(&mut self.findings);
        if content.is_empty() {
            return Ok(Event::Empty);
        }
        Ok(Event::Frame(Frame { content, findings }))
    }

    fn note(&mut self, finding: Finding) -> Result<(), FrameError> {
        if self.limits.strict {
            return Err(FrameError::Strict(finding));
        }
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
        Ok(())
    }

    /// The content of the frame that ends at `at`, in a buffer of its own: a short message that
    /// waits for its worker must not keep what was read around it.
    fn content(&self, at: usize) -> Bytes {
        Bytes::copy_from_slice(self.buffer.get(self.start..at).unwrap_or_default())
    }

    fn check_length(&self, end: usize) -> Result<(), FrameError> {
        let frame_bytes_max = self.limits.frame_bytes_max;
        if frame_bytes_max < end.saturating_sub(self.start) {
            return Err(FrameError::TooLong { frame_bytes_max });
        }
        Ok(())
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoder({:?}, {} bytes)", self.waiting(), self.buffered())
    }
}

#[cfg(test)]
mod tests;
