//! A mapping in Rust that panics, in each way in which it can: the run is parked with the place in
//! its source, what it said about a patient stays nowhere, and the next message goes on.

use anyhow::{Context, Result, ensure};
use hilum_tests::{Site, adt, hilum_in};

const SITE: &str = r#"
[gateway]
name = "panics"
data = "data"
timezone = "UTC"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[plugin.panics]
file = "plugins/panics.wasm"
grant = { phi.name = "open" }

[destination.out]
kind = "file"
folder = "out"
clearance = "treatment"

[route.adt]
from = "adt-in"
lane = "none"
steps = ["panics"]
to = ["out"]
"#;

/// It may read the name, and puts it into whatever it says last.
const SOURCE: &str = r#"
use std::fmt;

use hilum_sdk::{Message, Object, Output, Refusal};

hilum_sdk::transformer!(map);

struct Again(String);

impl fmt::Display for Again {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a panic about {} while a panic is told", self.0)
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        panic!("a panic about {} on the way out", self.0)
    }
}

/// It calls itself without end; what it does with the answer keeps that from becoming a loop.
#[expect(unconditional_recursion, reason = "that is the test")]
fn deeper<const LOCALS: usize>(name: &str) -> usize {
    let locals = std::hint::black_box([name; LOCALS]);
    deeper::<LOCALS>(locals[0]) + std::hint::black_box(locals).len()
}

fn map(message: &Message) -> Result<Vec<Output>, Refusal> {
    let [id, name] = message.values(["MSH-10", "PID-5.1"]);
    let (id, name) = (id.unwrap_or_default(), name.unwrap_or_default());
    assert_eq!(name, "Zedlitz", "the grant opens it");
    match id.as_str() {
        "TEXT" => panic!("no idea what to do with {name}"),
        "AGAIN" => panic!("{}", Again(name)),
        "DROP" => { let _again = Again(name.clone()); panic!("first {name}") }
        "EXPECT" => { Err::<(), _>(name).expect("the patient's name") }
        "INDEX" => { let letters: Vec<char> = name.chars().collect(); let _ = letters[letters.len()]; }
        "PATH" => { message.value("PID-"); }
        "ALLOC" => { let _ = Vec::<u8>::with_capacity(usize::MAX / 4); }
        "DEEP" => { deeper::<1>(&name); }
        "WIDE" => { deeper::<8000>(&name); }
        _ => {}
    }
    Ok(vec![Output::fhir(Object::new().set("resourceType", "Basic"))])
}
"#;

const WAYS: [&str; 9] =
    ["TEXT", "AGAIN", "DROP", "EXPECT", "INDEX", "PATH", "ALLOC", "DEEP", "WIDE"];

#[test]
fn a_panic_parks_its_run_with_the_line_and_without_the_patient() -> Result<()> {
    let desk = tempfile::tempdir()?;
    hilum_in(desk.path(), &["plugin", "new", "panics"])?;
    let project = desk.path().join("panics");
    std::fs::write(project.join("src/lib.rs"), SOURCE)?;
    let manifest = std::fs::read_to_string(project.join("plugin.toml"))?;
    let asks = "[asks]\nphi.name = { sight = \"open\", why = \"to panic about it\" }\n\n[budget]";
    std::fs::write(project.join("plugin.toml"), manifest.replace("[budget]", asks))?;
    hilum_in(&project, &["plugin", "build", "."])?;

    let site = Site::new(SITE)?;
    std::fs::copy(project.join("panics.wasm"), site.path().join("plugins/panics.wasm"))?;
    let running = site.serve_in(&[("HILUM_LOG", "trace")])?;
    let mut client = running.client("adt-in")?;
    for way in WAYS {
        ensure!(client.send(&adt(way, "4711"))?.contains("|AA|"), "{way} is stored");
    }
    ensure!(client.send(&adt("FINE", "4711"))?.contains("|AA|"));
    running.wait("the last to arrive", |_| {
        Ok(std::fs::read_dir(site.path().join("out")).is_ok_and(|mut it| it.next().is_some()))
    })?;
    running.wait("all to be parked", |running| {
        Ok(running.list("parked")?.as_array().is_some_and(|it| it.len() == WAYS.len()))
    })?;

    let parked = running.list("parked")?;
    let parked = parked.as_array().context("a list")?;
    let mut told = String::new();
    for one in parked {
        let id = one["id"].as_str().context("an id")?;
        let shown = running.json(&["parked", "show", id])?.to_string();
        let trace = running.json(&["message", "trace", one["message"].as_str().unwrap_or(id)])?;
        told.push_str(&shown);
        told.push_str(&trace.to_string());
    }
    for way in ["TEXT", "INDEX", "EXPECT", "PATH"] {
        let line = SOURCE.lines().position(|it| it.contains(&format!("{way:?} =>")));
        let place = format!("src/lib.rs:{}:", line.context("its line")? + 1);
        ensure!(told.contains(&place), "{way}: {place} is in {told}");
    }
    for fault in [
        "asked for more memory than its budget has",
        "trapped: its call stack is exhausted",
        // The stack of its locals, which lies lowest: it ends there, and writes over nothing.
        "trapped: it reached outside its memory",
    ] {
        ensure!(told.contains(fault), "{fault} is in {told}");
    }
    ensure!(told.contains("no idea what to do with"), "what it said is kept: {told}");
    ensure!(!told.contains("Zedlitz"), "the patient is in {told}");
    let log = site.log();
    ensure!(log.contains("parked"), "the log tells it: {log}");
    ensure!(!log.contains("Zedlitz"), "the patient is in the log");
    Ok(())
}
