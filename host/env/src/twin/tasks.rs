use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use super::{Dice, TwinClock, lock};
use crate::{Bell, BoxFuture, Clock, Instant, Machine, Next, Tasks};

/// More steps than this without time passing are a loop that will not end.
const STEPS_MAX: usize = 10_000_000;

/// Futures and machines, polled by hand, in an order that the seed decides.
pub struct TwinTasks {
    clock: Arc<TwinClock>,
    running: Mutex<Vec<Running>>,
    dice: Mutex<Dice>,
}

struct Running {
    name: String,
    ready: Arc<Flag>,
    /// When a machine wants to be woken.
    at: Option<Instant>,
    what: What,
}

enum What {
    Future(BoxFuture<'static, ()>),
    Machine(Box<dyn Machine>),
}

struct Flag(AtomicBool);

impl Flag {
    fn raised() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl TwinTasks {
    pub(super) fn new(clock: Arc<TwinClock>, seed: u64) -> Self {
        Self { clock, running: Mutex::default(), dice: Mutex::new(Dice::new(seed)) }
    }

    /// The names of all that has not ended.
    pub fn names(&self) -> Vec<String> {
        lock(&self.running).iter().map(|it| it.name.clone()).collect()
    }

    /// Ends everything at once, as the death of a process does.
    pub fn kill_all(&self) {
        // Dropped outside of the lock: a destructor may ring bells.
        let all = std::mem::take(&mut *lock(&self.running));
        drop(all);
    }

    pub(super) fn add(&self, name: &str, future: BoxFuture<'static, ()>) {
        let what = What::Future(future);
        let running = Running { name: name.to_owned(), ready: Flag::raised(), at: None, what };
        lock(&self.running).push(running);
    }

    pub(super) fn next_machine(&self) -> Option<Instant> {
        lock(&self.running).iter().filter_map(|it| it.at).min()
    }

    pub(super) fn run_until_idle(&self) {
        for _ in 0..STEPS_MAX {
            let Some(chosen) = self.choose() else { return };
            self.run(chosen);
        }
        panic!("{STEPS_MAX} steps without time passing: {:?}", self.names());
    }

    /// Takes one of those that can run.
    fn choose(&self) -> Option<Running> {
        let now = self.clock.instant();
        let mut running = lock(&self.running);
        let can_run =
            |it: &Running| it.ready.0.load(Ordering::SeqCst) || it.at.is_some_and(|at| at <= now);
        let ready: Vec<usize> = (0..)
            .zip(running.iter())
            .filter(|(_, it)| can_run(it))
            .map(|(index, _)| index)
            .collect();
        let index = *ready.get(lock(&self.dice).below(ready.len()))?;
        // In order, so that a run does not depend on how often others were taken.
        Some(running.remove(index))
    }

    fn run(&self, mut running: Running) {
        running.ready.0.store(false, Ordering::SeqCst);
        running.at = None;
        let is_done = match &mut running.what {
            What::Future(future) => {
                let waker = Waker::from(Arc::clone(&running.ready));
                let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
                polled == Poll::Ready(())
            }
            What::Machine(machine) => match machine.step() {
                Next::Again => {
                    running.ready.0.store(true, Ordering::SeqCst);
                    false
                }
                Next::Rest => false,
                Next::At(at) => {
                    running.at = Some(at);
                    false
                }
                Next::Done => true,
            },
        };
        if !is_done {
            lock(&self.running).push(running);
        }
    }
}

impl Tasks for TwinTasks {
    fn spawn(&self, name: &str, future: BoxFuture<'static, ()>) {
        self.add(name, future);
    }

    fn blocking(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let (told, heard) = tokio::sync::oneshot::channel();
        self.add(
            name,
            Box::pin(async move {
                work();
                // Nobody waits if the other half was dropped.
                let _ = told.send(());
            }),
        );
        Box::pin(async move {
            let _ = heard.await;
        })
    }

    fn drive(&self, name: &str, machine: Box<dyn Machine>) -> Bell {
        let ready = Flag::raised();
        let flag = Arc::clone(&ready);
        let what = What::Machine(machine);
        lock(&self.running).push(Running { name: name.to_owned(), ready, at: None, what });
        Bell::new(move || flag.0.store(true, Ordering::SeqCst))
    }

    fn cores(&self) -> usize {
        1
    }
}
