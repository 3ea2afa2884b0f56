//! After a fail-over everybody comes back at once.

#![expect(clippy::expect_used, reason = "a panic is how a test fails")]

mod world;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hilum_env::tls::ClientTls;
use hilum_env::{Address, ByteStream, Doors};
use hilum_listeners::Materials;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Barrier;
use world::{World, address, tls};

/// How a peer behaves that belongs to somebody else: it tries again until its message is taken.
#[derive(Clone)]
struct Peer {
    doors: Doors,
    at: SocketAddr,
    tls: Option<ClientTls>,
    number: usize,
    refused: Arc<AtomicUsize>,
}

enum Sent {
    Taken(Box<dyn ByteStream>),
    Busy,
}

impl Peer {
    /// Sends one message; none if the connection is closed before there is an answer.
    async fn try_to_send(&self, message: &[u8]) -> Option<Sent> {
        let at = Address::Tcp(self.at.to_string());
        let mut stream = self.doors.net.dial(&at).await.ok()?.stream;
        if let Some(tls) = &self.tls {
            stream = tls.connect("hilum.example", stream).await.ok()?;
        }
        stream.write_all(message).await.ok()?;
        stream.flush().await.ok()?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\x1c\r") {
            answer.push(stream.read_u8().await.ok()?);
        }
        let text = String::from_utf8_lossy(&answer).into_owned();
        if text.contains("\rMSA|AA|M") {
            return Some(Sent::Taken(stream));
        }
        // "Busy: try again later", on a machine that has a lot to do.
        assert!(text.contains("\rMSA|AR|M"), "{text}");
        Some(Sent::Busy)
    }

    /// Sends until it is acknowledged, and waits a little longer each time.
    async fn send(&self, message: &[u8]) -> Box<dyn ByteStream> {
        let mut wait = Duration::from_millis(5);
        loop {
            match self.try_to_send(message).await {
                Some(Sent::Taken(stream)) => return stream,
                Some(Sent::Busy) => {}
                None => drop(self.refused.fetch_add(1, Ordering::SeqCst)),
            }
            let clock = &self.doors.clock;
            let [spread] = self.doors.entropy.bytes::<1>();
            clock.sleep_until(clock.instant().plus(wait * (128 + u32::from(spread)) / 256)).await;
            wait = (wait * 2).min(Duration::from_millis(500));
        }
    }
}

fn message(peer: usize, number: usize) -> Vec<u8> {
    let text = format!(
        "\x0bMSH|^~\\&|LAB{peer}|A|HILUM|B|20260101||ADT^A08|M{number}|P|2.5.1\rPID|1||{peer}\r\x1c\r"
    );
    text.into_bytes()
}

/// So many peers, all at once; each keeps its connection until all were answered, if `stays`.
async fn storm(
    world: &World,
    at: SocketAddr,
    tls: Option<ClientTls>,
    peers: usize,
    stays: bool,
) -> usize {
    static ROUND: AtomicUsize = AtomicUsize::new(0);
    let round = ROUND.fetch_add(1, Ordering::SeqCst);
    let refused = Arc::new(AtomicUsize::new(0));
    let (together, all_answered) =
        (Arc::new(Barrier::new(peers)), Arc::new(Barrier::new(peers + 1)));
    for number in 0..peers {
        let (refused, tls) = (Arc::clone(&refused), tls.clone());
        let peer = Peer { doors: world.doors.clone(), at, tls, number, refused };
        let (together, all_answered) = (Arc::clone(&together), Arc::clone(&all_answered));
        let coming = async move {
            together.wait().await;
            let stream = peer.send(&message(peer.number, round)).await;
            if stays {
                all_answered.wait().await;
                drop(stream);
            } else {
                drop(stream);
                all_answered.wait().await;
            }
        };
        world.doors.tasks.spawn("peer", Box::pin(coming));
    }
    // Not how long it takes: a test that would never end has to say so.
    let clock = &world.doors.clock;
    let never = clock.sleep_until(clock.instant().plus(Duration::from_secs(120)));
    tokio::select! {
        biased;
        _ = all_answered.wait() => {}
        () = never => panic!("somebody is never answered"),
    }
    refused.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_peers_come_back_at_once_and_all_are_answered() {
    let world = World::open();
    let listener = world.listen(1_024, &Materials::default()).await;
    let at = address(&listener);
    assert_eq!(storm(&world, at, None, 1_000, true).await, 0, "there is a place for each");
    // It stops, and another takes over. (At a port of its own: this one may be taken by a client's
    // end of a connection as soon as it is free.)
    listener.stop();
    while 0 < listener.connections() {
        tokio::task::yield_now().await;
    }
    drop(listener);
    let listener = world.listen(1_024, &Materials::default()).await;
    assert_eq!(storm(&world, address(&listener), None, 1_000, true).await, 0);
    assert_eq!(world.store.counts().messages, 2_000, "each is stored once");
    drop(listener);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_are_not_enough_places_the_others_are_turned_away_and_come_through_in_time() {
    let world = World::open();
    let listener = world.listen(50, &Materials::default()).await;
    let refused = storm(&world, address(&listener), None, 1_000, false).await;
    assert!(0 < refused, "50 places for 1,000");
    assert_eq!(world.store.counts().messages, 1_000, "each is stored once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_may_speak_tls() {
    let world = World::open();
    let (materials, client) = tls();
    let listener = world.listen(1_024, &materials).await;
    assert_eq!(storm(&world, address(&listener), Some(client), 300, true).await, 0);
    assert_eq!(world.store.counts().messages, 300);
}
