use std::time::Duration;

use hilum_peers::{Fault, FhirPeer};
use hilum_words::{DeliveryId, MessageId, RunId, Timestamp};

use super::*;
use crate::Whose;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("tokio")
}

fn config(url: &str) -> FhirConfig {
    FhirConfig {
        url: Url::parse(url).expect("a URL"),
        transport: Transport {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(5),
            ..Transport::default()
        },
        matching: Match::No,
        identifier_system: None,
    }
}

/// A peer, and what sends to it.
struct Site {
    runtime: tokio::runtime::Runtime,
    peer: FhirPeer,
    destination: FhirDestination,
}

impl Site {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut FhirConfig)) -> Self {
        let (runtime, peer) = (runtime(), FhirPeer::start().expect("a peer"));
        let mut config = config(&peer.base_url());
        change(&mut config);
        let doors = hilum_env::system::doors(runtime.handle().clone());
        let destination = FhirDestination::new(&config, &Secrets::default(), &doors);
        Self { runtime, peer, destination }
    }

    fn send(&self, delivery: Delivery) -> Result<Delivered, SendFault> {
        let mut results = self.runtime.block_on(self.destination.send_many(&[delivery]));
        assert_eq!(results.len(), 1);
        results.remove(0)
    }

    #[track_caller]
    fn fault(&self) -> (Whose, String) {
        let fault = self.send(delivery()).expect_err("a fault");
        (fault.whose(), fault.to_string())
    }
}

const BUNDLE: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient","identifier":[{"system":"s","value":"7"}]},"request":{"method":"PUT","url":"Patient?identifier=s%7C7"}}]}"#;

fn delivery() -> Delivery {
    Delivery {
        id: DeliveryId::from_bits(7),
        message: MessageId::from_bits(8),
        run: RunId::from_bits(9),
        ordinal: 1,
        received: Timestamp::from_micros(0),
        attempt: 3,
        format: FORMAT.into(),
        body: Bytes::from_static(BUNDLE.as_bytes()),
    }
}

#[test]
fn a_transaction_arrives_with_its_id_and_its_answer_is_kept() {
    let site = Site::new();
    let delivered = site.send(delivery()).expect("delivered");
    assert_eq!(delivered.code, "200");
    let (format, answer) = delivered.answer.expect("an answer");
    assert_eq!(format.as_str(), FORMAT);
    assert!(String::from_utf8_lossy(&answer).contains("transaction-response"));
    assert_eq!(site.peer.resources("Patient").len(), 1);

    let received = site.peer.received().remove(0);
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/fhir"));
    assert_eq!(received.body, BUNDLE);
    for (name, value) in [
        ("content-type", "application/fhir+json"),
        ("accept", "application/fhir+json"),
        ("idempotency-key", "dlv_00000000000000000000000007"),
        ("x-request-id", "dlv_00000000000000000000000007-3"),
        ("host", &site.peer.address().to_string()),
    ] {
        assert_eq!(received.header(name), Some(value), "{name}");
    }
}

#[test]
fn each_fault_of_the_peer_is_understood() {
    let site = Site::new();
    site.peer.answer_with(503, Some(Duration::from_secs(7)));
    let fault = site.send(delivery()).expect_err("a fault");
    assert_eq!(fault.after(), Some(Duration::from_secs(7)));
    assert_eq!(fault.to_string(), "busy: 503 Service Unavailable (exception)");
    site.peer.answer_with(401, None);
    assert_eq!(
        site.fault(),
        (Whose::SetUp, "the set-up is at fault: 401 Unauthorized (exception)".into())
    );
    site.peer.fail(Fault::Entries { status: 422 });
    assert_eq!(
        site.fault(),
        (Whose::Content, "rejected: 200, entry 1: 422 Unprocessable Entity (invariant)".into())
    );
    site.peer.fail(Fault::Says("<html>"));
    assert_eq!(site.fault().0, Whose::Unknown);
    site.peer.down().expect("down");
    // A kept connection closes; its own task has to notice before the next request goes out.
    std::thread::park_timeout(Duration::from_millis(100));
    assert_eq!(site.fault(), (Whose::Destination, "not reached: connection refused".into()));
    site.peer.recover();
    site.send(delivery()).expect("delivered");
}

#[test]
fn a_peer_that_hangs_up_leaves_the_outcome_unknown() {
    let site = Site::new();
    let unknown = "outcome unknown: the connection closed without an answer";
    site.peer.fail(Fault::HangUpBefore);
    assert_eq!(site.fault(), (Whose::Unknown, unknown.into()));
    assert_eq!(site.peer.resources("Patient").len(), 0);
    site.peer.fail(Fault::HangUpAfter);
    assert_eq!(site.fault(), (Whose::Unknown, unknown.into()));
    assert_eq!(site.peer.resources("Patient").len(), 1, "it has it, and nobody was told");
    assert_eq!(site.peer.requests(), 2, "neither was sent again behind the courier's back");
}

#[test]
fn a_slow_peer_is_not_waited_for_for_ever() {
    let site = Site::with(|config| config.transport.timeout = Duration::from_millis(50));
    site.peer.fail(Fault::Slow(Duration::from_secs(60)));
    assert_eq!(site.fault(), (Whose::Unknown, "outcome unknown: no answer in time".into()));
}

#[test]
fn an_answer_over_its_bound_is_not_read() {
    let site = Site::with(|config| config.transport.answer_bytes_max = 64);
    let (whose, text) = site.fault();
    assert_eq!(whose, Whose::Unknown);
    assert!(text.contains("answer_bytes_max"), "{text}");
}

#[test]
fn another_format_is_refused_before_anything_is_sent() {
    let site = Site::new();
    let fault = site.send(Delivery { format: "hl7v2".into(), ..delivery() }).expect_err("a fault");
    assert_eq!(fault.to_string(), "rejected: a FHIR endpoint takes fhir-json, not hl7v2");
    assert_eq!(site.peer.requests(), 0);
}

fn resource(body: &str) -> Delivery {
    Delivery { body: Bytes::copy_from_slice(body.as_bytes()), ..delivery() }
}

const PATIENT: &str =
    r#"{"resourceType":"Patient","identifier":[{"system":"urn:oid:1.2","value":"47|11"}]}"#;

/// The method, target and condition of the last request.
fn asked(site: &Site) -> (String, String, Option<String>) {
    let last = site.peer.received().pop().expect("a request");
    let condition = last.header("if-none-exist").map(str::to_owned);
    (last.method, last.target, condition)
}

#[test]
fn a_resource_is_created_and_where_it_is_now_is_kept() {
    let site = Site::new();
    let delivered = site.send(resource(PATIENT)).expect("delivered");
    assert_eq!(delivered.code, "201");
    let (format, answer) = delivered.answer.expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert_eq!(
        (format.as_str(), answer.as_str()),
        ("fhir-place", r#"{"location":"Patient/1/_history/1","etag":"W/\"1\""}"#)
    );
    assert_eq!(asked(&site), ("POST".into(), "/fhir/Patient".into(), None));
    assert_eq!(site.peer.received()[0].body, PATIENT, "byte for byte");
    let again = site.send(resource(PATIENT)).expect("delivered");
    assert_eq!(again.code, "201");
    assert_eq!(site.peer.resources("Patient").len(), 2, "nobody asked for a match");
}

#[test]
fn a_resource_with_an_id_is_put_there() {
    let site = Site::new();
    let body = r#"{"resourceType":"Organization","id":"st-anna","name":"St. Anna"}"#;
    assert_eq!(site.send(resource(body)).expect("delivered").code, "201");
    assert_eq!(site.send(resource(body)).expect("delivered").code, "200");
    assert_eq!(asked(&site), ("PUT".into(), "/fhir/Organization/st-anna".into(), None));
    assert_eq!(site.peer.resources("Organization").len(), 1);
}

#[test]
fn a_repeated_conditional_create_or_update_makes_no_second_patient() {
    let condition = "identifier=urn%3Aoid%3A1.2%7C47%5C%7C11";
    let site = Site::with(|config| config.matching = Match::IfNoneExist);
    assert_eq!(site.send(resource(PATIENT)).expect("delivered").code, "201");
    let sent = ("POST".into(), "/fhir/Patient".into(), Some(condition.into()));
    assert_eq!(asked(&site), sent);
    let site = Site::with(|config| config.matching = Match::Update);
    let plain = r#"{"resourceType":"Patient","identifier":[{"system":"s","value":"7"}]}"#;
    assert_eq!(site.send(resource(plain)).expect("delivered").code, "201");
    assert_eq!(site.send(resource(plain)).expect("delivered").code, "200");
    assert_eq!(asked(&site), ("PUT".into(), "/fhir/Patient?identifier=s%7C7".into(), None));
    assert_eq!(site.peer.resources("Patient").len(), 1);
    let site = Site::with(|config| config.matching = Match::IfNoneExist);
    for _ in 0..3 {
        site.send(resource(plain)).expect("delivered");
    }
    assert_eq!(site.peer.resources("Patient").len(), 1);
    let nobody = r#"{"resourceType":"Patient","name":[{"family":"Zwiebelfisch"}]}"#;
    let fault = site.send(resource(nobody)).expect_err("a fault").to_string();
    assert_eq!(
        fault,
        "rejected: the resource has neither an id nor the identifier that it is matched by"
    );
}

#[test]
fn two_that_fit_a_condition_are_a_fault_of_the_content() {
    let site = Site::new();
    let plain = r#"{"resourceType":"Patient","identifier":[{"system":"s","value":"7"}]}"#;
    site.send(resource(plain)).expect("delivered");
    site.send(resource(plain)).expect("delivered");
    let url = site.peer.base_url();
    let config = FhirConfig { matching: Match::Update, ..config(&url) };
    let doors = hilum_env::system::doors(site.runtime.handle().clone());
    let matching = FhirDestination::new(&config, &Secrets::default(), &doors);
    let fault = site.runtime.block_on(matching.send(&resource(plain))).expect_err("a fault");
    assert_eq!(
        (fault.whose(), fault.to_string()),
        (Whose::Content, "rejected: 412 Precondition Failed (multiple-matches)".into())
    );
}

#[test]
fn a_batch_that_fails_in_part_says_which_entries() {
    let site = Site::new();
    let entry = |kind: &str, url: &str| {
        format!(
            r#"{{"resource":{{"resourceType":"{kind}"}},"request":{{"method":"POST","url":"{url}"}}}}"#
        )
    };
    let entries = [
        entry("Patient", "Patient"),
        entry("Patient", "Encounter"),
        entry("Encounter", "Encounter"),
        entry("Patient", "Observation"),
    ];
    let bundle =
        format!(r#"{{"resourceType":"Bundle","type":"batch","entry":[{}]}}"#, entries.join(","));
    let fault = site.send(resource(&bundle)).expect_err("a fault");
    assert_eq!(
        (fault.whose(), fault.to_string()),
        (
            Whose::Content,
            "rejected: 200, entry 2: 400 Bad Request (invalid), entry 4: 400 Bad Request (invalid)"
                .into()
        )
    );
    assert_eq!(site.peer.resources("Patient").len(), 1, "the others are done");
}
