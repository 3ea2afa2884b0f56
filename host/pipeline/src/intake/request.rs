//! A request over HTTP, and what a sender may and may not say with it.

use std::time::Duration;

use bytes::Bytes;
use hilum_answer::Refusal;
use hilum_env::Peer;
use hilum_message::hl7v2::{Charset, Message as Hl7};
use hilum_message::{Json, Message, ParseError, is_structured};
use hilum_words::{MessageId, Name, Timestamp};

/// How a body is read: decided by its `Content-Type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// HL7 v2, one message or a batch.
    Hl7v2,
    /// A FHIR resource or Bundle in JSON.
    FhirJson,
    /// Anything else; the format's name goes with the message.
    Opaque(Name),
}

/// How the sender wants to be answered: decided by its `Accept`, else by the body's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// An acknowledgement of HL7 v2.
    Hl7v2,
    /// An OperationOutcome.
    Fhir,
    /// A problem of RFC 9457, or a small JSON object if all is well.
    Problem,
}

/// The resource that a FHIR request's URL names: `POST [base]/Patient`, `PUT [base]/Patient/p1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceUrl {
    /// The type.
    pub resource_type: String,
    /// The id.
    pub id: Option<String>,
}

impl ResourceUrl {
    /// Whether the body is that resource: what the URL says is not kept, so it may say nothing else.
    pub(super) fn is_of(&self, message: &Message) -> bool {
        let Some(json) = message.as_json() else { return false };
        let id = || json.scalar(json.member(Json::ROOT, "id")?);
        let is_id = |wanted: &String| id().as_ref() == Some(wanted);
        message.kind() == self.resource_type && self.id.as_ref().is_none_or(is_id)
    }
}

/// One request, its body read.
pub struct HttpInbound {
    /// How the body is read.
    pub format: BodyFormat,
    /// The `charset` that `Content-Type` names. It is not kept with the message, so HL7 v2 whose MSH-18 is
    /// empty is refused if it is another than the listener's.
    pub charset: Option<String>,
    /// What the URL names, for FHIR.
    pub resource: Option<ResourceUrl>,
    /// The body.
    pub content: Bytes,
    /// How to answer.
    pub wish: Wish,
    /// The other end.
    pub peer: Peer,
    /// When the last byte was read.
    pub received: Timestamp,
    /// The header `Idempotency-Key`: by what a repeat is recognised. HL7 v2 has MSH-10 instead.
    pub idempotency_key: Option<String>,
    /// The header `X-Request-Id`, or one that was made for it. For the trail.
    pub request_id: String,
    /// The header `traceparent`.
    pub trace: Option<String>,
}

/// The answer to a request.
#[derive(Clone)]
pub struct HttpAnswer {
    /// 202 stored, 200 processed, 4xx refused, 503 not taken.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// The body; may be empty.
    pub body: Bytes,
    /// The message's id, where there is one message and it is stored.
    pub message: Option<MessageId>,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

/// A message is kept as its bytes, so what could not be read by these alone is not taken: a character
/// set that only the request names, and that is not the one in which the bytes will be read.
pub(super) fn checked(message: Hl7, charset: Option<String>) -> Result<Hl7, Refusal> {
    let Some(named) = charset else { return Ok(message) };
    let is_told = message.bytes().is_ascii()
        || !message.header().character_set.is_empty()
        || Charset::from_any_name(named.as_bytes()) == Some(message.charset());
    if is_told { Ok(message) } else { Err(Refusal::OtherCharset) }
}

/// Reads a body that is no HL7 v2.
pub(super) fn read(format: &str, content: Bytes) -> Result<Message, Refusal> {
    let message = match Message::parse(format, content) {
        Ok(message) => message,
        Err(ParseError::Json(fault)) => return Err(Refusal::NotJson(fault)),
        Err(ParseError::Hl7(_)) => return Err(Refusal::NotHl7),
    };
    // The type of a resource goes into logs and the trail, so it has to look like one.
    let is_type = |it: &str| {
        (1..=TYPE_BYTES_MAX).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_alphabetic())
    };
    if message.as_json().is_some() && !is_type(&message.kind()) {
        return Err(Refusal::NotFhir);
    }
    Ok(message)
}

/// FHIR's longest name of a resource has 33 letters.
const TYPE_BYTES_MAX: usize = 64;

/// Whether a name of a format is one of a body that nothing here reads. It goes into the trail.
pub(super) fn is_opaque(name: &str) -> bool {
    let is_word = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b".+-/".contains(&it);
    !is_structured(name) && (1..=64).contains(&name.len()) && name.bytes().all(is_word)
}

/// Whether an id of a request can be nothing but random: a UUID, or as much of hexadecimal digits. A
/// sender may write anything there, and the trail names no patient.
pub(super) fn is_random(id: &str) -> bool {
    let digits = id.bytes().filter(u8::is_ascii_hexdigit).count();
    id.len() <= 64 && 16 <= digits && id.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-')
}

/// W3C Trace Context: `00-<32 digits>-<16 digits>-<2 digits>`.
pub(super) fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|it| it.len()).collect();
    lengths == [2, 32, 16, 2]
        && parts.concat().bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
}
