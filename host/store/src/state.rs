//! What is known in memory: everything unfinished, and the recent.
//!
//! The same functions change it when a frame is written and when it is read back, so a journal
//! that was read has the state of the one that was written. [`check`](State::check) says whether a
//! step may be; [`apply`](State::apply) does it.
//!
//! Promises: a run is decided once (a held one once more); finished messages beyond the recent ones
//! are forgotten.
//! Not here: bytes and files; who is told (`committer`).

mod apply;
mod check;
mod entry;
mod hash;
mod list;
mod site;
mod window;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use hilum_words::{DeliveryId, Digest, MessageId, Name, RunId, Timestamp};

use crate::content::{ArrivalContent, Source};
use crate::frame::FrameRef;
use crate::{Options, Parked, RunStart, RunState, StoreError};

pub(crate) use entry::{Delivery, Message, Run};
use hash::{Map, Seed};
pub(crate) use site::{Site, SiteChange};
use window::Window;

pub(crate) type Order = crate::JournalPlace;

/// Something that somebody is told once it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Run(RunId),
    Decided(RunId, RunState),
    Queued(DeliveryId),
    Settled(RunId),
    Unparked(DeliveryId, Name),
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
    /// Parked deliveries by destination.
    parked: BTreeMap<Name, BTreeSet<(Order, DeliveryId)>>,
    pub(crate) site: Site,
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
            parked: BTreeMap::new(),
            site: Site::default(),
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
            from_step: 0,
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
