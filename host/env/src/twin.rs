//! All doors in memory, on one seed, with faults.
//!
//! A [`Twin`] is a small world for a test: time stands still until it is moved, random bytes follow
//! from the seed, the [disk](TwinDisk) can stop at any operation and lose what was not synced,
//! sockets are pipes, and everything that runs is polled on the test's own thread, in an order that
//! the seed decides.
//!
//! Promises: the same seed and the same calls give the same run; nothing here touches the operating
//! system.
//! Not here: a machine that blocks inside a step (`Ticket::wait`) blocks the test, since there is
//! nobody else to make progress; such a machine is stepped by hand, or on a thread of its own.

mod clock;
mod disk;
mod net;
mod tasks;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Doors, Instant, NoChildren};

pub use clock::{TwinClock, TwinEntropy};
pub use disk::{TwinDisk, Unsynced};
pub use net::TwinNet;
pub use tasks::TwinTasks;

/// A world on one seed.
pub struct Twin {
    clock: Arc<TwinClock>,
    entropy: Arc<TwinEntropy>,
    disk: Arc<TwinDisk>,
    net: Arc<TwinNet>,
    tasks: Arc<TwinTasks>,
}

impl Twin {
    /// The world of this seed.
    pub fn with_seed(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let clock = Arc::new(TwinClock::new());
        Self {
            entropy: Arc::new(TwinEntropy::new(dice.next())),
            disk: Arc::new(TwinDisk::new(dice.next())),
            net: Arc::new(TwinNet::new()),
            tasks: Arc::new(TwinTasks::new(Arc::clone(&clock), dice.next())),
            clock,
        }
    }

    /// Its doors.
    pub fn doors(&self) -> Doors {
        Doors {
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::clone(&self.entropy) as _,
            disk: Arc::clone(&self.disk) as _,
            net: Arc::clone(&self.net) as _,
            tasks: Arc::clone(&self.tasks) as _,
            children: Arc::new(NoChildren),
        }
    }

    /// Its clock.
    pub fn clock(&self) -> &TwinClock {
        &self.clock
    }

    /// Its disk, with the switches.
    pub fn disk(&self) -> &Arc<TwinDisk> {
        &self.disk
    }

    /// Its tasks.
    pub fn tasks(&self) -> &TwinTasks {
        &self.tasks
    }

    /// Runs everything that can run without time passing.
    pub fn run_until_idle(&self) {
        self.tasks.run_until_idle();
    }

    /// Lets time pass, from one timer to the next, and runs what each wakes.
    pub fn advance(&self, span: Duration) {
        let end = self.clock.at().plus(span);
        self.run_until_idle();
        while let Some(at) = self.next_wake().filter(|at| *at <= end) {
            self.clock.set(at);
            self.run_until_idle();
        }
        self.clock.set(end);
        self.run_until_idle();
    }

    /// Runs the world until `future` has its answer. Time passes only when nothing else can happen.
    pub fn block_on<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let answer = Arc::new(Mutex::new(None));
        let place = Arc::clone(&answer);
        self.tasks.add("block_on", Box::pin(async move { *lock(&place) = Some(future.await) }));
        loop {
            self.run_until_idle();
            if let Some(answer) = lock(&answer).take() {
                return answer;
            }
            let Some(at) = self.next_wake() else {
                panic!("nothing can happen any more, and the future has no answer");
            };
            self.clock.set(at);
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        let timer = self.clock.next_timer();
        let machine = self.tasks.next_machine();
        [timer, machine].into_iter().flatten().min()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Numbers that follow from a seed (SplitMix64). Not for secrets.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "it never ends, and is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// Whether one of `in_n` times comes up.
    pub fn one_in(&mut self, in_n: usize) -> bool {
        self.below(in_n) == 0
    }
}

#[cfg(test)]
mod tests;
