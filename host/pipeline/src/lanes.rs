//! Which runs may be worked on now.
//!
//! A run has a set of lane keys and may start when it is first in each of them: messages of one
//! lane stay in the order in which they were accepted, others pass. A run without keys may start
//! at once.
//!
//! Promises: a run is handed out once until it is [`done`](Lanes::done) or
//! [`returned`](Lanes::give_back).
//! Not here: bodies, threads, what a run does.

mod plan;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use plan::{LANES_MAX, LanePlan};

/// Runs waiting in their lanes, by id. `K` is a lane key.
#[derive(Debug)]
pub struct Lanes<Id, K = Vec<u8>> {
    queues: BTreeMap<K, VecDeque<Id>>,
    keys: BTreeMap<Id, Vec<K>>,
    ready: VecDeque<Id>,
    /// Places in all lanes together; a run without a lane has one.
    places: usize,
}

impl<Id, K> Default for Lanes<Id, K> {
    fn default() -> Self {
        let (queues, keys) = (BTreeMap::default(), BTreeMap::default());
        Self { queues, keys, ready: VecDeque::new(), places: 0 }
    }
}

impl<Id: Copy + Ord, K: Clone + Ord> Lanes<Id, K> {
    /// Puts a run at the end of each of its lanes. Call it in the order of acceptance. A run that
    /// is here already stays where it is.
    pub fn push(&mut self, id: Id, lanes: &[K]) {
        if self.keys.contains_key(&id) {
            return;
        }
        let keys: Vec<K> = lanes.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        for key in &keys {
            self.queues.entry(key.clone()).or_default().push_back(id);
        }
        self.places += keys.len().max(1);
        self.keys.insert(id, keys);
        if self.is_first(id) {
            self.ready.push_back(id);
        }
    }

    /// The next run that may start.
    pub fn take(&mut self) -> Option<Id> {
        self.ready.pop_front()
    }

    /// Whether a run may start.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Puts a run that was taken back in front, to be tried again.
    pub fn give_back(&mut self, id: Id) {
        if self.keys.contains_key(&id) {
            self.ready.push_front(id);
        }
    }

    /// Frees the lanes of a run that was taken.
    pub fn done(&mut self, id: Id) {
        let Some(keys) = self.keys.remove(&id) else { return };
        self.places -= keys.len().max(1);
        for key in keys {
            let Some(queue) = self.queues.get_mut(&key) else { continue };
            queue.pop_front();
            match queue.front().copied() {
                None => drop(self.queues.remove(&key)),
                Some(next) if self.is_first(next) => self.ready.push_back(next),
                Some(_) => {}
            }
        }
    }

    /// How many runs are here, taken ones included.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// How many places they take: a run in several lanes has one in each. It is what memory they
    /// take depends on.
    pub fn places(&self) -> usize {
        self.places
    }

    /// Whether no run is here.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn is_first(&self, id: Id) -> bool {
        let keys = self.keys.get(&id).map(Vec::as_slice).unwrap_or_default();
        keys.iter().all(|key| self.queues.get(key).and_then(|it| it.front()) == Some(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(lanes: &mut Lanes<u32, &'static str>) -> Vec<u32> {
        std::iter::from_fn(|| lanes.take()).collect()
    }

    #[test]
    fn one_lane_hands_out_one_run_at_a_time_in_order() {
        let mut lanes = Lanes::default();
        lanes.push(1, &["a"]);
        lanes.push(2, &["a"]);
        lanes.push(3, &["b"]);
        assert_eq!(drain(&mut lanes), [1, 3]);
        lanes.done(1);
        assert_eq!(drain(&mut lanes), [2]);
        lanes.done(2);
        lanes.done(3);
        assert!(lanes.is_empty());
        assert!(lanes.queues.is_empty());
    }

    #[test]
    fn a_merge_waits_for_both_lanes_and_both_wait_for_it() {
        let mut lanes = Lanes::default();
        lanes.push(1, &["a"]);
        lanes.push(2, &["b"]);
        lanes.push(3, &["a", "b"]);
        lanes.push(4, &["a"]);
        assert_eq!(drain(&mut lanes), [1, 2]);
        lanes.done(1);
        assert!(drain(&mut lanes).is_empty());
        lanes.done(2);
        assert_eq!(drain(&mut lanes), [3]);
        lanes.done(3);
        assert_eq!(drain(&mut lanes), [4]);
    }

    #[test]
    fn a_run_without_lanes_starts_at_once() {
        let mut lanes: Lanes<u32, &str> = Lanes::default();
        lanes.push(1, &[]);
        lanes.push(2, &[]);
        assert_eq!(drain(&mut lanes), [1, 2]);
    }

    #[test]
    fn a_run_has_a_place_in_each_of_its_lanes() {
        let mut lanes = Lanes::default();
        lanes.push(1, &["a", "b", "b"]);
        lanes.push(2, &[]);
        assert_eq!((lanes.len(), lanes.places()), (2, 3));
        lanes.push(1, &["a"]);
        assert_eq!(drain(&mut lanes), [1, 2]);
        for id in [1, 2, 2] {
            lanes.done(id);
        }
        assert_eq!((lanes.len(), lanes.places()), (0, 0));
    }

    #[test]
    fn the_same_run_twice_is_there_once() {
        let mut lanes = Lanes::default();
        lanes.push(1, &["a"]);
        lanes.push(1, &["a"]);
        assert_eq!(drain(&mut lanes), [1]);
        lanes.done(1);
        assert!(lanes.is_empty());
    }
}
