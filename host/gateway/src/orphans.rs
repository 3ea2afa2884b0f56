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

/// How many are looked up in the journal, and submitted to it, at once.
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
                // One turn for each handful, so that a change does not wait for a long queue.
                while self.park_some(&destination, dispatch, store, clock).await {}
            }
            self.offered.notified().await;
        }
    }

    /// Parks some of what is queued for a destination; whether there may be more.
    async fn park_some(
        &self,
        destination: &Name,
        dispatch: &Dispatch,
        store: &Store,
        clock: &dyn Clock,
    ) -> bool {
        let _turn = self.turn.lock().await;
        if dispatch.is_served(destination) {
            return false;
        }
        let (listed, _) = store.queued_first(destination, TOGETHER_MAX);
        if listed.is_empty() {
            return false;
        }
        let deliveries = listed.len();
        warn!(%destination, deliveries, "parked: the destination is not configured");
        let at = Timestamp::from_micros(clock.now_micros());
        let steps = listed.iter().map(|ready| parking(ready, at));
        commit_all(store, steps, "deliveries without a destination stay queued").await
    }

    /// Queues again what was parked while these destinations were not configured. Their couriers are
    /// in their places already.
    pub(crate) async fn welcome(&self, destinations: &[Name], store: &Store, clock: &dyn Clock) {
        if destinations.is_empty() {
            return;
        }
        let _turn = self.turn.lock().await;
        let causes: BTreeMap<_, _> = destinations.iter().map(|it| (it, cause(it))).collect();
        let is_orphan = |it: &ParkedItem| {
            let expected = it.destination.as_ref().and_then(|name| causes.get(name));
            expected.is_some() && it.cause.as_ref() == expected
        };
        let orphans: Vec<_> = store.parked().into_iter().filter(is_orphan).collect();
        if orphans.is_empty() {
            return;
        }
        info!(deliveries = orphans.len(), "queued again: their destinations are back");
        for some in orphans.chunks(TOGETHER_MAX) {
            let at = Timestamp::from_micros(clock.now_micros());
            let steps = some.iter().filter_map(|item| queueing(item, at));
            if !commit_all(store, steps, "what was parked for a destination stays parked").await {
                return;
            }
        }
    }
}

/// Commits all of them, and then waits for all; whether that went well. An operator may have been
/// faster with some.
async fn commit_all(store: &Store, steps: impl Iterator<Item = Step>, else_: &str) -> bool {
    let tickets: Vec<_> = steps.map(|step| store.commit(step)).collect();
    for ticket in tickets {
        match ticket.await {
            Ok(_) | Err(StoreError::NotInState { .. } | StoreError::NoDelivery(_)) => {}
            Err(fault) => {
                error!(%fault, "{else_}");
                return false;
            }
        }
    }
    true
}

/// Why a delivery is parked that nobody fetches. [`Orphans::welcome`] knows it by this.
fn cause(destination: &Name) -> Cause {
    Cause::new(
        CauseWord::Gone,
        format!("no destination is named \"{destination}\" in the current configuration"),
    )
}

fn queueing(item: &ParkedItem, at: Timestamp) -> Option<Step> {
    let (Parked::Delivery(delivery), Some(destination)) = (item.item, &item.destination) else {
        return None;
    };
    let record = Record::new(at, What::Requeued, Actor::system("gateway"))
        .message(item.message)
        .run(item.run)
        .delivery(delivery)
        .text(fact::DESTINATION, destination.as_str())
        .text(fact::REASON, "the destination is configured again");
    let effects = vec![Effect::Requeued { delivery }];
    Some(Step { run: item.run, effects, records: NonEmpty::of(record) })
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
