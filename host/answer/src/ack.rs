//! Writes acknowledgements.

use std::fmt;

use bytes::Bytes;
use hilum_hl7::{Charset, Header, Path};
use hilum_store::Stored;
use hilum_words::{AckCode, Stamp};

use crate::mode::Mode;
use crate::refusal::Fault;
use crate::segment::Writing;
use crate::version::Version;
use crate::{Refusal, acknowledgement};

/// The acknowledgements of HL7 v2, as messages of our own, unframed. Each takes a stamp of its own:
/// in the enhanced mode an application acknowledgement is a new message that refers by MSA-2.
///
/// ```compile_fail
/// // Nobody can acknowledge what is not stored.
/// fn promise(header: &hilum_hl7::Header, stamp: &mut dyn FnMut() -> hilum_words::Stamp) {
///     hilum_answer::Ack::accept(header, stamp);
/// }
/// ```
#[derive(Clone)]
pub struct Ack {
    /// MSA-1.
    pub code: AckCode,
    /// The message.
    pub bytes: Bytes,
}

/// The code alone: an acknowledgement gives fields of the message back.
impl fmt::Debug for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ack({}, {} bytes)", self.code, self.bytes.len())
    }
}

/// What a sender can be told, and when.
#[derive(Clone, Copy)]
pub(crate) enum Verdict<'a> {
    /// It is stored, and that is all that this listener's senders wait for.
    Accepted,
    /// It is stored, and being processed.
    Committed,
    /// It was stored before, and every run of it is decided in its favour.
    Processed,
    /// It was stored before, and is refused.
    Rejected(&'a Refusal),
    /// It is not taken at all.
    Refused(&'a Refusal),
}

impl Ack {
    /// Tells the sender that we took the message, as far as it wants to know. It asks for
    /// [`Stored`] so that no caller can promise what a crash could still lose.
    pub fn accept(
        header: &Header,
        _stored: &Stored,
        stamp: &mut dyn FnMut() -> Stamp,
    ) -> Vec<Self> {
        write_all(Some(header), Verdict::Accepted, stamp)
    }

    /// Tells the sender that the message is stored, where it wants to know that before the message
    /// is processed: in the enhanced mode.
    pub fn commit(
        header: &Header,
        _stored: &Stored,
        stamp: &mut dyn FnMut() -> Stamp,
    ) -> Vec<Self> {
        write_all(Some(header), Verdict::Committed, stamp)
    }

    /// Tells the sender what became of a message that is stored, as far as it wants to know.
    pub fn processed(
        header: &Header,
        _stored: &Stored,
        outcome: Result<(), &Refusal>,
        stamp: &mut dyn FnMut() -> Stamp,
    ) -> Vec<Self> {
        let verdict = match outcome {
            Ok(()) => Verdict::Processed,
            Err(refusal) => Verdict::Rejected(refusal),
        };
        write_all(Some(header), verdict, stamp)
    }

    /// Tells the sender why we did not take the message. Without a header the answer is written
    /// with the customary delimiters, and its MSA-2 is empty.
    pub fn refuse(
        header: Option<&Header>,
        refusal: &Refusal,
        stamp: &mut dyn FnMut() -> Stamp,
    ) -> Vec<Self> {
        write_all(header, Verdict::Refused(refusal), stamp)
    }
}

/// Events have three characters, and sites' own somewhat more.
const EVENT_BYTES_MAX: usize = 8;

/// Names of table 0211 that are known and not read.
const CHARSETS_UNREAD: [&[u8]; 3] = [b"ISO IR", b"CNS 11643-1992", b"UNICODE"];

pub(crate) fn write_all(
    header: Option<&Header>,
    verdict: Verdict<'_>,
    stamp: &mut dyn FnMut() -> Stamp,
) -> Vec<Ack> {
    let due = due(header, verdict).into_iter();
    due.map(|code| Ack { code, bytes: write(header, code, verdict, stamp()) }).collect()
}

/// Decides which acknowledgements are due now, in order. Every decision is on this page.
fn due(header: Option<&Header>, verdict: Verdict<'_>) -> Vec<AckCode> {
    let is_acknowledgement = matches!(verdict, Verdict::Refused(Refusal::NotAwaited));
    if is_acknowledgement || header.is_some_and(acknowledgement::is_named) {
        // Two gateways that acknowledge acknowledgements never stop.
        return Vec::new();
    }
    let mode = header.map_or(Mode::Original, Mode::of);
    let Mode::Enhanced { accept, application } = mode else {
        return match verdict {
            Verdict::Accepted | Verdict::Processed => vec![AckCode::AA],
            Verdict::Committed => Vec::new(),
            Verdict::Rejected(refusal) | Verdict::Refused(refusal) => vec![refusal.reply().0],
        };
    };
    let commit = accept.is_for_success().then_some(AckCode::CA);
    let accepted = application.is_for_success().then_some(AckCode::AA);
    let rejected = |refusal: &Refusal| application.is_for_error().then_some(refusal.reply().0);
    match verdict {
        Verdict::Accepted => commit.into_iter().chain(accepted).collect(),
        Verdict::Committed => commit.into_iter().collect(),
        Verdict::Processed => accepted.into_iter().collect(),
        Verdict::Rejected(refusal) => rejected(refusal).into_iter().collect(),
        // What was not committed gets no further, so a CE or CR is the last word.
        Verdict::Refused(refusal) if accept.is_for_error() => vec![refusal.reply().0.commit()],
        Verdict::Refused(refusal) => rejected(refusal).into_iter().collect(),
    }
}

pub(crate) fn component<'a>(header: &Header, field: &'a [u8], number: u32) -> &'a [u8] {
    let first = header.delimiters.repetition_of(field, 1);
    first.and_then(|it| header.delimiters.component_of(it, number)).unwrap_or_default()
}

fn write(header: Option<&Header>, code: AckCode, verdict: Verdict<'_>, stamp: Stamp) -> Bytes {
    let writing = Writing::of(header);
    let version = header.map(Version::of);
    let is_long_err = version.is_none_or(|it| Version::WITH_LONG_ERR <= it);
    let mut answer = msh(&writing, header, stamp);

    let mut msa = vec![writing.text(code.word())];
    msa.push(header.map(|it| it.control_id.to_vec()).unwrap_or_default());
    let refusal = match verdict {
        Verdict::Rejected(refusal) | Verdict::Refused(refusal) => Some(refusal),
        Verdict::Accepted | Verdict::Committed | Verdict::Processed => None,
    };
    if let Some(refusal) = refusal
        && !is_long_err
    {
        // ERR has no field for a sentence before 2.5; MSA-3 is the one that older senders read.
        msa.push(writing.text(&refusal.to_string()));
    }
    answer.extend(writing.segment("MSA", msa));
    if let Some(refusal) = refusal {
        let err = if is_long_err { err } else { short_err };
        for fault in refusal.faults() {
            answer.extend(writing.segment("ERR", err(&writing, &fault)));
        }
    }
    answer.into()
}

fn msh(writing: &Writing, header: Option<&Header>, stamp: Stamp) -> Vec<u8> {
    let given_back =
        |field: fn(&Header) -> &Bytes| header.map(|it| field(it).to_vec()).unwrap_or_default();
    let is_enhanced = header.is_some_and(|it| Mode::of(it) != Mode::Original);
    // An acknowledgement is not to be acknowledged; the enhanced mode can say so.
    let no_answer = || {
        if is_enhanced { writing.text("NE") } else { Vec::new() }
    };
    // Both are required in every version, so what the sender left out is filled in.
    let or = |field: Option<&Bytes>, usual: &str| match field.filter(|it| !it.is_empty()) {
        Some(field) => field.to_vec(),
        None => writing.text(usual),
    };
    let processing_id = or(header.map(|it| &it.processing_id), "P");
    let version = or(header.map(|it| &it.version), "2.5.1");
    writing.segment(
        "MSH",
        vec![
            // MSH-1 is the separator itself, so the list begins with MSH-2.
            writing.encoding_characters().to_vec(),
            given_back(|it| &it.receiving_application),
            given_back(|it| &it.receiving_facility),
            given_back(|it| &it.sending_application),
            given_back(|it| &it.sending_facility),
            writing.text(&stamp.at.hl7()),
            Vec::new(),
            message_type(writing, header),
            writing.text(&stamp.control_id),
            processing_id,
            version,
            Vec::new(),
            Vec::new(),
            no_answer(),
            no_answer(),
            Vec::new(),
            // The fields above are given back in the sender's character set, so it is ours too.
            header.map(character_set).unwrap_or_default(),
        ],
    )
}

/// MSH-18, if each of its repetitions is a name of table 0211 or means one: a message whose segments
/// have run together may have somebody's name here.
fn character_set(header: &Header) -> Vec<u8> {
    let mut names = header.character_set.split(|it| *it == header.delimiters.repetition);
    let is_name = |name: &[u8]| {
        name.is_empty()
            || Charset::from_any_name(name).is_some()
            || CHARSETS_UNREAD.iter().any(|it| name.starts_with(it))
    };
    if names.all(is_name) { header.character_set.to_vec() } else { Vec::new() }
}

/// MSH-9: `ACK^A01^ACK`, `ACK^A01` before 2.3.1, `ACK` before 2.2 and where there is no event.
fn message_type(writing: &Writing, header: Option<&Header>) -> Vec<u8> {
    let event = header.map(|it| component(it, &it.message_type, 2)).unwrap_or_default();
    // An event is a code; what is none may be anything.
    let is_code = event.len() <= EVENT_BYTES_MAX && event.iter().all(u8::is_ascii_alphanumeric);
    let event = if is_code { event } else { &[] };
    let version = header.map(Version::of);
    let ack = writing.text("ACK");
    if event.is_empty() || version.is_some_and(|it| it < Version::WITH_EVENT) {
        return ack;
    }
    let mut parts = vec![ack.clone(), event.to_vec()];
    if version.is_some_and(|it| Version::WITH_STRUCTURE <= it) {
        parts.push(ack);
    }
    parts.join(&writing.delimiters.component)
}

/// HL7 v2.5 ch. 2, ERR: place in ERR-2, code in ERR-3, severity in ERR-4, for people ERR-8.
fn err(writing: &Writing, fault: &Fault) -> Vec<Vec<u8>> {
    let place = place(fault).map(|path| components_of(&path)).unwrap_or_default();
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    vec![
        Vec::new(),
        writing.components(&place),
        writing.components(&[fault.code.word(), fault.code.text(), "HL70357"]),
        writing.text("E"),
        Vec::new(),
        Vec::new(),
        Vec::new(),
        writing.text(&fault.text),
    ]
}

/// HL7 v2.4 ch. 2, ERR-1: segment, its number, field, and the code as a fourth component.
fn short_err(writing: &Writing, fault: &Fault) -> Vec<Vec<u8>> {
    let mut parts = place(fault).map(|path| components_of(&path)).unwrap_or_default();
    parts.resize(3, String::new());
    let mut values: Vec<Vec<u8>> = parts.iter().map(|part| writing.text(part)).collect();
    values.push(writing.subcomponents(&[fault.code.word(), fault.code.text(), "HL70357"]));
    vec![values.join(&writing.delimiters.component)]
}

/// A path that a plugin gave may not be one of HL7 v2; then there is no place.
fn place(fault: &Fault) -> Option<Path> {
    fault.at.as_deref()?.parse().ok()
}

/// The components of an ERL: segment, its number, field, repetition, component, subcomponent.
fn components_of(path: &Path) -> Vec<String> {
    path.erl('^').split('^').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
