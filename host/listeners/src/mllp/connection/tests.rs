mod later;

use super::*;
use crate::budget::STEP_BYTES;
use crate::farewell::LINGER;
use crate::listener::Settings;
use crate::metrics::TroubleLabels;
use crate::mllp::testing::{HandClock, Story, answer};
use crate::{ByteBudget, KindConfig, ListenerConfig};
use tokio::io::DuplexStream;
use tokio::sync::Semaphore;

const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection with a test at its other end.
struct Bench {
    clock: HandClock,
    story: Arc<Story>,
    budget: ByteBudget,
    metrics: Metrics,
    config: MllpConfig,
    idle_timeout: Option<Duration>,
    stop: watch::Sender<bool>,
    /// Bytes that the network holds in each direction.
    pipe_bytes: usize,
}

impl Bench {
    fn new(story: Arc<Story>) -> Self {
        Self {
            clock: HandClock::default(),
            story,
            budget: ByteBudget::new(1 << 20),
            metrics: Metrics::default(),
            config: MllpConfig { frame_bytes_max: 1 << 20, ..MllpConfig::default() },
            idle_timeout: None,
            stop: watch::Sender::new(false),
            pipe_bytes: 64 << 10,
        }
    }

    /// A connection, running, and the peer's end of it.
    fn connect(&self) -> (impl Future<Output = ()>, Client) {
        let (near, far) = tokio::io::duplex(self.pipe_bytes);
        let client = Client { stream: far, clock: self.clock.clone() };
        (self.run(Box::new(near)), client)
    }

    /// A connection over this stream.
    fn run(&self, stream: Box<dyn ByteStream>) -> impl Future<Output = ()> + use<> {
        let config = ListenerConfig {
            idle_timeout: self.idle_timeout,
            ..ListenerConfig::plain("127.0.0.1:0", KindConfig::Mllp(self.config.clone()))
        };
        assert_eq!(config.read_timeout, READ_TIMEOUT);
        let settings = Arc::new(Settings { config, tls: None, auth: None });
        let context = Context {
            listener: Name::from("lab"),
            latest: watch::channel(Arc::clone(&settings)).1,
            settings,
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(hilum_env::system::SystemEntropy::new()),
            budget: self.budget.share(),
            metrics: self.metrics.clone(),
            bytes: Counter::default(),
            stopping: self.stop.subscribe(),
        };
        let peer =
            Peer { address: "192.0.2.1:4711".to_owned(), ip: None, uid: None, identity: None };
        let (config, story) = (self.config.clone(), Arc::clone(&self.story));
        let connection = Connection::new(context, config, story, &peer);
        let serving = connection.run(stream, peer);
        async move {
            let _ = serving.await;
        }
    }

    /// Runs a connection and a peer beside each other, until both have ended.
    async fn talk<T>(&self, peer: impl AsyncFnOnce(Client) -> T) -> T {
        let (connection, client) = self.connect();
        tokio::join!(connection, peer(client)).1
    }

    fn troubles(&self, trouble: Trouble) -> u64 {
        let labels = TroubleLabels { listener: "lab".to_owned(), trouble };
        self.metrics.troubles.get_or_create(&labels).get()
    }
}

struct Client {
    stream: DuplexStream,
    clock: HandClock,
}

impl Client {
    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("written");
        settle().await;
    }

    async fn wait(&self, time: Duration) {
        settle().await;
        self.clock.forward(time);
        settle().await;
    }

    /// Everything that comes until the connection is closed.
    async fn rest(&mut self) -> String {
        let mut all = Vec::new();
        self.stream.read_to_end(&mut all).await.expect("read");
        String::from_utf8(all).expect("text").replace('\u{b}', "<").replace("\u{1c}\r", ">")
    }

    /// Ends the stream, as a peer that has nothing more to say, and reads what comes.
    async fn finish(&mut self) -> String {
        self.stream.shutdown().await.expect("shut down");
        self.rest().await
    }

    /// What has come so far.
    async fn seen(&mut self) -> String {
        settle().await;
        let mut bytes = vec![0; 1 << 16];
        let count = tokio::select! {
            biased;
            count = self.stream.read(&mut bytes) => count.expect("read"),
            () = settle() => 0,
        };
        bytes.truncate(count);
        String::from_utf8(bytes).expect("text").replace('\u{b}', "<").replace("\u{1c}\r", ">")
    }
}

/// Lets the other side do whatever it can do.
async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn frames_that_come_together_are_answered_in_order() {
    let bench = Bench::new(Story::open());
    let seen = bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c\r\x0bB\x1c\r\r\n\x0bC\x1c\r").await;
            client.finish().await
        })
        .await;
    assert_eq!(seen, "<ok A><ok B><ok C>");
    assert_eq!(bench.story.contents(), ["A", "B", "C"]);
}

#[tokio::test]
async fn a_frame_may_come_byte_by_byte() {
    let bench = Bench::new(Story::open());
    let seen = bench
        .talk(async |mut client| {
            for byte in b"\x0bMSH|A\r\x1c\r" {
                client.send(&[*byte]).await;
            }
            client.seen().await
        })
        .await;
    assert_eq!(seen, "<ok MSH|A\r>");
}

#[tokio::test]
async fn an_answer_may_be_several_messages_or_none() {
    let bench = Bench::new(Story::open());
    let two = Answer {
        now: [&b"CA"[..], b"AA"].map(|it| Reply { bytes: bytes::Bytes::from_static(it) }).into(),
        ..Answer::default()
    };
    bench.story.answers.lock().expect("held by nobody").extend([Answer::default(), two]);
    let seen = bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c\r\x0bB\x1c\r").await;
            client.finish().await
        })
        .await;
    assert_eq!(seen, "<CA><AA>");
}

#[tokio::test]
async fn an_idle_connection_stays_and_an_unfinished_frame_does_not() {
    let bench = Bench::new(Story::open());
    let seen = bench
        .talk(async |mut client| {
            client.wait(Duration::from_secs(7 * 24 * 3600)).await;
            client.send(b"\x0bA\x1c\r\x0bMSH|").await;
            client.wait(READ_TIMEOUT - Duration::from_millis(1)).await;
            // Bytes that trickle in give no new time.
            client.send(b"x").await;
            assert_eq!(client.seen().await, "<ok A>");
            client.wait(Duration::from_millis(1)).await;
            client.rest().await
        })
        .await;
    assert_eq!(seen, "");
    assert_eq!(bench.story.contents(), ["A"]);
    assert_eq!(bench.troubles(Trouble::TimedOut), 1);
}

#[tokio::test]
async fn a_second_of_silence_after_fs_ends_the_frame() {
    let bench = Bench::new(Story::open());
    bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c").await;
            client.wait(Duration::from_millis(999)).await;
            assert_eq!(client.seen().await, "");
            client.wait(Duration::from_millis(1)).await;
            assert_eq!(client.seen().await, "<ok A>");
            client.send(b"\r\x0bB\x1c\r").await;
            assert_eq!(client.finish().await, "<ok B>");
        })
        .await;
    let received = bench.story.received.lock().expect("held by nobody");
    assert_eq!(received[0].1, ["the frame ended with FS and silence"]);
    assert!(received[1].1.is_empty());
}

#[tokio::test]
async fn the_end_of_the_stream_after_fs_ends_the_frame_and_is_answered() {
    let bench = Bench::new(Story::open());
    let seen = bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c").await;
            client.finish().await
        })
        .await;
    assert_eq!(seen, "<ok A>");
}

#[tokio::test]
async fn the_end_of_the_stream_inside_a_frame_stores_and_answers_nothing() {
    let bench = Bench::new(Story::open());
    let seen = bench
        .talk(async |mut client| {
            client.send(b"\x0bMSH|A\r").await;
            client.finish().await
        })
        .await;
    assert_eq!(seen, "");
    assert!(bench.story.contents().is_empty());
    assert_eq!(bench.troubles(Trouble::CutOff), 1);
}

#[tokio::test]
async fn a_frame_over_its_limit_is_answered_by_its_beginning_and_closed() {
    let mut bench = Bench::new(Story::open());
    bench.config.frame_bytes_max = 10;
    let seen = bench
        .talk(async |mut client| {
            client.send(b"\x0b0123456789\x1c\r\x0b0123456789a").await;
            client.rest().await
        })
        .await;
    assert_eq!(seen, "<ok 0123456789><no>");
    let faults = bench.story.faults.lock().expect("held by nobody");
    assert_eq!(faults.as_slice(), ["0123456789a"]);
    assert_eq!(bench.troubles(Trouble::TooLong), 1);
}

#[tokio::test]
async fn what_is_no_mllp_is_closed_without_a_word() {
    let bench = Bench::new(Story::open());
    let seen = bench
        .talk(async |mut client| {
            client.send(&[b'G'; JUNK_BYTES_MAX]).await;
            assert_eq!(client.seen().await, "");
            client.send(b"G").await;
            client.rest().await
        })
        .await;
    assert_eq!(seen, "");
    assert_eq!(bench.troubles(Trouble::Junk), 1);
}

#[tokio::test]
async fn a_message_that_is_cut_off_is_noted_and_never_answered() {
    let bench = Bench::new(Story::open());
    let seen = bench
        .talk(async |mut client| {
            client.send(b"\x0bMSH|lost\x0bB\x1c\r\x0b\x1c\r").await;
            client.finish().await
        })
        .await;
    assert_eq!(seen, "<ok B>");
    assert_eq!(*bench.story.lost.lock().expect("held by nobody"), [8]);
    assert_eq!(bench.troubles(Trouble::Dropped), 1);
    assert_eq!(bench.troubles(Trouble::Empty), 1);
}

#[tokio::test]
async fn strict_closes_at_a_finding() {
    let mut bench = Bench::new(Story::open());
    bench.config.strict = true;
    for odd in [&b"\x0bB\x1c\n"[..], b"\x0bB\x0bC\x1c\r", b"\x0bB\x1cB", b"x\x0bB\x1c\r"] {
        let seen = bench
            .talk(async |mut client| {
                client.send(b"\x0bA\x1c\r").await;
                client.send(odd).await;
                client.rest().await
            })
            .await;
        assert_eq!(seen, "<ok A>");
    }
    let seen = bench
        .talk(async |mut client| {
            client.send(b"\x0bB\x1c").await;
            client.wait(SILENCE).await;
            client.rest().await
        })
        .await;
    assert_eq!(seen, "");
    assert_eq!(bench.troubles(Trouble::Strict), 5);
}

#[tokio::test]
async fn stopping_closes_an_idle_connection() {
    let bench = Bench::new(Story::open());
    bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c\r").await;
            bench.stop.send_replace(true);
            assert_eq!(client.rest().await, "<ok A>");
        })
        .await;
}

#[tokio::test]
async fn stopping_waits_for_the_frame_in_progress_and_no_longer_than_it_may_take() {
    let bench = Bench::new(Story::open());
    bench
        .talk(async |mut client| {
            client.send(b"\x0bA").await;
            bench.stop.send_replace(true);
            client.send(b"B\x1c\r").await;
            assert_eq!(client.rest().await, "<ok AB>");
        })
        .await;
    bench
        .talk(async |mut client| {
            client.send(b"\x0bA").await;
            client.wait(READ_TIMEOUT).await;
            assert_eq!(client.rest().await, "");
        })
        .await;
    assert_eq!(bench.story.contents(), ["AB"]);
}

#[tokio::test]
async fn a_message_that_is_being_stored_when_we_stop_is_still_answered() {
    let bench = Bench::new(Story::closed());
    bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c\r").await;
            bench.stop.send_replace(true);
            assert_eq!(client.seen().await, "");
            bench.story.gate.add_permits(1);
            assert_eq!(client.rest().await, "<ok A>");
        })
        .await;
}

#[tokio::test]
async fn nothing_is_read_while_a_message_is_being_stored() {
    let mut bench = Bench::new(Story::closed());
    bench.pipe_bytes = 1024;
    bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c\r").await;
            let frames = b"\x0bB\x1c\r".repeat(1024);
            tokio::select! {
                biased;
                _ = client.stream.write_all(&frames) => panic!("the network took all of it"),
                () = settle() => {}
            }
            bench.story.gate.add_permits(Semaphore::MAX_PERMITS);
            let seen = client.seen().await;
            assert!(seen.starts_with("<ok A><ok B>"), "{seen}");
        })
        .await;
}

#[tokio::test]
async fn a_peer_that_does_not_take_its_answer_is_closed() {
    let mut bench = Bench::new(Story::open());
    bench.pipe_bytes = 64;
    bench.story.answers.lock().expect("held by nobody").push_back(answer(&[b'a'; 4096]));
    bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c\r").await;
            client.wait(READ_TIMEOUT).await;
            let seen = client.rest().await;
            assert!(!seen.ends_with('>'), "the answer is not whole");
        })
        .await;
    assert_eq!(bench.troubles(Trouble::Unread), 1);
}

/// A stream that cannot be shut down, as TLS to a peer that takes no more bytes.
struct Stuck(DuplexStream);

impl tokio::io::AsyncRead for Stuck {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl tokio::io::AsyncWrite for Stuck {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::pin::Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn a_farewell_that_nobody_takes_does_not_hold_the_connection() {
    let bench = Bench::new(Story::open());
    let (near, far) = tokio::io::duplex(1 << 10);
    let mut client = Client { stream: far, clock: bench.clock.clone() };
    let script = async {
        client.send(b"\x0bA\x1c\r").await;
        bench.stop.send_replace(true);
        assert_eq!(client.seen().await, "<ok A>");
        client.wait(LINGER).await;
    };
    tokio::join!(bench.run(Box::new(Stuck(near))), script);
}

#[tokio::test]
async fn a_spent_budget_stops_the_long_frame_and_not_the_others() {
    let mut bench = Bench::new(Story::open());
    // The frame needs two steps beyond the first, which is the connection's own.
    bench.budget = ByteBudget::new(STEP_BYTES as u64);
    let (long, long_client) = bench.connect();
    let (short, mut short_client) = bench.connect();
    let script = async {
        let mut long_client = long_client;
        let sent = long_client.stream.write_all(b"\x0b").await;
        sent.expect("written");
        let content = vec![b'x'; 3 * STEP_BYTES];
        tokio::select! {
            biased;
            _ = long_client.stream.write_all(&content) => panic!("more was read than was left"),
            () = settle() => {}
        }
        assert_eq!(bench.budget.left(), 0);
        short_client.send(b"\x0bA\x1c\r").await;
        assert_eq!(short_client.seen().await, "<ok A>");
        short_client.wait(READ_TIMEOUT).await;
        assert_eq!(long_client.rest().await, "");
        assert_eq!(bench.troubles(Trouble::Budget), 1);
        assert_eq!(bench.budget.left(), STEP_BYTES, "it is given back");
        assert_eq!(short_client.finish().await, "");
        drop(long_client);
    };
    tokio::join!(long, short, script);
}

#[tokio::test]
async fn a_long_frame_gives_its_budget_back_once_it_is_answered() {
    let mut bench = Bench::new(Story::closed());
    bench.budget = ByteBudget::new(4 * STEP_BYTES as u64);
    bench.story.answers.lock().expect("held by nobody").push_back(answer(b"AA"));
    bench
        .talk(async |mut client| {
            let frame = encode(&vec![b'x'; 4 * STEP_BYTES]).expect("framed");
            client.send(&frame).await;
            assert!(bench.budget.left() <= STEP_BYTES, "in flight until it is stored");
            bench.story.gate.add_permits(1);
            assert_eq!(client.seen().await, "<AA>");
            assert_eq!(bench.budget.left(), 4 * STEP_BYTES);
        })
        .await;
}
