use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use hilum_peers::{HttpReceiver, Say};
use hilum_words::config::{Document, SecretSource};
use hilum_words::{DeliveryId, MessageId, Problem, Problems, RunId, Timestamp};

use super::*;
use crate::{DestinationConfig, Secrets};

pub(crate) fn delivery(format: &str, body: &str) -> Delivery {
    Delivery {
        id: DeliveryId::from_bits(7),
        message: MessageId::from_bits(8),
        run: RunId::from_bits(9),
        ordinal: 1,
        received: Timestamp::from_micros(1_000_000),
        attempt: 3,
        format: format.into(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

/// Secrets in a table: by the name of their file.
#[derive(Default)]
pub(crate) struct Table(BTreeMap<String, String>);

impl SecretSource for Table {
    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let found = self.0.get(&path.to_string_lossy().into_owned());
        found.map(|it| it.clone().into_bytes()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn credential(&self, _: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// Reads a `[destination.x]` section and fetches its secrets; and what is wrong with them.
pub(crate) fn read(
    text: &str,
    files: &[(&str, &str)],
) -> (Option<(DestinationConfig, Secrets)>, String) {
    let problems = Problems::default();
    let document = Document::parse("hilum.toml", text, &problems);
    let mut root = document.root(&problems);
    let table = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let config = DestinationConfig::read(&mut root, Path::new("/site"));
    root.finish();
    let fetched = config.and_then(|config| {
        let secrets = config.secrets(&Table(table.collect()), &problems)?;
        Some((config, secrets))
    });
    let said: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
    (fetched, said.join("\n"))
}

/// What sends by a configuration.
pub(crate) struct Sender {
    runtime: tokio::runtime::Runtime,
    destination: std::sync::Arc<dyn Destination>,
}

impl Sender {
    pub(crate) fn new(text: &str, files: &[(&str, &str)]) -> Self {
        let (read, problems) = read(text, files);
        assert_eq!(problems, "");
        let (config, secrets) = read.expect("a destination");
        Self::of(&config, &secrets)
    }

    /// One that somebody has built without fetching what it needs.
    pub(crate) fn without_secrets(text: &str) -> Self {
        let problems = Problems::default();
        let document = Document::parse("hilum.toml", text, &problems);
        let config = DestinationConfig::read(&mut document.root(&problems), Path::new("/site"));
        assert!(problems.is_empty(), "{problems:?}");
        Self::of(&config.expect("a destination"), &Secrets::default())
    }

    fn of(config: &DestinationConfig, secrets: &Secrets) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("tokio");
        let doors = hilum_env::system::doors(runtime.handle().clone());
        let destination = crate::build(&"service".into(), config, secrets, &doors);
        Self { runtime, destination }
    }

    pub(crate) fn deliver(&self, delivery: Delivery) -> Result<Delivered, SendFault> {
        let sent = self.runtime.block_on(self.destination.send_many(&[delivery]));
        sent.into_iter().next().expect("one result")
    }

    pub(crate) fn deliver_at_once(&self, count: usize) -> Vec<String> {
        let sending = (0..count).map(|_| {
            let destination = std::sync::Arc::clone(&self.destination);
            self.runtime.spawn(async move {
                destination.send_many(&[delivery("json", "{}")]).await.remove(0)
            })
        });
        let sending: Vec<_> = sending.collect();
        let ended = sending.into_iter().map(|it| self.runtime.block_on(it).expect("no panic"));
        ended.map(said).collect()
    }

    pub(crate) fn say(&self, format: &str, body: &str) -> String {
        said(self.deliver(delivery(format, body)))
    }
}

fn said(result: Result<Delivered, SendFault>) -> String {
    match result {
        Ok(delivered) => delivered.code,
        Err(fault) => format!("{:?}: {fault}", fault.whose()),
    }
}

fn to(receiver: &HttpReceiver, more: &str) -> Sender {
    let url = receiver.url("/in");
    Sender::new(&format!("kind = \"http\"\nurl = \"{url}\"\n{more}"), &[])
}

#[test]
fn a_request_is_what_the_site_says() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let url = receiver.url("/in/{message.id}?format={format}&at={received}");
    let text = format!(
        "kind = \"http\"\nurl = \"{url}\"\nmethod = \"PUT\"\n\
         headers = {{ \"X-Source\" = \"st-anna\", \"X-Run\" = \"{{run.id}} {{delivery.id}}\" }}\n"
    );
    let sender = Sender::new(&text, &[]);
    receiver.answer_next([Say::json(201, "{\"id\":1}")]);
    let delivered = sender.deliver(delivery("hl7v2", "MSH|^~\\&|")).expect("delivered");
    assert_eq!(delivered.code, "201");
    let (format, answer) = delivered.answer.expect("an answer");
    assert_eq!((format.as_str(), &answer[..]), ("json", b"{\"id\":1}".as_slice()));
    let received = receiver.received().remove(0);
    assert_eq!(received.method, "PUT");
    let at = percent_encode(&Timestamp::from_micros(1_000_000).to_string());
    assert_eq!(received.target, format!("/in/msg_00000000000000000000000008?format=hl7v2&at={at}"));
    assert_eq!(received.body, "MSH|^~\\&|");
    for (name, value) in [
        ("content-type", "application/hl7-v2"),
        ("idempotency-key", "dlv_00000000000000000000000007"),
        ("x-request-id", "dlv_00000000000000000000000007-3"),
        ("x-source", "st-anna"),
        ("x-run", "run_00000000000000000000000009 dlv_00000000000000000000000007"),
        ("host", &receiver.address().to_string()),
    ] {
        assert_eq!(received.header(name), Some(value), "{name}");
    }
}

#[test]
fn a_body_goes_as_it_is_with_its_media_type() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let sender = to(&receiver, "");
    for (format, body, media_type) in [
        ("fhir-json", "{ \"a\" : 1.50 }", "application/fhir+json"),
        ("json", "[]", "application/json"),
        ("csv", "a;b\r\n", "application/octet-stream"),
        ("text/csv", "a;b\r\n", "text/csv"),
    ] {
        assert_eq!(sender.say(format, body), "200");
        let received = receiver.received().pop().expect("a request");
        assert_eq!(
            (&received.body[..], received.header("content-type")),
            (body.as_bytes(), Some(media_type))
        );
    }
    let sender = to(&receiver, "content_type = \"text/csv; charset=utf-8\"");
    assert_eq!(sender.say("csv", "a;b"), "200");
    let received = receiver.received().pop().expect("a request");
    assert_eq!(received.header("content-type"), Some("text/csv; charset=utf-8"));
}

#[test]
fn each_answer_is_understood_in_words() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let sender = to(&receiver, "timeout = \"200ms\"\nanswer_bytes_max = 64\n");
    let check = |say: Say, expected: Expect| {
        receiver.answer_next([say]);
        expected.assert_eq(&sender.say("hl7v2", "MSH|^~\\&|"));
    };
    check(Say::Status(204), expect!["204"]);
    check(Say::Status(422), expect!["Content: rejected: 422 Unprocessable Entity"]);
    check(Say::Status(429), expect!["Destination: busy: 429 Too Many Requests"]);
    check(Say::Status(503), expect!["Destination: busy: 503 Service Unavailable"]);
    check(Say::Status(500), expect!["Moment: busy: 500 Internal Server Error"]);
    check(Say::Status(404), expect!["SetUp: the set-up is at fault: 404 Not Found"]);
    check(Say::Status(799), expect!["SetUp: the set-up is at fault: 799"]);
    check(Say::Silence, expect!["Unknown: outcome unknown: no answer in time"]);
    check(
        Say::HangUp,
        expect!["Unknown: outcome unknown: the connection closed without an answer"],
    );
    check(
        Say::Raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
        expect!["Unknown: outcome unknown: the answer broke off"],
    );
    check(
        Say::Raw("HTTP/1.1 200 O"),
        expect!["Unknown: outcome unknown: the connection closed without an answer"],
    );
    check(Say::Raw("\u{b}MSH|^~"), expect!["Unknown: outcome unknown: the answer is not HTTP"]);
    check(
        Say::json(200, "x".repeat(65)),
        expect!["Unknown: outcome unknown: 200, but the answer is longer than answer_bytes_max"],
    );
    receiver.down();
    // A kept connection closes; its own task has to notice before the next request goes out.
    std::thread::park_timeout(Duration::from_millis(100));
    assert_eq!(sender.say("json", "{}"), "Destination: not reached: connection refused");
    receiver.recover().expect("it listens again");
    assert_eq!(sender.say("json", "{}"), "200");
}

#[test]
fn a_redirect_is_not_followed() {
    let (receiver, elsewhere) =
        (HttpReceiver::start().expect("one"), HttpReceiver::start().expect("another"));
    let sender = to(&receiver, "");
    for status in [301, 302, 303, 307, 308] {
        let headers = vec![("Location", elsewhere.url("/in"))];
        receiver.answer_next([Say::Whole { status, headers, body: String::new() }]);
        let said = sender.say("json", "{}");
        assert!(said.starts_with(&format!("SetUp: the set-up is at fault: {status} ")), "{said}");
    }
    assert!(elsewhere.received().is_empty(), "nothing goes where the site did not say");
}

#[test]
fn an_answer_that_says_no_in_its_own_format_is_no_success() {
    let receiver = HttpReceiver::start().expect("a receiver");
    let sender = to(&receiver, "");
    let message = "MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5\rPID|1||4711\r";
    let check = |media_type: &str, body: &str, expected: Expect| {
        let headers = vec![("Content-Type", media_type.to_owned())];
        receiver.answer_next([Say::Whole { status: 200, headers, body: body.into() }]);
        expected.assert_eq(&sender.say("hl7v2", message));
    };
    let ack = |msa: &str| format!("MSH|^~\\&|C|D|A|B|2026||ACK|9|P|2.5\rMSA|{msa}\r");
    let er7 = "x-application/hl7-v2+er7; charset=utf-8";
    check("application/hl7-v2", &ack("AA|7"), expect!["200"]);
    check(er7, &ack("CA|7"), expect!["200"]);
    check(
        er7,
        &format!("{}ERR||PID^1^3|101|E\r", ack("AE|7|Zwiebelfisch")),
        expect!["Content: rejected: 200: AE (101 at PID-3)"],
    );
    check(er7, &ack("AR|7"), expect!["Moment: busy: 200: AR"]);
    check(
        er7,
        &ack("AA|8"),
        expect!["Unknown: outcome unknown: 200, but the acknowledgement is for another message"],
    );
    check(
        er7,
        "nothing",
        expect!["Unknown: outcome unknown: 200, but the answer is no acknowledgement"],
    );
    let outcome = |severity: &str| {
        format!(
            r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"{severity}","code":"invariant","diagnostics":"Zwiebelfisch"}}]}}"#
        )
    };
    let fhir = "application/fhir+json";
    check(fhir, &outcome("information"), expect!["200"]);
    check(fhir, &outcome("error"), expect!["Content: rejected: 200 (invariant)"]);
}

#[track_caller]
fn check_config(text: &str, expected: Expect) {
    let (_, problems) =
        read(&format!("kind = \"http\"\n{text}"), &[("empty", ""), ("two", "a\nb")]);
    expected.assert_eq(&problems);
}

#[test]
fn what_cannot_be_configured_is_said_with_its_place() {
    check_config("", expect![[r#"hilum.toml  needs the key "url""#]]);
    check_config(
        "url = \"http://{message.id}/x\"\nmethod = \"GET\"\ncontent_type = \"hl7\"\n",
        expect![[r#"
            hilum.toml:2  url  must name its host: places to fill in stand in path and query
            hilum.toml:3  method  must be one of "POST", "PUT", "PATCH"
            hilum.toml:4  content_type  must be a media type such as "application/hl7-v2""#]],
    );
    check_config(
        "url = \"http://u:p@x/\"\n",
        expect!["hilum.toml:2  url  must not hold a user or password: secrets are never inline"],
    );
    check_config(
        "url = \"http://x/{PID-3}#f\"\n",
        expect![
            "hilum.toml:2  url  has {PID-3}, which is none of {message.id} {delivery.id} {run.id} {format} {received}"
        ],
    );
    check_config(
        "url = \"http://x/?a=b&api_key=hunter2\"\n[headers]\nX-Api-Key = \"hunter2\"\n",
        expect![[r#"
            hilum.toml:2  url  has "api_key", which sounds like a secret, and secrets are never inline: send it in a header, by [auth] kind = "header"
            hilum.toml:4  headers.X-Api-Key  sounds like a secret, and secrets are never inline: use [auth] kind = "header""#]],
    );
    check_config("url = \"http://x/#f\"\n", expect!["hilum.toml:2  url  must not have a fragment"]);
    check_config(
        "url = \"http://x/\"\n[headers]\nHost = \"y\"\nAuthorization = \"Bearer x\"\n\"a b\" = \"c\"\nX-A = \"\\u00e4\"\nX-B = \"{x}\"\nContent-Type = \"a/b\"\n",
        expect![[r#"
            hilum.toml:4  headers.Host  is set by the gateway itself
            hilum.toml:5  headers.Authorization  holds a secret, and secrets are never inline; use [auth]
            hilum.toml:6  headers.a b  is no name of a header
            hilum.toml:7  headers.X-A  must be of printable ASCII
            hilum.toml:8  headers.X-B  has {x}, which is none of {message.id} {delivery.id} {run.id} {format} {received}
            hilum.toml:9  headers.Content-Type  is set by the gateway itself; use `content_type`"#]],
    );
    check_config(
        "url = \"http://x.example/\"\n[tls]\nca = \"ca.pem\"\nserver_name = \"a b\"\n[auth]\nkind = \"bearer\"\ntoken_file = \"t\"\n",
        expect![[r#"
            hilum.toml:3  tls  belongs to an https URL, and this one is http
            hilum.toml:4  tls.ca  cannot be read: entity not found
            hilum.toml:5  tls.server_name  must be a DNS name or an IP address, without a port
            hilum.toml:6  auth  would be sent in the clear; use an https URL"#]],
    );
}

#[test]
fn what_cannot_be_fetched_is_said_without_its_value() {
    let https = "url = \"https://x.example/\"\n";
    check_config(
        &format!("{https}[auth]\nkind = \"bearer\"\ntoken_file = \"two\"\n"),
        expect![
            "hilum.toml:5  auth.token_file  cannot stand in a header: it must be one line of printable ASCII"
        ],
    );
    check_config(
        &format!("{https}[auth]\nkind = \"basic\"\nuser = \"a:b\"\npassword_file = \"empty\"\n"),
        expect!["hilum.toml:5  auth.user  must not hold a colon or a control character"],
    );
    check_config(
        &format!("{https}[auth]\nkind = \"basic\"\nuser = \"a\"\npassword_file = \"empty\"\n"),
        expect!["hilum.toml:6  auth.password_file  file empty is empty"],
    );
    check_config(
        &format!("{https}[auth]\nkind = \"header\"\nname = \"Host\"\nvalue_file = \"absent\"\n"),
        expect![[
            r#"hilum.toml:5  auth.name  must be the name of a header of the service, such as "X-API-Key""#
        ]],
    );
    check_config(
        &format!(
            "{https}[auth]\nkind = \"oauth2\"\ntoken_url = \"http://y.example/\"\nclient_id = \"h\"\nclient_secret = \"geheim\"\n"
        ),
        expect![[
            r#"hilum.toml:7  auth.client_secret  a secret is never written here; refer to it by "client_secret_file", "client_secret_env", "client_secret_credential""#
        ]],
    );
    check_config(
        &format!("{https}[tls]\ncertificate = \"empty\"\n[auth]\nkind = \"oauth\"\n"),
        expect![[r#"
            hilum.toml:4  tls.certificate  needs its key: "key_file", "key_env" or "key_credential"
            hilum.toml:6  auth.kind  must be one of "basic", "bearer", "header", "oauth2"; did you mean "oauth2"?"#]],
    );
}
