//! The maps on the desk: each rule that has a condition, with the condition and without it.

mod messages;
mod patient;
mod visit;

use std::rc::Rc;

use hilum_sdk::native::{self, Body, Desk};
use hilum_sdk::{Reason, Refusal};

/// A patient that nothing is said of.
const PID: &str = "PID|1||7^^^X^MR";

fn run(event: &str, segments: &[&str], settings: &[(&str, &str)]) -> Result<Vec<String>, Refusal> {
    let msh = format!("MSH|^~\\&|APP|FAC|B|C|20260102030405+0100||ADT^{event}|1|P|2.5.1");
    let text = [&[msh.as_str()], segments].concat().join("\r");
    on_desk(&text, settings)
}

fn on_desk(text: &str, settings: &[(&str, &str)]) -> Result<Vec<String>, Refusal> {
    let mut desk = Desk::new(text);
    for (key, value) in settings {
        desk = desk.setting(key, value);
    }
    let outputs = native::call(Rc::new(desk), crate::map)?;
    let texts = outputs.into_iter().map(|it| match it.body {
        Body::Text(text) => text,
        _ => panic!("the mapping writes text"),
    });
    Ok(texts.collect())
}

/// The one transaction of an event.
#[track_caller]
fn made(event: &str, segments: &[&str]) -> String {
    let outputs = run(event, segments, &[]).expect("it is mapped");
    let [one] = outputs.as_slice() else { panic!("one output") };
    one.clone()
}

/// The one message of an event.
#[track_caller]
fn message(event: &str, segments: &[&str]) -> String {
    let outputs = run(event, segments, &[("message", "x")]).expect("it is mapped");
    let [one] = outputs.as_slice() else { panic!("one output") };
    one.clone()
}

/// Each of these stands in what was made, or, with a `!` before it, does not.
#[track_caller]
fn check(made: &str, expected: &[&str]) {
    for part in expected {
        match part.strip_prefix('!') {
            Some(absent) => assert!(!made.contains(absent), "{absent} is in {made}"),
            None => assert!(made.contains(part), "{part} is not in {made}"),
        }
    }
}

#[track_caller]
fn refused(event: &str, segments: &[&str], reason: Reason, path: &str) {
    let refusal = run(event, segments, &[]).expect_err("it is refused");
    assert_eq!((refusal.reason, refusal.path.as_deref()), (reason, Some(path)));
}

/// How many resources of a type there are.
fn count(made: &str, kind: &str) -> usize {
    made.matches(&format!("{{\"resourceType\":\"{kind}\"")).count()
}
