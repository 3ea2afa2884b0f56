use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;

use crate::{BoxFuture, Clock, Entropy, Instant, WallClock};

/// The system's clocks.
pub struct SystemClock {
    opened: tokio::time::Instant,
    runtime: Handle,
}

impl SystemClock {
    /// A clock whose timers live on `runtime`.
    pub fn new(runtime: Handle) -> Self {
        Self { opened: tokio::time::Instant::from_std(std::time::Instant::now()), runtime }
    }
}

impl Clock for SystemClock {
    fn now_micros(&self) -> WallClock {
        let micros =
            |span: std::time::Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => micros(after),
            Err(before) => -micros(before.duration()),
        }
    }

    fn instant(&self) -> Instant {
        Instant(self.opened.into_std().elapsed())
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        // A timer belongs to the runtime that is entered when it is made.
        let _entered = self.runtime.enter();
        // A point that the clock cannot express is as good as never: thirty years.
        let far = std::time::Duration::from_secs(30 * 365 * 24 * 60 * 60);
        let sleep = tokio::time::sleep_until(self.opened + at.0.min(far));
        Box::pin(sleep)
    }
}

/// The system's random bytes, fetched some hundred at a time: a message takes five small draws, and
/// each would be a system call.
pub struct SystemEntropy {
    drawn: Mutex<Drawn>,
}

/// Bytes that are fetched at once.
const DRAWN_BYTES: usize = 1_024;

struct Drawn {
    bytes: [u8; DRAWN_BYTES],
    /// How many of them are used up.
    used: usize,
}

impl SystemEntropy {
    /// Random bytes of the operating system.
    pub fn new() -> Self {
        Self { drawn: Mutex::new(Drawn { bytes: [0; DRAWN_BYTES], used: DRAWN_BYTES }) }
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if DRAWN_BYTES < drawn.used + bytes.len() {
            if DRAWN_BYTES < bytes.len() {
                return fetch(bytes);
            }
            fetch(&mut drawn.bytes);
            drawn.used = 0;
        }
        let range = drawn.used..drawn.used + bytes.len();
        drawn.used = range.end;
        if let Some(fresh) = drawn.bytes.get_mut(range) {
            bytes.copy_from_slice(fresh);
            // Nobody draws the same bytes again, and nobody finds them in memory.
            fresh.fill(0);
        }
    }
}

fn fetch(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        // Ids and seeds made without it would be guessable; there is nothing to go on with.
        panic!("the operating system gives no random bytes: {error}");
    }
}
