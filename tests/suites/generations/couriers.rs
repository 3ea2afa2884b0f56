//! Destinations whose section or secret is another one.

use std::collections::BTreeSet;
use std::time::Duration;

use hilum_peers::{HttpReceiver, Say};
use hilum_tests::{Site, adt};

use super::generation;

const SENDING: &str = r#"[gateway]
name = "secrets"
data = "data"
timezone = "UTC"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[destination.cloud]
kind = "http"
url = "URL"
clearance = "treatment"

[destination.cloud.auth]
kind = "bearer"
token_file = "token"

[route.adt]
from = "adt-in"
to = ["cloud"]
"#;

#[test]
fn a_new_token_is_used_once_the_configuration_was_read_again() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let site = Site::new(&SENDING.replace("URL", &receiver.url("/in"))).expect("a site");
    site.write("token", "the-first-one\n").expect("written");
    let running = site.serve().expect("serving");
    let before = generation(&running);
    let mut client = running.client("adt-in").expect("connected");
    let mut sent = |id: &str| {
        assert!(client.send(&adt(id, "4711")).expect("answered").contains(&format!("|AA|{id}")));
        running.wait_until_idle().expect("idle");
        let received = receiver.received();
        let last = received.last().expect("it came");
        last.header("authorization").expect("a token").to_owned()
    };
    assert_eq!(sent("B1"), "Bearer the-first-one");
    site.write("token", "the-second-one\n").expect("written");
    assert_eq!(sent("B2"), "Bearer the-first-one", "nobody has said so yet");
    running.json(&["apply", "--yes"]).expect("applied");
    assert_eq!(sent("B3"), "Bearer the-second-one");
    site.write("token", "").expect("written");
    let (code, _, err) = site.run(&["apply", "--yes"]).expect("hilum runs");
    assert_eq!(code, 78);
    assert!(err.contains("destination.cloud.auth") && err.contains("is empty"), "{err}");
    assert_eq!(sent("B4"), "Bearer the-second-one");
    assert_eq!(generation(&running), before, "a secret is no part of a generation");
    assert_eq!(receiver.received().len(), 4, "each came once");
    let shown = running.json(&["generation", "show"]).expect("shown").to_string();
    assert!(shown.contains("token_file") && !shown.contains("-one"), "{shown}");
    assert!(!site.log().contains("the-second-one"), "no secret in the log");
}

#[test]
fn what_is_on_its_way_when_its_courier_is_replaced_arrives_once() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let site = Site::new(&SENDING.replace("URL", &receiver.url("/in"))).expect("a site");
    site.write("token", "a-token\n").expect("written");
    let running = site.serve().expect("serving");
    let slow = Duration::from_millis(700);
    receiver.answer(Say::After(slow, Box::new(Say::Status(200))));
    let mut client = running.client("adt-in").expect("connected");
    for number in 0..3 {
        client.send(&adt(&format!("F{number}"), "4711")).expect("answered");
    }
    running
        .wait("the first to be on its way", |_| Ok(!receiver.received().is_empty()))
        .expect("sent");
    site.edit(
        "hilum.toml",
        "kind = \"http\"",
        "kind = \"http\"\nheaders = { \"X-New\" = \"yes\" }",
    )
    .expect("edited");
    running.json(&["apply", "--yes"]).expect("applied");
    running.wait_until_idle().expect("idle");
    let received = receiver.received();
    let bodies: BTreeSet<_> = received.iter().map(|it| it.body.clone()).collect();
    assert_eq!((received.len(), bodies.len()), (3, 3), "each came once");
    assert!(received[0].header("x-new").is_none());
    assert_eq!(received[2].header("x-new"), Some("yes"));
    assert_eq!(running.list("parked").expect("listed").as_array().map(Vec::len), Some(0));
}
