//! The bytes of one connection, and how long it may take for what it is doing.
//!
//! Every change happens while the connection's own task polls it, so whoever waits for a deadline
//! in that task sees it at once.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hilum_env::{ByteStream, Clock, Instant};
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a connection may take its time for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Between requests.
    pub(super) idle: Option<Duration>,
    /// For the head, between the bytes of a body, and for the peer to take an answer.
    pub(super) read: Duration,
    /// From the first byte of a request to its last.
    pub(super) request: Duration,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits for a request.
    Idle,
    /// A request's head is coming.
    Head,
    /// A request's body is coming.
    Body,
    /// The request is here; it is our turn.
    Working,
    /// The answer is being written.
    Answering,
}

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    /// When the request began.
    began: Instant,
    /// When there was progress.
    last: Instant,
}

/// Since when a connection is doing what.
pub(super) struct Pace {
    clock: Arc<dyn Clock>,
    limits: Limits,
    state: Mutex<State>,
    /// The length of a body that is about to come.
    body: Mutex<Option<u64>>,
}

impl Pace {
    pub(super) fn new(clock: Arc<dyn Clock>, limits: Limits) -> Self {
        let now = clock.instant();
        let state = State { phase: Phase::Idle, began: now, last: now };
        Self { clock, limits, state: Mutex::new(state), body: Mutex::default() }
    }

    /// What it is doing.
    pub(super) fn phase(&self) -> Phase {
        self.state().phase
    }

    /// When that takes too long; none where there is no such time.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let State { phase, began, last } = *self.state();
        match phase {
            Phase::Idle => self.limits.idle.map(|it| last.plus(it)),
            Phase::Head => Some(began.plus(self.limits.read.min(self.limits.request))),
            Phase::Body => Some(last.plus(self.limits.read).min(began.plus(self.limits.request))),
            // The door bounds its own time.
            Phase::Working => None,
            Phase::Answering => Some(last.plus(self.limits.read)),
        }
    }

    /// It does something else now, or has got on with it.
    pub(super) fn at(&self, phase: Phase) {
        let now = self.clock.instant();
        let mut state = self.state();
        if state.phase == Phase::Idle {
            state.began = now;
        }
        state.phase = phase;
        state.last = now;
    }

    /// A body of this length comes next.
    pub(super) fn expect_body(&self, length: u64) {
        *self.body.lock().unwrap_or_else(PoisonError::into_inner) = Some(length);
    }

    /// The length of the body that comes next, told once.
    pub(super) fn take_body(&self) -> Option<u64> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until `late` would come at the deadline of now.
    pub(super) async fn late(&self) {
        match self.deadline() {
            Some(at) => self.clock.sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that notes what happens on it.
pub(super) struct Wire {
    stream: Box<dyn ByteStream>,
    pace: Arc<Pace>,
    bytes: Counter,
    /// The server has said that a head is too long; nothing was written of it.
    is_too_long: bool,
}

/// How the server says by itself that a head is too long: without a word about how long it may be.
const TOO_LONG: &[u8] = b"HTTP/1.1 431 ";

impl Wire {
    pub(super) fn new(stream: Box<dyn ByteStream>, pace: Arc<Pace>, bytes: Counter) -> Self {
        Self { stream, pace, bytes, is_too_long: false }
    }

    /// The stream, and whether the server's word that a head is too long was kept back.
    pub(super) fn into_stream(self) -> (Box<dyn ByteStream>, bool) {
        (self.stream, self.is_too_long)
    }

    /// Whether these bytes are that word. No answer of ours begins so, and none follows it.
    fn keeps_back(&mut self, bytes: &[u8]) -> bool {
        self.is_too_long |= bytes.starts_with(TOO_LONG);
        self.is_too_long
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let read = buffer.filled().get(before..).unwrap_or_default();
        self.bytes.inc_by(u64::try_from(read.len()).unwrap_or(u64::MAX));
        // Old clients end a body with a line of its own: that begins no request.
        let begins = read.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
        if begins && self.pace.phase() == Phase::Idle {
            self.pace.at(Phase::Head);
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.keeps_back(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.keeps_back(slices.first().map_or(&[], |it| &**it)) {
            return Poll::Ready(Ok(slices.iter().map(|it| it.len()).sum()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        // The server flushes once it has written all that it holds.
        if matches!(polled, Poll::Ready(Ok(()))) && self.pace.phase() == Phase::Answering {
            self.pace.at(Phase::Idle);
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_too_long {
            // Something is still to be said.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
