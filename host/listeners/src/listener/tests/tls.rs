//! Who is let in by a certificate, and who is not.

use super::*;
use crate::TlsConfig;
use hilum_env::tls::{ClientAuth, ClientMaterial, ClientTls, ServerMaterial};
use hilum_peers::{Authority, Identity};
use hilum_words::Place;
use hilum_words::config::{Placed, SecretRef};

/// A site's authority, and what it signed for the gateway.
struct Site {
    authority: Authority,
    server: Identity,
}

impl Site {
    fn new() -> Self {
        let authority = Authority::new().expect("made");
        let server = authority.issue(&["hilum.example"]).expect("signed");
        Self { authority, server }
    }

    fn materials(&self, client: ClientAuth) -> Materials {
        let tls = ServerMaterial {
            certificate: self.server.certificate.clone().into_bytes(),
            key: self.server.key.clone().into_bytes(),
            client_ca: Some(self.authority.pem().into_bytes()),
            client,
        };
        Materials { tls: Some(tls), auth: None }
    }

    fn client(&self, identity: Option<&Identity>) -> ClientTls {
        let bytes = |text: &String| text.clone().into_bytes();
        let material = ClientMaterial {
            ca: Some(self.authority.pem().into_bytes()),
            certificate: identity.map(|it| bytes(&it.certificate)),
            key: identity.map(|it| bytes(&it.key)),
        };
        ClientTls::new(&material).expect("fits")
    }
}

fn with_tls(identities: Option<&[&str]>) -> ListenerConfig {
    let place = || Place { file: Arc::from("hilum.toml"), line: 1 };
    let placed = |file: &str| Placed { value: file.into(), place: place(), key: String::new() };
    let tls = TlsConfig {
        certificate: placed("server.pem"),
        key: Placed {
            value: SecretRef::File("server.key".into()),
            place: place(),
            key: String::new(),
        },
        client_ca: None,
        identities: identities.map(|all| all.iter().map(|it| (*it).to_owned()).collect()),
        handshake_timeout: Duration::from_secs(30),
    };
    ListenerConfig { tls: Some(tls), ..plain() }
}

/// Connects and says one message; the answer, if there is one.
async fn say(bench: &Bench, client: &ClientTls) -> Option<hilum_env::Connection> {
    let hilum_env::Connection { stream, peer } = bench.dial().await;
    let stream = client.connect("hilum.example", stream).await.ok()?;
    let mut connection = hilum_env::Connection { stream, peer };
    exchange(&mut connection).await?;
    Some(connection)
}

#[tokio::test]
async fn only_the_identities_of_the_listener_are_let_in() {
    let site = Site::new();
    let config = with_tls(Some(&["CN=lab-1", "lab-2.example"]));
    let bench = Bench::listen(&config, &site.materials(ClientAuth::Required)).await;
    for (name, is_in) in
        [("lab-1", true), ("lab-2.example", true), ("lab-3", false), ("CN=lab-1", false)]
    {
        let identity = site.authority.issue(&[name]).expect("signed");
        let said = say(&bench, &site.client(Some(&identity))).await;
        assert_eq!(said.is_some(), is_in, "{name}");
    }
    bench.until(|it| it.troubles(Trouble::Identity) == 2).await;
    let seen = bench.story.identities.lock().expect("held by nobody").clone();
    assert_eq!(seen, [Some("CN=lab-1".to_owned()), Some("CN=lab-2.example".to_owned())]);
    bench.until(|it| it.listener.connections() == 0).await;
}

#[tokio::test]
async fn nobody_strangers_and_the_late_are_turned_away_at_the_handshake() {
    let site = Site::new();
    let bench = Bench::listen(&with_tls(None), &site.materials(ClientAuth::Required)).await;
    let stranger = Site::new().authority.issue(&["lab-1"]).expect("signed");
    let late = site.authority.issue_expired(&["lab-1"]).expect("signed");
    for identity in [None, Some(&stranger), Some(&late)] {
        assert!(say(&bench, &site.client(identity)).await.is_none());
    }
    bench.until(|it| it.troubles(Trouble::Handshake) == 3).await;
    assert!(bench.story.contents().is_empty());
    let known = site.authority.issue(&["lab-1"]).expect("signed");
    assert!(say(&bench, &site.client(Some(&known))).await.is_some());
}

#[tokio::test]
async fn without_client_certificates_whoever_trusts_us_may_speak() {
    let site = Site::new();
    let bench = Bench::listen(&with_tls(None), &site.materials(ClientAuth::None)).await;
    let mut connection = say(&bench, &site.client(None)).await.expect("let in");
    assert!(exchange(&mut connection).await.is_some());
    connection.stream.shutdown().await.expect("shut down");
    let mut rest = Vec::new();
    connection.stream.read_to_end(&mut rest).await.expect("closed in order");
    assert!(rest.is_empty());
    assert_eq!(bench.troubles(Trouble::CutOff), 0);
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_counted_and_gives_its_place_back() {
    let site = Site::new();
    let mut config = ListenerConfig { connections_max: 1, ..with_tls(None) };
    let bench = Bench::listen(&config, &site.materials(ClientAuth::None)).await;
    let mut silent = bench.dial().await;
    silent.stream.write_all(b"\x16\x03\x01").await.expect("written");
    bench.until(|it| it.listener.connections() == 1).await;
    // It holds a place, and is no reason for another to wait.
    assert!(say(&bench, &site.client(None)).await.is_none());
    bench.until(|it| it.troubles(Trouble::Connections) == 1).await;
    drop(silent);
    bench.until(|it| it.listener.connections() == 0).await;
    if let Some(tls) = &mut config.tls {
        tls.handshake_timeout = Duration::from_millis(1);
    }
    bench.listener.reconfigure(&config, &site.materials(ClientAuth::None)).expect("fits");
    let mut silent = bench.dial().await;
    let mut seen = Vec::new();
    let _ = silent.stream.read_to_end(&mut seen).await;
    assert!(seen.is_empty());
    bench.until(|it| it.troubles(Trouble::HandshakeTimedOut) == 1).await;
    bench.until(|it| it.listener.connections() == 0).await;
}

#[tokio::test]
async fn who_does_not_speak_tls_gets_no_byte_and_is_named() {
    let site = Site::new();
    let bench = Bench::listen(&with_tls(None), &site.materials(ClientAuth::None)).await;
    for (count, bytes) in (1..).zip([&b"\x0bMSH|^~\\&|\r\x1c\r"[..], b"GET / HTTP/1.1\r\n\r\n"]) {
        let mut peer = bench.dial().await;
        peer.stream.write_all(bytes).await.expect("written");
        let mut seen = Vec::new();
        let _ = peer.stream.read_to_end(&mut seen).await;
        assert!(seen.is_empty(), "{seen:?}");
        bench.until(|it| it.troubles(Trouble::PlainOnTlsPort) == count).await;
    }
    assert_eq!(bench.troubles(Trouble::Handshake), 0);
}

#[tokio::test]
async fn a_listener_without_what_its_section_refers_to_is_none() {
    let site = Site::new();
    let bench = Bench::listen(&plain(), &Materials::default()).await;
    let nothing = Materials::default();
    assert!(bench.listener.reconfigure(&with_tls(None), &nothing).is_err(), "not in the clear");
    assert!(bench.listener.reconfigure(&plain(), &site.materials(ClientAuth::None)).is_err());
    let (doors, protocol) = (&bench.doors, Arc::new(Mllp(Arc::clone(&bench.story))));
    let (budget, metrics) = (ByteBudget::new(1 << 20), Metrics::default());
    let (name, config) = (Name::from("lab"), with_tls(None));
    let started =
        Listener::start_with(name, &config, &nothing, protocol, doors, budget, metrics).await;
    assert!(started.is_err());
    assert!(exchange(&mut bench.dial().await).await.is_some(), "the old one goes on");
}

#[tokio::test]
async fn inside_of_tls_another_protocol_is_known_as_well() {
    let site = Site::new();
    let bench = Bench::listen(&with_tls(None), &site.materials(ClientAuth::None)).await;
    let stream = bench.dial().await.stream;
    let mut stream = site.client(None).connect("hilum.example", stream).await.expect("let in");
    stream.write_all(b"POST /hl7 HTTP/1.1\r\n\r\n").await.expect("written");
    let mut seen = Vec::new();
    let _ = stream.read_to_end(&mut seen).await;
    assert!(seen.is_empty());
    bench.until(|it| it.troubles(Trouble::HttpOnMllpPort) == 1).await;
}

#[tokio::test]
async fn other_certificates_close_nothing_and_are_for_those_who_come() {
    let (old, new) = (Site::new(), Site::new());
    let config = with_tls(None);
    let bench = Bench::listen(&config, &old.materials(ClientAuth::None)).await;
    let before = bench.listener.certificate_expiry().expect("TLS");
    let mut connection = say(&bench, &old.client(None)).await.expect("let in");
    let mut broken = new.materials(ClientAuth::None);
    if let Some(tls) = &mut broken.tls {
        tls.key = old.server.key.clone().into_bytes();
    }
    assert!(bench.listener.reconfigure(&config, &broken).is_err());
    assert!(say(&bench, &old.client(None)).await.is_some(), "the old ones stay");

    bench.listener.reconfigure(&config, &new.materials(ClientAuth::None)).expect("fits");
    assert_eq!(bench.listener.certificate_expiry(), Some(before), "both are of today");
    assert!(say(&bench, &old.client(None)).await.is_none(), "the client does not know us any more");
    assert!(say(&bench, &new.client(None)).await.is_some());
    for _ in 0..3 {
        assert!(exchange(&mut connection).await.is_some(), "and who is here stays");
    }

    // From plain to TLS and back: for those who come, as everything else.
    bench.listener.reconfigure(&plain(), &Materials::default()).expect("fits");
    assert_eq!(bench.listener.certificate_expiry(), None);
    assert!(exchange(&mut bench.dial().await).await.is_some());
    assert!(exchange(&mut connection).await.is_some());
}
