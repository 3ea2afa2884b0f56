use std::sync::Arc;

use hilum_policy::RunSeed;
use hilum_words::{DeliveryId, Digest, MessageId, Name, RunId, Timestamp};

use super::Order;
use crate::content::Source;
use crate::frame::FrameRef;
use crate::{DeliveryState, DuplicateKey, MessageRecord, RunState};

/// A message in memory. What is large or only looked at by people is in its frame.
pub(crate) struct Message {
    pub(crate) sequence: u64,
    pub(crate) source: Source,
    pub(crate) key: Option<DuplicateKey>,
    /// While it is recent.
    pub(crate) record: Option<Arc<MessageRecord>>,
    pub(crate) is_recent: bool,
    pub(crate) runs: Vec<RunId>,
    /// Every frame that speaks of it, with its sequence.
    pub(crate) frames: Vec<(u64, FrameRef)>,
    /// Runs and deliveries that are not finished.
    pub(crate) open: u32,
    /// Those of them that wait for no person.
    pub(crate) active: u32,
}

impl Message {
    pub(crate) fn new(sequence: u64, source: Source) -> Self {
        Self {
            sequence,
            source,
            key: None,
            record: None,
            is_recent: false,
            // Most have one of the one and two or three of the other.
            runs: Vec::with_capacity(1),
            frames: Vec::with_capacity(3),
            open: 0,
            active: 0,
        }
    }
}

/// A run in memory.
pub(crate) struct Run {
    pub(crate) message: MessageId,
    pub(crate) route: Name,
    pub(crate) seed: RunSeed,
    pub(crate) lanes: Vec<Vec<u8>>,
    pub(crate) generation: Digest,
    /// The step that it begins with.
    pub(crate) from_step: u32,
    pub(crate) starts: u32,
    pub(crate) state: RunState,
    pub(crate) since: Timestamp,
    pub(crate) parent: Option<RunId>,
    pub(crate) deliveries: Vec<DeliveryId>,
    /// Where it began.
    pub(crate) order: Order,
    /// Its place among what waits for a person.
    pub(crate) waiting: Option<Order>,
    /// Deliveries of it that are queued.
    pub(crate) queued: u32,
    /// Where its outputs lie.
    pub(crate) frame: Option<FrameRef>,
}

impl Run {
    /// Whether it is unfinished, and whether that needs no person; as numbers, to be counted.
    pub(super) fn weight(state: &RunState) -> (u32, u32) {
        match state {
            RunState::Undecided => (1, 1),
            RunState::Held { .. } | RunState::Parked(_) => (1, 0),
            RunState::Dispatched
            | RunState::Refused(_)
            | RunState::Discarded
            | RunState::Replayed => (0, 0),
        }
    }
}

/// A delivery in memory. Its body is in its frame.
pub(crate) struct Delivery {
    pub(crate) run: RunId,
    pub(crate) destination: Name,
    pub(crate) lanes: Box<[Box<[u8]>]>,
    pub(crate) ordinal: u32,
    pub(crate) attempts: u32,
    pub(crate) due: Option<Timestamp>,
    pub(crate) why: Option<Box<str>>,
    pub(crate) state: DeliveryState,
    pub(crate) since: Timestamp,
    /// The sequence of its last change.
    pub(crate) changed: u64,
    /// Where it was queued first.
    pub(crate) order: Order,
    /// It was queued again after it had been parked.
    pub(crate) is_again: bool,
    /// Its place among what waits for a person.
    pub(crate) waiting: Option<Order>,
    /// The step that made it.
    pub(crate) frame: FrameRef,
    /// Whether there is a body that may leave.
    pub(crate) is_cleared: bool,
    /// The step that holds the destination's answer.
    pub(crate) answer: Option<FrameRef>,
}

impl Delivery {
    /// Whether it is unfinished, and whether that needs no person; as numbers, to be counted.
    pub(super) fn weight(state: &DeliveryState) -> (u32, u32) {
        match state {
            DeliveryState::Queued => (1, 1),
            DeliveryState::Parked(_) => (1, 0),
            DeliveryState::Delivered | DeliveryState::Discarded | DeliveryState::Replayed => (0, 0),
        }
    }
}
