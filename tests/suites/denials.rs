//! Every door denies: each function of the contract, of each version and in each world, called where
//! nothing is granted. The answer is the typed denial (the guest gives up if it is not), it is in the
//! run's trail, and it is counted. What a call's report has is asked in the sandbox's own suite, of
//! the same probes; the list of functions is the WIT's own.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hilum_contract::{VERSION, World};
use hilum_tests::{Site, adt, http_get};
use serde_json::Value;

use crate::probes::{PROBES, Probe};
use crate::{offered, texts};

const CLASSES: &str = "name address birth-date date contact identifier text image body unknown";

/// One function in one world, under the name that its plugin and route have here.
struct Case {
    name: String,
    world: World,
    probe: Probe,
}

fn cases() -> Vec<Case> {
    let offered = offered::functions();
    let cases = offered.into_iter().enumerate().map(|(number, offered)| {
        let name = format!("{}.{}", offered.interface, offered.function);
        assert_eq!(offered.version, VERSION, "{name}: no denial test for this version");
        let is_it =
            |it: &&Probe| it.interface == offered.interface && it.function == offered.function;
        let probe = PROBES.iter().find(is_it);
        Case {
            name: format!("p{number}"),
            world: World::from_word(&offered.world).expect("a world that the gateway knows"),
            probe: *probe.unwrap_or_else(|| panic!("{name} has no denial test")),
        }
    });
    cases.collect()
}

/// A site with a plugin and a route for each case. Nothing is granted, and each class is withheld.
fn configuration(cases: &[Case]) -> String {
    let withheld: String =
        CLASSES.split(' ').map(|it| format!("phi.{it} = \"withhold\", ")).collect();
    let mut text = "[gateway]\nname = \"test\"\ndata = \"data\"\ntimezone = \"UTC\"\n\
        [admin]\nbind = \"127.0.0.1:0\"\n\
        [listener.in]\nkind = \"mllp\"\nbind = \"127.0.0.1:0\"\n\
        [table.kept]\nfile = \"tables/admit-source.csv\"\n\
        [destination.out]\nkind = \"file\"\nfolder = \"out\"\nclearance = \"treatment\"\n"
        .to_owned();
    for Case { name, .. } in cases {
        let _ = write!(
            text,
            "[plugin.{name}]\nfile = \"plugins/{name}.wasm\"\ngrant = {{ {withheld} }}\n\
             [route.{name}]\nfrom = \"in\"\nsteps = [\"{name}\"]\nto = [\"out\"]\nlane = \"none\"\n"
        );
    }
    text.replace(", }", " }")
}

fn component(case: &Case) -> Vec<u8> {
    let module = case.probe.module(case.world);
    let component = texts::component(&module, Some(case.world));
    texts::with_manifest(component, &texts::manifest(&case.world.id(), &[]))
}

#[test]
fn every_function_denies_in_every_world_and_the_trail_and_the_count_say_so() {
    let cases = cases();
    let site = Site::new(&configuration(&cases)).expect("a site");
    for case in &cases {
        site.write(&format!("plugins/{}.wasm", case.name), component(case)).expect("written");
    }
    let running = site.serve().expect("serving");
    let message =
        String::from_utf8(adt("1", "4711")).expect("text").replace("Zedlitz", "EVERYWOMAN");
    let answer =
        running.client("in").expect("connected").send(message.as_bytes()).expect("answered");
    assert!(answer.contains("MSA|AA|1"), "{answer}");
    running.wait_until_idle().expect("idle");

    let id = running.list("message").expect("a list")[0]["id"].as_str().expect("an id").to_owned();
    let trace = running.json(&["message", "trace", &id]).expect("a trace");
    let steps: BTreeMap<String, &Value> = trace["trail"]
        .as_array()
        .expect("records")
        .iter()
        .filter_map(|it| Some((it["facts"]["step"].as_str()?.to_owned(), &it["facts"])))
        .collect();
    let metrics = http_get(&running.admin().expect("an address"), "/metrics").expect("metrics");
    for Case { name, world, probe } in &cases {
        let told = format!("{}.{} of a {}", probe.interface, probe.function, world.word());
        let facts = steps.get(name).unwrap_or_else(|| panic!("{told} left no record"));
        assert!(facts["fault"].is_null(), "{told}: {}", facts["fault"]);
        let denied: BTreeMap<&str, u64> = facts
            .as_object()
            .expect("facts")
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix("denied.")?, value.as_u64()?)))
            .collect();
        let expected = probe.denied.counts();
        assert_eq!(denied, expected.iter().copied().collect(), "{told}, in the trail");
        let count: u64 = expected.iter().map(|(_, count)| count).sum();
        let line = format!("hilum_plugin_denials_total{{plugin=\"{name}\"}} {count}\n");
        assert!(metrics.contains(&line), "{told}, counted");
    }
    assert_eq!(running.terminate().expect("stopped"), 0);
}
