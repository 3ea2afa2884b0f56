//! Health, metrics and stopping, as a supervisor uses them.

use hilum_peers::FhirPeer;
use hilum_tests::{Site, adt, http_get};

#[test]
fn health_and_metrics_are_served_on_loopback() {
    let fhir = FhirPeer::start().expect("a FHIR server");
    let site = Site::example(&fhir.base_url()).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    client.send(&adt("M1", "4711")).expect("answered");
    running.wait_until_idle().expect("idle");
    let admin = running.admin().expect("an address");
    assert!(admin.starts_with("127.0.0.1:"), "{admin}");
    assert!(http_get(&admin, "/livez").expect("answered").starts_with("HTTP/1.1 200"));
    assert!(http_get(&admin, "/readyz").expect("answered").starts_with("HTTP/1.1 200"));
    let missing = http_get(&admin, "/nowhere").expect("answered");
    assert!(missing.starts_with("HTTP/1.1 404"), "{missing}");
    assert!(missing.contains("application/problem+json"), "{missing}");
    let metrics = http_get(&admin, "/metrics").expect("answered");
    assert!(metrics.contains("application/openmetrics-text"), "{metrics}");
    for line in [
        "hilum_messages_total{listener=\"adt-in\",outcome=\"accepted\"} 1",
        "hilum_runs_total{route=\"adt\",outcome=\"dispatched\"} 1",
        "hilum_plugin_calls_total{plugin=\"adt-to-fhir\"} 1",
        "hilum_build_info",
        "\nhilum_parked 0\n",
        "\nhilum_deliveries_queued 0\n",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "no {line} in\n{metrics}");
    }
    assert!(!metrics.contains("M1"), "no control id in a metric");
}

#[test]
fn a_restart_keeps_what_was_there() {
    let fhir = FhirPeer::start().expect("a FHIR server");
    let site = Site::example(&fhir.base_url()).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    client.send(&adt("B1", "4711")).expect("answered");
    running.wait_until_idle().expect("idle");
    let before = running.list("message").expect("listed");
    assert_eq!(running.terminate().expect("stopped"), 0);

    let running = site.serve().expect("serving again");
    let after = running.list("message").expect("listed");
    assert_eq!(before, after);
    // The duplicate window survives as well.
    let mut client = running.client("adt-in").expect("connected");
    let again = client.send(&adt("B1", "4711")).expect("answered");
    assert!(again.contains("\rMSA|AA|B1"), "{again}");
    running.wait_until_idle().expect("idle");
    assert_eq!(running.list("message").expect("listed"), before);
}

#[test]
fn two_gateways_do_not_share_a_data_folder() {
    let fhir = FhirPeer::start().expect("a FHIR server");
    let site = Site::example(&fhir.base_url()).expect("a site");
    let _running = site.serve().expect("serving");
    let (code, _, err) = site.run(&["serve"]).expect("hilum runs");
    assert_ne!(code, 0);
    assert!(err.contains("data"), "{err}");
}

#[test]
fn a_damaged_journal_is_refused_with_a_sentence() {
    let fhir = FhirPeer::start().expect("a FHIR server");
    let site = Site::example(&fhir.base_url()).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    for number in 0..5 {
        client.send(&adt(&format!("X{number}"), "4711")).expect("answered");
    }
    running.wait_until_idle().expect("idle");
    assert_eq!(running.terminate().expect("stopped"), 0);
    let segments = site.path().join("data/seg");
    let first = std::fs::read_dir(segments)
        .expect("segments")
        .map(|it| it.expect("an entry").path())
        .min()
        .expect("a segment");
    let mut bytes = std::fs::read(&first).expect("read");
    let middle = bytes.len().min(4096) / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&first, bytes).expect("written");
    let (code, out, err) = site.run(&["store", "check"]).expect("hilum runs");
    assert_ne!(code, 0, "{out}{err}");
    let (code, _, err) = site.run(&["serve"]).expect("hilum runs");
    assert_ne!(code, 0);
    assert!(err.contains("damage"), "the sentence names the damage: {err}");
}
