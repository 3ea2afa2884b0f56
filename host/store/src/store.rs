use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use hilum_audit::{NonEmpty, Record};
use hilum_env::{Bell, Doors, Space};
use hilum_words::{DeliveryId, Digest, MessageId, Name, RunId};
use tracing::info;

use crate::catalogue::Catalogue;
use crate::content::{self, Change, Content, Draft, StepDraft};
use crate::folder::{Folder, Identity};
use crate::frame::Kind;
use crate::frames::Frames;
use crate::recover::recover;
use crate::shared::{Haste, Queue, Request, Shared, Tally};
use crate::site::VALUE_BYTES_MAX;
use crate::state::State;
use crate::ticket::promise;
use crate::wire::Unread;
use crate::{
    Accepted, Ahead, Arrival, Committed, Committer, Counts, DeliveryReady, DeliveryRecord,
    GenerationRecord, JournalPlace, MarkKey, MemoryTable, MessageRecord, MessageSummary, OpenError,
    OpenTable, Options, Parked, ParkedItem, RunRecord, Standing, Step, StoreError, Ticket, Watcher,
    blobs, deliveries, syncs,
};

/// How many deliveries are looked at in search of what stands before one.
const AHEAD_MAX: usize = 4_096;

/// Opens the journal: takes its folder, reads all of it, cuts a torn tail. Give the committer to
/// `Tasks::drive` and the bell that comes back to [`Store::attach`].
///
/// The watcher is told nothing of what was there before: ask [`Store::undecided`] and
/// [`Store::queued`].
pub fn open(
    doors: &Doors,
    options: Options,
    watcher: Watcher,
) -> Result<(Store, Committer), OpenError> {
    open_with(doors, options, &|_| Ok(Box::new(MemoryTable::default())), watcher)
}

/// The same with a catalogue that is there at the next start: [`Tree::open`](crate::Tree::open) opens
/// one on a real disk. It lies in the folder `catalogue` beside the segments; it is moved away and
/// made again if it cannot be used.
pub fn open_with(
    doors: &Doors,
    options: Options,
    open_table: &OpenTable<'_>,
    watcher: Watcher,
) -> Result<(Store, Committer), OpenError> {
    let folder = Folder { disk: Arc::clone(&doors.disk), root: options.folder.clone() };
    let root = &folder.root;
    folder.disk.create_folder(root).map_err(Folder::failed("making the folder", root))?;
    let lock = match folder.disk.lock(root) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            return Err(OpenError::InUse { folder: root.clone() });
        }
        Err(error) => return Err(Folder::failed("locking", root)(error)),
    };
    if options.syncs_measured != 0 {
        syncs::measure(doors, root, options.syncs_measured)?;
    }
    let number = || u64::from_le_bytes(doors.entropy.bytes());
    let fresh = Identity { node: 1, log: number(), mark: number() };
    let mut state = State::new(&options, number());
    let now = hilum_words::Timestamp::from_micros(doors.clock.now_micros());
    let (tail, identity) = recover(&folder, fresh, now, &mut state)?;
    let changes = state.site.take_changes();
    let catalogue = Catalogue::open(&folder, identity.log, open_table, &changes);
    catalogue.check(&folder, tail.sequence())?;
    let mut found = Counts::default();
    state.count(&mut found);
    info!(
        segments = tail.segment(),
        sequence = tail.sequence(),
        undecided = found.undecided,
        queued = found.queued,
        parked = found.parked,
        held = found.held,
        "journal opened"
    );
    let frames = Frames::new(folder.clone(), identity.mark, options.bodies_in_memory_max);
    let shared = Arc::new(Shared {
        doors: doors.clone(),
        options,
        folder,
        identity,
        frames,
        durable: AtomicU64::new(tail.sequence()),
        catalogue: Mutex::new(catalogue),
        tail: Mutex::new(tail),
        state: Mutex::new(state),
        queue: Mutex::new(Queue::default()),
        tally: Tally::default(),
        poison: OnceLock::new(),
        bell: OnceLock::new(),
        _lock: lock,
    });
    Ok((Store { shared: Arc::clone(&shared) }, Committer::new(shared, watcher)))
}

/// The journal, for everybody. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

impl Store {
    /// The bell that wakes the committer.
    pub fn attach(&self, bell: Bell) {
        if self.shared.bell.set(bell).is_ok() {
            // Something may have come before there was a bell.
            self.shared.ring();
        }
    }

    /// Makes a message durable, unless it is known already.
    pub fn accept(&self, arrival: Arrival) -> Ticket<Accepted> {
        match Draft::of(arrival, self.shared.options.body_bytes_max) {
            Ok(draft) => {
                let (promise, ticket) = promise();
                self.shared.submit(Request::Accept(draft, promise), Haste::Awaited);
                ticket
            }
            Err(fault) => Ticket::answered(Err(fault)),
        }
    }

    /// Makes a decision durable.
    pub fn commit(&self, step: Step) -> Ticket<Committed> {
        self.submit_step(self.draft(step), Haste::Awaited)
    }

    /// The same for a decision that nobody waits for: it is synced with what others wait for, or
    /// with more of its kind, two milliseconds later at the latest.
    pub fn commit_soon(&self, step: Step) -> Ticket<Committed> {
        self.submit_step(self.draft(step), Haste::Soon)
    }

    /// Makes evidence durable that belongs to no change of a run: a start, a look at a message.
    pub fn note(&self, records: NonEmpty<Record>) -> Ticket<Committed> {
        self.submit_step(StepDraft::note(&records), Haste::Awaited)
    }

    /// Makes durable that a generation took over. Its files are to be kept before
    /// ([`put_blob`](Self::put_blob)).
    pub fn apply_generation(
        &self,
        generation: GenerationRecord,
        records: NonEmpty<Record>,
    ) -> Ticket<Committed> {
        let generation = generation.cut();
        if generation.is_too_large() {
            let what = "the name of who applied a generation".to_owned();
            return Ticket::answered(Err(StoreError::TooLarge { what }));
        }
        self.submit_step(
            StepDraft::change(Change::Applied { generation }, &records),
            Haste::Awaited,
        )
    }

    /// At most `limit` of the generations that took over, newest first: the first is the current.
    pub fn generations(&self, limit: usize) -> Vec<GenerationRecord> {
        let (mut known, oldest) = {
            let state = self.shared.state();
            (state.site.generations(limit, self.shared.durable()), state.site.oldest())
        };
        // Those that memory has forgotten are listed from the catalogue, if it is well.
        if let Some(oldest) = oldest.filter(|_| known.len() < limit) {
            let older = self.shared.catalogue().generations(oldest, limit - known.len());
            known.extend(older.unwrap_or_default());
        }
        known
    }

    /// Sets an operator's mark, or takes it away; it is there after a restart. A value has at most
    /// 1 KiB.
    pub fn mark(
        &self,
        key: MarkKey,
        value: Option<String>,
        records: NonEmpty<Record>,
    ) -> Ticket<Committed> {
        if let Some(bytes) = value.as_ref().map(String::len).filter(|it| VALUE_BYTES_MAX < *it) {
            let what = format!("a mark's value has {bytes} bytes");
            return Ticket::answered(Err(StoreError::TooLarge { what }));
        }
        self.submit_step(StepDraft::change(Change::Marked { key, value }, &records), Haste::Awaited)
    }

    /// The operators' marks.
    pub fn marks(&self) -> BTreeMap<String, String> {
        self.shared.state().site.marks(self.shared.durable())
    }

    /// At most `max` of what is queued for a destination, and parked there if that is wanted, in the
    /// order in which it was first queued, from a place on; and whether that is all.
    pub fn standing(
        &self,
        destination: &str,
        from: JournalPlace,
        max: usize,
        with_parked: bool,
    ) -> (Vec<Standing>, bool) {
        self.shared.state().standing(destination, from, max, with_parked, self.shared.durable())
    }

    /// The lanes in which a delivery to this destination is parked.
    pub fn parked_lanes(&self, destination: &str) -> Vec<Vec<u8>> {
        self.shared.state().parked_lanes(destination, self.shared.durable())
    }

    fn draft(&self, step: Step) -> Result<StepDraft, StoreError> {
        let source = |run| self.shared.state().source(run);
        StepDraft::of(step.run, step.effects, &step.records, source)
    }

    fn submit_step(&self, draft: Result<StepDraft, StoreError>, haste: Haste) -> Ticket<Committed> {
        match draft {
            Ok(draft) => {
                let (promise, ticket) = promise();
                self.shared.submit(Request::Commit(draft, promise), haste);
                ticket
            }
            Err(fault) => Ticket::answered(Err(fault)),
        }
    }

    /// Counts a start of a run. Written before this returns, so that it survives the death of the
    /// process; synced with whatever is synced next.
    pub fn note_start(&self, run: RunId) {
        if self.shared.poisoned().is_some() {
            return;
        }
        let now = self.shared.now();
        let mut tail = self.shared.tail();
        let written = tail
            .push(Kind::Started, now, &content::started_payload(run))
            .and_then(|_| tail.write());
        if let Err(fault) = written {
            self.shared.poison("write to a segment", &fault);
            return;
        }
        // While the tail is held, so that starts are counted in the journal's order.
        self.shared.state().apply_start(run);
    }

    /// Ends the committer once everything that waits is written. The ticket is answered when the
    /// last frame is on disk.
    pub fn stop(&self) -> Ticket<()> {
        let (promise, ticket) = promise();
        let mut queue = self.shared.queue();
        queue.is_stopped = true;
        queue.stop.push(promise);
        drop(queue);
        self.shared.ring();
        ticket
    }

    /// What is known of a run; none if it never was, or is finished and old.
    pub fn run(&self, run: RunId) -> Option<RunRecord> {
        self.shared.state().run_record(run)
    }

    /// The runs that wait for a decision, in the journal's order.
    pub fn undecided(&self) -> Vec<RunId> {
        self.shared.state().undecided(self.shared.durable())
    }

    /// The destinations for which something is queued: some may no longer be configured.
    pub fn queued_destinations(&self) -> Vec<Name> {
        self.shared.state().queued_destinations()
    }

    /// The deliveries that wait for a destination's courier, in the journal's order.
    pub fn queued(&self, destination: &str) -> Vec<DeliveryReady> {
        self.queued_first(destination, usize::MAX).0
    }

    /// At most `max` of the deliveries that wait for a destination's courier, in the journal's
    /// order, and whether that is all.
    pub fn queued_first(&self, destination: &str, max: usize) -> (Vec<DeliveryReady>, bool) {
        self.shared.state().queued(destination, max, self.shared.durable())
    }

    /// How many deliveries are queued for a destination, on their way or not.
    pub fn queued_count(&self, destination: &str) -> usize {
        self.shared.state().queued_count(destination)
    }

    /// What a queued delivery has to wait for in its lanes: the nearest that is parked, where parked
    /// ones are waited for, else the first that goes before it. The last 4 096 before it are looked
    /// at.
    pub fn ahead(&self, delivery: DeliveryId, with_parked: bool) -> Option<Ahead> {
        self.ahead_within(delivery, with_parked, AHEAD_MAX)
    }

    pub(crate) fn ahead_within(
        &self,
        delivery: DeliveryId,
        with_parked: bool,
        max: usize,
    ) -> Option<Ahead> {
        self.shared.state().ahead(delivery, with_parked, max)
    }

    /// The bytes of a message.
    pub fn body(&self, message: MessageId) -> Result<Bytes, StoreError> {
        let source = {
            let state = self.shared.state();
            let entry = state.find_message(message, self.shared.durable());
            entry.map(|it| it.source).ok_or(StoreError::NoMessage(message))?
        };
        deliveries::body(&self.shared.frames, &source)
    }

    /// What is known of a message; none if it never was, or is finished and old.
    pub fn message(&self, message: MessageId) -> Option<MessageRecord> {
        let (at, runs) = {
            let durable = self.shared.durable();
            let state = self.shared.state();
            if let Some(record) = state.message_record(message, durable) {
                return Some(record);
            }
            let entry = state.find_message(message, durable)?;
            (entry.source.at, entry.runs.clone())
        };
        // It is unfinished and not recent: what it was is read back.
        let payload = self.shared.frames.payload(at).ok()?;
        match content::read(Kind::Arrival, &payload) {
            Ok(Content::Arrival(arrival)) => Some(MessageRecord { runs, ..arrival.record }),
            _ => None,
        }
    }

    /// What is known of a delivery, with its body.
    pub fn delivery(&self, delivery: DeliveryId) -> Result<DeliveryRecord, StoreError> {
        deliveries::delivery(&self.shared, delivery)
    }

    /// At most `limit` of the recent messages, newest first, from the one before `before`.
    pub fn recent(&self, limit: usize, before: Option<MessageId>) -> Vec<MessageSummary> {
        self.shared.state().recent(limit, before, self.shared.durable())
    }

    /// All evidence about a message, in the journal's order.
    pub fn trail(&self, message: MessageId) -> Result<Vec<Record>, StoreError> {
        let frames = self.shared.state().frames(message, self.shared.durable());
        let mut trail = Vec::new();
        for at in frames.ok_or(StoreError::NoMessage(message))? {
            let payload = self.shared.frames.payload(at)?;
            let why = |fault| match fault {
                Unread::Malformed(why) => why,
                Unread::Newer(_) => "a record of a newer gateway",
            };
            let damaged = |fault| {
                let (segment, offset) = (at.segment, at.offset);
                StoreError::Damaged { segment, offset, why: why(fault) }
            };
            trail.extend(content::evidence(&payload).map_err(damaged)?);
        }
        Ok(trail)
    }

    /// What waits for a person, oldest first.
    pub fn parked(&self) -> Vec<ParkedItem> {
        self.shared.state().parked()
    }

    /// One of those that wait for a person; none if it does not.
    pub fn parked_item(&self, item: Parked) -> Option<ParkedItem> {
        self.shared.state().parked_item(item)
    }

    /// Keeps bytes under their digest; durable when this returns. For a configuration's files.
    pub fn put_blob(&self, content: &[u8]) -> Result<Digest, StoreError> {
        blobs::put(&self.shared.folder, content)
    }

    /// The bytes under a digest, checked against it.
    pub fn blob(&self, digest: Digest) -> Result<Bytes, StoreError> {
        blobs::find(&self.shared.folder, digest)
    }

    /// How full the journal's file system is.
    pub fn space(&self) -> Result<Space, StoreError> {
        let folder = &self.shared.folder;
        folder.disk.space(&folder.root).map_err(|fault| StoreError::Read(Arc::new(fault)))
    }

    /// Why nothing is written any more; none if all is well.
    pub fn poisoned(&self) -> Option<StoreError> {
        self.shared.poisoned()
    }

    /// What the catalogue holds.
    #[cfg(test)]
    pub(crate) fn catalogue(&self) -> (u64, Vec<GenerationRecord>, BTreeMap<String, String>) {
        self.shared.catalogue().contents()
    }

    /// What a gateway counts.
    pub fn counts(&self) -> Counts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let tally = &self.shared.tally;
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let mut counts = Counts {
            waiting: wide(self.shared.queue().requests.len()),
            accepted: load(&tally.accepted),
            known: load(&tally.known),
            reused: load(&tally.reused),
            groups: load(&tally.groups),
            bytes_written: load(&tally.bytes_written),
            bodies_in_memory: wide(self.shared.frames.bytes_kept()),
            durable: self.shared.durable(),
            ..Counts::default()
        };
        {
            let tail = self.shared.tail();
            counts.segments = u64::from(tail.segment());
            counts.sequence = tail.sequence();
        }
        self.shared.state().count(&mut counts);
        counts
    }
}
