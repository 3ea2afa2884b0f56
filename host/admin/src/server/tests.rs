use std::path::PathBuf;

use hilum_env::Address;
use hyper::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const LIMITS: Limits = Limits {
    connections_max: 2,
    head_bytes_max: 8192,
    body_bytes_max: 16,
    exchange_max: Duration::from_millis(1500),
};

/// Says who asked for what, with how many bytes.
struct Echo;

impl Handler for Echo {
    fn answer(self: Arc<Self>, asked: Asked) -> BoxFuture<'static, Reply> {
        let text = format!("{} {} {}", asked.head.method, asked.head.uri, asked.body.len());
        assert!(asked.peer.uid.is_some(), "the kernel says who asks");
        Box::pin(async move { Reply::of(StatusCode::OK, "text/plain", text) })
    }
}

struct Server {
    doors: Doors,
    socket: PathBuf,
    stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        let doors = crate::tests::doors();
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("control.sock");
        let (stop, stopped) = watch::channel(false);
        let acceptor =
            doors.net.listen(&Address::Local(socket.clone())).await.expect("it can be bound");
        let serving = serve(acceptor, LIMITS, Arc::new(Echo), doors.clone(), stopped);
        doors.tasks.spawn("server", Box::pin(serving));
        Self { doors, socket, stop, _folder: folder }
    }

    async fn connect(&self) -> io::Result<Connection> {
        self.doors.net.dial(&Address::Local(self.socket.clone())).await
    }

    async fn exchange(&self, request: &str) -> String {
        let mut connection = self.connect().await.expect("it listens");
        // The server may answer and close before it has read all of it.
        let _ = connection.stream.write_all(request.as_bytes()).await;
        read(&mut connection).await
    }
}

async fn read(connection: &mut Connection) -> String {
    let mut answer = Vec::new();
    let _ = connection.stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reaches_its_handler_whole() {
    let server = Server::start().await;
    let answer =
        server.exchange("POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nPOST /x 3"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused() {
    let server = Server::start().await;
    let at = format!("POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 16\r\n\r\n{}", "x".repeat(16));
    assert!(server.exchange(&at).await.starts_with("HTTP/1.1 200"));
    let over =
        format!("POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 17\r\n\r\n{}", "x".repeat(17));
    let answer = server.exchange(&over).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_over_the_limit_is_refused() {
    let server = Server::start().await;
    let answer =
        server.exchange(&format!("GET /x HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(9000))).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_takes_too_long_ends() {
    let server = Server::start().await;
    let mut slow = server.connect().await.expect("it listens");
    slow.stream.write_all(b"GET /x HT").await.expect("written");
    assert_eq!(read(&mut slow).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_is_closed_at_once() {
    let server = Server::start().await;
    let first = server.connect().await.expect("it listens");
    let second = server.connect().await.expect("it listens");
    let mut third = server.connect().await.expect("it listens");
    let started = server.doors.clock.instant();
    assert_eq!(read(&mut third).await, "");
    assert!(server.doors.clock.instant().since(started) < LIMITS.exchange_max / 2);
    drop((first, second));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_accepted_after_a_stop() {
    let server = Server::start().await;
    assert!(
        server.exchange("GET /x HTTP/1.1\r\nhost: a\r\n\r\n").await.starts_with("HTTP/1.1 200")
    );
    server.stop.send(true).expect("it runs");
    let until = server.doors.clock.instant().plus(Duration::from_secs(5));
    while server.connect().await.is_ok() {
        assert!(server.doors.clock.instant() < until, "it still accepts");
        tokio::task::yield_now().await;
    }
}
