//! One connection to a receiver: one message at a time, and the answers that are its own.

use std::collections::VecDeque;
use std::future::ready;
use std::time::Duration;

use bytes::Bytes;
use hilum_env::tls::TlsFault;
use hilum_env::{ByteStream, Clock, Instant, words};
use hilum_mllp::{Decoder, Event, FrameError, Limits, Waiting};
use hilum_words::Name;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::FORMAT;
use super::accept;
use super::answer::Answer;
use super::awaited::{Awaited, Elsewhere};
use super::expected::Wait;
use super::on_answer::OnAnswer;
use super::outgoing::Outgoing;
use super::places::Place;
use super::strays::Strays;
use crate::dial::NotDialled;
use crate::metrics::Stray;
use crate::{Delivered, SendFault};

/// Bytes that one read takes at most.
const READ_BYTES: usize = 16 << 10;
/// Bytes of the first write of a message: no more than a record of TLS holds (RFC 8446 §5.1).
const FIRST_BYTES: usize = 16 << 10;
/// Junk that is skipped before an answer.
const JUNK_BYTES_MAX: usize = 1 << 10;
/// First bytes that are kept, to tell another protocol.
const FIRST_HEARD: usize = 5;
/// After FS, so much silence means that the frame has ended.
const SILENCE: Duration = Duration::from_secs(1);
/// How long to listen where an answer comes only if something is wrong.
const PERHAPS: Duration = Duration::from_secs(1);
/// Earlier messages that are remembered, to know their answers when they come late or again.
const EARLIER_MAX: usize = 64;

/// Not one byte of the message was written, so it may go out on another connection.
#[derive(Debug)]
pub(super) struct NotBegun(pub(super) NotDialled);

fn not_begun(why: impl Into<String>) -> NotBegun {
    NotBegun(NotDialled::Unreachable(why.into()))
}

/// Whether the receiver's TLS does not let us in. With TLS 1.3 the client's certificate is looked
/// at after the handshake has ended for the client, and before anything that it sends is read.
fn is_shut_out(error: &std::io::Error) -> bool {
    matches!(TlsFault::of(error), Some(TlsFault::WantsCertificate | TlsFault::RefusesCertificate))
}

/// What an exchange knows of time.
#[derive(Clone, Copy)]
pub(super) struct Times<'a> {
    pub(super) clock: &'a dyn Clock,
    /// Time to answer.
    pub(super) answer: Duration,
    /// Time to the application acknowledgement after the commit one.
    pub(super) application: Duration,
}

impl Times<'_> {
    fn after(self, time: Duration) -> Instant {
        self.clock.instant().plus(time)
    }
}

/// What came of listening.
enum Heard {
    Answer(Answer),
    Silence,
    Ended(String),
    /// The receiver's TLS does not let us in, so nothing has reached the receiver itself.
    ShutOut(String),
}

struct Earlier {
    control_id: Bytes,
    is_answered: bool,
}

/// An open connection.
pub(super) struct Link {
    stream: Box<dyn ByteStream>,
    decoder: Decoder,
    buffer: Vec<u8>,
    answer_bytes_max: usize,
    earlier: VecDeque<Earlier>,
    strays: Strays,
    /// The first bytes that came, which tell another protocol.
    first: Vec<u8>,
    awaited: Awaited,
    is_usable: bool,
    has_ended: bool,
    /// The acknowledgement that settled the last message, if it asks for one back.
    owed: Option<Bytes>,
    /// Counts it among the destination's connections.
    _place: Option<Place>,
}

impl Link {
    pub(super) fn new(
        stream: Box<dyn ByteStream>,
        answer_bytes_max: usize,
        awaited: Awaited,
    ) -> Self {
        let limits = Limits {
            frame_bytes_max: answer_bytes_max,
            junk_bytes_max: JUNK_BYTES_MAX,
            strict: false,
        };
        Self {
            stream,
            decoder: Decoder::new(limits),
            buffer: vec![0; READ_BYTES],
            answer_bytes_max,
            earlier: VecDeque::new(),
            strays: Strays::default(),
            first: Vec::new(),
            awaited,
            is_usable: true,
            has_ended: false,
            owed: None,
            _place: None,
        }
    }

    /// The same, in a place among the destination's connections.
    pub(super) fn in_place(self, place: Place) -> Self {
        Self { _place: Some(place), ..self }
    }

    /// Whether another message can be sent on it: every answer that is awaited has come.
    pub(super) fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// Whether a message with this control id went out on it: an answer to that one that comes
    /// again could not be told from one to this.
    pub(super) fn has_sent(&self, control_id: &Bytes) -> bool {
        self.earlier.iter().any(|it| it.control_id == control_id)
    }

    /// What came and settled nothing.
    pub(super) fn take_strays(&mut self) -> Strays {
        std::mem::take(&mut self.strays)
    }

    /// The acknowledgement that asks for one back.
    pub(super) fn take_owed(&mut self) -> Option<Bytes> {
        self.owed.take()
    }

    /// Says something that nobody answers; whether all of it was written.
    pub(super) async fn say(&mut self, frame: &[u8], times: Times<'_>) -> bool {
        self.write(frame, times.after(times.answer), times).await.is_ok()
    }

    /// Sends one message and waits for the answers that it asks for.
    pub(super) async fn exchange(
        &mut self,
        outgoing: &Outgoing,
        elsewhere: &mut Elsewhere,
        on_answer: &OnAnswer,
        times: Times<'_>,
    ) -> Result<Result<Delivered, SendFault>, NotBegun> {
        self.is_usable = false;
        self.look_before().await?;
        let deadline = times.after(times.answer);
        let result = match self.write(&outgoing.frame, deadline, times).await {
            Ok(()) => self.settle(outgoing, elsewhere, on_answer, deadline, times).await,
            Err((0, why)) => return Err(not_begun(why)),
            Err((_, why)) => Err(self.broken_off(outgoing, on_answer, why, times).await),
        };
        Ok(result)
    }

    /// Takes what came while nothing was on its way, and sees whether the other side has closed
    /// meanwhile: what answers nobody's question must not be taken for an answer to the next.
    async fn look_before(&mut self) -> Result<(), NotBegun> {
        let mut left = self.answer_bytes_max;
        loop {
            while let Some(event) =
                self.decoder.next_event().map_err(|it| not_begun(not_mllp(it)))?
            {
                self.sort(event, None);
            }
            let read = tokio::select! {
                biased;
                read = self.stream.read(&mut self.buffer) => read,
                () = ready(()) => return Ok(()),
            };
            match read {
                Ok(0) => return Err(not_begun("the connection closed before the message")),
                Ok(count) if count <= left => {
                    left -= count;
                    self.hear(count);
                }
                Ok(_) => return Err(not_begun("more was said unasked than may be read")),
                Err(error) if is_shut_out(&error) => {
                    return Err(NotBegun(NotDialled::SetUp(words(&error))));
                }
                Err(error) => return Err(not_begun(words(&error))),
            }
        }
    }

    /// Writes the whole frame. The error says how much was written: of a first write that failed,
    /// nothing, since it fits into one record of TLS, which arrives whole or not at all.
    async fn write(
        &mut self,
        frame: &[u8],
        deadline: Instant,
        times: Times<'_>,
    ) -> Result<(), (usize, String)> {
        let mut late = times.clock.sleep_until(deadline);
        let mut written = 0;
        while let Some(rest) = frame.get(written..).filter(|it| !it.is_empty()) {
            let part = if written == 0 { rest.get(..FIRST_BYTES).unwrap_or(rest) } else { rest };
            let wrote = tokio::select! {
                biased;
                wrote = self.stream.write(part) => wrote,
                () = &mut late => return Err((written, "could not be written in time".into())),
            };
            match wrote {
                Ok(0) => return Err((written, "the connection closed".into())),
                Ok(count) => written += count,
                Err(error) => return Err((written, words(&error))),
            }
        }
        self.stream.flush().await.map_err(|error| (written, words(&error)))
    }

    /// Listens until the message is settled: everything that decides it stands here.
    async fn settle(
        &mut self,
        outgoing: &Outgoing,
        elsewhere: &mut Elsewhere,
        on_answer: &OnAnswer,
        deadline: Instant,
        times: Times<'_>,
    ) -> Result<Delivered, SendFault> {
        let first = outgoing.expected.first;
        let mut deadline = match first {
            Wait::Must => deadline,
            Wait::May => deadline.min(times.after(PERHAPS)),
            Wait::No => return Ok(self.unconfirmed(outgoing)),
        };
        let mut is_committed = false;
        // What came elsewhere while the receiver had not said here that it has the message.
        let mut early: Option<Answer> = None;
        // How the connection ended, while the answer may come elsewhere.
        let mut ended: Option<String> = None;
        loop {
            let mut is_here = true;
            let is_due = |is_committed: bool| outgoing.expected.commit && !is_committed;
            let heard = tokio::select! {
                biased;
                answer = next(&mut early), if !is_due(is_committed) => {
                    is_here = false;
                    Heard::Answer(answer)
                }
                answer = elsewhere.next() => {
                    if is_due(is_committed) {
                        early = Some(answer);
                        continue;
                    }
                    is_here = false;
                    Heard::Answer(answer)
                }
                heard = self.listen(outgoing, deadline, times), if !self.has_ended => heard,
                () = times.clock.sleep_until(deadline) => Heard::Silence,
            };
            let answer = match heard {
                Heard::Answer(answer) => answer,
                Heard::Silence if first == Wait::May => return Ok(self.unconfirmed(outgoing)),
                Heard::Silence => {
                    let ended = ended.map(|it| format!("{it}, and {LATE} came to the listener"));
                    let why = ended.as_deref().unwrap_or(LATE);
                    return Err(self.unheard(early, is_committed, why));
                }
                // It comes to a listener, and does not need this connection. After a commit
                // acknowledgement the receiver has no reason to keep it.
                Heard::Ended(why) if elsewhere.is_named && !is_due(is_committed) => {
                    ended = Some(why).filter(|it| !is_committed || it != CLOSED);
                    continue;
                }
                Heard::Ended(why) => return Err(self.unheard(early, is_committed, &why)),
                Heard::ShutOut(code) => return Err(SendFault::Misconfigured { code }),
            };
            let Some(code) = answer.code else {
                return Err(self.lost(is_committed, "MSA-1 of the answer is not in table 0008"));
            };
            if outgoing.expected.goes_on_after(code) {
                if is_committed {
                    self.strays.add(Stray::Repeated);
                } else {
                    is_committed = true;
                    deadline = times.after(times.application);
                }
                continue;
            }
            self.remember(outgoing, true);
            if is_here && !code.is_commit() && accept::is_asked_for(&answer.content) {
                self.owed = Some(answer.content.clone());
            }
            if !code.is_positive() {
                return Err(on_answer.fault(code, &answer));
            }
            let answer = Some((Name::from(FORMAT), answer.content));
            return Ok(Delivered { code: code.word().into(), answer });
        }
    }

    /// The connection broke while the message was written. A receiver that refuses it at its head
    /// (too long, not for it) may have said so; that it has the whole of it nobody can say.
    async fn broken_off(
        &mut self,
        outgoing: &Outgoing,
        on_answer: &OnAnswer,
        why: String,
        times: Times<'_>,
    ) -> SendFault {
        match self.listen(outgoing, times.after(PERHAPS), times).await {
            Heard::ShutOut(code) => return SendFault::Misconfigured { code },
            Heard::Answer(answer) => {
                if let Some(code) = answer.code.filter(|it| !it.is_positive()) {
                    return on_answer.fault(code, &answer);
                }
            }
            Heard::Silence | Heard::Ended(_) => {}
        }
        SendFault::Ambiguous(format!("broke off while the message was written: {why}"))
    }

    /// It was written, and nobody has asked for an answer that would have to come.
    fn unconfirmed(&mut self, outgoing: &Outgoing) -> Delivered {
        self.remember(outgoing, false);
        Delivered { code: "unconfirmed".into(), answer: None }
    }

    fn remember(&mut self, outgoing: &Outgoing, is_answered: bool) {
        if EARLIER_MAX <= self.earlier.len() {
            self.earlier.pop_front();
        }
        self.earlier.push_back(Earlier { control_id: outgoing.control_id.clone(), is_answered });
        self.is_usable = !self.has_ended;
    }

    /// No answer decides, and what came elsewhere does not while there is no commit acknowledgement.
    fn unheard(&mut self, early: Option<Answer>, is_committed: bool, why: &str) -> SendFault {
        if early.is_some() {
            self.strays.add(Stray::Uncommitted);
        }
        self.lost(is_committed, why)
    }

    /// No answer decides. The connection is not used again, so what comes too late finds no other
    /// message to settle.
    fn lost(&self, is_committed: bool, why: &str) -> SendFault {
        let said = if why == LATE || why == CLOSED { self.unframed() } else { None };
        let why = said.map_or_else(|| why.to_owned(), |said| format!("{why}; {said}"));
        let strays = &self.strays;
        let why = if strays.is_empty() { why } else { format!("{why}; came: {strays}") };
        if is_committed {
            return SendFault::Unconfirmed(format!("CA, then {why}"));
        }
        SendFault::Ambiguous(why)
    }

    /// What came that is no frame, without its content.
    fn unframed(&self) -> Option<String> {
        match (self.decoder.waiting(), self.decoder.junk()) {
            (Waiting::Start, 0) => None,
            (Waiting::Start, junk) => {
                let also = another_protocol(&self.first);
                Some(format!("what came back is not MLLP: {junk} bytes outside of a frame{also}"))
            }
            _ => Some("an answer began and did not end".into()),
        }
    }

    /// Takes bytes that were read.
    fn hear(&mut self, count: usize) {
        let bytes = self.buffer.get(..count).unwrap_or_default();
        let wanted = FIRST_HEARD.saturating_sub(self.first.len());
        self.first.extend(bytes.iter().take(wanted));
        self.decoder.feed(bytes);
    }

    /// The next answer to this message.
    async fn listen(&mut self, outgoing: &Outgoing, until: Instant, times: Times<'_>) -> Heard {
        loop {
            match self.decoder.next_event() {
                Ok(Some(event)) => match self.sort(event, Some(outgoing)) {
                    Some(answer) => return Heard::Answer(answer),
                    None => continue,
                },
                Ok(None) if self.has_ended => return Heard::Ended(CLOSED.into()),
                Ok(None) => {}
                Err(fault) => return self.misframed(fault),
            }
            let is_after_separator = self.decoder.waiting() == Waiting::AfterSeparator;
            let silence = times.after(SILENCE);
            let wake = if is_after_separator { until.min(silence) } else { until };
            // The time comes first: one who never stops talking is not listened to for ever.
            let read = tokio::select! {
                biased;
                () = times.clock.sleep_until(wake) => None,
                read = self.stream.read(&mut self.buffer) => Some(read),
            };
            let last = match read {
                None if is_after_separator => self.decoder.silence(),
                None => return Heard::Silence,
                Some(Ok(0)) => {
                    self.has_ended = true;
                    self.decoder.end()
                }
                Some(Ok(count)) => {
                    self.hear(count);
                    continue;
                }
                Some(Err(error)) => return self.failed(&error),
            };
            match last {
                Ok(Some(event)) => {
                    if let Some(answer) = self.sort(event, Some(outgoing)) {
                        return Heard::Answer(answer);
                    }
                }
                Ok(None) => {}
                Err(fault) => return self.misframed(fault),
            }
        }
    }

    fn ended(&mut self, why: String) -> Heard {
        self.has_ended = true;
        Heard::Ended(why)
    }

    fn misframed(&mut self, fault: FrameError) -> Heard {
        let is_junk = matches!(fault, FrameError::Junk { .. });
        let also = if is_junk { another_protocol(&self.first) } else { "" };
        self.ended(format!("{}{also}", not_mllp(fault)))
    }

    fn failed(&mut self, error: &std::io::Error) -> Heard {
        if is_shut_out(error) {
            self.has_ended = true;
            return Heard::ShutOut(words(error));
        }
        // TLS that ends without its closing alert, which is how many a receiver closes.
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            let is_inside = self.decoder.waiting() != Waiting::Start;
            return self.ended(if is_inside { CLOSED_INSIDE } else { CLOSED }.into());
        }
        self.ended(words(error))
    }

    /// Tells the answer to the message on its way from all else, which is counted.
    fn sort(&mut self, event: Event, outgoing: Option<&Outgoing>) -> Option<Answer> {
        let content = match event {
            Event::Frame(frame) => frame.content,
            Event::Empty => return self.stray(Stray::Empty),
            Event::Dropped { .. } => return self.stray(Stray::CutOff),
        };
        let Some(answer) = Answer::read(content) else {
            return self.stray(Stray::NoAcknowledgement);
        };
        if outgoing.is_some_and(|it| answer.is_to(it)) {
            return Some(answer);
        }
        if answer.control_id.trim_ascii().is_empty() {
            return self.stray(Stray::NoControlId);
        }
        // It may be the application's, to a message that went out on another connection.
        let Err(answer) = self.awaited.offer(answer) else { return None };
        let earlier = self.earlier.iter_mut().find(|it| it.control_id == answer.control_id);
        let stray = match earlier {
            Some(earlier) if earlier.is_answered => Stray::Repeated,
            Some(earlier) => {
                earlier.is_answered = true;
                Stray::Late
            }
            None if outgoing.is_some() => Stray::Foreign,
            None => Stray::Unsolicited,
        };
        self.stray(stray)
    }

    fn stray(&mut self, stray: Stray) -> Option<Answer> {
        self.strays.add(stray);
        None
    }
}

/// What is kept, else this waits for ever.
async fn next(kept: &mut Option<Answer>) -> Answer {
    match kept.take() {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

const LATE: &str = "no answer in time";
const CLOSED: &str = "the connection closed without an answer";
const CLOSED_INSIDE: &str = "the connection closed inside an answer";

/// Which protocol these bytes begin, to follow what is said of them.
fn another_protocol(first: &[u8]) -> &'static str {
    match first {
        // RFC 8446 §5.1: a record of TLS, alert or handshake, and its version.
        [0x15 | 0x16, 0x03, ..] => "; it speaks TLS there",
        [b'H', b'T', b'T', b'P', b'/', ..] => "; it speaks HTTP there",
        _ => "",
    }
}

fn not_mllp(fault: FrameError) -> String {
    match fault {
        FrameError::CutOff => CLOSED_INSIDE.into(),
        fault => format!("what came back is not MLLP: {fault}"),
    }
}

#[cfg(test)]
mod tests;
