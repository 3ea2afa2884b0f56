use std::time::Duration;

use crate::BoxFuture;

/// Wall time: microseconds since the Unix epoch. `hilum_words::Timestamp` wraps it; this crate
/// depends on no other.
pub type WallClock = i64;

/// A point on a clock that never goes back: time since the doors were opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub Duration);

impl Instant {
    /// The instant `later`.
    pub fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The door to time.
pub trait Clock: Send + Sync {
    /// Wall time, in microseconds since the Unix epoch. It may jump.
    fn now_micros(&self) -> WallClock;
    /// Time for measuring and waiting. It never goes back.
    fn instant(&self) -> Instant;
    /// Resolves once `at` has come.
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()>;
}

/// The door to random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Entropy {
    /// An array of unpredictable bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
