//! What the store and its committer have in common.
//!
//! Locks are taken in the order tail, state; never while the queue is held.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use hilum_env::{Bell, Doors, Instant};
use hilum_words::Timestamp;
use tracing::error;

use crate::catalogue::Catalogue;
use crate::content::{Draft, StepDraft};
use crate::folder::{Folder, Identity};
use crate::frames::Frames;
use crate::state::State;
use crate::tail::Tail;
use crate::ticket::Promise;
use crate::{Accepted, Committed, Options, StoreError};

/// Something that waits for the committer.
pub(crate) enum Request {
    Accept(Draft, Promise<Accepted>),
    Commit(StepDraft, Promise<Committed>),
}

impl Request {
    /// About how many bytes it writes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Accept(draft, _) => draft.payload.len(),
            Self::Commit(draft, _) => draft.payload.len(),
        }
    }

    /// Answers that it was not written.
    pub(crate) fn fail(self, fault: StoreError) {
        match self {
            Self::Accept(_, promise) => promise.keep(Err(fault)),
            Self::Commit(_, promise) => promise.keep(Err(fault)),
        }
    }
}

/// What waits.
#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) requests: VecDeque<Request>,
    pub(crate) bytes: usize,
    /// Whether somebody waits for one of the requests.
    pub(crate) is_awaited: bool,
    /// Since when requests are here that nobody waits for.
    pub(crate) since: Option<Instant>,
    /// Told when everything that waits is written and the last frame is on disk.
    pub(crate) stop: Vec<Promise<()>>,
    /// Nothing more is taken.
    pub(crate) is_stopped: bool,
}

/// Whether somebody waits until a request is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    Awaited,
    /// Soon is early enough: it is synced with what others wait for, or with more of its kind.
    Soon,
}

impl Queue {
    /// Until when what is here may wait for more; none if it is to be written now.
    pub(crate) fn may_wait_until(&self, options: &Options) -> Option<Instant> {
        // A group is full by bytes, too: what waits takes the room of what is to be accepted.
        let is_full =
            options.soon_max <= self.requests.len() || options.group_bytes_max <= self.bytes;
        if self.is_awaited || self.is_stopped || is_full {
            return None;
        }
        self.since.map(|since| since.plus(options.soon))
    }
}

/// What is counted since the start.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) accepted: AtomicU64,
    pub(crate) known: AtomicU64,
    pub(crate) reused: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) bytes_written: AtomicU64,
}

impl Tally {
    pub(crate) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

pub(crate) struct Shared {
    pub(crate) doors: Doors,
    pub(crate) options: Options,
    pub(crate) folder: Folder,
    pub(crate) identity: Identity,
    pub(crate) frames: Frames,
    pub(crate) tail: Mutex<Tail>,
    pub(crate) state: Mutex<State>,
    pub(crate) queue: Mutex<Queue>,
    pub(crate) durable: AtomicU64,
    pub(crate) catalogue: Mutex<Catalogue>,
    pub(crate) tally: Tally,
    pub(crate) poison: OnceLock<StoreError>,
    pub(crate) bell: OnceLock<Bell>,
    /// Held while this process works with the folder.
    pub(crate) _lock: Box<dyn Send + Sync>,
}

impl Shared {
    pub(crate) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn catalogue(&self) -> MutexGuard<'_, Catalogue> {
        self.catalogue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.doors.clock.now_micros())
    }

    /// The last sequence that is durable.
    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// A write or sync failed. What is on disk is not known any more, and a second sync could say
    /// "done" about pages that the system has dropped: nothing is written again by this process.
    pub(crate) fn poison(&self, what: &'static str, fault: &std::io::Error) -> StoreError {
        let poisoned = StoreError::Poisoned { what, why: Arc::from(fault.to_string()) };
        if self.poison.set(poisoned.clone()).is_ok() {
            error!(what, %fault, "the journal stopped; restart the gateway when the disk is well");
        }
        self.poison.get().cloned().unwrap_or(poisoned)
    }

    /// Why nothing is written any more.
    pub(crate) fn poisoned(&self) -> Option<StoreError> {
        self.poison.get().cloned()
    }

    /// Puts a request where the committer finds it.
    pub(crate) fn submit(&self, request: Request, haste: Haste) {
        if let Some(fault) = self.poisoned() {
            return request.fail(fault);
        }
        let bytes = request.bytes();
        let mut queue = self.queue();
        // Only what is new is turned away. Decisions and outcomes are bounded by those who make
        // them, and to refuse one would stop the work that empties the queue.
        let is_full = matches!(request, Request::Accept(..))
            && (self.options.queue_max <= queue.requests.len()
                || (queue.bytes != 0 && self.options.queue_bytes_max < queue.bytes + bytes));
        let refused = match (queue.is_stopped, is_full) {
            (true, _) => Some(StoreError::Stopped),
            (_, true) => Some(StoreError::Busy),
            _ => None,
        };
        if let Some(fault) = refused {
            drop(queue);
            return request.fail(fault);
        }
        let was_awaited = queue.is_awaited;
        let has_room = queue.bytes < self.options.group_bytes_max;
        queue.bytes += bytes;
        queue.requests.push_back(request);
        match haste {
            Haste::Awaited => queue.is_awaited = true,
            Haste::Soon => {
                queue.since.get_or_insert_with(|| self.doors.clock.instant());
            }
        }
        let count = queue.requests.len();
        let begins_to_be_awaited = queue.is_awaited && !was_awaited;
        // Where something is awaited already the committer has not looked yet; the first that may
        // wait sets its alarm.
        let fills = has_room && self.options.group_bytes_max <= queue.bytes
            || count == self.options.soon_max;
        drop(queue);
        if count == 1 || begins_to_be_awaited || fills {
            self.ring();
        }
    }

    pub(crate) fn ring(&self) {
        if let Some(bell) = self.bell.get() {
            bell.ring();
        }
    }
}
