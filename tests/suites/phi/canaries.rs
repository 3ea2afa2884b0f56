//! All fixtures and canary samples through the first-party plugins, over real sockets: what policy calls
//! patient data, and what the samples call a canary, is nowhere where operators look.
//!
//! Values are searched for as they stand, whole, whatever their casing. Left out are those that prove
//! nothing: shorter than [`LETTERS_MIN`], numbers below [`DIGITS_MIN`] digits (a count of fuel or bytes), words that
//! the gateway says of itself, and in `message show` what the message says openly elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hilum_message::{Message, TimeZone};
use hilum_policy::{Grant, Policy, RunSeed};
use hilum_tests::{Client, Running, Site, adt, http_get, repository};
use serde_json::Value;

use super::names_below;

const LETTERS_MIN: usize = 5;
const DIGITS_MIN: usize = 8;

const SITE: &str = r#"
[gateway]
name = "canaries"
data = "data"
timezone = "UTC"

[admin]
bind = "127.0.0.1:0"

[listener.v2]
kind = "mllp"
bind = "127.0.0.1:0"

[listener.processed]
kind = "mllp"
bind = "127.0.0.1:0"
ack = "processed"

[listener.web]
kind = "http"
bind = "127.0.0.1:0"
path = "/fhir"
json = "fhir"

[table.codes]
file = "tables/admit-source.csv"

[table.admit-source]
file = "tables/admit-source.csv"

[plugin.adt]
file = "plugins/adt-to-fhir.wasm"
grant = { tables = ["admit-source"] }

[plugin.oru]
file = "plugins/oru-to-fhir.wasm"

[plugin.codes]
file = "plugins/site-codes.wasm"
grant = { tables = ["codes"] }

[plugin.required]
file = "plugins/required-values.wasm"

[plugin.facility]
file = "plugins/route-by-facility.wasm"

[destination.treated]
kind = "file"
folder = "out/treated"
append = true
clearance = "treatment"

[destination.strict]
kind = "file"
folder = "out/strict"
append = true
clearance = { open = ["date"], withhold = ["name", "address", "birth-date", "contact", "identifier", "text", "image", "body", "unknown"] }

[route.adt]
from = "v2"
when = "MSH-9.1 == 'ADT'"
steps = ["adt"]
to = ["treated", "strict"]
settings = { transaction = "treated", collection = "strict" }

[route.oru]
from = "v2"
when = "MSH-9.1 == 'ORU'"
steps = ["oru"]
to = ["treated", "strict"]
settings = { transaction = "treated", collection = "strict" }

[route.codes]
from = "v2"
steps = ["required", "codes", "facility"]
to = ["treated", "strict"]
settings = { fields = "PV1-2, OBX-3.1", unknown = "keep", hold_without = "PID-7", otherwise = "treated" }

[route.processed]
from = "processed"
steps = ["required", "codes"]
to = ["treated", "strict"]
settings = { fields = "PV1-2, PV1-4", refuse_without = "PID-3.1, PV1-2" }

[route.web]
from = "web"
to = ["treated", "strict"]

[route.web-checked]
from = "web"
steps = ["required"]
to = ["treated"]
settings = { refuse_without = "PID-3.1" }
"#;

/// One sample: its bytes, and what must be seen nowhere.
pub(super) struct Sample {
    pub(super) file: String,
    pub(super) bytes: Vec<u8>,
    pub(super) is_fhir: bool,
    /// Whether it gets no acknowledgement, at least if all is well (table 0155).
    is_silent: bool,
    pub(super) values: BTreeSet<String>,
    /// What it says openly, in small letters.
    pub(super) open: String,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let ending = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        if path.is_dir() {
            files(&path, found);
        } else if ending == "hl7" || ending == "json" && path.ends_with_sample() {
            found.push(path);
        }
    }
    found.sort();
}

trait Named {
    fn ends_with_sample(&self) -> bool;
}

impl Named for PathBuf {
    fn ends_with_sample(&self) -> bool {
        self.file_name().is_some_and(|it| it.to_string_lossy().starts_with("s-fhir"))
    }
}

/// Whether a value proves something where it is found.
pub(super) fn is_telling(value: &str) -> bool {
    let is_number = value.chars().all(|it| it.is_ascii_digit() || matches!(it, '-' | '.' | '/'));
    let digits = value.chars().filter(char::is_ascii_digit).count();
    LETTERS_MIN <= value.len() && (!is_number || DIGITS_MIN <= digits)
}

/// What a message holds, in small letters.
#[derive(Default)]
struct Values {
    values: BTreeSet<String>,
    open: String,
}

fn values_of(message: &Arc<Message>) -> Values {
    let policy = Policy::new(TimeZone::UTC);
    let mut of = Values::default();
    for value in policy.explain(message, &Grant::open_to_all(), RunSeed([1; 16])) {
        let seen = value.seen.to_lowercase();
        if value.classes.is_empty() {
            of.open.push_str(&seen);
            of.open.push('\n');
            continue;
        }
        of.values.insert(seen);
    }
    of
}

fn canaries() -> BTreeMap<String, Vec<String>> {
    let path = repository().join("tests/fixtures/phi/canaries-sample/canaries.json");
    let list: Value = serde_json::from_slice(&std::fs::read(path).expect("there")).expect("JSON");
    let plain = |it: &Value| {
        (it["encoding"] == "plain").then(|| it["token"].as_str()).flatten().map(str::to_lowercase)
    };
    let of = |it: &Value| {
        let tokens = it["must_not_survive"].as_array().expect("a list");
        (it["file"].as_str().expect("a file").to_owned(), tokens.iter().filter_map(plain).collect())
    };
    list.as_array().expect("a list").iter().map(of).collect()
}

pub(super) fn samples() -> Vec<Sample> {
    let canaries = canaries();
    let mut found = Vec::new();
    files(&repository().join("tests/fixtures/hl7v2-messages"), &mut found);
    files(&repository().join("tests/fixtures/phi/canaries-sample"), &mut found);
    let mut samples = Vec::new();
    for path in found {
        let bytes = std::fs::read(&path).expect("a sample");
        let is_fhir = path.extension().is_some_and(|it| it == "json");
        let format = if is_fhir { "fhir-json" } else { "hl7v2" };
        // What does not parse is sent all the same: it is refused, and says nothing.
        let message = Message::parse(format, bytes.clone().into()).ok().map(Arc::new);
        let Values { mut values, open } = message.as_ref().map(values_of).unwrap_or_default();
        let wants = |path| {
            let wish = message.as_ref().and_then(|it| it.get(path).ok().flatten());
            wish.is_none_or(|it| !["NE", "ER"].contains(&it.as_str()))
        };
        // An acknowledgement is never acknowledged.
        let is_answer = message.as_ref().is_some_and(|it| {
            it.kind().starts_with("ACK") || it.outline().iter().any(|name| name == "MSA")
        });
        let is_silent = !is_fhir && (is_answer || !wants("MSH-15") && !wants("MSH-16"));
        let file = path.file_name().expect("a name").to_string_lossy().into_owned();
        values.extend(canaries.get(&file).into_iter().flatten().cloned());
        values.retain(|it| is_telling(it));
        samples.push(Sample { file, bytes, is_fhir, is_silent, values, open });
    }
    samples
}

/// A text and its words, to look many values up.
struct Seen {
    text: String,
    /// What the plugins bring along, in what the gateway says of itself.
    brought: String,
    words: HashSet<String>,
}

impl Seen {
    fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let words = text.split(|it: char| !it.is_alphanumeric()).map(str::to_owned).collect();
        Self { text, words, brought: String::new() }
    }

    /// Where a value stands, for whoever has to find out why. The samples are synthetic.
    fn around(&self, value: &str) -> String {
        let at = self.text.find(value).unwrap_or_default();
        self.text
            .chars()
            .skip(self.text[..at].chars().count().saturating_sub(100))
            .take(200)
            .collect()
    }

    /// Whether a value stands in it, whole.
    fn has(&self, value: &str) -> bool {
        let mut words = value.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty());
        let is_there = words.all(|it| self.words.contains(it));
        is_there
            && self.text.match_indices(value).any(|(at, _)| {
                let before = self.text[..at].chars().next_back();
                let after = self.text[at + value.len()..].chars().next();
                let is_end = |it: Option<char>| it.is_none_or(|it| !it.is_alphanumeric());
                is_end(before) && is_end(after)
            })
    }
}

impl Sample {
    /// What is said to its sender, or about it alone, may repeat what it says openly: its MSH, its codes.
    fn check(&self, what: &str, text: &str, own: &Seen, brought: &mut BTreeSet<String>) {
        let seen = Seen::new(text);
        for value in self.values.iter().filter(|it| !self.open.contains(it.as_str())) {
            let is_there = !own.has(value) && seen.has(value);
            // The plugins are blind, but a word may also be one of a code's display that they bring
            // along: `Inpatient`.
            if is_there && own.brought.contains(value.as_str()) {
                brought.insert(value.clone());
                continue;
            }
            assert!(!is_there, "{}: {value} is in {what}: {}", self.file, seen.around(value));
        }
    }
}

/// A `GET` on the control socket.
fn control(site: &Site, path: &str) -> Value {
    let mut stream = UnixStream::connect(site.path().join("data/control.sock")).expect("connected");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: hilum\r\nConnection: close\r\n\r\n")
        .expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
    let end = body.rfind(['}', ']']).expect("JSON");
    let start = body.find(['{', '[']).expect("JSON");
    serde_json::from_str(&body[start..=end]).expect("JSON")
}

fn post(address: &str, body: &[u8]) -> String {
    let mut stream = std::net::TcpStream::connect(address).expect("connected");
    let head = format!(
        "POST /fhir HTTP/1.1\r\nHost: hilum\r\nContent-Type: application/fhir+json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Everything that is said about no message in particular.
fn said(running: &Running<'_>, site: &Site) -> String {
    let admin = running.admin().expect("an address");
    let mut all = String::new();
    for path in ["/metrics", "/readyz?verbose"] {
        all += &http_get(&admin, path).expect("answered");
    }
    for path in
        ["/v1/status", "/v1/messages?limit=1000", "/v1/parked?limit=1000", "/v1/held?limit=1000"]
    {
        all += &control(site, path).to_string();
    }
    all + &site.log() + &names_below(site.path())
}

#[test]
fn no_value_of_any_fixture_is_where_operators_look() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve_in(&[("HILUM_LOG", "trace")]).expect("serving");
    let listeners = ["v2", "processed"].map(|it| running.listener(it).expect("an address"));
    let web = running.listener("web").expect("an address");

    // What the gateway says of itself: with one message in it that no fixture has.
    running
        .client_at(&listeners[0])
        .expect("connected")
        .send(&adt("BASE1", "MRN-BASE"))
        .expect("answered");
    running.wait_until_idle().expect("idle");
    let mut own = Seen::new(&(SITE.to_owned() + &said(&running, &site)));

    for plugin in ["adt-to-fhir", "oru-to-fhir"] {
        let file = site.path().join(format!("plugins/{plugin}.wasm"));
        let component = std::fs::read(file).expect("`make plugins` builds it");
        own.brought += &String::from_utf8_lossy(&component).to_lowercase();
    }
    let samples = samples();
    let mut brought = BTreeSet::new();
    let mut sent = 0;
    for sample in &samples {
        if sample.is_fhir {
            let answer = post(&web, &sample.bytes);
            sample.check("the answer", &answer, &own, &mut brought);
            sent += 1;
            continue;
        }
        // A frame within a frame ends the frame: two of the fixtures are about framing.
        if sample.bytes.iter().any(|it| matches!(it, 0x0b | 0x1c)) {
            continue;
        }
        for address in &listeners {
            let mut client = Client::connect(address).expect("connected");
            sent += 1;
            if sample.is_silent {
                let frame = [&[0x0b], sample.bytes.as_slice(), &[0x1c, 0x0d]].concat();
                client.write(&frame).expect("written");
                continue;
            }
            let answer = client.send(&sample.bytes).expect(&sample.file);
            sample.check("the answer", &answer, &own, &mut brought);
        }
    }
    assert!(400 < sent, "{sent}");
    running.wait_until_idle().expect("idle");

    let everything = Seen::new(&said(&running, &site));
    let mut searched = 0;
    let mut left_out = BTreeSet::new();
    let all: BTreeSet<&String> = samples.iter().flat_map(|it| &it.values).collect();
    for value in all {
        if own.has(value) {
            left_out.insert(value);
            continue;
        }
        searched += 1;
        assert!(!everything.has(value), "{value} is {}", everything.around(value));
    }
    assert!(1_500 < searched, "{searched}");
    assert!(left_out.len() < 25, "{left_out:?}");

    // Each message by itself, with what it says openly set aside.
    let by_digest: BTreeMap<String, &Sample> =
        samples.iter().map(|it| (hilum_words::Digest::of(&it.bytes).to_string(), it)).collect();
    let list = control(&site, "/v1/messages?limit=1000");
    let (mut shown, mut deliveries) = (0, 0);
    for message in list.as_array().or_else(|| list["messages"].as_array()).expect("a list") {
        let id = message["id"].as_str().expect("an id");
        let document = control(&site, &format!("/v1/messages/{id}"));
        let Some(sample) = by_digest.get(document["digest"].as_str().expect("a digest")) else {
            continue;
        };
        shown += 1;
        let runs = document["runs"].as_array().expect("runs");
        deliveries +=
            runs.iter().filter_map(|it| it["deliveries"].as_array()).map(Vec::len).sum::<usize>();
        let trace = control(&site, &format!("/v1/messages/{id}/trace")).to_string();
        sample.check("message show", &document.to_string(), &own, &mut brought);
        sample.check("message trace", &trace, &own, &mut brought);
    }
    assert!(brought.len() < 25, "{brought:?}");
    assert!(300 < shown && 250 < deliveries, "{shown} messages, {deliveries} deliveries");

    assert_eq!(running.terminate().expect("stopped"), 0);
    let (_, out, err) = site.run(&["store", "check"]).expect("hilum runs");
    let last = Seen::new(&(out + &err + &site.log()));
    for value in samples.iter().flat_map(|it| &it.values) {
        assert!(own.has(value) || !last.has(value), "{value} is in the log");
    }
    // There was something to find: who is cleared for it has it.
    let treated = std::fs::read_dir(site.path().join("out/treated")).expect("a folder");
    let treated: String = treated
        .flatten()
        .map(|it| String::from_utf8_lossy(&std::fs::read(it.path()).expect("a file")).into_owned())
        .collect();
    assert!(treated.contains("Xanlodwublod"), "a canary was delivered");
}
