//! What is posted arrives, byte for byte; what is no message is refused in words; harm does none.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hilum_env::tls::{ClientMaterial, ClientTls};
use hilum_peers::{Authority, HttpReceiver};
use hilum_tests::{Running, Site, adt, repository};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long a read waits before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

fn site(receiver: &HttpReceiver) -> Site {
    let text = format!(
        r#"
[gateway]
name = "web"
data = "data"
timezone = "UTC"

[admin]
bind = "127.0.0.1:0"

[listener.web]
kind = "http"
bind = "127.0.0.1:0"
path = "/in"
body_bytes_max = "1 MiB"
read_timeout = "2s"
request_timeout = "4s"

[destination.files]
kind = "file"
folder = "out"
clearance = "treatment"

[destination.far]
kind = "http"
url = "{}"
clearance = "treatment"

[route.all]
from = "web"
to = ["files", "far"]
lane = "none"
"#,
        receiver.url("/far")
    );
    Site::new(&text).expect("a site")
}

/// One HTTP client, one connection.
struct Poster(TcpStream);

/// Status, head and body of an answer.
struct Said {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Said {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (it, value) = line.split_once(": ")?;
            it.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Poster {
    fn connect(running: &Running<'_>) -> Self {
        let address = running.listener("web").expect("an address");
        let stream = TcpStream::connect(address).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        stream.set_nodelay(true).expect("set");
        Self(stream)
    }

    /// Posts a body with these headers beside the usual; what is said to it.
    fn post(&mut self, headers: &[&str], body: &[u8]) -> Said {
        let headers: String = headers.iter().map(|it| format!("{it}\r\n")).collect();
        let length = body.len();
        let head =
            format!("POST /in HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n{headers}\r\n");
        self.0.write_all(&[head.as_bytes(), body].concat()).expect("written");
        self.said().expect("answered")
    }

    /// The next answer; none if the connection ends first.
    fn said(&mut self) -> Option<Said> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match self.0.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                Ok(_) => return None,
                // A reset is an end; to wait in vain is not.
                Err(fault) if fault.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(fault) => panic!("no answer: {fault}"),
            }
        }
        let head = String::from_utf8(head).expect("a head is text");
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
        let mut said = Said { status, head, body: Vec::new() };
        let length = said.header("content-length").map_or(0, |it| it.parse().expect("a length"));
        said.body.resize(length, 0);
        self.0.read_exact(&mut said.body).expect("a body");
        Some(said)
    }

    /// Sends this and nothing more; every answer until the connection ends.
    fn ask(mut self, bytes: &[u8]) -> Vec<Said> {
        // The gateway may say no and close before it has read all.
        let _ = self.0.write_all(bytes);
        let _ = self.0.shutdown(Shutdown::Write);
        std::iter::from_fn(|| self.said()).collect()
    }
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(json_files(&path));
        } else if path.extension().is_some_and(|it| it == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// How often each body is there.
fn counted(bodies: impl IntoIterator<Item = Vec<u8>>) -> BTreeMap<Vec<u8>, usize> {
    let mut counts = BTreeMap::new();
    for body in bodies {
        *counts.entry(body).or_insert(0) += 1;
    }
    counts
}

fn arrived(site: &Site) -> BTreeMap<Vec<u8>, usize> {
    let files = std::fs::read_dir(site.path().join("out")).expect("the folder");
    counted(files.map(|it| std::fs::read(it.expect("an entry").path()).expect("read")))
}

fn arrived_far(receiver: &HttpReceiver) -> BTreeMap<Vec<u8>, usize> {
    counted(receiver.received().into_iter().map(|it| it.body.to_vec()))
}

#[test]
fn each_fixture_of_fhir_arrives_byte_for_byte() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let site = site(&receiver);
    let running = site.serve().expect("serving");
    let mut poster = Poster::connect(&running);
    let mut sent = Vec::new();
    let mut resources = 0;
    for path in json_files(&repository().join("tests/fixtures")) {
        let body = std::fs::read(&path).expect("read");
        let is_resource =
            serde_json::from_slice::<Value>(&body).is_ok_and(|it| it["resourceType"].is_string());
        // What is JSON and no resource goes as what it is: any other body.
        let kind = if is_resource { "fhir+json" } else { "vnd.test+json" };
        let said = poster.post(&[&format!("content-type: application/{kind}")], &body);
        if body.len() > 1 << 20 {
            assert_eq!(said.status, 413, "{}", path.display());
            poster = Poster::connect(&running);
            continue;
        }
        assert_eq!(said.status, 202, "{}: {}", path.display(), said.text());
        assert!(said.header("hilum-message-id").is_some_and(|it| it.starts_with("msg_")));
        if is_resource {
            let outcome: Value = serde_json::from_slice(&said.body).expect("JSON");
            assert_eq!(outcome["resourceType"], "OperationOutcome", "{}", path.display());
            assert_eq!(said.header("content-type"), Some("application/fhir+json"));
            resources += 1;
        }
        sent.push(body);
    }
    assert!(200 < resources, "{resources} resources");
    // Those that a parser would change: digits, order, spaces, escapes, members that nobody knows.
    for body in [
        "{ \"resourceType\" : \"Observation\",\r\n\t\"valueDecimal\":1.500000000000000000001,\"x\":1E400, \"a\":-0.0}\n\n",
        "{\"zz\":[],\"resourceType\":\"Patient\",\"aa\":{\"\\u0041\\/\\n\":\"\\ud83d\\ude00\u{1f600}\"}}",
        "\u{feff}{\"resourceType\":\"Basic\"}",
    ] {
        let said = poster.post(&["content-type: application/fhir+json"], body.as_bytes());
        assert_eq!(said.status, 202, "{}", said.text());
        sent.push(body.as_bytes().to_vec());
    }
    // And what is no JSON at all.
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for (kind, body) in [
        ("application/octet-stream", bytes),
        ("text/plain; charset=ISO-8859-1", b"Z\xfcrich\r\n".to_vec()),
        ("application/hl7-v2", adt("W1", "4711")),
    ] {
        let said = poster.post(&[&format!("content-type: {kind}")], &body);
        assert_eq!(said.status, 202, "{kind}: {}", said.text());
        sent.push(body);
    }
    running.wait_until_idle().expect("idle");
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked}");
    let expected = counted(sent);
    assert!(arrived(&site) == expected, "files hold what was posted");
    assert!(arrived_far(&receiver) == expected, "the receiver holds what was posted");
    assert_eq!(running.terminate().expect("stopped"), 0);
}

#[test]
fn each_sender_is_answered_in_its_own_words() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let site = site(&receiver);
    let running = site.serve().expect("serving");
    let mut poster = Poster::connect(&running);
    let hl7 = "content-type: application/hl7-v2; charset=UTF-8";
    let said = poster.post(&[hl7, "x-request-id: r-1"], &adt("A1", "4711"));
    assert_eq!((said.status, said.header("x-request-id")), (202, Some("r-1")));
    assert!(said.header("content-type").is_some_and(|it| it.starts_with("application/hl7-v2")));
    assert!(said.text().contains("\rMSA|AA|A1"), "{}", said.text());
    // The same again is known; so is what an Idempotency-Key names.
    assert!(poster.post(&[hl7], &adt("A1", "4711")).text().contains("\rMSA|AA|A1"));
    let body = b"{\"resourceType\":\"Patient\",\"id\":\"zedlitz\"}";
    let fhir = "content-type: application/fhir+json";
    for _ in 0..3 {
        let said = poster.post(&[fhir, "idempotency-key: k-1"], body);
        assert_eq!(said.status, 202, "{}", said.text());
    }
    let said = poster.post(&[hl7, "accept: application/fhir+json"], &adt("A2", "4711"));
    assert!(said.text().contains("OperationOutcome"), "{}", said.text());
    let said = poster.post(&[fhir, "accept: text/html"], body);
    assert_eq!(said.status, 406);
    // FHIR's clients name the resource in the URL.
    let named = |id: &str| {
        format!(
            "PUT /in/Patient/{id} HTTP/1.1\r\nhost: a\r\n{fhir}\r\ncontent-length: {}\r\n\r\n{}",
            body.len(),
            String::from_utf8_lossy(body)
        )
    };
    for (id, status) in [("somebody", 400), ("zedlitz", 202)] {
        poster.0.write_all(named(id).as_bytes()).expect("written");
        let said = poster.said().expect("answered");
        assert_eq!(said.status, status, "{}", said.text());
    }
    running.wait_until_idle().expect("idle");
    assert_eq!(arrived(&site).values().sum::<usize>(), 4, "each message once");

    // What is wrong is said by place, and without content.
    for (kind, body, status) in [
        (fhir, &b"{\"resourceType\":\"Patient\",\"id\":\"zedlitz\",\"id\":\"zedlitz\"}"[..], 400),
        (fhir, b"{\"resourceType\":\"Patient\",\"id\":\"zedlitz\"", 400),
        (fhir, b"{\"zedlitz\":1}", 400),
        (fhir, b"[\"zedlitz\"]", 400),
        (hl7, b"zedlitz", 400),
        (hl7, b"MSH|^~\\&|zedlitz||||||ADT^A01||P|2.5.1\r", 422),
    ] {
        let said = poster.post(&[kind], body);
        assert_eq!(said.status, status, "{}", said.text());
        assert!(!said.text().contains("id\\\":"), "{}", said.text());
        let expected = if kind == fhir { "OperationOutcome" } else { "MSA|A" };
        assert!(said.text().contains(expected), "{}", said.text());
        let echoed = said.text().replace("|zedlitz", "");
        assert!(!echoed.contains("zedlitz"), "{}", said.text());
    }
    let deep = format!(
        "{{\"resourceType\":\"Basic\",\"x\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let said = poster.post(&[fhir], deep.as_bytes());
    assert!((400..500).contains(&said.status), "{}", said.status);
    assert!(said.text().contains("OperationOutcome"), "{}", said.text());
    running.wait_until_idle().expect("idle");
    assert_eq!(arrived(&site).values().sum::<usize>(), 4);
    assert!(!site.log().contains("zedlitz"), "no content in the log");
}

#[test]
fn who_waits_for_the_decision_is_told_it() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let site = site(&receiver);
    let plugin = "[plugin.by-facility]\nfile = \"plugins/route-by-facility.wasm\"\n\n[route.all]";
    let steps = "to = [\"files\", \"far\"]\nsteps = [\"by-facility\"]\n\n\
                 [route.all.settings]\n\"facility.ST-ANNA\" = \"files\"\n";
    site.edit("hilum.toml", "path = \"/in\"", "path = \"/in\"\nack = \"processed\"")
        .expect("edited");
    site.edit("hilum.toml", "[route.all]", plugin).expect("edited");
    site.edit("hilum.toml", "to = [\"files\", \"far\"]\nlane = \"none\"\n", steps).expect("edited");
    let running = site.serve().expect("serving");
    let mut poster = Poster::connect(&running);
    let hl7 = "content-type: application/hl7-v2";
    let said = poster.post(&[hl7], &adt("P1", "4711"));
    assert_eq!(said.status, 200, "{}", said.text());
    assert!(said.text().contains("\rMSA|AA|P1"), "{}", said.text());
    let text = String::from_utf8(adt("P2", "4711")).expect("text");
    let elsewhere = text.replacen("|ST-ANNA|", "|ST-DIVA|", 1);
    let said = poster.post(&[hl7], elsewhere.as_bytes());
    assert_eq!(said.status, 422, "{}", said.text());
    assert!(said.text().contains("\rMSA|AE|P2"), "{}", said.text());
    let said = poster.post(&[hl7, "accept: application/json"], elsewhere.as_bytes());
    assert_eq!(said.status, 422, "the same again: {}", said.text());
    assert!(said.text().contains("urn:hilum:problem:rejected"), "{}", said.text());
    running.wait_until_idle().expect("idle");
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "the sender was told: {parked}");
    assert_eq!(arrived(&site).len(), 1);
}

#[test]
fn a_stop_answers_what_is_in_and_a_restart_has_it() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let site = site(&receiver);
    let running = site.serve().expect("serving");
    let mut half = Poster::connect(&running);
    let body = adt("S1", "4711");
    let head = format!(
        "POST /in HTTP/1.1\r\nhost: a\r\ncontent-type: application/hl7-v2\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    half.0.write_all(&[head.as_bytes(), &body[..20]].concat()).expect("written");
    running
        .wait("its bytes to be read", |it| {
            let metrics = hilum_tests::http_get(&it.admin()?, "/metrics")?;
            let read = metrics
                .lines()
                .find_map(|it| it.strip_prefix("hilum_received_bytes_total{listener=\"web\"} "));
            Ok(read.is_some_and(|it| it != "0"))
        })
        .expect("read");
    let (code, said) = std::thread::scope(|scope| {
        let stopping = scope.spawn(|| running.terminate().expect("stopped"));
        half.0.write_all(&body[20..]).expect("written");
        let said = half.said();
        (stopping.join().expect("joined"), said)
    });
    assert_eq!(code, 0);
    let said = said.expect("answered");
    assert_eq!(said.status, 202, "{}", said.text());
    let running = site.serve().expect("serving");
    running.wait_until_idle().expect("idle");
    assert_eq!(arrived(&site), counted([body]));
}

#[test]
fn requests_that_mean_harm_do_none() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let site = site(&receiver);
    let running = site.serve().expect("serving");
    let connect = || Poster::connect(&running);
    let head = "POST /in HTTP/1.1\r\nhost: a\r\ncontent-type: application/hl7-v2\r\n";
    let smuggled = String::from_utf8(adt("EVIL", "666")).expect("text");
    let inner = format!("{head}content-length: {}\r\n\r\n{smuggled}", smuggled.len());

    // Slow, all at once; beside them everybody else is answered.
    let mut slow = [connect(), connect(), connect()];
    slow[0].0.write_all(b"POST /in HT").expect("written");
    slow[1]
        .0
        .write_all(format!("{head}content-length: 99\r\n\r\nMSH").as_bytes())
        .expect("written");
    slow[2]
        .0
        .write_all(format!("{head}transfer-encoding: chunked\r\n\r\n3").as_bytes())
        .expect("written");
    let mut feed = connect();
    for (bytes, statuses) in [
        (format!("{head}content-length: 2000000\r\n\r\n{}", "x".repeat(100_000)), &[413][..]),
        (format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n{inner}"), &[400]),
        (
            format!(
                "{head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
            ),
            &[400],
        ),
        (
            format!(
                "{head}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n{inner}"
            ),
            &[400],
        ),
        (format!("{head}content-length: 1\r\ncontent-length: 2\r\n\r\nxx{inner}"), &[400]),
        (format!("{head}{}\r\n", "x: y\r\n".repeat(100_000)), &[431]),
        (format!("{head}x: {}\r\n\r\n", "y".repeat(1 << 20)), &[431]),
        (format!("POST /{} HTTP/1.1\r\n\r\n", "y".repeat(1 << 20)), &[414, 431]),
        (format!("{head}content-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc"), &[415]),
        ("GET /in HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), &[405]),
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), &[404]),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}".to_owned(), &[]),
        ("\u{b}MSH|^~\\&|LAB\r\u{1c}\r".to_owned(), &[]),
        ("nonsense\r\n\r\n".to_owned(), &[400]),
    ] {
        let said = connect().ask(bytes.as_bytes());
        let shown = bytes.get(..200).unwrap_or(&bytes);
        assert_eq!(said.len(), usize::from(!statuses.is_empty()), "{shown}");
        assert!(said.iter().all(|it| statuses.contains(&it.status)), "{shown}: {}", said[0].head);
        let fed = feed.post(&["content-type: text/plain"], &bytes.as_bytes()[..3]);
        assert_eq!(fed.status, 202, "{}", fed.text());
    }
    let [mut first, mut second, mut third] = slow;
    assert_eq!(first.said().map(|it| it.status), Some(408));
    assert_eq!(second.said().map(|it| it.status), Some(408));
    assert_eq!(third.said().map(|it| it.status), Some(408));
    running.wait_until_idle().expect("idle");
    let evil = arrived(&site).into_keys().filter(|it| String::from_utf8_lossy(it).contains("EVIL"));
    assert_eq!(evil.count(), 0, "what was hidden in a body is no message");
    assert_eq!(running.terminate().expect("stopped"), 0);
}

/// Posts over TLS on a connection of its own; what is said, or nothing.
fn post_over_tls(address: &str, tls: &ClientTls, headers: &str, body: &str) -> String {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let length = body.len();
    let request = format!(
        "POST /in HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: text/plain\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    );
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.expect("connected");
        let Ok(mut stream) = tls.connect("localhost", Box::new(stream)).await else {
            return String::new();
        };
        let _ = stream.write_all(request.as_bytes()).await;
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        String::from_utf8_lossy(&said).into_owned()
    })
}

#[test]
fn over_tls_a_known_peer_with_the_token_is_let_in_and_nobody_else() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let site = site(&receiver);
    let ca = Authority::new().expect("an authority");
    let server = ca.issue(&["localhost"]).expect("issued");
    let lab = ca.issue(&["lab-1.example"]).expect("issued");
    let other = ca.issue(&["lab-2.example"]).expect("issued");
    site.write("server.pem", server.certificate).expect("written");
    site.write("server.key", server.key).expect("written");
    site.write("ca.pem", ca.pem()).expect("written");
    site.write("token", "t0ken-of-the-lab\n").expect("written");
    let extra = "[listener.web.tls]\ncertificate = \"server.pem\"\nkey_file = \"server.key\"\n\
                 client_ca = \"ca.pem\"\nidentities = [\"lab-1.example\"]\n\n\
                 [listener.web.auth]\nkind = \"bearer\"\ntoken_file = \"token\"\n\n\
                 [destination.files]";
    site.edit("hilum.toml", "[destination.files]", extra).expect("edited");
    let running = site.serve().expect("serving");
    let address = running.listener("web").expect("an address");
    let client = |identity: Option<&hilum_peers::Identity>| {
        let material = ClientMaterial {
            ca: Some(ca.pem().into_bytes()),
            certificate: identity.map(|it| it.certificate.clone().into_bytes()),
            key: identity.map(|it| it.key.clone().into_bytes()),
        };
        ClientTls::new(&material).expect("fits together")
    };
    let token = "authorization: Bearer t0ken-of-the-lab\r\n";
    let post = |identity, headers, body| post_over_tls(&address, &client(identity), headers, body);
    assert!(post(Some(&lab), token, "right").starts_with("HTTP/1.1 202 "));
    assert!(post(Some(&lab), "", "no token").starts_with("HTTP/1.1 401 "));
    let wrong = token.replace("t0ken", "token");
    assert!(post(Some(&lab), wrong.as_str(), "wrong token").starts_with("HTTP/1.1 401 "));
    assert_eq!(post(Some(&other), token, "somebody else"), "");
    assert_eq!(post(None, token, "nobody"), "");
    running.wait_until_idle().expect("idle");
    assert_eq!(arrived(&site), counted([b"right".to_vec()]));
    assert!(!site.log().contains("t0ken-of-the-lab"), "no secret in the log");
}
