//! Tells workers and couriers what the journal has for them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use hilum_destinations::Courier;
use hilum_pipeline::Backlog;
use hilum_store::Happened;
use hilum_words::Name;

use crate::orphans::Orphans;

/// Who is told. The couriers come after the journal is open, which tells nobody anything before.
pub(crate) struct Dispatch {
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) couriers: OnceLock<BTreeMap<Name, Courier>>,
    pub(crate) orphans: Orphans,
}

impl Dispatch {
    pub(crate) fn new(backlog: Arc<Backlog>) -> Arc<Self> {
        Arc::new(Self { backlog, couriers: OnceLock::new(), orphans: Orphans::default() })
    }

    /// Called on the committer, after the sync, in the journal's order. Must not block.
    pub(crate) fn happened(&self, happened: Happened) {
        match happened {
            Happened::Run(ready) => self.backlog.push(ready.run, &ready.lanes, ready.body),
            Happened::Queued(ready) => match self.courier(&ready.destination) {
                Some(courier) => courier.offer(ready),
                None => self.orphans.offer(ready),
            },
            Happened::Unparked { destination, .. } => {
                if let Some(courier) = self.courier(&destination) {
                    courier.unparked();
                }
            }
            Happened::Decided { .. } | Happened::Settled(_) => {}
        }
    }

    pub(crate) fn courier(&self, destination: &str) -> Option<&Courier> {
        self.couriers.get()?.get(destination)
    }

    pub(crate) fn couriers(&self) -> impl Iterator<Item = &Courier> {
        self.couriers.get().into_iter().flat_map(BTreeMap::values)
    }
}
