use super::testing::Story;
use super::*;
use crate::metrics::TroubleLabels;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A listener on a real socket, and its doors.
async fn listen(story: &Arc<Story>, connections_max: usize) -> (MllpListener, Metrics, Doors) {
    let doors = hilum_env::system::doors(tokio::runtime::Handle::current());
    let config = MllpConfig {
        bind: "127.0.0.1:0".to_owned(),
        connections_max,
        frame_bytes_max: 1 << 20,
        read_timeout: Duration::from_secs(30),
        strict: false,
    };
    let metrics = Metrics::default();
    let (budget, counted) = (ByteBudget::new(1 << 20), metrics.clone());
    let door = Arc::clone(story);
    let listener = MllpListener::start_with("lab".into(), config, door, &doors, budget, counted);
    (listener.await.expect("bound"), metrics, doors)
}

async fn dial(doors: &Doors, listener: &MllpListener) -> hilum_env::Connection {
    doors.net.dial(listener.address()).await.expect("connected")
}

async fn exchange(connection: &mut hilum_env::Connection) -> Option<Vec<u8>> {
    connection.stream.write_all(b"\x0bA\x1c\r").await.ok()?;
    let mut answer = vec![0; 7];
    connection.stream.read_exact(&mut answer).await.ok()?;
    Some(answer)
}

#[tokio::test]
async fn a_connection_over_the_limit_is_closed_at_once_and_counted() {
    let story = Story::open();
    let (listener, metrics, doors) = listen(&story, 2).await;
    let mut first = dial(&doors, &listener).await;
    let mut second = dial(&doors, &listener).await;
    assert_eq!(exchange(&mut first).await.as_deref(), Some(&b"\x0bok A\x1c\r"[..]));
    assert!(exchange(&mut second).await.is_some());
    assert_eq!(listener.connections(), 2);
    let mut third = dial(&doors, &listener).await;
    assert_eq!(exchange(&mut third).await, None);
    let labels = TroubleLabels { listener: "lab".to_owned(), trouble: Trouble::Connections };
    assert_eq!(metrics.troubles.get_or_create(&labels).get(), 1);
    // The others go on, and a place that is free can be taken.
    assert!(exchange(&mut first).await.is_some());
    drop(second);
    while listener.connections() == 2 {
        tokio::task::yield_now().await;
    }
    let mut fourth = dial(&doors, &listener).await;
    assert!(exchange(&mut fourth).await.is_some());
}

#[tokio::test]
async fn a_slow_peer_does_not_stall_the_others() {
    let story = Story::open();
    let (listener, _, doors) = listen(&story, 2).await;
    let mut slow = dial(&doors, &listener).await;
    slow.stream.write_all(b"\x0bhalf").await.expect("written");
    let mut other = dial(&doors, &listener).await;
    assert!(exchange(&mut other).await.is_some());
}

#[tokio::test]
async fn stopping_accepts_nobody_and_lets_everybody_finish() {
    let story = Story::open();
    let (listener, metrics, doors) = listen(&story, 8).await;
    let mut idle = dial(&doors, &listener).await;
    let mut busy = dial(&doors, &listener).await;
    assert!(exchange(&mut idle).await.is_some());
    assert!(exchange(&mut busy).await.is_some());
    busy.stream.write_all(b"\x0bB").await.expect("written");
    let labels = ListenerLabels { listener: "lab".to_owned() };
    while metrics.bytes.get_or_create(&labels).get() < 10 {
        tokio::task::yield_now().await;
    }
    listener.stop();
    let mut rest = Vec::new();
    idle.stream.read_to_end(&mut rest).await.expect("closed");
    assert!(rest.is_empty());
    busy.stream.write_all(b"C\x1c\r").await.expect("written");
    busy.stream.read_to_end(&mut rest).await.expect("closed");
    assert_eq!(rest, b"\x0bok BC\x1c\r");
    assert!(doors.net.dial(listener.address()).await.is_err());
    assert_eq!(story.contents(), ["A", "A", "BC"]);
}

#[tokio::test]
async fn every_family_is_registered() {
    let story = Story::open();
    let (listener, metrics, doors) = listen(&story, 1).await;
    assert!(exchange(&mut dial(&doors, &listener).await).await.is_some());
    metrics.trouble("lab", Trouble::Empty);
    let mut registry = prometheus_client::registry::Registry::default();
    metrics.register(&mut registry);
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
