//! `site-codes` and `route-by-facility` on messages of the world: every HL7 v2 message of the fixtures
//! goes through the whole of a rehearsal, blind, and what the plugin had no business with is as it came.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use hilum_message::{At, Message, TimeZone};
use hilum_pipeline::{DestinationPlan, Fate, LanePlan, Rehearsal, Route, Run, StepPlan, rehearse};
use hilum_policy::{Clearance, Policy, RunSeed};
use hilum_sandbox::{Budget, Grants, Package, Plugin, Sandbox, Table};
use hilum_tests::repository;
use hilum_words::{MessageId, Name, RunId, Timestamp};

/// A first-party plugin with these settings and rows of its tables.
struct Desk {
    // The sandbox's watch is driven by its threads.
    _runtime: tokio::runtime::Runtime,
    plugin: Arc<Plugin>,
    settings: Arc<BTreeMap<String, String>>,
    table: Arc<Table>,
}

impl Desk {
    fn new(name: &str, settings: &[(&str, &str)], rows: &[(&str, &str)]) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let doors = hilum_env::system::doors(runtime.handle().clone());
        let sandbox = Sandbox::new(&doors).expect("a sandbox");
        let file = repository().join(format!("examples/st-anna/plugins/{name}.wasm"));
        let bytes = std::fs::read(file).expect("`make plugins` builds it");
        let package = Package::read(bytes.into(), 1 << 24).expect("a package");
        let owned = |(one, other): &(&str, &str)| ((*one).to_owned(), (*other).to_owned());
        Self {
            _runtime: runtime,
            plugin: Arc::new(sandbox.load(&package).expect("a plugin")),
            settings: Arc::new(settings.iter().map(owned).collect()),
            table: Arc::new(Table::new(false, rows.iter().map(owned))),
        }
    }

    /// One message through it, to one destination that may have everything.
    fn rehearse(&self, message: Message) -> Rehearsal {
        let manifest = self.plugin.manifest();
        let grants = Grants::as_asked(&manifest.asks);
        let tables: BTreeMap<Name, Arc<Table>> =
            grants.tables.iter().map(|it| (it.clone(), Arc::clone(&self.table))).collect();
        let step = StepPlan {
            name: manifest.name.clone(),
            plugin: Arc::clone(&self.plugin),
            grant: grants.message,
            budget: Budget { wall: Budget::GATEWAY_MAX.wall, ..Budget::DEFAULT },
            tables_known: Arc::new(tables.keys().cloned().collect()),
            tables: Arc::new(tables),
        };
        let clearance = Arc::new(Clearance::treatment());
        let to = ["ehr", "archive", "lab"]
            .map(|it| DestinationPlan { name: Name::from(it), clearance: Arc::clone(&clearance) });
        let route = Route {
            name: Name::from("all"),
            from: Name::from("in"),
            when: None,
            steps: vec![step],
            to: to.into(),
            lane: LanePlan::None,
            settings: Arc::clone(&self.settings),
            owner: None,
            purpose: None,
        };
        let run = Run {
            id: RunId::from_bits(0),
            message: MessageId::from_bits(0),
            received: Timestamp::from_micros(0),
            seed: RunSeed([0; 16]),
            route: Arc::new(route),
            from_step: 0,
        };
        let policy = Policy::new(TimeZone::named("UTC").expect("a time zone"));
        rehearse(&policy, &run, &Arc::new(message))
    }
}

/// Every message of the fixtures that is one message of HL7 v2.
fn fixtures() -> Vec<(PathBuf, Bytes)> {
    let mut folders = vec![repository().join("tests/fixtures/hl7v2-messages")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("fixtures").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "hl7") {
                let bytes = Bytes::from(std::fs::read(&path).expect("a message"));
                // What no frame of MLLP could carry is escaped on its way out, so it is left out here.
                let is_carried = !bytes.contains(&0x1c);
                if is_carried && Message::parse("hl7v2", bytes.clone()).is_ok() {
                    found.push((path, bytes));
                }
            }
        }
    }
    found.sort();
    assert!(150 < found.len(), "the fixtures are there");
    found
}

/// What a message became for its first destination; none if nothing would be sent.
fn made(rehearsal: &Rehearsal, input: &Bytes) -> Option<Bytes> {
    let Fate::Dispatched(parcels) = &rehearsal.fate else { return None };
    parcels.first()?.content.as_ref().ok()?.assemble(input)
}

/// What a message looks like to an editor: long fields that were sent in pieces are one again.
fn joined(bytes: &Bytes) -> Arc<Message> {
    Arc::new(Message::parse("hl7v2", bytes.clone()).expect("a message")).joined()
}

const FIELDS: (&str, &str) = ("fields", "PV1-2, OBX-3.1, PID-8, PID-10.1, DG1-3.1, AL1-3.1");

/// No table has any of their codes: then not a byte may differ.
#[test]
fn site_codes_leaves_every_message_of_the_fixtures_as_it_came() {
    let desk = Desk::new("site-codes", &[FIELDS, ("unknown", "keep")], &[]);
    let mut untouched = 0;
    for (path, bytes) in fixtures() {
        let message = joined(&bytes);
        let rehearsal = desk.rehearse(Message::clone(&message));
        assert_eq!(rehearsal.reports[0].report.sights.opened.iter().count(), 0, "it maps blind");
        match made(&rehearsal, message.bytes()) {
            Some(body) => {
                assert!(body == *message.bytes(), "{} has changed", path.display());
                untouched += 1;
            }
            // A message that cannot be edited is refused with a reason, or waits with a cause.
            None => eprintln!("{}: {:?}", path.display(), rehearsal.fate.word()),
        }
    }
    assert!(150 < untouched, "{untouched} messages went through");
}

type Values = Vec<(String, Vec<u8>)>;

/// All values of a message with their places: those of OBX-3.1, and the others.
fn values(message: &Message) -> (Values, Values) {
    let all = message.values().map(|found| {
        let At::Hl7(place) = found.at else { panic!("HL7") };
        let raw = message.bytes().get(found.range.clone()).unwrap_or_default().to_vec();
        (place.to_string(), raw)
    });
    let is_code = |(place, _): &(String, Vec<u8>)| {
        let (segment, rest) = place.split_once('-').unwrap_or_default();
        let field = rest.split(['.', '[']).next();
        let component =
            rest.split_once('.').map_or("1", |(_, it)| it.split('.').next().unwrap_or("1"));
        segment.starts_with("OBX")
            && field == Some("3")
            && component == "1"
            && !rest.ends_with(".2")
    };
    all.partition(is_code)
}

/// Each code of an observation is exchanged, in every segment and repetition, and nothing else is.
#[test]
fn site_codes_exchanges_the_codes_of_every_observation_of_the_fixtures() {
    let mut codes = BTreeMap::new();
    for (_, bytes) in fixtures() {
        let message = joined(&bytes);
        let path = message.path("OBX-3.1").expect("a path");
        for found in message.find_all(&path).into_iter().flatten() {
            if let Ok(Some(code)) = message.text_of(&found) {
                codes.insert(code, format!("code-{}", codes.len()));
            }
        }
    }
    assert!(30 < codes.len(), "{} codes", codes.len());
    let rows: Vec<(&str, &str)> =
        codes.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    let settings = [("fields.codes-3", "OBX-3.1"), ("unknown", "keep")];
    let desk = Desk::new("site-codes", &settings, &rows);
    let mut exchanged = 0;
    for (path, bytes) in fixtures() {
        let message = joined(&bytes);
        let Some(body) = made(&desk.rehearse(Message::clone(&message)), message.bytes()) else {
            continue;
        };
        let after = Message::parse("hl7v2", body).expect("still a message");
        let ((before, others), (now, others_now)) = (values(&message), values(&after));
        assert!(others == others_now, "{}: another value has changed", path.display());
        assert_eq!(before.len(), now.len(), "{}", path.display());
        for ((place, was), (_, is)) in before.iter().zip(&now) {
            if was == b"\"\"" {
                assert_eq!(is, was, "what is deleted has no code");
                continue;
            }
            assert!(is.starts_with(b"code-"), "{} {place}", path.display());
            exchanged += 1;
        }
    }
    assert!(50 < exchanged, "{exchanged} codes");
}

/// The facility of the message decides, whatever else the message is.
#[test]
fn route_by_facility_sends_every_message_of_the_fixtures_where_its_facility_says() {
    let facility = |bytes: &Bytes| {
        let message = joined(bytes);
        let at = |path: &str| {
            let found = message.find(&message.path(path).expect("a path"))?;
            message.text_of(&found).ok().flatten()
        };
        (at("MSH-4.1").filter(|it| !it.is_empty()), at("MSH-4.2").filter(|it| !it.is_empty()))
    };
    let names: Vec<String> = fixtures().iter().filter_map(|(_, it)| facility(it).0).collect();
    let mut known: Vec<String> = names.clone();
    known.sort();
    known.dedup();
    // Every other facility has a setting.
    let known: Vec<String> = known.into_iter().step_by(2).collect();
    let keys: Vec<String> = known.iter().map(|it| format!("facility.{it}")).collect();
    let mut settings: Vec<(&str, &str)> = keys.iter().map(|it| (it.as_str(), "lab, ehr")).collect();
    settings.push(("otherwise", "archive"));
    let desk = Desk::new("route-by-facility", &settings, &[]);
    let mut counts = [0, 0];
    for (path, bytes) in fixtures() {
        let rehearsal = desk.rehearse(Message::clone(&joined(&bytes)));
        let Fate::Dispatched(parcels) = &rehearsal.fate else {
            panic!("{}: {}", path.display(), rehearsal.fate.word())
        };
        let sent: Vec<&str> = parcels.iter().map(|it| it.destination.as_str()).collect();
        let (name, id) = facility(&bytes);
        let is_known = [name, id].into_iter().flatten().any(|it| known.contains(&it));
        let expected: &[&str] = if is_known { &["ehr", "lab"] } else { &["archive"] };
        assert_eq!(sent, expected, "{}", path.display());
        counts[usize::from(is_known)] += 1;
    }
    assert!(counts.iter().all(|it| 10 < *it), "both ways are taken: {counts:?}");
}
