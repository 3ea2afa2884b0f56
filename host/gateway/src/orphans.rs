//! Deliveries whose destination is no longer configured: parked, so that a person sees them.

use std::sync::{Mutex, PoisonError};

use hilum_audit::{NonEmpty, Record, What, fact};
use hilum_env::Clock;
use hilum_store::{DeliveryReady, Effect, Step, Store};
use hilum_words::{Actor, Cause, CauseWord, Timestamp};
use tokio::sync::Notify;
use tracing::{error, warn};

/// How many wait here at most. More are found in the journal at the next start.
const WAITING_MAX: usize = 4_096;

/// Deliveries that nobody will fetch.
#[derive(Default)]
pub(crate) struct Orphans {
    waiting: Mutex<Vec<DeliveryReady>>,
    offered: Notify,
}

impl Orphans {
    /// Never blocks.
    pub(crate) fn offer(&self, ready: DeliveryReady) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING_MAX {
            waiting.push(ready);
        }
        drop(waiting);
        self.offered.notify_one();
    }

    /// Parks whatever is offered, for ever.
    pub(crate) async fn park(&self, store: &Store, clock: &dyn Clock) {
        loop {
            let waiting =
                std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            for ready in waiting {
                let at = Timestamp::from_micros(clock.now_micros());
                let (delivery, run) = (ready.delivery, ready.run);
                if let Err(fault) = store.commit(step(&ready, at)).await {
                    error!(%delivery, %run, %fault, "a delivery without a destination stays queued");
                }
            }
            self.offered.notified().await;
        }
    }
}

fn step(ready: &DeliveryReady, at: Timestamp) -> Step {
    let destination = &ready.destination;
    warn!(delivery = %ready.delivery, %destination, "parked: the destination is not configured");
    let cause = Cause::new(
        CauseWord::Gone,
        format!("no destination is named \"{destination}\" in the current configuration"),
    );
    let record = Record::new(at, What::DeliveryParked, Actor::system("gateway"))
        .run(ready.run)
        .delivery(ready.delivery)
        .text(fact::DESTINATION, destination.as_str())
        .text(fact::CAUSE, cause.word.word())
        .text(fact::DETAIL, &cause.detail);
    let effect = Effect::DeliveryParked { delivery: ready.delivery, cause };
    Step { run: ready.run, effects: vec![effect], records: NonEmpty::of(record) }
}
