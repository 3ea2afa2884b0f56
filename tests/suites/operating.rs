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

#[test]
fn a_paused_destination_gets_nothing_until_it_is_resumed_even_over_a_restart() {
    let fhir = FhirPeer::start().expect("a FHIR server");
    let site = Site::example(&fhir.base_url()).expect("a site");
    let running = site.serve().expect("serving");
    let (code, _, err) =
        site.run(&["destination", "pause", "nowhere", "--reason", "a test"]).expect("hilum runs");
    assert_eq!(code, 1);
    assert!(err.contains("no destination is named \"nowhere\""), "{err}");
    running.json(&["destination", "pause", "ehr", "--reason", "their upgrade"]).expect("paused");
    let mut client = running.client("adt-in").expect("connected");
    let answer = client.send(&adt("P1", "4711")).expect("answered");
    assert!(answer.contains("|AA|P1"), "the sender does not feel it: {answer}");
    let only_it_waits = |it: &hilum_tests::Running<'_>| {
        let counts = &it.json(&["status"])?["counts"];
        Ok(counts["undecided"] == 0 && counts["queued"] == 1)
    };
    running.wait("the others to be delivered", only_it_waits).expect("delivered");
    assert_eq!(running.terminate().expect("stopped"), 0);

    let running = site.serve().expect("serving again");
    let listed = running.json(&["destination", "list"]).expect("listed");
    let all = listed["destinations"].as_array().expect("a list");
    let ehr = all.iter().find(|it| it["name"] == "ehr").expect("it is listed");
    assert_eq!((&ehr["state"], &ehr["queued"]), (&"paused".into(), &1.into()), "{ehr}");
    let why = ehr["paused"].as_str().expect("why");
    assert!(why.contains("uid:") && why.contains("their upgrade"), "{why}");
    // A configuration that touches it does not wake it.
    site.edit("hilum.toml", "first = \"50ms\"", "first = \"60ms\"").expect("edited");
    running.json(&["apply", "--yes"]).expect("applied");
    let mut client = running.client("adt-in").expect("connected");
    client.send(&adt("P2", "4712")).expect("answered");
    let two_wait = |it: &hilum_tests::Running<'_>| {
        let counts = &it.json(&["status"])?["counts"];
        Ok(counts["undecided"] == 0 && counts["queued"] == 2)
    };
    running.wait("the others to be delivered", two_wait).expect("delivered");
    assert_eq!(fhir.requests(), 0, "nothing went there");

    running.json(&["destination", "resume", "ehr", "--reason", "it is done"]).expect("resumed");
    running.wait_until_idle().expect("idle");
    assert_eq!(fhir.resources("Patient").len(), 2);
    let status = running.json(&["status"]).expect("a status");
    let all = status["destinations"].as_array().expect("a list");
    assert!(all.iter().all(|it| it["paused"].is_null()), "{status}");
}

/// A validator holds what has no birth date; what it lets through is mapped.
const HOLDING: &str = r#"
[gateway]
name = "holding"
data = "data"
timezone = "UTC"

[admin]
bind = "127.0.0.1:0"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[table.admit-source]
file = "tables/admit-source.csv"

[plugin.complete]
file = "plugins/required-values.wasm"

[plugin.adt-to-fhir]
file = "plugins/adt-to-fhir.wasm"
grant = { tables = ["admit-source"] }

[destination.out]
kind = "file"
folder = "out"
clearance = "treatment"

[route.adt]
from = "adt-in"
steps = ["complete", "adt-to-fhir"]
to = ["out"]

[route.adt.settings]
hold_without = "PID-7"
"#;

fn outputs(site: &Site) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(site.path().join("out")) else { return Vec::new() };
    let text = |it: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(it.expect("an entry").path()).expect("text")
    };
    entries.map(text).collect()
}

#[test]
fn what_is_held_is_released_on_the_generation_that_took_it_or_refused() {
    let site = Site::new(HOLDING).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    let without = |id: &str| {
        let text = String::from_utf8(adt(id, "4711")).expect("text");
        text.replace("19800312", "").into_bytes()
    };
    for id in ["D1", "D2", "D3"] {
        assert!(client.send(&without(id)).expect("answered").contains(&format!("|AA|{id}")));
    }
    let are_held = |it: &hilum_tests::Running<'_>| {
        Ok(it.list("held")?.as_array().is_some_and(|all| all.len() == 3))
    };
    running.wait("them to be held", are_held).expect("held");
    let held = running.list("held").expect("listed");
    assert!(held[0]["detail"].as_str().expect("why").contains("PID-7"), "{held}");
    assert_eq!(running.list("parked").expect("listed").as_array().map(Vec::len), Some(0));
    assert_eq!(running.json(&["status"]).expect("a status")["counts"]["held"], 3);
    assert!(outputs(&site).is_empty());
    let id = |index: usize| held[index]["id"].as_str().expect("an id").to_owned();
    let (code, _, _) = site.run(&["held", "release", &id(0)]).expect("hilum runs");
    assert_eq!(code, 2, "a reason is needed");

    // Two other generations, then a restart: what is held stays with the one that took it, whose
    // table had another word.
    for word in ["one", "two"] {
        site.write("tables/admit-source.csv", format!("from,to\n1,{word}\n")).expect("written");
        running.json(&["apply", "--yes"]).expect("applied");
    }
    let unloaded = |_: &hilum_tests::Running<'_>| Ok(site.log().contains("unloaded"));
    running.wait("the one in between to be unloaded", unloaded).expect("unloaded");
    running.json(&["held", "release", &id(0), "--reason", "call 17"]).expect("released");
    running.wait_until_idle().expect("idle");
    assert!(!site.log().contains("goes on with a released run"), "the held ones' was kept");
    assert_eq!(running.terminate().expect("stopped"), 0);
    let running = site.serve().expect("serving again");
    running.json(&["held", "release", &id(1), "--reason", "call 18"]).expect("released");
    running.wait_until_idle().expect("idle");
    let made = outputs(&site);
    assert_eq!(made.len(), 2);
    assert!(made.iter().all(|it| it.contains("\"gp\"")), "{made:?}");

    running.json(&["held", "refuse", &id(2), "--reason", "call 19"]).expect("refused");
    assert_eq!(running.list("held").expect("listed").as_array().map(Vec::len), Some(0));
    running.wait_until_idle().expect("idle");
    assert_eq!(outputs(&site).len(), 2, "it went nowhere");
    for (index, what) in [(0, "released"), (2, "refused")] {
        let message = held[index]["message"].as_str().expect("an id");
        let trace = running.json(&["message", "trace", message]).expect("traced");
        let trail = trace["trail"].as_array().expect("a trail");
        let step = trail.iter().find(|it| it["what"] == what).expect("it is in the trail");
        assert!(step["actor"].as_str().expect("who").starts_with("uid:"), "{step}");
        assert!(step["facts"]["reason"].as_str().expect("why").starts_with("call"), "{step}");
    }
    // What was decided is not decided again.
    let (code, _, err) =
        site.run(&["held", "release", &id(2), "--reason", "again"]).expect("hilum runs");
    assert_eq!(code, 1);
    assert!(err.contains("refused"), "{err}");
}
