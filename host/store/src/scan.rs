//! Walks over the segments, frame by frame, without trust.
//!
//! Promises: a frame is given out only if its head and payload have the right checksums, the right
//! journal and the next sequence; nothing is changed.
//! Not here: what a bad frame means (`recover`), what a payload says (`content`).

#![warn(clippy::indexing_slicing, clippy::as_conversions)]

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use hilum_env::{DiskFile, OpenMode};

use crate::OpenError;
use crate::folder::{Folder, Identity};
use crate::frame::{ALIGNMENT, FrameRef, HEAD_BYTES, Head, NoHead, PAYLOAD_BYTES_MAX};

/// Bytes that are read at once.
const WINDOW_BYTES: usize = 1 << 20;

/// What stands at a place.
pub(crate) enum Found<'a> {
    /// A frame.
    Frame { head: Head, at: FrameRef, payload: &'a [u8] },
    /// The end of a segment, right after a frame.
    EndOfSegment,
    /// No frame.
    Bad { why: &'static str },
    /// An intact frame of a newer gateway.
    Newer { what: &'static str },
}

/// A walk over one segment.
pub(crate) struct Scanner {
    path: PathBuf,
    identity: Identity,
    segment: u32,
    window: Window,
    offset: u64,
}

impl Scanner {
    pub(crate) fn open(
        folder: &Folder,
        identity: Identity,
        segment: u32,
    ) -> Result<Self, OpenError> {
        let path = folder.segment(segment);
        let open = || {
            let file = folder.open_segment(segment, OpenMode::Read)?;
            let bytes = file.len()?;
            Ok(Window { file, bytes, start: 0, content: Vec::new() })
        };
        let window = open().map_err(Folder::failed("opening", &path))?;
        Ok(Self { path, identity, segment, window, offset: 0 })
    }

    /// Where the walk is.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The segment's file.
    pub(crate) fn path(&self) -> &PathBuf {
        &self.path
    }

    /// How long the segment is.
    pub(crate) fn bytes(&self) -> u64 {
        self.window.bytes
    }

    /// What stands here. After a frame the walk is behind it; else it stays.
    pub(crate) fn next(&mut self, sequence: Option<u64>) -> Result<Found<'_>, OpenError> {
        let failed = Folder::failed("reading", self.path.clone());
        let at = self.offset;
        if at == self.window.bytes {
            return Ok(Found::EndOfSegment);
        }
        let head = match self.head_at(at) {
            Ok(Ok(head)) => head,
            Ok(Err(NoHead::Bad(why))) => return Ok(Found::Bad { why }),
            Ok(Err(NoHead::Newer(what))) => return Ok(Found::Newer { what }),
            Err(error) => return Err(failed(error)),
        };
        if head.node != self.identity.node {
            return Ok(Found::Bad { why: "a frame of another node" });
        }
        if sequence.is_some_and(|sequence| sequence != head.sequence) {
            return Ok(Found::Bad { why: "a frame is missing before this one" });
        }
        let next = at.saturating_add(head.frame_bytes());
        let length = usize::try_from(head.length).unwrap_or(usize::MAX);
        if self.window.bytes < next || PAYLOAD_BYTES_MAX < length {
            return Ok(Found::Bad { why: "a frame is cut" });
        }
        let start = at.saturating_add(u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX));
        let payload = self.window.get(start, length).map_err(failed)?;
        if crc32c::crc32c(payload) != head.crc {
            return Ok(Found::Bad { why: "the checksum of a frame is wrong" });
        }
        self.offset = next;
        let at = FrameRef { segment: self.segment, offset: at, length: head.length, crc: head.crc };
        Ok(Found::Frame { head, at, payload })
    }

    /// The next head from here on, and where it stands. A head is enough to believe what it says
    /// about the frames before it: it was written after they were synced.
    pub(crate) fn next_head(&mut self) -> Result<Option<(u64, Head)>, OpenError> {
        let failed = Folder::failed("reading", self.path.clone());
        self.search().map_err(failed)
    }

    /// Goes to a place that [`next_head`](Self::next_head) found.
    pub(crate) fn go_to(&mut self, offset: u64) {
        self.offset = offset;
    }

    fn search(&mut self) -> io::Result<Option<(u64, Head)>> {
        let alignment = u64::try_from(ALIGNMENT).unwrap_or(8);
        let mut at = self.offset.next_multiple_of(alignment);
        let mark = self.identity.mark.to_le_bytes();
        while at < self.window.bytes {
            let rest = usize::try_from(self.window.bytes - at).unwrap_or(usize::MAX);
            let block = self.window.get(at, rest.min(WINDOW_BYTES / 2))?;
            let place = block.chunks_exact(ALIGNMENT).position(|chunk| chunk == mark);
            let searched = u64::try_from(block.len()).unwrap_or(u64::MAX);
            let Some(place) = place else {
                at = at.saturating_add(searched).next_multiple_of(alignment);
                continue;
            };
            let found = u64::try_from(place * ALIGNMENT).unwrap_or(u64::MAX);
            at = at.saturating_add(found);
            if let Ok(head) = self.head_at(at)? {
                return Ok(Some((at, head)));
            }
            at = at.saturating_add(alignment);
        }
        Ok(None)
    }

    fn head_at(&mut self, at: u64) -> io::Result<Result<Head, NoHead>> {
        let rest = usize::try_from(self.window.bytes - at).unwrap_or(usize::MAX);
        let bytes = self.window.get(at, rest.min(HEAD_BYTES))?;
        Ok(match bytes.first_chunk::<HEAD_BYTES>() {
            Some(bytes) => Head::from_bytes(bytes, self.identity.mark),
            None => Err(NoHead::Bad("a frame is cut")),
        })
    }
}

/// A part of a file in memory.
struct Window {
    file: Arc<dyn DiskFile>,
    bytes: u64,
    start: u64,
    content: Vec<u8>,
}

impl Window {
    /// Bytes of the file. The caller has compared them with its length.
    fn get(&mut self, at: u64, length: usize) -> io::Result<&[u8]> {
        let wide = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let has = at >= self.start
            && at.saturating_add(wide(length))
                <= self.start.saturating_add(wide(self.content.len()));
        if !has {
            let rest = usize::try_from(self.bytes.saturating_sub(at)).unwrap_or(usize::MAX);
            let wanted = length.max(WINDOW_BYTES).min(rest.max(length));
            self.content.resize(wanted, 0);
            self.start = at;
            self.file.read_exact_at(&mut self.content, at)?;
        }
        let from = usize::try_from(at.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let to = from.checked_add(length).ok_or_else(cut)?;
        self.content.get(from..to).ok_or_else(cut)
    }
}
