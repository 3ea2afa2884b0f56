use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::{Address, Clock, Disk, Machine, Next, OpenMode};

fn folder(twin: &Twin) -> &'static Path {
    let path = Path::new("/data");
    twin.disk().create_folder(path).expect("made");
    twin.disk().sync_folder(Path::new("/")).expect("synced");
    path
}

fn write(twin: &Twin, path: &Path, content: &[u8]) -> Box<dyn crate::DiskFile> {
    let file = twin.disk().open(path, OpenMode::Create).expect("opened");
    file.write_all_at(content, 0).expect("written");
    file
}

#[test]
fn what_was_synced_survives_every_crash() {
    for unsynced in Unsynced::ALL {
        for seed in 0..50 {
            let twin = Twin::with_seed(seed);
            let path = folder(&twin).join("a");
            let file = write(&twin, &path, &[7; 2_000]);
            file.sync_data().expect("synced");
            twin.disk().sync_folder(Path::new("/data")).expect("synced");
            file.write_all_at(&[8; 2_000], 2_000).expect("written");
            twin.disk().crash(*unsynced);
            let content = twin.disk().read(&path, 10_000).expect("is there");
            assert_eq!(content.get(..2_000), Some(&[7; 2_000][..]), "{unsynced:?} {seed}");
        }
    }
}

#[test]
fn what_was_not_synced_is_kept_lost_or_torn() {
    let mut seen = std::collections::BTreeSet::new();
    for unsynced in Unsynced::ALL {
        for seed in 0..50 {
            let twin = Twin::with_seed(seed);
            let path = folder(&twin).join("a");
            write(&twin, &path, b"").sync_data().expect("synced");
            twin.disk().sync_folder(Path::new("/data")).expect("synced");
            write(&twin, &path, &[8; 2_000]);
            twin.disk().crash(*unsynced);
            let content = twin.disk().read(&path, 10_000).expect("is there");
            let eights = content.iter().filter(|byte| **byte == 8).count();
            let left = match eights {
                0 => "none",
                2_000 => "all",
                _ => "some",
            };
            seen.insert((format!("{unsynced:?}"), left));
        }
    }
    let has = |mode: &str, left| seen.contains(&(mode.to_owned(), left));
    assert!(has("Kept", "all") && !has("Kept", "some") && !has("Kept", "none"));
    assert!(has("Lost", "none") && !has("Lost", "some") && !has("Lost", "all"));
    assert!(has("Torn", "some") && has("Reordered", "some") && has("Reordered", "none"));
}

#[test]
fn a_name_is_certain_once_its_folder_was_synced() {
    let twin = Twin::with_seed(1);
    let path = folder(&twin).join("a");
    write(&twin, &path, b"1").sync_data().expect("synced");
    twin.disk().crash(Unsynced::Lost);
    assert!(!twin.disk().exists(&path));
    twin.disk().replace(&path, b"1").expect("written");
    twin.disk().sync_folder(Path::new("/data")).expect("synced");
    twin.disk().replace(&path, b"2").expect("written");
    twin.disk().crash(Unsynced::Lost);
    assert_eq!(twin.disk().read(&path, 9).expect("is there"), b"1");
}

#[test]
fn a_disk_that_stops_takes_nothing_more() {
    let twin = Twin::with_seed(1);
    let path = folder(&twin).join("a");
    let file = write(&twin, &path, b"1");
    twin.disk().stop_at(twin.disk().operations() + 1);
    file.sync_data().expect("the last one");
    assert!(file.write_all_at(b"2", 0).is_err());
    assert!(file.sync_data().is_err());
    assert!(twin.disk().open(&path, OpenMode::Read).is_err());
    twin.disk().crash(Unsynced::Kept);
    assert!(file.len().is_err(), "opened before the crash");
    assert!(twin.disk().open(&path, OpenMode::Read).is_ok());
}

#[test]
fn a_folder_is_taken_until_it_is_given_back_or_the_power_goes() {
    let twin = Twin::with_seed(1);
    let path = folder(&twin);
    let taken = twin.disk().lock(path).expect("free");
    assert!(twin.disk().lock(path).is_err());
    twin.disk().crash(Unsynced::Kept);
    let again = twin.disk().lock(path).expect("free again");
    drop(taken);
    assert!(twin.disk().lock(path).is_err(), "the one before the crash frees nothing");
    drop(again);
    assert!(twin.disk().lock(path).is_ok());
}

#[test]
fn time_passes_only_when_it_is_moved() {
    let twin = Twin::with_seed(1);
    let doors = twin.doors();
    let woken = Arc::new(AtomicU32::new(0));
    for seconds in [3, 1, 2] {
        let (clock, woken) = (Arc::clone(&doors.clock), Arc::clone(&woken));
        let at = clock.instant().plus(Duration::from_secs(seconds));
        doors.tasks.spawn(
            "sleeper",
            Box::pin(async move {
                clock.sleep_until(at).await;
                assert_eq!(clock.instant(), at);
                woken.fetch_add(1, Ordering::SeqCst);
            }),
        );
    }
    twin.run_until_idle();
    assert_eq!(woken.load(Ordering::SeqCst), 0);
    twin.advance(Duration::from_millis(2_500));
    assert_eq!(woken.load(Ordering::SeqCst), 2);
    let sleep = doors.clock.sleep_until(doors.clock.instant().plus(Duration::from_secs(9)));
    twin.block_on(sleep);
    assert_eq!(woken.load(Ordering::SeqCst), 3);
    let before = doors.clock.now_micros();
    twin.clock().jump(-1_000_000);
    assert_eq!(doors.clock.now_micros(), before - 1_000_000);
}

struct Counter {
    steps: Arc<AtomicU32>,
    clock: Arc<dyn Clock>,
}

impl Machine for Counter {
    fn step(&mut self) -> Next {
        match self.steps.fetch_add(1, Ordering::SeqCst) {
            0 => Next::Again,
            1 => Next::Rest,
            2 => Next::At(self.clock.instant().plus(Duration::from_secs(1))),
            _ => Next::Done,
        }
    }
}

#[test]
fn a_machine_is_driven_by_bell_and_time() {
    let twin = Twin::with_seed(1);
    let doors = twin.doors();
    let steps = Arc::new(AtomicU32::new(0));
    let machine = Counter { steps: Arc::clone(&steps), clock: Arc::clone(&doors.clock) };
    let bell = doors.tasks.drive("counter", Box::new(machine));
    twin.run_until_idle();
    assert_eq!(steps.load(Ordering::SeqCst), 2);
    bell.ring();
    twin.run_until_idle();
    assert_eq!(steps.load(Ordering::SeqCst), 3);
    twin.advance(Duration::from_secs(1));
    assert_eq!(steps.load(Ordering::SeqCst), 4);
    assert!(twin.tasks().names().is_empty());
}

#[test]
fn bytes_go_through_pipes() {
    let twin = Twin::with_seed(1);
    let doors = twin.doors();
    let net = Arc::clone(&doors.net);
    let tasks = Arc::clone(&doors.tasks);
    let text = twin.block_on(async move {
        let at = Address::Tcp("127.0.0.1:0".to_owned());
        let acceptor = net.listen(&at).await.expect("bound");
        let address = acceptor.address();
        assert_ne!(address, at);
        assert!(net.listen(&address).await.is_err(), "in use");
        tasks.spawn(
            "echo",
            Box::pin(async move {
                let mut connection = acceptor.accept().await.expect("accepted");
                let mut bytes = [0; 5];
                connection.stream.read_exact(&mut bytes).await.expect("read");
                connection.stream.write_all(&bytes).await.expect("written");
            }),
        );
        let mut connection = net.dial(&address).await.expect("connected");
        connection.stream.write_all(b"hello").await.expect("written");
        let mut text = String::new();
        connection.stream.read_to_string(&mut text).await.expect("read");
        assert!(net.dial(&address).await.is_err(), "nobody listens any more");
        text
    });
    assert_eq!(text, "hello");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let twin = Twin::with_seed(seed);
        let doors = twin.doors();
        let order = Arc::new(Mutex::new(Vec::new()));
        for number in 0..10 {
            let order = Arc::clone(&order);
            doors.tasks.spawn("task", Box::pin(async move { lock(&order).push(number) }));
        }
        twin.run_until_idle();
        let random: [u8; 16] = doors.entropy.bytes();
        let order = lock(&order).clone();
        (order, random)
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
