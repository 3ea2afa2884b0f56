//! What a sender was told over HTTP, and what is on disk: a listener, its intake and the journal in
//! one twin.

#![expect(clippy::expect_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hilum_env::twin::{Twin, Unsynced};
use hilum_env::{Address, Doors};
use hilum_listeners::http::HttpConfig;
use hilum_listeners::{ByteBudget, KindConfig, Listener, ListenerConfig, Materials, Metrics};
use hilum_message::TimeZone;
use hilum_pipeline::{
    Backlog, Current, Generation, Intake, IntakeOptions, Routes, Unrouted, Waiters,
};
use hilum_policy::Policy;
use hilum_store::{Options, Store, open};
use hilum_words::config::Document;
use hilum_words::{Digest, Name, Problems};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a sender of resources with the ids 1, 2, 3… was told, by id.
type Told = Arc<Mutex<BTreeMap<u32, u16>>>;

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
            intakes: BTreeMap::from([(Name::from("web"), Arc::new(options))]),
        };
        let intake = Intake::new(
            Name::from("web"),
            store.clone(),
            Arc::new(Current::new(Arc::new(generation))),
            Arc::new(Backlog::new(1 << 20)),
            Arc::new(Waiters::new(100)),
            Arc::clone(&doors.clock),
            Arc::clone(&doors.entropy),
            hilum_pipeline::Metrics::default(),
        );
        let starting = async move {
            let problems = Problems::default();
            let document = Document::parse("", "", &problems);
            let http = HttpConfig::read(&mut document.root(&problems)).expect("the defaults");
            let config = ListenerConfig::plain("127.0.0.1:0", KindConfig::Http(http));
            let (intake, materials) = (Arc::new(intake), Materials::default());
            let (budget, metrics) = (ByteBudget::new(1 << 20), Metrics::default());
            Listener::start("web".into(), &config, &materials, intake, &doors, budget, metrics)
                .await
        };
        let listener = self.twin.block_on(starting).expect("bound");
        self.address = Some(listener.address().clone());
        (self.listener, self.store) = (Some(listener), Some(store));
        true
    }

    /// A peer that posts resources with these ids, one after the other, and notes what it is told.
    fn sender(&self, ids: std::ops::Range<u32>, told: &Told) {
        let doors = self.twin.doors();
        let (address, told) = (self.address.clone().expect("started"), Arc::clone(told));
        let sending = async move {
            let Ok(mut connection) = doors.net.dial(&address).await else { return };
            for id in ids {
                let body = resource(id);
                let request = format!(
                    "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/fhir+json\r\n\
                     idempotency-key: k{id}\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                if connection.stream.write_all(request.as_bytes()).await.is_err() {
                    return;
                }
                let Some(status) = status(&doors, &mut connection).await else { return };
                told.lock().expect("held by nobody").insert(id, status);
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

fn resource(id: u32) -> String {
    format!("{{ \"resourceType\": \"Basic\", \"id\":\"{id}\", \"x\": 1.{id}0 }}\n")
}

/// The status of the next answer; none if the connection ends or nothing comes within a minute.
async fn status(doors: &Doors, connection: &mut hilum_env::Connection) -> Option<u16> {
    let late = doors.clock.sleep_until(doors.clock.instant().plus(Duration::from_secs(60)));
    let reading = async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let length = head.lines().find_map(|it| it.strip_prefix("content-length: "))?;
        let mut body = vec![0; length.parse().expect("a length")];
        connection.stream.read_exact(&mut body).await.ok()?;
        head.split(' ').nth(1)?.parse().ok()
    };
    tokio::select! {
        biased;
        status = reading => status,
        () = late => None,
    }
}

/// Two senders; the disk stops at its `operation`th change. How many changes there were, and how
/// many resources were accepted.
fn run(operation: Option<u64>, unsynced: Unsynced) -> (u64, usize) {
    let mut world = World::with_seed(operation.unwrap_or(0));
    if let Some(operation) = operation {
        world.twin.disk().stop_at(operation);
    }
    let told = Told::default();
    if world.start() {
        world.sender(1..6, &told);
        world.sender(100..105, &told);
        world.twin.advance(Duration::from_secs(300));
    }
    let operations = world.twin.disk().operations();
    world.crash(unsynced);
    assert!(world.start(), "stopped at {operation:?}, {unsynced:?}: the journal opens again");
    let stored = world.stored();
    let told = told.lock().expect("held by nobody");
    for (id, status) in told.iter() {
        let is_there = stored.contains(&resource(*id));
        assert!(
            *status == 503 || (*status == 202 && is_there),
            "stopped at {operation:?}, {unsynced:?}: {id} was told {status}, stored: {is_there}"
        );
    }
    (operations, told.values().filter(|it| **it == 202).count())
}

#[test]
fn what_was_accepted_is_on_disk_wherever_the_disk_stops() {
    let (operations, accepted) = run(None, Unsynced::Lost);
    assert!(10 < operations, "{operations} changes");
    assert_eq!(accepted, 10);
    let mut counts = BTreeSet::new();
    for operation in 0..operations {
        for unsynced in Unsynced::ALL {
            counts.insert(run(Some(operation), *unsynced).1);
        }
    }
    assert!(3 < counts.len(), "the disk stopped before, between and after: {counts:?}");
}

#[test]
fn the_same_key_twice_is_one_message_over_restarts_too() {
    let mut world = World::with_seed(2);
    assert!(world.start());
    for round in 0..3 {
        if round == 2 {
            world.crash(Unsynced::Lost);
            assert!(world.start());
        }
        let told = Told::default();
        world.sender(1..4, &told);
        world.twin.advance(Duration::from_secs(1));
        let told = told.lock().expect("held by nobody");
        assert_eq!(told.values().collect::<Vec<_>>(), [&202, &202, &202]);
        assert_eq!(world.stored().len(), 3, "round {round}");
    }
}
