//! Destinations that answer badly, late, wrongly or not at all, over TLS: nothing is lost, nothing is
//! settled by chance, and the message's trace says in words what happened.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hilum_peers::{
    Ack, Authority, FhirPeer, HttpReceiver, Identity, MllpReceiver, Say, TlsFront, TokenEndpoint,
};
use hilum_tests::{Running, Site, adt};

/// A pass-through from MLLP to these destinations.
fn site(destinations: &str, to: &[&str]) -> Site {
    let configuration = format!(
        r#"
[gateway]
name = "destinations"
data = "data"
timezone = "UTC"

[admin]
bind = "127.0.0.1:0"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

{destinations}

[route.adt]
from = "adt-in"
to = {to:?}
"#
    );
    Site::new(&configuration).expect("a site")
}

/// A destination over TLS whose authority is in `ca.pem`; it is tried so often.
fn over_tls(name: &str, kind: &str, attempts: u32) -> String {
    format!(
        r#"
[destination.{name}]
{kind}
clearance = "treatment"
timeout = "300ms"
connect_timeout = "2s"
retry = {{ first = "20ms", longest = "50ms", attempts = {attempts} }}
breaker = {{ failures = 1000 }}
[destination.{name}.tls]
ca = "ca.pem"
"#
    )
}

fn server(authority: &Authority) -> Identity {
    authority.issue(&["127.0.0.1"]).expect("a certificate")
}

fn send(running: &Running<'_>, message: &[u8]) {
    let answer = running.client("adt-in").and_then(|mut it| it.send(message)).expect("answered");
    assert!(answer.contains("\rMSA|AA|"), "{answer}");
}

/// What `hilum message trace` prints about the only message.
fn trace(site: &Site, running: &Running<'_>) -> String {
    let messages = running.list("message").expect("listed");
    let id = messages[0]["id"].as_str().expect("an id").to_owned();
    let (code, out, err) = site.run(&["message", "trace", &id]).expect("traced");
    assert_eq!(code, 0, "{err}");
    out
}

#[track_caller]
fn check(trace: &str, expected: &[&str]) {
    let mut rest = trace;
    for words in expected {
        let Some(at) = rest.find(words) else {
            panic!("no {words:?}, in its order, in\n{trace}");
        };
        rest = &rest[at + words.len()..];
    }
}

#[test]
fn a_receiver_that_answers_in_every_wrong_way_is_in_the_trace_in_words() {
    let authority = Authority::new().expect("an authority");
    let receiver = MllpReceiver::start().expect("a receiver");
    let front = TlsFront::start(receiver.address(), &server(&authority)).expect("TLS");
    let half = Ack::All(vec![Ack::Raw(b"\x0bMSH|^~\\&|P|P".to_vec()), Ack::HangUp]);
    receiver.answer_next([
        Ack::Silence,
        half,
        Ack::HangUp,
        Ack::Of("ANOTHER"),
        Ack::Raw(b"\x0b\x1c\r".to_vec()),
        Ack::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".repeat(99)),
        Ack::Error("AR", "207"),
        Ack::Error("AE", "101"),
    ]);
    let kind = format!("kind = \"mllp\"\naddress = \"{}\"", front.address());
    let site = site(&over_tls("lab", &kind, 99), &["lab"]);
    site.write("ca.pem", authority.pem()).expect("written");
    let running = site.serve().expect("serving");
    send(&running, &adt("W1", "4711"));
    running.wait_until_idle().expect("idle");
    let said = trace(&site, &running);
    check(
        &said,
        &[
            "no answer in time",
            "the connection closed inside an answer",
            "the connection closed without an answer",
            "no answer in time; came: 1 to another message",
            "no answer in time; came: 1 empty",
            "what came back is not MLLP",
            "AR (207 at PID-5)",
            "rejected: AE (101 at PID-5)",
        ],
    );
    assert_eq!(receiver.received(), vec![adt("W1", "4711"); 8], "the same bytes each time");
    for secret in ["Zedlitz", "ANOTHER"] {
        assert!(!said.contains(secret) && !site.log().contains(secret), "{secret}: {said}");
    }
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked[0]["cause"], "rejected");
}

#[test]
fn a_service_that_answers_in_every_wrong_way_is_in_the_trace_in_words() {
    let authority = Authority::new().expect("an authority");
    let service = HttpReceiver::start().expect("a service");
    let front = TlsFront::start(service.address(), &server(&authority)).expect("TLS");
    let outcome = Say::Whole {
        status: 200,
        headers: vec![("Content-Type", "application/hl7-v2".into())],
        body: "MSH|^~\\&|P|P|H|H|2026||ACK|9|P|2.5\rMSA|AA|ANOTHER\r".into(),
    };
    service.answer_next([
        Say::Silence,
        Say::HangUp,
        Say::Raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"),
        Say::Raw("\u{b}MSH|^~\\&|\u{1c}\r"),
        Say::Status(429),
        Say::Whole { status: 503, headers: vec![("Retry-After", "0".into())], body: "busy".into() },
        Say::Status(500),
        outcome,
        Say::json(422, "{\"Zedlitz\":1}"),
    ]);
    let url = format!("kind = \"http\"\nurl = \"https://{}/in/{{message.id}}\"", front.address());
    let site = site(&over_tls("cloud", &url, 99), &["cloud"]);
    site.write("ca.pem", authority.pem()).expect("written");
    let running = site.serve().expect("serving");
    send(&running, &adt("W2", "4711"));
    running.wait_until_idle().expect("idle");
    let said = trace(&site, &running);
    check(
        &said,
        &[
            "no answer in time",
            "the connection closed without an answer",
            "the answer broke off",
            "the answer is not HTTP",
            "busy: 429 Too Many Requests",
            "busy: 503 Service Unavailable",
            "busy: 500 Internal Server Error",
            "200, but the acknowledgement is for another message",
            "rejected: 422 Unprocessable Entity",
        ],
    );
    let received = service.received();
    assert_eq!(received.len(), 9);
    let keys: Vec<_> = received.iter().map(|it| it.header("idempotency-key")).collect();
    assert!(keys[0].is_some() && keys.iter().all(|it| *it == keys[0]), "one id: {keys:?}");
    assert!(received.iter().all(|it| it.body == adt("W2", "4711")), "the same bytes each time");
    for secret in ["Zedlitz", "ANOTHER"] {
        assert!(!said.contains(secret) && !site.log().contains(secret), "{secret}: {said}");
    }
}

#[test]
fn a_server_that_is_not_believed_gets_nothing_and_the_trace_says_why() {
    let authority = Authority::new().expect("an authority");
    let foreign = Authority::new().expect("another authority");
    let receiver = MllpReceiver::start().expect("a receiver");
    let cases = [
        (
            "stranger",
            server(&foreign),
            "TLS: its certificate is from an authority that is not known here",
        ),
        (
            "expired",
            authority.issue_expired(&["127.0.0.1"]).expect("a certificate"),
            "TLS: its certificate has expired",
        ),
        (
            "misnamed",
            authority.issue(&["lab.example"]).expect("a certificate"),
            "TLS: its certificate is for another name",
        ),
    ];
    let mut destinations = String::new();
    let mut fronts = Vec::new();
    for (name, identity, _) in &cases {
        let front = TlsFront::start(receiver.address(), identity).expect("TLS");
        let kind = format!("kind = \"mllp\"\naddress = \"{}\"", front.address());
        // Once is enough to see what is said.
        destinations.push_str(&over_tls(name, &kind, 1));
        fronts.push(front);
    }
    let plain = format!("kind = \"mllp\"\naddress = \"{}\"", receiver.address());
    destinations.push_str(&over_tls("plain", &plain, 1));
    let names: Vec<&str> = cases.iter().map(|it| it.0).chain(["plain"]).collect();
    let site = site(&destinations, &names);
    site.write("ca.pem", authority.pem()).expect("written");
    let running = site.serve().expect("serving");
    send(&running, &adt("T1", "4711"));
    running.wait_until_idle().expect("idle");
    let said = trace(&site, &running);
    for (name, _, words) in &cases {
        assert!(said.contains(words), "{name}: no {words:?} in\n{said}");
    }
    assert!(said.contains("TLS: "), "{said}");
    assert!(fronts.iter().all(|it| it.handshakes() == 0));
    assert!(receiver.received().is_empty(), "nothing arrived, encrypted or not");
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(4), "{parked}");
}

#[test]
fn tokens_are_fetched_over_tls_and_no_secret_is_written_anywhere() {
    let authority = Authority::new().expect("an authority");
    let tokens = TokenEndpoint::start("aGlsdW06WndpZWJlbGZpc2No").expect("a token endpoint");
    let service = HttpReceiver::answering(tokens.guard()).expect("a service");
    let front = TlsFront::mutual(service.address(), &server(&authority), &authority.pem());
    let front = front.expect("TLS");
    let token_front = TlsFront::start(tokens.address(), &server(&authority)).expect("TLS");
    let own = authority.issue(&["hilum.example"]).expect("a certificate");
    let url = format!("kind = \"http\"\nurl = \"https://{}/in\"", front.address());
    let auth = format!(
        r#"
certificate = "own.pem"
key_file = "own.key"
[destination.cloud.auth]
kind = "oauth2"
token_url = "https://{}/token"
client_id = "hilum"
client_secret_file = "secret"
"#,
        token_front.address()
    );
    let site = site(&(over_tls("cloud", &url, 99) + &auth), &["cloud"]);
    site.write("ca.pem", authority.pem()).expect("written");
    site.write("own.pem", &own.certificate).expect("written");
    site.write("own.key", &own.key).expect("written");
    site.write("secret", "Zwiebelfisch\n").expect("written");
    let running = site.serve().expect("serving");
    send(&running, &adt("O1", "4711"));
    running.wait_until_idle().expect("idle");
    tokens.revoke();
    send(&running, &adt("O2", "4711"));
    running.wait_until_idle().expect("idle");
    assert_eq!(tokens.issued(), 2, "one, and one more after 401");
    let statuses: Vec<_> = service.received().iter().map(|it| it.answered).collect();
    assert_eq!(statuses, [Some(200), Some(401), Some(200)]);
    running.terminate().expect("it ends");
    // Nothing that was read to prove who we are is on disk beside its own file, or in the log.
    let key = own.key.lines().nth(1).expect("a line of the key");
    for secret in ["Zwiebelfisch", "aGlsdW06WndpZWJlbGZpc2No", "token-1", "token-2", key] {
        assert!(!site.log().contains(secret), "{secret} is in the log");
        for file in files(&site.path().join("data")) {
            let content = std::fs::read(&file).expect("read");
            let is_there = content.windows(secret.len()).any(|it| it == secret.as_bytes());
            assert!(!is_there, "{secret} is in {}", file.display());
        }
    }
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("listed") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn one_destination_that_is_down_or_silent_slows_no_other() {
    const COUNT: usize = 60;
    let (down, silent, well) = (
        MllpReceiver::start().expect("a receiver"),
        MllpReceiver::start().expect("a receiver"),
        MllpReceiver::start().expect("a receiver"),
    );
    down.down();
    silent.answer(Ack::Silence);
    let refusing = HttpReceiver::start().expect("a service");
    refusing.answer(Say::Status(503));
    let destination = |name: &str, kind: &str| {
        format!(
            "[destination.{name}]\n{kind}\nclearance = \"treatment\"\nretry = {{ first = \"50ms\", longest = \"200ms\" }}\n"
        )
    };
    let mllp =
        |receiver: &MllpReceiver| format!("kind = \"mllp\"\naddress = \"{}\"", receiver.address());
    let destinations = [
        destination("down", &mllp(&down)),
        destination("silent", &mllp(&silent)),
        destination("refusing", &format!("kind = \"http\"\nurl = \"{}\"", refusing.url("/"))),
        destination("well", &mllp(&well)),
    ];
    let site = site(&destinations.join("\n"), &["down", "silent", "refusing", "well"]);
    let running = site.serve().expect("serving");
    let messages: Vec<_> = (0..COUNT).map(|it| adt(&format!("S{it}"), &it.to_string())).collect();
    let mut client = running.client("adt-in").expect("connected");
    for message in &messages {
        let answer = client.send(message).expect("answered");
        assert!(answer.contains("\rMSA|AA|"), "senders do not feel it: {answer}");
    }
    // All arrive where all is well, while the silent one still has the first (its time to answer is
    // 30 seconds) and the others have none.
    running
        .wait("the well one to have all", |_| Ok(well.received().len() == COUNT))
        .expect("it has");
    assert_eq!(well.received(), messages, "in order");
    assert_eq!(silent.received().len(), 1, "it is waited for, once");
    assert!(down.received().is_empty());
    let counts = &running.json(&["status"]).expect("status")["counts"];
    assert_eq!(counts["queued"], 3 * COUNT, "{counts}");
    // And nothing was lost for those that come back.
    down.recover().expect("it listens again");
    refusing.answer_next([]);
    running
        .wait("those that came back to have all", |_| {
            Ok(down.received().len() == COUNT
                && refusing.received().iter().filter(|it| it.answered == Some(200)).count()
                    == COUNT)
        })
        .expect("they have");
    assert_eq!(down.received(), messages, "in order");
}

#[test]
fn the_applications_acknowledgement_comes_to_the_listener_that_is_named() {
    let receiver = MllpReceiver::start().expect("a receiver");
    receiver.answer(Ack::Code("CA"));
    let destinations = format!(
        r#"
[listener.acks-in]
kind = "mllp"
bind = "127.0.0.1:0"

[destination.lab]
kind = "mllp"
address = "{}"
clearance = "treatment"
enhanced = true
ack_listener = "acks-in"
application_timeout = "60s"
"#,
        receiver.address()
    );
    let site = site(&destinations, &["lab"]);
    let running = site.serve().expect("serving");
    send(&running, &adt("E1", "4711"));
    running
        .wait("the message to be there", |_| Ok(!receiver.received().is_empty()))
        .expect("there");
    let sent = String::from_utf8_lossy(&receiver.received()[0]).into_owned();
    assert!(sent.contains("|E1|P|2.5.1|||AL|AL\r"), "{sent}");
    let ack = |control_id: &str| {
        format!(
            "MSH|^~\\&|LAB|LAB|HILUM|ST-ANNA|2026||ACK^A01^ACK|K{control_id}|P|2.5.1|||NE|NE\rMSA|AA|{control_id}\r"
        )
    };
    let framed = |text: &str| [b"\x0b", text.as_bytes(), b"\x1c\r"].concat();
    // To another listener, or about another message, it settles nothing.
    running.client("adt-in").and_then(|mut it| it.write(&framed(&ack("E1")))).expect("said");
    let mut acks = running.client("acks-in").expect("connected");
    acks.write(&framed(&ack("E2"))).expect("said");
    std::thread::park_timeout(Duration::from_millis(300));
    let counts = running.json(&["status"]).expect("status")["counts"].clone();
    assert_eq!(counts["queued"], 1, "{counts}");
    acks.write(&framed(&ack("E1"))).expect("said");
    running.wait_until_idle().expect("idle");
    let said = trace(&site, &running);
    assert!(said.contains("AA"), "{said}");
    assert_eq!(receiver.received().len(), 1, "it was sent once");
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked}");
}

/// Copies of one message have one control id: what the one receiver says must not be taken for what the
/// other says.
#[test]
fn acknowledgements_of_two_receivers_that_share_a_listener_are_not_swapped() {
    let receivers = [(); 2].map(|()| MllpReceiver::start().expect("a receiver"));
    receivers.iter().for_each(|it| it.answer(Ack::Code("CA")));
    let lab = |name: &str, receiver: &MllpReceiver| {
        format!(
            "[destination.{name}]\nkind = \"mllp\"\naddress = \"{}\"\nclearance = \"treatment\"\n\
             enhanced = true\nack_listener = \"acks-in\"\napplication_timeout = \"3s\"\n",
            receiver.address()
        )
    };
    let [a, b] = &receivers;
    let destinations = format!(
        "[listener.acks-in]\nkind = \"mllp\"\nbind = \"127.0.0.1:0\"\ncommit_bytes = true\n{}{}\
         [route.other]\nfrom = \"adt-in\"\nto = [\"lab-b\"]\n",
        lab("lab-a", a),
        lab("lab-b", b),
    );
    let site = site(&destinations, &["lab-a"]);
    let running = site.serve().expect("serving");
    send(&running, &adt("F1", "4711"));
    let arrived = || receivers.iter().all(|it| !it.received().is_empty());
    running.wait("both to have it", |_| Ok(arrived())).expect("they do");
    let ack = "\u{b}MSH|^~\\&|LAB-B|L|HILUM|ST-ANNA|2026||ACK|K1|P|2.5.1\rMSA|AE|F1\r\u{1c}\r";
    let mut acks = running.client("acks-in").expect("connected");
    acks.write(ack.as_bytes()).expect("said");
    let parked = || running.list("parked").map(|it| it.as_array().map_or(0, Vec::len));
    running.wait("both to be parked", |_| Ok(parked()? == 2)).expect("parked");
    let said = trace(&site, &running);
    assert!(said.contains("CA, then no answer in time"), "{said}");
    assert!(!said.contains("rejected: AE"), "{said}");
}

#[test]
fn an_acknowledgement_that_asks_for_one_back_gets_it_when_its_outcome_is_written_down() {
    let receiver = MllpReceiver::start().expect("a receiver");
    let asking =
        "\u{b}MSH|^~\\&|LAB|L|HILUM|H|2026||ACK^A01^ACK|K1|P|2.5.1|||AL|NE\rMSA|AA|F1\r\u{1c}\r";
    let both = Ack::All(vec![Ack::Code("CA"), Ack::Raw(asking.as_bytes().to_vec())]);
    receiver.answer_next([both, Ack::Silence]);
    let destination = format!(
        "[destination.lab]\nkind = \"mllp\"\naddress = \"{}\"\nclearance = \"treatment\"\nenhanced = true\n",
        receiver.address()
    );
    let site = site(&destination, &["lab"]);
    let running = site.serve().expect("serving");
    send(&running, &adt("F1", "4711"));
    running.wait("it to come back", |_| Ok(receiver.received().len() == 2)).expect("it does");
    let back = String::from_utf8_lossy(&receiver.received()[1]).into_owned();
    assert!(back.contains("|||NE|NE\rMSA|CA|K1\r"), "{back}");
    running.wait_until_idle().expect("idle");
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked}");
    assert_eq!(receiver.connections(), 1);
}

/// Posts FHIR JSON to an HTTP listener; the status of the answer.
fn post(address: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    let length = body.len();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn resources_are_matched_by_their_identifier_which_is_nowhere_but_on_the_wire() {
    let authority = Authority::new().expect("an authority");
    let ehr = FhirPeer::start().expect("an endpoint");
    let front = TlsFront::start(ehr.address(), &server(&authority)).expect("TLS");
    let configuration = format!(
        r#"
[gateway]
name = "resources"
data = "data"
timezone = "UTC"

[admin]
bind = "127.0.0.1:0"

[listener.fhir-in]
kind = "http"
bind = "127.0.0.1:0"

[destination.ehr]
kind = "fhir"
url = "https://{}/fhir"
clearance = "treatment"
update_by = "identifier"
tls = {{ ca = "ca.pem" }}

[route.fhir]
from = "fhir-in"
to = ["ehr"]
"#,
        front.address()
    );
    let site = Site::new(&configuration).expect("a site");
    site.write("ca.pem", authority.pem()).expect("written");
    let running = site.serve().expect("serving");
    let listener = running.listener("fhir-in").expect("an address");
    let patient = |given: &str| {
        format!(
            r#"{{"resourceType":"Patient","identifier":[{{"system":"urn:mrn","value":"Zwiebel7"}}],"name":[{{"given":["{given}"]}}]}}"#
        )
    };
    for given in ["Quirina", "Quirina Maria"] {
        assert_eq!(post(&listener, &patient(given)), "202");
        running.wait_until_idle().expect("idle");
    }
    let received = ehr.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[1].body, patient("Quirina Maria"), "byte for byte");
    assert_eq!(
        (received[1].method.as_str(), received[1].target.as_str()),
        ("PUT", "/fhir/Patient?identifier=urn%3Amrn%7CZwiebel7")
    );
    assert_eq!(ehr.resources("Patient").len(), 1, "one patient");

    // A batch that fails in part says where, and nothing of what.
    let entry = |kind: &str, url: &str| {
        format!(
            r#"{{"resource":{{"resourceType":"{kind}","id":"Zwiebel8"}},"request":{{"method":"POST","url":"{url}"}}}}"#
        )
    };
    let batch = format!(
        r#"{{"resourceType":"Bundle","type":"batch","entry":[{},{}]}}"#,
        entry("Encounter", "Encounter"),
        entry("Encounter", "Observation")
    );
    assert_eq!(post(&listener, &batch), "202");
    running.wait_until_idle().expect("idle");
    let parked = running.list("parked").expect("listed");
    assert_eq!(parked[0]["cause"], "rejected", "{parked}");
    let said = parked.to_string();
    assert!(said.contains("200, entry 2: 400 Bad Request (invalid)"), "{said}");
    let id = parked[0]["message"].as_str().expect("a message").to_owned();
    let (code, trace, err) = site.run(&["message", "trace", &id]).expect("traced");
    assert_eq!(code, 0, "{err}");
    check(&trace, &["parked for ehr", "200, entry 2: 400 Bad Request (invalid)"]);
    for place in [&said, &trace, &site.log()] {
        assert!(!place.contains("Zwiebel"), "{place}");
    }
}
