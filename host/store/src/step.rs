use std::fmt;

use bytes::Bytes;
use hilum_audit::{NonEmpty, Record};
use hilum_policy::Cleared;
use hilum_words::{Cause, DeliveryId, Digest, Name, Rejection, RunId, Timestamp};

use crate::{Parked, RunStart};

/// One decision: what changes, and the evidence for it. It is written wholly or not at all.
#[derive(Debug)]
pub struct Step {
    /// The run that it is about.
    pub run: RunId,
    /// What changes, in order.
    pub effects: Vec<Effect>,
    /// The evidence.
    pub records: NonEmpty<Record>,
}

/// An output on its way to one destination.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its id: the same on every attempt.
    pub delivery: DeliveryId,
    /// Where to.
    pub destination: Name,
    /// The lanes in which it keeps its place: it goes after everything that was queued before it in
    /// any of them. None: it keeps no place. Never printed.
    pub lanes: Vec<Vec<u8>>,
    /// Which of the run's outputs, counted from 1.
    pub ordinal: u32,
    /// What may leave; none if policy lets nothing leave, and then it is parked.
    pub cleared: Option<Cleared>,
}

/// A change of state.
pub enum Effect {
    /// The run is decided: these are queued, those are parked. Neither: nothing is to be sent.
    Dispatched {
        /// Outputs that go.
        deliveries: Vec<Outgoing>,
        /// Outputs that do not, and why.
        parked: Vec<(Outgoing, Cause)>,
    },
    /// The run is decided: the sender is told no, for each of these reasons. A held run may be
    /// refused, too: a person did.
    Refused(Vec<Rejection>),
    /// The run is decided for now: a validator wants a person.
    Held {
        /// What the person is to look at, without content.
        why: String,
        /// Which of the route's steps asks, counted from 0.
        step: u32,
    },
    /// A person lets a held run go on: it waits for a worker again, with its seed, its generation
    /// and its place in its lanes.
    Released {
        /// The step that it goes on with, counted from 0.
        next: u32,
    },
    /// The run is decided for now: something went wrong.
    Parked(Cause),
    /// A queued delivery arrived.
    Delivered {
        /// Which.
        delivery: DeliveryId,
        /// What the destination answered, with its format.
        answer: Option<(Name, Bytes)>,
    },
    /// A queued delivery is to be tried again.
    Deferred {
        /// Which.
        delivery: DeliveryId,
        /// The attempt that failed, counted from 1.
        attempt: u32,
        /// When to try again.
        due: Timestamp,
        /// Why it failed, without content.
        why: String,
    },
    /// A queued delivery waits for a person.
    DeliveryParked {
        /// Which.
        delivery: DeliveryId,
        /// Why.
        cause: Cause,
    },
    /// A person gave up on a run that was parked or held, or on a parked delivery.
    Discarded(Parked),
    /// A parked delivery is queued again as it is.
    Requeued {
        /// Which.
        delivery: DeliveryId,
    },
    /// A person has `parent` made again: a new run of the same message. What of the parent still
    /// waited for a person no longer does.
    Replayed {
        /// The run that was decided before.
        parent: RunId,
        /// The new one, with the parent's seed.
        new: RunStart,
        /// The configuration it is pinned to.
        generation: Digest,
    },
    /// Nothing changes; only evidence is written.
    Noted,
}

impl Effect {
    /// What it is, as one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Dispatched { .. } => "dispatched",
            Self::Refused(_) => "refused",
            Self::Held { .. } => "held",
            Self::Released { .. } => "released",
            Self::Parked(_) => "parked",
            Self::Delivered { .. } => "delivered",
            Self::Deferred { .. } => "deferred",
            Self::DeliveryParked { .. } => "delivery-parked",
            Self::Discarded(_) => "discarded",
            Self::Requeued { .. } => "requeued",
            Self::Replayed { .. } => "replayed",
            Self::Noted => "noted",
        }
    }
}

/// The word alone: an answer is PHI.
impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Proof that a step is on disk.
#[derive(Clone, Debug)]
pub struct Committed {
    pub(crate) sequence: u64,
}

impl Committed {
    /// Its place in this journal, for logs.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}
