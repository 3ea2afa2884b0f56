//! What a courier holds of its queue, and in which order it may go out.
//!
//! Promises: of a lane only the front goes, and only one group of it at a time; across lanes the
//! earliest goes first; no more than `items_max` are held.
//! Not here: time, sending, the journal.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use hilum_words::{DeliveryId, RunId, Timestamp};

/// The key of a lane.
pub(super) type LaneKey = Arc<[u8]>;

/// One delivery that waits. Its bytes are in the journal. The lane's key may be a value from the
/// message, so there is no `Debug`.
#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) delivery: DeliveryId,
    /// The run that made it.
    pub(super) run: RunId,
    pub(super) lane: LaneKey,
    /// How often it was tried.
    pub(super) attempts: u32,
    /// Not to be tried before.
    pub(super) due: Timestamp,
    /// Since when it is queued: its age decides when we give up.
    pub(super) since: Timestamp,
    /// Its place in the window, given when it is admitted.
    pub(super) place: u64,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    /// A group of it is on its way.
    is_busy: bool,
}

/// Lanes and what waits in them.
pub(super) struct Window {
    lanes: BTreeMap<LaneKey, Lane>,
    /// The front of every lane that is not busy: when it may go, and its place in the queue.
    fronts: BTreeMap<(Timestamp, u64), LaneKey>,
    /// Everything held, on its way or not.
    held: BTreeSet<DeliveryId>,
    items_max: usize,
    admitted: u64,
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is held now.
    Taken,
    /// It was held already.
    Known,
    /// There is no room.
    Full,
}

impl Window {
    pub(super) fn new(items_max: usize) -> Self {
        Self {
            lanes: BTreeMap::new(),
            fronts: BTreeMap::new(),
            held: BTreeSet::new(),
            items_max,
            admitted: 0,
        }
    }

    /// Takes one at the end of its lane.
    pub(super) fn admit(&mut self, mut waiting: Waiting) -> Admission {
        if self.held.contains(&waiting.delivery) {
            return Admission::Known;
        }
        if self.items_max <= self.held.len() {
            return Admission::Full;
        }
        self.held.insert(waiting.delivery);
        self.admitted += 1;
        waiting.place = self.admitted;
        let lane = self.lanes.entry(Arc::clone(&waiting.lane)).or_default();
        if lane.waiting.is_empty() && !lane.is_busy {
            self.fronts.insert((waiting.due, waiting.place), Arc::clone(&waiting.lane));
        }
        lane.waiting.push_back(waiting);
        Admission::Taken
    }

    /// The next ones that may go together, at most `together_max`, the earliest first. Their lanes
    /// are busy until [`release`](Self::release).
    pub(super) fn take(&mut self, now: Timestamp, together_max: usize) -> Vec<Waiting> {
        let mut taken: Vec<Waiting> = Vec::new();
        while taken.len() < together_max {
            let front = self.fronts.first_entry().filter(|it| it.key().0 <= now);
            let Some(key) = front.map(|it| it.remove()) else {
                break;
            };
            let Some(lane) = self.lanes.get_mut(&key) else {
                continue;
            };
            lane.is_busy = true;
            taken.extend(lane.waiting.pop_front());
            if let Some(next) = lane.waiting.front().filter(|next| next.due <= now) {
                self.fronts.insert((next.due, next.place), key);
            }
        }
        // Lanes that have more than fitted are busy all the same.
        for waiting in &taken {
            let rest = self.lanes.get(&waiting.lane).and_then(|lane| lane.waiting.front());
            if let Some(next) = rest {
                self.fronts.remove(&(next.due, next.place));
            }
        }
        taken
    }

    /// Lets the lanes of a group go on. Those of the group that have to go `again` come first in
    /// their lane, in their order; the others stay held until they are [`forget`](Self::forget)ed.
    pub(super) fn release(&mut self, lanes: BTreeSet<LaneKey>, again: Vec<Waiting>) {
        for waiting in again.into_iter().rev() {
            let lane = self.lanes.entry(Arc::clone(&waiting.lane)).or_default();
            lane.waiting.push_front(waiting);
        }
        for key in lanes {
            let Some(lane) = self.lanes.get_mut(&key) else {
                continue;
            };
            lane.is_busy = false;
            match lane.waiting.front() {
                Some(front) => {
                    self.fronts.insert((front.due, front.place), key);
                }
                None => {
                    self.lanes.remove(&key);
                }
            }
        }
    }

    /// Makes room: the outcome of this one is in the journal.
    pub(super) fn forget(&mut self, delivery: DeliveryId) {
        self.held.remove(&delivery);
    }

    /// How many are held, on their way or not.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// When the earliest front may go.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.fronts.first_key_value().map(|((due, _), _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(number: u128, lane: &str, due: i64) -> Waiting {
        Waiting {
            delivery: DeliveryId::from_bits(number),
            run: RunId::from_bits(number),
            lane: lane.as_bytes().into(),
            attempts: 0,
            due: Timestamp::from_micros(due),
            since: Timestamp::from_micros(0),
            place: 0,
        }
    }

    fn numbers(taken: &[Waiting]) -> Vec<u128> {
        taken.iter().map(|it| it.delivery.bits()).collect()
    }

    fn lanes(taken: &[Waiting]) -> BTreeSet<LaneKey> {
        taken.iter().map(|it| Arc::clone(&it.lane)).collect()
    }

    const NOW: Timestamp = Timestamp::from_micros(100);

    #[test]
    fn of_a_lane_one_goes_at_a_time_and_lanes_do_not_wait_for_each_other() {
        let mut window = Window::new(9);
        for (number, lane) in [(1, "a"), (2, "a"), (3, "b"), (4, "b")] {
            assert_eq!(window.admit(waiting(number, lane, 0)), Admission::Taken);
        }
        let first = window.take(NOW, 1);
        assert_eq!(numbers(&first), [1]);
        assert_eq!(numbers(&window.take(NOW, 1)), [3]);
        assert!(window.take(NOW, 1).is_empty(), "both lanes are busy");
        window.release(lanes(&first), Vec::new());
        assert_eq!(numbers(&window.take(NOW, 1)), [2]);
    }

    #[test]
    fn a_group_is_in_the_order_of_the_queue() {
        let mut window = Window::new(9);
        for number in 1..=6 {
            window.admit(waiting(number, if number % 2 == 0 { "a" } else { "b" }, 0));
        }
        assert_eq!(numbers(&window.take(NOW, 4)), [1, 2, 3, 4]);
        assert!(window.take(NOW, 4).is_empty(), "both lanes are busy");
    }

    #[test]
    fn one_that_waits_blocks_its_lane_alone() {
        let mut window = Window::new(9);
        window.admit(waiting(1, "a", 500));
        window.admit(waiting(2, "a", 0));
        window.admit(waiting(3, "b", 0));
        assert_eq!(numbers(&window.take(NOW, 9)), [3]);
        assert_eq!(window.next_due(), Some(Timestamp::from_micros(500)));
        assert_eq!(numbers(&window.take(Timestamp::from_micros(500), 9)), [1, 2]);
    }

    #[test]
    fn what_goes_again_goes_first_and_in_order() {
        let mut window = Window::new(9);
        for number in 1..=4 {
            window.admit(waiting(number, "a", 0));
        }
        let group = window.take(NOW, 3);
        assert_eq!(numbers(&group), [1, 2, 3]);
        let again = group.iter().skip(1).cloned().collect();
        window.release(lanes(&group), again);
        assert_eq!(numbers(&window.take(NOW, 9)), [2, 3, 4]);
    }

    #[test]
    fn a_full_window_takes_no_more_until_outcomes_are_in_the_journal() {
        let mut window = Window::new(2);
        assert_eq!(window.admit(waiting(1, "a", 0)), Admission::Taken);
        assert_eq!(window.admit(waiting(1, "a", 0)), Admission::Known);
        assert_eq!(window.admit(waiting(2, "b", 0)), Admission::Taken);
        assert_eq!(window.admit(waiting(3, "c", 0)), Admission::Full);
        let group = window.take(NOW, 1);
        window.release(lanes(&group), Vec::new());
        assert_eq!(window.admit(waiting(3, "c", 0)), Admission::Full);
        window.forget(DeliveryId::from_bits(1));
        assert_eq!(window.admit(waiting(3, "c", 0)), Admission::Taken);
        assert_eq!(window.len(), 2);
    }

    #[test]
    fn across_lanes_the_earliest_goes_first() {
        let mut window = Window::new(9);
        for number in 1..=5 {
            window.admit(waiting(number, &format!("{}", 9 - number), 0));
        }
        assert_eq!(numbers(&window.take(NOW, 5)), [1, 2, 3, 4, 5]);
    }
}
