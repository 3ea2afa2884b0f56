//! The command as a user and a supervisor meet it: output, exit codes, signals.

#![expect(clippy::disallowed_methods, reason = "a test from outside: files, processes, time")]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

const RIGHT: &str = r#"
[gateway]
name = "test"
data = "data"
timezone = "UTC"

[listener.in]
kind = "mllp"
bind = "127.0.0.1:0"

[destination.out]
kind = "file"
folder = "out"
clearance = "treatment"

[route.through]
from = "in"
to = ["out"]
"#;

const ADT: &str = "MSH|^~\\&|ADT|A|HILUM|B|20261124||ADT^A01|ID1|P|2.5.1\r\
    PID|1||4711^^^A^MR||ZEDLITZ^QUIRINA||19800312|F\r";

struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new(configuration: &str) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        site.write("hilum.toml", configuration);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hilum"));
        command.args(arguments).arg("-c").arg(self.path("hilum.toml"));
        command.env_remove("HILUM_LOG").env_remove("RUST_LOG").stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--format", "json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn serve(&self) -> Gateway {
        let log = std::fs::File::create(self.path("log")).unwrap();
        let process = self.command(&["serve"]).stderr(log).stdout(Stdio::null()).spawn().unwrap();
        let gateway = Gateway(process);
        wait("the gateway to be ready", || self.run(&["status"]).status.success());
        gateway
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }
}

struct Gateway(Child);

impl Gateway {
    fn signal(&self, name: &str) {
        // By the system call: a minimal machine has no `kill` to run.
        let signal = match name {
            "INT" => rustix::process::Signal::INT,
            "HUP" => rustix::process::Signal::HUP,
            "TERM" => rustix::process::Signal::TERM,
            other => panic!("no signal {other}"),
        };
        let id = rustix::process::Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        rustix::process::kill_process(id, signal).unwrap();
    }

    fn code(mut self) -> Option<i32> {
        let mut ended = None;
        wait("the gateway to end", || {
            ended = self.0.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap().code()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[track_caller]
fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn is_masked(shown: &str) -> bool {
    !["4711", "ZEDLITZ", "QUIRINA", "19800312"].iter().any(|phi| shown.contains(phi))
}

#[test]
fn a_message_goes_through_and_a_person_sees_its_way() {
    let site = Site::new(RIGHT);
    let gateway = site.serve();
    let address = site.json(&["status"])["listeners"][0]["address"].as_str().unwrap().to_owned();
    let file = site.write("a.hl7", ADT);

    let sent = site.run(&["send", file.to_str().unwrap(), "--to", &address]);
    assert_eq!(sent.status.code(), Some(0), "{}", text(&sent.stderr));
    let tally = text(&sent.stdout);
    assert!(tally.contains("sent      1 message\n"), "{tally}");
    assert!(tally.contains("answered  AA 1   AE 0   AR 0\n"), "{tally}");
    wait("the message to be settled", || {
        site.json(&["message", "list"])["messages"][0]["state"] == "settled"
    });

    let id = site.json(&["message", "list"])["messages"][0]["id"].as_str().unwrap().to_owned();
    let shown = text(&site.run(&["message", "show", &id]).stdout);
    assert!(is_masked(&shown) && shown.contains("[phi:name]"), "{shown}");
    let trace = text(&site.run(&["message", "trace", &id]).stdout);
    assert!(is_masked(&trace), "{trace}");
    for line in
        ["listener/in stored ADT^A01", "route through sends it to out", "out now: delivered"]
    {
        assert!(trace.contains(line), "no {line:?} in {trace}");
    }
    assert_eq!(site.run(&["message", "show", &id, "--reveal"]).status.code(), Some(2));
    let revealed = site.run(&["message", "show", &id, "--reveal", "--reason", "call 17"]);
    assert_eq!(text(&revealed.stdout), ADT, "into a pipe it goes byte for byte");
    let trace = text(&site.run(&["message", "trace", &id]).stdout);
    assert!(trace.contains("read it in the plain: call 17"), "{trace}");

    let busy = site.run(&["store", "check"]);
    assert_eq!(busy.status.code(), Some(75), "a running gateway has the folder");
    gateway.signal("TERM");
    assert_eq!(gateway.code(), Some(0), "{}", site.log());
    let log = site.log();
    assert!(is_masked(&log), "{log}");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).expect("each line is JSON");
        assert!(line["timestamp"].is_string() && line["message"].is_string(), "{line}");
    }
    let checked = site.json(&["store", "check"]);
    assert_eq!((&checked["sound"], &checked["messages"]), (&true.into(), &1.into()));
}

#[test]
fn a_wrong_configuration_exits_78_and_starts_nothing() {
    let site = Site::new(&RIGHT.replace("to = [\"out\"]", "to = [\"outt\"]"));
    for command in ["check", "serve"] {
        let output = site.run(&[command]);
        assert_eq!(output.status.code(), Some(78), "{command}");
        let told = text(&output.stderr);
        assert!(told.contains("did you mean \"out\"?"), "{told}");
        assert!(told.ends_with("1 problem. Nothing was started.\n"), "{told}");
    }
    let output = site.run(&["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(78));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["problems"][0]["key"], "route.through.to[0]");
    assert!(!site.path("data").exists());
}

#[test]
fn a_second_gateway_on_the_same_folder_is_turned_away() {
    let site = Site::new(RIGHT);
    let gateway = site.serve();
    let second = site.run(&["serve"]);
    assert_eq!(second.status.code(), Some(75), "{}", text(&second.stderr));
    assert!(text(&second.stderr).contains("in use by another process"));
    assert!(site.run(&["status"]).status.success(), "the first one is not disturbed");
    gateway.signal("INT");
    assert_eq!(gateway.code(), Some(0));
    assert!(!site.path("data/control.sock").exists());
}

#[test]
fn a_taken_admin_port_is_told_before_anything_says_that_it_has_started() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap().to_string();
    let site = Site::new(&format!("{RIGHT}\n[admin]\nbind = \"{bind}\"\n"));
    let output = site.run(&["serve"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(74), "{told}");
    assert!(told.contains(&format!("admin.bind {bind} cannot be bound; ")), "{told}");
    assert!(told.contains("give [admin] bind another port"), "{told}");
    assert!(!told.contains("gateway started") && !told.contains("listening"), "{told}");
}

#[test]
fn what_cannot_be_done_has_a_code_of_its_own() {
    let site = Site::new(RIGHT);
    let file = site.write("a.hl7", ADT);
    let code = |arguments: &[&str]| site.run(arguments).status.code();
    assert_eq!(code(&["status"]), Some(75), "no gateway is running");
    assert_eq!(code(&["send", file.to_str().unwrap(), "--to", "127.0.0.1:1"]), Some(74));
    assert_eq!(code(&["send", "nowhere.hl7", "--to", "127.0.0.1:1"]), Some(74));
    assert_eq!(code(&["send"]), Some(2));
    assert_eq!(code(&["plugin", "inspect", file.to_str().unwrap()]), Some(1));
    assert_eq!(code(&["message", "show", "../../x"]), Some(2));
    assert_eq!(code(&["held", "release", "run_1", "--reason", " "]), Some(2));
    assert_eq!(code(&["rollback", "abc"]), Some(2));
}
