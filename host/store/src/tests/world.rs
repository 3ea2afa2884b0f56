//! A journal in a world of its own, and the words that the tests are written in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hilum_audit::{NonEmpty, Record, What};
use hilum_env::Tasks;
use hilum_env::twin::{Twin, Unsynced};
use hilum_message::{Message, TimeZone};
use hilum_policy::{Clearance, Cleared, Grant, Input, Policy, RunSeed};
use hilum_words::{
    Actor, Cause, CauseWord, DeliveryId, Digest, Envelope, MessageId, Name, Origin, Reason,
    Rejection, RunId, Timestamp,
};

use crate::{
    Accepted, Arrival, Committed, DuplicateKey, Effect, GenerationRecord, Happened, MarkKey,
    MemoryTable, OnReused, OpenError, OpenTable, Options, Outgoing, Reader, Report, RunStart, Step,
    Store, StoreError, Table, Ticket, Watcher, open_with,
};

pub(super) struct World {
    pub(super) twin: Twin,
    pub(super) options: Options,
    pub(super) store: Option<Store>,
    /// The catalogue's table: it outlives the process, as files do.
    pub(super) table: MemoryTable,
    happened: Arc<Mutex<Vec<Happened>>>,
}

pub(super) fn folder() -> PathBuf {
    PathBuf::from("/data")
}

pub(super) fn segment(number: u32) -> PathBuf {
    folder().join(format!("seg/{number:08}.seg"))
}

impl World {
    /// A world with an open journal of tiny segments.
    pub(super) fn new(seed: u64) -> Self {
        Self::with(seed, |options| options.segment_bytes = 4 << 10)
    }

    pub(super) fn with(seed: u64, change: impl FnOnce(&mut Options)) -> Self {
        let mut world = Self::closed(seed, change);
        world.open().expect("a new journal opens");
        world
    }

    pub(super) fn closed(seed: u64, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options { syncs_measured: 0, ..Options::new(folder()) };
        change(&mut options);
        let twin = Twin::with_seed(seed);
        let table = MemoryTable::default();
        Self { twin, options, store: None, table, happened: Arc::default() }
    }

    pub(super) fn open(&mut self) -> Result<(), OpenError> {
        let happened = Arc::clone(&self.happened);
        let watcher = move |it| happened.lock().unwrap_or_else(PoisonError::into_inner).push(it);
        let table = self.table.clone();
        let open_table = move |_: &Path| Ok(Box::new(table.clone()) as Box<dyn Table>);
        self.open_over(&open_table, Box::new(watcher))
    }

    /// Opens the journal with this catalogue.
    pub(super) fn open_with(&mut self, open_table: &OpenTable<'_>) -> Result<(), OpenError> {
        self.open_over(open_table, Box::new(|_| {}))
    }

    fn open_over(&mut self, table: &OpenTable<'_>, watcher: Watcher) -> Result<(), OpenError> {
        let doors = self.twin.doors();
        let (store, committer) = open_with(&doors, self.options.clone(), table, watcher)?;
        store.attach(self.twin.tasks().drive("committer", Box::new(committer)));
        self.store = Some(store);
        Ok(())
    }

    pub(super) fn store(&self) -> &Store {
        self.store.as_ref().expect("the journal is open")
    }

    /// What the catalogue holds: position, generations oldest first, marks.
    pub(super) fn catalogue(&self) -> (u64, Vec<GenerationRecord>, BTreeMap<String, String>) {
        self.store().catalogue()
    }

    /// The process dies, and the disk does what it does.
    pub(super) fn crash(&mut self, unsynced: Unsynced) {
        self.store = None;
        self.twin.tasks().kill_all();
        self.twin.disk().crash(unsynced);
        self.take_happened();
    }

    /// The process dies, and comes back.
    pub(super) fn restart(&mut self, unsynced: Unsynced) {
        self.crash(unsynced);
        self.open().expect("it opens again");
    }

    pub(super) fn take_happened(&self) -> Vec<Happened> {
        std::mem::take(&mut self.happened.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs the committer, and redeems a ticket.
    pub(super) fn redeem<T>(&self, ticket: Ticket<T>) -> Result<T, StoreError> {
        self.twin.run_until_idle();
        match ticket.now() {
            Ok(answer) => answer,
            Err(_) => panic!("the committer rests, and the ticket has no answer"),
        }
    }

    pub(super) fn accept(&self, arrival: Arrival) -> Result<Accepted, StoreError> {
        self.redeem(self.store().accept(arrival))
    }

    pub(super) fn commit(&self, step: Step) -> Result<Committed, StoreError> {
        self.redeem(self.store().commit(step))
    }

    /// Runs the committer until it has nothing to do at this time.
    pub(super) fn run(&self) {
        self.twin.run_until_idle();
    }

    /// Lets time pass.
    pub(super) fn pass(&self, span: Duration) {
        self.twin.advance(span);
    }

    /// Lets the committer go idle, which vouches for what was written last.
    pub(super) fn rest(&self) {
        self.twin.advance(Duration::from_millis(100));
    }

    /// Closes the journal as a gateway that is told to end does.
    pub(super) fn stop(&mut self) {
        self.redeem(self.store().stop()).expect("it stops");
        self.store = None;
        assert!(self.twin.tasks().names().is_empty(), "the committer has ended");
    }

    /// Reads the journal offline.
    pub(super) fn check(&self) -> Report {
        assert!(self.store.is_none(), "nobody may work with it");
        let disk = Arc::clone(self.twin.disk());
        let reader = Reader::open(disk, Path::new("/data")).expect("it can be read");
        reader.check().expect("it was read")
    }
}

pub(super) fn at() -> Timestamp {
    Timestamp::from_micros(1_795_510_800_000_000)
}

pub(super) fn message_id(number: u64) -> MessageId {
    MessageId::from_bits(1 << 100 | u128::from(number))
}

pub(super) fn run_id(number: u64) -> RunId {
    RunId::from_bits(2 << 100 | u128::from(number))
}

pub(super) fn delivery_id(number: u64) -> DeliveryId {
    DeliveryId::from_bits(3 << 100 | u128::from(number))
}

pub(super) fn body_of(number: u64) -> Bytes {
    // Not a multiple of anything, so that padding matters.
    let filler = "x".repeat(usize::try_from(number * 37 % 900).unwrap_or(0));
    Bytes::from(format!("MSH|^~\\&|LAB|HOSP|||2026||ADT^A01|{number}|P|2.5.1\rPID|||{filler}\r"))
}

/// The arrival with this number: message, run and control id have it too.
pub(super) fn arrival(number: u64) -> Arrival {
    arrival_of(number, &number.to_string(), body_of(number))
}

pub(super) fn arrival_of(number: u64, control_id: &str, body: Bytes) -> Arrival {
    let message = message_id(number);
    let record =
        Record::new(at(), What::Accepted, Actor::system("listener/adt-in")).message(message);
    Arrival {
        envelope: Envelope {
            message,
            received: at(),
            listener: Name::from("adt-in"),
            peer: "10.0.0.1:4711".to_owned(),
            origin: Origin::Listener,
            parent: None,
            correlation: None,
            actor: Actor::system("listener/adt-in"),
            trace: None,
        },
        kind: "ADT^A01".to_owned(),
        key: Some(DuplicateKey::of(&[b"adt-in", b"LAB", b"HOSP", control_id.as_bytes()])),
        on_reused: OnReused::Accept,
        body,
        format: Name::from("hl7v2"),
        generation: Digest::of(b"generation"),
        runs: vec![start(number)],
        findings: Vec::new(),
        records: NonEmpty::of(record),
    }
}

pub(super) fn start(number: u64) -> RunStart {
    RunStart {
        run: run_id(number),
        route: Name::from("adt"),
        seed: RunSeed([u8::try_from(number % 256).unwrap_or(0); 16]),
        lanes: vec![number.to_be_bytes().to_vec()],
    }
}

/// A body that may leave: literal bytes, as a plugin makes them.
pub(super) fn cleared(text: &str) -> Cleared {
    let policy = Policy::new(TimeZone::UTC);
    let original = Arc::new(Message::parse("hl7v2", body_of(0)).expect("the sample parses"));
    let view = policy.view(
        Input::Message(Arc::clone(&original)),
        &Grant::sealed_by_default(),
        RunSeed([1; 16]),
        0,
    );
    let (seals, _) = view.finish();
    let json = Bytes::from(format!(r#"{{"resourceType":"Basic","text":"{text}"}}"#));
    let template = policy.output(&seals, "fhir-json", json).expect("there is no token in it");
    policy
        .clear(&Input::Template(Arc::new(template)), &original, &Clearance::treatment())
        .expect("all is cleared")
}

/// A body that may leave: the message as it came.
pub(super) fn passed_through(body: Bytes) -> Cleared {
    let policy = Policy::new(TimeZone::UTC);
    let original = Arc::new(Message::parse("hl7v2", body).expect("the sample parses"));
    policy
        .clear(&Input::Message(Arc::clone(&original)), &original, &Clearance::treatment())
        .expect("all is cleared")
}

pub(super) fn outgoing(number: u64, destination: &str, cleared: Option<Cleared>) -> Outgoing {
    Outgoing {
        delivery: delivery_id(number),
        destination: Name::from(destination),
        lanes: vec![number.to_be_bytes().to_vec()],
        ordinal: 1,
        cleared,
    }
}

/// The rejection with this number.
pub(super) fn rejection(number: u64) -> Rejection {
    let at = Some(format!("PID-{number}"));
    Rejection { reason: Reason::UnknownCode, at, text: "no such code".to_owned() }
}

/// A validator, the route's second step, wants a person.
pub(super) fn held(why: &str) -> Effect {
    Effect::Held { why: why.to_owned(), step: 1 }
}

/// The generation with this number, which follows the one before.
pub(super) fn generation(number: u64) -> (GenerationRecord, NonEmpty<Record>) {
    let digest = |number: u64| Digest::of(format!("generation {number}").as_bytes());
    let actor = Actor::LocalUser(1_000);
    let record = Record::new(at(), What::Applied, actor.clone()).generation(digest(number));
    let summary = format!("change {number}");
    let parent = number.checked_sub(1).map(digest);
    let generation = GenerationRecord {
        digest: digest(number),
        at: at(),
        actor,
        summary,
        parent,
        reason: Some(format!("ticket {number}")),
        is_rollback: number % 2 == 1,
    };
    (generation, NonEmpty::of(record))
}

/// A mark's key, and the evidence for setting it.
pub(super) fn mark(name: &str) -> (MarkKey, NonEmpty<Record>) {
    let record = Record::new(at(), What::Marked, Actor::LocalUser(1_000));
    (MarkKey::new(name).expect("a key"), NonEmpty::of(record))
}

pub(super) fn cause(word: CauseWord) -> Cause {
    Cause::new(word, "because of PID-3")
}

/// A step about a run, with the evidence that its effects ask for.
pub(super) fn step(run: u64, effects: Vec<Effect>) -> Step {
    let mut records = Vec::new();
    let record = |what| {
        Record::new(at(), what, Actor::system("worker"))
            .message(message_id(run % 1_000))
            .run(run_id(run))
    };
    for effect in &effects {
        match effect {
            Effect::Dispatched { parked, .. } => {
                records.push(record(What::Dispatched));
                for (outgoing, _) in parked {
                    records.push(record(What::DeliveryParked).delivery(outgoing.delivery));
                }
            }
            Effect::Refused(_) => records.push(record(What::Refused)),
            Effect::Held { .. } => records.push(record(What::Held)),
            Effect::Released { .. } => records.push(record(What::Released)),
            Effect::Parked(_) => records.push(record(What::Parked)),
            Effect::Delivered { delivery, .. } => {
                records.push(record(What::Delivered).delivery(*delivery));
            }
            Effect::Deferred { delivery, .. } => {
                records.push(record(What::Deferred).delivery(*delivery));
            }
            Effect::DeliveryParked { delivery, .. } => {
                records.push(record(What::DeliveryParked).delivery(*delivery));
            }
            Effect::Discarded(crate::Parked::Delivery(delivery)) => {
                records.push(record(What::Discarded).delivery(*delivery));
            }
            Effect::Discarded(crate::Parked::Run(_)) => records.push(record(What::Discarded)),
            Effect::Requeued { delivery } => {
                records.push(record(What::Requeued).delivery(*delivery));
            }
            Effect::Replayed { .. } => records.push(record(What::Replayed)),
            Effect::Noted => records.push(record(What::Revealed)),
        }
    }
    let records = NonEmpty::from_vec(records).expect("a step has effects");
    Step { run: run_id(run), effects, records }
}

/// The run with this number is decided: one output, with the same number, to `ehr`.
pub(super) fn dispatched(number: u64) -> Step {
    let deliveries = vec![outgoing(number, "ehr", Some(cleared(&format!("output {number}"))))];
    step(number, vec![Effect::Dispatched { deliveries, parked: Vec::new() }])
}

pub(super) fn delivered(number: u64) -> Step {
    let answer = Some((Name::from("fhir-json"), Bytes::from(format!("answer {number}"))));
    step(number, vec![Effect::Delivered { delivery: delivery_id(number), answer }])
}
