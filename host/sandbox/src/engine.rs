//! The engine: compiled once per plugin, instantiated once per call.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hilum_contract::World;
use hilum_contract::outputs::Output;
use hilum_contract::router::RouterPre;
use hilum_contract::transformer::TransformerPre;
use hilum_contract::types::Refusal;
use hilum_contract::validator::ValidatorPre;
use hilum_contract::validator::exports::hilum::plugin::check::Verdict;
use hilum_env::{Children, Clock, Doors};
use hilum_words::{Digest, Name};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentNamedList, InstancePre, Lift, Linker};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OperatorCost, PoolingAllocationConfig, Strategy,
};

use crate::capability::{self, log::plain};
use crate::guest::{CORE_INSTANCES_MAX, Guest, MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX};
use crate::trial;
use crate::watch::Watch;
use crate::{Budget, CompileLimits, EngineLimits, Excess, Manifest, Misfit, Native, Package};

/// The engine could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine could not be made: {0}")]
pub struct SandboxError(String);

/// Why a plugin was not loaded. Written for the developer who made it.
#[derive(Debug, thiserror::Error)]
pub enum LoadProblem {
    /// It does not fit the contract.
    #[error("the plugin does not fit the contract:{}", list(.0))]
    Misfits(Vec<Misfit>),
    /// A function or type of the contract is declared otherwise.
    #[error(
        "the plugin was built against another text of the contract ({0}); build it against wit/"
    )]
    Declared(String),
    /// The compiler does not take it, or it is too large for the pool.
    #[error("the engine does not take the plugin: {0}")]
    Compile(String),
    /// Compiling it takes more than it may, or ends the compiler.
    #[error("{excess}{}", advice(*.excess, .limits))]
    TooDear {
        /// What it has too much of.
        excess: Excess,
        /// What it may have.
        limits: CompileLimits,
    },
    /// Compiling could not be tried away from the gateway.
    #[error(
        "compiling could not be tried in a process of its own ({0}); nothing is compiled without that"
    )]
    NotTried(std::io::ErrorKind),
}

fn list(misfits: &[Misfit]) -> String {
    match misfits {
        [one] => format!(" {one}"),
        all => all.iter().map(|it| format!("\n- {it}")).collect(),
    }
}

fn advice(excess: Excess, limits: &CompileLimits) -> String {
    let smaller = "make its functions smaller, or of several plugins one each";
    match excess {
        Excess::Memory => format!(" ({} MiB): {smaller}", limits.memory_bytes >> 20),
        Excess::Time => {
            let (processor, wall) = (limits.processor_seconds, limits.wall);
            format!(" ({processor}s of the processor, {wall:?} in all): {smaller}")
        }
        Excess::Stopped => {
            ": it is made to do that, or the compiler has a bug; the gateway does not \
                            compile it"
                .to_owned()
        }
    }
}

/// Where plugins are compiled and run. Cheap to clone; there is one in a gateway.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    children: Arc<dyn Children>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) seats: Seats,
    linker: Linker<Guest>,
    limits: EngineLimits,
}

impl Sandbox {
    /// A sandbox for as many workers as the machine has cores.
    pub fn new(doors: &Doors) -> Result<Self, SandboxError> {
        Self::with_limits(doors, EngineLimits::for_cores(doors.tasks.cores()))
    }

    /// A sandbox with these bounds.
    pub fn with_limits(doors: &Doors, limits: EngineLimits) -> Result<Self, SandboxError> {
        let failed = |error: wasmtime::Error| SandboxError(format!("{error:#}"));
        let engine = Engine::new(&config(limits.calls_max)).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        capability::link_all(&mut linker).map_err(failed)?;
        let watch = Watch::new(limits.beat);
        let machine = watch.machine(engine.weak(), Arc::clone(&doors.clock));
        watch.hang(doors.tasks.drive("sandbox-watch", machine));
        let seats = Seats::new(limits.calls_max);
        let (clock, children) = (Arc::clone(&doors.clock), Arc::clone(&doors.children));
        Ok(Self {
            inner: Arc::new(Inner { engine, clock, children, watch, seats, linker, limits }),
        })
    }

    /// The bounds.
    pub fn limits(&self) -> &EngineLimits {
        &self.inner.limits
    }

    /// Checks a plugin against the contract, has a child try to compile it, compiles it and links it.
    /// It may take [`CompileLimits`] twice, so do it off the async threads.
    pub fn load(&self, package: &Package) -> Result<Plugin, LoadProblem> {
        let misfits = package.misfits();
        if !misfits.is_empty() {
            return Err(LoadProblem::Misfits(misfits));
        }
        trial::pass(&*self.inner.children, &package.bytes, &self.inner.limits.compile)?;
        let compiled = Component::from_binary(&self.inner.engine, &package.bytes);
        let component = compiled.map_err(|error| LoadProblem::Compile(told(&error)))?;
        let declared = |error: wasmtime::Error| LoadProblem::Declared(told(&error));
        let linked = self.inner.linker.instantiate_pre(&component).map_err(declared)?;
        let entry = Entry::of(package.manifest.world, linked).map_err(declared)?;
        Ok(Plugin {
            manifest: package.manifest.clone(),
            digest: package.digest,
            component: package.bytes.clone(),
            entry,
            native: None,
            sandbox: Arc::clone(&self.inner),
        })
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}

/// What the engine says about a component, all the way down to the reason. It speaks of the
/// component's own names; no message has been near it.
pub(crate) fn told(error: &wasmtime::Error) -> String {
    plain(&format!("{error:#}").chars().take(1_000).collect::<String>())
}

/// A plugin, compiled and linked. Calls of it may run at the same time.
#[derive(Clone)]
pub struct Plugin {
    manifest: Manifest,
    digest: Digest,
    component: Bytes,
    pub(crate) entry: Entry,
    /// What is called in the guest's place; none in a gateway.
    pub(crate) native: Option<Arc<dyn Native>>,
    pub(crate) sandbox: Arc<Inner>,
}

impl Plugin {
    /// Its own name.
    pub fn name(&self) -> &Name {
        &self.manifest.name
    }

    /// The digest of its component.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its component, as it was loaded.
    pub fn component(&self) -> &Bytes {
        &self.component
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it is.
    pub fn world(&self) -> World {
        self.manifest.world
    }

    /// The same plugin with a function of this process in the guest's place: see [`Native`].
    #[must_use]
    pub fn with_native(&self, native: Arc<dyn Native>) -> Self {
        Self { native: Some(native), ..self.clone() }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { manifest, digest, .. } = self;
        f.debug_struct("Plugin")
            .field("name", &manifest.name)
            .field("digest", digest)
            .finish_non_exhaustive()
    }
}

/// The function that a call enters by, resolved once.
#[derive(Clone)]
pub(crate) enum Entry {
    Transformer(TransformerPre<Guest>),
    Router(RouterPre<Guest>),
    Validator(ValidatorPre<Guest>),
}

impl Entry {
    fn of(world: World, linked: InstancePre<Guest>) -> wasmtime::Result<Self> {
        let is_declared = match world {
            World::Transformer => check_run::<(Result<Vec<Output>, Refusal>,)>(world, &linked),
            World::Router => check_run::<(Result<Vec<String>, Refusal>,)>(world, &linked),
            World::Validator => check_run::<(Verdict,)>(world, &linked),
        };
        is_declared.map_err(|error| error.context(format!("{}.run", world.export())))?;
        Ok(match world {
            World::Transformer => Self::Transformer(TransformerPre::new(linked)?),
            World::Router => Self::Router(RouterPre::new(linked)?),
            World::Validator => Self::Validator(ValidatorPre::new(linked)?),
        })
    }
}

/// Whether `run` has the type that the contract says. The bindings would find out with the first
/// message.
fn check_run<Answer>(world: World, linked: &InstancePre<Guest>) -> wasmtime::Result<()>
where
    Answer: ComponentNamedList + Lift,
{
    let component = linked.component();
    let instance = component.get_export_index(None, hilum_contract::id_of(world.export()));
    match instance.and_then(|it| component.get_export(Some(&it), "run")) {
        Some((ComponentItem::ComponentFunc(run), _)) => {
            run.typecheck::<(), Answer>(&linked.instance_type())
        }
        _ => Err(wasmtime::Error::msg("it is not exported")),
    }
}

/// The engine's configuration. It decides what a plugin can be and what it costs: a change here
/// moves fuel, so it is a change of the contract for every budget out there.
pub(crate) fn config(calls_max: u32) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls_max)
        .total_core_instances(calls_max * CORE_INSTANCES_MAX)
        .total_memories(calls_max * MEMORIES_MAX)
        .total_tables(calls_max * TABLES_MAX)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_component_instance_size(512 << 10)
        .max_core_instance_size(512 << 10)
        .max_memory_size(usize::try_from(Budget::GATEWAY_MAX.memory_bytes).unwrap_or(usize::MAX))
        .table_elements(TABLE_ELEMENTS_MAX)
        // Measured: a page that is written back costs a tenth of one that is taken away and faulted
        // in again. Guests that lay their memory out low (a small stack) have all of it in here.
        .linear_memory_keep_resident(512 << 10)
        .table_keep_resident(4 << 10)
        // No stale slots: what one call left is gone before the next one comes.
        .max_unused_warm_slots(16)
        .decommit_batch_size(1);
    let mut cost = OperatorCost::default();
    cost.variable.memory_grow_per_page = 255; // Growing costs nothing by default.
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .consume_fuel(true)
        .operator_cost(cost)
        .epoch_interruption(true)
        // A host call costs 69 ns so, and 174 ns otherwise.
        .concurrency_support(false)
        // The same result on every processor.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        // What no promised language needs. `wasm_multi_memory(false)` is not here: 48.0.8 panics
        // with it while it compiles a valid composed component.
        .wasm_gc(false)
        .wasm_tail_call(false)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .max_wasm_stack(256 << 10)
        .native_unwind_info(false);
    config
}

/// Seats of the pool. A call that finds none waits: that many calls at once is nobody's fault.
pub(crate) struct Seats {
    state: Mutex<SeatsState>,
    freed: Condvar,
}

struct SeatsState {
    free: u32,
    /// Calls that wait for a seat: with one for each worker there are none, and waking nobody
    /// costs a system call.
    waiting: u32,
}

impl Seats {
    fn new(seats: u32) -> Self {
        let state = SeatsState { free: seats, waiting: 0 };
        Self { state: Mutex::new(state), freed: Condvar::new() }
    }

    /// Takes a seat until the answer is dropped.
    pub(crate) fn take(&self) -> Seat<'_> {
        let mut state = self.lock();
        state.waiting += 1;
        while state.free == 0 {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
        state.free -= 1;
        Seat(self)
    }

    fn lock(&self) -> MutexGuard<'_, SeatsState> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A seat that is taken.
pub(crate) struct Seat<'a>(&'a Seats);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.free += 1;
        let wakes = 0 < state.waiting;
        drop(state);
        if wakes {
            self.0.freed.notify_one();
        }
    }
}
