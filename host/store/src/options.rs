use std::path::PathBuf;
use std::time::Duration;

/// Where the journal lies, and its bounds.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder. Made if it is not there.
    pub folder: PathBuf,
    /// A new segment is begun when this one has so many bytes. A larger frame has its own.
    pub segment_bytes: u64,
    /// Bytes that are written and synced together at most; a larger frame goes alone.
    pub group_bytes_max: usize,
    /// Requests that are written and synced together at most.
    pub group_requests_max: usize,
    /// Requests that may wait for the committer; past it the answer is "busy".
    pub queue_max: usize,
    /// Bytes of bodies that may wait for the committer; past it the answer is "busy".
    pub queue_bytes_max: usize,
    /// How long a control id is remembered.
    pub duplicate_age: Duration,
    /// How many control ids are remembered.
    pub duplicate_ids_max: usize,
    /// How many messages are remembered after they are finished.
    pub recent_max: usize,
    /// Bytes of unfinished bodies that are kept in memory; others are read back.
    pub bodies_in_memory_max: usize,
    /// The largest body.
    pub body_bytes_max: usize,
    /// Below so many percent of free space no message is accepted.
    pub free_space_percent: u8,
    /// How long nothing may happen until the last group is vouched for by an empty frame.
    pub idle_after: Duration,
    /// How long a decision that nobody waits for may wait for others to be synced with.
    pub soon: Duration,
    /// With so many of them the group is written at once.
    pub soon_max: usize,
    /// How many syncs are measured when the journal is opened; 0 for none.
    pub syncs_measured: u32,
}

impl Options {
    /// What a gateway with its data in `folder` uses.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            segment_bytes: 64 << 20,
            group_bytes_max: 4 << 20,
            group_requests_max: 256,
            queue_max: 8_192,
            queue_bytes_max: 256 << 20,
            duplicate_age: Duration::from_secs(24 * 60 * 60),
            duplicate_ids_max: 1_000_000,
            recent_max: 10_000,
            bodies_in_memory_max: 64 << 20,
            body_bytes_max: 256 << 20,
            free_space_percent: 10,
            idle_after: Duration::from_millis(50),
            soon: Duration::from_millis(2),
            soon_max: 64,
            syncs_measured: 200,
        }
    }
}
