//! The courier: what is queued for one destination goes there.
//!
//! The store's watcher offers what has been queued; what was queued before is found in the journal.
//! The courier holds a bounded window of it, sends the front of each lane, several lanes at once,
//! and commits what came of each attempt. When the destination as a whole does not answer, it is
//! paused; after the pause one delivery tries, and the rest follow once that went well.
//!
//! Promises: in none of its lanes does a delivery go before all that was queued earlier there has its
//! outcome (a parked one is passed, or with `on_park = "block"` waited for); what a person paused
//! stays paused; memory is bounded by [`Limits`] at any backlog; after a stop or crash everything
//! without an outcome in the journal goes again under the same id.
//! Not here: kinds of destination, what a fault means for them ([`SendFault::whose`]).
//!
//! [`SendFault::whose`]: crate::SendFault::whose

mod attempt;
mod decide;
mod journal;
mod refill;
mod runner;
mod status;
mod supply;
mod window;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hilum_env::{Clock, Doors};
use hilum_store::{DeliveryReady, Store};
use hilum_words::{Name, Timestamp};
use tokio::sync::{Notify, mpsc, watch};

use crate::{Destination, DestinationConfig, KindConfig, Metrics, OnPark};
use attempt::Means;
use decide::Rules;
use journal::{Journal, StoreJournal};
use runner::Runner;
use supply::Supply;
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
    /// A person sent a parked one again, had it made again or discarded it.
    is_unparked: bool,
}

/// What the handle and the loop share.
struct Shared {
    name: Name,
    offers: Mutex<Offers>,
    offers_max: usize,
    /// A parked delivery is waited for: then all that goes is looked up in the journal.
    blocks: bool,
    offered: Notify,
    phase: watch::Sender<Phase>,
    status: Mutex<CourierStatus>,
    /// A person has paused it.
    paused: AtomicBool,
    /// A person wants what waits to be tried now.
    hurries: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn take_offers(&self) -> Offers {
        std::mem::take(&mut lock(&self.offers))
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

/// What a courier goes by.
struct Plan {
    rules: Rules,
    limits: Limits,
    is_paused: bool,
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
        let is_paused = store.marks().contains_key(&Self::paused_mark(name));
        let journal = Arc::new(StoreJournal { store, destination: name.clone(), clock });
        let plan = Plan { rules: Rules::of(config), limits: Limits::of(config), is_paused };
        Self::over(name, plan, destination, journal, doors, metrics)
    }

    fn over(
        name: &Name,
        Plan { rules, limits, is_paused }: Plan,
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
            is_paused,
            breaker: Breaker::Closed,
        };
        let blocks = rules.on_park == OnPark::Block;
        let shared = Arc::new(Shared {
            name: name.clone(),
            offers: Mutex::default(),
            offers_max: limits.window_max,
            blocks,
            offered: Notify::new(),
            phase: watch::channel(Phase::Running).0,
            status: Mutex::new(status),
            paused: AtomicBool::new(is_paused),
            hurries: AtomicBool::new(false),
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
            supply: Supply::new(limits.window_max, blocks),
            relooks: false,
            breaker: Breaker::Closed,
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
        offers.is_unparked |= waiting.is_again;
        if self.shared.blocks {
            offers.overflowed = true;
        } else if offers.waiting.len() < self.shared.offers_max && !offers.overflowed {
            offers.waiting.push(waiting);
        } else {
            offers.overflowed = true;
        }
        drop(offers);
        self.shared.offered.notify_one();
    }

    /// A delivery that was parked waits for a person no more: what stood behind it may go.
    pub fn unparked(&self) {
        lock(&self.shared.offers).is_unparked = true;
        self.shared.offered.notify_one();
    }

    /// The key of the mark that keeps a destination paused across restarts: a courier that starts
    /// while it is set starts paused.
    pub fn paused_mark(destination: &str) -> String {
        format!("destination.{destination}.paused")
    }

    /// Starts nothing more until it is told to go on; what is on its way comes to its end. For a
    /// person, who keeps it across restarts ([`Store::mark`]).
    pub fn pause(&self, is_paused: bool) {
        self.shared.paused.store(is_paused, Ordering::Release);
        self.shared.offered.notify_one();
    }

    /// Tries what waits for another attempt now, and not when its wait is over: one first if the
    /// destination did not answer as a whole, the rest once that went well.
    pub fn hurry(&self) {
        self.shared.hurries.store(true, Ordering::Release);
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
