use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::{Dice, lock};
use crate::{BoxFuture, Clock, Entropy, Instant, WallClock};

/// 2026-11-24T09:00:00Z, when every world begins.
const BEGINNING: WallClock = 1_795_510_800_000_000;

/// A clock that is moved by hand.
pub struct TwinClock(Arc<Mutex<Time>>);

#[derive(Default)]
struct Time {
    now: Duration,
    /// How far wall time has been set aside from the time that passes.
    jumped: i64,
    timers: BTreeMap<(Instant, u64), Waker>,
    ids: u64,
}

impl TwinClock {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Sets wall time forward or back by so many microseconds; no time passes.
    pub fn jump(&self, micros: i64) {
        lock(&self.0).jumped += micros;
    }

    pub(super) fn at(&self) -> Instant {
        Instant(lock(&self.0).now)
    }

    pub(super) fn next_timer(&self) -> Option<Instant> {
        lock(&self.0).timers.keys().next().map(|(at, _)| *at)
    }

    /// Moves on to `at` and wakes whoever waited for it.
    pub(super) fn set(&self, at: Instant) {
        let mut time = lock(&self.0);
        let now = time.now.max(at.0);
        time.now = now;
        let later = time.timers.split_off(&(Instant(now), u64::MAX));
        let due = std::mem::replace(&mut time.timers, later);
        drop(time);
        for waker in due.into_values() {
            waker.wake();
        }
    }
}

impl Clock for TwinClock {
    fn now_micros(&self) -> WallClock {
        let time = lock(&self.0);
        let passed = i64::try_from(time.now.as_micros()).unwrap_or(i64::MAX);
        BEGINNING.saturating_add(passed).saturating_add(time.jumped)
    }

    fn instant(&self) -> Instant {
        self.at()
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let mut time = lock(&self.0);
        time.ids += 1;
        let id = time.ids;
        Box::pin(Sleep { time: Arc::clone(&self.0), at, id })
    }
}

struct Sleep {
    time: Arc<Mutex<Time>>,
    at: Instant,
    id: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut time = lock(&self.time);
        if self.at.0 <= time.now {
            return Poll::Ready(());
        }
        time.timers.insert((self.at, self.id), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        lock(&self.time).timers.remove(&(self.at, self.id));
    }
}

/// Random bytes that follow from a seed.
pub struct TwinEntropy(Mutex<Dice>);

impl TwinEntropy {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(Dice::new(seed)))
    }
}

impl Entropy for TwinEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut dice = lock(&self.0);
        for chunk in bytes.chunks_mut(8) {
            let word = dice.next().to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(word) {
                *to = from;
            }
        }
    }
}
