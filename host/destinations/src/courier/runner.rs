//! The courier's loop.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hilum_env::{BoxFuture, Entropy};
use hilum_words::{Cause, CauseWord, DeliveryId, Digest, Timestamp};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tracing::{debug, error, info, warn};

use super::attempt::{Came, Group, Means};
use super::decide::{Attempt, Fate, Health, Rules, decide};
use super::journal::{NotWritten, Outcome, Unread};
use super::supply::Supply;
use super::window::{LaneKey, Together, Waiting, Window};
use super::{Breaker, Limits, Phase, Shared, State};
use crate::metrics::Outcome as Count;
use crate::{Metrics, Whose};

/// Waits are cut to this: wall time may jump while we sleep.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// How soon to look again at what is not durable yet.
const RELOOK: Duration = Duration::from_millis(50);

/// What the loop is told.
pub(super) enum Event {
    /// What came of a group, and how long sending took.
    Tried(Vec<(Waiting, Came)>, Duration),
    /// These outcomes are durable.
    Committed(Vec<DeliveryId>),
    /// Outcomes could not be written.
    NotWritten(NotWritten),
}

/// The loop's own state.
pub(super) struct Runner {
    pub(super) shared: Arc<Shared>,
    pub(super) means: Arc<Means>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) metrics: Metrics,
    pub(super) rules: Rules,
    pub(super) limits: Limits,
    pub(super) window: Window,
    pub(super) health: Health,
    /// What is taken from the journal next.
    pub(super) supply: Supply,
    /// Something in the journal is not durable yet; nobody may tell when it is.
    pub(super) relooks: bool,
    /// How the breaker stood when it was looked at last.
    pub(super) breaker: Breaker,
    /// The journal was not gone through to its end. While it was not, offers are not looked at: what
    /// they offer is in the journal, behind others.
    pub(super) has_more: bool,
    pub(super) groups: usize,
    pub(super) in_flight: usize,
    pub(super) commits: usize,
    /// Settled, but not yet durable.
    pub(super) settling: BTreeSet<DeliveryId>,
    /// Offered anew while it was settling.
    pub(super) offered_again: bool,
    pub(super) events: UnboundedReceiver<Event>,
    pub(super) report: UnboundedSender<Event>,
}

impl Runner {
    /// Works until it is told to stop or the journal takes no more.
    pub(super) async fn run(mut self) {
        let mut phase = self.shared.phase.subscribe();
        loop {
            let now_phase = *phase.borrow_and_update();
            match now_phase {
                Phase::Running => {
                    self.refill().await;
                    if self.shared.hurries.swap(false, Ordering::AcqRel) {
                        let now = self.now();
                        self.health.hurry(now);
                        self.window.hurry(now);
                    }
                    self.start();
                }
                Phase::Draining if self.groups == 0 && self.commits == 0 => break,
                Phase::Draining => {}
                Phase::Aborting | Phase::Ended => break,
            }
            self.publish(now_phase);
            let (shared, sleep) = (Arc::clone(&self.shared), self.sleep());
            let event = tokio::select! {
                biased;
                _ = phase.changed() => None,
                event = self.events.recv() => event,
                () = shared.offered.notified() => None,
                () = sleep => None,
            };
            if let Some(event) = event
                && let Err(NotWritten(why)) = self.learn(event)
            {
                error!(destination = %self.shared.name, why, "outcomes cannot be stored; sending stops");
                break;
            }
        }
        // Published before it is told: whoever waits for the end may forget what is published.
        self.publish(Phase::Ended);
        self.shared.phase.send_replace(Phase::Ended);
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.means.clock.now_micros())
    }

    /// Starts what may start. A destination that is paused gets one delivery when the pause is over,
    /// and the rest once that went well.
    fn start(&mut self) {
        if self.shared.paused.load(Ordering::Acquire) {
            return;
        }
        let now = self.now();
        let is_probing = match self.health.paused_until {
            Some(until) if now < until => return,
            until => until.is_some(),
        };
        let (groups_max, together_max) = if is_probing {
            (1, 1)
        } else {
            (self.limits.in_flight_max, self.means.destination.together_max().max(1))
        };
        // What the first of a lane comes to decides whether the second may go at all.
        let of_one_lane = !self.shared.blocks;
        while self.groups < groups_max {
            let group = self.window.take(now, Together { max: together_max, of_one_lane });
            if group.is_empty() {
                return;
            }
            self.groups += 1;
            self.in_flight += group.len();
            let group = Group::new(group, self.report.clone());
            let attempt = group.attempt(Arc::clone(&self.means));
            self.spawn_abortable("courier-attempt", attempt);
        }
    }

    /// Runs work that is dropped when the courier has to end at once.
    fn spawn_abortable(&self, name: &str, work: impl Future<Output = ()> + Send + 'static) {
        let mut phase = self.shared.phase.subscribe();
        let work: BoxFuture<'static, ()> = Box::pin(async move {
            let aborted = phase.wait_for(|phase| matches!(phase, Phase::Aborting));
            tokio::select! {
                biased;
                () = work => {}
                _ = aborted => {}
            }
        });
        self.means.tasks.spawn(name, work);
    }

    fn learn(&mut self, event: Event) -> Result<(), NotWritten> {
        match event {
            Event::Tried(tried, took) => self.settle(tried, took),
            Event::Committed(settled) => {
                self.commits -= 1;
                for delivery in settled {
                    self.settling.remove(&delivery);
                    self.has_more |= self.supply.committed(delivery);
                    self.window.forget(delivery);
                }
                if std::mem::take(&mut self.offered_again) {
                    // What was offered while it was held is found in the journal.
                    self.supply.start_over();
                    self.has_more = true;
                }
            }
            Event::NotWritten(fault) => return Err(fault),
        }
        Ok(())
    }

    /// Decides what becomes of a group, lets its lanes go on and submits the outcomes.
    fn settle(&mut self, tried: Vec<(Waiting, Came)>, took: Duration) {
        self.groups -= 1;
        self.in_flight -= tried.len();
        let now = self.now();
        let lanes: BTreeSet<LaneKey> =
            tried.iter().flat_map(|(waiting, _)| waiting.lanes.iter().map(Arc::clone)).collect();
        let mut again = Vec::new();
        let mut outcomes = Vec::new();
        // Of what a fault of the whole destination met, one speaks for all: the others were not
        // tried in earnest, and their attempts are not counted.
        let mut blocked: BTreeSet<LaneKey> = BTreeSet::new();
        let mut is_paused = false;
        for (mut waiting, came) in tried {
            let attempt = waiting.attempts.saturating_add(1);
            let (sent, result) = match came {
                Came::Of(sent, result) => (sent, result),
                Came::LeftOver => {
                    again.push(waiting);
                    continue;
                }
                Came::Unread(Unread::NotQueued) => {
                    self.window.forget(waiting.delivery);
                    continue;
                }
                Came::Unread(Unread::Gone(why)) => {
                    let fate = Fate::Parked { cause: Cause::new(CauseWord::Gone, why) };
                    self.metrics.attempted(&self.shared.name, Count::Gone);
                    self.note(&waiting, attempt, &fate, now);
                    self.finish(&waiting, &fate);
                    outcomes.push(outcome(&waiting, attempt, None, now, fate));
                    continue;
                }
                Came::Unread(Unread::Later(why)) => {
                    // Nothing was tried, and a journal that cannot be read is not written to.
                    warn!(delivery = %waiting.delivery, why, "a delivery cannot be read now");
                    self.shared.note_fault(now, why);
                    waiting.due = now.plus(self.rules.retry.backoff.slow(&*self.entropy));
                    blocked.extend(waiting.lanes.iter().map(Arc::clone));
                    again.push(waiting);
                    continue;
                }
            };
            let whose = result.as_ref().err().map(|fault| self.rules.classify.whose(fault));
            let is_whole = matches!(whose, Some(Whose::Destination | Whose::SetUp));
            if is_whole && (is_paused || waiting.lanes.iter().any(|it| blocked.contains(it))) {
                again.push(waiting);
                continue;
            }
            is_paused |= is_whole;
            let counted = Attempt { number: attempt, since: waiting.since };
            let (fate, count) =
                decide(&self.rules, &mut self.health, counted, result, now, &*self.entropy);
            self.metrics.attempted(&self.shared.name, count);
            self.note(&waiting, attempt, &fate, now);
            outcomes.push(outcome(&waiting, attempt, sent, now, fate.clone()));
            if let Fate::Deferred { due, .. } = &fate {
                (waiting.attempts, waiting.due) = (attempt, *due);
                blocked.extend(waiting.lanes.iter().map(Arc::clone));
                again.push(waiting);
            } else {
                self.finish(&waiting, &fate);
            }
        }
        if !took.is_zero() {
            self.metrics.took(&self.shared.name, took.as_secs_f64());
        }
        self.window.release(&lanes, again);
        for key in &lanes {
            self.has_more |= self.supply.used(key, self.window.waiting_in(key));
        }
        if !outcomes.is_empty() {
            self.commit(outcomes);
        }
    }

    /// This one has its outcome, which is on its way to the journal.
    fn finish(&mut self, waiting: &Waiting, fate: &Fate) {
        self.settling.insert(waiting.delivery);
        if self.shared.blocks && matches!(fate, Fate::Parked { .. }) {
            let closed = self.window.cut_behind(waiting);
            self.supply.park(waiting.delivery, closed);
        }
    }

    fn commit(&mut self, outcomes: Vec<Outcome>) {
        let is_settled = |it: &&Outcome| !matches!(it.fate, Fate::Deferred { .. });
        let settled = outcomes.iter().filter(is_settled).map(|it| it.delivery).collect();
        let all: Vec<DeliveryId> = outcomes.iter().map(|it| it.delivery).collect();
        let destination = Arc::clone(&self.means.destination);
        let committed = self.means.journal.commit(outcomes);
        let report = self.report.clone();
        self.commits += 1;
        let wait = async move {
            let event = match committed.await {
                Ok(()) => {
                    for done in all.into_iter().filter_map(|it| destination.recorded(it)) {
                        done.await;
                    }
                    Event::Committed(settled)
                }
                Err(fault) => Event::NotWritten(fault),
            };
            let _ = report.send(event);
        };
        self.spawn_abortable("courier-commit", wait);
    }

    /// Tells operator and log what became of an attempt.
    fn note(&self, waiting: &Waiting, attempt: u32, fate: &Fate, now: Timestamp) {
        let (delivery, destination) = (waiting.delivery, &self.shared.name);
        match fate {
            Fate::Delivered { code, .. } => {
                debug!(%delivery, %destination, attempt, code, "delivered");
                self.shared.note_success(now);
            }
            Fate::Deferred { due, why } => {
                warn!(%delivery, %destination, attempt, %due, why, "delivery deferred");
                self.shared.note_fault(now, why.clone());
            }
            Fate::Parked { cause } => {
                error!(%delivery, %destination, attempt, %cause, "delivery parked");
                self.shared.note_fault(now, cause.to_string());
            }
        }
    }

    /// When something may go that cannot go now.
    fn next_attempt(&self) -> Option<Timestamp> {
        let due = self.window.next_due()?;
        Some(self.health.paused_until.map_or(due, |until| due.max(until)))
    }

    /// Resolves when the next delivery is due. Never, if one is due that waits for a free place:
    /// then an event comes.
    fn sleep(&self) -> BoxFuture<'static, ()> {
        let now = self.now();
        let next = self.next_attempt().filter(|at| now < *at);
        let relook = self.relooks.then(|| now.plus(RELOOK));
        match next.into_iter().chain(relook).min() {
            Some(at) => {
                let wait = at.since(now).min(SLEEP_MAX);
                self.means.clock.sleep_until(self.means.clock.instant().plus(wait))
            }
            None => Box::pin(std::future::pending()),
        }
    }

    /// Tells operator and log when the breaker opens and closes.
    fn look_at_breaker(&mut self) {
        let (destination, now) = (&self.shared.name, self.health.breaker(self.now()));
        let until = self.health.paused_until;
        match (self.breaker, now) {
            (before, now) if before == now => {}
            (_, Breaker::Open) => {
                let until = until.map(|it| it.to_string()).unwrap_or_default();
                warn!(%destination, until, "the breaker opened: nothing goes to this destination");
            }
            (_, Breaker::HalfOpen) => info!(%destination, "the breaker lets one delivery try"),
            (_, Breaker::Closed) => info!(%destination, "the breaker closed: deliveries go again"),
        }
        self.breaker = now;
        self.metrics.breaks(destination, now);
    }

    fn publish(&mut self, phase: Phase) {
        self.look_at_breaker();
        let (queued, now) = (self.window.len(), self.now());
        let has_more = self.has_more || self.supply.leaves_some();
        let is_misconfigured = self.health.is_misconfigured;
        let is_paused = self.shared.paused.load(Ordering::Acquire);
        let state = match phase {
            Phase::Running if is_paused => State::Paused,
            Phase::Running if is_misconfigured => State::Misconfigured,
            Phase::Running if 0 < self.in_flight => State::Sending,
            Phase::Running if 0 < queued || has_more => State::Waiting,
            Phase::Running => State::Idle,
            _ => State::Stopped,
        };
        self.metrics.holds(&self.shared.name, queued, self.in_flight, is_misconfigured, is_paused);
        let next_attempt = self.next_attempt().filter(|at| now < *at);
        let breaker = self.breaker;
        self.shared.update(|status| {
            status.state = state;
            status.queued = queued;
            status.has_more = has_more;
            status.in_flight = self.in_flight;
            status.next_attempt = next_attempt;
            status.is_paused = is_paused;
            status.breaker = breaker;
        });
    }
}

fn outcome(
    waiting: &Waiting,
    attempt: u32,
    sent: Option<Digest>,
    at: Timestamp,
    fate: Fate,
) -> Outcome {
    Outcome { delivery: waiting.delivery, run: waiting.run, attempt, sent, at, fate }
}
