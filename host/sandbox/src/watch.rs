//! The watch: what ends a call that takes too long by the wall.
//!
//! A machine that beats while calls are running: each beat is one epoch of the engine, and a number
//! that host functions look at. It rests while nothing runs, and ends with the sandbox.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use hilum_env::{Bell, Clock, Machine, Next};
use wasmtime::EngineWeak;

/// What calls and the machine share.
pub(crate) struct Watch {
    beats: AtomicU64,
    running: AtomicU64,
    is_resting: AtomicBool,
    bell: OnceLock<Bell>,
    beat: Duration,
}

impl Watch {
    pub(crate) fn new(beat: Duration) -> Arc<Self> {
        Arc::new(Self {
            beats: AtomicU64::new(0),
            running: AtomicU64::new(0),
            is_resting: AtomicBool::new(false),
            bell: OnceLock::new(),
            beat,
        })
    }

    /// The machine that beats. Driven once; its bell is hung up by [`hang`](Self::hang).
    pub(crate) fn machine(
        self: &Arc<Self>,
        engine: EngineWeak,
        clock: Arc<dyn Clock>,
    ) -> Box<dyn Machine> {
        Box::new(Beater { watch: Arc::downgrade(self), engine, clock })
    }

    pub(crate) fn hang(&self, bell: Bell) {
        // Rung at once: the machine may have gone to rest before anybody could wake it.
        bell.ring();
        let _ = self.bell.set(bell);
    }

    /// How many beats a wall limit is. One more than it holds, since the first may come at once.
    pub(crate) fn beats_of(&self, wall: Duration) -> u64 {
        let beats = wall.as_nanos().div_ceil(self.beat.as_nanos().max(1));
        u64::try_from(beats).unwrap_or(u64::MAX - 1).saturating_add(1)
    }

    /// Which beat it is.
    pub(crate) fn now(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Beats until the answer is dropped.
    pub(crate) fn start(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::SeqCst);
        if self.is_resting.swap(false, Ordering::SeqCst)
            && let Some(bell) = self.bell.get()
        {
            bell.ring();
        }
        Running(Arc::clone(self))
    }
}

/// A call that is being watched.
pub(crate) struct Running(Arc<Watch>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Beater {
    watch: Weak<Watch>,
    engine: EngineWeak,
    clock: Arc<dyn Clock>,
}

impl Machine for Beater {
    fn step(&mut self) -> Next {
        let (Some(watch), Some(engine)) = (self.watch.upgrade(), self.engine.upgrade()) else {
            return Next::Done;
        };
        if watch.running.load(Ordering::SeqCst) == 0 {
            watch.is_resting.store(true, Ordering::SeqCst);
            // A call may have started between the two lines, and found nobody resting.
            if watch.running.load(Ordering::SeqCst) == 0 {
                return Next::Rest;
            }
            watch.is_resting.store(false, Ordering::SeqCst);
        }
        engine.increment_epoch();
        watch.beats.fetch_add(1, Ordering::Relaxed);
        Next::At(self.clock.instant().plus(watch.beat))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Wakes the machine so that it sees that it is alone.
        if let Some(bell) = self.bell.get() {
            bell.ring();
        }
    }
}
