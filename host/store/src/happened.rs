use std::fmt;

use bytes::Bytes;
use hilum_words::{DeliveryId, MessageId, Name, RunId, Timestamp};

use crate::RunState;

/// Something that somebody has to act on. Told on the committer, after the sync, in the journal's
/// order; the one who is told must not block.
#[derive(Clone, Debug)]
pub enum Happened {
    /// A run waits for a worker: it is new, or a person released it.
    Run(RunReady),
    /// A run was decided: dispatched, refused, held or parked.
    Decided {
        /// Which.
        run: RunId,
        /// What was decided.
        state: RunState,
    },
    /// A delivery waits for its courier.
    Queued(DeliveryReady),
    /// Every destination of a run has its answer, or is parked. Told again if a parked delivery is
    /// queued again and then has its answer.
    Settled(RunId),
    /// A parked delivery waits for nobody any more: it was discarded, or its run was made again.
    /// What stood behind it may go.
    Unparked {
        /// Which.
        delivery: DeliveryId,
        /// Where it would have gone.
        destination: Name,
    },
}

/// A place in the journal: frame, and place within the frame.
pub type JournalPlace = (u64, u32);

/// Who is told.
pub type Watcher = Box<dyn FnMut(Happened) + Send>;

/// A run that waits for a worker.
#[derive(Clone)]
pub struct RunReady {
    /// Which.
    pub run: RunId,
    /// Of which message.
    pub message: MessageId,
    /// Its route.
    pub route: Name,
    /// The lanes in which it has to be first.
    pub lanes: Vec<Vec<u8>>,
    /// The message's bytes, where they are at hand.
    pub body: Option<Bytes>,
}

/// Ids only: lanes and body are PHI.
impl fmt::Debug for RunReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunReady")
            .field("run", &self.run)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// A delivery that waits for its courier.
#[derive(Clone)]
pub struct DeliveryReady {
    /// Which.
    pub delivery: DeliveryId,
    /// The run that made it.
    pub run: RunId,
    /// Where to.
    pub destination: Name,
    /// The lanes in which it keeps its place.
    pub lanes: Vec<Vec<u8>>,
    /// Where it was queued first: the order of a destination's deliveries.
    pub place: JournalPlace,
    /// Whether it was queued again after it had been parked.
    pub is_again: bool,
    /// Attempts that were made.
    pub attempts: u32,
    /// When to try; none for now.
    pub due: Option<Timestamp>,
    /// Since when it is queued.
    pub since: Timestamp,
}

/// A delivery in its place among those of its destination: one that waits for its courier, or one
/// that is parked there.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The delivery.
    pub ready: DeliveryReady,
    /// It waits for a person.
    pub is_parked: bool,
    /// How it stands is on disk. If not, it is told of once it is.
    pub is_durable: bool,
}

/// What a queued delivery stands behind in its lanes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// The delivery that has to go first.
    pub delivery: DeliveryId,
    /// It waits for a person.
    pub is_parked: bool,
    /// When it is tried again.
    pub due: Option<Timestamp>,
    /// Why its last attempt failed.
    pub why: Option<String>,
}

/// Without the lanes, which may be PHI.
impl fmt::Debug for DeliveryReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryReady")
            .field("delivery", &self.delivery)
            .field("destination", &self.destination)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
