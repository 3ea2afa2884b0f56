//! Reads frames back, and keeps those in memory that somebody will soon ask for.
//!
//! What is unfinished is kept up to a bound; the rest is read from its segment, and what comes back
//! is checked against the reference that led there.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hilum_env::{DiskFile, OpenMode};

use crate::StoreError;
use crate::folder::Folder;
use crate::frame::{FrameRef, HEAD_BYTES, Head};

/// Segments that are open for reading.
const FILES_MAX: usize = 32;

pub(crate) struct Frames {
    folder: Folder,
    mark: u64,
    files: Mutex<Files>,
    kept: Mutex<Kept>,
    bytes_max: usize,
}

#[derive(Default)]
struct Files {
    open: BTreeMap<u32, Arc<dyn DiskFile>>,
    order: VecDeque<u32>,
}

#[derive(Default)]
struct Kept {
    payloads: BTreeMap<(u32, u64), Bytes>,
    bytes: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Frames {
    pub(crate) fn new(folder: Folder, mark: u64, bytes_max: usize) -> Self {
        Self { folder, mark, files: Mutex::default(), kept: Mutex::default(), bytes_max }
    }

    /// Keeps a payload until it is released, if there is room. What came first is needed first, so
    /// a full memory takes nothing new.
    pub(crate) fn keep(&self, at: FrameRef, payload: Bytes) {
        let mut kept = lock(&self.kept);
        if kept.bytes + payload.len() <= self.bytes_max {
            kept.bytes += payload.len();
            if let Some(before) = kept.payloads.insert((at.segment, at.offset), payload) {
                kept.bytes -= before.len();
            }
        }
    }

    /// Nobody will soon ask for these.
    pub(crate) fn release(&self, frames: &[FrameRef]) {
        if frames.is_empty() {
            return;
        }
        let mut kept = lock(&self.kept);
        for at in frames {
            if let Some(payload) = kept.payloads.remove(&(at.segment, at.offset)) {
                kept.bytes -= payload.len();
            }
        }
    }

    /// Bytes that are kept.
    pub(crate) fn bytes_kept(&self) -> usize {
        lock(&self.kept).bytes
    }

    /// The payload of a frame.
    pub(crate) fn payload(&self, at: FrameRef) -> Result<Bytes, StoreError> {
        if let Some(payload) = lock(&self.kept).payloads.get(&(at.segment, at.offset)) {
            return Ok(payload.clone());
        }
        let damaged = |why| StoreError::Damaged { segment: at.segment, offset: at.offset, why };
        let failed = |error| StoreError::Read(Arc::new(error));
        let file = self.file(at.segment)?;
        let length = usize::try_from(at.length).map_err(|_| damaged("a frame is too long"))?;
        let mut frame = vec![0; HEAD_BYTES + length];
        match file.read_exact_at(&mut frame, at.offset) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(damaged("a frame is cut"));
            }
            other => other.map_err(failed)?,
        }
        let frame = Bytes::from(frame);
        let head = frame.first_chunk::<HEAD_BYTES>().ok_or_else(|| damaged("a frame is cut"))?;
        let head = Head::from_bytes(head, self.mark)
            .map_err(|_| damaged("the checksum of a frame's head is wrong"))?;
        if (head.length, head.crc) != (at.length, at.crc) {
            return Err(damaged("another frame is there"));
        }
        let payload = frame.slice(HEAD_BYTES..);
        if crc32c::crc32c(&payload) != at.crc {
            return Err(damaged("the checksum of a frame is wrong"));
        }
        Ok(payload)
    }

    fn file(&self, segment: u32) -> Result<Arc<dyn DiskFile>, StoreError> {
        let mut files = lock(&self.files);
        if let Some(file) = files.open.get(&segment) {
            return Ok(Arc::clone(file));
        }
        let file = self
            .folder
            .open_segment(segment, OpenMode::Read)
            .map_err(|error| StoreError::Read(Arc::new(error)))?;
        if FILES_MAX <= files.order.len()
            && let Some(oldest) = files.order.pop_front()
        {
            files.open.remove(&oldest);
        }
        files.open.insert(segment, Arc::clone(&file));
        files.order.push_back(segment);
        Ok(file)
    }
}
