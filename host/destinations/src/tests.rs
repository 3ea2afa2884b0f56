//! From the journal to a destination and back, over real files and sockets.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use hilum_audit::{NonEmpty, Record, What};
use hilum_env::Doors;
use hilum_message::{Message, TimeZone};
use hilum_peers::{Fault, FhirPeer};
use hilum_policy::{Clearance, Cleared, Input, Policy, RunSeed};
use hilum_store::{
    Arrival, Committer, DeliveryState, Effect, Happened, OnReused, OpenError, Options, Outgoing,
    RunStart, Step, Store,
};
use hilum_words::config::Document;
use hilum_words::{
    Actor, CauseWord, DeliveryId, Digest, Envelope, MessageId, Name, Origin, Problems, RunId,
    Timestamp,
};

use crate::{Courier, DestinationConfig, Metrics, build};

const BUNDLE: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient","identifier":[{"system":"s","value":"NUMBER"}],"name":[{"family":"Zwiebelfisch"}]},"request":{"method":"PUT","url":"Patient?identifier=s%7CNUMBER"}}]}"#;

/// A journal in a folder, and one courier on it.
struct Site {
    runtime: tokio::runtime::Runtime,
    doors: Doors,
    store: Store,
    courier: Courier,
    metrics: Metrics,
}

impl Site {
    fn open(folder: &Path, destination: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("tokio");
        let doors = hilum_env::system::doors(runtime.handle().clone());
        let courier: Arc<OnceLock<Courier>> = Arc::default();
        let options = Options { syncs_measured: 0, ..Options::new(folder.join("data")) };
        let (store, committer) = open(&doors, &options, &courier);
        store.attach(doors.tasks.drive("committer", Box::new(committer)));

        let problems = Problems::default();
        let document = Document::parse("hilum.toml", destination, &problems);
        let mut root = document.root(&problems);
        let config = DestinationConfig::read(&mut root, folder).expect("a destination");
        root.finish();
        assert!(problems.is_empty(), "{problems:?}");
        let name = Name::from("ehr");
        let metrics = Metrics::default();
        let destination = build(&name, &config, &crate::Secrets::default(), &doors);
        let started =
            Courier::start(&name, &config, destination, store.clone(), &doors, metrics.clone());
        assert!(courier.set(started.clone()).is_ok());
        Self { runtime, doors, store, courier: started, metrics }
    }

    /// Accepts a message and dispatches one output of it.
    fn dispatch(&self, number: u128) -> (MessageId, DeliveryId) {
        let now = Timestamp::from_micros(self.doors.clock.now_micros());
        let message = MessageId::new(now, self.doors.entropy.bytes());
        let run = RunId::new(now, self.doors.entropy.bytes());
        let delivery = DeliveryId::new(now, self.doors.entropy.bytes());
        let body = Bytes::from(BUNDLE.replace("NUMBER", &number.to_string()));
        let cleared = cleared(&body);
        let record =
            |what| NonEmpty::of(Record::new(now, what, Actor::system("test")).message(message));
        let arrival = Arrival {
            envelope: Envelope {
                message,
                received: now,
                listener: "adt-in".into(),
                peer: "127.0.0.1:1".into(),
                origin: Origin::Listener,
                parent: None,
                correlation: None,
                actor: Actor::system("test"),
                trace: None,
            },
            kind: "Bundle".into(),
            key: None,
            on_reused: OnReused::Accept,
            body,
            format: "fhir-json".into(),
            generation: Digest::of(b"generation"),
            runs: vec![RunStart {
                run,
                route: "adt".into(),
                seed: RunSeed([7; 16]),
                lanes: vec![b"MRN-4711".to_vec()],
            }],
            findings: Vec::new(),
            records: record(What::Accepted),
        };
        self.store.accept(arrival).wait().expect("accepted");
        let outgoing = Outgoing {
            delivery,
            destination: "ehr".into(),
            lanes: vec![b"MRN-4711".to_vec()],
            ordinal: 1,
            cleared: Some(cleared),
        };
        let effects = vec![Effect::Dispatched { deliveries: vec![outgoing], parked: Vec::new() }];
        let step = Step { run, effects, records: record(What::Dispatched) };
        self.store.commit(step).wait().expect("dispatched");
        (message, delivery)
    }

    #[track_caller]
    fn wait_until_idle(&self) {
        wait("the queue to be empty", || self.store.counts().queued == 0);
        // The trail shows what is durable alone, and so does the courier's window.
        wait("the last outcome to be durable", || self.courier.status().queued == 0);
    }

    fn trail(&self, message: MessageId) -> Vec<String> {
        let trail = self.store.trail(message).expect("a trail");
        trail
            .iter()
            .map(|it| {
                let facts: Vec<_> =
                    it.facts.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("{} by {} {}", it.what, it.actor, facts.join(" "))
            })
            .collect()
    }

    fn close(self) {
        self.runtime.block_on(self.courier.stop(Duration::from_secs(10)));
        self.store.stop().wait().expect("stopped");
    }
}

/// Opens the journal. The one before it may still be ending.
fn open(doors: &Doors, options: &Options, courier: &Arc<OnceLock<Courier>>) -> (Store, Committer) {
    for _ in 0..10_000 {
        let told = Arc::clone(courier);
        let watch = move |happened| {
            let Some(courier) = told.get() else { return };
            match happened {
                Happened::Queued(ready) => courier.offer(ready),
                Happened::Unparked { .. } => courier.unparked(),
                _ => {}
            }
        };
        match hilum_store::open(doors, options.clone(), Box::new(watch)) {
            Err(OpenError::InUse { .. }) => std::thread::park_timeout(Duration::from_millis(1)),
            opened => return opened.expect("opened"),
        }
    }
    panic!("the folder stays in use");
}

fn cleared(body: &Bytes) -> Cleared {
    let message = Arc::new(Message::parse("fhir-json", body.clone()).expect("JSON"));
    let policy = Policy::new(TimeZone::named("UTC").expect("a zone"));
    let input = Input::Message(Arc::clone(&message));
    policy.clear(&input, &message, &Clearance::treatment()).expect("cleared")
}

#[track_caller]
fn wait(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..20_000 {
        if done() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    panic!("waited in vain for {what}");
}

fn fhir(peer: &FhirPeer) -> String {
    format!(
        "kind = \"fhir\"\nurl = \"{}\"\nretry = {{ first = \"20ms\", longest = \"40ms\" }}\n",
        peer.base_url()
    )
}

#[test]
fn a_delivery_arrives_with_evidence_and_its_answer_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let peer = FhirPeer::start().expect("a peer");
    let site = Site::open(folder.path(), &fhir(&peer));
    let (message, delivery) = site.dispatch(1);
    site.wait_until_idle();
    assert_eq!(peer.resources("Patient").len(), 1);
    let record = site.store.delivery(delivery).expect("a delivery");
    assert_eq!(record.state, DeliveryState::Delivered);
    let (format, answer) = record.answer.expect("an answer");
    assert_eq!(format.as_str(), "fhir-json");
    assert!(String::from_utf8_lossy(&answer).contains("transaction-response"));
    let trail = site.trail(message);
    let digest = Digest::of(BUNDLE.replace("NUMBER", "1").as_bytes());
    let expected = format!(
        "delivered by system:courier/ehr destination=ehr attempt=1 output={digest} code=200"
    );
    assert_eq!(trail.last(), Some(&expected));
    let mut registry = prometheus_client::registry::Registry::default();
    site.metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).expect("encoded");
    let line = "delivery_attempts_total{destination=\"ehr\",outcome=\"delivered\"} 1";
    assert!(text.contains(line), "{text}");
    site.close();
}

#[test]
fn deferred_and_parked_deliveries_are_in_the_journal_with_their_reasons() {
    let folder = tempfile::tempdir().expect("a folder");
    let peer = FhirPeer::start().expect("a peer");
    let site = Site::open(folder.path(), &fhir(&peer));
    peer.fail_next([
        Fault::Answer { status: 503, retry_after: None },
        Fault::HangUpAfter,
        Fault::Answer { status: 422, retry_after: None },
    ]);
    let (message, delivery) = site.dispatch(1);
    site.wait_until_idle();
    let record = site.store.delivery(delivery).expect("a delivery");
    let DeliveryState::Parked(cause) = record.state else { panic!("parked") };
    assert_eq!(cause.word, CauseWord::Rejected);
    assert_eq!(cause.detail, "422 Unprocessable Entity (exception)");
    assert_eq!(record.attempts, 2, "attempts that were followed by another");
    let trail = site.trail(message).join("\n");
    for part in [
        "deferred by system:courier/ehr destination=ehr attempt=1",
        "detail=busy: 503 Service Unavailable (exception)",
        "detail=outcome unknown: the connection closed without an answer",
        "delivery-parked by system:courier/ehr destination=ehr attempt=3",
        "cause=rejected",
    ] {
        assert!(trail.contains(part), "no {part} in\n{trail}");
    }
    assert!(!trail.contains("Zwiebelfisch") && !trail.contains("4711"), "{trail}");
    let ids: Vec<_> =
        peer.received().iter().map(|it| it.header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(ids, vec![Some(delivery.to_string()); 3], "the same id on every attempt");

    // An operator has it sent again, as it is.
    let step = Step {
        run: record.run,
        effects: vec![Effect::Requeued { delivery }],
        records: Record::new(Timestamp::from_micros(1), What::Requeued, Actor::LocalUser(1000))
            .into(),
    };
    site.store.commit(step).wait().expect("queued again");
    site.wait_until_idle();
    assert_eq!(site.store.delivery(delivery).expect("a delivery").state, DeliveryState::Delivered);
    site.close();
}

#[test]
fn what_was_queued_goes_after_a_restart_in_its_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let peer = FhirPeer::start().expect("a peer");
    peer.down().expect("down");
    let site = Site::open(folder.path(), &fhir(&peer));
    for number in 0..20 {
        site.dispatch(number);
    }
    wait("an attempt", || site.courier.status().last_fault.is_some());
    site.close();

    peer.recover();
    let site = Site::open(folder.path(), &fhir(&peer));
    site.dispatch(20);
    site.wait_until_idle();
    let order: Vec<String> = peer
        .resources("Patient")
        .iter()
        .map(|it| it["identifier"][0]["value"].as_str().expect("a value").to_owned())
        .collect();
    assert_eq!(order, (0..=20).map(|it| it.to_string()).collect::<Vec<_>>());
    site.close();
}

#[test]
fn files_are_written_for_all_that_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "kind = \"file\"\nfolder = \"out\"\nappend = true\n";
    let site = Site::open(folder.path(), config);
    let dispatched: Mutex<Vec<MessageId>> = Mutex::default();
    std::thread::scope(|scope| {
        for thread in 0..8u128 {
            let (site, dispatched) = (&site, &dispatched);
            scope.spawn(move || {
                for number in 0..25 {
                    let (message, _) = site.dispatch(thread * 100 + number);
                    dispatched.lock().expect("the list").push(message);
                }
            });
        }
    });
    site.wait_until_idle();
    site.close();
    let file = folder.path().join("out/ehr-000001.ndjson");
    let disk = hilum_env::system::SystemDisk;
    let bytes = hilum_env::Disk::read(&disk, &file, 1 << 20).expect("the file");
    let text = String::from_utf8(bytes).expect("text");
    assert_eq!(text.lines().count(), 200);
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("a document");
    }
}

/// What arrived, in order.
fn arrived(peer: &FhirPeer) -> Vec<String> {
    let value = |it: &serde_json::Value| it["identifier"][0]["value"].as_str().map(str::to_owned);
    peer.resources("Patient").iter().filter_map(value).collect()
}

impl Site {
    /// A person does something about a parked delivery.
    fn act(&self, delivery: DeliveryId, what: What, effect: impl FnOnce(RunId) -> Effect) {
        let run = self.store.delivery(delivery).expect("a delivery").run;
        let record = Record::new(Timestamp::from_micros(1), what, Actor::LocalUser(1000));
        let step = Step { run, effects: vec![effect(run)], records: record.into() };
        self.store.commit(step).wait().expect("stored");
    }

    #[track_caller]
    fn wait_until_parked(&self, delivery: DeliveryId) {
        wait("it to be parked", || {
            let state = self.store.delivery(delivery).expect("a delivery").state;
            matches!(state, DeliveryState::Parked(_)) && self.courier.status().queued == 0
        });
    }
}

#[test]
fn where_it_blocks_a_parked_delivery_is_waited_for_until_a_person_decides() {
    let folder = tempfile::tempdir().expect("a folder");
    let peer = FhirPeer::start().expect("a peer");
    let config = format!("{}on_park = \"block\"\n", fhir(&peer));
    let refuse = || peer.fail_next([Fault::Answer { status: 422, retry_after: None }]);
    let site = Site::open(folder.path(), &config);
    refuse();
    let (_, first) = site.dispatch(1);
    site.wait_until_parked(first);
    for number in 2..5 {
        site.dispatch(number);
    }
    assert_eq!(site.store.parked_lanes("ehr"), [b"MRN-4711".to_vec()]);
    site.close();

    // A restart changes nothing: the three wait, and are not held by the courier.
    let site = Site::open(folder.path(), &config);
    wait("the journal to be looked at", || !site.courier.status().has_more);
    assert_eq!((site.store.counts().queued, site.courier.status().queued), (3, 0));
    refuse();
    site.act(first, What::Requeued, |_| Effect::Requeued { delivery: first });
    site.wait_until_parked(first);
    assert_eq!(arrived(&peer), Vec::<String>::new());
    site.act(first, What::Requeued, |_| Effect::Requeued { delivery: first });
    site.wait_until_idle();
    assert_eq!(arrived(&peer), ["1", "2", "3", "4"]);

    // Discarded, or made again, it is waited for no more.
    refuse();
    let (_, fifth) = site.dispatch(5);
    site.wait_until_parked(fifth);
    site.dispatch(6);
    let item = hilum_store::Parked::Delivery(fifth);
    site.act(fifth, What::Discarded, |_| Effect::Discarded(item));
    site.wait_until_idle();
    refuse();
    let (_, seventh) = site.dispatch(7);
    site.wait_until_parked(seventh);
    site.dispatch(8);
    let now = Timestamp::from_micros(site.doors.clock.now_micros());
    let new = RunStart {
        run: RunId::new(now, site.doors.entropy.bytes()),
        route: "adt".into(),
        seed: RunSeed([7; 16]),
        lanes: vec![b"MRN-4711".to_vec()],
    };
    let generation = Digest::of(b"generation");
    site.act(seventh, What::Replayed, |parent| Effect::Replayed { parent, new, generation });
    site.wait_until_idle();
    assert_eq!(arrived(&peer), ["1", "2", "3", "4", "6", "8"]);
    site.close();
}

#[test]
fn what_a_person_paused_is_paused_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let peer = FhirPeer::start().expect("a peer");
    let site = Site::open(folder.path(), &fhir(&peer));
    let key = hilum_store::MarkKey::new(Courier::paused_mark("ehr")).expect("a key");
    let record = Record::new(Timestamp::from_micros(1), What::Paused, Actor::LocalUser(1000));
    let mark = site.store.mark(key, Some("ticket 4711".to_owned()), record.into());
    mark.wait().expect("stored");
    site.courier.pause(true);
    site.dispatch(1);
    site.close();

    let site = Site::open(folder.path(), &fhir(&peer));
    wait("it to be found", || site.courier.status().queued == 1);
    assert_eq!(site.courier.status().state, crate::State::Paused);
    assert_eq!(arrived(&peer), Vec::<String>::new());
    site.courier.pause(false);
    site.wait_until_idle();
    assert_eq!(arrived(&peer), ["1"]);
    site.close();
}
