//! What a sender was told, and what is on disk: a listener, its intake and the journal in one twin.

#![expect(clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hilum_env::twin::{Twin, Unsynced};
use hilum_env::{Address, Doors};
use hilum_listeners::mllp::MllpConfig;
use hilum_listeners::{ByteBudget, KindConfig, Listener, ListenerConfig, Materials, Metrics};
use hilum_message::TimeZone;
use hilum_pipeline::{
    Backlog, Current, Generation, Intake, IntakeOptions, Routes, Unrouted, Waiters,
};
use hilum_policy::Policy;
use hilum_store::{Options, Store, open};
use hilum_words::{Digest, Name};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a sender of messages with the ids 1, 2, 3… was told, by id.
type Told = Arc<Mutex<BTreeMap<u32, String>>>;

struct World {
    twin: Twin,
    address: Option<Address>,
    store: Option<Store>,
    listener: Option<Listener>,
}

impl World {
    fn with_seed(seed: u64) -> Self {
        Self { twin: Twin::with_seed(seed), address: None, store: None, listener: None }
    }

    /// Opens the journal and binds the listener; false if the disk does not allow it.
    fn start(&mut self) -> bool {
        let doors = self.twin.doors();
        let options =
            Options { syncs_measured: 0, segment_bytes: 2 << 10, ..Options::new("/data") };
        let Ok((store, committer)) = open(&doors, options, Box::new(|_| {})) else { return false };
        store.attach(doors.tasks.drive("committer", Box::new(committer)));
        let options = IntakeOptions { unrouted: Unrouted::Accept, ..IntakeOptions::default() };
        let generation = Generation {
            digest: Digest::of(b"test"),
            routes: Routes::new(Vec::new()),
            policy: Policy::new(TimeZone::UTC),
            plugins: BTreeMap::new(),
            intakes: BTreeMap::from([(Name::from("lab"), Arc::new(options))]),
        };
        let intake = Intake::new(
            Name::from("lab"),
            store.clone(),
            Arc::new(Current::new(Arc::new(generation))),
            Arc::new(Backlog::new(1 << 20)),
            Arc::new(Waiters::new(100)),
            Arc::clone(&doors.clock),
            Arc::clone(&doors.entropy),
            hilum_pipeline::Metrics::default(),
        );
        let kind = MllpConfig { frame_bytes_max: 64 << 10, ..MllpConfig::default() };
        let config = ListenerConfig::plain("127.0.0.1:0", KindConfig::Mllp(kind));
        let starting = async move {
            let (budget, metrics) = (ByteBudget::new(1 << 20), Metrics::default());
            let (name, intake) = ("lab".into(), Arc::new(intake));
            Listener::start(name, &config, &Materials::default(), intake, &doors, budget, metrics)
                .await
        };
        let listener = self.twin.block_on(starting).expect("bound");
        self.address = Some(listener.address().clone());
        (self.listener, self.store) = (Some(listener), Some(store));
        true
    }

    /// A peer that sends messages with these ids, one after the other, and notes what it is told.
    fn sender(&self, ids: std::ops::Range<u32>, told: &Told) {
        let doors = self.twin.doors();
        let (address, told) = (self.address.clone().expect("started"), Arc::clone(told));
        let sending = async move {
            let Ok(mut connection) = doors.net.dial(&address).await else { return };
            for id in ids {
                let frame = format!("\x0b{}\x1c\r", message(id));
                if connection.stream.write_all(frame.as_bytes()).await.is_err() {
                    return;
                }
                let Some(answer) = answer(&doors, &mut connection).await else { return };
                told.lock().expect("held by nobody").insert(id, answer);
            }
        };
        self.twin.doors().tasks.spawn("sender", Box::pin(sending));
    }

    /// The process dies; the disk does with what was not synced what it does.
    fn crash(&mut self, unsynced: Unsynced) {
        self.twin.tasks().kill_all();
        (self.store, self.listener) = (None, None);
        self.twin.disk().crash(unsynced);
    }

    /// Every body that is on disk.
    fn stored(&self) -> Vec<String> {
        let store = self.store.as_ref().expect("started");
        let bodies = store.recent(1000, None).into_iter().map(|it| store.body(it.message));
        bodies.map(|it| String::from_utf8(it.expect("readable").to_vec()).expect("text")).collect()
    }
}

fn message(id: u32) -> String {
    format!("MSH|^~\\&|LAB|A|HILUM|B|20260101||ADT^A08|M{id}|P|2.5.1\rPID|1||{id}\r")
}

/// The next answer, as `AA M7`; none if the connection ends or nothing comes within a minute.
async fn answer(doors: &Doors, connection: &mut hilum_env::Connection) -> Option<String> {
    let late = doors.clock.sleep_until(doors.clock.instant().plus(Duration::from_secs(60)));
    let reading = async {
        let mut all = Vec::new();
        while !all.ends_with(b"\x1c\r") {
            all.push(connection.stream.read_u8().await.ok()?);
        }
        Some(String::from_utf8_lossy(&all).into_owned())
    };
    let text = tokio::select! {
        biased;
        text = reading => text?,
        () = late => return None,
    };
    let msa = text.split('\r').find(|it| it.starts_with("MSA|"))?;
    Some(msa.split('|').skip(1).take(2).collect::<Vec<_>>().join(" "))
}

/// Two senders; the disk stops at its `operation`th change. How many changes there were, and how
/// many messages were acknowledged.
fn run(operation: Option<u64>, unsynced: Unsynced) -> (u64, usize) {
    let mut world = World::with_seed(operation.unwrap_or(0));
    if let Some(operation) = operation {
        world.twin.disk().stop_at(operation);
    }
    let told = Told::default();
    if world.start() {
        world.sender(1..8, &told);
        world.sender(100..108, &told);
        world.twin.advance(Duration::from_secs(300));
    }
    let operations = world.twin.disk().operations();
    world.crash(unsynced);
    assert!(world.start(), "stopped at {operation:?}, {unsynced:?}: the journal opens again");
    let stored = world.stored();
    let told = told.lock().expect("held by nobody");
    for (id, answer) in told.iter() {
        match answer.split_once(' ').expect("a code and an id") {
            ("AA", of) => {
                assert_eq!(of, format!("M{id}"));
                let is_there = stored.contains(&message(*id));
                assert!(is_there, "stopped at {operation:?}, {unsynced:?}: {answer} is lost");
            }
            ("AR", of) => assert_eq!(of, format!("M{id}")),
            other => panic!("stopped at {operation:?}: {other:?}"),
        }
    }
    (operations, told.values().filter(|it| it.starts_with("AA")).count())
}

#[test]
fn what_was_acknowledged_is_on_disk_wherever_the_disk_stops() {
    let (operations, acknowledged) = run(None, Unsynced::Lost);
    assert!(20 < operations, "{operations} changes");
    assert_eq!(acknowledged, 15);
    let mut counts = BTreeSet::new();
    for operation in 0..operations {
        for unsynced in Unsynced::ALL {
            counts.insert(run(Some(operation), *unsynced).1);
        }
    }
    assert!(5 < counts.len(), "the disk stopped before, between and after messages: {counts:?}");
}

#[test]
fn a_disk_that_fails_is_told_to_the_sender_and_nothing_is_promised_after_it() {
    let mut world = World::with_seed(1);
    assert!(world.start());
    let told = Told::default();
    world.sender(1..3, &told);
    world.twin.advance(Duration::from_secs(1));
    world.twin.disk().fail_at(world.twin.disk().operations());
    world.sender(3..6, &told);
    world.twin.advance(Duration::from_secs(1));
    let told = told.lock().expect("held by nobody");
    let all: Vec<&str> = told.values().map(String::as_str).collect();
    assert_eq!(all, ["AA M1", "AA M2", "AR M3", "AR M4", "AR M5"]);
}

#[test]
fn the_same_message_twice_is_answered_alike_and_stored_once() {
    let mut world = World::with_seed(2);
    assert!(world.start());
    for _ in 0..3 {
        let told = Told::default();
        world.sender(1..4, &told);
        world.twin.advance(Duration::from_secs(1));
        let told = told.lock().expect("held by nobody");
        assert_eq!(told.values().collect::<Vec<_>>(), ["AA M1", "AA M2", "AA M3"]);
    }
    assert_eq!(world.stored().len(), 3);
    world.crash(Unsynced::Lost);
    assert!(world.start());
    let told = Told::default();
    world.sender(1..4, &told);
    world.twin.advance(Duration::from_secs(1));
    assert_eq!(told.lock().expect("held by nobody").len(), 3);
    assert_eq!(world.stored().len(), 3, "the window survives a restart");
}

/// Sends a frame that is too long; what comes back before the connection ends.
fn too_long(content: &[u8]) -> String {
    let mut world = World::with_seed(3);
    assert!(world.start());
    let doors = world.twin.doors();
    let address = world.address.clone().expect("started");
    let frame = [b"\x0b", content, &[b'x'; 70 << 10]].concat();
    let answer = world.twin.block_on(async move {
        let mut connection = doors.net.dial(&address).await.expect("connected");
        // The listener may close before it has read all.
        let _ = connection.stream.write_all(&frame).await;
        let mut answer = Vec::new();
        let _ = connection.stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    });
    assert!(world.stored().is_empty());
    answer
}

#[test]
fn a_frame_over_its_limit_is_refused_if_its_control_id_is_known_whole() {
    let answer = too_long(b"MSH|^~\\&|LAB|A|HILUM|B|20260101||ADT^A08|M7|P|2.5.1|");
    assert!(answer.contains("\rMSA|AR|M7\rERR|"), "the control id is known");
    // What was read ends inside MSH-10, so the sender would not know the id that we had.
    assert!(too_long(b"MSH|^~\\&|LAB|A|HILUM|B|20260101||ADT^A08|M7").is_empty());
    assert!(too_long(b"no HL7").is_empty());
}
