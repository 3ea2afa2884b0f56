//! HL7 v2 in, HL7 v2 out: what an MLLP receiver gets and what its answers do.

use std::time::Duration;

use hilum_peers::{Ack, MllpReceiver};
use hilum_tests::{Running, Site, adt};

/// A pass-through to the receiver.
fn site(receiver: &MllpReceiver, more: &str) -> Site {
    let configuration = format!(
        r#"
[gateway]
name = "mllp-out"
data = "data"
timezone = "UTC"

[admin]
bind = "127.0.0.1:0"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[destination.lab]
kind = "mllp"
address = "{}"
clearance = "treatment"
retry = {{ first = "50ms", longest = "200ms" }}
{more}

[route.adt]
from = "adt-in"
to = ["lab"]
"#,
        receiver.address()
    );
    Site::new(&configuration).expect("a site")
}

/// Sends messages, each of which is accepted at once, whatever the receiver does.
fn send(running: &Running<'_>, messages: &[Vec<u8>]) {
    let mut client = running.client("adt-in").expect("connected");
    for message in messages {
        let answer = client.send(message).expect("answered");
        // Each in its own separators.
        assert!(["\rMSA|AA|", "\rMSA$AA$"].iter().any(|it| answer.contains(it)), "{answer}");
    }
}

/// The trace of the only message, as text.
fn trace(running: &Running<'_>) -> String {
    let messages = running.list("message").expect("listed");
    let id = messages[0]["id"].as_str().expect("an id").to_owned();
    running.json(&["message", "trace", &id]).expect("traced").to_string()
}

#[test]
fn a_pass_through_delivers_byte_for_byte() {
    let receiver = MllpReceiver::start().expect("a receiver");
    let site = site(&receiver, "");
    let running = site.serve().expect("serving");
    let odd = "MSH$%~!@$ADT$ST-ANNA$HILUM$ST-ANNA$20261124090000+0100$$ADT%A01%ADT_A01$B!T!2$P$2.5.1\r\
               ZZZ$ \u{e4} $$$\r\rPID$1$$4711%%%ST-ANNA%MR$$Zedlitz%Quirina$$\"\"";
    let messages = [adt("B1", "4711"), odd.as_bytes().to_vec(), adt("B3", "4712")];
    send(&running, &messages);
    running.wait_until_idle().expect("idle");
    assert_eq!(receiver.received(), messages);
    assert_eq!(receiver.connections(), 1, "the connection is kept");
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked}");
}

#[test]
fn an_error_parks_the_message_and_says_what_the_receiver_said_in_codes() {
    let receiver = MllpReceiver::start().expect("a receiver");
    receiver.answer_next([Ack::Error("AE", "101")]);
    let site = site(&receiver, "");
    let running = site.serve().expect("serving");
    send(&running, &[adt("E1", "4711")]);
    running.wait_until_idle().expect("idle");
    let parked = running.list("parked").expect("listed");
    assert_eq!(
        (&parked[0]["cause"], &parked[0]["destination"]),
        (&"rejected".into(), &"lab".into())
    );
    let trace = trace(&running);
    assert!(trace.contains("AE (101 at PID-5)"), "{trace}");
    assert!(!trace.contains("Zedlitz") && !site.log().contains("Zedlitz"), "{trace}");

    // Once the receiver takes it, the same bytes go again.
    let id = parked[0]["id"].as_str().expect("an id").to_owned();
    running.json(&["parked", "replay", &id]).expect("replayed");
    running.wait_until_idle().expect("idle");
    assert_eq!(receiver.received(), [adt("E1", "4711"), adt("E1", "4711")]);
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked}");
}

#[test]
fn a_reject_is_tried_again_with_the_same_control_id_and_nothing_overtakes() {
    let receiver = MllpReceiver::start().expect("a receiver");
    receiver.answer_next([Ack::Error("AR", "207"), Ack::Code("AR")]);
    let site = site(&receiver, "");
    let running = site.serve().expect("serving");
    send(&running, &[adt("R1", "4711"), adt("R2", "4712")]);
    running.wait_until_idle().expect("idle");
    let first = adt("R1", "4711");
    assert_eq!(receiver.received(), [first.clone(), first.clone(), first, adt("R2", "4712")]);
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked}");
}

#[test]
fn a_receiver_that_was_down_gets_everything_in_order() {
    let receiver = MllpReceiver::start().expect("a receiver");
    let site = site(&receiver, "");
    let running = site.serve().expect("serving");
    send(&running, &[adt("D0", "0")]);
    running.wait_until_idle().expect("idle");
    receiver.down();
    let messages: Vec<_> = (1..20).map(|it| adt(&format!("D{it}"), &it.to_string())).collect();
    send(&running, &messages);
    running
        .wait("a first attempt", |it| {
            Ok(it.json(&["status"])?.to_string().contains("connection refused"))
        })
        .expect("it was tried");
    receiver.recover().expect("it listens again");
    running.wait_until_idle().expect("idle");
    let all: Vec<_> = (0..20).map(|it| adt(&format!("D{it}"), &it.to_string())).collect();
    assert_eq!(receiver.received(), all);
}

#[test]
fn an_answer_to_another_message_and_silence_settle_nothing_and_the_trace_says_so() {
    let receiver = MllpReceiver::start().expect("a receiver");
    let late = Ack::After(Duration::from_millis(800), Box::new(Ack::Code("AA")));
    receiver.answer_next([Ack::Of("ANOTHER"), Ack::HangUp, late]);
    let site = site(&receiver, "timeout = \"400ms\"");
    let running = site.serve().expect("serving");
    send(&running, &[adt("S1", "4711")]);
    running.wait_until_idle().expect("idle");
    assert_eq!(receiver.received(), vec![adt("S1", "4711"); 4], "until one answer was its own");
    let trace = trace(&running);
    for part in [
        "no answer in time; came: 1 to another message",
        "the connection closed without an answer",
        "outcome unknown: no answer in time",
    ] {
        assert!(trace.contains(part), "no {part} in {trace}");
    }
    let metrics = hilum_tests::http_get(&running.admin().expect("an address"), "/metrics");
    let metrics = metrics.expect("metrics");
    let line = "stray_answers_total{destination=\"lab\",answer=\"foreign\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    assert!(!metrics.contains("ANOTHER") && !site.log().contains("ANOTHER"), "no content");
}
