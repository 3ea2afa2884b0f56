//! Peers that nobody here wrote: what they send is answered as they expect, and they take what we
//! deliver. `tests/foreign/README.md` says which they are.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use hilum_tests::{Running, Site, adt, hilum, repository};
use serde_json::Value;

/// How long a peer may take for anything: it is spent only when the test is about to fail.
const PATIENCE: Duration = Duration::from_secs(60);

/// Something that `scripts/foreign` installed.
pub(crate) fn installed(path: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or(repository().join("target"), Into::into);
    let path = repository().join(target).join("foreign").join(path);
    assert!(path.exists(), "{} is missing; `make suites` installs it", path.display());
    path
}

fn python(program: &str) -> Command {
    let mut command = Command::new(installed("python/bin/python"));
    command.arg(repository().join("tests/foreign/python").join(program));
    command
}

fn node(program: &str) -> Command {
    let mut command = Command::new(installed("python/bin/node"));
    command.arg(installed("node").join(program));
    command
}

/// Runs a client to its end; what it printed.
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the client runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the client failed: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// Runs a client that prints its answers as JSON; MSA of each, its fields as they stand.
fn answers(command: &mut Command) -> Vec<String> {
    let printed = run(command);
    let msa = |line: &str| {
        let answer: Value = serde_json::from_str(line).expect("JSON");
        let answer = answer["answer"].as_str().expect("an answer").to_owned();
        let msa = answer.split('\r').find(|it| it.starts_with("MSA|"));
        msa.unwrap_or_else(|| panic!("no MSA in {answer:?}")).to_owned()
    };
    printed.lines().map(msa).collect()
}

/// A server process, with the lines that it prints.
struct Server {
    process: Child,
    port: u64,
    lines: mpsc::Receiver<Value>,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the server starts");
        let output = process.stdout.take().expect("its output");
        let (said, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).expect("JSON");
                if said.send(value).is_err() {
                    break;
                }
            }
        });
        let mut server = Self { process, port: 0, lines };
        server.port = server.next()["port"].as_u64().expect("its port comes first");
        server
    }

    fn next(&self) -> Value {
        self.lines.recv_timeout(PATIENCE).expect("the server says something")
    }

    /// MSH-10 of the messages that it took so far.
    fn took(&self) -> Vec<String> {
        let control_id = |it: Value| {
            let message = it["message"].as_str().expect("a message").to_owned();
            message.split('|').nth(9).expect("MSH-10").to_owned()
        };
        self.lines.try_iter().map(control_id).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The certificates of a site and of its peers.
struct Certificates {
    ca: PathBuf,
    server: (PathBuf, PathBuf),
    client: (PathBuf, PathBuf),
}

/// Those that `hilum pki dev` makes, for whoever tries this at a desk.
fn certificates(site: &Path) -> Certificates {
    let folder = site.join("tls");
    let output = Command::new(hilum()).args(["pki", "dev", "--quiet"]).arg(&folder).output();
    let output = output.expect("hilum runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pair =
        |name: &str| (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    Certificates { ca: folder.join("ca.pem"), server: pair("server"), client: pair("client") }
}

/// A site that takes messages and files them.
fn inbound(more: &str) -> Site {
    let configuration = format!(
        r#"
[gateway]
name = "foreign"
data = "data"
timezone = "UTC"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"
{more}

[destination.out]
kind = "file"
folder = "out"
clearance = "treatment"

[route.adt]
from = "adt-in"
to = ["out"]
"#
    );
    Site::new(&configuration).expect("a site")
}

const SERVER_TLS: &str = r#"
[listener.adt-in.tls]
certificate = "tls/server.pem"
key_file = "tls/server.key"
"#;

const MUTUAL_TLS: &str = r#"
[listener.adt-in.tls]
certificate = "tls/server.pem"
key_file = "tls/server.key"
client_ca = "tls/ca.pem"
identities = ["CN=test-client"]
"#;

/// Files with one message each, as their clients read them.
fn messages(site: &Site, ids: &[&str]) -> Vec<PathBuf> {
    let write = |id: &&str| {
        let path = site.path().join(format!("{id}.hl7"));
        std::fs::write(&path, adt(id, "4711")).expect("written");
        path
    };
    ids.iter().map(write).collect()
}

/// `127.0.0.1`, and the port of the listener.
fn host_and_port(running: &Running<'_>) -> (String, String) {
    let address = running.listener("adt-in").expect("an address");
    let (host, port) = address.rsplit_once(':').expect("host and port");
    (host.to_owned(), port.to_owned())
}

#[track_caller]
fn check_taken(site: &Site, running: &Running<'_>, count: usize) {
    running.wait_until_idle().expect("idle");
    let files = std::fs::read_dir(site.path().join("out")).expect("the folder").count();
    assert_eq!(files, count, "messages that arrived");
}

#[test]
fn the_command_of_python_hl7_is_answered() {
    let site = inbound("");
    let running = site.serve().expect("serving");
    let (host, port) = host_and_port(&running);
    let all = [adt("P1", "4711"), adt("P2", "4711")].concat();
    site.write("all.hl7", all).expect("written");
    let mut command = Command::new(installed("python/bin/mllp_send"));
    let file = site.path().join("all.hl7");
    command.args(["--loose", "--port", &port, "--file"]).arg(file).arg(host);
    let printed = run(&mut command);
    for id in ["P1", "P2"] {
        assert!(printed.contains(&format!("\rMSA|AA|{id}\r")), "{printed:?}");
    }
    check_taken(&site, &running, 2);
}

#[test]
fn the_client_of_python_hl7_is_answered() {
    let site = inbound("");
    let running = site.serve().expect("serving");
    let (host, port) = host_and_port(&running);
    let files = messages(&site, &["A1", "A2", "A3"]);
    let got = answers(python("send.py").args([&host, &port]).args(&files));
    assert_eq!(got, ["MSA|AA|A1", "MSA|AA|A2", "MSA|AA|A3"]);
    // The same again: the answers are the same, and nothing arrives twice.
    let again = answers(python("send.py").args([&host, &port]).args(&files));
    assert_eq!(again, got);
    check_taken(&site, &running, 3);
}

#[test]
fn the_client_of_python_hl7_is_answered_over_mutual_tls() {
    let site = inbound(MUTUAL_TLS);
    let tls = certificates(site.path());
    let running = site.serve().expect("serving");
    let (host, port) = host_and_port(&running);
    let files = messages(&site, &["A1", "A2"]);
    let mut command = python("send.py");
    command.args([&host, &port]).arg("--ca").arg(&tls.ca);
    let without = command.args(&files).output().expect("the client runs");
    assert!(!without.status.success(), "who shows no certificate is not served");
    let mut command = python("send.py");
    command.args([&host, &port]).arg("--ca").arg(&tls.ca);
    command.arg("--certificate").arg(&tls.client.0).arg("--key").arg(&tls.client.1);
    assert_eq!(answers(command.args(&files)), ["MSA|AA|A1", "MSA|AA|A2"]);
    check_taken(&site, &running, 2);
}

#[test]
fn the_client_of_node_is_answered() {
    let site = inbound("");
    let running = site.serve().expect("serving");
    let (host, port) = host_and_port(&running);
    let files = messages(&site, &["N1", "N2", "N3"]);
    let got = answers(node("send.mjs").args([&host, &port]).args(&files));
    assert_eq!(got, ["MSA|AA|N1", "MSA|AA|N2", "MSA|AA|N3"]);
    check_taken(&site, &running, 3);
}

#[test]
fn the_client_of_node_is_answered_over_tls() {
    let site = inbound(SERVER_TLS);
    let tls = certificates(site.path());
    let running = site.serve().expect("serving");
    let (host, port) = host_and_port(&running);
    let files = messages(&site, &["N1", "N2"]);
    let mut command = node("send.mjs");
    command.args([&host, &port]).arg("--ca").arg(&tls.ca).args(&files);
    assert_eq!(answers(&mut command), ["MSA|AA|N1", "MSA|AA|N2"]);
    check_taken(&site, &running, 2);
}

/// A pass-through to a server, and messages through it until all are settled.
fn deliver(server: &Server, more: &str, site: Option<Site>) -> Site {
    let configuration = format!(
        r#"
[gateway]
name = "foreign"
data = "data"
timezone = "UTC"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[destination.lab]
kind = "mllp"
address = "127.0.0.1:{}"
clearance = "treatment"
retry = {{ first = "50ms", longest = "200ms" }}
{more}

[route.adt]
from = "adt-in"
to = ["lab"]
"#,
        server.port
    );
    let site = site.unwrap_or_else(|| Site::new("").expect("a site"));
    site.write("hilum.toml", configuration).expect("written");
    {
        let running = site.serve().expect("serving");
        let mut client = running.client("adt-in").expect("connected");
        for id in ["S1", "S2", "S3"] {
            let answer = client.send(&adt(id, "4711")).expect("answered");
            assert!(answer.contains("\rMSA|AA|"), "{answer}");
        }
        running.wait_until_idle().expect("idle");
        let parked = running.list("parked").expect("listed");
        assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked}");
        let messages = running.list("message").expect("listed").to_string();
        assert_eq!(messages.matches("settled").count(), 3, "{messages}");
    }
    site
}

#[test]
fn the_server_of_python_hl7_takes_what_we_deliver() {
    let server = Server::start(python("serve.py"));
    deliver(&server, "", None);
    assert_eq!(server.took(), ["S1", "S2", "S3"]);
}

#[test]
fn the_server_of_python_hl7_takes_what_we_deliver_over_mutual_tls() {
    let site = Site::new("").expect("a site");
    let tls = certificates(site.path());
    let mut command = python("serve.py");
    command.arg("--certificate").arg(&tls.server.0).arg("--key").arg(&tls.server.1);
    command.arg("--ca").arg(&tls.ca);
    let server = Server::start(command);
    let more = r#"
[destination.lab.tls]
ca = "tls/ca.pem"
certificate = "tls/client.pem"
key_file = "tls/client.key"
"#;
    deliver(&server, more, Some(site));
    assert_eq!(server.took(), ["S1", "S2", "S3"]);
}

/// node-hl7-server 2.5.0 keeps what it has read of a connection: with the second message it takes
/// and answers the first again, and with the third both. Only the answer with the right control id
/// settles a message, so ours are delivered all the same, in order.
#[track_caller]
fn check_node(took: &[String]) {
    assert_eq!(took, ["S1", "S1", "S2", "S1", "S2", "S3"]);
}

#[test]
fn the_server_of_node_takes_what_we_deliver() {
    let server = Server::start(node("serve.mjs"));
    deliver(&server, "", None);
    check_node(&server.took());
}

#[test]
fn the_server_of_node_takes_what_we_deliver_over_tls() {
    let site = Site::new("").expect("a site");
    let tls = certificates(site.path());
    let mut command = node("serve.mjs");
    command.arg("--certificate").arg(&tls.server.0).arg("--key").arg(&tls.server.1);
    let server = Server::start(command);
    let more = "[destination.lab.tls]\nca = \"tls/ca.pem\"\n";
    deliver(&server, more, Some(site));
    check_node(&server.took());
}
