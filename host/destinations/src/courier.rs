//! The courier: what is queued for one destination goes there.
//!
//! The store's watcher offers what has been queued; what was queued before is found in the journal.
//! The courier holds a bounded window of it, sends the front of each lane, several lanes at once,
//! and commits what came of each attempt. When the destination as a whole does not answer, it is
//! paused; after the pause one delivery tries, and the rest follow once that went well.
//!
//! Promises: in a lane nothing goes before what was queued earlier has its outcome (a parked one is
//! passed); memory is bounded by [`Limits`] at any backlog; after a stop or crash everything
//! without an outcome in the journal goes again under the same id.
//! Not here: kinds of destination, what a fault means for them ([`SendFault::whose`]).
//!
//! [`SendFault::whose`]: crate::SendFault::whose

mod attempt;
mod decide;
mod journal;
mod runner;
mod status;
mod window;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hilum_env::{Clock, Doors};
use hilum_store::{DeliveryReady, Store};
use hilum_words::{Name, Timestamp};
use tokio::sync::{Notify, mpsc, watch};

use crate::{Destination, DestinationConfig, KindConfig, Metrics};
use attempt::Means;
use decide::Rules;
use journal::{Journal, StoreJournal};
use runner::Runner;
use window::{Waiting, Window};

pub use status::{Breaker, CourierStatus, State};

/// Bounds of a courier.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Deliveries held, on their way or not. What is beyond stays in the journal until there is
    /// room.
    pub window_max: usize,
    /// Groups on their way at once. A group is one delivery, or several where the destination takes
    /// them together.
    pub in_flight_max: usize,
    /// Bytes that one group holds in memory; a single delivery may be larger.
    pub group_bytes_max: usize,
}

impl Limits {
    /// What a destination of this configuration gets.
    pub fn of(config: &DestinationConfig) -> Self {
        let in_flight_max = match &config.kind {
            KindConfig::Fhir(fhir) => fhir.transport.connections_max,
            KindConfig::Http(http) => http.transport.connections_max,
            // One write at a time: whatever comes meanwhile goes with the next sync.
            KindConfig::File(_) => 1,
            KindConfig::Mllp(mllp) => mllp.connections_max,
        };
        Self { window_max: 4_096, in_flight_max, group_bytes_max: 16 << 20 }
    }
}

/// How far a courier is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    /// Nothing new starts; what is on its way comes to its end.
    Draining,
    /// What is on its way is dropped.
    Aborting,
    Ended,
}

#[derive(Default)]
struct Offers {
    waiting: Vec<Waiting>,
    /// Some did not fit: they are in the journal.
    overflowed: bool,
}

/// What the handle and the loop share.
struct Shared {
    name: Name,
    offers: Mutex<Offers>,
    offers_max: usize,
    offered: Notify,
    phase: watch::Sender<Phase>,
    status: Mutex<CourierStatus>,
    /// A person has paused it.
    paused: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn take_offers(&self, has_more: &mut bool) -> Vec<Waiting> {
        let mut offers = lock(&self.offers);
        *has_more |= std::mem::take(&mut offers.overflowed);
        std::mem::take(&mut offers.waiting)
    }

    fn update(&self, change: impl FnOnce(&mut CourierStatus)) {
        change(&mut lock(&self.status));
    }

    fn note_success(&self, now: Timestamp) {
        self.update(|status| (status.last_success, status.last_fault) = (Some(now), None));
    }

    fn note_fault(&self, now: Timestamp, why: String) {
        self.update(|status| status.last_fault = Some((now, why)));
    }
}

/// A courier at work. Cheap to clone; all clones are the same courier.
#[derive(Clone)]
pub struct Courier {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
}

impl Courier {
    /// Starts the courier of a destination. What is queued in the journal is found by itself.
    pub fn start(
        name: &Name,
        config: &DestinationConfig,
        destination: Arc<dyn Destination>,
        store: Store,
        doors: &Doors,
        metrics: Metrics,
    ) -> Self {
        destination.count_with(&metrics);
        let clock = Arc::clone(&doors.clock);
        let journal = Arc::new(StoreJournal { store, destination: name.clone(), clock });
        let rules = Rules { retry: config.retry, on_ambiguous: config.on_ambiguous };
        Self::over(name, rules, Limits::of(config), destination, journal, doors, metrics)
    }

    fn over(
        name: &Name,
        rules: Rules,
        limits: Limits,
        destination: Arc<dyn Destination>,
        journal: Arc<dyn Journal>,
        doors: &Doors,
        metrics: Metrics,
    ) -> Self {
        let status = CourierStatus {
            name: name.clone(),
            kind: destination.kind(),
            state: State::Idle,
            queued: 0,
            has_more: true,
            in_flight: 0,
            last_success: None,
            last_fault: None,
            next_attempt: None,
            is_paused: false,
            breaker: Breaker::Closed,
        };
        let shared = Arc::new(Shared {
            name: name.clone(),
            offers: Mutex::default(),
            offers_max: limits.window_max,
            offered: Notify::new(),
            phase: watch::channel(Phase::Running).0,
            status: Mutex::new(status),
            paused: AtomicBool::new(false),
        });
        let clock = Arc::clone(&doors.clock);
        let tasks = Arc::clone(&doors.tasks);
        let group_bytes_max = limits.group_bytes_max;
        let (report, events) = mpsc::unbounded_channel();
        let runner = Runner {
            shared: Arc::clone(&shared),
            means: Arc::new(Means { destination, journal, clock, tasks, group_bytes_max }),
            entropy: Arc::clone(&doors.entropy),
            metrics,
            rules,
            limits,
            window: Window::new(limits.window_max),
            health: decide::Health::default(),
            has_more: true,
            groups: 0,
            in_flight: 0,
            commits: 0,
            settling: std::collections::BTreeSet::new(),
            offered_again: false,
            events,
            report,
        };
        doors.tasks.spawn("courier", Box::pin(runner.run()));
        Self { shared, clock: Arc::clone(&doors.clock) }
    }

    /// The destination's name.
    pub fn name(&self) -> &Name {
        &self.shared.name
    }

    /// Offers what has been queued. Never blocks: what does not fit is found in the journal later.
    /// Offers of one lane come in the journal's order.
    pub fn offer(&self, ready: DeliveryReady) {
        self.take(Waiting::from(ready));
    }

    fn take(&self, waiting: Waiting) {
        let mut offers = lock(&self.shared.offers);
        if offers.waiting.len() < self.shared.offers_max && !offers.overflowed {
            offers.waiting.push(waiting);
        } else {
            offers.overflowed = true;
        }
        drop(offers);
        self.shared.offered.notify_one();
    }

    /// A delivery that was parked waits for a person no more: what stood behind it may go.
    pub fn unparked(&self) {
        lock(&self.shared.offers).overflowed = true;
        self.shared.offered.notify_one();
    }

    /// Starts nothing more until it is told to go on; what is on its way comes to its end. For a
    /// person, who keeps it across restarts ([`Store::mark`]).
    pub fn pause(&self, is_paused: bool) {
        self.shared.paused.store(is_paused, Ordering::Release);
        self.shared.offered.notify_one();
    }

    /// What an operator sees.
    pub fn status(&self) -> CourierStatus {
        lock(&self.shared.status).clone()
    }

    /// Starts nothing more, waits until `drain` has passed or all that is on its way has its outcome
    /// in the journal, then ends. What is cut off goes again after the next start.
    pub async fn stop(&self, drain: Duration) {
        let mut phase = self.shared.phase.subscribe();
        let advance = |to: Phase| {
            self.shared.phase.send_if_modified(|phase| {
                let moves = *phase != Phase::Ended && *phase != Phase::Aborting && *phase != to;
                if moves {
                    *phase = to;
                }
                moves
            });
        };
        advance(Phase::Draining);
        let deadline = self.clock.sleep_until(self.clock.instant().plus(drain));
        tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase == Phase::Ended) => return,
            () = deadline => advance(Phase::Aborting),
        }
        // The sender is ours, so this only ends when the loop has.
        let _ = phase.wait_for(|phase| *phase == Phase::Ended).await;
    }
}

#[cfg(test)]
mod tests;
