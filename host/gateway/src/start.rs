//! Makes a checked site run, and stops it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hilum_audit::{NonEmpty, Record, What};
use hilum_destinations::Courier;
use hilum_env::Doors;
use hilum_listeners::ByteBudget;
use hilum_listeners::mllp::MllpListener;
use hilum_pipeline::{Backlog, Current, Intake, IntakeOptions, Worker, WorkerOptions};
use hilum_store::{OpenError, Options, Store, StoreError};
use hilum_words::{Actor, Digest, Name, Timestamp};
use prometheus_client::registry::Registry;
use tracing::{error, info, warn};

use crate::dispatch::Dispatch;
use crate::files::BlobFiles;
use crate::{Checked, site};

/// Runs that may wait for a worker before intake answers "busy".
const BACKLOG_MAX: usize = 1_000_000;
/// Bytes of bodies that wait in memory for a worker; others are read back from the journal.
const BACKLOG_BYTES_MAX: usize = 64 << 20;
/// How often a run may be started before it is parked.
const STARTS_MAX: u32 = 3;
/// Decisions of one worker that may wait for the disk.
const COMMITS_IN_FLIGHT_MAX: usize = 64;
/// The operator's socket in the data folder.
const SOCKET: &str = "control.sock";

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal was not opened.
    #[error("the journal was not opened")]
    Open(#[source] OpenError),
    /// The journal did not take the generation.
    #[error("the generation was not stored")]
    Store(#[source] StoreError),
    /// A listener was not bound.
    #[error("listener {name} cannot listen at {bind}; is something else there?")]
    Listen {
        /// The listener.
        name: Name,
        /// The address of the configuration.
        bind: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A gateway at work.
pub struct Gateway {
    pub(crate) checked: Checked,
    pub(crate) store: Store,
    pub(crate) current: Arc<Current>,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) listeners: Vec<MllpListener>,
    pub(crate) doors: Doors,
    pub(crate) registry: Registry,
    pub(crate) started: Timestamp,
    pub(crate) is_stopping: Mutex<bool>,
}

impl Gateway {
    /// Opens the journal, finishes what an earlier life left, and listens.
    pub async fn start(checked: Checked, doors: Doors) -> Result<Self, StartError> {
        let backlog = Arc::new(Backlog::new(BACKLOG_BYTES_MAX));
        let dispatch = Dispatch::new(Arc::clone(&backlog));
        let store = open_store(&checked, &doors, &dispatch).await.map_err(StartError::Open)?;
        let started = Timestamp::from_micros(doors.clock.now_micros());
        keep_generation(&checked, &store).map_err(StartError::Store)?;
        let record = Record::new(started, What::StartedGateway, Actor::system("gateway"))
            .generation(checked.generation.digest)
            .text("name", checked.site.name.as_str())
            .text("version", env!("CARGO_PKG_VERSION"));
        store.note(NonEmpty::of(record)).await.map_err(StartError::Store)?;

        let current = Arc::new(Current::new(Arc::clone(&checked.generation)));
        load_older(&checked, &store, &current);
        let mut registry = Registry::with_prefix("hilum");
        let metrics = Metrics::register(&mut registry);
        start_couriers(&checked, &store, &doors, &dispatch, &metrics);
        start_workers(&store, &doors, &backlog, &current, &metrics);
        let listeners =
            start_listeners(&checked, &store, &doors, &backlog, &current, &metrics).await?;
        info!(
            name = %checked.site.name,
            generation = %checked.generation.digest.short(),
            "gateway started"
        );
        Ok(Self {
            checked,
            store,
            current,
            dispatch,
            listeners,
            doors,
            registry,
            started,
            is_stopping: Mutex::new(false),
        })
    }

    /// The journal.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where the operator's socket belongs.
    pub fn socket_path(&self) -> PathBuf {
        self.checked.data.join(SOCKET)
    }

    /// Where health and metrics are to be served.
    pub fn admin_bind(&self) -> Option<&str> {
        self.checked.site.admin.as_deref()
    }

    /// Stops accepting, lets what is under way come to its end, and closes the journal. What did
    /// not come to its end in time goes on after the next start.
    pub async fn stop(&self, longest: Duration) {
        *self.is_stopping.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let clock = &self.doors.clock;
        let deadline = clock.instant().plus(longest);
        for listener in &self.listeners {
            listener.stop();
        }
        // Connections that are inside a message end it; then the workers finish what waits.
        while self.is_busy() && clock.instant() < deadline {
            clock.sleep_until(clock.instant().plus(Duration::from_millis(20))).await;
        }
        for courier in self.dispatch.couriers() {
            courier.stop(deadline.since(clock.instant())).await;
        }
        self.dispatch.backlog.stop();
        let at = Timestamp::from_micros(clock.now_micros());
        let record = Record::new(at, What::StoppedGateway, Actor::system("gateway"))
            .generation(self.checked.generation.digest);
        if let Err(fault) = self.store.note(NonEmpty::of(record)).await {
            warn!(%fault, "the stop was not noted");
        }
        if let Err(fault) = self.store.stop().await {
            warn!(%fault, "the journal was not closed cleanly");
        }
    }

    fn is_busy(&self) -> bool {
        let connections: usize = self.listeners.iter().map(MllpListener::connections).sum();
        let in_flight: usize =
            self.dispatch.couriers().map(|courier| courier.status().in_flight).sum();
        0 < connections + self.dispatch.backlog.len() + in_flight
    }
}

async fn open_store(
    checked: &Checked,
    doors: &Doors,
    dispatch: &Arc<Dispatch>,
) -> Result<Store, OpenError> {
    let options = Options::new(&checked.data);
    let watcher = Arc::clone(dispatch);
    let opened: Arc<Mutex<Option<Result<_, OpenError>>>> = Arc::default();
    let (work_doors, result) = (doors.clone(), Arc::clone(&opened));
    // Recovery reads the whole journal: off the async threads.
    let work = move || {
        let watcher = Box::new(move |happened| watcher.happened(happened));
        let done = hilum_store::open(&work_doors, options, watcher);
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    };
    doors.tasks.blocking("journal/open", Box::new(work)).await;
    let done = opened.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (store, committer) = done.unwrap_or_else(|| unreachable!("opening has ended"))?;
    let bell = doors.tasks.drive("committer", Box::new(committer));
    store.attach(bell);
    Ok(store)
}

/// Keeps the files of the generation, so that its runs can be finished and repeated after the
/// site's folder has changed.
fn keep_generation(checked: &Checked, store: &Store) -> Result<(), StoreError> {
    for content in checked.files.values() {
        store.put_blob(content)?;
    }
    store.put_blob(checked.inventory.to_text().as_bytes())?;
    Ok(())
}

/// Loads the generations that undecided runs are pinned to. One that does not load parks its runs.
fn load_older(checked: &Checked, store: &Store, current: &Current) {
    let undecided = store.undecided().into_iter().filter_map(|run| store.run(run));
    let wanted: BTreeSet<Digest> = undecided.map(|run| run.generation).collect();
    for digest in wanted {
        if current.find(digest).is_some() {
            continue;
        }
        let read = BlobFiles::open(store, digest).and_then(|files| {
            let root = files.root()?;
            site::read(&files, &root, &checked.folder, &checked.sandbox).ok()
        });
        match read {
            Some((_, parts)) => {
                info!(generation = %digest.short(), "an older generation finishes its runs");
                current.keep(Arc::new(parts.named(digest)));
            }
            None => {
                error!(generation = %digest.short(), "an older generation does not load; its runs are parked")
            }
        }
    }
}

/// What the parts of a gateway count.
#[derive(Clone, Default)]
struct Metrics {
    pipeline: hilum_pipeline::Metrics,
    listeners: hilum_listeners::Metrics,
    destinations: hilum_destinations::Metrics,
}

impl Metrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        metrics.pipeline.register(registry);
        metrics.listeners.register(registry);
        metrics.destinations.register(registry);
        metrics
    }
}

fn start_couriers(
    checked: &Checked,
    store: &Store,
    doors: &Doors,
    dispatch: &Arc<Dispatch>,
    metrics: &Metrics,
) {
    let start = |destination: &site::DestinationSite| {
        let way = hilum_destinations::build(&destination.name, &destination.config, doors);
        let courier = Courier::start(
            &destination.name,
            &destination.config,
            way,
            store.clone(),
            doors,
            metrics.destinations.clone(),
        );
        (destination.name.clone(), courier)
    };
    let couriers: BTreeMap<_, _> = checked.site.destinations.iter().map(start).collect();
    // What waits for a destination that is no longer configured waits for a person.
    for name in store.queued_destinations().iter().filter(|it| !couriers.contains_key(*it)) {
        store.queued(name).into_iter().for_each(|ready| dispatch.orphans.offer(ready));
    }
    // Set once: there is one start.
    let _ = dispatch.couriers.set(couriers);
    let (dispatch, store, clock) = (Arc::clone(dispatch), store.clone(), Arc::clone(&doors.clock));
    let park = async move { dispatch.orphans.park(&store, clock.as_ref()).await };
    doors.tasks.spawn("orphans", Box::pin(park));
}

fn start_workers(
    store: &Store,
    doors: &Doors,
    backlog: &Arc<Backlog>,
    current: &Arc<Current>,
    metrics: &Metrics,
) {
    // What an earlier life left comes first, in its order.
    for run in store.undecided() {
        if let Some(record) = store.run(run) {
            backlog.push(run, &record.lanes, None);
        }
    }
    for number in 0..doors.tasks.cores() {
        let worker = Worker {
            store: store.clone(),
            backlog: Arc::clone(backlog),
            current: Arc::clone(current),
            clock: Arc::clone(&doors.clock),
            entropy: Arc::clone(&doors.entropy),
            metrics: metrics.pipeline.clone(),
            options: WorkerOptions {
                starts_max: STARTS_MAX,
                commits_in_flight_max: COMMITS_IN_FLIGHT_MAX,
            },
            in_flight: VecDeque::new(),
        };
        let bell = doors.tasks.drive(&format!("worker-{number}"), Box::new(worker));
        backlog.wake_with(bell);
    }
}

async fn start_listeners(
    checked: &Checked,
    store: &Store,
    doors: &Doors,
    backlog: &Arc<Backlog>,
    current: &Arc<Current>,
    metrics: &Metrics,
) -> Result<Vec<MllpListener>, StartError> {
    let budget = ByteBudget::new(checked.site.bytes_in_flight_max);
    let mut started = Vec::new();
    for plan in &checked.site.listeners {
        let options = IntakeOptions {
            listener: plan.name.clone(),
            unrouted: plan.unrouted,
            on_reused: plan.on_reused,
            backlog_max: BACKLOG_MAX,
        };
        let intake = Intake::new(
            options,
            store.clone(),
            Arc::clone(current),
            Arc::clone(backlog),
            Arc::clone(&doors.clock),
            Arc::clone(&doors.entropy),
            metrics.pipeline.clone(),
        );
        let listener = MllpListener::start(
            plan.name.clone(),
            plan.config.clone(),
            Arc::new(intake),
            doors,
            budget.clone(),
            metrics.listeners.clone(),
        );
        started.push(listener.await.map_err(|source| StartError::Listen {
            name: plan.name.clone(),
            bind: plan.config.bind.clone(),
            source,
        })?);
    }
    Ok(started)
}
