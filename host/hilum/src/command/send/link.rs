//! One MLLP connection of the client.

use std::time::Duration;

use bytes::Bytes;
use hilum_env::{Address, Connection, Doors, Instant};
use hilum_hl7::Message;
use hilum_mllp::{Decoder, Event, FrameError, Limits, Waiting};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::messages::{Asked, Expects, Prepared};
use super::secured::Secured;

/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How long to listen where an answer comes only if something is wrong.
const PERHAPS: Duration = Duration::from_millis(300);
/// How long after FS the frame counts as ended.
const SILENCE: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkFault {
    #[error("cannot connect: {0}")]
    NotConnected(String),
    #[error("TLS failed: {0}")]
    NotSecured(String),
    #[error("no connection within {0:?}")]
    DialTimeout(Duration),
    #[error("no answer within {0:?}")]
    AnswerTimeout(Duration),
    #[error("the connection ended before the answer")]
    Ended,
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("what came back is not framed as MLLP")]
    NotMllp(#[source] FrameError),
    #[error("what came back is no acknowledgement")]
    NotAcknowledgement,
    #[error("the message cannot be framed")]
    HoldsFraming,
}

/// What came back for one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The last of MSA-1: `AA`, `AE`, `AR`, `CA`, `CE`, `CR`; none where silence was agreed.
    pub code: Option<String>,
    /// ERR-3 and ERR-2, or what stands for them: `207 at PID^1^3`.
    pub fault: Option<String>,
}

impl Answered {
    /// Whether the receiver has the message.
    pub fn is_accepted(&self) -> bool {
        self.code.as_deref().is_none_or(|code| matches!(code, "AA" | "CA"))
    }
}

/// An open connection.
pub struct Link {
    connection: Connection,
    decoder: Decoder,
    doors: Doors,
    timeout: Duration,
    ended: bool,
    buffer: Vec<u8>,
}

impl Link {
    /// Connects, and shakes hands if TLS is spoken.
    pub async fn dial(
        doors: &Doors,
        to: &Address,
        tls: Option<&Secured>,
        timeout: Duration,
    ) -> Result<Self, LinkFault> {
        let until = doors.clock.instant().plus(timeout);
        let dialling = async {
            let dialled = doors.net.dial(to).await;
            let mut connection =
                dialled.map_err(|fault| LinkFault::NotConnected(fault.to_string()))?;
            if let Some(tls) = tls {
                connection.stream = tls
                    .shake(connection.stream)
                    .await
                    .map_err(|fault| LinkFault::NotSecured(fault.to_string()))?;
            }
            Ok(connection)
        };
        let connection = tokio::select! {
            biased;
            dialled = dialling => dialled?,
            () = doors.clock.sleep_until(until) => return Err(LinkFault::DialTimeout(timeout)),
        };
        let limits =
            Limits { frame_bytes_max: ANSWER_BYTES_MAX, junk_bytes_max: 1024, strict: false };
        Ok(Self {
            connection,
            decoder: Decoder::new(limits),
            doors: doors.clone(),
            timeout,
            ended: false,
            buffer: vec![0; 16 << 10],
        })
    }

    /// Whether another message can be sent on it.
    pub fn is_usable(&self) -> bool {
        !self.ended
    }

    /// Sends one message and waits for the answers that it asks for.
    pub async fn exchange(&mut self, message: &Prepared) -> Result<Answered, LinkFault> {
        let frame = hilum_mllp::encode(message.content()).map_err(|_| LinkFault::HoldsFraming)?;
        let until = self.doors.clock.instant().plus(self.timeout);
        tokio::select! {
            biased;
            written = write(&mut self.connection, &frame) => {
                written.map_err(|fault| LinkFault::Broken(fault.to_string()))?;
            }
            () = self.doors.clock.sleep_until(until) => {
                return Err(LinkFault::AnswerTimeout(self.timeout));
            }
        }
        let (first, second) = waits(message.expects());
        let mut answered = Answered::default();
        for wait in [first, second].into_iter().flatten() {
            match self.answer(message.control_id(), wait).await? {
                Some(answer) => answered = answer,
                // Agreed silence: the receiver had nothing to say.
                None => continue,
            }
            if !answered.is_accepted() {
                // Nothing follows a CE or CR, and AE or AR are the last word.
                break;
            }
        }
        Ok(answered)
    }

    /// The next answer to this message; none where the wait may pass in silence and did.
    async fn answer(
        &mut self,
        control_id: Option<&[u8]>,
        wait: Wait,
    ) -> Result<Option<Answered>, LinkFault> {
        let until = self.doors.clock.instant().plus(match wait {
            Wait::Must => self.timeout,
            Wait::May => PERHAPS.min(self.timeout),
        });
        loop {
            let Some(frame) = self.frame(until).await? else {
                return match wait {
                    Wait::Must => Err(LinkFault::AnswerTimeout(self.timeout)),
                    Wait::May => Ok(None),
                };
            };
            let (answered, to) = read_answer(frame)?;
            // An answer to another message (a late one) says nothing about this one. A receiver
            // that could not read the control id answers without one.
            if to.is_empty() || control_id.is_none_or(|ours| ours == to) {
                return Ok(Some(answered));
            }
        }
    }

    /// The next frame; none when `until` came first.
    async fn frame(&mut self, until: Instant) -> Result<Option<Bytes>, LinkFault> {
        let not_mllp = |fault: FrameError| match fault {
            FrameError::CutOff => LinkFault::Ended,
            other => LinkFault::NotMllp(other),
        };
        loop {
            match self.decoder.next_event().map_err(not_mllp)? {
                Some(Event::Frame(frame)) => return Ok(Some(frame.content)),
                Some(Event::Empty | Event::Dropped { .. }) => continue,
                None if self.ended => return Err(LinkFault::Ended),
                None => {}
            }
            // FS without CR ends a frame after a while: PROTOCOL.md §3.
            let is_after_separator = self.decoder.waiting() == Waiting::AfterSeparator;
            let silence = self.doors.clock.instant().plus(SILENCE);
            let wake = if is_after_separator { until.min(silence) } else { until };
            let read = tokio::select! {
                biased;
                read = self.connection.stream.read(&mut self.buffer) => Some(read),
                () = self.doors.clock.sleep_until(wake) => None,
            };
            let ended = match read {
                None if is_after_separator => self.decoder.silence(),
                None => return Ok(None),
                Some(Ok(0)) => {
                    self.ended = true;
                    self.decoder.end()
                }
                Some(Ok(count)) => {
                    self.decoder.feed(self.buffer.get(..count).unwrap_or_default());
                    continue;
                }
                Some(Err(fault)) => return Err(LinkFault::Broken(fault.to_string())),
            };
            if let Some(Event::Frame(frame)) = ended.map_err(not_mllp)? {
                return Ok(Some(frame.content));
            }
        }
    }
}

async fn write(connection: &mut Connection, frame: &[u8]) -> std::io::Result<()> {
    connection.stream.write_all(frame).await?;
    connection.stream.flush().await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Must,
    May,
}

/// What to wait for, in order: HL7 v2.5.1 ch. 2, 2.9.2 and 2.9.3.
fn waits(expects: Expects) -> (Option<Wait>, Option<Wait>) {
    let wait = |asked| match asked {
        Asked::Always => Some(Wait::Must),
        Asked::Perhaps => Some(Wait::May),
        Asked::Never => None,
    };
    match expects {
        Expects::One => (Some(Wait::Must), None),
        Expects::Asked { accept, application } => (wait(accept), wait(application)),
    }
}

/// What an acknowledgement says, and MSA-2.
fn read_answer(frame: Bytes) -> Result<(Answered, Vec<u8>), LinkFault> {
    let message = Message::parse(frame.clone()).map_err(|_| LinkFault::NotAcknowledgement)?;
    let field = |path: &str| {
        let range = path.parse().ok().and_then(|path| message.find(&path))?;
        frame.get(range).filter(|value| !value.is_empty())
    };
    let text = |path: &str| field(path).map(|value| String::from_utf8_lossy(value).into_owned());
    let code = text("MSA-1").ok_or(LinkFault::NotAcknowledgement)?;
    let place = whole_field(&message, "ERR", 2).or_else(|| whole_field(&message, "ERR", 1));
    let fault = match (text("ERR-3"), place) {
        (Some(number), Some(place)) => Some(format!("{number} at {place}")),
        (Some(number), None) => Some(number),
        (None, place) => text("MSA-3").or(place),
    };
    let control_id = field("MSA-2").unwrap_or_default().to_vec();
    Ok((Answered { code: Some(code), fault }, control_id))
}

/// A field with all its components, as it stands on the wire.
fn whole_field(message: &Message, segment: &str, field: u32) -> Option<String> {
    let segment = message.segments().find(|it| it.name() == segment)?;
    let raw = message.bytes().get(segment.field(field)?)?;
    (!raw.is_empty()).then(|| String::from_utf8_lossy(raw).into_owned())
}
