//! What a destination does with servers that can be believed, and with those that cannot.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use hilum_peers::{
    Ack, Authority, FhirPeer, HttpReceiver, Identity, MllpReceiver, TlsFront, TokenEndpoint,
};

use crate::http::tests::{Sender, read};

const MESSAGE: &str = "MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5\rPID|1||4711\r";

/// An authority whom the destinations below believe.
struct Ours {
    authority: Authority,
    ca: String,
}

impl Ours {
    fn new() -> Self {
        let authority = Authority::new().expect("an authority");
        let ca = authority.pem();
        Self { authority, ca }
    }

    fn server(&self) -> Identity {
        self.authority.issue(&["127.0.0.1"]).expect("a certificate")
    }

    /// What sends HL7 v2 over MLLP and TLS to this address.
    fn mllp(&self, to: SocketAddr, tls: &str, client: Option<&Identity>) -> Sender {
        let text = format!(
            "kind = \"mllp\"\naddress = \"{to}\"\ntimeout = \"5s\"\n[tls]\nca = \"ca\"\n{tls}{}",
            own(client)
        );
        self.sender(&text, client)
    }

    /// What sends anything over HTTPS to this address.
    fn https(&self, to: SocketAddr, tls: &str, client: Option<&Identity>) -> Sender {
        let text = format!(
            "kind = \"http\"\nurl = \"https://{to}/in\"\ntimeout = \"5s\"\n[tls]\nca = \"ca\"\n{tls}{}",
            own(client)
        );
        self.sender(&text, client)
    }

    fn sender(&self, text: &str, client: Option<&Identity>) -> Sender {
        let (certificate, key) =
            client.map_or(("", ""), |it| (it.certificate.as_str(), it.key.as_str()));
        Sender::new(text, &[("ca", &self.ca), ("own.pem", certificate), ("own.key", key)])
    }
}

fn own(client: Option<&Identity>) -> &'static str {
    if client.is_some() { "certificate = \"own.pem\"\nkey_file = \"own.key\"\n" } else { "" }
}

#[test]
fn messages_go_to_a_receiver_whom_the_site_believes() {
    let ours = Ours::new();
    let receiver = MllpReceiver::start().expect("a receiver");
    let front = TlsFront::start(receiver.address(), &ours.server()).expect("TLS");
    let sender = ours.mllp(front.address(), "", None);
    assert_eq!(
        (sender.say("hl7v2", MESSAGE), sender.say("hl7v2", MESSAGE)),
        ("AA".into(), "AA".into())
    );
    assert_eq!(receiver.received(), [MESSAGE.as_bytes(), MESSAGE.as_bytes()]);
    receiver.answer_next([Ack::Error("AE", "101")]);
    assert_eq!(sender.say("hl7v2", MESSAGE), "Content: rejected: AE (101 at PID-5)");

    let service = HttpReceiver::start().expect("a service");
    let front = TlsFront::start(service.address(), &ours.server()).expect("TLS");
    let sender = ours.https(front.address(), "", None);
    for _ in 0..3 {
        assert_eq!(sender.say("json", "{}"), "200");
    }
    assert_eq!((service.received().len(), front.handshakes()), (3, 1), "one connection");
}

#[test]
fn a_long_message_and_a_closed_connection_are_no_different_over_tls() {
    let ours = Ours::new();
    let receiver = MllpReceiver::start().expect("a receiver");
    let front = TlsFront::start(receiver.address(), &ours.server()).expect("TLS");
    let sender = ours.mllp(front.address(), "", None);
    let long = format!("{MESSAGE}OBX|1|ED|||{}\r", "x".repeat(3 << 20));
    assert_eq!(sender.say("hl7v2", &long), "AA");
    assert_eq!(receiver.received(), [long.as_bytes()]);
    receiver.hang_up();
    std::thread::park_timeout(Duration::from_millis(200));
    assert_eq!(sender.say("hl7v2", &MESSAGE.replace("|7|", "|8|")), "AA", "on a fresh connection");
    assert_eq!(front.handshakes(), 2);
    receiver.answer_next([Ack::HangUp]);
    let said = sender.say("hl7v2", &MESSAGE.replace("|7|", "|9|"));
    assert!(said.starts_with("Unknown: outcome unknown: "), "{said}");
}

/// What comes of one message to a server with this certificate, over MLLP and over HTTPS, which
/// is the same. Nothing must arrive.
#[track_caller]
fn check(ours: &Ours, identity: &Identity, tls: &str, expected: &str) {
    let receiver = MllpReceiver::start().expect("a receiver");
    let front = TlsFront::start(receiver.address(), identity).expect("TLS");
    let sender = ours.mllp(front.address(), tls, None);
    assert_eq!(sender.say("hl7v2", MESSAGE), expected);
    assert_eq!((receiver.received().len(), front.handshakes()), (0, 0));
    let service = HttpReceiver::start().expect("a service");
    let front = TlsFront::start(service.address(), identity).expect("TLS");
    let sender = ours.https(front.address(), tls, None);
    assert_eq!(sender.say("json", "{}"), expected);
    assert_eq!((service.received().len(), front.handshakes()), (0, 0));
}

#[test]
fn a_server_that_cannot_be_believed_gets_nothing() {
    let ours = Ours::new();
    let another = Authority::new().expect("an authority");
    let foreign = another.issue(&["127.0.0.1"]).expect("a certificate");
    let unknown = "SetUp: the set-up is at fault: TLS: its certificate is from an authority that is not known here";
    check(&ours, &foreign, "", unknown);
    let expired = ours.authority.issue_expired(&["127.0.0.1"]).expect("a certificate");
    check(&ours, &expired, "", "SetUp: the set-up is at fault: TLS: its certificate has expired");
    let wrong = "SetUp: the set-up is at fault: TLS: its certificate is for another name";
    let lab = ours.authority.issue(&["lab.example"]).expect("a certificate");
    check(&ours, &lab, "", wrong);
    check(&ours, &lab, "server_name = \"ehr.example\"\n", wrong);
}

#[test]
fn a_server_may_be_known_by_another_name_than_its_address() {
    let ours = Ours::new();
    let receiver = MllpReceiver::start().expect("a receiver");
    let identity = ours.authority.issue(&["lab.example"]).expect("a certificate");
    let front = TlsFront::start(receiver.address(), &identity).expect("TLS");
    let sender = ours.mllp(front.address(), "server_name = \"lab.example\"\n", None);
    assert_eq!(sender.say("hl7v2", MESSAGE), "AA");
}

#[test]
fn a_server_that_wants_to_know_us_gets_our_certificate() {
    let ours = Ours::new();
    let another = Authority::new().expect("an authority");
    let known = another.issue(&["hilum.example"]).expect("a certificate");
    let stranger = ours.authority.issue(&["hilum.example"]).expect("a certificate");
    let receiver = MllpReceiver::start().expect("a receiver");
    let front = TlsFront::mutual(receiver.address(), &ours.server(), &another.pem()).expect("TLS");
    let service = HttpReceiver::start().expect("a service");
    let web = TlsFront::mutual(service.address(), &ours.server(), &another.pem()).expect("TLS");

    assert_eq!(ours.mllp(front.address(), "", Some(&known)).say("hl7v2", MESSAGE), "AA");
    assert_eq!(ours.https(web.address(), "", Some(&known)).say("json", "{}"), "200");
    let wants = "SetUp: the set-up is at fault: TLS: it asks for a client certificate";
    assert_eq!(ours.mllp(front.address(), "", None).say("hl7v2", MESSAGE), wants);
    assert_eq!(ours.https(web.address(), "", None).say("json", "{}"), wants);
    let refuses = "SetUp: the set-up is at fault: TLS: it does not accept our certificate";
    assert_eq!(ours.mllp(front.address(), "", Some(&stranger)).say("hl7v2", MESSAGE), refuses);
    assert_eq!(ours.https(web.address(), "", Some(&stranger)).say("json", "{}"), refuses);
    assert_eq!((receiver.received().len(), service.received().len()), (1, 1));
}

/// A port on which something else than TLS speaks: it says `text` to whoever says something.
fn plain(text: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("an address");
    let serve = move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 1 << 10]);
            let _ = stream.write_all(text.as_bytes());
        }
    };
    std::thread::Builder::new().spawn(serve).expect("a thread");
    address
}

#[test]
fn a_plain_port_gets_nothing_and_is_named() {
    let ours = Ours::new();
    let not_tls = "SetUp: the set-up is at fault: TLS: what it says is not TLS";
    let acknowledgement = "\u{b}MSH|^~\\&|P|P|H|H|2026||ACK|9|P|2.5\rMSA|AA|7\r\u{1c}\r";
    assert_eq!(ours.mllp(plain(acknowledgement), "", None).say("hl7v2", MESSAGE), not_tls);
    let bad_request = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(ours.https(plain(bad_request), "", None).say("json", "{}"), not_tls);
    let said = ours.mllp(plain(""), "", None).say("hl7v2", MESSAGE);
    // What we sent and it did not read may come back as a reset.
    let closed = "Destination: not reached: TLS: the connection closed in the handshake";
    assert!(
        [closed, "Destination: not reached: TLS: connection reset"].contains(&&*said),
        "{said}"
    );
}

#[test]
fn a_handshake_that_does_not_end_is_given_up() {
    let ours = Ours::new();
    // It accepts by its backlog, and never says anything.
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("an address");
    let text = format!(
        "kind = \"mllp\"\naddress = \"{address}\"\nconnect_timeout = \"100ms\"\n[tls]\nca = \"ca\"\n"
    );
    let sender = ours.sender(&text, None);
    let expected = "Destination: not reached: connected, then timed out in the TLS handshake: \
                    does it speak TLS there?";
    assert_eq!(sender.say("hl7v2", MESSAGE), expected);
}

#[test]
fn what_is_not_fetched_is_never_replaced_by_the_clear() {
    let ours = Ours::new();
    let receiver = MllpReceiver::start().expect("a receiver");
    let text = format!("kind = \"mllp\"\naddress = \"{}\"\n[tls]\n", receiver.address());
    let sender = Sender::without_secrets(&text);
    let missing = "SetUp: the set-up is at fault: TLS is configured and was not fetched";
    assert_eq!(sender.say("hl7v2", MESSAGE), missing);
    let service = HttpReceiver::start().expect("a service");
    let text = format!("kind = \"http\"\nurl = \"https://{}/\"\n", service.address());
    assert_eq!(Sender::without_secrets(&text).say("json", "{}"), missing);
    let text = format!(
        "kind = \"http\"\nurl = \"{}\"\n[auth]\nkind = \"bearer\"\ntoken_file = \"t\"\n",
        service.url("/")
    );
    assert_eq!(
        Sender::without_secrets(&text).say("json", "{}"),
        "SetUp: the set-up is at fault: the secret of [auth] was not fetched"
    );
    assert_eq!((receiver.connections(), service.connections()), (0, 0), "nothing was dialled");
    drop(ours);
}

#[test]
fn tokens_are_fetched_over_tls_too() {
    let ours = Ours::new();
    let tokens = TokenEndpoint::start("aGlsdW06Z2VoZWlt").expect("a token endpoint");
    let fhir = FhirPeer::start().expect("an endpoint");
    let token_front = TlsFront::start(tokens.address(), &ours.server()).expect("TLS");
    let fhir_front = TlsFront::start(fhir.address(), &ours.server()).expect("TLS");
    let text = format!(
        "kind = \"fhir\"\nurl = \"https://{}/fhir\"\n[tls]\nca = \"ca\"\n[auth]\nkind = \"oauth2\"\n\
         token_url = \"https://{}/token\"\nclient_id = \"hilum\"\nclient_secret_file = \"s\"\n",
        fhir_front.address(),
        token_front.address()
    );
    let sender = Sender::new(&text, &[("ca", &ours.ca), ("s", "geheim")]);
    assert_eq!(sender.say("fhir-json", r#"{"resourceType":"Patient","id":"a"}"#), "201");
    let received = fhir.received().remove(0);
    assert_eq!(received.header("authorization"), Some("Bearer token-1"));
    assert_eq!((token_front.handshakes(), fhir_front.handshakes()), (1, 1));
}

#[test]
fn what_does_not_fit_together_is_a_problem_before_anything_is_sent() {
    let ours = Ours::new();
    let (one, other) = (ours.server(), ours.server());
    let files = [
        ("ca", ours.ca.as_str()),
        ("own.pem", one.certificate.as_str()),
        ("own.key", one.key.as_str()),
        ("other.key", other.key.as_str()),
        ("nonsense", "nonsense"),
    ];
    let check = |tls: &str, expected: &str| {
        let text = format!("kind = \"mllp\"\naddress = \"lab.example:1\"\n[tls]\n{tls}");
        let (read, problems) = read(&text, &files);
        assert_eq!(problems, expected);
        assert_eq!(read.is_some(), expected.is_empty());
        if let Some((_, secrets)) = read {
            assert!(secrets.certificate_expiry().is_some_and(|it| 0 < it), "for the metric");
            assert!(!format!("{secrets:?}").contains("BEGIN"), "{secrets:?}");
        }
    };
    check("ca = \"ca\"\ncertificate = \"own.pem\"\nkey_file = \"own.key\"\n", "");
    check(
        "ca = \"ca\"\ncertificate = \"own.pem\"\nkey_file = \"other.key\"\n",
        "hilum.toml:3  tls  the key does not belong to the certificate",
    );
    check(
        "ca = \"nonsense\"\n",
        "hilum.toml:3  tls  the file of authorities holds no certificate in PEM",
    );
    check(
        "certificate = \"nonsense\"\nkey_file = \"own.key\"\nca = \"ca\"\n",
        "hilum.toml:3  tls  the certificate file holds no certificate in PEM",
    );
    check(
        "certificate = \"own.pem\"\nkey_file = \"absent\"\nca = \"ca\"\n",
        "hilum.toml:5  tls.key_file  file absent cannot be read: entity not found",
    );
}
