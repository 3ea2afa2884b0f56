//! The data folder: what lies where, and who it belongs to.
//!
//! ```text
//! LOG                  which journal this is, and its last segment
//! LOCK                 held while a process works here
//! seg/NNNNNNNN.seg     frames, from 1, without gaps
//! blobs/<64 hex>       bytes by digest
//!
//! LOG  = "HILUMLOG", format (4), node (4), log (8), mark (8), last segment (4), CRC-32C (4)
//! ```
//!
//! `LOG` is replaced after a segment was begun and before anything else is written to it, so a
//! journal whose last segments are missing is noticed.

#![warn(clippy::indexing_slicing, clippy::as_conversions)]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hilum_env::{Disk, DiskFile, OpenMode};

use crate::OpenError;

const LOG_WORD: &[u8; 8] = b"HILUMLOG";
const LOG_FORMAT: u32 = 1;
const LOG_BYTES: u64 = 40;

/// Which journal this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) node: u32,
    /// Tells two journals apart.
    pub(crate) log: u64,
    /// Begins every frame of it.
    pub(crate) mark: u64,
}

/// What `LOG` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogFile {
    pub(crate) identity: Identity,
    pub(crate) last_segment: u32,
}

/// The data folder on its disk.
#[derive(Clone)]
pub(crate) struct Folder {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) root: PathBuf,
}

impl Folder {
    pub(crate) fn segments(&self) -> PathBuf {
        self.root.join("seg")
    }

    pub(crate) fn segment(&self, number: u32) -> PathBuf {
        self.segments().join(format!("{number:08}.seg"))
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("LOG")
    }

    pub(crate) fn open_segment(
        &self,
        number: u32,
        mode: OpenMode,
    ) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(&self.segment(number), mode).map(Arc::from)
    }

    /// The numbers of the segments that are there, ascending.
    pub(crate) fn segment_numbers(&self) -> io::Result<Vec<u32>> {
        let entries = self.disk.list(&self.segments())?;
        let mut numbers: Vec<u32> = entries
            .iter()
            .filter(|entry| !entry.is_folder)
            .filter_map(|entry| segment_number(&entry.name))
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Makes what `LOG` says durable.
    pub(crate) fn write_log(&self, log: LogFile) -> io::Result<()> {
        let mut bytes = LOG_WORD.to_vec();
        bytes.extend_from_slice(&LOG_FORMAT.to_le_bytes());
        bytes.extend_from_slice(&log.identity.node.to_le_bytes());
        bytes.extend_from_slice(&log.identity.log.to_le_bytes());
        bytes.extend_from_slice(&log.identity.mark.to_le_bytes());
        bytes.extend_from_slice(&log.last_segment.to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        self.disk.replace(&self.log(), &bytes)?;
        self.disk.sync_folder(&self.root)
    }

    /// What `LOG` says; none if it is not there.
    pub(crate) fn read_log(&self) -> Result<Option<LogFile>, OpenError> {
        let path = self.log();
        if !self.disk.exists(&path) {
            return Ok(None);
        }
        let bytes = match self.disk.read(&path, LOG_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Vec::new(),
            Err(source) => {
                return Err(OpenError::Disk { what: "reading", path, source });
            }
        };
        let damaged = || self.damaged(self.log(), 0, "its checksum is wrong");
        let (covered, crc) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
        if crc32c::crc32c(covered) != u32::from_le_bytes(*crc) {
            return Err(damaged());
        }
        let fields = parse_log(covered).ok_or_else(damaged)?;
        match fields {
            (LOG_FORMAT, log) => Ok(Some(log)),
            (format, _) => {
                Err(OpenError::Newer { path, offset: 8, what: format!("LOG format {format}") })
            }
        }
    }

    pub(crate) fn damaged(&self, path: PathBuf, offset: u64, why: impl Into<String>) -> OpenError {
        OpenError::Damaged { folder: self.root.clone(), path, offset, why: why.into() }
    }

    /// Wraps an error of the disk with what was tried.
    pub(crate) fn failed(
        what: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> OpenError {
        let path = path.as_ref().to_owned();
        move |source| OpenError::Disk { what, path, source }
    }
}

fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".seg")?;
    let is_number = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

fn parse_log(bytes: &[u8]) -> Option<(u32, LogFile)> {
    let (word, rest) = bytes.split_first_chunk::<8>()?;
    let (format, rest) = rest.split_first_chunk::<4>()?;
    let (node, rest) = rest.split_first_chunk::<4>()?;
    let (log, rest) = rest.split_first_chunk::<8>()?;
    let (mark, rest) = rest.split_first_chunk::<8>()?;
    let (last, _) = rest.split_first_chunk::<4>()?;
    if word != LOG_WORD {
        return None;
    }
    let identity = Identity {
        node: u32::from_le_bytes(*node),
        log: u64::from_le_bytes(*log),
        mark: u64::from_le_bytes(*mark),
    };
    let log = LogFile { identity, last_segment: u32::from_le_bytes(*last) };
    Some((u32::from_le_bytes(*format), log))
}
