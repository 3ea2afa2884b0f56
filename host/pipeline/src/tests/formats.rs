//! Messages of other formats than HL7 v2, as runs.

use hilum_audit::{NonEmpty, Record};
use hilum_policy::{Grant, RunSeed, Sight};
use hilum_sandbox::Sandbox;
use hilum_store::{Arrival, RunStart};
use hilum_words::{Actor, Envelope, MessageId, Origin, RunId};

use super::plugins::{accepts, passes_on, step};
use super::*;

const PATIENT: &str = "{ \"resourceType\": \"Patient\",\r\n\t\"active\" :true, \"x\": [ ],\
    \"multipleBirthInteger\":2, \"score\": 1.500, \"name\":[{\"family\":\"EVERY\\u0057OMAN\"}] }\n";

/// A route of one transformer that hands on what it sees, or of none.
fn middle(grant: Option<Grant>, clearance: Clearance) -> Middle {
    let twin = Twin::with_seed(7);
    let mut route =
        Arc::into_inner(route("any", "exists PID", &[("archive", clearance)])).expect("ours");
    if let Some(grant) = grant {
        let sandbox = Sandbox::new(&twin.doors()).expect("a sandbox");
        route.steps = vec![step(&sandbox, "pass", passes_on(), grant)];
    }
    Middle::open(twin, vec![Arc::new(route)], |_| {}, 100)
}

/// Accepts a body of a format for the route, and works on it.
fn accept(middle: &Middle, format: &str, body: &[u8]) {
    let doors = middle.twin.doors();
    let received = Timestamp::from_micros(doors.clock.now_micros());
    let message = MessageId::new(received, doors.entropy.bytes());
    let actor = Actor::system("test");
    let arrival = Arrival {
        envelope: Envelope {
            message,
            received,
            listener: Name::from("adt-in"),
            peer: "10.0.0.1:9".to_owned(),
            origin: Origin::Listener,
            parent: None,
            correlation: None,
            actor: actor.clone(),
            trace: None,
        },
        kind: String::new(),
        key: None,
        on_reused: OnReused::Accept,
        format: Name::from(format),
        body: Bytes::copy_from_slice(body),
        generation: middle.current.current().digest,
        runs: vec![RunStart {
            run: RunId::new(received, doors.entropy.bytes()),
            route: Name::from("any"),
            seed: RunSeed([7; 16]),
            lanes: Vec::new(),
        }],
        findings: Vec::new(),
        records: NonEmpty::of(Record::new(received, What::Accepted, actor).message(message)),
    };
    middle.twin.block_on(middle.store.accept(arrival)).expect("stored");
    middle.start_worker();
}

fn delivered(middle: &Middle) -> (String, Bytes) {
    let queued = middle.store.queued("archive");
    let record = middle.store.delivery(queued.first().expect("one").delivery).expect("there");
    (record.format.to_string(), record.body)
}

#[test]
fn what_passes_through_is_byte_identical() {
    let binary = [&b"\x89PNG\r\n\0ZQ7K3M9XA2WB4T"[..], &[0xfe; 3_000]].concat();
    let marked = format!("\u{feff}{PATIENT}");
    for (format, body) in [
        ("fhir-json", PATIENT.as_bytes()),
        ("fhir-json", marked.as_bytes()),
        ("binary", &binary),
        ("csv", b""),
    ] {
        let middle = middle(None, Clearance::treatment());
        accept(&middle, format, body);
        assert_eq!(delivered(&middle), (format.to_owned(), Bytes::copy_from_slice(body)));
    }
}

#[test]
fn a_continued_segment_is_read_as_one_and_goes_as_it_came_where_nobody_has_written() {
    // Values that are written as ranges of what is stored, before and behind the joint.
    let long = "x".repeat(2_000);
    let text = format!(
        "MSH|^~\\&|ADT|WARD|||20261124||ADT^A01|3|P|2.5.1\rPID|1||{long}A\rNTE|1||half a te\rADD|xt\r\
         OBX|1|TX|||{long}B\rOBX|2|TX|||{long}C\r"
    );
    let passed = |plugin: Option<(hilum_sandbox::World, String)>, clearance: Clearance| {
        let twin = Twin::with_seed(7);
        let mut route =
            Arc::into_inner(route("any", "exists PID", &[("archive", clearance)])).expect("ours");
        if let Some(plugin) = plugin {
            let sandbox = Sandbox::new(&twin.doors()).expect("a sandbox");
            route.steps = vec![step(&sandbox, "one", plugin, Grant::sealed_by_default())];
        }
        let middle = Middle::open(twin, vec![Arc::new(route)], |_| {}, 100);
        accept(&middle, "hl7v2", text.as_bytes());
        delivered(&middle).1
    };
    assert_eq!(passed(None, Clearance::treatment()), text);
    assert_eq!(passed(Some(accepts()), Clearance::treatment()), text);
    let joined = text.replace("\rADD|", "");
    assert_eq!(passed(Some(passes_on()), Clearance::treatment()), joined);
    let masked = Clearance::treatment().with(Class::Identifier, Clear::Mask);
    let number = format!("{long}A");
    assert_eq!(passed(Some(accepts()), masked.clone()), text.replace(&number, "***"));
    assert_eq!(passed(Some(passes_on()), masked), joined.replace(&number, "***"));
}

#[test]
fn a_resource_that_a_plugin_carried_unseen_comes_out_byte_identical() {
    let sealed = || middle(Some(Grant::sealed_by_default()), Clearance::treatment());
    let marked = sealed();
    let body = format!("\u{feff}{PATIENT}");
    accept(&marked, "fhir-json", body.as_bytes());
    assert_eq!(delivered(&marked).1, body, "a byte order mark is kept");
    let middle = sealed();
    accept(&middle, "fhir-json", PATIENT.as_bytes());
    // The name was written with an escape, and numbers and booleans were tokens on the way.
    assert_eq!(delivered(&middle), ("fhir-json".to_owned(), Bytes::from(PATIENT)));
    let trail = middle.store.trail(middle.only_run().message).expect("a trail");
    let mapped = trail.iter().find(|it| it.what == What::Transformed).expect("a step");
    let facts: Vec<String> = mapped.facts.iter().map(|(key, _)| key.to_string()).collect();
    assert!(facts.contains(&"sealed.unknown".to_owned()), "{facts:?}");
    assert!(!facts.contains(&"opened.unknown".to_owned()), "{facts:?}");
}

#[test]
fn a_destination_that_is_not_cleared_gets_no_resource_and_no_body() {
    for format in ["fhir-json", "csv"] {
        let middle = middle(None, dates_alone());
        accept(&middle, format, PATIENT.as_bytes());
        assert!(middle.store.queued("archive").is_empty());
        let parked = middle.store.parked();
        assert_eq!(parked[0].cause.as_ref().map(|it| it.word), Some(CauseWord::Denied), "{format}");
    }
}

#[test]
fn a_body_without_a_reader_is_withheld_from_a_plugin_unless_it_is_opened() {
    let body = b"id;name\n4711;EVERYWOMAN\n";
    let closed = middle(Some(Grant::sealed_by_default()), Clearance::treatment());
    accept(&closed, "csv", body);
    assert_eq!(delivered(&closed).1.len(), 0, "it saw nothing, and hands on what it saw");
    let open = Grant::sealed_by_default().with(Class::Body, Sight::Open);
    let opened = middle(Some(open), Clearance::treatment());
    accept(&opened, "csv", body);
    assert_eq!(delivered(&opened).1, body.as_slice());
}
