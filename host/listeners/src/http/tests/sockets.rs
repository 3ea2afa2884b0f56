//! The listener as peers meet it: real sockets, TLS, many at once.

use hilum_env::tls::{ClientAuth, ClientMaterial, ClientTls, ServerMaterial};
use hilum_env::{Connection, Doors};
use hilum_peers::{Authority, Identity};
use hilum_words::Problems;
use hilum_words::config::{Document, Secret};

use super::*;
use crate::{Listener, Materials};

struct Web {
    story: Arc<Story>,
    listener: Listener,
    metrics: Metrics,
    doors: Doors,
}

fn config(kind: HttpConfig) -> ListenerConfig {
    ListenerConfig::plain("127.0.0.1:0", KindConfig::Http(kind))
}

fn http() -> HttpConfig {
    let problems = Problems::default();
    let document = Document::parse("", "path = \"/in\"", &problems);
    HttpConfig::read(&mut document.root(&problems)).expect("the defaults")
}

impl Web {
    async fn listen(config: &ListenerConfig, materials: &Materials) -> Self {
        let story = Bench::new().story;
        let doors = hilum_env::system::doors(tokio::runtime::Handle::current());
        let metrics = Metrics::default();
        let protocol = Arc::new(Http(Arc::clone(&story)));
        let (budget, counted) = (ByteBudget::new(64 << 20), metrics.clone());
        let name = Name::from("web");
        let listener =
            Listener::start_with(name, config, materials, protocol, &doors, budget, counted);
        Self { story, listener: listener.await.expect("bound"), metrics, doors }
    }

    async fn dial(&self) -> Connection {
        self.doors.net.dial(self.listener.address()).await.expect("connected")
    }

    fn troubles(&self, trouble: Trouble) -> u64 {
        let labels = TroubleLabels { listener: "web".to_owned(), trouble };
        self.metrics.troubles.get_or_create(&labels).get()
    }
}

async fn exchange(connection: &mut Connection, request: &[u8]) -> String {
    let _ = connection.stream.write_all(request).await;
    one_answer(&mut connection.stream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_arrives_byte_for_byte_and_the_connection_goes_on() {
    let web = Web::listen(&config(http()), &Materials::default()).await;
    let mut connection = web.dial().await;
    let body: Vec<u8> = (0..16_u32 << 20).map(|it| (it % 251).to_le_bytes()[0]).collect();
    for _ in 0..2 {
        let length = body.len();
        let head = format!("POST /in HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n{HL7}\r\n");
        let answer = exchange(&mut connection, &[head.as_bytes(), &body].concat()).await;
        assert_eq!(status(&answer), 202, "{answer}");
    }
    let received = web.story.received.lock().expect("held by nobody");
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|it| it.content == body));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_peers_is_answered_within_its_bound() {
    let most = ListenerConfig { connections_max: 200, ..config(http()) };
    let web = Arc::new(Web::listen(&most, &Materials::default()).await);
    let mut peers = tokio::task::JoinSet::new();
    for _ in 0..400 {
        let web = Arc::clone(&web);
        peers.spawn(async move {
            let mut connection = web.dial().await;
            let answer = exchange(&mut connection, post(HL7, "x").as_bytes()).await;
            // Whoever is answered stays, so that places run out.
            (status(&answer), connection)
        });
    }
    let ends = peers.join_all().await;
    let answered = ends.iter().filter(|(status, _)| *status == 202).count();
    assert_eq!(answered, 200);
    assert_eq!(web.troubles(Trouble::Connections), 200);
    assert_eq!(web.listener.connections(), 200);
    drop(ends);
    let mut connection = loop {
        let mut connection = web.dial().await;
        let answer = exchange(&mut connection, post(HL7, "x").as_bytes()).await;
        if status(&answer) == 202 {
            break connection;
        }
    };
    assert_eq!(status(&exchange(&mut connection, post(HL7, "x").as_bytes()).await), 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn mllp_at_an_http_port_is_closed_without_a_word_and_named() {
    let web = Web::listen(&config(http()), &Materials::default()).await;
    let mut connection = web.dial().await;
    connection.stream.write_all(b"\x0bMSH|^~\\&|LAB\r\x1c\r").await.expect("written");
    assert_eq!(rest(&mut connection.stream).await, "");
    while web.listener.connections() != 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(web.troubles(Trouble::MllpOnHttpPort), 1);
    assert_eq!(web.troubles(Trouble::CutOff) + web.troubles(Trouble::Junk), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_configuration_is_for_requests_that_come() {
    let web = Web::listen(&config(http()), &Materials::default()).await;
    let mut old = web.dial().await;
    assert_eq!(status(&exchange(&mut old, post(HL7, "x").as_bytes()).await), 202);
    let auth = AuthConfig::bearer_of("T");
    let next = HttpConfig { path: "/new".to_owned(), auth: Some(auth), ..http() };
    let secret = Secret::from_bytes(b"t0ken".to_vec()).expect("one");
    let materials = Materials { auth: Some(secret), ..Materials::default() };
    web.listener.reconfigure(&config(next), &materials).expect("fits");
    // Who was let in before is asked again.
    assert_eq!(status(&exchange(&mut old, post(HL7, "x").as_bytes()).await), 401);
    let mut new = web.dial().await;
    assert_eq!(status(&exchange(&mut new, post(HL7, "x").as_bytes()).await), 401);
    let request =
        post(&format!("{HL7}authorization: Bearer t0ken\r\n"), "x").replace("/in", "/new");
    for connection in [&mut old, &mut new] {
        assert_eq!(status(&exchange(connection, request.as_bytes()).await), 202);
    }
}

fn client(ca: &Authority, identity: Option<&Identity>) -> ClientTls {
    let material = ClientMaterial {
        ca: Some(ca.pem().into_bytes()),
        certificate: identity.map(|it| it.certificate.clone().into_bytes()),
        key: identity.map(|it| it.key.clone().into_bytes()),
    };
    ClientTls::new(&material).expect("fits together")
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_door_is_told_whose_certificate_it_was() {
    let ca = Authority::new().expect("an authority");
    let server = ca.issue(&["localhost", "127.0.0.1"]).expect("issued");
    let lab = ca.issue(&["lab-1.example"]).expect("issued");
    let tls = ServerMaterial {
        certificate: server.certificate.into_bytes(),
        key: server.key.into_bytes(),
        client_ca: Some(ca.pem().into_bytes()),
        client: ClientAuth::Required,
    };
    let materials = Materials { tls: Some(tls), ..Materials::default() };
    let problems = Problems::default();
    let text = "kind = \"http\"\nbind = \"127.0.0.1:0\"\npath = \"/in\"\n[tls]\n\
                certificate = \"c\"\nkey_file = \"k\"\nclient_ca = \"ca\"\nidentities = [\"lab-1.example\"]\n";
    let document = Document::parse("hilum.toml", text, &problems);
    let config = ListenerConfig::read(&mut document.root(&problems)).expect("read");
    let web = Web::listen(&config, &materials).await;

    let connection = web.dial().await;
    let stream = client(&ca, Some(&lab)).connect("localhost", connection.stream).await;
    let mut stream = stream.expect("shaken hands");
    for _ in 0..2 {
        stream.write_all(post(HL7, "x").as_bytes()).await.expect("written");
        assert_eq!(status(&one_answer(&mut stream).await), 202);
    }
    {
        let received = web.story.received.lock().expect("held by nobody");
        let identity = received.last().and_then(|it| it.peer.identity.clone()).expect("somebody");
        assert!(identity.is("lab-1.example"), "{identity}");
    }
    // Nobody, somebody else, and somebody who does not speak TLS get no answer.
    let stranger = ca.issue(&["lab-2.example"]).expect("issued");
    for identity in [None, Some(&stranger)] {
        let connection = web.dial().await;
        if let Ok(mut stream) = client(&ca, identity).connect("localhost", connection.stream).await
        {
            let _ = stream.write_all(post(HL7, "x").as_bytes()).await;
            assert_eq!(rest(&mut stream).await, "");
        }
    }
    let mut plain = web.dial().await;
    let _ = plain.stream.write_all(post(HL7, "x").as_bytes()).await;
    assert!(!rest(&mut plain.stream).await.contains("HTTP/1.1"));
    assert_eq!(web.story.received.lock().expect("held by nobody").len(), 2);
}
