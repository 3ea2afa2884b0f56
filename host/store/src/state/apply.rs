//! What a step changes, once it was checked.

use hilum_words::{DeliveryId, MessageId, RunId};

use super::{Delivery, Event, Message, Run, State, Written};
use crate::content::{Change, Output, StepContent};
use crate::{DeliveryState, Parked, RunState};

impl State {
    /// Does what was checked.
    pub(crate) fn apply(&mut self, written: Written, step: &StepContent) {
        if let Some(message) = step.message.and_then(|id| self.messages.get_mut(&id)) {
            message.frames.push((written.sequence, written.frame));
        }
        for (place, change) in (0..).zip(&step.changes) {
            self.apply_change(written, place, change);
        }
        for message in std::mem::take(&mut self.finished) {
            self.forget_if_finished(message);
        }
    }

    fn apply_change(&mut self, written: Written, place: u32, change: &Change) {
        match change {
            Change::Dispatched { run, outputs } => self.dispatch(written, *run, outputs),
            Change::Refused { run, rejections } => {
                self.decide_run(written, *run, RunState::Refused(rejections.clone()));
                self.events.push(Event::Settled(*run));
            }
            Change::Held { run, why, step } => {
                let state = RunState::Held { why: why.clone(), step: *step };
                self.decide_run(written, *run, state);
            }
            Change::Parked { run, cause } => {
                self.decide_run(written, *run, RunState::Parked(cause.clone()));
            }
            Change::Released { run, next } => self.release_run(written, *run, *next),
            Change::Applied { generation } => self.site.apply(written.sequence, generation.clone()),
            Change::Marked { key, value } => {
                self.site.mark(written.sequence, key, value.as_deref());
            }
            Change::RunDiscarded { run } => self.set_run(written, *run, RunState::Discarded),
            Change::Replayed { parent, new, generation, source } => {
                self.supersede(written, *parent);
                self.messages
                    .entry(source.message)
                    .or_insert_with(|| Box::new(Message::new(written.sequence, *source)));
                let parent = Some(*parent);
                self.add_run(written, place, source.message, new.clone(), *generation, parent);
            }
            Change::Delivered { delivery, answer } => {
                if let Some(entry) = self.deliveries.get_mut(delivery) {
                    entry.attempts = entry.attempts.saturating_add(1);
                    entry.answer = answer.as_ref().map(|_| written.frame);
                }
                self.set_delivery(written, *delivery, DeliveryState::Delivered);
            }
            Change::Deferred { delivery, attempt, due, why } => {
                if let Some(entry) = self.deliveries.get_mut(delivery) {
                    entry.attempts = *attempt;
                    entry.due = Some(*due);
                    entry.why = Some(why.as_str().into());
                    entry.changed = written.sequence;
                }
            }
            Change::DeliveryParked { delivery, cause } => {
                let state = DeliveryState::Parked(cause.clone());
                self.set_delivery(written, *delivery, state);
            }
            Change::Requeued { delivery } => {
                if let Some(entry) = self.deliveries.get_mut(delivery) {
                    // A person asked: attempts and age begin again.
                    (entry.attempts, entry.due, entry.why) = (0, None, None);
                    entry.is_again = true;
                }
                self.set_delivery(written, *delivery, DeliveryState::Queued);
            }
            Change::DeliveryDiscarded { delivery } => {
                self.set_delivery(written, *delivery, DeliveryState::Discarded);
            }
        }
    }

    fn dispatch(&mut self, written: Written, run: RunId, outputs: &[Output]) {
        for (place, output) in (0..).zip(outputs) {
            let entry = Delivery {
                run,
                destination: self.intern(&output.destination),
                lanes: output.lanes.iter().map(|lane| lane.as_slice().into()).collect(),
                ordinal: output.ordinal,
                attempts: 0,
                due: None,
                why: None,
                // The state before there was one; set below, which counts it.
                state: DeliveryState::Discarded,
                since: written.at,
                changed: written.sequence,
                order: (written.sequence, place),
                is_again: false,
                waiting: None,
                frame: written.frame,
                is_cleared: output.cleared.is_some(),
                answer: None,
            };
            self.deliveries.insert(output.delivery, Box::new(entry));
            if let Some(run) = self.runs.get_mut(&run) {
                run.deliveries.push(output.delivery);
                run.frame = Some(written.frame);
            }
        }
        for output in outputs {
            let state = match &output.parked {
                Some(cause) => DeliveryState::Parked(cause.clone()),
                None => DeliveryState::Queued,
            };
            self.enter_delivery(written, output.delivery, state);
        }
        self.decide_run(written, run, RunState::Dispatched);
        if self.runs.get(&run).is_some_and(|run| run.queued == 0) {
            self.events.push(Event::Settled(run));
        }
    }

    /// A run was made again: nothing of it waits for a person any more.
    fn supersede(&mut self, written: Written, parent: RunId) {
        let Some(run) = self.runs.get(&parent) else {
            return;
        };
        let is_waiting = matches!(run.state, RunState::Parked(_) | RunState::Held { .. });
        let parked: Vec<DeliveryId> = run
            .deliveries
            .iter()
            .copied()
            .filter(|it| {
                let state = self.deliveries.get(it).map(|entry| &entry.state);
                matches!(state, Some(DeliveryState::Parked(_)))
            })
            .collect();
        if is_waiting {
            self.set_run(written, parent, RunState::Replayed);
        }
        for delivery in parked {
            self.set_delivery(written, delivery, DeliveryState::Replayed);
        }
    }

    fn decide_run(&mut self, written: Written, run: RunId, state: RunState) {
        self.events.push(Event::Decided(run, state.clone()));
        self.set_run(written, run, state);
    }

    /// A person lets a held run go on, in its old place.
    fn release_run(&mut self, written: Written, id: RunId, next: u32) {
        if let Some(run) = self.runs.get_mut(&id) {
            // As after any act of a person, starts begin again.
            (run.from_step, run.starts) = (next, 0);
        }
        self.set_run(written, id, RunState::Undecided);
        self.events.push(Event::Run(id));
    }

    fn set_run(&mut self, written: Written, id: RunId, state: RunState) {
        let Some(run) = self.runs.get_mut(&id) else {
            return;
        };
        let message = run.message;
        let (was_open, was_active) = Run::weight(&run.state);
        let (is_open, is_active) = Run::weight(&state);
        if run.state == RunState::Undecided {
            self.undecided.remove(&(run.order, id));
        }
        if let Some(since) = run.waiting.take() {
            self.waiting.remove(&(since, Parked::Run(id)));
        }
        self.held -= u64::from(matches!(run.state, RunState::Held { .. }));
        self.held += u64::from(matches!(state, RunState::Held { .. }));
        if matches!(state, RunState::Held { .. } | RunState::Parked(_)) {
            let since = (written.sequence, run.order.1);
            run.waiting = Some(since);
            self.waiting.insert((since, Parked::Run(id)));
        }
        if state == RunState::Undecided {
            self.undecided.insert((run.order, id));
        }
        run.state = state;
        run.since = written.at;
        self.weigh(message, [was_open, was_active], [is_open, is_active]);
    }

    /// A delivery leaves its state for another.
    fn set_delivery(&mut self, written: Written, id: DeliveryId, state: DeliveryState) {
        let Some(entry) = self.deliveries.get_mut(&id) else {
            return;
        };
        let (order, run) = (entry.order, entry.run);
        let was_queued = entry.state == DeliveryState::Queued;
        if let Some(since) = entry.waiting.take() {
            self.waiting.remove(&(since, Parked::Delivery(id)));
        }
        if was_queued && let Some(queue) = self.queued.get_mut(&entry.destination) {
            queue.remove(&(order, id));
        }
        if matches!(entry.state, DeliveryState::Parked(_)) {
            if let Some(parked) = self.parked.get_mut(&entry.destination) {
                parked.remove(&(order, id));
            }
            if state != DeliveryState::Queued {
                self.events.push(Event::Unparked(id, entry.destination.clone()));
            }
        }
        let (open, active) = Delivery::weight(&entry.state);
        entry.state = DeliveryState::Discarded;
        let message = self.runs.get(&run).map(|run| run.message);
        if let Some(message) = message {
            self.weigh(message, [open, active], [0, 0]);
        }
        self.enter_delivery(written, id, state);
        let Some(entry) = self.runs.get_mut(&run) else {
            return;
        };
        if was_queued {
            entry.queued = entry.queued.saturating_sub(1);
            if entry.queued == 0 {
                self.events.push(Event::Settled(run));
                self.released.extend(entry.frame);
            }
        }
    }

    /// A delivery enters a state.
    fn enter_delivery(&mut self, written: Written, id: DeliveryId, state: DeliveryState) {
        let Some(entry) = self.deliveries.get_mut(&id) else {
            return;
        };
        let (order, run) = (entry.order, entry.run);
        let (open, active) = Delivery::weight(&state);
        match &state {
            DeliveryState::Queued => {
                let queue = self.queued.entry(entry.destination.clone()).or_default();
                queue.insert((order, id));
                self.events.push(Event::Queued(id));
            }
            DeliveryState::Parked(_) => {
                self.parked.entry(entry.destination.clone()).or_default().insert((order, id));
                let since = (written.sequence, order.1);
                entry.waiting = Some(since);
                self.waiting.insert((since, Parked::Delivery(id)));
            }
            _ => {}
        }
        let is_queued = state == DeliveryState::Queued;
        entry.state = state;
        entry.since = written.at;
        entry.changed = written.sequence;
        let Some(run) = self.runs.get_mut(&run) else {
            return;
        };
        run.queued += u32::from(is_queued);
        let message = run.message;
        self.weigh(message, [0, 0], [open, active]);
    }

    /// Keeps count of what of a message is unfinished, and what of that needs no person.
    fn weigh(&mut self, message: MessageId, before: [u32; 2], after: [u32; 2]) {
        let Some(entry) = self.messages.get_mut(&message) else {
            return;
        };
        let ([was_open, was_active], [is_open, is_active]) = (before, after);
        entry.open = (entry.open + is_open).saturating_sub(was_open);
        let was = entry.active;
        entry.active = (entry.active + is_active).saturating_sub(was_active);
        if was != 0 && entry.active == 0 {
            self.released.push(entry.source.at);
        }
        if entry.open == 0 && !entry.is_recent {
            self.finished.push(message);
        }
    }
}
