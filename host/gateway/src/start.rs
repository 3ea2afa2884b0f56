//! Makes a checked site run, and stops it.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hilum_audit::{NonEmpty, Record, What};
use hilum_env::{Acceptor, Address, Doors};
use hilum_listeners::ByteBudget;
use hilum_pipeline::{Backlog, Current, Worker, WorkerOptions};
use hilum_store::{MemoryTable, OpenError, Options, Store, StoreError, Table, TableFault, Tree};
use hilum_words::{Actor, Name, Timestamp};
use prometheus_client::registry::Registry;
use tracing::{error, info, warn};

use crate::Checked;
use crate::apply::{Why, generation_record};
use crate::dispatch::Dispatch;
use crate::gate::Gate;
use crate::listeners::{Listeners, Open};
use crate::metrics::Metrics;
use crate::plant::Plant;
use crate::running::{Home, Running};
use crate::site::Site;

/// Bytes of bodies that wait in memory for a worker; others are read back from the journal.
const BACKLOG_BYTES_MAX: usize = 64 << 20;
/// How often a run may be started before it is parked.
const STARTS_MAX: u32 = 3;
/// Decisions of one worker that may wait for the disk.
const COMMITS_IN_FLIGHT_MAX: usize = 64;
/// How often older generations are unloaded that no run is pinned to.
const UNLOAD_EVERY: Duration = Duration::from_secs(5);
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
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The address of health and metrics was not bound.
    #[error(
        "admin.bind {bind} cannot be bound; is something else there? End that, or give [admin] bind \
         another port"
    )]
    Admin {
        /// The address of the configuration.
        bind: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Why a listener was not bound.
#[derive(Debug, thiserror::Error)]
#[error("listener {name} cannot listen at {bind}; is something else there?")]
pub struct ListenError {
    /// The listener.
    pub name: Name,
    /// The address of the configuration.
    pub bind: String,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// A gateway at work.
pub struct Gateway {
    pub(crate) plant: Plant,
    pub(crate) home: Home,
    pub(crate) running: Mutex<Arc<Running>>,
    pub(crate) listeners: Listeners,
    /// Where health and metrics are asked for, until somebody serves them.
    pub(crate) health: Mutex<Option<Box<dyn Acceptor>>>,
    pub(crate) registry: Registry,
    pub(crate) started: Timestamp,
    pub(crate) is_stopping: Mutex<bool>,
    /// Held while the configuration is being changed: one change at a time.
    pub(crate) changing: Arc<tokio::sync::Mutex<()>>,
}

/// Where the catalogue lies, which can be made again from the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CataloguePlace {
    /// In the data folder. Its files do not go through the doors, so the disk has to be a real one.
    DataFolder,
    /// In memory: for a gateway on a disk that is not real.
    Memory,
}

impl Gateway {
    /// Opens the journal, finishes what an earlier life left, and listens.
    pub async fn start(checked: Checked, doors: Doors) -> Result<Self, StartError> {
        Self::start_with(checked, doors, CataloguePlace::DataFolder).await
    }

    /// The same with the catalogue in a place of one's own choice.
    pub async fn start_with(
        checked: Checked,
        doors: Doors,
        catalogue: CataloguePlace,
    ) -> Result<Self, StartError> {
        let cores = doors.tasks.cores();
        let backlog = Arc::new(Backlog::new(BACKLOG_BYTES_MAX).with_together_max(cores));
        let dispatch = Dispatch::new(backlog);
        let store =
            open_store(&checked, &doors, &dispatch, catalogue).await.map_err(StartError::Open)?;
        let started = Timestamp::from_micros(doors.clock.now_micros());
        keep_files(&checked, &store).map_err(StartError::Store)?;
        let record = Record::new(started, What::StartedGateway, Actor::system("gateway"))
            .generation(checked.generation.digest)
            .text("name", checked.site.name.as_str())
            .text("version", env!("CARGO_PKG_VERSION"));
        store.note(NonEmpty::of(record)).await.map_err(StartError::Store)?;
        remember_first(&checked, &store, started).await.map_err(StartError::Store)?;

        let mut registry = Registry::with_prefix("hilum");
        let plant = Plant {
            current: Arc::new(Current::new(Arc::clone(&checked.generation))),
            metrics: Metrics::register(&mut registry),
            budget: ByteBudget::new(checked.site.bytes_in_flight_max),
            store,
            doors,
            dispatch,
        };
        let (home, running) = checked.settle(started);
        load_older(&home, &plant);
        start_couriers(&running, &plant);
        start_workers(&plant);
        let health = bind_health(&running.site, &plant.doors).await?;
        // All are bound before one accepts: where an address is taken nothing was promised to anybody.
        let (listeners, gate) = (Listeners::default(), Gate::new());
        let gated = gate.before(&plant.doors);
        let mut bound = Vec::new();
        let materials = &running.materials.listeners;
        for plan in &running.site.listeners {
            let own = materials.get(&plan.name).cloned().unwrap_or_default();
            bound.push(Open::start(plan, &own, &plant, &gated).await?);
        }
        listeners.become_of(&running.site.listeners, materials, bound);
        gate.open();
        plant.metrics.loaded(started);
        info!(
            name = %running.site.name,
            generation = %running.generation.digest.short(),
            "gateway started"
        );
        Ok(Self {
            plant,
            home,
            running: Mutex::new(Arc::new(running)),
            listeners,
            health: Mutex::new(health),
            registry,
            started,
            is_stopping: Mutex::new(false),
            changing: Arc::default(),
        })
    }

    /// The journal.
    pub fn store(&self) -> &Store {
        &self.plant.store
    }

    /// Where the operator's socket belongs.
    pub fn socket_path(&self) -> PathBuf {
        self.home.data.join(SOCKET)
    }

    /// Where health and metrics are to be served: bound, and nobody accepts there yet. Whoever asks
    /// first has it.
    pub fn take_health(&self) -> Option<Box<dyn Acceptor>> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What runs now.
    pub(crate) fn running(&self) -> Arc<Running> {
        Arc::clone(&self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.plant.doors.clock.now_micros())
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.is_stopping.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops accepting, lets what is under way come to its end, and closes the journal. What did
    /// not come to its end in time goes on after the next start.
    pub async fn stop(&self, longest: Duration) {
        *self.is_stopping.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let Plant { store, doors, dispatch, .. } = &self.plant;
        let clock = &doors.clock;
        let deadline = clock.instant().plus(longest);
        self.listeners.stop();
        // A change that is under way comes to its end, or couriers would come back; none begins.
        let _changing = tokio::select! {
            biased;
            changing = self.changing.lock() => Some(changing),
            () = clock.sleep_until(deadline) => None,
        };
        self.listeners.stop();
        // Connections that are inside a message end it; then the workers finish what waits.
        while self.is_busy() && clock.instant() < deadline {
            clock.sleep_until(clock.instant().plus(Duration::from_millis(20))).await;
        }
        for courier in dispatch.couriers() {
            courier.stop(deadline.since(clock.instant())).await;
        }
        dispatch.backlog.stop();
        let record = Record::new(self.now(), What::StoppedGateway, Actor::system("gateway"))
            .generation(self.plant.current.current().digest);
        if let Err(fault) = store.note(NonEmpty::of(record)).await {
            warn!(%fault, "the stop was not noted");
        }
        if let Err(fault) = store.stop().await {
            warn!(%fault, "the journal was not closed cleanly");
        }
    }

    fn is_busy(&self) -> bool {
        let dispatch = &self.plant.dispatch;
        let in_flight: usize = dispatch.couriers().iter().map(|it| it.status().in_flight).sum();
        0 < self.listeners.connections() + dispatch.backlog.len() + in_flight
    }
}

/// Binds `[admin] bind` with the listeners: where it is taken nothing says that it has started.
async fn bind_health(site: &Site, doors: &Doors) -> Result<Option<Box<dyn Acceptor>>, StartError> {
    let Some(bind) = site.admin.clone() else { return Ok(None) };
    match doors.net.listen(&Address::Tcp(bind.clone())).await {
        Ok(acceptor) => Ok(Some(acceptor)),
        Err(source) => Err(StartError::Admin { bind, source }),
    }
}

async fn open_store(
    checked: &Checked,
    doors: &Doors,
    dispatch: &Arc<Dispatch>,
    catalogue: CataloguePlace,
) -> Result<Store, OpenError> {
    let options = Options::new(&checked.data);
    let watcher = Arc::clone(dispatch);
    let opened: Arc<Mutex<Option<Result<_, OpenError>>>> = Arc::default();
    let (work_doors, result) = (doors.clone(), Arc::clone(&opened));
    // Recovery reads the whole journal: off the async threads.
    let work = move || {
        let watcher = Box::new(move |happened| watcher.happened(happened));
        let tree = |path: &Path| -> Result<Box<dyn Table>, TableFault> {
            Ok(match catalogue {
                CataloguePlace::DataFolder => Box::new(Tree::open(path)?),
                CataloguePlace::Memory => Box::<MemoryTable>::default(),
            })
        };
        let done = hilum_store::open_with(&work_doors, options, &tree, watcher);
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    };
    doors.tasks.blocking("journal/open", Box::new(work)).await;
    let done = opened.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (store, committer) = done.unwrap_or_else(|| unreachable!("opening has ended"))?;
    let bell = doors.tasks.drive("committer", Box::new(committer));
    store.attach(bell);
    Ok(store)
}

/// Keeps the files of a generation, so that its runs can be finished and repeated after the site's
/// folder has changed. Blocks.
pub(crate) fn keep_files(checked: &Checked, store: &Store) -> Result<(), StoreError> {
    for content in checked.files.values() {
        store.put_blob(content)?;
    }
    store.put_blob(checked.inventory.to_text().as_bytes())?;
    Ok(())
}

/// Has the journal know the generation that the gateway starts with, unless it ran last.
async fn remember_first(checked: &Checked, store: &Store, at: Timestamp) -> Result<(), StoreError> {
    let digest = checked.generation.digest;
    let last = store.generations(1).first().map(|it| it.digest);
    if last == Some(digest) {
        return Ok(());
    }
    let summary = match last {
        None => "the first one".to_owned(),
        Some(_) => "found in the folder at a start".to_owned(),
    };
    let actor = Actor::system("gateway");
    let why = Why { actor, reason: None, is_rollback: false };
    let (record, evidence) = generation_record(&checked.generation, last, at, why, summary);
    store.apply_generation(record, NonEmpty::of(evidence)).await.map(drop)
}

/// Loads the generations that runs are pinned to. One that does not load parks its undecided runs.
fn load_older(home: &Home, plant: &Plant) {
    for digest in plant.pinned() {
        if plant.current.find(digest).is_some() {
            continue;
        }
        match home.load(digest, &plant.store) {
            Ok(generation) => {
                info!(generation = %digest.short(), "an older generation finishes its runs");
                plant.current.keep(generation);
            }
            Err(why) => {
                error!(generation = %digest.short(), why, "an older generation does not load; its runs are parked")
            }
        }
    }
}

fn start_couriers(running: &Running, plant: &Plant) {
    let destinations = &running.site.destinations;
    for destination in destinations {
        plant.open_courier(destination, &running.fetched(&destination.name));
    }
    // What waits for a destination that is no longer configured waits for a person.
    for name in plant.store.queued_destinations() {
        if !plant.dispatch.is_served(&name) {
            plant.dispatch.orphans.offer(name);
        }
    }
    plant.welcome(destinations.iter().map(|it| it.name.clone()).collect());
    let orphans = plant.clone();
    let park = async move {
        let Plant { store, doors, dispatch, .. } = &orphans;
        dispatch.orphans.park(dispatch, store, doors.clock.as_ref()).await;
    };
    plant.doors.tasks.spawn("orphans", Box::pin(park));
    let unloading = plant.clone();
    plant.doors.tasks.spawn("generations", Box::pin(async move { unload(&unloading).await }));
}

/// Unloads older generations once nothing is pinned to them, for ever.
async fn unload(plant: &Plant) {
    let clock = &plant.doors.clock;
    loop {
        clock.sleep_until(clock.instant().plus(UNLOAD_EVERY)).await;
        if plant.current.older() == 0 {
            continue;
        }
        let pinned = plant.pinned();
        let unloaded = plant.current.forget_unused(|digest| pinned.contains(&digest));
        if 0 < unloaded {
            info!(generations = unloaded, "unloaded: no run is pinned to them any more");
        }
    }
}

fn start_workers(plant: &Plant) {
    let Plant { store, doors, dispatch, current, metrics, .. } = plant;
    let backlog = &dispatch.backlog;
    // What an earlier life left comes first, in its order.
    for run in store.undecided() {
        if let Some(record) = store.run(run) {
            backlog.push(&record.route, run, &record.lanes, None);
        }
    }
    // As many as one route may have, and as many for the others: the system shares the cores among
    // them, so that a plugin that uses all the time it may takes its share and no more.
    for number in 0..2 * doors.tasks.cores() {
        let worker = Worker {
            store: store.clone(),
            backlog: Arc::clone(backlog),
            current: Arc::clone(current),
            waiters: Arc::clone(&dispatch.waiters),
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
