use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant as StdInstant};

use tokio::runtime::Handle;
use tracing::error;

use crate::{Bell, BoxFuture, Instant, Machine, Next, Tasks};

/// Futures and blocking work on a tokio runtime; a thread for each machine.
pub struct SystemTasks {
    runtime: Handle,
    /// What `Next::At` is measured from. Doors are opened once, so that this is the clock's zero
    /// give or take microseconds; a machine that is woken early asks again.
    opened: StdInstant,
}

impl SystemTasks {
    /// Tasks on `runtime`.
    pub fn new(runtime: Handle) -> Self {
        Self { runtime, opened: StdInstant::now() }
    }
}

impl Tasks for SystemTasks {
    fn spawn(&self, name: &str, future: BoxFuture<'static, ()>) {
        let name = name.to_owned();
        let task = self.runtime.spawn(future);
        // A panic ends its task alone; somebody has to hear of it.
        self.runtime.spawn(async move {
            if let Err(fault) = task.await
                && fault.is_panic()
            {
                error!(task = name, "a task panicked");
            }
        });
    }

    fn blocking(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let name = name.to_owned();
        let task = self.runtime.spawn_blocking(work);
        Box::pin(async move {
            if let Err(fault) = task.await
                && fault.is_panic()
            {
                error!(task = name, "blocking work panicked");
            }
        })
    }

    fn drive(&self, name: &str, machine: Box<dyn Machine>) -> Bell {
        let rope = Arc::new(Rope::default());
        let opened = self.opened;
        let bell = {
            let rope = Arc::clone(&rope);
            Bell::new(move || rope.pull())
        };
        let runtime = self.runtime.clone();
        let driven = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // A machine may start futures or make timers.
            let _entered = runtime.enter();
            drive(machine, &rope, opened);
        });
        if let Err(error) = driven {
            // Without its committer or workers a gateway is none.
            panic!("the operating system gives no thread for {name}: {error}");
        }
        bell
    }

    fn cores(&self) -> usize {
        std::thread::available_parallelism().map_or(1, NonZero::get)
    }
}

/// Ends the process if a machine's thread panics: without the committer nothing is stored any more,
/// without a worker its lane waits for ever. A supervisor starts the gateway again, and a run that
/// ends the process is parked after three starts.
struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!(
                "a machine ended with a bug; the process ends, and recovers when it starts again"
            );
            std::process::abort();
        }
    }
}

fn drive(mut machine: Box<dyn Machine>, rope: &Rope, opened: StdInstant) {
    let _guard = Guard;
    loop {
        match machine.step() {
            Next::Again => {}
            Next::Rest => rope.wait(None),
            Next::At(Instant(at)) => {
                rope.wait(Some(at.saturating_sub(opened.elapsed())));
            }
            Next::Done => return,
        }
    }
}

/// What a bell hangs on. A pull that comes while nobody waits is remembered.
#[derive(Default)]
struct Rope {
    state: Mutex<RopeState>,
    moved: Condvar,
}

#[derive(Default)]
struct RopeState {
    is_pulled: bool,
    /// Whether the machine's thread sleeps: waking one that does not costs a system call.
    waits: bool,
}

impl Rope {
    fn pull(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wakes = !state.is_pulled && state.waits;
        state.is_pulled = true;
        drop(state);
        if wakes {
            self.moved.notify_one();
        }
    }

    fn wait(&self, at_most: Option<Duration>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waits = true;
        if let Some(at_most) = at_most {
            let waited = self.moved.wait_timeout_while(state, at_most, |it| !it.is_pulled);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        } else {
            while !state.is_pulled {
                state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        *state = RopeState::default();
    }
}
