//! Kill -9 in the middle of changes: what was accepted ends on the generation that accepted it.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hilum_tests::{Client, Site, adt};

use super::{SITE, Version, lines};

/// How often the process is killed.
const KILLS: usize = 20;

#[test]
fn kill_nine_during_changes_loses_nothing_and_tears_nothing() {
    let site = Site::new(SITE).expect("a site");
    let mut version = Version::One;
    version.write(&site);
    let acknowledged: Mutex<BTreeSet<String>> = Mutex::default();
    let (next, changes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for round in 0..KILLS {
        let running = site.serve().expect("serving");
        let address = running.listener("adt-in").expect("an address");
        let stop = AtomicBool::new(false);
        let first = version;
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let Ok(mut client) = Client::connect(&address) else { return };
                    while !stop.load(Ordering::SeqCst) {
                        let id = format!("S{}", next.fetch_add(1, Ordering::SeqCst));
                        // An error means that the gateway died first: nothing was promised.
                        let Ok(answer) = client.send(&adt(&id, &format!("9{id}"))) else { return };
                        assert!(answer.contains(&format!("\rMSA|AA|{id}")), "{answer}");
                        acknowledged.lock().expect("the list").insert(id);
                    }
                });
            }
            let changing = scope.spawn(|| {
                let mut version = first;
                while !stop.load(Ordering::SeqCst) {
                    version = version.other();
                    version.write(&site);
                    let (code, _, _) = site.run(&["apply", "--yes"]).expect("hilum runs");
                    changes.fetch_add(usize::from(code == 0), Ordering::SeqCst);
                }
                version
            });
            // Each round a little later, so that every part of a change is met.
            let later = u64::try_from(round).expect("small") * 17;
            std::thread::sleep(Duration::from_millis(120 + later));
            running.kill().expect("killed");
            stop.store(true, Ordering::SeqCst);
            version = changing.join().expect("it ended");
        });
        // A change that was cut off may have left half of a version in the folder.
        version.write(&site);
    }
    let acknowledged = acknowledged.into_inner().expect("the list");
    let changes = changes.into_inner();
    assert!(KILLS < acknowledged.len() && KILLS / 2 < changes, "there was load");

    let running = site.serve().expect("serving");
    running.wait_until_idle().expect("idle");
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked}");
    assert_eq!(running.terminate().expect("stopped"), 0);
    let mut delivered = BTreeSet::new();
    for output in lines(&site, "out") {
        assert!(Version::of(&output).is_some(), "made by half of each: {output}");
        let mut words = output.split('"');
        let visit = words.find_map(|it| it.strip_prefix("VS")).expect("a visit number");
        delivered.insert(format!("S{visit}"));
    }
    let lost: Vec<_> = acknowledged.difference(&delivered).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), acknowledged.len());
    let (code, out, err) = site.run(&["store", "check"]).expect("hilum runs");
    assert_eq!(code, 0, "trail and state agree: {out}{err}");
}
