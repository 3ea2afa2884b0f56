//! The end of the journal, where frames are written.
//!
//! Frames are put into a buffer and written together. The committer syncs what was written without
//! holding the tail, so that a start can be noted meanwhile.

use std::io;
use std::sync::Arc;

use hilum_env::{DiskFile, OpenMode};
use hilum_words::Timestamp;

use crate::content::SegmentContent;
use crate::folder::{Folder, Identity, LogFile};
use crate::frame::{ALIGNMENT, FrameRef, Head, Kind, frame_bytes};

/// The buffer is written when it has so many bytes.
const BUFFER_BYTES: usize = 1 << 20;
/// A payload of so many bytes is written without being copied.
const DIRECT_BYTES: usize = 256 << 10;

pub(crate) struct Tail {
    folder: Folder,
    identity: Identity,
    file: Arc<dyn DiskFile>,
    segment: u32,
    /// Where the next frame begins.
    offset: u64,
    /// Frames that are not written yet; they end at `offset`.
    buffer: Vec<u8>,
    /// The sequence of the last frame.
    sequence: u64,
    /// The last sequence that is known to be durable.
    durable: u64,
    /// What the last frame vouches for.
    vouched: u64,
    /// The sequence of the last frame that holds something.
    last_held: u64,
}

/// Where a journal goes on.
pub(crate) struct End {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) sequence: u64,
}

impl Tail {
    /// Goes on at the end of a journal all of which is durable.
    pub(crate) fn at(
        folder: Folder,
        identity: Identity,
        file: Arc<dyn DiskFile>,
        end: &End,
    ) -> Self {
        Self {
            folder,
            identity,
            file,
            segment: end.segment,
            offset: end.offset,
            buffer: Vec::new(),
            sequence: end.sequence,
            durable: end.sequence,
            vouched: 0,
            last_held: end.sequence,
        }
    }

    /// Begins a journal.
    pub(crate) fn create(folder: Folder, identity: Identity, now: Timestamp) -> io::Result<Self> {
        let file = folder.open_segment(1, OpenMode::CreateNew)?;
        let end = End { segment: 1, offset: 0, sequence: 0 };
        let mut tail = Self::at(folder, identity, file, &end);
        tail.begin_segment(now)?;
        Ok(tail)
    }

    /// Begins the next segment, once the last is durable to its end.
    pub(crate) fn roll(&mut self, now: Timestamp) -> io::Result<()> {
        self.write()?;
        self.file.sync_data()?;
        self.durable = self.sequence;
        let next = self.segment + 1;
        self.file = self.folder.open_segment(next, OpenMode::CreateNew)?;
        self.segment = next;
        self.offset = 0;
        self.begin_segment(now)
    }

    fn begin_segment(&mut self, now: Timestamp) -> io::Result<()> {
        let content = SegmentContent { segment: self.segment, log: self.identity.log };
        self.push(Kind::Segment, now, &content.to_payload())?;
        self.write()?;
        self.file.sync_data()?;
        self.folder.disk.sync_folder(&self.folder.segments())?;
        self.durable = self.sequence;
        self.folder.write_log(LogFile { identity: self.identity, last_segment: self.segment })
    }

    /// Adds a frame. Written at the latest by [`write`](Self::write).
    pub(crate) fn push(
        &mut self,
        kind: Kind,
        now: Timestamp,
        payload: &[u8],
    ) -> io::Result<FrameRef> {
        let length = u32::try_from(payload.len())
            .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let crc = crc32c::crc32c(payload);
        self.sequence += 1;
        self.vouched = self.durable;
        if !matches!(kind, Kind::Idle | Kind::Segment) {
            self.last_held = self.sequence;
        }
        let head = Head {
            mark: self.identity.mark,
            kind,
            node: self.identity.node,
            sequence: self.sequence,
            synced_through: self.durable,
            at: now.micros(),
            length,
            crc,
        };
        let at = FrameRef { segment: self.segment, offset: self.offset, length, crc };
        self.add(&head.to_bytes())?;
        self.add(payload)?;
        let padding = [0; ALIGNMENT];
        let unaligned = payload.len() % ALIGNMENT;
        if unaligned != 0 {
            self.add(padding.get(unaligned..).unwrap_or_default())?;
        }
        Ok(at)
    }

    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        if DIRECT_BYTES <= bytes.len() {
            self.write()?;
            self.file.write_all_at(bytes, self.offset)?;
        } else {
            if BUFFER_BYTES < self.buffer.len() + bytes.len() {
                self.write()?;
            }
            self.buffer.extend_from_slice(bytes);
        }
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Writes what is in the buffer.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            let at = self.offset - self.buffer.len() as u64;
            self.file.write_all_at(&self.buffer, at)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// The file to sync, and the sequence that is durable then.
    pub(crate) fn to_sync(&self) -> (Arc<dyn DiskFile>, u64) {
        (Arc::clone(&self.file), self.sequence)
    }

    /// The file was synced after `sequence` was written.
    pub(crate) fn synced(&mut self, sequence: u64) {
        self.durable = self.durable.max(sequence);
    }

    /// The last sequence.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The last sequence that is durable.
    pub(crate) fn durable(&self) -> u64 {
        self.durable
    }

    /// Whether something was written that no later frame vouches for.
    pub(crate) fn wants_vouching(&self) -> bool {
        self.vouched < self.last_held
    }

    /// The segment that is written to.
    pub(crate) fn segment(&self) -> u32 {
        self.segment
    }

    /// Whether anything but its beginning is in this segment.
    fn has_frames(&self) -> bool {
        let content = SegmentContent { segment: self.segment, log: self.identity.log };
        frame_bytes(content.to_payload().len() as u64) < self.offset
    }

    /// Whether so many more bytes belong into the next segment.
    pub(crate) fn is_full(&self, more: u64, segment_bytes: u64) -> bool {
        self.has_frames() && segment_bytes < self.offset.saturating_add(more)
    }
}
