//! What a courier needs of the journal, and how the journal gives it.

use std::sync::Arc;
use std::time::Duration;

use hilum_audit::{Record, What, fact};
use hilum_env::{BoxFuture, Clock};
use hilum_store::{DeliveryReady, DeliveryState, Effect, JournalPlace, Step, Store, StoreError};
use hilum_words::{Actor, DeliveryId, Digest, Name, RunId, Timestamp};
use tracing::{debug, warn};

use super::decide::Fate;
use super::window::{LaneKey, Waiting};
use crate::Delivery;

/// How long to wait when the journal has too much to write.
const PATIENCE: Duration = Duration::from_millis(50);

/// Why a delivery was not read.
#[derive(Clone, Debug)]
pub(super) enum Unread {
    /// It is not queued any more: delivered, discarded, replayed.
    NotQueued,
    /// Its bytes are lost: damaged, or never there.
    Gone(String),
    /// The journal cannot give it now.
    Later(String),
}

/// What became of a delivery, and what the trail says about it.
#[derive(Clone)]
pub(super) struct Outcome {
    pub(super) delivery: DeliveryId,
    pub(super) run: RunId,
    pub(super) attempt: u32,
    /// The digest of what was sent, if it could be read.
    pub(super) sent: Option<Digest>,
    pub(super) at: Timestamp,
    pub(super) fate: Fate,
}

/// One that is queued or parked.
#[derive(Clone)]
pub(super) struct Standing {
    pub(super) waiting: Waiting,
    pub(super) is_parked: bool,
    pub(super) is_durable: bool,
}

/// The journal takes no more: it is poisoned or closed. Deliveries stay queued.
#[derive(Debug)]
pub(super) struct NotWritten(pub(super) String);

/// The journal, as a courier sees it.
pub(super) trait Journal: Send + Sync {
    /// What is queued for this destination, and parked if that is wanted, from a place on, in the order
    /// of the journal, at most `max`; and whether that is all.
    fn standing(&self, from: JournalPlace, max: usize, with_parked: bool) -> (Vec<Standing>, bool);

    /// The bytes of a delivery. May block.
    fn read(&self, waiting: &Waiting) -> Result<Delivery, Unread>;

    /// Submits outcomes with their evidence, in this order, before it returns; the future resolves
    /// once they are durable.
    fn commit(&self, outcomes: Vec<Outcome>) -> BoxFuture<'static, Result<(), NotWritten>>;
}

/// The store, for one destination.
#[derive(Clone)]
pub(super) struct StoreJournal {
    pub(super) store: Store,
    pub(super) destination: Name,
    pub(super) clock: Arc<dyn Clock>,
}

impl From<DeliveryReady> for Waiting {
    fn from(ready: DeliveryReady) -> Self {
        Self {
            delivery: ready.delivery,
            run: ready.run,
            lanes: ready.lanes.into_iter().map(LaneKey::from).collect(),
            order: ready.place,
            is_again: ready.is_again,
            attempts: ready.attempts,
            due: ready.due.unwrap_or(Timestamp::from_micros(i64::MIN)),
            since: ready.since,
            place: 0,
        }
    }
}

impl Journal for StoreJournal {
    fn standing(&self, from: JournalPlace, max: usize, with_parked: bool) -> (Vec<Standing>, bool) {
        let (listed, is_all) = self.store.standing(&self.destination, from, max, with_parked);
        let standing = listed.into_iter().map(|it| {
            let (is_parked, is_durable) = (it.is_parked, it.is_durable);
            Standing { waiting: Waiting::from(it.ready), is_parked, is_durable }
        });
        (standing.collect(), is_all)
    }

    fn read(&self, waiting: &Waiting) -> Result<Delivery, Unread> {
        let record = match self.store.delivery(waiting.delivery) {
            Ok(record) => record,
            Err(StoreError::NoDelivery(_)) => return Err(Unread::NotQueued),
            Err(fault @ (StoreError::Damaged { .. } | StoreError::OutsideMessage)) => {
                return Err(Unread::Gone(fault.to_string()));
            }
            Err(fault) => return Err(Unread::Later(fault.to_string())),
        };
        if record.state != DeliveryState::Queued || !record.is_cleared {
            return Err(Unread::NotQueued);
        }
        Ok(Delivery {
            id: record.delivery,
            message: record.message,
            run: record.run,
            ordinal: record.ordinal,
            received: record.received,
            attempt: waiting.attempts.saturating_add(1),
            format: record.format,
            body: record.body,
        })
    }

    fn commit(&self, outcomes: Vec<Outcome>) -> BoxFuture<'static, Result<(), NotWritten>> {
        let submit =
            |outcome: Outcome| (self.store.commit_soon(self.step(&outcome, true)), outcome);
        let tickets: Vec<_> = outcomes.into_iter().map(submit).collect();
        let journal = self.clone();
        Box::pin(async move {
            for (ticket, outcome) in tickets {
                if let Err(fault) = ticket.await {
                    journal.insist(&outcome, fault).await?;
                }
            }
            Ok(())
        })
    }
}

impl StoreJournal {
    /// An outcome was not written at once: what can be done about it.
    async fn insist(&self, outcome: &Outcome, fault: StoreError) -> Result<(), NotWritten> {
        let mut fault = fault;
        let mut with_answer = true;
        loop {
            match fault {
                StoreError::Busy | StoreError::NoSpace { .. } => {
                    self.clock.sleep_until(self.clock.instant().plus(PATIENCE)).await;
                }
                // The outcome matters more than what the destination said about it.
                StoreError::TooLarge { .. } if with_answer => with_answer = false,
                // Somebody else has decided meanwhile: an operator has discarded or replayed it.
                StoreError::NotInState { .. }
                | StoreError::NoDelivery(_)
                | StoreError::NoRun(_)
                | StoreError::NoMessage(_) => {
                    debug!(delivery = %outcome.delivery, %fault, "outcome came too late");
                    return Ok(());
                }
                fault => {
                    warn!(delivery = %outcome.delivery, %fault, "outcome was not stored");
                    return Err(NotWritten(fault.to_string()));
                }
            }
            match self.store.commit(self.step(outcome, with_answer)).await {
                Ok(_) => return Ok(()),
                Err(next) => fault = next,
            }
        }
    }

    /// The change and its evidence.
    fn step(&self, outcome: &Outcome, with_answer: bool) -> Step {
        let delivery = outcome.delivery;
        let (what, effect) = match &outcome.fate {
            Fate::Delivered { answer, .. } => {
                let answer = answer.clone().filter(|_| with_answer);
                (What::Delivered, Effect::Delivered { delivery, answer })
            }
            Fate::Deferred { due, why } => {
                let (attempt, due, why) = (outcome.attempt, *due, why.clone());
                (What::Deferred, Effect::Deferred { delivery, attempt, due, why })
            }
            Fate::Parked { cause } => {
                let cause = cause.clone();
                (What::DeliveryParked, Effect::DeliveryParked { delivery, cause })
            }
        };
        let actor = Actor::system(format!("courier/{}", self.destination));
        let mut record = Record::new(outcome.at, what, actor)
            .run(outcome.run)
            .delivery(delivery)
            .text(fact::DESTINATION, self.destination.as_str())
            .number(fact::ATTEMPT, u64::from(outcome.attempt));
        if let Some(sent) = outcome.sent {
            record = record.digest(fact::OUTPUT, sent);
        }
        if let Some(run) = self.store.run(outcome.run) {
            record = record.message(run.message).generation(run.generation);
        }
        record = match &outcome.fate {
            Fate::Delivered { code, .. } => record.text(fact::CODE, code),
            Fate::Deferred { due, why } => {
                record.text(fact::DETAIL, why).text("due", due.to_string())
            }
            Fate::Parked { cause } => {
                record.text(fact::CAUSE, cause.word.word()).text(fact::DETAIL, &cause.detail)
            }
        };
        Step { run: outcome.run, effects: vec![effect], records: record.into() }
    }
}
