//! What is known in memory: everything unfinished, and the recent.
//!
//! The same functions change it when a frame is written and when it is read back, so a journal
//! that was read has the state of the one that was written. [`check`](State::check) says whether a
//! step may be; [`apply`](State::apply) does it.
//!
//! Promises: a run is decided once (a held one once more); finished messages beyond the recent ones
//! are forgotten.
//! Not here: bytes and files; who is told (`committer`).

mod entry;
mod hash;
mod list;
mod window;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use hilum_words::{DeliveryId, Digest, MessageId, Name, RunId, Timestamp};

use crate::content::{ArrivalContent, Change, Output, Source, StepContent};
use crate::frame::FrameRef;
use crate::{DeliveryState, Options, Parked, RunStart, RunState, StoreError};

pub(crate) use entry::{Delivery, Message, Run};
use hash::{Map, Seed};
use window::Window;

/// A place in the journal: frame, and place within the frame.
pub(crate) type Order = (u64, u32);

/// Something that somebody is told once it is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Run(RunId),
    Queued(DeliveryId),
    Settled(RunId),
}

/// What an arrival is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    New,
    Known {
        message: MessageId,
        sequence: u64,
    },
    /// The same, but every run of the first ended refused or parked.
    Repeated {
        message: MessageId,
    },
    /// The same key for another body.
    Conflict {
        message: MessageId,
    },
}

/// The frame whose changes are applied.
#[derive(Clone, Copy)]
pub(crate) struct Written {
    pub(crate) sequence: u64,
    pub(crate) at: Timestamp,
    pub(crate) frame: FrameRef,
}

pub(crate) struct State {
    // Boxed, so that a map that grows moves pointers: the committer waits for it.
    messages: Map<MessageId, Box<Message>>,
    runs: Map<RunId, Box<Run>>,
    deliveries: Map<DeliveryId, Box<Delivery>>,
    recent: VecDeque<MessageId>,
    recent_max: usize,
    window: Window,
    undecided: BTreeSet<(Order, RunId)>,
    queued: BTreeMap<Name, BTreeSet<(Order, DeliveryId)>>,
    /// Parked and held.
    waiting: BTreeSet<(Order, Parked)>,
    held: u64,
    names: BTreeSet<Name>,
    /// Frames that nobody will soon ask for.
    released: Vec<FrameRef>,
    events: Vec<Event>,
    /// Messages that may have become finished by the step that is being applied.
    finished: Vec<MessageId>,
}

impl State {
    pub(crate) fn new(options: &Options, seed: u64) -> Self {
        let hash = Seed(seed);
        Self {
            messages: Map::with_hasher(hash),
            runs: Map::with_hasher(hash),
            deliveries: Map::with_hasher(hash),
            recent: VecDeque::new(),
            recent_max: options.recent_max,
            window: Window::new(options.duplicate_age, options.duplicate_ids_max, seed),
            undecided: BTreeSet::new(),
            queued: BTreeMap::new(),
            waiting: BTreeSet::new(),
            held: 0,
            names: BTreeSet::new(),
            released: Vec::new(),
            events: Vec::new(),
            finished: Vec::new(),
        }
    }

    /// What happened since this was asked last, in order.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The frames that were released since this was asked last.
    pub(crate) fn take_released(&mut self) -> Vec<FrameRef> {
        std::mem::take(&mut self.released)
    }

    /// New, known or conflict: decided here and nowhere else.
    pub(crate) fn decide(&mut self, arrival: &ArrivalContent, now: Timestamp) -> Verdict {
        let Some(used) = arrival.key.and_then(|key| self.window.find(key, now)) else {
            return Verdict::New;
        };
        let message = used.message;
        if !used.is_same_body(&arrival.record.digest) {
            return Verdict::Conflict { message };
        }
        if used.ended_badly || self.has_ended_badly(message) {
            return Verdict::Repeated { message };
        }
        Verdict::Known { message, sequence: used.sequence }
    }

    /// Whether every run of a message ended refused or parked. A run that was made again does not
    /// count; the one it was made into does.
    fn has_ended_badly(&self, message: MessageId) -> bool {
        let Some(message) = self.messages.get(&message) else {
            return false;
        };
        let states = message.runs.iter().filter_map(|run| self.runs.get(run)).map(|run| &run.state);
        let mut states = states.filter(|state| **state != RunState::Replayed).peekable();
        states.peek().is_some()
            && states.all(|state| {
                matches!(state, RunState::Refused(_) | RunState::Parked(_) | RunState::Discarded)
            })
    }

    /// Whether an arrival may be: its ids are new.
    pub(crate) fn check_arrival(&self, arrival: &ArrivalContent) -> Result<(), StoreError> {
        let is_new = |known: bool, item: String| match known {
            true => Err(StoreError::NotInState { item, state: "known", wanted: "accepted" }),
            false => Ok(()),
        };
        let id = arrival.record.envelope.message;
        is_new(self.messages.contains_key(&id), id.to_string())?;
        for (place, start) in arrival.runs.iter().enumerate() {
            let twice = arrival.runs.iter().take(place).any(|it| it.run == start.run);
            is_new(twice || self.runs.contains_key(&start.run), start.run.to_string())?;
        }
        Ok(())
    }

    /// A message came; it was checked.
    pub(crate) fn apply_arrival(&mut self, written: Written, arrival: ArrivalContent) {
        let id = arrival.record.envelope.message;
        if let Some(key) = arrival.key {
            let digest = &arrival.record.digest;
            self.window.insert(key, digest, id, written.sequence, written.at);
        }
        let source = Source {
            message: id,
            received: arrival.record.envelope.received,
            at: written.frame,
            body: arrival.body,
        };
        let mut message = Message::new(written.sequence, source);
        message.key = arrival.key;
        let generation = arrival.record.generation;
        message.record = Some(Arc::new(arrival.record));
        message.is_recent = true;
        message.frames.push((written.sequence, written.frame));
        self.messages.insert(id, Box::new(message));
        for (place, start) in (0..).zip(arrival.runs) {
            self.add_run(written, place, id, start, generation, None);
        }
        self.recent.push_back(id);
        while self.recent_max < self.recent.len() {
            if let Some(oldest) = self.recent.pop_front() {
                self.leave_recent(oldest);
            }
        }
    }

    fn add_run(
        &mut self,
        written: Written,
        place: u32,
        message: MessageId,
        start: RunStart,
        generation: Digest,
        parent: Option<RunId>,
    ) {
        let order = (written.sequence, place);
        let id = start.run;
        let mut lanes = start.lanes;
        lanes.shrink_to_fit();
        let run = Run {
            message,
            route: self.intern(&start.route),
            seed: start.seed,
            lanes,
            generation,
            starts: 0,
            state: RunState::Undecided,
            since: written.at,
            parent,
            deliveries: Vec::new(),
            order,
            waiting: None,
            queued: 0,
            frame: None,
        };
        self.runs.insert(id, Box::new(run));
        self.undecided.insert((order, id));
        if let Some(entry) = self.messages.get_mut(&message) {
            entry.runs.push(id);
            entry.open += 1;
            entry.active += 1;
        }
        self.events.push(Event::Run(id));
    }

    /// A worker began with a run.
    pub(crate) fn apply_start(&mut self, run: RunId) {
        if let Some(run) = self.runs.get_mut(&run) {
            run.starts = run.starts.saturating_add(1);
        }
    }

    /// Whether a step may be: each change from the state that it needs, none twice.
    pub(crate) fn check(&self, step: &StepContent) -> Result<(), StoreError> {
        let mut touched = BTreeSet::new();
        for change in &step.changes {
            let item = self.check_change(change)?;
            if !touched.insert(item) {
                let item = match item {
                    Parked::Run(run) => run.to_string(),
                    Parked::Delivery(delivery) => delivery.to_string(),
                };
                let (state, wanted) = ("in this step already", "changed again");
                return Err(StoreError::NotInState { item, state, wanted });
            }
        }
        Ok(())
    }

    fn check_change(&self, change: &Change) -> Result<Parked, StoreError> {
        match change {
            Change::Dispatched { run, outputs } => {
                for output in outputs {
                    if self.deliveries.contains_key(&output.delivery) {
                        let item = output.delivery.to_string();
                        let (state, wanted) = ("known", "queued");
                        return Err(StoreError::NotInState { item, state, wanted });
                    }
                }
                self.check_decidable(*run, "dispatched")
            }
            Change::Refused { run, .. } => self.check_decidable(*run, "refused"),
            Change::Held { run, .. } => self.check_decidable(*run, "held"),
            Change::Parked { run, .. } => self.check_decidable(*run, "parked"),
            Change::RunDiscarded { run } => self.check_run(*run, "discarded", |state| {
                matches!(state, RunState::Parked(_) | RunState::Held(_))
            }),
            Change::Replayed { parent, new, .. } => {
                if self.runs.contains_key(&new.run) {
                    let item = new.run.to_string();
                    let (state, wanted) = ("known", "begun");
                    return Err(StoreError::NotInState { item, state, wanted });
                }
                // A parent that is old and finished was forgotten; what is written names its
                // message all the same.
                if !self.runs.contains_key(parent) {
                    return Ok(Parked::Run(*parent));
                }
                self.check_run(*parent, "replayed", |state| {
                    !matches!(state, RunState::Undecided | RunState::Replayed)
                })
            }
            Change::Delivered { delivery, .. } => self.check_queued(*delivery, "delivered"),
            Change::Deferred { delivery, .. } => self.check_queued(*delivery, "deferred"),
            Change::DeliveryParked { delivery, .. } => self.check_queued(*delivery, "parked"),
            Change::Requeued { delivery } => {
                let entry = self.check_parked(*delivery, "queued again")?;
                if !entry.is_cleared {
                    return Err(StoreError::NotCleared(*delivery));
                }
                Ok(Parked::Delivery(*delivery))
            }
            Change::DeliveryDiscarded { delivery } => {
                self.check_parked(*delivery, "discarded")?;
                Ok(Parked::Delivery(*delivery))
            }
        }
    }

    fn check_run(
        &self,
        run: RunId,
        wanted: &'static str,
        may: impl FnOnce(&RunState) -> bool,
    ) -> Result<Parked, StoreError> {
        let entry = self.runs.get(&run).ok_or(StoreError::NoRun(run))?;
        if may(&entry.state) {
            return Ok(Parked::Run(run));
        }
        let (item, state) = (run.to_string(), entry.state.word());
        Err(StoreError::NotInState { item, state, wanted })
    }

    fn check_decidable(&self, run: RunId, wanted: &'static str) -> Result<Parked, StoreError> {
        self.check_run(run, wanted, |state| {
            matches!(state, RunState::Undecided | RunState::Held(_))
        })
    }

    fn check_queued(&self, id: DeliveryId, wanted: &'static str) -> Result<Parked, StoreError> {
        let entry = self.deliveries.get(&id).ok_or(StoreError::NoDelivery(id))?;
        if entry.state == DeliveryState::Queued {
            return Ok(Parked::Delivery(id));
        }
        let (item, state) = (id.to_string(), entry.state.word());
        Err(StoreError::NotInState { item, state, wanted })
    }

    fn check_parked(&self, id: DeliveryId, wanted: &'static str) -> Result<&Delivery, StoreError> {
        let entry = self.deliveries.get(&id).ok_or(StoreError::NoDelivery(id))?;
        if matches!(entry.state, DeliveryState::Parked(_)) {
            return Ok(entry);
        }
        let (item, state) = (id.to_string(), entry.state.word());
        Err(StoreError::NotInState { item, state, wanted })
    }

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
            Change::Refused { run, rejection } => {
                self.set_run(written, *run, RunState::Refused(rejection.clone()));
                self.events.push(Event::Settled(*run));
            }
            Change::Held { run, why } => self.set_run(written, *run, RunState::Held(why.clone())),
            Change::Parked { run, cause } => {
                self.set_run(written, *run, RunState::Parked(cause.clone()));
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
                lane: output.lane.as_slice().into(),
                ordinal: output.ordinal,
                attempts: 0,
                due: None,
                why: None,
                // The state before there was one; set below, which counts it.
                state: DeliveryState::Discarded,
                since: written.at,
                changed: written.sequence,
                order: (written.sequence, place),
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
        self.set_run(written, run, RunState::Dispatched);
        if self.runs.get(&run).is_some_and(|run| run.queued == 0) {
            self.events.push(Event::Settled(run));
        }
    }

    /// A run was made again: nothing of it waits for a person any more.
    fn supersede(&mut self, written: Written, parent: RunId) {
        let Some(run) = self.runs.get(&parent) else {
            return;
        };
        let is_waiting = matches!(run.state, RunState::Parked(_) | RunState::Held(_));
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
        self.held -= u64::from(matches!(run.state, RunState::Held(_)));
        self.held += u64::from(matches!(state, RunState::Held(_)));
        if matches!(state, RunState::Held(_) | RunState::Parked(_)) {
            let since = (written.sequence, run.order.1);
            run.waiting = Some(since);
            self.waiting.insert((since, Parked::Run(id)));
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

    fn leave_recent(&mut self, id: MessageId) {
        if let Some(entry) = self.messages.get_mut(&id) {
            entry.is_recent = false;
            // Unfinished messages may be many: what only people look at is read back when they do.
            entry.record = None;
        }
        self.forget_if_finished(id);
    }

    fn forget_if_finished(&mut self, id: MessageId) {
        let is_finished = |entry: &Message| entry.open == 0 && !entry.is_recent;
        if !self.messages.get(&id).map(Box::as_ref).is_some_and(is_finished) {
            return;
        }
        let badly = self.has_ended_badly(id);
        let Some(message) = self.messages.remove(&id) else {
            return;
        };
        if let Some(key) = message.key {
            self.window.note_end(key, id, badly);
        }
        for run in message.runs {
            for delivery in self.runs.remove(&run).map(|run| run.deliveries).unwrap_or_default() {
                self.deliveries.remove(&delivery);
            }
        }
    }

    /// One copy of each name.
    fn intern(&mut self, name: &Name) -> Name {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        self.names.insert(name.clone());
        name.clone()
    }
}
