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
    assert_eq!(site.fault().0, Whose::SetUp);
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
