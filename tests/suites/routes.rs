//! Routes with several steps: a router chooses, a transformer maps, settings reach them.

use hilum_tests::{Site, adt};

const SITE: &str = r#"
[gateway]
name = "routes"
data = "data"
timezone = "UTC"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[table.admit-source]
file = "tables/admit-source.csv"

[plugin.by-facility]
file = "plugins/route-by-facility.wasm"

[plugin.adt-to-fhir]
file = "plugins/adt-to-fhir.wasm"
grant = { tables = ["admit-source"] }

[destination.main]
kind = "file"
folder = "out/main"
clearance = "treatment"

[destination.branch]
kind = "file"
folder = "out/branch"
clearance = "treatment"

[route.adt]
from = "adt-in"
steps = ["by-facility", "adt-to-fhir"]
to = ["main", "branch"]

[route.adt.settings]
"facility.ST-ANNA" = "main"
"facility.ST-BEDA" = "branch"
"facility.ST-CLAUS" = "nowhere"

[route.raw]
from = "adt-in"
when = "MSH-4 == 'ST-BEDA' and not exists ZZZ"
to = ["branch"]
lane = "none"
"#;

fn count(site: &Site, folder: &str) -> usize {
    std::fs::read_dir(site.path().join(folder)).map_or(0, Iterator::count)
}

#[test]
fn a_router_chooses_and_the_next_step_maps_for_what_is_left() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    let from = |facility: &str, id: &str| {
        let text = String::from_utf8(adt(id, "4711")).expect("text");
        text.replacen("|ST-ANNA|", &format!("|{facility}|"), 1).into_bytes()
    };
    assert!(client.send(&from("ST-ANNA", "F1")).expect("answered").contains("|AA|F1"));
    running.wait_until_idle().expect("idle");
    assert_eq!((count(&site, "out/main"), count(&site, "out/branch")), (1, 0));

    // Two routes take this one: mapped by the first, as it came by the second.
    assert!(client.send(&from("ST-BEDA", "F2")).expect("answered").contains("|AA|F2"));
    running.wait_until_idle().expect("idle");
    assert_eq!((count(&site, "out/main"), count(&site, "out/branch")), (1, 2));
    let raw = std::fs::read_dir(site.path().join("out/branch"))
        .expect("the folder")
        .map(|it| it.expect("an entry").path())
        .find(|it| it.extension().is_some_and(|ending| ending == "hl7"))
        .expect("an HL7 file");
    assert_eq!(std::fs::read(raw).expect("read"), from("ST-BEDA", "F2"), "byte for byte");

    // A destination that the route does not have, and a facility without a setting, are parked.
    for (facility, id, cause) in [("ST-CLAUS", "F3", "plugin-fault"), ("ST-DIVA", "F4", "refused")]
    {
        assert!(client.send(&from(facility, id)).expect("answered").contains("|AA|"));
        running.wait_until_idle().expect("idle");
        let parked = running.list("parked").expect("listed");
        let causes: Vec<_> =
            parked.as_array().expect("a list").iter().map(|it| &it["cause"]).collect();
        assert!(causes.iter().any(|it| *it == cause), "{facility}: {causes:?}");
    }
    assert_eq!((count(&site, "out/main"), count(&site, "out/branch")), (1, 2));
}

#[test]
fn a_discarded_run_is_no_longer_parked_and_the_trail_says_by_whom() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    let text = String::from_utf8(adt("G1", "4711")).expect("text");
    client.send(text.replacen("|ST-ANNA|", "|ST-DIVA|", 1).as_bytes()).expect("answered");
    running.wait_until_idle().expect("idle");
    let parked = running.list("parked").expect("listed");
    let id = parked[0]["id"].as_str().expect("an id").to_owned();
    let message = parked[0]["message"].as_str().expect("an id").to_owned();
    let trace = running.json(&["message", "trace", &message]).expect("traced");
    let trail = trace["trail"].as_array().expect("a trail");
    let step = trail.iter().find(|it| it["what"] == "routed").expect("a record of the step");
    assert_eq!(step["facts"]["answered"], "refused", "{step}");
    assert!(step["facts"]["output"].is_null(), "what it was given is no output: {step}");
    assert!(site.log().contains("run parked"), "an operator is told: {}", site.log());

    let (code, _, _) = site.run(&["parked", "discard", &id]).expect("hilum runs");
    assert_ne!(code, 0, "a reason is needed");
    running.json(&["parked", "discard", &id, "--reason", "a test"]).expect("discarded");
    assert_eq!(running.list("parked").expect("listed").as_array().map(Vec::len), Some(0));
    let trace = running.json(&["message", "trace", &message]).expect("traced").to_string();
    assert!(trace.contains("discarded") && trace.contains("a test"), "{trace}");
}
