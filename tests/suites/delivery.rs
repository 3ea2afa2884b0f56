//! What is acknowledged is delivered: through plugins, over real sockets, across crashes.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hilum_peers::FhirPeer;
use hilum_tests::{Client, Site, adt};

#[test]
fn an_admission_arrives_as_fhir_and_in_files() {
    let fhir = FhirPeer::start().expect("a FHIR server");
    let site = Site::example(&fhir.base_url()).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    let answer = client.send(&adt("A1", "4711")).expect("answered");
    assert!(answer.contains("\rMSA|AA|A1"), "{answer}");
    running.wait_until_idle().expect("idle");

    let patients = fhir.resources("Patient");
    assert_eq!(patients.len(), 1);
    assert_eq!(patients[0]["name"][0]["family"], "Zedlitz");
    assert_eq!(patients[0]["birthDate"], "1980-03-12");
    let research = only_file(&site, "out/research");
    assert!(!research.contains("Zedlitz") && !research.contains("1980-03-12"), "{research}");
    assert!(only_file(&site, "out/archive").contains("Zedlitz"));

    // A second message about the same patient changes the patient and makes no other.
    client.send(&adt("A2", "4711")).expect("answered");
    running.wait_until_idle().expect("idle");
    assert_eq!(fhir.resources("Patient").len(), 1);
    assert_eq!(running.terminate().expect("stopped"), 0, "SIGTERM drains and exits 0");
}

fn only_file(site: &Site, folder: &str) -> String {
    let mut files: Vec<_> = std::fs::read_dir(site.path().join(folder))
        .expect("the folder")
        .map(|it| it.expect("an entry").path())
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    std::fs::read_to_string(files.remove(0)).expect("the file")
}

const FILES: &str = r#"
[gateway]
name = "kill"
data = "data"
timezone = "UTC"

[admin]
bind = "127.0.0.1:0"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[table.admit-source]
file = "tables/admit-source.csv"

[plugin.adt-to-fhir]
file = "plugins/adt-to-fhir.wasm"
grant = { tables = ["admit-source"] }

[destination.single]
kind = "file"
folder = "out/single"
clearance = "treatment"

[destination.rolling]
kind = "file"
folder = "out/rolling"
append = true
clearance = "treatment"

[route.adt]
from = "adt-in"
steps = ["adt-to-fhir"]
to = ["single", "rolling"]
"#;

/// How many times the process is killed.
const KILLS: usize = 50;

#[test]
fn kill_nine_at_random_moments_loses_nothing_that_was_acknowledged() {
    let site = Site::new(FILES).expect("a site");
    let acknowledged: Mutex<BTreeSet<String>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let mut random = Random(0x5eed);
    for round in 0..KILLS {
        let running = site.serve().expect("serving");
        let address = running.listener("adt-in").expect("an address");
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let Ok(mut client) = Client::connect(&address) else { return };
                    while !stop.load(Ordering::SeqCst) {
                        let id = format!("K{}", next.fetch_add(1, Ordering::SeqCst));
                        // An error means that the gateway died first: nothing was promised.
                        let Ok(answer) = client.send(&adt(&id, &format!("9{id}"))) else { return };
                        assert!(answer.contains(&format!("\rMSA|AA|{id}")), "{answer}");
                        acknowledged.lock().expect("the list").insert(id);
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(random.below(120)));
            running.kill().expect("killed");
            stop.store(true, Ordering::SeqCst);
        });
        assert!(round < KILLS);
    }
    let acknowledged = acknowledged.into_inner().expect("the list");
    assert!(KILLS < acknowledged.len(), "there was load: {}", acknowledged.len());

    let running = site.serve().expect("serving");
    running.wait_until_idle().expect("idle");
    let parked = running.list("parked").expect("listed");
    assert_eq!(running.terminate().expect("stopped"), 0);

    // A run may be parked as crashed only after three starts, and then it is listed.
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked}");
    let visit_numbers = |folder: &str| -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for entry in std::fs::read_dir(site.path().join(folder)).expect("the folder") {
            let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("text");
            // Visit numbers are `V` and the control id.
            found.extend(
                text.split('"').filter_map(|it| it.strip_prefix("VK")).map(|it| format!("K{it}")),
            );
        }
        found
    };
    for folder in ["out/single", "out/rolling"] {
        let delivered = visit_numbers(folder);
        let lost: Vec<_> = acknowledged.difference(&delivered).collect();
        assert!(
            lost.is_empty(),
            "{} of {} lost in {folder}: {lost:?}",
            lost.len(),
            acknowledged.len()
        );
    }
    let (code, out, err) = site.run(&["store", "check"]).expect("hilum runs");
    assert_eq!(code, 0, "trail and state agree: {out}{err}");
}

/// A small generator of numbers, so that a failing run can be named by its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn a_destination_that_is_down_gets_its_messages_later_in_order() {
    let fhir = FhirPeer::start().expect("a FHIR server");
    let site = Site::example(&fhir.base_url()).expect("a site");
    let running = site.serve().expect("serving");
    fhir.answer_with(503, Some(Duration::from_millis(200)));
    let mut client = running.client("adt-in").expect("connected");
    for number in 0..5 {
        let answer =
            client.send(&adt(&format!("O{number}"), &format!("{number}"))).expect("answered");
        assert!(answer.contains("|AA|"), "the sender does not feel it: {answer}");
    }
    running
        .wait("a first attempt", |_| Ok(0 < fhir.requests()))
        .expect("the destination was tried");
    assert_eq!(fhir.resources("Patient").len(), 0);
    fhir.recover();
    running.wait_until_idle().expect("idle");
    let order: Vec<_> = fhir
        .resources("Patient")
        .iter()
        .map(|it| it["identifier"][0]["value"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(order, ["0", "1", "2", "3", "4"]);
}

#[test]
fn a_rejected_message_is_parked_with_its_cause_and_can_be_replayed() {
    let fhir = FhirPeer::start().expect("a FHIR server");
    let site = Site::example(&fhir.base_url()).expect("a site");
    let running = site.serve().expect("serving");
    fhir.answer_with(422, None);
    let mut client = running.client("adt-in").expect("connected");
    client.send(&adt("R1", "4711")).expect("answered");
    running.wait_until_idle().expect("idle");
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked[0]["destination"], "ehr", "{parked}");
    assert_eq!(parked[0]["cause"], "rejected", "{parked}");
    assert_eq!(parked.as_array().map(Vec::len), Some(1), "the files are not affected: {parked}");

    fhir.recover();
    let id = parked[0]["id"].as_str().expect("an id").to_owned();
    running.json(&["parked", "replay", &id]).expect("replayed");
    running.wait_until_idle().expect("idle");
    assert_eq!(fhir.resources("Patient").len(), 1);
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked}");
}

#[test]
fn what_waits_for_a_destination_that_is_no_longer_configured_is_parked() {
    let fhir = FhirPeer::start().expect("a FHIR server");
    let site = Site::example(&fhir.base_url()).expect("a site");
    let running = site.serve().expect("serving");
    fhir.answer_with(503, None);
    let mut client = running.client("adt-in").expect("connected");
    client.send(&adt("Q1", "4711")).expect("answered");
    running.wait("a first attempt", |_| Ok(0 < fhir.requests())).expect("it was tried");
    running.kill().expect("killed");

    site.edit("hilum.toml", "[destination.ehr]", "[destination.other]").expect("edited");
    site.edit("hilum.toml", "to = [\"ehr\"", "to = [\"other\"").expect("edited");
    site.edit("hilum.toml", "\"ehr, archive\"", "\"other, archive\"").expect("edited");
    let running = site.serve().expect("serving again");
    running
        .wait("the delivery to be parked", |it| {
            Ok(it.list("parked")?.as_array().is_some_and(|all| all.len() == 1))
        })
        .expect("parked");
    let parked = running.list("parked").expect("listed");
    assert_eq!((&parked[0]["cause"], &parked[0]["destination"]), (&"gone".into(), &"ehr".into()));
}

/// The first destination may have nothing of a patient's.
const DENYING: &str = r#"
[gateway]
name = "denying"
data = "data"
timezone = "UTC"

[listener.in]
kind = "mllp"
bind = "127.0.0.1:0"

[destination.nothing]
kind = "file"
folder = "nothing"
clearance = { open = ["date"] }

[destination.kept]
kind = "file"
folder = "kept"
clearance = "treatment"

[route.through]
from = "in"
to = ["nothing", "kept"]
"#;

#[test]
fn all_that_can_be_replayed_is_and_the_rest_is_named() {
    let site = Site::new(DENYING).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("in").expect("connected");
    client.send(&adt("A1", "4711")).expect("answered");
    client.send(&adt("A2", "4712")).expect("answered");
    running.wait_until_idle().expect("idle");
    let replay = || site.run(&["parked", "replay", "--all"]).expect("ran");
    let (exit, said, error) = replay();
    assert_eq!((exit, said.matches("runs again as run_").count()), (0, 2), "{said}{error}");
    running.wait_until_idle().expect("idle");
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(2), "denied as before: {parked}");

    // The route of these is gone, so nothing can make their runs again.
    site.edit("hilum.toml", "[route.through]", "[route.other]").expect("edited");
    running.json(&["apply", "--yes"]).expect("applied");
    client.send(&adt("A3", "4713")).expect("answered");
    running.wait_until_idle().expect("idle");
    let (exit, said, error) = replay();
    assert_eq!(exit, 1, "{said}{error}");
    assert_eq!(said.matches("is not replayed: ").count(), 2, "{said}");
    assert_eq!(said.matches("runs again as run_").count(), 1, "what stands behind them: {said}");
    assert!(said.contains("1 item; 2 not replayed"), "{said}");
}
