//! The journal over the real doors: a thread for the committer, many that write, a real disk.

#![expect(clippy::expect_used, reason = "a panic is how a test fails")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use hilum_audit::{NonEmpty, Record, What};
use hilum_env::Doors;
use hilum_policy::RunSeed;
use hilum_store::{
    Accepted, Arrival, DuplicateKey, Effect, Happened, OnReused, OpenError, Options, Reader,
    RunStart, Step, Store, Ticket, open,
};
use hilum_words::{
    Actor, Cause, CauseWord, Digest, Envelope, MessageId, Name, Origin, RunId, Timestamp,
};
use tokio::runtime::Runtime;

const AT: Timestamp = Timestamp::from_micros(1_795_510_800_000_000);

fn arrival(number: u64) -> Arrival {
    let message = MessageId::from_bits(u128::from(number));
    let actor = Actor::system("listener/adt-in");
    Arrival {
        envelope: Envelope {
            message,
            received: AT,
            listener: Name::from("adt-in"),
            peer: "127.0.0.1:4711".to_owned(),
            origin: Origin::Listener,
            parent: None,
            correlation: None,
            actor: actor.clone(),
            trace: None,
        },
        kind: "ADT^A01".to_owned(),
        key: Some(DuplicateKey::of(&[b"adt-in", &number.to_le_bytes()])),
        on_reused: OnReused::Refuse,
        body: body(number),
        format: Name::from("hl7v2"),
        generation: Digest::of(b"generation"),
        runs: vec![RunStart {
            run: RunId::from_bits(u128::from(number)),
            route: Name::from("adt"),
            seed: RunSeed([3; 16]),
            lanes: Vec::new(),
        }],
        findings: Vec::new(),
        records: NonEmpty::of(Record::new(AT, What::Accepted, actor).message(message)),
    }
}

fn body(number: u64) -> Bytes {
    Bytes::from(format!("MSH|^~\\&|LAB|||||||ADT^A01|{number}|{}", "x".repeat(1_500)))
}

fn park(number: u64) -> Step {
    let (run, message) = (RunId::from_bits(number.into()), MessageId::from_bits(number.into()));
    let record = Record::new(AT, What::Parked, Actor::system("worker")).message(message).run(run);
    let cause = Cause::new(CauseWord::PluginFault, "out of fuel");
    Step { run, effects: vec![Effect::Parked(cause)], records: NonEmpty::of(record) }
}

fn options(folder: &Path) -> Options {
    Options { segment_bytes: 256 << 10, syncs_measured: 10, ..Options::new(folder.join("data")) }
}

/// Opens the journal with a committer on a thread, which counts what it tells.
fn start(doors: &Doors, folder: &Path) -> (Store, Arc<AtomicUsize>) {
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let watcher = Box::new(move |happened| {
        if let Happened::Run(_) = happened {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let (store, committer) = open(doors, options(folder), watcher).expect("it opens");
    store.attach(doors.tasks.drive("committer", Box::new(committer)));
    (store, told)
}

#[test]
fn many_write_at_once_and_all_of_it_is_there() {
    const WRITERS: u64 = 8;
    const EACH: u64 = 100;
    let runtime = Runtime::new().expect("a runtime");
    let doors = hilum_env::system::doors(runtime.handle().clone());
    let folder = tempfile::tempdir().expect("a folder");
    let (store, told) = start(&doors, folder.path());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = store.clone();
            scope.spawn(move || {
                for number in writer * EACH..(writer + 1) * EACH {
                    let accepted = store.accept(arrival(number)).wait().expect("stored");
                    assert!(matches!(accepted, Accepted::New(_)));
                    store.note_start(RunId::from_bits(number.into()));
                    if number % 2 == 0 {
                        store.commit(park(number)).wait().expect("stored");
                    }
                }
            });
        }
    });
    let in_use = open(&doors, options(folder.path()), Box::new(|_| {})).err();
    assert!(matches!(in_use, Some(OpenError::InUse { .. })), "{in_use:?}");
    let all = usize::try_from(WRITERS * EACH).expect("small");
    store.stop().wait().expect("it stops");
    assert_eq!(told.load(Ordering::SeqCst), all);
    let counts = store.counts();
    assert_eq!((counts.sequence, counts.durable), (counts.durable, counts.sequence));
    drop(store);

    // The thread gives its half back when it has ended.
    let reader =
        wait_for(|| Reader::open(Arc::clone(&doors.disk), &folder.path().join("data")).ok());
    let report = reader.check().expect("read");
    assert!(report.is_sound() && report.torn.is_none(), "{report:?}");
    assert!(1 < report.segments);
    drop(reader);

    let (store, _) = start(&doors, folder.path());
    assert_eq!((store.undecided().len(), store.parked().len()), (all / 2, all / 2));
    for number in [0, 1, 399, 799] {
        assert_eq!(store.body(MessageId::from_bits(number.into())).expect("there"), body(number));
        let run = store.run(RunId::from_bits(number.into())).expect("known");
        assert_eq!(run.starts, 1);
    }
    store.stop().wait().expect("it stops");
}

/// Looks until there is something, for at most a few seconds.
#[expect(clippy::disallowed_methods, reason = "a test of the real doors takes real time")]
fn wait_for<T>(look: impl Fn() -> Option<T>) -> T {
    for _ in 0..1_000 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("it never came")
}

#[test]
fn a_ticket_is_a_future_too() {
    let runtime = Runtime::new().expect("a runtime");
    let doors = hilum_env::system::doors(runtime.handle().clone());
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = start(&doors, folder.path());
    runtime.block_on(async {
        let tickets: Vec<Ticket<Accepted>> =
            (0..50).map(|number| store.accept(arrival(number))).collect();
        for ticket in tickets {
            ticket.await.expect("stored");
        }
        let known = store.accept(arrival(7)).await.expect("decided");
        assert!(matches!(known, Accepted::Known(_)));
        store.stop().await.expect("it stops");
    });
}
