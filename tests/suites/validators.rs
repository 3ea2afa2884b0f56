//! Validators: what is held waits for a person, what is refused is told to who still waits.

use anyhow::{Context, Result, ensure};
use hilum_tests::{Running, Site, adt};
use serde_json::Value;

const SITE: &str = r#"
[gateway]
name = "validators"
data = "data"
timezone = "UTC"

[listener.stored]
kind = "mllp"
bind = "127.0.0.1:0"

[listener.processed]
kind = "mllp"
bind = "127.0.0.1:0"
ack = "processed"

[plugin.check]
file = "plugins/required-values.wasm"

[plugin.again]
file = "plugins/required-values.wasm"

[destination.kept]
kind = "file"
folder = "out"
clearance = "treatment"

[route.once]
from = "stored"
steps = ["check"]
to = ["kept"]
lane = "PID-3.1"

[route.once.settings]
refuse_without = "PID-3.1"
hold_without = "PID-7"

[route.twice]
from = "processed"
steps = ["check", "again"]
to = ["kept"]
lane = ["PID-3.1", "PV1-19.1"]

[route.twice.settings]
refuse_without = "PID-3.1, PV1-2"
hold_without = "PID-7"

[listener.both]
kind = "mllp"
bind = "127.0.0.1:0"
ack = "processed"

[route.checked]
from = "both"
steps = ["check"]
to = ["kept"]

[route.checked.settings]
hold_without = "PID-7"

[route.unchecked]
from = "both"
to = ["kept"]
"#;

/// What a validator sees nothing wrong in, and the same without a date of birth or a number.
fn whole(id: &str) -> Vec<u8> {
    adt(id, "4711")
}

fn without(id: &str, what: &str) -> Vec<u8> {
    let text = String::from_utf8(whole(id)).expect("text");
    text.replacen(what, "", 1).into_bytes()
}

const BORN: &str = "19800312";
const NUMBER: &str = "4711^^^ST-ANNA^MR";

fn delivered(site: &Site) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(site.path().join("out")).into_iter().flatten();
    let files = entries.map(|it| it.expect("an entry").path());
    files.map(|it| std::fs::read(it).expect("a file")).collect()
}

fn held(running: &Running<'_>) -> Result<Vec<Value>> {
    running.list("held")?.as_array().cloned().context("a list")
}

/// What a person writes who thinks that nobody else reads it.
const REASON: &str = "DOE^JOHN asked the ward";

/// Decides about the only run that is held.
fn decide(site: &Site, running: &Running<'_>, action: &str) -> Result<()> {
    let all = held(running)?;
    ensure!(all.len() == 1, "{all:?}");
    let id = all[0]["id"].as_str().context("an id")?.to_owned();
    let (code, _, err) = site.run(&["held", action, &id, "--reason", REASON])?;
    ensure!(code == 0, "{err}");
    running.wait_until_idle()
}

#[test]
fn what_is_held_waits_for_a_person_and_goes_on_as_it_came() -> Result<()> {
    let site = Site::new(SITE)?;
    let running = site.serve()?;
    let mut client = running.client("stored")?;
    assert!(client.send(&whole("V1"))?.contains("|AA|V1"));
    assert!(client.send(&without("V2", BORN))?.contains("|AA|V2"), "held counts as accepted");
    running.wait_until_idle()?;
    assert_eq!(delivered(&site), [whole("V1")]);
    let all = held(&running)?;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["detail"], "PID-7 missing; may the message go on without?");
    assert!(running.list("parked")?.as_array().is_some_and(Vec::is_empty), "held is not parked");

    // Neither kill nor restart lets it go.
    running.kill()?;
    let running = site.serve()?;
    assert_eq!(delivered(&site).len(), 1);
    decide(&site, &running, "release")?;
    assert!(held(&running)?.is_empty());
    let all = delivered(&site);
    assert_eq!(all.len(), 2);
    assert!(all.contains(&without("V2", BORN)), "byte for byte");
    Ok(())
}

#[test]
fn a_run_is_released_once_for_each_validator_that_holds_it() -> Result<()> {
    let site = Site::new(SITE)?;
    let running = site.serve()?;
    let answer = running.client("processed")?.send(&without("V3", BORN))?;
    assert!(answer.contains("|AA|V3"), "{answer}");
    for _ in 0..2 {
        assert!(delivered(&site).is_empty());
        decide(&site, &running, "release")?;
    }
    assert_eq!(delivered(&site), [without("V3", BORN)]);
    let messages = running.list("message")?;
    let message = messages[0]["id"].as_str().context("an id")?.to_owned();
    let trace = running.json(&["message", "trace", &message])?;
    let trail = trace["trail"].as_array().context("a trail")?;
    let steps: Vec<_> = trail.iter().filter_map(|it| it["facts"]["step"].as_str()).collect();
    assert_eq!(steps, ["check", "again"], "each was asked once: {trail:?}");
    let released = trail.iter().filter(|it| it["what"] == "released").count();
    assert_eq!(released, 2);
    Ok(())
}

#[test]
fn a_person_refuses_what_is_held_and_nothing_is_sent() -> Result<()> {
    let site = Site::new(SITE)?;
    let running = site.serve()?;
    assert!(running.client("stored")?.send(&without("V4", BORN))?.contains("|AA|V4"));
    running.wait_until_idle()?;
    decide(&site, &running, "refuse")?;
    assert!(held(&running)?.is_empty() && delivered(&site).is_empty());
    let messages = running.list("message")?;
    assert_eq!(messages[0]["state"], "refused", "{messages}");
    Ok(())
}

#[test]
fn a_message_whose_only_run_a_person_refused_begins_anew() -> Result<()> {
    let site = Site::new(SITE)?;
    let running = site.serve()?;
    for listener in ["stored", "processed"] {
        for _ in 0..2 {
            let answer = running.client(listener)?.send(&without("V7", BORN))?;
            assert!(answer.contains("|AA|V7"), "{listener}: {answer}");
            running.wait_until_idle()?;
            decide(&site, &running, "refuse")?;
        }
    }
    let messages = running.list("message")?;
    let messages = messages.as_array().context("a list")?;
    assert_eq!(messages.len(), 4, "each time another: {messages:?}");
    assert!(messages.iter().all(|it| it["state"] == "refused"), "{messages:?}");
    assert!(delivered(&site).is_empty());
    Ok(())
}

#[test]
fn a_sender_hears_that_a_person_refused_and_not_why() -> Result<()> {
    let site = Site::new(SITE)?;
    let running = site.serve()?;
    let mut client = running.client("both")?;
    assert!(client.send(&without("V8", BORN))?.contains("|AA|V8"), "one run goes on, one is held");
    running.wait_until_idle()?;
    decide(&site, &running, "refuse")?;
    let answer = client.send(&without("V8", BORN))?;
    assert!(answer.contains("|AE|V8"), "{answer}");
    assert!(answer.ends_with("|E||||refused by a person\r"), "{answer}");
    assert!(!answer.contains("DOE") && !answer.contains("ward"), "{answer}");
    let messages = running.list("message")?;
    assert_eq!(messages.as_array().map(Vec::len), Some(1), "it is known");
    let id = messages[0]["id"].as_str().context("an id")?;
    let trail = running.json(&["message", "trace", id])?["trail"].clone();
    let refused = trail.as_array().context("a trail")?.iter().find(|it| it["what"] == "refused");
    assert_eq!(refused.context("a refusal")?["facts"]["reason"], REASON, "the trail has it");
    assert_eq!(delivered(&site), [without("V8", BORN)]);
    Ok(())
}

#[test]
fn a_refusal_reaches_who_waits_for_it_and_else_a_person() -> Result<()> {
    let site = Site::new(SITE)?;
    let running = site.serve()?;
    let parked = |running: &Running<'_>| -> Result<usize> {
        Ok(running.list("parked")?.as_array().context("a list")?.len())
    };
    let answer = running.client("processed")?.send(&without("V5", NUMBER))?;
    assert!(answer.contains("|AE|V5"), "{answer}");
    assert!(answer.contains("\rERR||PID^1^3^1^1|101^"), "ERR-2, ERR-3: {answer}");
    assert!(!answer.contains("Zedlitz"), "{answer}");
    running.wait_until_idle()?;
    assert_eq!(parked(&running)?, 0, "it is final");
    assert!(running.client("stored")?.send(&without("V6", NUMBER))?.contains("|AA|V6"));
    running.wait_until_idle()?;
    assert_eq!(parked(&running)?, 1, "its sender has gone");
    assert!(delivered(&site).is_empty());
    Ok(())
}
