mod tls;

use std::time::Duration;

use super::*;
use crate::metrics::{Trouble, TroubleLabels};
use crate::mllp::testing::Story;
use crate::mllp::{Mllp, MllpConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A listener on a real socket, and its doors.
struct Bench {
    story: Arc<Story>,
    listener: Listener,
    metrics: Metrics,
    doors: Doors,
}

fn plain() -> ListenerConfig {
    ListenerConfig::plain("127.0.0.1:0", KindConfig::Mllp(MllpConfig::default()))
}

impl Bench {
    async fn listen(config: &ListenerConfig, materials: &Materials) -> Self {
        let story = Story::open();
        let doors = hilum_env::system::doors(tokio::runtime::Handle::current());
        let metrics = Metrics::default();
        let (budget, counted) = (ByteBudget::new(1 << 20), metrics.clone());
        let protocol = Arc::new(Mllp(Arc::clone(&story)));
        let name = Name::from("lab");
        let listener =
            Listener::start_with(name, config, materials, protocol, &doors, budget, counted);
        Self { story, listener: listener.await.expect("bound"), metrics, doors }
    }

    async fn dial(&self) -> hilum_env::Connection {
        self.doors.net.dial(self.listener.address()).await.expect("connected")
    }

    fn troubles(&self, trouble: Trouble) -> u64 {
        let labels = TroubleLabels { listener: "lab".to_owned(), trouble };
        self.metrics.troubles.get_or_create(&labels).get()
    }

    /// Waits until something is so; if it never is, the test hangs and says where.
    async fn until(&self, is: impl Fn(&Self) -> bool) {
        while !is(self) {
            tokio::task::yield_now().await;
        }
    }
}

async fn exchange(connection: &mut hilum_env::Connection) -> Option<Vec<u8>> {
    connection.stream.write_all(b"\x0bA\x1c\r").await.ok()?;
    let mut answer = vec![0; 7];
    connection.stream.read_exact(&mut answer).await.ok()?;
    Some(answer)
}

#[tokio::test]
async fn a_connection_over_the_limit_is_closed_at_once_and_counted() {
    let config = ListenerConfig { connections_max: 2, ..plain() };
    let bench = Bench::listen(&config, &Materials::default()).await;
    let mut first = bench.dial().await;
    let mut second = bench.dial().await;
    assert_eq!(exchange(&mut first).await.as_deref(), Some(&b"\x0bok A\x1c\r"[..]));
    assert!(exchange(&mut second).await.is_some());
    assert_eq!(bench.listener.connections(), 2);
    let mut third = bench.dial().await;
    assert_eq!(exchange(&mut third).await, None);
    assert_eq!(bench.troubles(Trouble::Connections), 1);
    // The others go on, and a place that is free can be taken.
    assert!(exchange(&mut first).await.is_some());
    drop(second);
    bench.until(|it| it.listener.connections() < 2).await;
    let mut fourth = bench.dial().await;
    assert!(exchange(&mut fourth).await.is_some());
}

#[tokio::test]
async fn one_address_may_not_take_all_places() {
    let config = ListenerConfig { connections_per_peer_max: Some(1), ..plain() };
    let bench = Bench::listen(&config, &Materials::default()).await;
    let mut first = bench.dial().await;
    assert!(exchange(&mut first).await.is_some());
    let mut second = bench.dial().await;
    assert_eq!(exchange(&mut second).await, None);
    assert_eq!(bench.troubles(Trouble::PeerConnections), 1);
    assert_eq!(bench.troubles(Trouble::Connections), 0);
    drop(first);
    bench.until(|it| it.listener.connections() == 0).await;
    let mut third = bench.dial().await;
    assert!(exchange(&mut third).await.is_some());
}

#[tokio::test]
async fn who_is_not_allowed_gets_no_byte() {
    let elsewhere = vec!["10.0.0.0/8".parse().expect("a network")];
    let config = ListenerConfig { allow: Some(elsewhere), ..plain() };
    let bench = Bench::listen(&config, &Materials::default()).await;
    let mut peer = bench.dial().await;
    let mut seen = Vec::new();
    let _ = peer.stream.read_to_end(&mut seen).await;
    assert!(seen.is_empty());
    assert_eq!(bench.troubles(Trouble::NotAllowed), 1);
    assert_eq!(bench.listener.connections(), 0);
    let here = vec!["127.0.0.0/8".parse().expect("a network")];
    let config = ListenerConfig { allow: Some(here), ..config };
    bench.listener.reconfigure(&config, &Materials::default()).expect("fits");
    assert!(exchange(&mut bench.dial().await).await.is_some());
}

#[tokio::test]
async fn another_configuration_closes_nothing_and_is_for_those_who_come() {
    let bench = Bench::listen(&plain(), &Materials::default()).await;
    let (mut first, mut second) = (bench.dial().await, bench.dial().await);
    assert!(exchange(&mut first).await.is_some());
    assert!(exchange(&mut second).await.is_some());
    let short = KindConfig::Mllp(MllpConfig { frame_bytes_max: 1 << 10, ..MllpConfig::default() });
    let config = ListenerConfig { connections_max: 1, kind: short, ..plain() };
    let address = bench.listener.address().clone();
    bench.listener.reconfigure(&config, &Materials::default()).expect("fits");
    assert_eq!(*bench.listener.address(), address);
    // Both are over the new limit, and both stay, with the frames that they could send before.
    let long = [&b"\x0b"[..], &[b'x'; 4 << 10], b"\x1c\r"].concat();
    for peer in [&mut first, &mut second] {
        peer.stream.write_all(&long).await.expect("written");
        let mut answer = vec![0; long.len() + 3];
        peer.stream.read_exact(&mut answer).await.expect("answered");
    }
    assert_eq!(exchange(&mut bench.dial().await).await, None);
    drop((first, second));
    bench.until(|it| it.listener.connections() == 0).await;
    let mut third = bench.dial().await;
    third.stream.write_all(&long).await.expect("written");
    let mut answer = Vec::new();
    third.stream.read_to_end(&mut answer).await.expect("closed");
    assert_eq!(answer, b"\x0bno\x1c\r");
}

#[tokio::test]
async fn a_slow_peer_does_not_stall_the_others() {
    let bench = Bench::listen(&plain(), &Materials::default()).await;
    let mut slow = bench.dial().await;
    slow.stream.write_all(b"\x0bhalf").await.expect("written");
    assert!(exchange(&mut bench.dial().await).await.is_some());
}

#[tokio::test]
async fn another_protocol_is_closed_without_a_word_and_named() {
    let bench = Bench::listen(&plain(), &Materials::default()).await;
    for (bytes, trouble) in [
        (&b"GET /metrics HTTP/1.1\r\nHost: lab\r\n\r\n"[..], Trouble::HttpOnMllpPort),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Trouble::TlsOnPlainPort),
    ] {
        let mut peer = bench.dial().await;
        peer.stream.write_all(bytes).await.expect("written");
        let mut seen = Vec::new();
        peer.stream.read_to_end(&mut seen).await.expect("closed");
        assert!(seen.is_empty());
        drop(peer);
        bench.until(|it| it.listener.connections() == 0).await;
        assert_eq!(bench.troubles(trouble), 1);
        assert_eq!(bench.troubles(Trouble::Junk) + bench.troubles(Trouble::CutOff), 0);
    }
    assert!(bench.story.contents().is_empty());
}

#[tokio::test]
async fn stopping_accepts_nobody_and_lets_everybody_finish() {
    let bench = Bench::listen(&plain(), &Materials::default()).await;
    let (mut idle, mut busy) = (bench.dial().await, bench.dial().await);
    assert!(exchange(&mut idle).await.is_some());
    assert!(exchange(&mut busy).await.is_some());
    busy.stream.write_all(b"\x0bB").await.expect("written");
    let labels = ListenerLabels { listener: "lab".to_owned() };
    bench.until(|it| it.metrics.bytes.get_or_create(&labels).get() == 10).await;
    bench.listener.stop();
    let mut rest = Vec::new();
    idle.stream.read_to_end(&mut rest).await.expect("closed");
    assert!(rest.is_empty());
    busy.stream.write_all(b"C\x1c\r").await.expect("written");
    busy.stream.read_to_end(&mut rest).await.expect("closed");
    assert_eq!(rest, b"\x0bok BC\x1c\r");
    assert!(bench.doors.net.dial(bench.listener.address()).await.is_err());
    assert_eq!(bench.story.contents(), ["A", "A", "BC"]);
}

#[tokio::test]
async fn silence_ends_a_connection_where_the_site_says_so() {
    let config = ListenerConfig { idle_timeout: Some(Duration::from_millis(1)), ..plain() };
    let bench = Bench::listen(&config, &Materials::default()).await;
    let mut seen = Vec::new();
    bench.dial().await.stream.read_to_end(&mut seen).await.expect("closed");
    bench.until(|it| it.troubles(Trouble::Idle) == 1).await;
}

#[tokio::test]
async fn every_family_is_registered() {
    let bench = Bench::listen(&plain(), &Materials::default()).await;
    assert!(exchange(&mut bench.dial().await).await.is_some());
    bench.metrics.trouble("lab", Trouble::Empty);
    let mut registry = prometheus_client::registry::Registry::default();
    bench.metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).expect("encoded");
    for line in [
        "connections_total{listener=\"lab\"} 1",
        "received_bytes_total{listener=\"lab\"} 4",
        "listener_troubles_total{listener=\"lab\",trouble=\"empty\"} 1",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
}
