//! One connection: requests one after the other, each answered before the next is looked at.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use hilum_env::{BoxFuture, ByteStream, Clock, Instant};
use hilum_pipeline::{HttpAnswer, Refusal, Wish};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prometheus_client::metrics::counter::Counter;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tracing::debug;

use super::Door;
use super::ahead::Ahead;
use super::exchange::Exchange;
use super::wire::{Pace, Phase, Wire};
use crate::farewell::{LINGER, part};
use crate::metrics::Trouble;

/// Headers of one request.
const HEADERS_MAX: usize = 100;
/// Said where a head did not come in time: nothing is known of who would read more.
const TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// One connection to an HTTP listener.
pub(super) struct Connection<D> {
    pub(super) exchange: Exchange<D>,
    /// Bytes of request line and headers.
    pub(super) head_bytes_max: usize,
    pub(super) bytes: Counter,
    pub(super) stopping: watch::Receiver<bool>,
}

/// How serving a connection ended.
enum End {
    /// Either side wanted so.
    Closed,
    /// It did not speak HTTP, or broke.
    Broken(hyper::Error),
    /// It broke while its request was worked on: nobody waits for the answer.
    Left,
    /// It took too long for this.
    Late(Phase),
}

impl<D: Door> Connection<D> {
    /// Answers requests until either side ends it. What ended it before its time is counted.
    pub(super) async fn run(self, stream: Box<dyn ByteStream>) -> Option<Trouble> {
        let Self { exchange, head_bytes_max, bytes, mut stopping } = self;
        let (listener, metrics) = (exchange.listener.clone(), exchange.metrics.clone());
        let (clock, pace) = (Arc::clone(&exchange.clock), Arc::clone(&exchange.pace));
        let peer = exchange.peer.clone();
        let door = Arc::clone(&exchange.door);
        let exchange = Arc::new(exchange);
        let service = service_fn(|request: Request<Incoming>| {
            let exchange = Arc::clone(&exchange);
            async move { Ok::<_, Infallible>(exchange.answer(request).await) }
        });
        let ahead = Ahead::new(stream, Arc::clone(&pace));
        let wire = Wire::new(Box::new(ahead.clone()), Arc::clone(&pace), bytes);
        let mut serving = http1::Builder::new()
            .max_buf_size(head_bytes_max)
            .max_header_size(head_bytes_max)
            .max_headers(HEADERS_MAX)
            // A peer that has said all may close its half and still read the answer. One that has left
            // is seen below.
            .half_close(true)
            // Times are told by our own clock, below and in the answer.
            .header_read_timeout(None)
            .auto_date_header(false)
            .serve_connection(TokioIo::new(wire), service);
        let end = {
            let mut late = Late::new(Arc::clone(&pace), Arc::clone(&clock));
            let mut stop = pin!(async { stopping.wait_for(|it| *it).await.is_ok() });
            let mut is_stopping = false;
            poll_fn(|context| {
                if !is_stopping && stop.as_mut().poll(context).is_ready() {
                    is_stopping = true;
                    Pin::new(&mut serving).graceful_shutdown();
                }
                if let Poll::Ready(served) = Pin::new(&mut serving).poll(context) {
                    return Poll::Ready(served.map_or_else(End::Broken, |()| End::Closed));
                }
                if ahead.poll_broken(context).is_ready() {
                    return Poll::Ready(End::Left);
                }
                late.poll(context).map(End::Late)
            })
            .await
        };
        let (mut stream, is_too_long) = serving.into_parts().io.into_inner().into_stream();
        if is_too_long {
            let (bytes_max, headers_max) = (head_bytes_max, HEADERS_MAX);
            let refusal = Refusal::HeadTooLong { bytes_max, headers_max };
            say(&mut stream, &*clock, &written(&door.refuse(&refusal, Wish::Problem))).await;
        }
        let trouble = match end {
            End::Closed => None,
            End::Broken(fault) => trouble(&fault, pace.phase()),
            End::Left => Some(Trouble::Unread),
            End::Late(Phase::Idle) => Some(Trouble::Idle),
            End::Late(Phase::Head) => {
                say(&mut stream, &*clock, TOO_SLOW).await;
                Some(Trouble::TimedOut)
            }
            End::Late(_) => Some(Trouble::Unread),
        };
        if let Some(trouble) = trouble {
            metrics.trouble(&listener, trouble);
            debug!(%listener, peer = %peer.address, ?trouble, "connection closed");
        }
        part(&mut stream, &*clock).await;
        trouble
    }
}

/// Waits for the deadline of whatever the connection is doing. Polled after everything else in
/// the connection's task, it always knows the last one.
struct Late {
    pace: Arc<Pace>,
    clock: Arc<dyn Clock>,
    armed: Option<Instant>,
    sleep: Option<BoxFuture<'static, ()>>,
}

impl Late {
    fn new(pace: Arc<Pace>, clock: Arc<dyn Clock>) -> Self {
        Self { pace, clock, armed: None, sleep: None }
    }

    fn poll(&mut self, context: &mut std::task::Context<'_>) -> Poll<Phase> {
        let phase = self.pace.phase();
        // A body that is late has an answer: the exchange sees to it.
        let deadline = if phase == Phase::Body { None } else { self.pace.deadline() };
        if deadline != self.armed {
            self.armed = deadline;
            self.sleep = deadline.map(|at| self.clock.sleep_until(at));
        }
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().poll(context).map(|()| phase),
            None => Poll::Pending,
        }
    }
}

/// Says a last word. It fits into any socket that takes bytes at all; one that takes none is let go.
async fn say(stream: &mut Box<dyn ByteStream>, clock: &dyn Clock, bytes: &[u8]) {
    let late = clock.sleep_until(clock.instant().plus(LINGER));
    tokio::select! {
        biased;
        _ = stream.write_all(bytes) => {}
        () = late => {}
    }
}

/// The answer to a head that could not be read whole: nothing is known of who would read more.
fn written(answer: &HttpAnswer) -> Vec<u8> {
    let status = hyper::StatusCode::from_u16(answer.status).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.status,
        status.canonical_reason().unwrap_or_default(),
        answer.content_type,
        answer.body.len(),
    );
    [head.as_bytes(), &answer.body[..]].concat()
}

/// What is counted of a connection that broke.
fn trouble(fault: &hyper::Error, phase: Phase) -> Option<Trouble> {
    if fault.is_parse_too_large() {
        return Some(Trouble::TooLong);
    }
    if fault.is_parse() {
        return Some(Trouble::Junk);
    }
    match phase {
        // A peer may hang up between requests as it likes.
        Phase::Idle => None,
        Phase::Head | Phase::Body => Some(Trouble::CutOff),
        Phase::Working | Phase::Answering => Some(Trouble::Unread),
    }
}
