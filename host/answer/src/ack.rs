//! Writes acknowledgements.

use bytes::Bytes;
use hilum_hl7::{Header, Path};
use hilum_store::Stored;
use hilum_words::Stamp;

use crate::mode::Mode;
use crate::refusal::Fault;
use crate::segment::Writing;
use crate::version::Version;
use crate::{AckCode, Refusal};

/// The acknowledgements of HL7 v2, as messages of our own, unframed.
///
/// ```compile_fail
/// // Nobody can acknowledge what is not stored.
/// fn promise(header: &hilum_hl7::Header, stamp: &mut dyn FnMut() -> hilum_words::Stamp) {
///     hilum_answer::Ack::accept(header, stamp);
/// }
/// ```
pub struct Ack;

/// What became of a message at the door.
#[derive(Clone, Copy)]
pub(crate) enum Verdict<'a> {
    Accepted,
    Refused(&'a Refusal),
}

impl Ack {
    /// Tells the sender that we took the message, as far as it wants to know. It asks for
    /// [`Stored`] so that no caller can promise what a crash could still lose. Every message that
    /// is written takes a stamp of its own.
    pub fn accept(
        header: &Header,
        _stored: &Stored,
        stamp: &mut dyn FnMut() -> Stamp,
    ) -> Vec<Bytes> {
        write_all(Some(header), Verdict::Accepted, stamp)
    }

    /// Tells the sender why we did not take the message. Without a header the answer is written
    /// with the customary delimiters, and its MSA-2 is empty.
    pub fn refuse(
        header: Option<&Header>,
        refusal: &Refusal,
        stamp: &mut dyn FnMut() -> Stamp,
    ) -> Vec<Bytes> {
        write_all(header, Verdict::Refused(refusal), stamp)
    }
}

pub(crate) fn write_all(
    header: Option<&Header>,
    verdict: Verdict<'_>,
    stamp: &mut dyn FnMut() -> Stamp,
) -> Vec<Bytes> {
    due(header, verdict).into_iter().map(|code| write(header, code, verdict, stamp())).collect()
}

/// Decides which acknowledgements are due now, in order. Every decision is on this page.
fn due(header: Option<&Header>, verdict: Verdict<'_>) -> Vec<AckCode> {
    let refused = match verdict {
        Verdict::Accepted => None,
        Verdict::Refused(refusal) => Some(refusal.reply().0),
    };
    let mode = header.map_or(Mode::Original, Mode::of);
    if header.is_some_and(is_acknowledgement) {
        // Two gateways that acknowledge acknowledgements never stop.
        return Vec::new();
    }
    match (mode, refused) {
        (Mode::Original, refused) => vec![refused.unwrap_or(AckCode::AA)],
        (Mode::Enhanced { accept, application }, None) => {
            let commit = accept.is_for_success().then_some(AckCode::CA);
            let application = application.is_for_success().then_some(AckCode::AA);
            commit.into_iter().chain(application).collect()
        }
        // What was not committed gets no further, so a CE or CR is the last word.
        (Mode::Enhanced { accept, .. }, Some(code)) if accept.is_for_error() => {
            vec![code.commit()]
        }
        (Mode::Enhanced { application, .. }, Some(code)) => {
            application.is_for_error().then_some(code).into_iter().collect()
        }
    }
}

/// Whether MSH-9.1 is ACK.
fn is_acknowledgement(header: &Header) -> bool {
    component(header, &header.message_type, 1) == b"ACK"
}

fn component<'a>(header: &Header, field: &'a [u8], number: u32) -> &'a [u8] {
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
    if let Verdict::Refused(refusal) = verdict
        && !is_long_err
    {
        // ERR has no field for a sentence before 2.5; MSA-3 is the one that older senders read.
        msa.push(writing.text(&refusal.to_string()));
    }
    answer.extend(writing.segment("MSA", msa));
    if let Verdict::Refused(refusal) = verdict {
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
    let (processing_id, version) = match header {
        Some(header) => (header.processing_id.to_vec(), header.version.to_vec()),
        None => (writing.text("P"), writing.text("2.5.1")),
    };
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
            given_back(|it| &it.character_set),
        ],
    )
}

/// MSH-9: `ACK^A01^ACK`, `ACK^A01` before 2.3.1, `ACK` before 2.2 and where there is no event.
fn message_type(writing: &Writing, header: Option<&Header>) -> Vec<u8> {
    let event = header.map(|it| component(it, &it.message_type, 2)).unwrap_or_default();
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
