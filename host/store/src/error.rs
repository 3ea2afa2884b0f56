use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use hilum_words::{DeliveryId, MessageId, RunId};

/// Why something was not written or read. Holds ids and places, never content.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Too much waits for the disk; later it may do.
    #[error("the journal has too much waiting to be written")]
    Busy,
    /// The file system is nearly full. Nothing new is accepted until there is space.
    #[error("the file system of the journal has less than {percent} % free")]
    NoSpace {
        /// The bound.
        percent: u8,
    },
    /// A write or a sync failed before. Whether the last writes are on disk shows only when the
    /// journal is opened again.
    #[error("the journal stopped after a failed {what}: {why}")]
    Poisoned {
        /// `write` or `sync`, and of what.
        what: &'static str,
        /// What the system said.
        why: Arc<str>,
    },
    /// The journal is being closed.
    #[error("the journal is being closed")]
    Stopped,
    /// A body or a step is over its bound.
    #[error("too large for the journal: {what}")]
    TooLarge {
        /// What, and the bound.
        what: String,
    },
    /// There is no such message in memory: it never was, or it is finished and old.
    #[error("{0} is not known here")]
    NoMessage(MessageId),
    /// There is no such run in memory.
    #[error("{0} is not known here")]
    NoRun(RunId),
    /// There is no such delivery in memory.
    #[error("{0} is not known here")]
    NoDelivery(DeliveryId),
    /// A blob could not be written. The journal goes on.
    #[error("a blob could not be written")]
    BlobNotWritten(#[source] Arc<io::Error>),
    /// There is no such blob.
    #[error("no blob has the digest {0}")]
    NoBlob(hilum_words::Digest),
    /// It has been decided already, or not yet.
    #[error("{item} is {state}, so it cannot be {wanted}")]
    NotInState {
        /// The run or delivery.
        item: String,
        /// Its state.
        state: &'static str,
        /// What was to become of it.
        wanted: &'static str,
    },
    /// Policy let nothing leave, so there is nothing to send again.
    #[error("{0} has no body that may leave; replay its run instead")]
    NotCleared(DeliveryId),
    /// An output refers to bytes that its message does not have.
    #[error("an output refers to bytes outside of its message")]
    OutsideMessage,
    /// What was read back is not what was written.
    #[error("segment {segment:08} is damaged at byte {offset}: {why}")]
    Damaged {
        /// The segment.
        segment: u32,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// Reading failed.
    #[error("reading from the journal failed")]
    Read(#[source] Arc<io::Error>),
}

/// Why a journal was not opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works with it.
    #[error("{folder} is in use by another process; stop that one first")]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// The disk refused.
    #[error(
        "{what} failed at {path}; check the path, its owner (this user, mode 0700) and the disk"
    )]
    Disk {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What was durable has changed.
    #[error(
        "{path} is damaged at byte {offset}: {why}. Nothing was changed. Restore {folder} from a \
         backup; if there is none, keep a copy, then `hilum store check` lists what can be read"
    )]
    Damaged {
        /// The data folder.
        folder: PathBuf,
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        why: String,
    },
    /// A newer gateway wrote it.
    #[error(
        "{path} was written by a newer gateway ({what} at byte {offset}). Nothing was changed. \
         Start that version again"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is not known here.
        what: String,
    },
}
