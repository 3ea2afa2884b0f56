use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use super::*;
use crate::{Address, Children, Ended, Errand, How, Machine, Next, OpenMode};

fn opened() -> (Runtime, Doors, tempfile::TempDir) {
    let runtime = Runtime::new().expect("a runtime");
    let doors = doors(runtime.handle().clone());
    (runtime, doors, tempfile::tempdir().expect("a folder"))
}

#[test]
fn files_are_written_listed_renamed_and_for_this_user_alone() {
    let (_runtime, doors, folder) = opened();
    let (disk, folder) = (doors.disk, folder.path().join("data"));
    disk.create_folder(&folder.join("seg")).expect("made");
    disk.replace(&folder.join("a"), b"hello").expect("written");
    disk.sync_folder(&folder).expect("synced");
    assert_eq!(disk.read(&folder.join("a"), 5).expect("read"), b"hello");
    let long = disk.read(&folder.join("a"), 4).expect_err("too long");
    assert_eq!(long.kind(), ErrorKind::FileTooLarge);
    let names: Vec<_> = disk.list(&folder).expect("listed").into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["a", "seg"]);
    let mode = |path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(folder.join("a")), 0o600);
    assert_eq!(mode(folder.clone()), 0o700);
    assert!(disk.space(&folder).expect("known").total > 0);
}

#[test]
fn opening_follows_the_mode() {
    let (_runtime, doors, folder) = opened();
    let path = folder.path().join("a");
    let missing = doors.disk.open(&path, OpenMode::Write).err().expect("not there");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let file = doors.disk.open(&path, OpenMode::CreateNew).expect("made");
    file.write_all_at(b"abc", 2).expect("written");
    assert_eq!(file.len().expect("known"), 5);
    let twice = doors.disk.open(&path, OpenMode::CreateNew).err().expect("is there");
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists);
    assert!(!doors.disk.open(&path, OpenMode::Create).expect("kept").is_empty().expect("known"));
    assert!(
        doors.disk.open(&path, OpenMode::Truncate).expect("emptied").is_empty().expect("known")
    );
}

#[test]
fn a_folder_is_taken_once() {
    let (_runtime, doors, folder) = opened();
    let taken = doors.disk.lock(folder.path()).expect("free");
    let again = doors.disk.lock(folder.path()).err().expect("taken");
    assert_eq!(again.kind(), ErrorKind::WouldBlock);
    drop(taken);
    doors.disk.lock(folder.path()).expect("free again");
}

#[test]
fn bytes_go_over_tcp_and_the_port_is_the_real_one() {
    let (runtime, doors, _folder) = opened();
    runtime.block_on(async {
        let at = Address::Tcp("127.0.0.1:0".to_owned());
        let acceptor = doors.net.listen(&at).await.expect("bound");
        assert_ne!(acceptor.address(), at);
        let mut near = doors.net.dial(&acceptor.address()).await.expect("connected");
        let mut far = acceptor.accept().await.expect("accepted");
        assert!(far.peer.ip.expect("an address").is_loopback());
        near.stream.write_all(b"hello").await.expect("written");
        let mut bytes = [0; 5];
        far.stream.read_exact(&mut bytes).await.expect("read");
        assert_eq!(&bytes, b"hello");
    });
}

#[test]
fn a_socket_asks_whether_its_peer_is_there_as_it_was_told() {
    use rustix::net::sockopt;
    let (runtime, _doors, _folder) = opened();
    let options = |seconds| crate::ListenOptions { keepalive: seconds };
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("known");
        for (keepalive, expected) in [
            (None, None),
            (Some(Duration::from_secs(60)), Some((60, 15))),
            (Some(Duration::from_millis(1)), Some((1, 1))),
        ] {
            let stream = tokio::net::TcpStream::connect(address).await.expect("connected");
            net::set_up(&stream, &options(keepalive)).expect("set up");
            let is_on = sockopt::socket_keepalive(&stream).expect("known");
            assert_eq!(is_on, expected.is_some());
            if let Some((idle, between)) = expected {
                let seconds = |it: rustix::io::Result<Duration>| it.expect("known").as_secs();
                assert_eq!(seconds(sockopt::tcp_keepidle(&stream)), idle);
                assert_eq!(seconds(sockopt::tcp_keepintvl(&stream)), between);
                assert_eq!(sockopt::tcp_keepcnt(&stream).expect("known"), 4);
            }
        }
    });
}

#[test]
fn a_local_socket_knows_its_user_and_replaces_a_stale_one() {
    let (runtime, doors, folder) = opened();
    let path = folder.path().join("control.sock");
    let at = Address::Local(path.clone());
    runtime.block_on(async {
        drop(std::os::unix::net::UnixListener::bind(&path).expect("a stale socket"));
        let acceptor = doors.net.listen(&at).await.expect("bound");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        let near = doors.net.dial(&at).await.expect("connected");
        let far = acceptor.accept().await.expect("accepted");
        assert!(far.peer.uid.is_some() && far.peer.uid == near.peer.uid);
        let twice = doors.net.listen(&at).await.err().expect("in use");
        assert_eq!(twice.kind(), ErrorKind::AddrInUse);
        drop(acceptor);
        assert!(!path.exists());
        std::fs::write(&path, b"not a socket").expect("written");
        let file = doors.net.listen(&at).await.err().expect("a file");
        assert_eq!(file.kind(), ErrorKind::AlreadyExists);
    });
}

#[test]
fn a_name_that_cannot_be_resolved_is_told_from_a_machine_that_is_not_there() {
    let (runtime, doors, _folder) = opened();
    runtime.block_on(async {
        // RFC 6761: no resolver knows a name in `invalid`.
        let nowhere = Address::Tcp("nowhere.invalid:2575".to_owned());
        for fault in [
            doors.net.dial(&nowhere).await.err().expect("no such name"),
            doors.net.listen(&nowhere).await.err().expect("no such name"),
        ] {
            let said = crate::words(&fault);
            assert!(said.starts_with("the name cannot be resolved: "), "{said}");
            assert!(crate::not_resolved(&fault).is_some());
        }
        let free = doors.net.listen(&Address::Tcp("127.0.0.1:0".to_owned())).await.expect("bound");
        let address = free.address();
        drop(free);
        let refused = doors.net.dial(&address).await.err().expect("nobody there");
        assert_eq!(crate::words(&refused), "connection refused");
    });
}

struct Counter {
    left: u32,
    told: mpsc::Sender<u32>,
    clock: Arc<dyn crate::Clock>,
}

impl Machine for Counter {
    fn step(&mut self) -> Next {
        self.told.send(self.left).expect("somebody listens");
        self.left -= 1;
        match self.left {
            0 => Next::Done,
            1 => Next::At(self.clock.instant().plus(Duration::from_millis(20))),
            _ => Next::Rest,
        }
    }
}

#[test]
fn a_machine_rests_until_its_bell_rings_or_its_time_comes() {
    let (_runtime, doors, _folder) = opened();
    let (told, heard) = mpsc::channel();
    let machine = Counter { left: 3, told, clock: Arc::clone(&doors.clock) };
    let bell = doors.tasks.drive("counter", Box::new(machine));
    assert_eq!(heard.recv(), Ok(3));
    assert!(heard.recv_timeout(Duration::from_millis(30)).is_err(), "it rests");
    bell.ring();
    assert_eq!(heard.recv_timeout(Duration::from_secs(5)), Ok(2));
    assert_eq!(heard.recv_timeout(Duration::from_secs(5)), Ok(1), "its time comes");
    assert!(heard.recv_timeout(Duration::from_secs(5)).is_err(), "it is done");
}

#[test]
fn timers_and_blocking_work_need_no_entered_runtime() {
    let (runtime, doors, _folder) = opened();
    let before = doors.clock.instant();
    let sleep = doors.clock.sleep_until(before.plus(Duration::from_millis(5)));
    let (told, heard) = mpsc::channel();
    let work = doors.tasks.blocking("work", Box::new(move || told.send(7).expect("heard")));
    doors.tasks.spawn("waiter", work);
    assert_eq!(heard.recv_timeout(Duration::from_secs(5)), Ok(7));
    runtime.block_on(sleep);
    assert!(doors.clock.instant().since(before) >= Duration::from_millis(5));
    assert!(doors.clock.now_micros() > 1_700_000_000_000_000);
}

#[test]
fn as_many_files_may_be_open_as_the_machine_allows() {
    use rustix::process::{Resource, getrlimit};
    let raised = raise_open_files();
    let limit = getrlimit(Resource::Nofile);
    assert_eq!(raised, limit.current);
    assert_eq!(limit.current, limit.maximum);
}

/// A child that is a shell with this script.
fn child(script: &str, input: &[u8], wall: Duration) -> Ended {
    let children = SystemChildren::of("/bin/sh".into());
    let errand = Errand { arguments: &["-c", script], input, wall, output_bytes_max: 10 };
    children.run(&errand).expect("it was started")
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_child_reads_writes_and_ends() {
    let ended = child("cat; echo wrong >&2; exit 3", b"right", LONG);
    assert_eq!(ended.how, How::Exited(3));
    assert_eq!(
        (ended.output.as_slice(), ended.errors.as_slice()),
        (&b"right"[..], &b"wrong\n"[..])
    );
}

#[test]
fn what_a_child_writes_beyond_the_bound_is_dropped_and_does_not_stop_it() {
    let ended = child("yes | head -c 1000000; yes | head -c 1000000 >&2", b"", LONG);
    assert_eq!((ended.how, ended.output.len(), ended.errors.len()), (How::Exited(0), 10, 10));
}

#[test]
fn a_child_that_reads_nothing_ends_all_the_same() {
    assert_eq!(child("exit 0", &vec![b'x'; 1 << 20], LONG).how, How::Exited(0));
}

#[test]
fn a_child_whose_time_is_over_is_killed() {
    // It would read for ever if nobody wrote: its own shell, no grandchild that holds the pipe.
    let ended = child("exec sleep 1000", b"", Duration::from_millis(20));
    assert_eq!(ended.how, How::TimedOut);
}

#[test]
fn a_child_that_closes_its_output_is_killed_all_the_same() {
    let ended = child("exec >&- 2>&-; exec sleep 30", b"", Duration::from_millis(20));
    assert_eq!(ended.how, How::TimedOut);
}

#[test]
fn what_a_child_started_ends_with_it_and_holds_nobody_up() {
    let ended = child("sleep 1000 & exec sleep 1000", b"", Duration::from_millis(20));
    assert_eq!(ended.how, How::TimedOut);
    // Only the standard error stays open here.
    assert_eq!(child("sleep 1000 >&- & exit 3", b"", LONG).how, How::Exited(3));
}

#[test]
fn a_child_ended_by_a_signal_says_which() {
    assert_eq!(child("kill -XCPU $$", b"", LONG).how, How::Killed(OUT_OF_TIME));
}

#[test]
fn a_child_has_no_environment_and_no_folder() {
    let ended = child("echo ${HOME-none} $PWD", b"", LONG);
    assert_eq!(ended.output, b"none /\n");
}

#[test]
fn there_are_no_children_unless_somebody_says_what_they_are() {
    let (_runtime, doors, _folder) = opened();
    let errand = Errand { arguments: &[], input: b"", wall: LONG, output_bytes_max: 0 };
    let refused = doors.children.run(&errand).expect_err("none");
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
}
