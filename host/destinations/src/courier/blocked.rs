//! What may not go because something before it in one of its lanes is parked (`on_park = "block"`).
//!
//! The journal is gone through from front to end: a parked delivery closes its lanes, and one that
//! stands in a closed lane stays in the journal and closes the others of its own, since nothing in
//! them may overtake it. What a person has sent again, made again or discarded may open any lane, so
//! then it is gone through from the front again.
//!
//! Promises: memory is bounded by the closed lanes; each delivery is looked at once, and once more
//! after each act of a person.
//! Not here: the order of what may go (`window`).

use std::collections::BTreeSet;
use std::sync::Arc;

use hilum_store::JournalPlace;
use hilum_words::DeliveryId;

use super::window::{LaneKey, Waiting};

/// How far the journal was gone through, and what is closed up to there.
#[derive(Default)]
pub(super) struct Blocked {
    /// The last delivery that was looked at.
    cursor: Option<JournalPlace>,
    closed: BTreeSet<LaneKey>,
    /// Parked by this courier, while the journal does not say so yet.
    parking: BTreeSet<DeliveryId>,
    /// One of those was met while the journal was gone through: what was seen of it may be old.
    met_parking: bool,
}

impl Blocked {
    /// Behind which delivery to go on.
    pub(super) fn cursor(&self) -> Option<JournalPlace> {
        self.cursor
    }

    /// Notes that this one was looked at.
    pub(super) fn passed(&mut self, waiting: &Waiting) {
        self.cursor = self.cursor.max(Some(waiting.order));
    }

    /// Goes through the journal from the front again.
    pub(super) fn start_over(&mut self) {
        self.cursor = None;
        self.closed.clear();
    }

    /// Whether this one may not go: it is parked, or something before it is. Then it closes its
    /// lanes.
    pub(super) fn holds_back(&mut self, waiting: &Waiting, is_parked: bool) -> bool {
        let is_parking = self.parking.contains(&waiting.delivery);
        self.met_parking |= is_parking;
        let is_parked = is_parked || is_parking;
        let is_held = is_parked || waiting.lanes.iter().any(|lane| self.closed.contains(lane));
        if is_held {
            self.closed.extend(waiting.lanes.iter().map(Arc::clone));
        }
        is_held
    }

    /// Notes that this courier parks a delivery, and which lanes are closed by that.
    pub(super) fn park(&mut self, delivery: DeliveryId, closed: BTreeSet<LaneKey>) {
        self.parking.insert(delivery);
        self.closed.extend(closed);
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

    fn waiting(number: u128, lanes: &[&str]) -> Waiting {
        Waiting {
            delivery: DeliveryId::from_bits(number),
            run: RunId::from_bits(number),
            lanes: lanes.iter().map(|lane| LaneKey::from(lane.as_bytes())).collect(),
            order: (u64::try_from(number).expect("small"), 0),
            attempts: 0,
            due: Timestamp::from_micros(0),
            since: Timestamp::from_micros(0),
            place: 0,
        }
    }

    #[test]
    fn what_is_held_back_closes_its_other_lanes() {
        let mut blocked = Blocked::default();
        assert!(!blocked.holds_back(&waiting(1, &["b"]), false));
        assert!(blocked.holds_back(&waiting(2, &["a"]), true));
        assert!(blocked.holds_back(&waiting(3, &["a", "b"]), false), "a merge");
        assert!(blocked.holds_back(&waiting(4, &["b"]), false), "it would overtake the merge");
        assert!(!blocked.holds_back(&waiting(5, &["c"]), false));
        blocked.passed(&waiting(5, &["c"]));
        assert_eq!(blocked.cursor(), Some((5, 0)));
        blocked.start_over();
        assert_eq!(blocked.cursor(), None);
        assert!(!blocked.holds_back(&waiting(4, &["b"]), false));
    }

    #[test]
    fn a_person_may_be_faster_than_the_news_of_what_is_parked() {
        let mut blocked = Blocked::default();
        let parked = waiting(1, &["a"]);
        blocked.park(parked.delivery, parked.lanes.iter().cloned().collect());
        blocked.start_over();
        // It was sent again, and the journal's answer to its parking is not here yet.
        assert!(blocked.holds_back(&parked, false));
        assert!(blocked.committed(parked.delivery), "what was seen of it was old");
        assert!(!blocked.holds_back(&parked, false));
        assert!(!blocked.committed(parked.delivery));
    }
}
