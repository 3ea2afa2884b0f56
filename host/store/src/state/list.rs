//! What the state answers when it is asked.

use std::collections::BTreeSet;

use hilum_words::{DeliveryId, MessageId, Name, RunId};

use super::{Delivery, Message, Order, State};
use crate::content::Source;
use crate::frame::FrameRef;
use crate::{
    Ahead, Counts, DeliveryReady, DeliveryState, MessageRecord, MessageSummary, Parked, ParkedItem,
    RunReady, RunRecord, RunState, Standing, StoreError,
};

impl State {
    /// A message that is durable.
    pub(crate) fn find_message(&self, id: MessageId, durable: u64) -> Option<&Message> {
        self.messages.get(&id).map(Box::as_ref).filter(|message| message.sequence <= durable)
    }

    /// A delivery that was durably made.
    pub(crate) fn find_delivery(&self, id: DeliveryId, durable: u64) -> Option<&Delivery> {
        self.deliveries.get(&id).map(Box::as_ref).filter(|entry| entry.order.0 <= durable)
    }

    /// The message of a run, with its bytes.
    pub(crate) fn source(&self, id: RunId) -> Result<Source, StoreError> {
        let run = self.runs.get(&id).ok_or(StoreError::NoRun(id))?;
        let message = self.messages.get(&run.message);
        message.map(|message| message.source).ok_or(StoreError::NoMessage(run.message))
    }

    pub(crate) fn run_record(&self, id: RunId) -> Option<RunRecord> {
        let run = self.runs.get(&id)?;
        Some(RunRecord {
            run: id,
            message: run.message,
            route: run.route.clone(),
            seed: run.seed,
            lanes: run.lanes.clone(),
            generation: run.generation,
            from_step: run.from_step,
            starts: run.starts,
            state: run.state.clone(),
            since: run.since,
            parent: run.parent,
            deliveries: run.deliveries.clone(),
        })
    }

    pub(crate) fn run_ready(&self, id: RunId) -> Option<RunReady> {
        let run = self.runs.get(&id)?;
        Some(RunReady {
            run: id,
            message: run.message,
            route: run.route.clone(),
            lanes: run.lanes.clone(),
            body: None,
        })
    }

    pub(crate) fn delivery_ready(&self, id: DeliveryId) -> Option<DeliveryReady> {
        let entry = self.deliveries.get(&id)?;
        Some(DeliveryReady {
            delivery: id,
            run: entry.run,
            destination: entry.destination.clone(),
            lanes: entry.lanes.iter().map(|lane| lane.to_vec()).collect(),
            place: entry.order,
            is_again: entry.is_again,
            attempts: entry.attempts,
            due: entry.due,
            since: entry.since,
        })
    }

    /// The undecided runs of which the journal is durable up to `durable`, in its order.
    pub(crate) fn undecided(&self, durable: u64) -> Vec<RunId> {
        let all = self.undecided.iter();
        all.take_while(|((sequence, _), _)| *sequence <= durable).map(|(_, run)| *run).collect()
    }

    /// The destinations for which something is queued.
    pub(crate) fn queued_destinations(&self) -> Vec<Name> {
        let waits = self.queued.iter().filter(|(_, queue)| !queue.is_empty());
        waits.map(|(name, _)| name.clone()).collect()
    }

    /// At most `max` of what is durably queued for a destination, in the journal's order, and
    /// whether that is all.
    pub(crate) fn queued(
        &self,
        destination: &str,
        max: usize,
        durable: u64,
    ) -> (Vec<DeliveryReady>, bool) {
        let Some(queue) = self.queued.get(destination) else {
            return (Vec::new(), true);
        };
        let mut ready = queue.iter().filter(|(_, id)| {
            self.deliveries.get(id).is_some_and(|entry| entry.changed <= durable)
        });
        let first: Vec<_> =
            ready.by_ref().take(max).filter_map(|(_, id)| self.delivery_ready(*id)).collect();
        (first, ready.next().is_none())
    }

    /// At most `max` of what is queued for a destination, and parked if that is wanted, in the order in
    /// which it was first queued, from `from`; and whether that is all.
    pub(crate) fn standing(
        &self,
        destination: &str,
        from: Order,
        max: usize,
        with_parked: bool,
        durable: u64,
    ) -> (Vec<Standing>, bool) {
        let from = (from, DeliveryId::from_bits(0));
        let range = |set: &BTreeSet<(Order, DeliveryId)>| {
            set.range(from..).take(max.saturating_add(1)).copied().collect::<Vec<_>>()
        };
        let mut all = self.queued.get(destination).map(range).unwrap_or_default();
        if with_parked {
            all.extend(self.parked.get(destination).map(range).unwrap_or_default());
        }
        all.sort_unstable();
        let is_all = all.len() <= max;
        all.truncate(max);
        let standing = all.into_iter().filter_map(|(_, id)| {
            let entry = self.deliveries.get(&id)?;
            let is_parked = matches!(entry.state, DeliveryState::Parked(_));
            let is_durable = entry.changed <= durable;
            Some(Standing { ready: self.delivery_ready(id)?, is_parked, is_durable })
        });
        (standing.collect(), is_all)
    }

    /// How many are queued for a destination.
    pub(crate) fn queued_count(&self, destination: &str) -> usize {
        self.queued.get(destination).map_or(0, BTreeSet::len)
    }

    /// What a queued delivery stands behind, as far as the last `max` before it say: the nearest that
    /// is parked if those are waited for, else the first of those that go before it.
    pub(crate) fn ahead(&self, id: DeliveryId, with_parked: bool, max: usize) -> Option<Ahead> {
        let entry = self.deliveries.get(&id)?;
        if entry.is_again && !with_parked {
            // It goes at the end, wherever it was queued first.
            return None;
        }
        let before = |set: &BTreeSet<(Order, DeliveryId)>| {
            set.range(..(entry.order, id)).rev().take(max).copied().collect::<Vec<_>>()
        };
        let destination = &*entry.destination;
        let mut all = self.queued.get(destination).map(before).unwrap_or_default();
        if with_parked {
            all.extend(self.parked.get(destination).map(before).unwrap_or_default());
        }
        all.sort_unstable_by(|one, other| other.cmp(one));
        let mut lanes: BTreeSet<&[u8]> = entry.lanes.iter().map(|it| &**it).collect();
        let mut first = None;
        for (_, id) in all.into_iter().take(max) {
            let Some(entry) = self.deliveries.get(&id) else { continue };
            let is_before = with_parked || !entry.is_again;
            if !is_before || !entry.lanes.iter().any(|it| lanes.contains(&**it)) {
                continue;
            }
            // A merge holds up what stands in any of its lanes.
            lanes.extend(entry.lanes.iter().map(|it| &**it));
            let is_parked = matches!(entry.state, DeliveryState::Parked(_));
            let why = entry.why.as_deref().map(str::to_owned);
            first = Some(Ahead { delivery: id, is_parked, due: entry.due, why });
            if is_parked {
                break;
            }
        }
        first
    }

    /// The lanes in which a delivery to this destination is durably parked.
    pub(crate) fn parked_lanes(&self, destination: &str, durable: u64) -> Vec<Vec<u8>> {
        let parked = self.parked.get(destination).into_iter().flatten();
        let entries = parked.filter_map(|(_, id)| self.deliveries.get(id));
        let lanes = entries.filter(|entry| entry.changed <= durable).flat_map(|it| &it.lanes);
        let lanes: BTreeSet<&[u8]> = lanes.map(|lane| &**lane).collect();
        lanes.into_iter().map(<[u8]>::to_vec).collect()
    }

    /// A message's record as it is known in memory, with the runs that it has now.
    pub(crate) fn message_record(&self, id: MessageId, durable: u64) -> Option<MessageRecord> {
        let message = self.find_message(id, durable)?;
        let mut record = MessageRecord::clone(message.record.as_ref()?);
        record.runs.clone_from(&message.runs);
        Some(record)
    }

    /// At most `limit` of the recent messages, newest first, from the one before `before`.
    pub(crate) fn recent(
        &self,
        limit: usize,
        before: Option<MessageId>,
        durable: u64,
    ) -> Vec<MessageSummary> {
        let mut newest = self.recent.iter().rev().copied();
        if let Some(before) = before {
            newest.by_ref().find(|it| *it == before);
        }
        newest
            .filter(|id| self.messages.get(id).is_some_and(|it| it.sequence <= durable))
            .take(limit)
            .filter_map(|id| self.summary(id))
            .collect()
    }

    fn summary(&self, id: MessageId) -> Option<MessageSummary> {
        let message = self.messages.get(&id)?;
        let record = message.record.as_ref()?;
        let runs = || message.runs.iter().filter_map(|run| self.runs.get(run));
        let entries = || {
            let all = runs().flat_map(|run| &run.deliveries);
            all.filter_map(|delivery| self.deliveries.get(delivery))
        };
        let is_retried = entries().any(|it| it.state == DeliveryState::Queued && 0 < it.attempts);
        let deliveries =
            entries().map(|entry| (entry.destination.clone(), entry.state.clone())).collect();
        Some(MessageSummary {
            message: id,
            received: record.envelope.received,
            listener: record.envelope.listener.clone(),
            kind: record.kind.clone(),
            bytes: record.bytes,
            findings: record.findings.len(),
            runs: runs().map(|run| (run.route.clone(), run.state.clone())).collect(),
            deliveries,
            is_retried,
        })
    }

    /// What waits for a person, oldest first.
    pub(crate) fn parked(&self) -> Vec<ParkedItem> {
        self.waiting.iter().filter_map(|(_, item)| self.parked_item(*item)).collect()
    }

    /// A run or delivery, if it waits for a person.
    pub(crate) fn parked_item(&self, item: Parked) -> Option<ParkedItem> {
        match item {
            Parked::Run(id) => {
                let run = self.runs.get(&id)?;
                let (cause, held) = match &run.state {
                    RunState::Parked(cause) => (Some(cause.clone()), None),
                    RunState::Held { why, .. } => (None, Some(why.clone())),
                    _ => return None,
                };
                Some(ParkedItem {
                    item,
                    message: run.message,
                    run: id,
                    route: run.route.clone(),
                    destination: None,
                    cause,
                    held,
                    since: run.since,
                })
            }
            Parked::Delivery(id) => {
                let entry = self.deliveries.get(&id)?;
                let run = self.runs.get(&entry.run)?;
                let DeliveryState::Parked(cause) = &entry.state else {
                    return None;
                };
                Some(ParkedItem {
                    item,
                    message: run.message,
                    run: entry.run,
                    route: run.route.clone(),
                    destination: Some(entry.destination.clone()),
                    cause: Some(cause.clone()),
                    held: None,
                    since: entry.since,
                })
            }
        }
    }

    /// The durable frames that speak of a message.
    pub(crate) fn frames(&self, id: MessageId, durable: u64) -> Option<Vec<FrameRef>> {
        let frames = self.find_message(id, durable)?.frames.iter();
        Some(frames.filter(|(sequence, _)| *sequence <= durable).map(|(_, at)| *at).collect())
    }

    /// Fills in what the state counts.
    pub(crate) fn count(&self, counts: &mut Counts) {
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        counts.messages = wide(self.messages.len());
        counts.undecided = wide(self.undecided.len());
        counts.queued = self.queued.values().map(|queue| wide(queue.len())).sum();
        counts.held = self.held;
        counts.parked = wide(self.waiting.len()) - self.held;
    }
}
