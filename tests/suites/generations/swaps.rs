//! Swaps that go well.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hilum_tests::{Client, Site, adt, http_get};

use super::{SITE, Version, generation, lines};

/// How often the running generation is replaced.
const SWAPS: usize = 200;

/// How many senders there are.
const SENDERS: usize = 16;

/// How many messages each of them may be ahead of the swaps, so that the journal does not fill with
/// what one generation accepted.
const AHEAD: usize = 2;

#[test]
fn two_hundred_swaps_lose_nothing_tear_nothing_and_close_no_connection() {
    let site = Site::new(SITE).expect("a site");
    Version::One.write(&site);
    let running = site.serve().expect("serving");
    let first = generation(&running);
    let address = running.listener("adt-in").expect("an address");
    let acknowledged: Mutex<BTreeSet<String>> = Mutex::default();
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let swaps = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                // One connection for the whole of it: if it closes, sending fails.
                let mut client = Client::connect(&address).expect("connected");
                let mut sent = 0;
                while !stop.load(Ordering::SeqCst) {
                    if AHEAD * (swaps.load(Ordering::SeqCst) + 1) <= sent {
                        std::thread::sleep(std::time::Duration::from_millis(2));
                        continue;
                    }
                    sent += 1;
                    let id = format!("S{}", next.fetch_add(1, Ordering::SeqCst));
                    let answer = client.send(&adt(&id, &format!("9{id}"))).expect("answered");
                    assert!(answer.contains(&format!("\rMSA|AA|{id}")), "{answer}");
                    acknowledged.lock().expect("the list").insert(id);
                }
            });
        }
        let swapping = std::panic::AssertUnwindSafe(|| swap_all(&site, &running, &first, &swaps));
        let swapped = std::panic::catch_unwind(swapping);
        let status = running.json(&["status"]).expect("a status");
        stop.store(true, Ordering::SeqCst);
        if let Err(panic) = swapped {
            std::panic::resume_unwind(panic);
        }
        assert_eq!(status["listeners"][0]["connections"], SENDERS, "{status}");
    });
    running.wait_until_idle().expect("idle");
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked}");
    let listed = running.json(&["generation", "list", "--limit", "1000"]).expect("listed");
    let all = listed["generations"].as_array().expect("a list");
    assert_eq!(all.len(), SWAPS + 1, "each is in the journal");

    let acknowledged = acknowledged.into_inner().expect("the list");
    let mut delivered = BTreeMap::new();
    for output in lines(&site, "out") {
        let version = Version::of(&output);
        assert!(version.is_some(), "made by half of each: {output}");
        let mut words = output.split('"');
        let visit = words.find_map(|it| it.strip_prefix("VS")).expect("a visit number");
        delivered.insert(format!("S{visit}"), version);
    }
    let lost: Vec<_> = acknowledged.iter().filter(|id| !delivered.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), acknowledged.len());
    for version in [Version::One, Version::Two] {
        let count = delivered.values().filter(|it| **it == Some(version)).count();
        assert!(SWAPS / 10 < count, "there was load under both: {count} by {version:?}");
    }
    assert_eq!(running.terminate().expect("stopped"), 0);
    let (code, out, err) = site.run(&["store", "check"]).expect("hilum runs");
    assert_eq!(code, 0, "trail and state agree: {out}{err}");
}

/// Applies, rolls back and hangs up in turn.
fn swap_all(site: &Site, running: &hilum_tests::Running<'_>, first: &str, swaps: &AtomicUsize) {
    let mut digests = vec![first.to_owned()];
    let mut version = Version::One;
    for number in 0..SWAPS {
        version = version.other();
        let before = digests.last().expect("one").clone();
        match number % 4 {
            1 => drop(running.json(&["rollback", "--yes"]).expect("rolled back")),
            3 => {
                version.write(site);
                running.hang_up().expect("signalled");
                let took_over = |it: &hilum_tests::Running<'_>| Ok(generation(it) != before);
                running.wait("the generation to change", took_over).expect("it changed");
            }
            _ => {
                version.write(site);
                running.json(&["apply", "--yes"]).expect("applied");
            }
        }
        let now = generation(running);
        assert_ne!(now, before, "swap {number}");
        if let Some(same) = digests.len().checked_sub(2) {
            assert_eq!(now, digests[same], "the same files make the same generation");
        }
        digests.push(now);
        swaps.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn what_would_change_is_shown_before_it_is_done() {
    let site = Site::new(SITE).expect("a site");
    Version::One.write(&site);
    let running = site.serve().expect("serving");
    let before = generation(&running);
    let (code, out, _) = site.run(&["apply", "--dry-run"]).expect("hilum runs");
    assert_eq!(code, 0);
    assert!(out.contains("Nothing to do"), "{out}");

    Version::Two.write(&site);
    site.edit("hilum.toml", "append = true", "append = true\nextension = \"json\"")
        .expect("edited");
    site.edit("hilum.toml", "lane = \"none\"", "lane = \"source\"").expect("edited");
    let asked = b"version = \"0.1.0\"";
    let mut plugin = std::fs::read(site.path().join("plugins/adt-to-fhir.wasm")).expect("read");
    let at = plugin.windows(asked.len()).position(|it| it == asked).expect("its version");
    plugin[at..at + asked.len()].copy_from_slice(b"version = \"0.2.0\"");
    site.write("plugins/adt-to-fhir.wasm", plugin).expect("written");
    let (code, out, err) = site.run(&["apply", "--dry-run"]).expect("hilum runs");
    assert_eq!(code, 0, "{err}");
    for line in [
        "~ [destination.out]",
        "    + extension = \"json\"",
        "~ [route.adt]",
        "    ~ lane = \"none\" → \"source\"",
        "~ plugin adt-to-fhir",
        "adt-to-fhir 0.1.0 (",
        "adt-to-fhir 0.2.0 (",
        "~ tables/admit-source.csv",
    ] {
        assert!(out.contains(line), "no {line:?} in\n{out}");
    }
    assert_eq!(generation(&running), before, "nothing was done");
    let status = running.json(&["status"]).expect("a status");
    assert_eq!(status["folder_differs"], true);
    // Nobody is at the terminal, and nobody said --yes.
    let (code, _, err) = site.run(&["apply"]).expect("hilum runs");
    assert_eq!(code, 2, "{err}");
    assert_eq!(generation(&running), before);

    let applied = running.json(&["apply", "--yes", "--reason", "a new table"]).expect("applied");
    let now = generation(&running);
    assert_eq!(applied["generation"], now.as_str());
    assert_eq!(running.json(&["status"]).expect("a status")["folder_differs"], false);
    let listed = running.json(&["generation", "list"]).expect("listed");
    let summary = listed["generations"][0]["summary"].as_str().expect("a summary");
    assert!(summary.contains("route.adt changed") && summary.contains("0.1.0 → "), "{summary}");
    assert!(listed["generations"][0]["actor"].as_str().expect("who").starts_with("uid:"));
    let (_, diff, _) = site.run(&["generation", "diff", "before"]).expect("hilum runs");
    assert!(diff.contains("~ lane = \"none\" → \"source\""), "{diff}");
    let shown = running.json(&["generation", "show", "before"]).expect("shown");
    assert_eq!(shown["digest"], before.as_str());
    assert!(shown["configuration"][0]["text"].as_str().expect("text").contains("lane = \"none\""));

    // A rollback takes the stored files; the folder keeps the newer ones, and that is said.
    let (code, out, err) = site.run(&["rollback", "--yes"]).expect("hilum runs");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("a restart starts with that one"), "{out}");
    assert_eq!(generation(&running), before);
    let metrics = http_get(&running.admin().expect("an address"), "/metrics").expect("answered");
    assert!(metrics.contains("\nhilum_config_last_reload_successful 1\n"), "{metrics}");
    assert!(metrics.contains("\nhilum_generations_applied_total 2\n"), "{metrics}");
    assert_eq!(running.terminate().expect("stopped"), 0);
    let running = site.serve().expect("serving");
    assert_eq!(generation(&running), now, "a restart starts with the folder");
    assert_eq!(running.json(&["status"]).expect("a status")["folder_differs"], false);
}

#[test]
fn listeners_come_go_and_change_their_limits_while_others_stay_connected() {
    let site = Site::new(SITE).expect("a site");
    site.edit(
        "hilum.toml",
        "bind = \"127.0.0.1:0\"\n\n[table",
        "bind = \"127.0.0.1:0\"\nconnections_max = 1\n\n[table",
    )
    .expect("edited");
    let running = site.serve().expect("serving");
    let address = running.listener("adt-in").expect("an address");
    let mut first = Client::connect(&address).expect("connected");
    assert!(first.send(&adt("L1", "4711")).expect("answered").contains("|AA|L1"));
    let mut second = Client::connect(&address).expect("connected");
    assert!(second.is_closed(), "one connection is the limit");

    site.edit("hilum.toml", "connections_max = 1", "connections_max = 2").expect("edited");
    site.edit(
        "hilum.toml",
        "[table.",
        "[listener.more]\nkind = \"mllp\"\nbind = \"127.0.0.1:0\"\n\n[table.",
    )
    .expect("edited");
    site.edit(
        "hilum.toml",
        "[route.adt]",
        "[route.more]\nfrom = \"more\"\nto = [\"out\"]\n\n[route.adt]",
    )
    .expect("edited");
    running.json(&["apply", "--yes"]).expect("applied");
    assert_eq!(running.listener("adt-in").expect("an address"), address, "the socket stays");
    let mut second = Client::connect(&address).expect("connected");
    assert!(second.send(&adt("L2", "4711")).expect("answered").contains("|AA|L2"));
    assert!(first.send(&adt("L3", "4711")).expect("answered").contains("|AA|L3"));
    let mut more = running.client("more").expect("connected");
    assert!(more.send(&adt("L4", "4711")).expect("answered").contains("|AA|L4"));

    running.json(&["rollback", "--yes"]).expect("rolled back");
    assert!(more.is_closed(), "its listener is gone");
    assert!(first.send(&adt("L5", "4711")).expect("answered").contains("|AA|L5"));
    assert!(second.send(&adt("L6", "4711")).expect("answered").contains("|AA|L6"));
    running.wait_until_idle().expect("idle");
    assert_eq!(running.list("message").expect("listed").as_array().map(Vec::len), Some(6));
}

#[test]
fn what_waits_for_a_destination_is_parked_when_it_goes_and_queued_when_it_comes_back() {
    let fhir = hilum_peers::FhirPeer::start().expect("a FHIR server");
    let site = Site::example(&fhir.base_url()).expect("a site");
    let running = site.serve().expect("serving");
    fhir.answer_with(503, None);
    let mut client = running.client("adt-in").expect("connected");
    client.send(&adt("Q1", "4711")).expect("answered");
    running.wait("a first attempt", |_| Ok(0 < fhir.requests())).expect("it was tried");

    for (from, to) in [
        ("[destination.ehr]", "[destination.other]"),
        ("to = [\"ehr\"", "to = [\"other\""),
        ("\"ehr, archive\"", "\"other, archive\""),
    ] {
        site.edit("hilum.toml", from, to).expect("edited");
    }
    running.json(&["apply", "--yes"]).expect("applied");
    let is_parked = |it: &hilum_tests::Running<'_>| {
        Ok(it.list("parked")?.as_array().is_some_and(|all| all.len() == 1))
    };
    running.wait("the delivery to be parked", is_parked).expect("parked");
    let parked = running.list("parked").expect("listed");
    assert_eq!((&parked[0]["cause"], &parked[0]["destination"]), (&"gone".into(), &"ehr".into()));
    // The renamed one is another one, and works.
    fhir.recover();
    client.send(&adt("Q2", "4712")).expect("answered");
    running.wait_until_idle().expect("idle");
    assert_eq!(fhir.resources("Patient").len(), 1);

    running.json(&["rollback", "--yes"]).expect("rolled back");
    running
        .wait("it to arrive", |it| {
            Ok(it.list("parked")?.as_array().is_some_and(Vec::is_empty)
                && fhir.resources("Patient").len() == 2)
        })
        .expect("it arrived");
    running.wait_until_idle().expect("idle");
    let message = running.list("message").expect("listed")[1]["id"].clone();
    let message = message.as_str().expect("an id");
    let trace = running.json(&["message", "trace", message]).expect("traced").to_string();
    assert!(trace.contains("the destination is configured again"), "{trace}");
}

#[test]
fn a_courier_whose_section_changes_is_replaced_and_sends_what_waits() {
    let (down, up) = (
        hilum_peers::FhirPeer::start().expect("a FHIR server"),
        hilum_peers::FhirPeer::start().expect("another"),
    );
    let site = Site::example(&down.base_url()).expect("a site");
    let running = site.serve().expect("serving");
    down.answer_with(503, None);
    let mut client = running.client("adt-in").expect("connected");
    for number in 0..5 {
        client.send(&adt(&format!("C{number}"), &number.to_string())).expect("answered");
    }
    running.wait("a first attempt", |_| Ok(0 < down.requests())).expect("it was tried");
    site.edit("hilum.toml", &down.base_url(), &up.base_url()).expect("edited");
    running.json(&["apply", "--yes"]).expect("applied");
    running.wait_until_idle().expect("idle");
    let order: Vec<_> = up
        .resources("Patient")
        .iter()
        .map(|it| it["identifier"][0]["value"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(order, ["0", "1", "2", "3", "4"], "all of them, once, in order");
    assert_eq!(down.resources("Patient").len(), 0);
}
