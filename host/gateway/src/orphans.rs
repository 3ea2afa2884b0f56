//! Deliveries whose destination is no longer configured: parked, so that a person sees them, and
//! queued again by themselves when the destination comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use hilum_audit::{NonEmpty, Record, What, fact};
use hilum_env::Clock;
use hilum_store::{DeliveryReady, Effect, Parked, ParkedItem, Step, Store, StoreError};
use hilum_words::{Actor, Cause, CauseWord, Name, Timestamp};
use tokio::sync::Notify;
use tracing::{error, info, warn};

use crate::dispatch::Dispatch;

/// How many are looked up in the journal at once.
const TOGETHER_MAX: usize = 1_024;

/// Destinations that have something queued and nobody who fetches it.
#[derive(Default)]
pub(crate) struct Orphans {
    waiting: Mutex<BTreeSet<Name>>,
    offered: Notify,
    /// Held while deliveries are parked, and while those of a destination are queued again.
    turn: tokio::sync::Mutex<()>,
}

impl Orphans {
    /// Never blocks. The deliveries themselves are in the journal.
    pub(crate) fn offer(&self, destination: Name) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(destination);
        self.offered.notify_one();
    }

    fn take(&self) -> Option<Name> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_first()
    }

    /// Parks whatever is offered, for ever.
    pub(crate) async fn park(&self, dispatch: &Dispatch, store: &Store, clock: &dyn Clock) {
        loop {
            while let Some(destination) = self.take() {
                let _turn = self.turn.lock().await;
                self.park_all(&destination, dispatch, store, clock).await;
            }
            self.offered.notified().await;
        }
    }

    async fn park_all(
        &self,
        destination: &Name,
        dispatch: &Dispatch,
        store: &Store,
        clock: &dyn Clock,
    ) {
        while !dispatch.is_served(destination) {
            let (listed, _) = store.queued_first(destination, TOGETHER_MAX);
            if listed.is_empty() {
                return;
            }
            warn!(%destination, deliveries = listed.len(), "parked: the destination is not configured");
            for ready in &listed {
                let at = Timestamp::from_micros(clock.now_micros());
                match store.commit(parking(ready, at)).await {
                    Ok(_) => {}
                    // An operator was faster.
                    Err(StoreError::NotInState { .. } | StoreError::NoDelivery(_)) => {}
                    Err(fault) => {
                        error!(%destination, %fault, "deliveries without a destination stay queued");
                        return;
                    }
                }
            }
        }
    }

    /// Queues again what was parked while these destinations were not configured. Their couriers are
    /// in their places already.
    pub(crate) async fn welcome(&self, destinations: &[&Name], store: &Store, clock: &dyn Clock) {
        if destinations.is_empty() {
            return;
        }
        let _turn = self.turn.lock().await;
        let causes: BTreeMap<_, _> = destinations.iter().map(|it| (*it, cause(it))).collect();
        let is_orphan = |it: &ParkedItem| {
            let expected = it.destination.as_ref().and_then(|name| causes.get(name));
            expected.is_some() && it.cause.as_ref() == expected
        };
        let orphans: Vec<_> = store.parked().into_iter().filter(is_orphan).collect();
        if orphans.is_empty() {
            return;
        }
        info!(deliveries = orphans.len(), "queued again: their destinations are back");
        for item in orphans {
            let (Parked::Delivery(delivery), Some(destination)) = (item.item, &item.destination)
            else {
                continue;
            };
            let at = Timestamp::from_micros(clock.now_micros());
            let record = Record::new(at, What::Requeued, Actor::system("gateway"))
                .message(item.message)
                .run(item.run)
                .delivery(delivery)
                .text(fact::DESTINATION, destination.as_str())
                .text(fact::REASON, "the destination is configured again");
            let effects = vec![Effect::Requeued { delivery }];
            let step = Step { run: item.run, effects, records: NonEmpty::of(record) };
            match store.commit(step).await {
                Ok(_) | Err(StoreError::NotInState { .. } | StoreError::NoDelivery(_)) => {}
                Err(fault) => {
                    error!(%destination, %fault, "what was parked for a destination stays parked");
                    return;
                }
            }
        }
    }
}

/// Why a delivery is parked that nobody fetches. [`Orphans::welcome`] knows it by this.
fn cause(destination: &Name) -> Cause {
    Cause::new(
        CauseWord::Gone,
        format!("no destination is named \"{destination}\" in the current configuration"),
    )
}

fn parking(ready: &DeliveryReady, at: Timestamp) -> Step {
    let destination = &ready.destination;
    let cause = cause(destination);
    let record = Record::new(at, What::DeliveryParked, Actor::system("gateway"))
        .run(ready.run)
        .delivery(ready.delivery)
        .text(fact::DESTINATION, destination.as_str())
        .text(fact::CAUSE, cause.word.word())
        .text(fact::DETAIL, &cause.detail);
    let effect = Effect::DeliveryParked { delivery: ready.delivery, cause };
    Step { run: ready.run, effects: vec![effect], records: NonEmpty::of(record) }
}
