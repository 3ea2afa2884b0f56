//! One connection: reads frames, hands them over, writes the answers in order.
//!
//! While a message is being stored nothing is read, so TCP holds back a peer that does not wait.

use std::sync::Arc;
use std::time::Duration;

use hilum_env::{ByteStream, Clock, Instant, Peer};
use hilum_mllp::{Decoder, Event, Frame, FrameError, Limits, Waiting, encode};
use hilum_pipeline::{Answer, FrameFault, Inbound};
use hilum_words::{Name, Timestamp};
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tracing::{debug, error};

use super::{Door, MllpConfig};
use crate::metrics::Trouble;
use crate::{Lease, Metrics};

/// Bytes that one read takes at most.
const READ_BYTES: usize = 16 << 10;
/// After FS, so much silence means that the frame has ended (PROTOCOL §3).
const SILENCE: Duration = Duration::from_secs(1);
/// How long a closing connection is listened to.
const LINGER: Duration = Duration::from_millis(500);
/// How much a closing connection may still say.
const LINGER_BYTES_MAX: usize = 1 << 20;
/// Junk that is skipped before a frame.
const JUNK_BYTES_MAX: usize = 1 << 10;

/// One connection to an MLLP listener.
pub(super) struct Connection<D> {
    pub(super) listener: Name,
    pub(super) config: MllpConfig,
    pub(super) door: Arc<D>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lease: Lease,
    pub(super) metrics: Metrics,
    pub(super) bytes: Counter,
    pub(super) skipped: Counter,
    pub(super) stopping: watch::Receiver<bool>,
}

/// What a pause in reading ended with.
enum Woken {
    Read(usize),
    Late,
    Stop,
}

/// Why a connection ends, if not because the peer or the gateway wanted so.
struct Ended(Trouble);

impl<D: Door> Connection<D> {
    /// Reads frames, has them stored, writes answers, until either side ends it.
    pub(super) async fn run(mut self, mut stream: Box<dyn ByteStream>, peer: Peer) {
        if let Err(Ended(trouble)) = self.talk(&mut stream, &peer).await {
            self.metrics.trouble(&self.listener, trouble);
            debug!(listener = %self.listener, peer = %peer.address, ?trouble, "connection closed");
        }
        // Nothing that is still said will be buffered.
        self.lease.shrink(0);
        self.part(&mut stream).await;
    }

    /// Closes so that what was written arrives: closing with bytes unread would reset the
    /// connection, and the peer might never see its answer. Bounded in time and bytes.
    async fn part(&self, stream: &mut Box<dyn ByteStream>) {
        if stream.shutdown().await.is_err() {
            return;
        }
        let late = self.clock.sleep_until(self.clock.instant().plus(LINGER));
        let drained = async {
            let mut waste = vec![0; READ_BYTES];
            let mut left = LINGER_BYTES_MAX;
            while let Ok(count) = stream.read(&mut waste).await {
                left = left.saturating_sub(count);
                if count == 0 || left == 0 {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            () = drained => {}
            () = late => {}
        }
    }

    async fn talk(&mut self, stream: &mut Box<dyn ByteStream>, peer: &Peer) -> Result<(), Ended> {
        let mut decoder = Decoder::new(Limits {
            frame_bytes_max: self.config.frame_bytes_max,
            junk_bytes_max: JUNK_BYTES_MAX,
            strict: self.config.strict,
        });
        let mut read = vec![0; READ_BYTES];
        let mut skipped = 0;
        // When the frame that has not ended yet began.
        let mut began: Option<Instant> = None;
        loop {
            loop {
                let event = decoder.next_event();
                self.count_skipped(&decoder, &mut skipped);
                match event {
                    Ok(None) => break,
                    Ok(Some(event)) => {
                        began = None;
                        if self.handle(event, stream, peer).await? {
                            return Ok(());
                        }
                    }
                    Err(fault) => return self.faulted(fault, &decoder, stream).await,
                }
            }
            let now = self.clock.instant();
            let waiting = decoder.waiting();
            let deadline = match waiting {
                // A connection may be idle for days.
                Waiting::Start => {
                    began = None;
                    None
                }
                Waiting::End => {
                    let began = *began.get_or_insert(now);
                    Some(began.plus(self.config.read_timeout))
                }
                Waiting::AfterSeparator => Some(now.plus(SILENCE)),
            };
            // What was answered is no longer in flight.
            self.lease.shrink(decoder.buffered() + READ_BYTES);
            self.cover(decoder.buffered() + READ_BYTES, deadline).await?;
            match self.pause(stream, &mut read, deadline, waiting == Waiting::Start).await {
                Woken::Stop => return Ok(()),
                Woken::Read(0) => {
                    let last = decoder.end().map_err(|fault| Ended(trouble(fault)))?;
                    if let Some(event) = last {
                        self.handle(event, stream, peer).await?;
                    }
                    return Ok(());
                }
                Woken::Read(count) => {
                    self.bytes.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
                    decoder.feed(read.get(..count).unwrap_or_default());
                }
                Woken::Late if waiting == Waiting::AfterSeparator => {
                    let last = decoder.silence().map_err(|_| Ended(Trouble::Strict))?;
                    began = None;
                    if let Some(event) = last
                        && self.handle(event, stream, peer).await?
                    {
                        return Ok(());
                    }
                }
                Woken::Late => return Err(Ended(Trouble::TimedOut)),
            }
        }
    }

    /// Deals with an event; whether the connection is to be closed.
    async fn handle(
        &mut self,
        event: Event,
        stream: &mut Box<dyn ByteStream>,
        peer: &Peer,
    ) -> Result<bool, Ended> {
        match event {
            Event::Empty => {
                self.metrics.trouble(&self.listener, Trouble::Empty);
                Ok(false)
            }
            Event::Dropped { bytes } => {
                self.metrics.trouble(&self.listener, Trouble::Dropped);
                self.door.note_lost(peer, bytes);
                Ok(false)
            }
            Event::Frame(Frame { content, findings }) => {
                let inbound = Inbound {
                    content,
                    findings: findings.iter().map(|it| it.text().to_owned()).collect(),
                    peer: peer.clone(),
                    received: Timestamp::from_micros(self.clock.now_micros()),
                };
                let answer = self.door.receive(inbound).await;
                self.write(stream, answer).await
            }
        }
    }

    /// Our place in the stream is lost: says so where the sender can be told, and closes.
    async fn faulted(
        &mut self,
        fault: FrameError,
        decoder: &Decoder,
        stream: &mut Box<dyn ByteStream>,
    ) -> Result<(), Ended> {
        if matches!(fault, FrameError::TooLong { .. }) {
            let answer = self.door.fault(FrameFault::TooLong, decoder.beginning());
            self.write(stream, answer).await?;
        }
        Err(Ended(trouble(fault)))
    }

    /// Writes an answer; whether the connection is to be closed after it.
    async fn write(
        &mut self,
        stream: &mut Box<dyn ByteStream>,
        answer: Answer,
    ) -> Result<bool, Ended> {
        let mut frames = Vec::new();
        for reply in &answer.now {
            let Ok(frame) = encode(&reply.bytes) else {
                // What we give back came out of a frame, so it cannot hold framing but by a bug.
                error!(listener = %self.listener, "an answer held a byte of the framing");
                return Ok(true);
            };
            frames.extend(frame);
        }
        if frames.is_empty() {
            return Ok(answer.close);
        }
        let late = self.clock.sleep_until(self.clock.instant().plus(self.config.read_timeout));
        let written = async {
            stream.write_all(&frames).await?;
            stream.flush().await
        };
        tokio::select! {
            biased;
            written = written => written.map_err(|_| Ended(Trouble::Unread))?,
            () = late => return Err(Ended(Trouble::Unread)),
        }
        Ok(answer.close)
    }

    /// Takes the process's bytes in flight before they are buffered.
    async fn cover(&mut self, bytes: usize, deadline: Option<Instant>) -> Result<(), Ended> {
        let fallback = self.clock.instant().plus(self.config.read_timeout);
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
            // A connection that broke is a connection that ended.
            count = stream.read(read) => Woken::Read(count.unwrap_or(0)),
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
