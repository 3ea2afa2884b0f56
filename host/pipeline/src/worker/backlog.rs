use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hilum_env::Bell;
use hilum_words::RunId;

use crate::Lanes;

/// Runs that wait for a worker, shared by all workers. Runs wait as ids; bodies stay in memory up to
/// a bound, else they are read back from the journal.
pub struct Backlog {
    waiting: Mutex<Waiting>,
    bells: Mutex<Vec<Bell>>,
    stopping: AtomicBool,
    body_bytes_max: usize,
}

#[derive(Default)]
struct Waiting {
    lanes: Lanes<RunId>,
    bodies: BTreeMap<RunId, Bytes>,
    body_bytes: usize,
    /// Runs that a worker has.
    taken: BTreeSet<RunId>,
    /// Runs that came again while a worker had them still: a person may release a held run before
    /// the worker that held it has put it away.
    again: BTreeMap<RunId, Vec<Vec<u8>>>,
}

impl Backlog {
    /// An empty backlog that keeps at most `body_bytes_max` bytes of bodies.
    pub fn new(body_bytes_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            bells: Mutex::default(),
            stopping: AtomicBool::new(false),
            body_bytes_max,
        }
    }

    /// Adds a worker's bell, to be rung when there may be something to do.
    pub fn wake_with(&self, bell: Bell) {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner).push(bell);
    }

    /// Puts a run at the end of its lanes. Call it in the order of acceptance.
    pub fn push(&self, run: RunId, lanes: &[Vec<u8>], body: Option<Bytes>) {
        {
            let mut waiting = self.lock();
            if waiting.taken.contains(&run) {
                waiting.again.insert(run, lanes.to_vec());
                return;
            }
            if let Some(body) =
                body.filter(|it| waiting.body_bytes + it.len() <= self.body_bytes_max)
            {
                waiting.body_bytes += body.len();
                if let Some(before) = waiting.bodies.insert(run, body) {
                    waiting.body_bytes -= before.len();
                }
            }
            waiting.lanes.push(run, lanes);
            if !waiting.lanes.has_ready() {
                return;
            }
        }
        self.ring();
    }

    /// The next run that its lanes allow, with its body if it is in memory.
    pub fn take(&self) -> Option<(RunId, Option<Bytes>)> {
        let mut waiting = self.lock();
        let run = waiting.lanes.take()?;
        waiting.taken.insert(run);
        let body = waiting.bodies.remove(&run);
        waiting.body_bytes -= body.as_ref().map_or(0, Bytes::len);
        Some((run, body))
    }

    /// Frees the lanes of a run that was taken.
    pub fn done(&self, run: RunId) {
        {
            let mut waiting = self.lock();
            waiting.lanes.done(run);
            waiting.taken.remove(&run);
            if let Some(lanes) = waiting.again.remove(&run) {
                waiting.lanes.push(run, &lanes);
            }
            if !waiting.lanes.has_ready() {
                return;
            }
        }
        self.ring();
    }

    /// How many runs wait or are being worked on.
    pub fn len(&self) -> usize {
        self.lock().lanes.len()
    }

    /// How many places in lanes the runs take that wait or are being worked on: memory depends on
    /// this.
    pub fn places(&self) -> usize {
        self.lock().lanes.places()
    }

    /// Whether no run waits or is being worked on.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets every worker end after the run that it is working on.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.ring();
    }

    /// Whether workers are to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn ring(&self) {
        for bell in self.bells.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            bell.ring();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_comes_again_while_a_worker_has_it_is_worked_on_again() {
        let backlog = Backlog::new(10);
        let run = RunId::from_bits(1);
        backlog.push(run, &[b"a".to_vec()], None);
        backlog.push(run, &[b"a".to_vec()], None);
        assert_eq!(backlog.take().map(|it| it.0), Some(run));
        assert_eq!(backlog.take(), None, "what waited came twice and is there once");
        backlog.push(run, &[b"a".to_vec()], None);
        assert_eq!(backlog.take(), None, "one worker at a time");
        backlog.done(run);
        assert_eq!(backlog.take().map(|it| it.0), Some(run));
        backlog.done(run);
        assert!(backlog.is_empty());
    }

    #[test]
    fn bodies_past_the_bound_are_left_to_the_journal() {
        let backlog = Backlog::new(10);
        let run = RunId::from_bits;
        backlog.push(run(1), &[], Some(Bytes::from_static(b"12345678")));
        backlog.push(run(2), &[], Some(Bytes::from_static(b"12345678")));
        assert!(backlog.take().expect("first").1.is_some());
        assert!(backlog.take().expect("second").1.is_none());
        backlog.push(run(3), &[], Some(Bytes::from_static(b"12345678")));
        assert!(backlog.take().expect("third").1.is_some(), "what was taken frees its bytes");
    }
}
