//! Connections over pipes, in a world where time passes only when nothing else can happen.

use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use hilum_env::twin::Twin;
use hilum_pipeline::BodyFormat;
use hilum_words::{MessageId, Name};
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{Semaphore, watch};

use super::*;
use crate::listener::Settings;
use crate::metrics::{ResponseLabels, Trouble, TroubleLabels};
use crate::{ByteBudget, ListenerConfig, Metrics};

mod bounds;
mod hostile;
mod property;
mod requests;
mod sockets;

/// Answers each request with 202 and what it was, after a permit of `gate`.
pub(super) struct Story {
    gate: Semaphore,
    received: Mutex<Vec<HttpInbound>>,
    retry_after: Option<Duration>,
}

impl Door for Story {
    async fn receive(&self, inbound: HttpInbound) -> HttpAnswer {
        self.gate.acquire().await.expect("never closed").forget();
        let body = format!("took {}", inbound.content.len());
        self.received.lock().expect("held by nobody").push(inbound);
        HttpAnswer {
            status: if self.retry_after.is_some() { 503 } else { 202 },
            content_type: "application/hl7-v2; charset=utf-8",
            body: Bytes::from(body),
            message: Some(MessageId::new(hilum_words::Timestamp::from_micros(0), [7; 10])),
            retry_after: self.retry_after,
        }
    }

    fn refuse(&self, refusal: &Refusal, wish: Wish) -> HttpAnswer {
        let (content_type, body) = match wish {
            Wish::Fhir => ("application/fhir+json", hilum_answer::operation_outcome(refusal)),
            Wish::Hl7v2 | Wish::Problem => {
                ("application/problem+json", hilum_answer::problem(refusal))
            }
        };
        HttpAnswer {
            status: refusal.status().0,
            content_type,
            body: Bytes::from(body.to_pretty()),
            message: None,
            retry_after: (*refusal == Refusal::Busy).then_some(Duration::from_secs(5)),
        }
    }
}

/// A listener without its socket.
pub(super) struct Bench {
    twin: Twin,
    story: Arc<Story>,
    config: HttpConfig,
    auth: Option<Auth>,
    idle_timeout: Option<Duration>,
    budget: ByteBudget,
    metrics: Metrics,
    stop: watch::Sender<bool>,
    /// Bytes that the network holds in each direction.
    pipe_bytes: usize,
}

const READ_TIMEOUT: Duration = Duration::from_secs(30);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(100);

impl Bench {
    fn new() -> Self {
        Self {
            twin: Twin::with_seed(1),
            story: Arc::new(Story {
                gate: Semaphore::new(Semaphore::MAX_PERMITS),
                received: Mutex::default(),
                retry_after: None,
            }),
            config: HttpConfig {
                path: "/in".to_owned(),
                json: Json::Fhir,
                head_bytes_max: 8 << 10,
                body_bytes_max: 1 << 20,
                request_timeout: REQUEST_TIMEOUT,
                auth: None,
            },
            auth: None,
            idle_timeout: None,
            budget: ByteBudget::new(4 << 20),
            metrics: Metrics::default(),
            stop: watch::Sender::new(false),
            pipe_bytes: 64 << 10,
        }
    }

    /// A connection, running, and the peer's end of it.
    fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(self.pipe_bytes);
        self.serve(Box::new(near));
        far
    }

    /// A connection over this stream, running.
    fn serve(&self, near: Box<dyn ByteStream>) {
        let doors = self.twin.doors();
        let limits =
            Limits { idle: self.idle_timeout, read: READ_TIMEOUT, request: REQUEST_TIMEOUT };
        let peer =
            Peer { address: "192.0.2.1:4711".to_owned(), ip: None, uid: None, identity: None };
        let kind = KindConfig::Http(self.config.clone());
        let config = ListenerConfig::plain("127.0.0.1:0", kind);
        let settings = Settings { config, tls: None, auth: self.auth.clone() };
        let exchange = Exchange {
            listener: Name::from("web"),
            settings: watch::channel(Arc::new(settings)).1,
            door: Arc::clone(&self.story),
            pace: Arc::new(Pace::new(Arc::clone(&doors.clock), limits)),
            clock: Arc::clone(&doors.clock),
            entropy: Arc::clone(&doors.entropy),
            budget: self.budget.share(),
            metrics: self.metrics.clone(),
            peer,
        };
        let stopping = self.stop.subscribe();
        let connection = Connection {
            exchange,
            head_bytes_max: self.config.head_bytes_max,
            bytes: Counter::default(),
            stopping,
        };
        let serving = connection.run(near);
        let serving = async move {
            let _ = serving.await;
        };
        doors.tasks.spawn("connection", Box::pin(serving));
    }

    fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        self.twin.block_on(future)
    }

    /// All that comes back for these bytes, if the peer says nothing after them.
    fn ask(&self, request: impl Into<Vec<u8>>) -> String {
        let (mut peer, request) = (self.connect(), request.into());
        self.run(async move {
            // The listener may answer and close before it has read all of it.
            let _ = peer.write_all(&request).await;
            let _ = peer.shutdown().await;
            rest(&mut peer).await
        })
    }

    fn received(&self) -> usize {
        self.story.received.lock().expect("held by nobody").len()
    }

    fn last<T>(&self, read: impl FnOnce(&HttpInbound) -> T) -> T {
        read(self.story.received.lock().expect("held by nobody").last().expect("a request"))
    }

    fn troubles(&self, trouble: Trouble) -> u64 {
        let labels = TroubleLabels { listener: "web".to_owned(), trouble };
        self.metrics.troubles.get_or_create(&labels).get()
    }
}

/// Everything until the connection ends.
async fn rest(peer: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let _ = peer.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer whose body has its length announced.
async fn one_answer(peer: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        match peer.read_u8().await {
            Ok(byte) => answer.push(byte),
            Err(_) => return String::from_utf8_lossy(&answer).into_owned(),
        }
    }
    let head = String::from_utf8_lossy(&answer).into_owned();
    let length = header(&head, "content-length").map_or(0, |it| it.parse().expect("a number"));
    let mut body = vec![0; length];
    peer.read_exact(&mut body).await.expect("the body");
    head + &String::from_utf8_lossy(&body)
}

/// A header of an answer.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (it, value) = line.split_once(": ")?;
        it.eq_ignore_ascii_case(name).then_some(value)
    })
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0)
}

/// A good request with these headers beside the usual.
fn post(headers: &str, body: &str) -> String {
    let length = body.len();
    format!("POST /in HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

const HL7: &str = "content-type: application/hl7-v2\r\n";
const FHIR: &str = "content-type: application/fhir+json\r\n";
