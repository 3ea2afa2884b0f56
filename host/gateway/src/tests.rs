//! A whole gateway in memory: what a change does when something gives way.

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hilum_env::twin::{Twin, Unsynced};
use hilum_env::{Address, Disk, Doors};
use hilum_words::{Actor, Digest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::gate::Gate;
use crate::{Applied, ApplyError, CataloguePlace, Gateway, Source, Wanted};

const SITE: &str = r#"
[gateway]
name = "test"
data = "data"
timezone = "UTC"

[listener.in]
kind = "mllp"
bind = "127.0.0.1:2575"

[destination.out]
kind = "file"
folder = "out"
clearance = "treatment"

[route.through]
from = "in"
to = ["out"]
"#;

const MORE: &str = r#"
[listener.more]
kind = "mllp"
bind = "127.0.0.1:2576"

[route.more]
from = "more"
to = ["out"]
"#;

const ADT: &str = "MSH|^~\\&|ADT|A|HILUM|B|20261124||ADT^A01|ID|P|2.5.1\rPID|1||4711\r";

fn write(twin: &Twin, content: &str) {
    let folder = Path::new("/site");
    twin.disk().create_folder(folder).expect("made");
    twin.disk().sync_folder(Path::new("/")).expect("synced");
    twin.disk().replace(&folder.join("hilum.toml"), content.as_bytes()).expect("written");
    twin.disk().sync_folder(folder).expect("synced");
}

fn start(twin: &Twin) -> Arc<Gateway> {
    let doors = twin.doors();
    let checked = match crate::check(Path::new("/site/hilum.toml"), &doors) {
        Ok(checked) => checked,
        Err(problems) => panic!("{problems:?}"),
    };
    let started = twin
        .block_on(async move { Gateway::start_with(checked, doors, CataloguePlace::Memory).await });
    match started {
        Ok(gateway) => Arc::new(gateway),
        Err(fault) => panic!("{fault:?}"),
    }
}

fn change(twin: &Twin, gateway: &Arc<Gateway>, source: Source) -> Result<Applied, ApplyError> {
    let (gateway, actor) = (Arc::clone(gateway), Actor::LocalUser(1000));
    let wanted = Wanted {
        source,
        expect: None,
        is_rehearsal: false,
        is_patient: false,
        actor,
        reason: Some("ticket 7".to_owned()),
    };
    twin.block_on(async move { gateway.change(wanted).await })
}

/// Sends one message and answers what came back; none if nobody listens there.
fn send(twin: &Twin, address: &str, id: &str) -> Option<String> {
    let (doors, to): (Doors, _) = (twin.doors(), Address::Tcp(address.to_owned()));
    let message = format!("\u{b}{}\u{1c}\r", ADT.replace("|ID|", &format!("|{id}|")));
    twin.block_on(async move {
        let mut connection = doors.net.dial(&to).await.ok()?;
        connection.stream.write_all(message.as_bytes()).await.ok()?;
        let mut answer = vec![0; 4096];
        let count = connection.stream.read(&mut answer).await.ok()?;
        answer.truncate(count);
        String::from_utf8(answer).ok()
    })
}

#[track_caller]
fn is_taken(twin: &Twin, address: &str, id: &str) {
    let answer = send(twin, address, id).expect("answered");
    assert!(answer.contains(&format!("MSA|AA|{id}")), "{answer}");
}

fn digest(gateway: &Gateway) -> Digest {
    gateway.status().generation
}

#[test]
fn a_change_is_made_and_taken_back() {
    let twin = Twin::with_seed(1);
    write(&twin, SITE);
    let gateway = start(&twin);
    let first = digest(&gateway);
    assert!(send(&twin, "127.0.0.1:2576", "A0").is_none(), "nobody listens there yet");
    write(&twin, &format!("{SITE}{MORE}"));
    let applied = change(&twin, &gateway, Source::Folder).expect("applied");
    assert_eq!((applied.parent, applied.digest), (first, digest(&gateway)));
    assert_eq!(applied.changes.summary(), "listener.more added, route.more added");
    is_taken(&twin, "127.0.0.1:2575", "A1");
    is_taken(&twin, "127.0.0.1:2576", "A2");
    assert!(!gateway.folder_differs());
    change(&twin, &gateway, Source::Before).expect("rolled back");
    assert_eq!(digest(&gateway), first);
    assert!(gateway.folder_differs());
    is_taken(&twin, "127.0.0.1:2575", "A3");
    assert!(send(&twin, "127.0.0.1:2576", "A4").is_none(), "nobody listens there any more");
    let listed = gateway.generations(9);
    assert_eq!(listed.iter().map(|it| it.digest == first).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(listed[0].parent, Some(applied.digest));
    let whys: Vec<_> = listed.iter().map(|it| (it.reason.as_deref(), it.is_rollback)).collect();
    assert_eq!(whys, [(Some("ticket 7"), true), (Some("ticket 7"), false), (None, false)]);
}

#[test]
fn wherever_the_disk_fails_the_gateway_runs_one_generation_or_the_other() {
    let (mut failed, mut taken) = (0, 0);
    for fault in 1..200 {
        let twin = Twin::with_seed(fault);
        write(&twin, SITE);
        let gateway = start(&twin);
        let first = digest(&gateway);
        write(&twin, &format!("{SITE}{MORE}"));
        twin.disk().fail_at(twin.disk().operations() + fault);
        let ended = change(&twin, &gateway, Source::Folder);
        let listed = gateway.generations(1)[0].digest;
        match ended {
            Ok(applied) => {
                taken += 1;
                assert_eq!((digest(&gateway), listed), (applied.digest, applied.digest));
                if 3 < taken {
                    break;
                }
            }
            Err(_) => {
                failed += 1;
                assert_eq!((digest(&gateway), listed), (first, first), "operation {fault}");
                assert!(send(&twin, "127.0.0.1:2576", "F0").is_none(), "it was let go");
                // A journal that could not write takes nothing more; everything else goes on.
                if gateway.store().poisoned().is_none() {
                    is_taken(&twin, "127.0.0.1:2575", "F1");
                    change(&twin, &gateway, Source::Folder).expect("the next one succeeds");
                    is_taken(&twin, "127.0.0.1:2576", "F2");
                }
            }
        }
    }
    assert!(3 < failed && 3 < taken, "{failed} failed, {taken} did not");
}

#[test]
fn after_a_crash_the_folder_and_the_journal_agree_on_what_runs() {
    let twin = Twin::with_seed(7);
    write(&twin, SITE);
    let gateway = start(&twin);
    write(&twin, &format!("{SITE}{MORE}"));
    change(&twin, &gateway, Source::Folder).expect("applied");
    is_taken(&twin, "127.0.0.1:2576", "C1");
    change(&twin, &gateway, Source::Before).expect("rolled back");
    let rolled_back = digest(&gateway);
    twin.tasks().kill_all();
    drop(gateway);
    twin.disk().crash(Unsynced::ALL[0]);
    let gateway = start(&twin);
    assert_ne!(digest(&gateway), rolled_back, "a start takes the folder");
    assert_eq!(gateway.generations(1)[0].digest, digest(&gateway));
    assert_eq!(gateway.generations(9).len(), 4);
    is_taken(&twin, "127.0.0.1:2576", "C2");
}

#[test]
fn what_many_deliveries_wait_for_may_go_and_come_back() {
    const MANY: usize = 3_000;
    let twin = Twin::with_seed(9);
    let with = |name: &str| {
        SITE.replace("[destination.out]", name).replace("to = [\"out\"]", {
            if name.contains("other") { "to = [\"other\"]" } else { "to = [\"out\"]" }
        })
    };
    write(&twin, SITE);
    let gateway = start(&twin);
    let pause = |is_paused| {
        let gateway = Arc::clone(&gateway);
        let done =
            async move { gateway.pause("out", is_paused, Actor::LocalUser(1000), "a test").await };
        twin.block_on(done).expect("done");
    };
    pause(true);
    for number in 0..MANY {
        is_taken(&twin, "127.0.0.1:2575", &format!("M{number}"));
    }
    twin.advance(Duration::from_secs(1));
    assert_eq!(gateway.status().counts.queued, MANY as u64);
    write(&twin, &with("[destination.other]"));
    change(&twin, &gateway, Source::Folder).expect("applied");
    twin.advance(Duration::from_secs(1));
    let counts = gateway.status().counts;
    assert_eq!((counts.queued, counts.parked), (0, MANY as u64), "each waits for a person");
    let page = gateway.encode();
    assert!(page.contains("hilum_destination_paused{destination=\"other\"} 0"), "{page}");
    assert!(!page.contains("hilum_destination_paused{destination=\"out\"}"), "{page}");
    change(&twin, &gateway, Source::Before).expect("rolled back");
    twin.advance(Duration::from_secs(1));
    let counts = gateway.status().counts;
    assert_eq!((counts.queued, counts.parked), (MANY as u64, 0), "paused it is still");
    pause(false);
    twin.advance(Duration::from_secs(60));
    let counts = gateway.status().counts;
    assert_eq!((counts.queued, counts.parked), (0, 0));
    assert_eq!(twin.disk().list(Path::new("/site/out")).expect("listed").len(), MANY);
    // Nothing is pinned to the other generation any more.
    twin.advance(Duration::from_secs(11));
    assert_eq!(gateway.plant.current.older(), 0);
}

/// One destination for each generation, so that a folder shows which one a message went with.
fn going_to(names: &[&str]) -> String {
    let head = SITE.split("[destination.out]").next().expect("the beginning");
    let destination = |name: &&str| {
        format!(
            "[destination.{name}]\nkind = \"file\"\nfolder = \"{name}\"\nclearance = \"treatment\"\n\n"
        )
    };
    let destinations: String = names.iter().map(destination).collect();
    format!("{head}{destinations}[route.through]\nfrom = \"in\"\nto = [\"{}\"]\n", names[0])
}

/// Sends its messages on one connection, and waits for the answer to each.
async fn send_all(doors: Doors, number: usize, count: usize) {
    let to = Address::Tcp("127.0.0.1:2575".to_owned());
    let mut connection = doors.net.dial(&to).await.expect("it listens");
    for message in 0..count {
        let id = format!("W{number}X{message}");
        let frame = format!("\u{b}{}\u{1c}\r", ADT.replace("|ID|", &format!("|{id}|")));
        connection.stream.write_all(frame.as_bytes()).await.expect("it is open");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\x1c\r") {
            answer.push(connection.stream.read_u8().await.expect("it stays open"));
        }
        let answer = String::from_utf8(answer).expect("text");
        assert!(answer.contains(&format!("MSA|AA|{id}")), "{answer}");
        let soon = doors.clock.instant().plus(Duration::from_millis(3));
        doors.clock.sleep_until(soon).await;
    }
}

#[test]
fn in_no_schedule_is_a_message_lost_doubled_or_split_between_generations() {
    const SENDERS: usize = 4;
    const EACH: usize = 12;
    let mut both = 0;
    for seed in 0..40 {
        let twin = Twin::with_seed(seed);
        write(&twin, &going_to(&["one"]));
        let gateway = start(&twin);
        for number in 0..SENDERS {
            let sending = send_all(twin.doors(), number, EACH);
            twin.doors().tasks.spawn("sender", Box::pin(sending));
        }
        for round in 0..8 {
            let name = if round % 2 == 0 { "two" } else { "one" };
            write(&twin, &going_to(&[name]));
            change(&twin, &gateway, Source::Folder).expect("applied");
            twin.advance(Duration::from_millis(seed % 7));
        }
        // What was parked while its destination was gone comes back when both are there.
        write(&twin, &going_to(&["two", "one"]));
        change(&twin, &gateway, Source::Folder).expect("applied");
        twin.advance(Duration::from_secs(30));
        let counts = gateway.status().counts;
        assert_eq!(
            (counts.accepted, counts.undecided),
            ((SENDERS * EACH) as u64, 0),
            "seed {seed}"
        );
        assert_eq!((counts.queued, counts.parked), (0, 0), "seed {seed}");
        let goes_to_one = |digest: Digest| {
            let shown = gateway.show_generation(digest).expect("known");
            shown.configuration[0].1.contains("to = [\"one\"]")
        };
        let accepted = gateway.store().recent(1_000, None);
        let record = |it: &hilum_store::MessageSummary| gateway.store().message(it.message);
        let pinned: Vec<bool> =
            accepted.iter().filter_map(record).map(|it| goes_to_one(it.generation)).collect();
        let to_one = pinned.iter().filter(|it| **it).count();
        let files = |name: &str| {
            let folder = Path::new("/site").join(name);
            twin.disk().list(&folder).map_or(0, |all| all.len())
        };
        assert_eq!(pinned.len(), SENDERS * EACH, "seed {seed}");
        assert_eq!((files("one"), files("two")), (to_one, pinned.len() - to_one), "seed {seed}");
        // A file's name is its message's: a second attempt would not show there.
        let page = gateway.encode();
        let attempts = page.lines().filter(|it| it.starts_with("hilum_delivery_attempts_total{"));
        let count = |it: &str| it.rsplit(' ').next().and_then(|it| it.parse::<usize>().ok());
        assert_eq!(attempts.filter_map(count).sum::<usize>(), pinned.len(), "seed {seed}");
        both += usize::from(0 < to_one && to_one < pinned.len());
    }
    assert!(20 < both, "in most schedules both generations had messages: {both}");
}

#[test]
fn only_one_change_is_made_at_a_time() {
    let twin = Twin::with_seed(3);
    write(&twin, SITE);
    let gateway = start(&twin);
    let turn = Arc::clone(&gateway.changing).try_lock_owned().expect("free");
    assert!(matches!(change(&twin, &gateway, Source::Folder), Err(ApplyError::Busy)));
    drop(turn);
    assert!(change(&twin, &gateway, Source::Folder).is_ok());
}

#[test]
fn another_folder_than_the_one_that_was_shown_is_not_applied() {
    let twin = Twin::with_seed(4);
    write(&twin, SITE);
    let gateway = start(&twin);
    let first = digest(&gateway);
    let ask = |is_rehearsal, expect| {
        let gateway = Arc::clone(&gateway);
        let (source, actor) = (Source::Folder, Actor::LocalUser(1000));
        let wanted =
            Wanted { source, expect, is_rehearsal, is_patient: false, actor, reason: None };
        twin.block_on(async move { gateway.change(wanted).await })
    };
    write(&twin, &format!("{SITE}{MORE}"));
    let shown = ask(true, None).expect("shown").digest;
    assert_eq!(digest(&gateway), first);
    write(&twin, &format!("{SITE}{MORE}\n# a thought\n"));
    assert!(matches!(ask(false, Some(shown)), Err(ApplyError::Moved { .. })));
    assert_eq!(digest(&gateway), first);
    write(&twin, &format!("{SITE}{MORE}"));
    assert_eq!(ask(false, Some(shown)).expect("applied").digest, shown);
}

#[test]
fn who_connects_before_the_gate_is_open_waits() {
    let twin = Twin::with_seed(5);
    let gate = Gate::new();
    let (doors, at) = (gate.before(&twin.doors()), Address::Tcp("127.0.0.1:1".to_owned()));
    let acceptor = twin.block_on(async move { doors.net.listen(&at).await }).expect("bound");
    let (dialling, to) = (twin.doors(), acceptor.address());
    let _dialled = twin.block_on(async move { dialling.net.dial(&to).await }).expect("bound it is");
    let mut accepting = acceptor.accept();
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(accepting.as_mut().poll(&mut context), Poll::Pending));
    twin.advance(Duration::from_secs(9));
    assert!(matches!(accepting.as_mut().poll(&mut context), Poll::Pending));
    gate.open();
    assert!(matches!(accepting.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
}

#[test]
fn what_waits_for_another_attempt_is_tried_when_its_destination_is_changed() {
    let twin = Twin::with_seed(1);
    // Nobody listens there.
    let away = "kind = \"mllp\"\naddress = \"127.0.0.1:1\"\n\
                retry = { first = \"10h\", longest = \"10h\" }\nconnect_timeout = \"3s\"\n";
    let site = SITE.replace("kind = \"file\"\nfolder = \"out\"\n", away);
    write(&twin, &site);
    let gateway = start(&twin);
    is_taken(&twin, "127.0.0.1:2575", "A1");
    twin.advance(Duration::from_secs(5));
    let attempts = || {
        let message = gateway.store().recent(1, None)[0].message;
        let runs = gateway.store().message(message).expect("it is there").runs;
        let run = gateway.store().run(runs[0]).expect("it is there");
        gateway.store().delivery(run.deliveries[0]).expect("it is there").attempts
    };
    assert_eq!(attempts(), 1);
    write(&twin, &site.replace("\"3s\"", "\"4s\""));
    change(&twin, &gateway, Source::Folder).expect("applied");
    twin.advance(Duration::from_secs(5));
    assert_eq!(attempts(), 2);
}
