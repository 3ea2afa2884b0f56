//! One group: decided, written, synced, told.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use hilum_audit::{Record, What, fact};
use hilum_words::{Actor, MessageId, Timestamp};
use tracing::warn;

use super::Committer;
use crate::content::{Body, Draft, StepDraft};
use crate::frame::{FrameRef, Kind};
use crate::shared::{Request, Tally};
use crate::state::{Event, Verdict, Written};
use crate::tail::Tail;
use crate::ticket::Promise;
use crate::{Accepted, Committed, Happened, OnReused, StoreError, Stored};

/// How long a look at the free space is believed.
const ROOM_AGE: Duration = Duration::from_secs(1);

/// What is told after the sync.
enum Told {
    Accept(Promise<Accepted>, Result<Accepted, StoreError>),
    Commit(Promise<Committed>, Result<Committed, StoreError>),
}

impl Told {
    fn tell(self, failed: Option<&StoreError>) {
        match (self, failed) {
            (Self::Accept(promise, Ok(_)), Some(fault)) => promise.keep(Err(fault.clone())),
            (Self::Commit(promise, Ok(_)), Some(fault)) => promise.keep(Err(fault.clone())),
            (Self::Accept(promise, answer), _) => promise.keep(answer),
            (Self::Commit(promise, answer), _) => promise.keep(answer),
        }
    }
}

/// A group while it is written.
struct Group {
    now: Timestamp,
    told: Vec<Told>,
    events: Vec<(Event, Option<Bytes>)>,
    released: Vec<FrameRef>,
}

impl Committer {
    /// Writes a group and tells everybody concerned.
    pub(super) fn commit(&mut self, requests: Vec<Request>) {
        let has_room = self.has_room(&requests);
        let bytes: usize = requests.iter().map(Request::bytes).sum();
        let now = self.shared.now();
        let mut group = Group {
            now,
            told: Vec::with_capacity(requests.len()),
            events: Vec::new(),
            released: Vec::new(),
        };
        let outcome = self.write(requests, bytes, has_room, &mut group);
        let failed = outcome.err();
        for told in group.told {
            told.tell(failed.as_ref());
        }
        if failed.is_some() {
            return;
        }
        Tally::add(&self.shared.tally.groups, 1);
        let changes = self.shared.state().site.take_changes();
        if !changes.is_empty() {
            self.shared.catalogue().extend(&changes);
        }
        for (event, body) in group.events {
            self.tell_watcher(event, body);
        }
        self.shared.frames.release(&group.released);
    }

    fn write(
        &mut self,
        requests: Vec<Request>,
        bytes: usize,
        has_room: bool,
        group: &mut Group,
    ) -> Result<(), StoreError> {
        let shared = std::sync::Arc::clone(&self.shared);
        let write_failed = |fault: std::io::Error| shared.poison("write to a segment", &fault);
        let mut tail = shared.tail();
        let before = tail.sequence();
        let mut failed = None;
        if tail.is_full(bytes as u64, shared.options.segment_bytes) {
            failed = tail.roll(group.now).map_err(write_failed).err();
        }
        for request in requests {
            if let Some(fault) = &failed {
                request.fail(fault.clone());
                continue;
            }
            let written = match request {
                Request::Accept(draft, promise) => {
                    self.accept(draft, promise, &mut tail, has_room, group)
                }
                Request::Commit(draft, promise) => self.step_of(draft, promise, &mut tail, group),
            };
            failed = written.map_err(write_failed).err();
        }
        if failed.is_none() {
            failed = tail.write().map_err(write_failed).err();
        }
        let wrote = before < tail.sequence();
        drop(tail);
        match failed {
            Some(fault) => Err(fault),
            None if wrote => {
                Tally::add(&shared.tally.bytes_written, bytes as u64);
                self.sync()
            }
            None => Ok(()),
        }
    }

    /// Syncs what was written, once. A failed sync is never tried again.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let (file, sequence) = self.shared.tail().to_sync();
        file.sync_data().map_err(|fault| self.shared.poison("sync of a segment", &fault))?;
        self.shared.tail().synced(sequence);
        self.shared.durable.store(sequence, Ordering::Release);
        Ok(())
    }

    /// Decides an arrival: new, known or conflict.
    fn accept(
        &self,
        mut draft: Draft,
        promise: Promise<Accepted>,
        tail: &mut Tail,
        has_room: bool,
        group: &mut Group,
    ) -> std::io::Result<()> {
        let tally = &self.shared.tally;
        let mut state = self.shared.state();
        let verdict = state.decide(&draft.content, group.now);
        let mut make: fn(Stored) -> Accepted = Accepted::New;
        match verdict {
            Verdict::New => {}
            Verdict::Known { message, sequence } => {
                drop(state);
                Tally::add(&tally.known, 1);
                let known = Accepted::Known(self.stored(sequence, message));
                group.told.push(Told::Accept(promise, Ok(known)));
                return Ok(());
            }
            Verdict::Conflict { .. } if draft.on_reused == OnReused::Refuse => {
                drop(state);
                group.told.push(Told::Accept(promise, Ok(Accepted::Conflict)));
                return Ok(());
            }
            Verdict::Conflict { message } => {
                make = Accepted::Reused;
                let finding = format!("the control id was used before, by {message}");
                note(&mut draft, group.now, What::Conflict, message, finding);
            }
            Verdict::Repeated { message } => {
                let finding = format!("repeats {message}, which was refused or parked");
                note(&mut draft, group.now, What::Repeated, message, finding);
            }
        }
        if !has_room {
            drop(state);
            let percent = self.shared.options.free_space_percent;
            group.told.push(Told::Accept(promise, Err(StoreError::NoSpace { percent })));
            return Ok(());
        }
        if let Err(fault) = state.check_arrival(&draft.content) {
            drop(state);
            group.told.push(Told::Accept(promise, Err(fault)));
            return Ok(());
        }
        // Nobody but the holder of the tail changes the state, so readers may have it meanwhile.
        drop(state);
        let sequence = tail.sequence() + 1;
        let frame = tail.push(Kind::Arrival, group.now, &draft.payload)?;
        let message = draft.content.record.envelope.message;
        let Body { start, length } = draft.content.body;
        let mut state = self.shared.state();
        state.apply_arrival(Written { sequence, at: group.now, frame }, *draft.content);
        let events = state.take_events();
        group.released.append(&mut state.take_released());
        drop(state);
        Tally::add(&tally.accepted, 1);
        Tally::add(&tally.reused, u64::from(matches!(verdict, Verdict::Conflict { .. })));
        let (start, length) = (start as usize, length as usize);
        let payload = Bytes::from(draft.payload);
        let body = payload.slice(start..start + length);
        if !events.is_empty() {
            self.shared.frames.keep(frame, payload);
        }
        group.events.extend(events.into_iter().map(|event| (event, Some(body.clone()))));
        group.told.push(Told::Accept(promise, Ok(make(self.stored(sequence, message)))));
        Ok(())
    }

    /// Checks a step against the state and writes it.
    fn step_of(
        &self,
        draft: StepDraft,
        promise: Promise<Committed>,
        tail: &mut Tail,
        group: &mut Group,
    ) -> std::io::Result<()> {
        let checked = self.shared.state().check(&draft.content);
        if let Err(fault) = checked {
            group.told.push(Told::Commit(promise, Err(fault)));
            return Ok(());
        }
        let sequence = tail.sequence() + 1;
        let frame = tail.push(Kind::Step, group.now, &draft.payload)?;
        let mut state = self.shared.state();
        state.apply(Written { sequence, at: group.now, frame }, &draft.content);
        let events = state.take_events();
        group.released.append(&mut state.take_released());
        drop(state);
        let is_awaited = |event: &Event| matches!(event, Event::Queued(_));
        if events.iter().any(is_awaited) && draft.content.has_outputs() {
            self.shared.frames.keep(frame, Bytes::from(draft.payload));
        }
        group.events.extend(events.into_iter().map(|event| (event, None)));
        group.told.push(Told::Commit(promise, Ok(Committed { sequence })));
        Ok(())
    }

    fn stored(&self, sequence: u64, message: MessageId) -> Stored {
        let identity = self.shared.identity;
        Stored { node: identity.node, log: identity.log, sequence, message }
    }

    fn tell_watcher(&mut self, event: Event, body: Option<Bytes>) {
        let known = self.shared.state();
        // What has been decided since does not have to be told.
        let happened = match event {
            Event::Run(run) => {
                known.run_ready(run).map(|ready| Happened::Run(crate::RunReady { body, ..ready }))
            }
            Event::Queued(delivery) => known.delivery_ready(delivery).map(Happened::Queued),
            Event::Settled(run) => Some(Happened::Settled(run)),
            Event::Decided(run, state) => Some(Happened::Decided { run, state }),
            Event::Unparked(delivery, destination) => {
                Some(Happened::Unparked { delivery, destination })
            }
        };
        drop(known);
        if let Some(happened) = happened {
            (self.watcher)(happened);
        }
    }

    /// Whether the disk has room for messages. Asked only where one waits, and once a second.
    fn has_room(&mut self, requests: &[Request]) -> bool {
        if !requests.iter().any(|request| matches!(request, Request::Accept(..))) {
            return true;
        }
        let now = self.shared.doors.clock.instant();
        if let Some((at, has_room)) = self.room
            && now.since(at) < ROOM_AGE
        {
            return has_room;
        }
        let percent = u64::from(self.shared.options.free_space_percent);
        let has_room = match self.shared.folder.disk.space(&self.shared.folder.root) {
            Ok(space) => space.total / 100 * percent <= space.free,
            Err(fault) => {
                // Not knowing is no reason to stop a hospital's intake: a full disk fails the write.
                warn!(%fault, "the free space could not be read");
                true
            }
        };
        if !has_room && self.room.is_none_or(|(_, had)| had) {
            warn!(percent, "the disk is nearly full; no message is accepted");
        }
        self.room = Some((now, has_room));
        has_room
    }
}

/// Adds to an arrival what the committer alone knows: a finding, and its evidence.
fn note(draft: &mut Draft, now: Timestamp, what: What, earlier: MessageId, finding: String) {
    let record = Record::new(now, what, Actor::system("store"))
        .message(draft.content.record.envelope.message)
        .text(fact::EARLIER, earlier.to_string());
    draft.add_finding(finding);
    draft.add_evidence(&record);
}
