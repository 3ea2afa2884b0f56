//! A request over HTTP, and what a sender may and may not say with it.

use std::time::Duration;

use bytes::Bytes;
use hilum_answer::Refusal;
use hilum_env::Peer;
use hilum_message::hl7v2::{Charset, Message as Hl7};
use hilum_message::{Json, Message, ParseError};
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

/// Media types of bodies that nothing here reads, under which they are kept. A sender may write anything
/// where a type belongs, and the format of a message goes into lists and the trail.
const OPAQUE: [&str; 28] = [
    "application/cbor",
    "application/cda+xml",
    "application/dicom",
    "application/dicom+json",
    "application/edi-x12",
    "application/edifact",
    "application/fhir+ndjson",
    "application/fhir+xml",
    "application/gzip",
    "application/hl7-cda+xml",
    "application/json",
    "application/msword",
    "application/ndjson",
    "application/octet-stream",
    "application/pdf",
    "application/rtf",
    "application/x-ndjson",
    "application/xml",
    "application/zip",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "text/csv",
    "text/html",
    "text/plain",
    "text/rtf",
    "text/tab-separated-values",
    "text/xml",
];

/// The format under which a body is kept that nothing here reads.
pub(super) fn opaque(name: &str) -> &'static str {
    OPAQUE.into_iter().find(|it| *it == name).unwrap_or("opaque")
}

/// Whether an id of a request can be nothing but random: a UUID, or its digits alone with a letter among
/// them. A sender may write anything there, and the trail names no patient.
pub(super) fn is_random(id: &str) -> bool {
    let is_hex = |it: &str| it.bytes().all(|it| it.is_ascii_hexdigit());
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    match lengths.as_slice() {
        [8, 4, 4, 4, 12] => id.split('-').all(is_hex),
        [32] => is_hex(id) && id.bytes().any(|it| it.is_ascii_alphabetic()),
        _ => false,
    }
}

/// W3C Trace Context: `00-<32 digits>-<16 digits>-<2 digits>`.
pub(super) fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|it| it.len()).collect();
    lengths == [2, 32, 16, 2]
        && parts.concat().bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_id_that_may_be_a_number_of_somebody_is_not_random() {
        for (id, is_random) in [
            ("0d6e5a7c-9f0b-4c1e-8a51-2f6f7b1c9d3e", true),
            ("0D6E5A7C-9F0B-4C1E-8A51-2F6F7B1C9D3E", true),
            ("0d6e5a7c9f0b4c1e8a512f6f7b1c9d3e", true),
            ("1234567890123456", false),
            ("12345678901234567890123456789012", false),
            ("0d6e5a7c9f0b4c1e", false),
            ("0d6e5a7c9f0b4c1e8a512f6f7b1c9d3e0", false),
            ("0d6e5a7c-9f0b4c1e-8a51-2f6f-7b1c9d3e", false),
            ("zd6e5a7c-9f0b-4c1e-8a51-2f6f7b1c9d3e", false),
        ] {
            assert_eq!(super::is_random(id), is_random, "{id}");
        }
    }
}
