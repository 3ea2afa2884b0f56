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

    /// One beat, as the machine does it, for a test without an engine.
    #[cfg(test)]
    pub(crate) fn beat_once(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use hilum_env::{BoxFuture, Instant, WallClock};
    use wasmtime::Engine;

    use super::*;

    struct Stopped;

    impl Clock for Stopped {
        fn now_micros(&self) -> WallClock {
            0
        }
        fn instant(&self) -> Instant {
            Instant(Duration::from_millis(100))
        }
        fn sleep_until(&self, _at: Instant) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    fn watched() -> (Arc<Watch>, Engine, Box<dyn Machine>, Arc<AtomicU32>) {
        let watch = Watch::new(Duration::from_millis(5));
        let engine = Engine::default();
        let machine = watch.machine(engine.weak(), Arc::new(Stopped));
        let rung = Arc::new(AtomicU32::new(0));
        let bell = Arc::clone(&rung);
        watch.hang(Bell::new(move || {
            bell.fetch_add(1, Ordering::SeqCst);
        }));
        (watch, engine, machine, rung)
    }

    #[test]
    fn it_beats_while_a_call_runs_and_rests_otherwise() {
        let (watch, _engine, mut machine, rung) = watched();
        assert_eq!(machine.step(), Next::Rest);
        let rung_before = rung.load(Ordering::SeqCst);
        let running = watch.start();
        assert_eq!(rung.load(Ordering::SeqCst), rung_before + 1, "a call wakes it");
        let second = watch.start();
        assert_eq!(rung.load(Ordering::SeqCst), rung_before + 1, "it is awake");
        assert_eq!(machine.step(), Next::At(Instant(Duration::from_millis(105))));
        assert_eq!(watch.now(), 1);
        drop(running);
        assert!(matches!(machine.step(), Next::At(_)));
        drop(second);
        assert_eq!(machine.step(), Next::Rest);
        assert_eq!(watch.now(), 2);
    }

    #[test]
    fn it_ends_with_the_sandbox() {
        let (watch, _engine, mut machine, rung) = watched();
        assert_eq!(machine.step(), Next::Rest);
        let before = rung.load(Ordering::SeqCst);
        drop(watch);
        assert_eq!(rung.load(Ordering::SeqCst), before + 1, "it is told");
        assert_eq!(machine.step(), Next::Done);
    }

    #[test]
    fn a_wall_limit_is_never_shorter_than_it_says() {
        let watch = Watch::new(Duration::from_millis(5));
        assert_eq!(watch.beats_of(Duration::from_millis(1)), 2);
        assert_eq!(watch.beats_of(Duration::from_millis(5)), 2);
        assert_eq!(watch.beats_of(Duration::from_millis(6)), 3);
        assert_eq!(watch.beats_of(Duration::MAX), u64::MAX);
    }
}
