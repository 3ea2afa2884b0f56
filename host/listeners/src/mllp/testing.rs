//! A clock that is set by hand, and a story that answers what a test wants.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hilum_env::{BoxFuture, Clock, Instant, Peer, WallClock};
use hilum_pipeline::{Answer, FrameFault, Inbound, Reply};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::{Semaphore, oneshot};

use super::Door;

/// Time stands still until somebody moves it.
#[derive(Clone, Default)]
pub(crate) struct HandClock(Arc<Mutex<(Duration, Vec<Waker>)>>);

impl HandClock {
    pub(crate) fn forward(&self, by: Duration) {
        let mut state = self.0.lock().unwrap();
        state.0 += by;
        state.1.drain(..).for_each(Waker::wake);
    }
}

impl Clock for HandClock {
    fn now_micros(&self) -> WallClock {
        i64::try_from(self.0.lock().unwrap().0.as_micros()).unwrap()
    }

    fn instant(&self) -> Instant {
        Instant(self.0.lock().unwrap().0)
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(std::future::poll_fn(move |context| {
            let mut state = clock.0.lock().unwrap();
            if at.0 <= state.0 {
                return Poll::Ready(());
            }
            state.1.push(context.waker().clone());
            Poll::Pending
        }))
    }
}

/// A stream that breaks when a test says so, as by a reset.
pub(crate) struct Breakable(DuplexStream, oneshot::Receiver<()>);

impl Breakable {
    pub(crate) fn new(stream: DuplexStream) -> (Self, oneshot::Sender<()>) {
        let (cut, is_cut) = oneshot::channel();
        (Self(stream, is_cut), cut)
    }
}

impl AsyncRead for Breakable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.1.is_terminated() || Pin::new(&mut self.1).poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Breakable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// Answers each frame with "ok " and its content, after a permit of `gate`.
pub(crate) struct Story {
    pub(crate) gate: Semaphore,
    pub(crate) received: Mutex<Vec<(Bytes, Vec<String>)>>,
    pub(crate) answers: Mutex<VecDeque<Answer>>,
    pub(crate) faults: Mutex<Vec<Bytes>>,
    pub(crate) lost: Mutex<Vec<usize>>,
    /// Whose certificates were shown, message by message.
    pub(crate) identities: Mutex<Vec<Option<String>>>,
}

impl Story {
    /// A story that stores at once.
    pub(crate) fn open() -> Arc<Self> {
        Self::with_permits(Semaphore::MAX_PERMITS)
    }

    /// A story that stores nothing until its gate gets permits.
    pub(crate) fn closed() -> Arc<Self> {
        Self::with_permits(0)
    }

    fn with_permits(permits: usize) -> Arc<Self> {
        Arc::new(Self {
            gate: Semaphore::new(permits),
            received: Mutex::default(),
            answers: Mutex::default(),
            faults: Mutex::default(),
            lost: Mutex::default(),
            identities: Mutex::default(),
        })
    }

    pub(crate) fn contents(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received.iter().map(|(content, _)| String::from_utf8_lossy(content).into_owned()).collect()
    }
}

pub(crate) fn answer(text: &[u8]) -> Answer {
    Answer { now: vec![Reply { bytes: Bytes::copy_from_slice(text) }], ..Answer::default() }
}

impl Door for Story {
    async fn receive(&self, inbound: Inbound) -> Answer {
        self.gate.acquire().await.unwrap().forget();
        let ok = answer(&[b"ok ", &inbound.content[..]].concat());
        let identity = inbound.peer.identity.map(|it| it.subject);
        self.identities.lock().unwrap().push(identity);
        self.received.lock().unwrap().push((inbound.content, inbound.findings));
        self.answers.lock().unwrap().pop_front().unwrap_or(ok)
    }

    fn fault(&self, _: FrameFault, beginning: Bytes) -> Answer {
        self.faults.lock().unwrap().push(beginning);
        Answer { close: true, ..answer(b"no") }
    }

    fn note_lost(&self, _: &Peer, bytes: usize) {
        self.lost.lock().unwrap().push(bytes);
    }
}
