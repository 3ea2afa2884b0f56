//! Hostile peers: while they do their worst, a well-behaved feed beside them is answered all the
//! while, and the gateway's memory stays within its bound.
//!
//! The attack is a process of its own, `hostile_peers`. `HILUM_HOSTILE_SECONDS` says how long it
//! goes on.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use hilum_peers::Authority;
use hilum_tests::{Site, adt, http_get};
use serde_json::Value;

/// How long the attack goes on, if nobody says otherwise.
const SECONDS: &str = "120";

/// How many connections it opens at least in that time.
const CONNECTIONS: u64 = 10_000;

/// Bytes of unfinished frames that the site allows in the whole process.
const IN_FLIGHT: u64 = 32 << 20;

/// What the gateway may have beside that for connections that are open.
const BESIDE: u64 = 32 << 20;

/// What a message of the feed costs for good: it is known, should it come again.
const KNOWN: u64 = 2 << 10;

const SITE: &str = r#"
[gateway]
name = "hostile"
data = "data"
timezone = "UTC"
bytes_in_flight_max = "32 MiB"

[admin]
bind = "127.0.0.1:0"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"
connections_max = 1024
connections_per_peer_max = 64
frame_bytes_max = "1 MiB"
read_timeout = "5s"

[listener.tls-in]
kind = "mllp"
bind = "127.0.0.1:0"
connections_per_peer_max = 64
frame_bytes_max = "1 MiB"
read_timeout = "5s"

[listener.tls-in.tls]
certificate = "server.pem"
key_file = "server.key"
handshake_timeout = "5s"

[listener.web-in]
kind = "http"
bind = "127.0.0.1:0"
connections_per_peer_max = 64
body_bytes_max = "1 MiB"
read_timeout = "5s"
request_timeout = "5s"

[destination.out]
kind = "file"
folder = "out"
append = true
clearance = "treatment"

[route.adt]
from = "adt-in"
to = ["out"]

[route.web]
from = "web-in"
to = ["out"]
"#;

/// Posts a message by HTTP; the whole answer.
fn post(address: &str, message: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(std::time::Duration::from_secs(60)))?;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/hl7-v2\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        message.len()
    );
    stream.write_all(&[head.as_bytes(), message].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A line of `/proc/PID/status`, such as `VmHWM`, in bytes.
fn memory(process: u32, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let found = status.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(':'));
    let kib = found.and_then(|it| it.trim().strip_suffix(" kB")).expect("in kB");
    kib.trim().parse::<u64>().expect("a number") << 10
}

/// Starts something with the limit of open files that a shell gives: it is for the gateway to raise
/// it.
fn few_open_files<T>(start: impl FnOnce() -> T) -> T {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let before = getrlimit(Resource::Nofile);
    let few = before.current.map_or(1024, |it| it.min(1024));
    let mut lowered = before;
    lowered.current = Some(few);
    setrlimit(Resource::Nofile, lowered).expect("the limit is lowered");
    let started = start();
    setrlimit(Resource::Nofile, before).expect("the limit is as it was");
    started
}

#[test]
fn a_feed_beside_hostile_peers_is_answered_all_the_while() {
    let seconds = std::env::var("HILUM_HOSTILE_SECONDS").unwrap_or_else(|_| SECONDS.to_owned());
    let site = Site::new(SITE).expect("a site");
    let authority = Authority::new().expect("an authority");
    let identity = authority.issue(&["localhost", "127.0.0.1"]).expect("issued");
    site.write("server.pem", identity.certificate).expect("written");
    site.write("server.key", identity.key).expect("written");
    let running = few_open_files(|| site.serve()).expect("serving");
    let web = running.listener("web-in").expect("an address");
    let tls = running.listener("tls-in").expect("an address");
    let address = running.listener("adt-in").expect("an address");

    // What it costs to serve a feed at all is no part of the bound.
    let mut kept = running.client("adt-in").expect("connected");
    let mut sent = BTreeSet::new();
    for number in 0..200 {
        let id = format!("W{number}");
        let answer = kept.send(&adt(&id, "4711")).expect("answered");
        assert!(answer.contains(&format!("\rMSA|AA|{id}")), "{answer}");
        sent.insert(id);
    }
    let calm = memory(running.process_id(), "VmRSS");

    let mut attack = Command::new(env!("CARGO_BIN_EXE_hostile_peers"))
        .args([&seconds, &CONNECTIONS.to_string(), &address, &tls, &web])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the attack starts");
    let mut number: u64 = 0;
    while attack.try_wait().expect("asked").is_none() {
        // One feed has a connection of its own, the other comes anew with each message.
        for is_kept in [true, false] {
            let id = format!("F{number}");
            let answer = if is_kept {
                kept.send(&adt(&id, "4711"))
            } else {
                running.client_at(&address).and_then(|mut it| it.send(&adt(&id, "4711")))
            };
            let answer = answer.unwrap_or_else(|fault| panic!("{id} is not answered: {fault:#}"));
            assert!(answer.contains(&format!("\rMSA|AA|{id}")), "{answer}");
            sent.insert(id);
            number += 1;
        }
        let id = format!("F{number}");
        let answer = post(&web, &adt(&id, "4711"));
        let answer = answer.unwrap_or_else(|fault| panic!("{id} is not answered: {fault:#}"));
        assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
        sent.insert(id);
        number += 1;
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let output = attack.wait_with_output().expect("its end");
    assert!(output.status.success(), "the attack itself failed");
    let attack: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let most = memory(running.process_id(), "VmHWM");
    println!(
        "{number} messages beside {attack}; {} MiB at most, {} MiB before",
        most >> 20,
        calm >> 20
    );

    // The attack was one.
    let count = |way: &[&str]| {
        let found = way.iter().fold(&attack, |value, key| &value[*key]);
        found.as_u64().unwrap_or_else(|| panic!("{way:?} in {attack}"))
    };
    assert!(CONNECTIONS <= count(&["opened"]), "{attack}");
    for kind in ["slow_bytes", "half_open", "half_frame", "garbage", "oversize", "tls", "http"] {
        assert!(0 < count(&["kinds", kind, "opened"]), "{kind}: {attack}");
    }
    for kind in ["slow_bytes", "half_frame", "garbage", "oversize", "tls", "http", "storm"] {
        assert!(0 < count(&["kinds", kind, "closed"]), "{kind} is never closed: {attack}");
    }

    assert!(
        most <= calm + IN_FLIGHT + BESIDE + number * KNOWN,
        "{} MiB at most, {} MiB before the attack",
        most >> 20,
        calm >> 20
    );

    // Each kind was known for what it is: an operator sees what came.
    let metrics = http_get(&running.admin().expect("an address"), "/metrics").expect("metrics");
    let troubles = [
        ("adt-in", "peer_connections"),
        ("adt-in", "tls_on_plain_port"),
        ("adt-in", "http_on_mllp_port"),
        ("adt-in", "too_long"),
        ("adt-in", "timed_out"),
        ("adt-in", "cut_off"),
        ("adt-in", "junk"),
        ("tls-in", "peer_connections"),
        ("tls-in", "plain_on_tls_port"),
        ("tls-in", "tls_handshake_timed_out"),
        ("web-in", "peer_connections"),
        ("web-in", "mllp_on_http_port"),
    ];
    for (listener, trouble) in troubles {
        let name = format!(
            "hilum_listener_troubles_total{{listener=\"{listener}\",trouble=\"{trouble}\"}} "
        );
        assert!(metrics.contains(&name), "{trouble} is not counted: {metrics}");
    }

    // It is as it was: ready, and everything that was acknowledged has arrived.
    assert_eq!(running.json(&["status"]).expect("status")["ready"], true);
    running.wait_until_idle().expect("idle");
    let file = site.path().join("out");
    let mut arrived = BTreeSet::new();
    for entry in std::fs::read_dir(file).expect("the folder") {
        let content = std::fs::read(entry.expect("an entry").path()).expect("the file");
        let content = String::from_utf8_lossy(&content).into_owned();
        let headers = content.split(['\r', '\n']).filter(|it| it.starts_with("MSH|"));
        arrived.extend(headers.filter_map(|it| Some(it.split('|').nth(9)?.to_owned())));
    }
    let missing: Vec<_> = sent.difference(&arrived).collect();
    assert!(missing.is_empty(), "acknowledged and not delivered: {missing:?}");
    assert_eq!(running.terminate().expect("stopped"), 0);
}
