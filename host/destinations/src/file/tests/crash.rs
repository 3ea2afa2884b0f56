//! The disk stops, or fails once, at every operation.

use hilum_env::twin::{Twin, Unsynced};

use super::*;

/// A kind of folder, and how its content is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Each,
    Lines,
    Batches,
}

const KINDS: [Kind; 3] = [Kind::Each, Kind::Lines, Kind::Batches];
const GROUPS: u128 = 5;

fn config(kind: Kind) -> FileConfig {
    // So small that files roll in the middle of the story.
    let folder = PathBuf::from("/site/out");
    let file_bytes_max = if kind == Kind::Batches { 400 } else { 60 };
    FileConfig { folder, append: kind != Kind::Each, extension: None, file_bytes_max }
}

fn group(kind: Kind, group: u128) -> Vec<Delivery> {
    let make = if kind == Kind::Batches { hl7 } else { json };
    (0..3).map(|it| make(group * 10 + it)).collect()
}

fn destination(twin: &Twin, kind: Kind) -> Arc<FileDestination> {
    Arc::new(FileDestination::new(&Name::from("out"), &config(kind), &twin.doors()))
}

/// Sends a group; which of it were reported as written.
fn send(twin: &Twin, to: &Arc<FileDestination>, group: &[Delivery]) -> Vec<bool> {
    let (to, group) = (Arc::clone(to), group.to_vec());
    let results = twin.block_on(async move { to.send_many(&group).await });
    results.iter().map(Result::is_ok).collect()
}

/// Everything that lies in the folder under a name of its own, in order.
fn content(twin: &Twin, kind: Kind) -> Vec<u8> {
    let disk = twin.disk();
    let folder = config(kind).folder;
    let names = disk.list(&folder).expect("the folder").into_iter().map(|it| it.name);
    let read = |name: String| disk.read(&folder.join(name), 1 << 20).expect("the file");
    names.filter(|it| !it.ends_with(".part")).flat_map(read).collect()
}

/// Every delivery is there, whole, and nothing stands between that a reader would stumble over.
#[track_caller]
fn check(twin: &Twin, kind: Kind, what: &str) {
    let content = String::from_utf8(content(twin, kind)).expect("text");
    for delivery in (0..GROUPS).flat_map(|it| group(kind, it)) {
        let body = String::from_utf8(delivery.body.to_vec()).expect("text");
        assert!(content.contains(&body), "{what}: no {body:?} in {content:?}");
    }
    match kind {
        Kind::Each => {}
        Kind::Lines => {
            for line in content.lines() {
                assert!(
                    serde_json::from_str::<serde_json::Value>(line).is_ok(),
                    "{what}: {line:?}"
                );
            }
        }
        Kind::Batches => check_batches(&content, what),
    }
}

#[track_caller]
fn check_batches(content: &str, what: &str) {
    let mut messages = None;
    for segment in content.split_terminator('\r') {
        let (name, rest) = segment.split_at(3);
        match (name, messages) {
            ("FHS" | "FTS", None) => {}
            ("BHS", None) => messages = Some(0),
            ("MSH", Some(count)) => messages = Some(count + 1),
            ("PID", Some(_)) => {}
            ("BTS", Some(count)) => {
                assert_eq!(rest, format!("|{count}"), "{what}: {content:?}");
                messages = None;
            }
            _ => panic!("{what}: {segment:?} in {content:?}"),
        }
    }
    assert_eq!(messages, None, "{what}: a batch without an end in {content:?}");
}

/// Sends all groups, each until it is reported or, once the disk is gone, not at all.
fn send_all(twin: &Twin, kind: Kind, reported: &mut [Vec<bool>]) {
    let to = destination(twin, kind);
    for (number, reported) in (0..).zip(reported) {
        let group = group(kind, number);
        // The courier's way: what was reported is done, the rest goes again.
        for _ in 0..2 {
            let left: Vec<usize> = (0..group.len()).filter(|it| !reported[*it]).collect();
            let again: Vec<Delivery> = left.iter().map(|it| group[*it].clone()).collect();
            if again.is_empty() {
                break;
            }
            for (index, done) in left.into_iter().zip(send(twin, &to, &again)) {
                reported[index] = done;
            }
        }
    }
}

fn nothing_reported() -> Vec<Vec<bool>> {
    vec![vec![false; 3]; usize::try_from(GROUPS).expect("small")]
}

#[test]
fn a_crash_at_any_operation_loses_nothing_that_was_reported() {
    for kind in KINDS {
        let whole = Twin::with_seed(1);
        send_all(&whole, kind, &mut nothing_reported());
        check(&whole, kind, "without a crash");
        let operations = whole.disk().operations();
        if kind != Kind::Each {
            let files = whole.disk().list(&config(kind).folder).expect("the folder").len();
            assert!(1 < files, "files roll in the middle of the story");
        }
        assert!(10 < operations, "there is something to stop at: {operations}");
        for (seed, stop) in (1..=operations).enumerate() {
            for unsynced in Unsynced::ALL {
                let twin = Twin::with_seed(seed as u64);
                twin.disk().stop_at(stop);
                let mut reported = nothing_reported();
                send_all(&twin, kind, &mut reported);
                twin.disk().crash(*unsynced);
                // What was reported is not sent again: if it is lost now, it is lost.
                send_all(&twin, kind, &mut reported);
                let what = format!("{kind:?}, stopped at {stop}, {unsynced:?}");
                assert!(reported.iter().flatten().all(|it| *it), "{what}: all arrive at last");
                check(&twin, kind, &what);
            }
        }
    }
}

#[test]
fn a_fault_at_any_operation_is_got_over_without_a_restart() {
    for kind in KINDS {
        let whole = Twin::with_seed(1);
        send_all(&whole, kind, &mut nothing_reported());
        for operation in 1..=whole.disk().operations() {
            let twin = Twin::with_seed(operation);
            twin.disk().fail_at(operation);
            let mut reported = nothing_reported();
            send_all(&twin, kind, &mut reported);
            let what = format!("{kind:?}, failed at {operation}");
            assert!(reported.iter().flatten().all(|it| *it), "{what}: all arrive at last");
            check(&twin, kind, &what);
            // And what was reported survives a power cut right after.
            twin.disk().crash(Unsynced::Lost);
            check(&twin, kind, &what);
        }
    }
}
