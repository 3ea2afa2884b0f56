//! What a courier holds of its queue, and in which order it may go out.
//!
//! A delivery stands in one lane or in several (a merge of two patients stands in both). It may go
//! when it is the front of each of them; while it is on its way it holds each of them.
//!
//! Promises: in none of its lanes does a delivery go before one that was admitted earlier; of a lane
//! only one group is on its way at a time; across lanes the earliest goes first; no more than
//! `items_max` are held.
//! Not here: time, sending, the journal; what is taken from there (`supply`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hilum_store::JournalPlace;
use hilum_words::{DeliveryId, RunId, Timestamp};

/// The key of a lane.
pub(super) type LaneKey = Arc<[u8]>;

/// One delivery that waits. Its bytes are in the journal. A lane's key may be a value from the
/// message, so there is no `Debug`.
#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) delivery: DeliveryId,
    /// The run that made it.
    pub(super) run: RunId,
    /// The lanes that it stands in, without repeats.
    pub(super) lanes: Arc<[LaneKey]>,
    /// Its place in the journal.
    pub(super) order: JournalPlace,
    /// It was queued again after it had been parked.
    pub(super) is_again: bool,
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
    /// Places of what waits in it.
    waiting: BTreeSet<u64>,
    /// A group of it is on its way.
    is_busy: bool,
}

/// Lanes and what waits in them.
pub(super) struct Window {
    /// What waits, by place. What is on its way is not here.
    items: BTreeMap<u64, Waiting>,
    lanes: BTreeMap<LaneKey, Lane>,
    /// What is the front of all its lanes, none of them busy: when it may go, and its place.
    fronts: BTreeSet<(Timestamp, u64)>,
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

/// How many may go together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Together {
    /// At most so many.
    pub(super) max: usize,
    /// Whether two of one lane may: not where the first of them may have to hold the second back.
    pub(super) of_one_lane: bool,
}

impl Window {
    pub(super) fn new(items_max: usize) -> Self {
        Self {
            items: BTreeMap::new(),
            lanes: BTreeMap::new(),
            fronts: BTreeSet::new(),
            held: BTreeSet::new(),
            items_max,
            admitted: 0,
        }
    }

    /// Takes one at the end of its lanes.
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
        self.insert(waiting);
        Admission::Taken
    }

    fn insert(&mut self, waiting: Waiting) {
        let place = waiting.place;
        for key in &*waiting.lanes {
            self.lanes.entry(Arc::clone(key)).or_default().waiting.insert(place);
        }
        self.items.insert(place, waiting);
        self.put_in_front(place, |lane| !lane.is_busy);
    }

    /// Notes that this one may go, if it is the front of all its lanes and they may be used.
    fn put_in_front(&mut self, place: u64, is_free: impl Fn(&Lane) -> bool) {
        let Some(waiting) = self.items.get(&place) else {
            return;
        };
        let is_front = |key: &LaneKey| {
            let lane = self.lanes.get(key);
            lane.is_some_and(|lane| lane.waiting.first() == Some(&place) && is_free(lane))
        };
        if waiting.lanes.iter().all(is_front) {
            self.fronts.insert((waiting.due, place));
        }
    }

    /// The next ones that may go together, the earliest first. Their lanes are busy until
    /// [`release`](Self::release).
    pub(super) fn take(&mut self, now: Timestamp, together: Together) -> Vec<Waiting> {
        let mut taken: Vec<Waiting> = Vec::new();
        // Lanes that were busy before stay closed; those of this group are open to it.
        let mut ours: BTreeSet<LaneKey> = BTreeSet::new();
        while taken.len() < together.max {
            let Some((due, place)) = self.fronts.first().copied().filter(|it| it.0 <= now) else {
                break;
            };
            self.fronts.remove(&(due, place));
            let Some(waiting) = self.items.remove(&place) else {
                continue;
            };
            for key in &*waiting.lanes {
                if let Some(lane) = self.lanes.get_mut(key) {
                    lane.waiting.remove(&place);
                    lane.is_busy = true;
                }
                ours.insert(Arc::clone(key));
            }
            if together.of_one_lane {
                self.follow(&waiting, now, &ours);
            }
            taken.push(waiting);
        }
        // Lanes that have more than fitted are busy all the same.
        for key in &ours {
            let front = self.lanes.get(key).and_then(|lane| lane.waiting.first());
            if let Some(waiting) = front.and_then(|place| self.items.get(place)) {
                self.fronts.remove(&(waiting.due, waiting.place));
            }
        }
        taken
    }

    /// Those behind one that was just taken may go with it.
    fn follow(&mut self, taken: &Waiting, now: Timestamp, ours: &BTreeSet<LaneKey>) {
        for key in &*taken.lanes {
            let next = self.lanes.get(key).and_then(|lane| lane.waiting.first()).copied();
            let Some(next) = next.and_then(|place| self.items.get(&place)) else {
                continue;
            };
            let may_go = |key: &LaneKey| {
                let lane = self.lanes.get(key);
                lane.is_some_and(|lane| {
                    lane.waiting.first() == Some(&next.place)
                        && (!lane.is_busy || ours.contains(key))
                })
            };
            if next.due <= now && next.lanes.iter().all(may_go) {
                self.fronts.insert((next.due, next.place));
            }
        }
    }

    /// Lets the lanes of a group go on. Those of the group that have to go `again` come first in
    /// their lanes, in their order; the others stay held until they are [`forget`](Self::forget)ed.
    pub(super) fn release(&mut self, lanes: &BTreeSet<LaneKey>, again: Vec<Waiting>) {
        for key in lanes {
            if let Some(lane) = self.lanes.get_mut(key) {
                lane.is_busy = false;
            }
        }
        for waiting in again {
            // It has its old place, which is before all that came after it.
            self.insert(waiting);
        }
        for key in lanes {
            match self.lanes.get(key).map(|lane| lane.waiting.first().copied()) {
                Some(Some(front)) => self.put_in_front(front, |lane| !lane.is_busy),
                Some(None) => {
                    self.lanes.remove(key);
                }
                None => {}
            }
        }
    }

    /// Lets go of everything behind a parked delivery in any of its lanes, and of what is behind that
    /// in the others. Answers the lanes in which nothing may go behind a place.
    pub(super) fn cut_behind(&mut self, parked: &Waiting) -> BTreeMap<LaneKey, JournalPlace> {
        let mut closed: BTreeMap<LaneKey, JournalPlace> = BTreeMap::new();
        let lanes_of = |waiting: &Waiting| -> Vec<(LaneKey, u64, JournalPlace)> {
            let of = |key: &LaneKey| (Arc::clone(key), waiting.place, waiting.order);
            waiting.lanes.iter().map(of).collect()
        };
        let mut open = lanes_of(parked);
        while let Some((key, place, order)) = open.pop() {
            let behind: Vec<u64> = match self.lanes.get(&key) {
                Some(lane) => lane.waiting.range(place.saturating_add(1)..).copied().collect(),
                None => Vec::new(),
            };
            for place in behind {
                let Some(waiting) = self.items.remove(&place) else {
                    continue;
                };
                self.fronts.remove(&(waiting.due, place));
                self.held.remove(&waiting.delivery);
                for key in &*waiting.lanes {
                    self.leave(key, place);
                }
                open.extend(lanes_of(&waiting));
            }
            closed.entry(key).and_modify(|it| *it = order.min(*it)).or_insert(order);
        }
        closed
    }

    fn leave(&mut self, key: &LaneKey, place: u64) {
        let Some(lane) = self.lanes.get_mut(key) else {
            return;
        };
        lane.waiting.remove(&place);
        if lane.waiting.is_empty() && !lane.is_busy {
            self.lanes.remove(key);
        }
    }

    /// Makes room: the outcome of this one is in the journal.
    pub(super) fn forget(&mut self, delivery: DeliveryId) {
        self.held.remove(&delivery);
    }

    /// Whether this one is held.
    pub(super) fn holds(&self, delivery: DeliveryId) -> bool {
        self.held.contains(&delivery)
    }

    /// How many are held, on their way or not.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// How many wait in a lane.
    pub(super) fn waiting_in(&self, key: &LaneKey) -> usize {
        self.lanes.get(key).map_or(0, |lane| lane.waiting.len())
    }

    /// Makes all that is held due now.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        for waiting in self.items.values_mut() {
            waiting.due = waiting.due.min(now);
        }
        let fronts = std::mem::take(&mut self.fronts);
        self.fronts = fronts.into_iter().map(|(due, place)| (due.min(now), place)).collect();
    }

    /// When the earliest front may go.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.fronts.first().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests;
