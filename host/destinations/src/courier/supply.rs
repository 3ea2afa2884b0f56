//! What the courier takes from the journal next, and what it leaves there for now.
//!
//! The journal is gone through from front to end. What must wait stays there and *closes* its lanes:
//! nothing behind it in any of them may be taken. It must wait
//!
//! - if it is parked, where a parked delivery is waited for (`on_park = "block"`);
//! - if one of its lanes has its share of the window, so that a lane that stands still does not take
//!   the room of the others;
//! - if one of its lanes is closed.
//!
//! When a lane has used up its share, or a person has done something about what is parked, the journal
//! is gone through again from where it matters.
//!
//! Promises: what is taken is taken in the journal's order in each of its lanes; memory is bounded by
//! the closed lanes.
//! Not here: the order of what was taken (`window`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hilum_store::JournalPlace;
use hilum_words::DeliveryId;

use super::window::{LaneKey, Waiting};

/// Deliveries of full lanes that are passed over in search of others. What is behind them waits.
const LEFT_MAX: usize = 16_384;

/// How far the journal was gone through, and what is closed up to there.
pub(super) struct Supply {
    /// A parked delivery is waited for.
    blocks: bool,
    /// What one lane may have of the window.
    share: usize,
    /// Where to look next.
    from: JournalPlace,
    /// Lanes in which nothing behind this place may be taken.
    closed: BTreeMap<LaneKey, JournalPlace>,
    /// Those of them that have their share, and the first that was left there.
    full: BTreeMap<LaneKey, JournalPlace>,
    /// How many were left because lanes were full.
    left: usize,
    /// Parked by this courier, while the journal does not say so yet.
    parking: BTreeSet<DeliveryId>,
    /// One of those was met while the journal was gone through: what was seen of it may be old.
    met_parking: bool,
}

impl Supply {
    pub(super) fn new(window_max: usize, blocks: bool) -> Self {
        Self {
            blocks,
            share: (window_max / 4).max(1),
            from: (0, 0),
            closed: BTreeMap::new(),
            full: BTreeMap::new(),
            left: 0,
            parking: BTreeSet::new(),
            met_parking: false,
        }
    }

    /// Where to look next.
    pub(super) fn from(&self) -> JournalPlace {
        self.from
    }

    /// Whether so many were left that looking further is of no use for now.
    pub(super) fn is_far(&self) -> bool {
        LEFT_MAX <= self.left
    }

    /// Whether something was left that goes once there is room.
    pub(super) fn leaves_some(&self) -> bool {
        0 < self.left
    }

    /// Notes that this one was looked at.
    pub(super) fn passed(&mut self, waiting: &Waiting) {
        let (sequence, place) = waiting.order;
        self.from = self.from.max((sequence, place.saturating_add(1)));
    }

    /// Goes through the journal from the front again.
    pub(super) fn start_over(&mut self) {
        self.reopen((0, 0));
    }

    fn reopen(&mut self, at: JournalPlace) {
        self.from = self.from.min(at);
        self.closed.retain(|_, since| *since < at);
        self.full.retain(|_, since| *since < at);
        self.left = 0;
    }

    /// Whether this one is left in the journal. `held` says how many of a lane wait in the window, and
    /// `is_held` whether this one is there.
    pub(super) fn leaves(
        &mut self,
        waiting: &Waiting,
        is_parked: bool,
        is_held: bool,
        held: impl Fn(&LaneKey) -> usize,
    ) -> bool {
        let is_parking = self.parking.contains(&waiting.delivery);
        self.met_parking |= is_parking;
        if is_held && !is_parking {
            return false;
        }
        let is_parked = self.blocks && (is_parked || is_parking);
        let is_closed =
            |key: &&LaneKey| self.closed.get(*key).is_some_and(|since| *since < waiting.order);
        let closed: Vec<&LaneKey> = waiting.lanes.iter().filter(is_closed).collect();
        let full: Vec<&LaneKey> = match is_parked || !closed.is_empty() {
            true => Vec::new(),
            false => waiting.lanes.iter().filter(|key| self.share <= held(key)).collect(),
        };
        if !is_parked && closed.is_empty() && full.is_empty() {
            return false;
        }
        let is_for_room = !full.is_empty() || closed.iter().any(|key| self.full.contains_key(*key));
        self.left += usize::from(is_for_room);
        for key in full {
            self.full.entry(Arc::clone(key)).or_insert(waiting.order);
        }
        self.close(waiting.lanes.iter().map(|key| (Arc::clone(key), waiting.order)));
        true
    }

    fn close(&mut self, lanes: impl IntoIterator<Item = (LaneKey, JournalPlace)>) {
        for (key, since) in lanes {
            self.closed.entry(key).and_modify(|it| *it = since.min(*it)).or_insert(since);
        }
    }

    /// Notes how many of a lane the window has now. Answers whether there is something to look for:
    /// the lane has used up its share.
    pub(super) fn used(&mut self, key: &LaneKey, held: usize) -> bool {
        if self.share / 2 < held {
            return false;
        }
        match self.full.get(key).copied() {
            Some(since) => {
                self.reopen(since);
                true
            }
            None => false,
        }
    }

    /// Notes that this courier parks a delivery, and which lanes are closed by that.
    pub(super) fn park(&mut self, delivery: DeliveryId, closed: BTreeMap<LaneKey, JournalPlace>) {
        self.parking.insert(delivery);
        self.close(closed);
    }

    /// Notes that the journal knows what became of this one. Answers whether it is to be gone through
    /// again: a person may have been faster than the news of it, and have sent it again already.
    pub(super) fn committed(&mut self, delivery: DeliveryId) -> bool {
        let starts_over = self.parking.remove(&delivery) && self.met_parking;
        if starts_over {
            self.met_parking = false;
            self.start_over();
        }
        starts_over
    }
}

#[cfg(test)]
mod tests {
    use hilum_words::{RunId, Timestamp};

    use super::*;

    fn waiting(number: u64, lanes: &[&str]) -> Waiting {
        Waiting {
            delivery: DeliveryId::from_bits(number.into()),
            run: RunId::from_bits(number.into()),
            lanes: lanes.iter().map(|lane| LaneKey::from(lane.as_bytes())).collect(),
            order: (number, 0),
            is_again: false,
            attempts: 0,
            due: Timestamp::from_micros(0),
            since: Timestamp::from_micros(0),
            place: 0,
        }
    }

    fn key(lane: &str) -> LaneKey {
        LaneKey::from(lane.as_bytes())
    }

    #[test]
    fn what_is_left_closes_its_other_lanes() {
        let mut supply = Supply::new(99, true);
        let mut leaves = |number, lanes: &[&str], is_parked| {
            supply.leaves(&waiting(number, lanes), is_parked, false, |_| 0)
        };
        assert!(!leaves(1, &["b"], false));
        assert!(leaves(2, &["a"], true));
        assert!(leaves(3, &["a", "b"], false), "a merge");
        assert!(leaves(4, &["b"], false), "it would overtake the merge");
        assert!(!leaves(5, &["c"], false));
        assert!(!leaves(2, &["b"], false), "it is before the merge");
        supply.passed(&waiting(5, &["c"]));
        assert_eq!((supply.from(), supply.leaves_some()), ((5, 1), false));
        supply.start_over();
        assert_eq!(supply.from(), (0, 0));
        assert!(!supply.leaves(&waiting(4, &["b"]), false, false, |_| 0));
    }

    #[test]
    fn a_parked_one_is_passed_where_it_does_not_block() {
        let mut supply = Supply::new(99, false);
        assert!(!supply.leaves(&waiting(1, &["a"]), true, false, |_| 0));
        assert!(!supply.leaves(&waiting(2, &["a"]), false, false, |_| 0));
    }

    #[test]
    fn a_lane_has_its_share_and_gets_more_when_it_is_used_up() {
        let mut supply = Supply::new(16, false);
        let held = |lane: &LaneKey| if *lane == key("a") { 4 } else { 3 };
        assert!(!supply.leaves(&waiting(1, &["b"]), false, false, held));
        assert!(supply.leaves(&waiting(2, &["a", "b"]), false, false, held));
        assert!(supply.leaves(&waiting(3, &["b"]), false, false, held), "it is behind the merge");
        assert!(!supply.leaves(&waiting(4, &["c"]), false, false, held));
        supply.passed(&waiting(4, &["c"]));
        assert!(supply.leaves_some());
        assert!(!supply.used(&key("a"), 3));
        assert!(!supply.used(&key("b"), 0), "it was not full");
        assert!(supply.used(&key("a"), 2));
        assert_eq!((supply.from(), supply.leaves_some()), ((2, 0), false));
        assert!(!supply.leaves(&waiting(2, &["a", "b"]), false, false, |_| 3));
        assert!(!supply.leaves(&waiting(3, &["b"]), false, false, |_| 3));
    }

    #[test]
    fn what_is_closed_before_a_full_lane_stays_closed_when_that_opens() {
        let mut supply = Supply::new(16, true);
        assert!(supply.leaves(&waiting(1, &["p"]), true, false, |_| 0));
        assert!(supply.leaves(&waiting(2, &["a"]), false, false, |_| 4));
        assert!(supply.leaves(&waiting(3, &["q"]), true, false, |_| 0));
        assert!(supply.used(&key("a"), 0));
        assert!(
            supply.leaves(&waiting(4, &["p"]), false, false, |_| 0),
            "its parked one is not met again"
        );
        assert!(!supply.leaves(&waiting(2, &["a"]), false, false, |_| 0));
        assert!(supply.leaves(&waiting(3, &["q"]), true, false, |_| 0), "it is met again");
        assert!(supply.leaves(&waiting(5, &["q"]), false, false, |_| 0));
    }

    #[test]
    fn not_more_than_so_many_are_passed_over() {
        let mut supply = Supply::new(16, false);
        for number in 0..16_384 {
            assert!(!supply.is_far());
            assert!(supply.leaves(&waiting(number, &["a"]), false, false, |_| 4));
        }
        assert!(supply.is_far());
        assert!(supply.used(&key("a"), 0));
        assert!(!supply.is_far());
    }

    #[test]
    fn a_person_may_be_faster_than_the_news_of_what_is_parked() {
        let mut supply = Supply::new(99, true);
        let parked = waiting(1, &["a"]);
        supply.park(parked.delivery, [(key("a"), parked.order)].into());
        supply.start_over();
        // It was sent again, and the journal's answer to its parking is not here yet.
        assert!(supply.leaves(&parked, false, false, |_| 0));
        assert!(supply.committed(parked.delivery), "what was seen of it was old");
        assert!(!supply.leaves(&parked, false, false, |_| 0));
        assert!(!supply.committed(parked.delivery));
    }
}
