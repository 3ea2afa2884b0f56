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
        let is_parked = is_parked || self.parking.contains(&waiting.delivery);
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

    /// Notes that the journal knows what became of this one.
    pub(super) fn committed(&mut self, delivery: DeliveryId) {
        self.parking.remove(&delivery);
    }
}
