//! Tells workers and couriers what the journal has for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hilum_destinations::{Courier, CourierStatus, Destination};
use hilum_pipeline::{Backlog, Waiters};
use hilum_store::Happened;
use hilum_words::Name;

use crate::orphans::Orphans;

/// Runs whose decision a sender may wait for at once.
const AWAITED_MAX: usize = 65_536;

/// Who is told. Couriers come and go while the gateway runs.
pub(crate) struct Dispatch {
    pub(crate) backlog: Arc<Backlog>,
    /// Who waits for the decision about which run.
    pub(crate) waiters: Arc<Waiters>,
    desks: Mutex<BTreeMap<Name, Desk>>,
    pub(crate) orphans: Orphans,
}

/// Who takes what is queued for a destination.
enum Desk {
    /// Its courier, and the destination itself.
    Courier(Courier, Way),
    /// Nobody for the moment: one courier ends and the next one begins. What is queued meanwhile is
    /// in the journal, where the next one looks first. What the one before said last is kept for
    /// who looks.
    Between(Option<CourierStatus>),
}

/// A destination, as far as acknowledgements go that come to a listener.
pub(crate) struct Way {
    pub(crate) destination: Arc<dyn Destination>,
    /// The listener that they come to.
    pub(crate) ack_listener: Option<Name>,
}

impl Dispatch {
    pub(crate) fn new(backlog: Arc<Backlog>) -> Arc<Self> {
        let waiters = Arc::new(Waiters::new(AWAITED_MAX));
        let (desks, orphans) = (Mutex::default(), Orphans::default());
        Arc::new(Self { backlog, waiters, desks, orphans })
    }

    /// Called on the committer, after the sync, in the journal's order. Must not block.
    pub(crate) fn happened(&self, happened: Happened) {
        match happened {
            Happened::Run(ready) => {
                self.backlog.push(&ready.route, ready.run, &ready.lanes, ready.body);
            }
            Happened::Queued(ready) => match self.desks().get(&ready.destination) {
                Some(Desk::Courier(courier, _)) => courier.offer(ready),
                Some(Desk::Between(_)) => {}
                None => self.orphans.offer(ready.destination),
            },
            Happened::Unparked { destination, .. } => {
                if let Some(courier) = self.courier(&destination) {
                    courier.unparked();
                }
            }
            Happened::Decided { run, state } => self.waiters.decided(run, &state),
            Happened::Settled(_) => {}
        }
    }

    /// Puts a courier in its place. It is started while the list is held, so that whatever is queued
    /// after it has looked into the journal is offered to it.
    pub(crate) fn open(&self, name: &Name, way: Way, start: impl FnOnce() -> Courier) {
        let mut desks = self.desks();
        let courier = start();
        desks.insert(name.clone(), Desk::Courier(courier, way));
    }

    /// Hands an acknowledgement that came to `listener` to the one destination that waits for it.
    pub(crate) fn answered(&self, listener: &Name, acknowledgement: &Bytes) -> bool {
        let waits = |desk: &Desk| match desk {
            Desk::Courier(_, way) if way.ack_listener.as_ref() == Some(listener) => {
                Some(Arc::clone(&way.destination))
            }
            _ => None,
        };
        let ways: Vec<_> = self.desks().values().filter_map(waits).collect();
        hilum_destinations::answer_one(&ways, acknowledgement)
    }

    /// Takes a courier from its place, which the next one is to fill.
    pub(crate) fn vacate(&self, name: &Name) -> Option<Courier> {
        let mut desks = self.desks();
        let (courier, last) = match desks.remove(name) {
            Some(Desk::Courier(courier, _)) => {
                let last = courier.status();
                (Some(courier), Some(last))
            }
            Some(Desk::Between(last)) => (None, last),
            None => (None, None),
        };
        desks.insert(name.clone(), Desk::Between(last));
        courier
    }

    /// Gives up a place: its destination is no longer configured, and its courier has ended.
    pub(crate) fn close(&self, name: &Name) {
        self.desks().remove(name);
    }

    /// Whether somebody takes, or will take, what is queued for this destination.
    pub(crate) fn is_served(&self, destination: &str) -> bool {
        self.desks().contains_key(destination)
    }

    /// The courier of this destination.
    pub(crate) fn courier(&self, destination: &str) -> Option<Courier> {
        match self.desks().get(destination) {
            Some(Desk::Courier(courier, _)) => Some(courier.clone()),
            Some(Desk::Between(_)) | None => None,
        }
    }

    /// All couriers, by name.
    pub(crate) fn couriers(&self) -> Vec<Courier> {
        let couriers = self.desks();
        let here = couriers.values().filter_map(|desk| match desk {
            Desk::Courier(courier, _) => Some(courier.clone()),
            Desk::Between(_) => None,
        });
        here.collect()
    }

    /// What each courier says of itself, and whether it is there: not while it is being replaced.
    pub(crate) fn statuses(&self) -> Vec<(CourierStatus, bool)> {
        let desks = self.desks();
        let status = |desk: &Desk| match desk {
            Desk::Courier(courier, _) => Some((courier.status(), true)),
            Desk::Between(last) => last.clone().map(|it| (it, false)),
        };
        desks.values().filter_map(status).collect()
    }

    fn desks(&self) -> MutexGuard<'_, BTreeMap<Name, Desk>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
