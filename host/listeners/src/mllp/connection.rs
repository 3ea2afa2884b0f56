//! One connection: reads frames, hands them over, writes the answers in order.
//!
//! While a message is being stored nothing is read, so TCP holds back a peer that does not wait.
//! Answers that come after their messages were decided are written as they become ready; when too
//! many are outstanding, nothing is read either.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hilum_env::{ByteStream, Clock, Instant, Peer};
use hilum_mllp::{
    COMMITTED, CR, Decoder, Event, FS, Frame, FrameError, Limits, NOT_COMMITTED, VT, Waiting,
    encode,
};
use hilum_pipeline::{Answer, FrameFault, Inbound, Later, Reply};
use hilum_words::{Name, Timestamp};
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tracing::{debug, error};

use super::later::Outstanding;
use super::{Door, MllpConfig};
use crate::Metrics;
use crate::budget::Lease;
use crate::farewell::part;
use crate::listener::Context;
use crate::metrics::{ListenerLabels, Trouble};

/// Bytes that one read takes at most.
const READ_BYTES: usize = 16 << 10;
/// Bytes that a read takes between messages: a thousand connections may wait there for days. Most
/// messages come with one such read, and the larger one is not made for them.
const IDLE_READ_BYTES: usize = 4 << 10;
/// After FS, so much silence means that the frame has ended (PROTOCOL §3).
const SILENCE: Duration = Duration::from_secs(1);
/// Junk that is skipped before a frame.
const JUNK_BYTES_MAX: usize = 1 << 10;

/// One connection to an MLLP listener.
pub(crate) struct Connection<D> {
    listener: Name,
    config: MllpConfig,
    read_timeout: Duration,
    idle_timeout: Option<Duration>,
    door: Arc<D>,
    clock: Arc<dyn Clock>,
    lease: Lease,
    metrics: Metrics,
    bytes: Counter,
    skipped: Counter,
    stopping: watch::Receiver<bool>,
    outstanding: Outstanding,
    /// What was read while an answer was awaited, and comes next.
    ahead: Vec<u8>,
}

/// What a pause in reading ended with.
enum Woken {
    Read(usize),
    /// The connection broke: nobody is there who could be told anything.
    Broken,
    Later(Vec<Reply>),
    Late,
    Stop,
}

/// Why a connection ends, if not because the peer or the gateway wanted so.
struct Ended(Trouble);

/// What follows an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    Close,
}

impl<D: Door> Connection<D> {
    /// A connection that nothing was read from.
    pub(crate) fn new(context: Context, config: MllpConfig, door: Arc<D>, peer: &Peer) -> Self {
        let labels = ListenerLabels { listener: context.listener.to_string() };
        let skipped = context.metrics.skipped.get_or_create(&labels).clone();
        Self {
            lease: context.budget.lease(peer.ip, config.frame_bytes_max),
            config,
            read_timeout: context.settings.config.read_timeout,
            idle_timeout: context.settings.config.idle_timeout,
            door,
            clock: context.clock,
            skipped,
            listener: context.listener,
            metrics: context.metrics,
            bytes: context.bytes,
            stopping: context.stopping,
            outstanding: Outstanding::default(),
            ahead: Vec::new(),
        }
    }

    /// Reads frames, has them stored, writes answers, until either side ends it. What ended it before
    /// its time is counted.
    pub(crate) async fn run(
        mut self,
        mut stream: Box<dyn ByteStream>,
        peer: Peer,
    ) -> Option<Trouble> {
        let ended = self.talk(&mut stream, &peer).await.err().map(|Ended(trouble)| trouble);
        if let Some(trouble) = ended {
            self.metrics.trouble(&self.listener, trouble);
            debug!(listener = %self.listener, peer = %peer.address, ?trouble, "connection closed");
        }
        // Nothing that is still said will be buffered, and nothing more will be written.
        self.lease.shrink(0);
        self.outstanding = Outstanding::default();
        part(&mut stream, self.clock.as_ref()).await;
        ended
    }

    async fn talk(&mut self, stream: &mut Box<dyn ByteStream>, peer: &Peer) -> Result<(), Ended> {
        let mut decoder = Decoder::new(Limits {
            frame_bytes_max: self.config.frame_bytes_max,
            junk_bytes_max: JUNK_BYTES_MAX,
            strict: self.config.strict,
        });
        let mut read = Vec::new();
        let mut skipped = 0;
        // When the frame that has not ended yet began, and when anything was heard or said.
        let mut began: Option<Instant> = None;
        let mut last = self.clock.instant();
        loop {
            loop {
                while self.outstanding.is_full() {
                    self.write_next(stream).await?;
                }
                let event = decoder.next_event();
                self.count_skipped(&decoder, &mut skipped);
                match event {
                    Ok(None) => break,
                    Ok(Some(event)) => {
                        began = None;
                        if self.handle(event, stream, peer).await? == Then::Close {
                            return self.drain(stream).await;
                        }
                        last = self.clock.instant();
                    }
                    Err(fault) => return self.faulted(fault, &decoder, stream).await,
                }
            }
            let now = self.clock.instant();
            let waiting = decoder.waiting();
            let deadline = match waiting {
                // A connection may be idle for days, if the site says nothing else.
                Waiting::Start => {
                    began = None;
                    let idle = self.idle_timeout.filter(|_| self.outstanding.is_empty());
                    idle.map(|idle| last.plus(idle))
                }
                Waiting::End => {
                    let began = *began.get_or_insert(now);
                    Some(began.plus(self.read_timeout))
                }
                Waiting::AfterSeparator => Some(now.plus(SILENCE)),
            };
            let is_idle = waiting == Waiting::Start;
            let read_bytes = if is_idle { IDLE_READ_BYTES } else { READ_BYTES };
            if read.len() != read_bytes {
                read = vec![0; read_bytes];
            }
            // What was answered is no longer in flight.
            self.lease.shrink(decoder.buffered() + READ_BYTES);
            self.cover(decoder.buffered() + READ_BYTES, deadline.filter(|_| !is_idle)).await?;
            let woken = if self.ahead.is_empty() {
                self.pause(stream, &mut read, deadline, is_idle).await
            } else {
                read = std::mem::take(&mut self.ahead);
                Woken::Read(read.len())
            };
            match woken {
                Woken::Stop => return self.drain(stream).await,
                Woken::Later(replies) => {
                    self.write(stream, &[], &replies).await?;
                    last = self.clock.instant();
                }
                ended @ (Woken::Broken | Woken::Read(0)) => {
                    let event = decoder.end().map_err(|fault| Ended(trouble(fault)))?;
                    if let Some(event) = event {
                        self.handle(event, stream, peer).await?;
                    }
                    return match ended {
                        Woken::Broken => Ok(()),
                        // It has nothing more to say, and may still listen.
                        _ => self.drain(stream).await,
                    };
                }
                Woken::Read(count) => {
                    self.bytes.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
                    decoder.feed(read.get(..count).unwrap_or_default());
                    last = self.clock.instant();
                }
                Woken::Late if waiting == Waiting::AfterSeparator => {
                    let event = decoder.silence().map_err(|_| Ended(Trouble::Strict))?;
                    began = None;
                    if let Some(event) = event
                        && self.handle(event, stream, peer).await? == Then::Close
                    {
                        return self.drain(stream).await;
                    }
                    last = self.clock.instant();
                }
                Woken::Late if is_idle => return Err(Ended(Trouble::Idle)),
                Woken::Late => return Err(Ended(Trouble::TimedOut)),
            }
        }
    }

    /// Deals with an event.
    async fn handle(
        &mut self,
        event: Event,
        stream: &mut Box<dyn ByteStream>,
        peer: &Peer,
    ) -> Result<Then, Ended> {
        match event {
            Event::Empty => {
                self.metrics.trouble(&self.listener, Trouble::Empty);
                Ok(Then::GoOn)
            }
            Event::Dropped { bytes } => {
                self.metrics.trouble(&self.listener, Trouble::Dropped);
                self.door.note_lost(peer, bytes);
                Ok(Then::GoOn)
            }
            Event::Frame(Frame { content, .. })
                if self.config.commit_bytes && is_commit(&content) =>
            {
                // What the peer says about an answer of ours; nobody answers it.
                if frame_of(&content) == NOT_COMMITTED {
                    self.metrics.trouble(&self.listener, Trouble::NotCommitted);
                }
                Ok(Then::GoOn)
            }
            Event::Frame(Frame { content, findings }) => {
                let inbound = Inbound {
                    content,
                    findings: findings.iter().map(|it| it.text().to_owned()).collect(),
                    peer: peer.clone(),
                    received: Timestamp::from_micros(self.clock.now_micros()),
                };
                let answer = self.door.receive(inbound).await;
                self.answer(stream, answer).await
            }
        }
    }

    /// Writes what is to be said now, and waits for what is to be said before anything is read.
    async fn answer(
        &mut self,
        stream: &mut Box<dyn ByteStream>,
        answer: Answer,
    ) -> Result<Then, Ended> {
        let commit: &[u8] = match answer.is_stored {
            _ if !self.config.commit_bytes => &[],
            Some(false) => &NOT_COMMITTED,
            // None: the frame held nothing to be stored, so nothing of it can be lost.
            Some(true) | None => &COMMITTED,
        };
        self.write(stream, commit, &answer.now).await?;
        match answer.later {
            Some(Later { mut replies, holds_reading: true }) => loop {
                let (replies, is_it) = tokio::select! {
                    biased;
                    replies = &mut replies => (replies, true),
                    earlier = self.outstanding.next() => (earlier, false),
                    () = broken(stream, &mut self.ahead) => return Err(Ended(Trouble::Unread)),
                };
                self.write(stream, &[], &replies).await?;
                if is_it {
                    break;
                }
            },
            Some(Later { replies, holds_reading: false }) => self.outstanding.push(replies),
            None => {}
        }
        Ok(if answer.close { Then::Close } else { Then::GoOn })
    }

    /// Writes the next answer that was promised.
    async fn write_next(&mut self, stream: &mut Box<dyn ByteStream>) -> Result<(), Ended> {
        let replies = tokio::select! {
            biased;
            replies = self.outstanding.next() => replies,
            () = broken(stream, &mut self.ahead) => return Err(Ended(Trouble::Unread)),
        };
        self.write(stream, &[], &replies).await
    }

    /// Writes everything that was promised. Each of it comes within the listener's
    /// `processed_timeout`.
    async fn drain(&mut self, stream: &mut Box<dyn ByteStream>) -> Result<(), Ended> {
        while !self.outstanding.is_empty() {
            self.write_next(stream).await?;
        }
        Ok(())
    }

    /// Our place in the stream is lost: says so where the sender can be told, and closes.
    async fn faulted(
        &mut self,
        fault: FrameError,
        decoder: &Decoder,
        stream: &mut Box<dyn ByteStream>,
    ) -> Result<(), Ended> {
        if let FrameError::TooLong { frame_bytes_max } = fault {
            let too_long = FrameFault::TooLong { bytes_max: frame_bytes_max };
            let answer = self.door.fault(too_long, decoder.beginning());
            self.answer(stream, Answer { is_stored: Some(false), ..answer }).await?;
        }
        Err(Ended(trouble(fault)))
    }

    /// Writes a commit byte, if there is one, and replies.
    async fn write(
        &mut self,
        stream: &mut Box<dyn ByteStream>,
        commit: &[u8],
        replies: &[Reply],
    ) -> Result<(), Ended> {
        let mut frames = commit.to_vec();
        for reply in replies {
            match encode(&reply.bytes) {
                Ok(frame) => frames.extend(frame),
                // What we give back came out of a frame, so it cannot hold framing but by a bug.
                Err(_) => {
                    error!(listener = %self.listener, "an answer held a byte of the framing");
                    return Err(Ended(Trouble::Unread));
                }
            }
        }
        if frames.is_empty() {
            return Ok(());
        }
        let late = self.clock.sleep_until(self.clock.instant().plus(self.read_timeout));
        let written = async {
            stream.write_all(&frames).await?;
            stream.flush().await
        };
        tokio::select! {
            biased;
            written = written => written.map_err(|_| Ended(Trouble::Unread)),
            () = late => Err(Ended(Trouble::Unread)),
        }
    }

    /// Takes the process's bytes in flight before they are buffered.
    async fn cover(&mut self, bytes: usize, deadline: Option<Instant>) -> Result<(), Ended> {
        let fallback = self.clock.instant().plus(self.read_timeout);
        let late = self.clock.sleep_until(deadline.unwrap_or(fallback));
        tokio::select! {
            biased;
            () = self.lease.cover(bytes) => Ok(()),
            () = late => Err(Ended(Trouble::Budget)),
        }
    }

    async fn pause(
        &mut self,
        stream: &mut Box<dyn ByteStream>,
        read: &mut [u8],
        deadline: Option<Instant>,
        is_idle: bool,
    ) -> Woken {
        let late = async {
            match deadline {
                Some(at) => self.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let stop = async {
            if is_idle {
                let _ = self.stopping.wait_for(|it| *it).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = stop => Woken::Stop,
            replies = self.outstanding.next() => Woken::Later(replies),
            count = stream.read(read) => match count {
                Ok(count) => Woken::Read(count),
                // TLS that ends without a word is a stream that ends.
                Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => Woken::Read(0),
                Err(_) => Woken::Broken,
            },
            () = late => Woken::Late,
        }
    }

    fn count_skipped(&self, decoder: &Decoder, before: &mut u64) {
        let skipped = decoder.skipped();
        if skipped != *before {
            self.skipped.inc_by(skipped - *before);
            *before = skipped;
        }
    }
}

/// Ends once the connection is broken: nobody waits for what is decided. A peer that has only closed its
/// half may still listen. What it says meanwhile is kept, within a bound past which nothing is read.
async fn broken(stream: &mut Box<dyn ByteStream>, ahead: &mut Vec<u8>) {
    while ahead.len() < READ_BYTES {
        let mut read = vec![0; IDLE_READ_BYTES.min(READ_BYTES - ahead.len())];
        match stream.read(&mut read).await {
            Ok(0) => break,
            Ok(count) => ahead.extend_from_slice(read.get(..count).unwrap_or_default()),
            Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(_) => return,
        }
    }
    std::future::pending().await
}

/// Whether a frame is a commit byte of MLLP release 2.
fn is_commit(content: &[u8]) -> bool {
    let frame = frame_of(content);
    frame == COMMITTED || frame == NOT_COMMITTED
}

/// The frame around one byte; none that means anything around more or less.
fn frame_of(content: &[u8]) -> [u8; 4] {
    match content {
        [byte] => [VT, *byte, FS, CR],
        _ => [0; 4],
    }
}

fn trouble(fault: FrameError) -> Trouble {
    match fault {
        FrameError::TooLong { .. } => Trouble::TooLong,
        FrameError::Junk { .. } => Trouble::Junk,
        FrameError::Strict(_) | FrameError::Dropped => Trouble::Strict,
        FrameError::CutOff => Trouble::CutOff,
    }
}

#[cfg(test)]
mod tests;
