//! Who waits for the decision about which run.
//!
//! A door that answers after processing registers before the message is accepted, so that no
//! decision is missed. The gateway's watcher tells [`Waiters::decided`] each decision that is on disk,
//! and a worker that is about to refuse asks [`Waiters::is_awaited`]: a refusal that reaches nobody has
//! to wait for a person.
//!
//! Promises: at most `runs_max` runs are waited for; a waiter that is dropped leaves nothing behind.
//! Not here: how long is waited (`intake`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hilum_store::RunState;
use hilum_words::RunId;
use tokio::sync::Notify;

/// Waiters by the run that they wait for. One for a gateway.
pub struct Waiters {
    waiting: Mutex<Waiting>,
    runs_max: usize,
}

#[derive(Default)]
struct Waiting {
    by_run: BTreeMap<RunId, Vec<Arc<Slot>>>,
    count: usize,
}

/// One waiter: the runs that it waits for, and what became of them.
struct Slot {
    states: Mutex<BTreeMap<RunId, Option<RunState>>>,
    /// Whether a refusal would be told to the sender.
    tells_refusal: bool,
    changed: Notify,
}

/// A waiter's own handle. Dropped, nobody waits any more.
pub(crate) struct Waiter {
    all: Arc<Waiters>,
    slot: Arc<Slot>,
}

impl Waiters {
    /// Nobody waits yet. At most `runs_max` runs can be waited for at once.
    pub fn new(runs_max: usize) -> Self {
        Self { waiting: Mutex::default(), runs_max }
    }

    /// Whether a refusal of this run would be told to its sender.
    pub fn is_awaited(&self, run: RunId) -> bool {
        let waiting = self.lock();
        waiting.by_run.get(&run).is_some_and(|slots| slots.iter().any(|it| it.tells_refusal))
    }

    /// Whether anybody waits for what becomes of this run.
    pub fn waits_for(&self, run: RunId) -> bool {
        self.lock().by_run.contains_key(&run)
    }

    /// Tells whoever waits what became of a run. Call it when the decision is on disk. Never blocks.
    pub fn decided(&self, run: RunId, state: &RunState) {
        let slots = self.lock().by_run.get(&run).cloned().unwrap_or_default();
        for slot in slots {
            slot.decided(run, state);
        }
    }

    /// Waits for these runs. None if too many are waited for already.
    pub(crate) fn wait_for(
        self: &Arc<Self>,
        runs: impl IntoIterator<Item = RunId>,
        tells_refusal: bool,
    ) -> Option<Waiter> {
        let states: BTreeMap<_, _> = runs.into_iter().map(|run| (run, None)).collect();
        let mut waiting = self.lock();
        let count = waiting.count + states.len();
        if self.runs_max < count {
            return None;
        }
        waiting.count = count;
        let runs: Vec<RunId> = states.keys().copied().collect();
        let slot =
            Arc::new(Slot { states: Mutex::new(states), tells_refusal, changed: Notify::new() });
        for run in runs {
            waiting.by_run.entry(run).or_default().push(Arc::clone(&slot));
        }
        drop(waiting);
        Some(Waiter { all: Arc::clone(self), slot })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<RunId, Option<RunState>>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decided(&self, run: RunId, state: &RunState) {
        if let Some(known) = self.lock().get_mut(&run) {
            *known = Some(state.clone());
        }
        self.changed.notify_one();
    }
}

impl Waiter {
    /// Whether a refusal would be told to the sender.
    pub(crate) fn tells_refusal(&self) -> bool {
        self.slot.tells_refusal
    }

    /// The runs that it waits for.
    pub(crate) fn runs(&self) -> Vec<RunId> {
        self.slot.lock().keys().copied().collect()
    }

    /// What is known of a run from elsewhere: it was decided before anybody waited.
    pub(crate) fn know(&self, run: RunId, state: &RunState) {
        self.slot.decided(run, state);
    }

    /// What became of the runs, once all are decided.
    pub(crate) async fn decided(&self) -> Vec<RunState> {
        loop {
            // One waiter waits, so a permit that comes before it sleeps is kept for it.
            let changed = self.slot.changed.notified();
            let states: Option<Vec<_>> = self.slot.lock().values().cloned().collect();
            match states {
                Some(states) => return states,
                None => changed.await,
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let runs = self.runs();
        let mut waiting = self.all.lock();
        waiting.count -= runs.len();
        for run in runs {
            if let Some(slots) = waiting.by_run.get_mut(&run) {
                slots.retain(|it| !Arc::ptr_eq(it, &self.slot));
                if slots.is_empty() {
                    waiting.by_run.remove(&run);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn run(number: u128) -> RunId {
        RunId::from_bits(number)
    }

    fn look(waiter: &Waiter) -> Option<Vec<RunState>> {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(waiter.decided()).poll(&mut context) {
            Poll::Ready(states) => Some(states),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_waiter_is_told_when_all_its_runs_are_decided() {
        let waiters = Arc::new(Waiters::new(10));
        let waiter = waiters.wait_for([run(1), run(2)], true).expect("room");
        assert_eq!(look(&waiter), None);
        waiters.decided(run(1), &RunState::Dispatched);
        assert_eq!(look(&waiter), None);
        waiters.decided(run(3), &RunState::Dispatched);
        assert_eq!(look(&waiter), None);
        waiters.decided(run(2), &RunState::Discarded);
        assert_eq!(look(&waiter), Some(vec![RunState::Dispatched, RunState::Discarded]));
        assert_eq!(look(&waiters.wait_for([], true).expect("room")), Some(Vec::new()));
    }

    #[test]
    fn only_who_would_tell_a_refusal_makes_it_final() {
        let waiters = Arc::new(Waiters::new(10));
        let quiet = waiters.wait_for([run(1)], false).expect("room");
        assert!(!waiters.is_awaited(run(1)));
        let loud = waiters.wait_for([run(1)], true).expect("room");
        assert!(waiters.is_awaited(run(1)));
        assert!(!waiters.is_awaited(run(2)));
        drop(loud);
        assert!(!waiters.is_awaited(run(1)), "it hung up");
        waiters.decided(run(1), &RunState::Dispatched);
        assert_eq!(look(&quiet), Some(vec![RunState::Dispatched]));
    }

    #[test]
    fn no_more_are_waited_for_than_the_bound_says() {
        let waiters = Arc::new(Waiters::new(2));
        let first = waiters.wait_for([run(1), run(2)], true).expect("room");
        assert!(waiters.wait_for([run(3)], true).is_none());
        drop(first);
        assert!(waiters.wait_for([run(3)], true).is_some());
        let waiting = waiters.lock();
        assert_eq!((waiting.count, waiting.by_run.len()), (0, 0), "nothing is left behind");
    }
}
