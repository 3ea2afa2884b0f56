use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hilum_env::Bell;
use hilum_words::{Name, RunId};

use crate::Lanes;

/// Runs that wait for a worker, shared by all workers. Runs wait as ids; bodies stay in memory up to
/// a bound, else they are read back from the journal.
///
/// Routes take turns, and one route has at most `together_max` workers at once: where there are more
/// workers than that, one route whose plugin uses all the time it may keeps no other waiting. Several
/// such routes may have all workers; then another waits for its turn, which is behind one run of each.
pub struct Backlog {
    waiting: Mutex<Waiting>,
    bells: Mutex<Vec<Bell>>,
    stopping: AtomicBool,
    body_bytes_max: usize,
    together_max: usize,
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
    /// The route of each run.
    routes: BTreeMap<RunId, Name>,
    /// Routes of which something waits or is being worked on.
    turns: BTreeMap<Name, Turn>,
    /// Routes of which something may start, in the order of their turns.
    order: VecDeque<Name>,
}

/// The runs of one route.
#[derive(Default)]
struct Turn {
    /// They may start, as far as their lanes go.
    ready: VecDeque<RunId>,
    /// How many workers have one.
    working: usize,
}

impl Waiting {
    /// Brings what the lanes let go to its route.
    fn sort(&mut self) {
        while let Some(run) = self.lanes.take() {
            let Some(route) = self.routes.get(&run) else { continue };
            let turn = self.turns.entry(route.clone()).or_default();
            if turn.ready.is_empty() {
                self.order.push_back(route.clone());
            }
            turn.ready.push_back(run);
        }
    }

    /// The next run of the route whose turn it is.
    fn next(&mut self, together_max: usize) -> Option<RunId> {
        self.sort();
        for _ in 0..self.order.len() {
            let route = self.order.pop_front()?;
            let Some(turn) = self.turns.get_mut(&route) else { continue };
            let run = if turn.working < together_max { turn.ready.pop_front() } else { None };
            turn.working += usize::from(run.is_some());
            if !turn.ready.is_empty() {
                self.order.push_back(route);
            }
            if run.is_some() {
                return run;
            }
        }
        None
    }

    /// A worker has done with a run of this route.
    fn free(&mut self, run: RunId) {
        let Some(route) = self.routes.remove(&run) else { return };
        let Some(turn) = self.turns.get_mut(&route) else { return };
        turn.working = turn.working.saturating_sub(1);
        if turn.working == 0 && turn.ready.is_empty() {
            self.turns.remove(&route);
        }
    }

    /// Whether at least so many workers would find something.
    fn employs(&mut self, workers: usize, together_max: usize) -> bool {
        self.sort();
        let mut found = 0;
        for turn in self.order.iter().filter_map(|route| self.turns.get(route)) {
            found += turn.ready.len().min(together_max.saturating_sub(turn.working));
            if workers <= found {
                return true;
            }
        }
        false
    }
}

impl Backlog {
    /// An empty backlog that keeps at most `body_bytes_max` bytes of bodies.
    pub fn new(body_bytes_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            bells: Mutex::default(),
            stopping: AtomicBool::new(false),
            body_bytes_max,
            together_max: usize::MAX,
        }
    }

    /// The same with a bound on the workers that one route has at once.
    #[must_use]
    pub fn with_together_max(self, together_max: usize) -> Self {
        Self { together_max: together_max.max(1), ..self }
    }

    /// Adds a worker's bell, to be rung when there may be something to do.
    pub fn wake_with(&self, bell: Bell) {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner).push(bell);
    }

    /// Puts a run at the end of its lanes. Call it in the order of acceptance.
    pub fn push(&self, route: &Name, run: RunId, lanes: &[Vec<u8>], body: Option<Bytes>) {
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
            waiting.routes.insert(run, route.clone());
            waiting.lanes.push(run, lanes);
            if !waiting.employs(1, self.together_max) {
                return;
            }
        }
        self.ring();
    }

    /// The next run that its lanes and its route allow, with its body if it is in memory.
    pub fn take(&self) -> Option<(RunId, Option<Bytes>)> {
        let mut waiting = self.lock();
        let run = waiting.next(self.together_max)?;
        waiting.taken.insert(run);
        let body = waiting.bodies.remove(&run);
        waiting.body_bytes -= body.as_ref().map_or(0, Bytes::len);
        Some((run, body))
    }

    /// Frees the lanes of a run that was taken.
    pub fn done(&self, run: RunId) {
        {
            let mut waiting = self.lock();
            let route = waiting.routes.get(&run).cloned();
            waiting.free(run);
            waiting.lanes.done(run);
            waiting.taken.remove(&run);
            if let (Some(lanes), Some(route)) = (waiting.again.remove(&run), route) {
                waiting.routes.insert(run, route);
                waiting.lanes.push(run, &lanes);
            }
            // The worker that says so takes the next one itself.
            if !waiting.employs(2, self.together_max) {
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
        backlog.push(&"adt".into(), run, &[b"a".to_vec()], None);
        backlog.push(&"adt".into(), run, &[b"a".to_vec()], None);
        assert_eq!(backlog.take().map(|it| it.0), Some(run));
        assert_eq!(backlog.take(), None, "what waited came twice and is there once");
        backlog.push(&"adt".into(), run, &[b"a".to_vec()], None);
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
        backlog.push(&"adt".into(), run(1), &[], Some(Bytes::from_static(b"12345678")));
        backlog.push(&"adt".into(), run(2), &[], Some(Bytes::from_static(b"12345678")));
        assert!(backlog.take().expect("first").1.is_some());
        assert!(backlog.take().expect("second").1.is_none());
        backlog.push(&"adt".into(), run(3), &[], Some(Bytes::from_static(b"12345678")));
        assert!(backlog.take().expect("third").1.is_some(), "what was taken frees its bytes");
    }

    #[test]
    fn routes_take_turns_and_none_has_all_workers() {
        let backlog = Backlog::new(0).with_together_max(2);
        let run = RunId::from_bits;
        for number in 1..=4 {
            backlog.push(&"hostile".into(), run(number), &[], None);
        }
        backlog.push(&"adt".into(), run(5), &[], None);
        let take = || backlog.take().map(|it| it.0);
        assert_eq!([take(), take(), take()], [Some(run(1)), Some(run(5)), Some(run(2))]);
        assert_eq!(take(), None, "two of one route are enough");
        backlog.push(&"adt".into(), run(6), &[], None);
        assert_eq!(take(), Some(run(6)), "another route finds a worker");
        backlog.done(run(1));
        assert_eq!(take(), Some(run(3)));
        for number in [2, 3, 5, 6] {
            backlog.done(run(number));
        }
        assert_eq!(take(), Some(run(4)));
        backlog.done(run(4));
        let waiting = backlog.lock();
        assert!(waiting.turns.is_empty() && waiting.routes.is_empty() && waiting.order.is_empty());
    }

    #[test]
    fn where_two_routes_have_all_workers_a_third_is_behind_one_run_of_each() {
        let backlog = Backlog::new(0).with_together_max(2);
        let run = RunId::from_bits;
        for number in 1..=6 {
            backlog.push(&"slow".into(), run(number), &[], None);
            backlog.push(&"slower".into(), run(10 + number), &[], None);
        }
        let take = || backlog.take().map(|it| it.0);
        assert_eq!([take(), take(), take(), take()], [1, 11, 2, 12].map(|it| Some(run(it))));
        assert_eq!(take(), None, "all four workers are taken");
        backlog.push(&"adt".into(), run(20), &[], None);
        let next = [1, 11, 2].map(|free| {
            backlog.done(run(free));
            backlog.take().map(|it| it.0)
        });
        // The bound is on each route, so a worker beyond the four would have found it at once.
        assert_eq!(next, [3, 13, 20].map(|it| Some(run(it))));
    }

    #[test]
    fn a_worker_is_called_only_if_it_would_find_something() {
        let rung = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let backlog = Backlog::new(0).with_together_max(1);
        let counted = std::sync::Arc::clone(&rung);
        backlog.wake_with(Bell::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        }));
        let (run, route) = (RunId::from_bits, Name::from("adt"));
        backlog.push(&route, run(1), &[b"a".to_vec()], None);
        assert_eq!(rung.load(Ordering::SeqCst), 1);
        assert!(backlog.take().is_some());
        backlog.push(&route, run(2), &[b"a".to_vec()], None);
        backlog.push(&route, run(3), &[b"b".to_vec()], None);
        assert_eq!(rung.load(Ordering::SeqCst), 1, "its lane or its route is busy");
        backlog.done(run(1));
        assert_eq!(rung.load(Ordering::SeqCst), 1, "the worker that was busy goes on by itself");
    }
}
