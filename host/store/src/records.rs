use std::fmt;

use bytes::Bytes;
use hilum_policy::{Mark, RunSeed};
use hilum_words::{
    Cause, DeliveryId, Digest, Envelope, MessageId, Name, Rejection, RunId, Timestamp,
};

/// What is known of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRecord {
    /// When, where and how it came.
    pub envelope: Envelope,
    /// What it is: `ADT^A01`.
    pub kind: String,
    /// How its bytes are read.
    pub format: Name,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their digest.
    pub digest: Digest,
    /// The configuration it is pinned to.
    pub generation: Digest,
    /// What was odd about it.
    pub findings: Vec<String>,
    /// Its runs, replays included.
    pub runs: Vec<RunId>,
}

/// One line of the list of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSummary {
    /// Which.
    pub message: MessageId,
    /// When it came.
    pub received: Timestamp,
    /// Where it came.
    pub listener: Name,
    /// What it is.
    pub kind: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many things were odd about it.
    pub findings: usize,
    /// Its runs' routes and states.
    pub runs: Vec<(Name, RunState)>,
    /// Its deliveries' destinations and states.
    pub deliveries: Vec<(Name, DeliveryState)>,
    /// Whether one of them is queued that did not go at an earlier attempt.
    pub is_retried: bool,
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Nothing yet.
    Undecided,
    /// Its outputs are on their way, or have arrived.
    Dispatched,
    /// It was refused.
    Refused(Vec<Rejection>),
    /// A validator wants a person.
    Held {
        /// What the person is to look at.
        why: String,
        /// Which of the route's steps asks, counted from 0.
        step: u32,
    },
    /// Something went wrong.
    Parked(Cause),
    /// A person gave up on it.
    Discarded,
    /// A person had it made again.
    Replayed,
}

impl RunState {
    /// The word as it is printed.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::Dispatched => "dispatched",
            Self::Refused(_) => "refused",
            Self::Held { .. } => "held",
            Self::Parked(_) => "parked",
            Self::Discarded => "discarded",
            Self::Replayed => "replayed",
        }
    }
}

/// What is known of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// Which.
    pub run: RunId,
    /// Of which message.
    pub message: MessageId,
    /// On which route.
    pub route: Name,
    /// The seed of its tokens.
    pub seed: RunSeed,
    /// The lanes in which it has to be first.
    pub lanes: Vec<Vec<u8>>,
    /// The configuration it is pinned to.
    pub generation: Digest,
    /// The step that it begins with, counted from 0: the one after the validator that held it, once
    /// a person has released it.
    pub from_step: u32,
    /// How often a worker has begun with it, since it was released if it was.
    pub starts: u32,
    /// What became of it.
    pub state: RunState,
    /// Since when.
    pub since: Timestamp,
    /// The run that it replays.
    pub parent: Option<RunId>,
    /// Its outputs.
    pub deliveries: Vec<DeliveryId>,
}

impl RunRecord {
    /// Whether a worker still has to decide.
    pub fn is_undecided(&self) -> bool {
        self.state == RunState::Undecided
    }
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It waits for its courier, or is with it.
    Queued,
    /// It arrived.
    Delivered,
    /// It waits for a person.
    Parked(Cause),
    /// A person gave up on it.
    Discarded,
    /// A person had its run made again.
    Replayed,
}

impl DeliveryState {
    /// The word as it is printed.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Parked(_) => "parked",
            Self::Discarded => "discarded",
            Self::Replayed => "replayed",
        }
    }
}

/// What is known of a delivery, with its body.
#[derive(Clone)]
pub struct DeliveryRecord {
    /// Which.
    pub delivery: DeliveryId,
    /// Of which message.
    pub message: MessageId,
    /// Of which run.
    pub run: RunId,
    /// When the message was received.
    pub received: Timestamp,
    /// Where to.
    pub destination: Name,
    /// The lanes in which it keeps its place.
    pub lanes: Vec<Vec<u8>>,
    /// Which of the run's outputs, counted from 1.
    pub ordinal: u32,
    /// Attempts that were made.
    pub attempts: u32,
    /// When to try again.
    pub due: Option<Timestamp>,
    /// Why the last attempt failed.
    pub why: Option<String>,
    /// What became of it.
    pub state: DeliveryState,
    /// Since when.
    pub since: Timestamp,
    /// How the body is read. Empty if policy let nothing leave.
    pub format: Name,
    /// What is sent. Empty if policy let nothing leave.
    pub body: Bytes,
    /// Where PHI stands in the body.
    pub marks: Vec<Mark>,
    /// Whether there is a body that may leave.
    pub is_cleared: bool,
    /// What the destination answered, with its format.
    pub answer: Option<(Name, Bytes)>,
}

/// Without body, lanes and answer, which may be PHI.
impl fmt::Debug for DeliveryRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryRecord")
            .field("delivery", &self.delivery)
            .field("destination", &self.destination)
            .field("attempts", &self.attempts)
            .field("state", &self.state)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parked {
    /// A run.
    Run(RunId),
    /// A delivery.
    Delivery(DeliveryId),
}

/// One line of the list of what waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedItem {
    /// Which.
    pub item: Parked,
    /// Of which message.
    pub message: MessageId,
    /// Of which run.
    pub run: RunId,
    /// On which route.
    pub route: Name,
    /// Where to, for a delivery.
    pub destination: Option<Name>,
    /// Why; none if a validator held it.
    pub cause: Option<Cause>,
    /// Why a validator held it.
    pub held: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// What a gateway counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages in memory: unfinished, or recent.
    pub messages: u64,
    /// Runs that wait for a decision.
    pub undecided: u64,
    /// Deliveries that wait for their couriers.
    pub queued: u64,
    /// Runs and deliveries that are parked.
    pub parked: u64,
    /// Runs that are held.
    pub held: u64,
    /// Requests that wait for the committer.
    pub waiting: u64,
    /// Messages accepted since the start.
    pub accepted: u64,
    /// Repeats that were recognised since the start.
    pub known: u64,
    /// Control ids used again for another message since the start.
    pub reused: u64,
    /// Groups synced since the start.
    pub groups: u64,
    /// Bytes written since the start.
    pub bytes_written: u64,
    /// Bytes of unfinished bodies that are kept in memory.
    pub bodies_in_memory: u64,
    /// Segments in the folder.
    pub segments: u64,
    /// The journal's last sequence.
    pub sequence: u64,
    /// The last sequence that is durable.
    pub durable: u64,
}
