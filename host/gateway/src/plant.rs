//! What listeners, couriers and workers are made with: it stays while they come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hilum_destinations::Courier;
use hilum_env::Doors;
use hilum_listeners::ByteBudget;
use hilum_pipeline::Current;
use hilum_store::Store;
use hilum_words::{Digest, Name};
use tracing::info;

use crate::dispatch::{Dispatch, Way};
use crate::materials::Fetched;
use crate::metrics::Metrics;
use crate::site::DestinationSite;

/// How long the deliveries may take that are on their way when their courier is replaced. What has
/// no outcome by then goes again under the same id.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// The parts that no configuration changes.
#[derive(Clone)]
pub(crate) struct Plant {
    pub(crate) store: Store,
    pub(crate) doors: Doors,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) current: Arc<Current>,
    pub(crate) metrics: Metrics,
    pub(crate) budget: ByteBudget,
}

impl Plant {
    /// Starts the courier of a destination, and puts it in its place.
    pub(crate) fn open_courier(&self, destination: &DestinationSite, fetched: &Fetched) {
        let DestinationSite { name, config } = destination;
        let it = hilum_destinations::build(name, config, &fetched.secrets, &self.doors);
        let ack_listener = config.ack_listener().map(|it| it.value.clone());
        let way = Way { destination: Arc::clone(&it), ack_listener };
        self.dispatch.open(name, way, || {
            let metrics = self.metrics.destinations.clone();
            // One that a person has paused begins paused.
            Courier::start(name, config, it, self.store.clone(), &self.doors, metrics)
        });
    }

    /// Ends the courier of a destination, if there is one, and keeps its place for the next. What is
    /// queued meanwhile waits in the journal.
    pub(crate) async fn stop_courier(&self, name: &Name) {
        if let Some(before) = self.dispatch.vacate(name) {
            before.stop(DRAIN_MAX).await;
            info!(destination = %name, "its courier has ended");
        }
    }

    /// Gives up the place of a destination that is no longer configured. What is left for it is
    /// parked.
    pub(crate) fn give_up(&self, name: &Name) {
        self.dispatch.close(name);
        self.metrics.destinations.forget(name);
        self.dispatch.orphans.offer(name.clone());
    }

    /// Queues again, in the background, what was parked while these destinations were not
    /// configured: it may be much.
    pub(crate) fn welcome(&self, names: Vec<Name>) {
        let plant = self.clone();
        let work = async move {
            let Self { store, doors, dispatch, .. } = &plant;
            dispatch.orphans.welcome(&names, store, doors.clock.as_ref()).await;
        };
        self.doors.tasks.spawn("orphans/welcome", Box::pin(work));
    }

    /// The generations that a run still needs: those of undecided and of held ones.
    pub(crate) fn pinned(&self) -> BTreeSet<Digest> {
        let undecided = self.store.undecided();
        let held = self.store.parked().into_iter().filter(|it| it.held.is_some());
        let runs = undecided.into_iter().chain(held.map(|it| it.run));
        runs.filter_map(|run| self.store.run(run)).map(|run| run.generation).collect()
    }
}

/// Destinations by their name.
pub(crate) type ByName<'a> = BTreeMap<&'a Name, &'a DestinationSite>;

/// The destinations of a site by name.
pub(crate) fn by_name(all: &[DestinationSite]) -> ByName<'_> {
    all.iter().map(|it| (&it.name, it)).collect()
}
