//! What a request's headers say: format, keys, ids. Each is bounded before it is kept.

use hilum_env::Entropy;
use hilum_pipeline::{BodyFormat, RequestFault};
use hilum_words::Name;
use hyper::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName,
    HeaderValue, TRANSFER_ENCODING,
};
use hyper::{Version, http::request::Parts};

use super::config::Json;
use super::media::Media;

pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Characters of an `Idempotency-Key`.
const KEY_CHARS_MAX: usize = 255;
/// Characters of an `X-Request-Id`.
const REQUEST_ID_CHARS_MAX: usize = 128;
/// Characters of a media type that becomes the name of a format.
const FORMAT_CHARS_MAX: usize = 127;

/// What HTTP itself asks of a head, beyond what the server has looked at.
pub(super) fn check(head: &Parts) -> Result<(), RequestFault> {
    // RFC 9112 §3.2.
    if head.version == Version::HTTP_11 && head.headers.get_all(HOST).iter().count() != 1 {
        return Err(RequestFault::Host);
    }
    for expected in head.headers.get_all(EXPECT) {
        if !expected.as_bytes().eq_ignore_ascii_case(b"100-continue") {
            return Err(RequestFault::Expectation);
        }
    }
    Ok(())
}

/// A body says how long it is, or comes in chunks: else it would be taken for another request.
pub(super) fn check_length(headers: &HeaderMap) -> Result<(), RequestFault> {
    let is_said = headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
    if is_said { Ok(()) } else { Err(RequestFault::LengthRequired) }
}

/// Chunks are the only transfer coding that is undone here: of another one beneath them the coded bytes
/// would be taken for the message (RFC 9112 §6.1).
pub(super) fn check_transfer(headers: &HeaderMap) -> Result<(), RequestFault> {
    let codings = headers.get_all(TRANSFER_ENCODING);
    let all = codings.iter().flat_map(|it| it.as_bytes().split(|byte| *byte == b','));
    let mut named = all.map(<[u8]>::trim_ascii).filter(|it| !it.is_empty());
    let is_chunked = |it: &[u8]| it.eq_ignore_ascii_case(b"chunked");
    let is_plain = named.next().is_none_or(is_chunked) && named.next().is_none();
    if is_plain { Ok(()) } else { Err(RequestFault::TransferCoding) }
}

/// No body is taken that would have to be unpacked: what is small on the wire may be huge.
pub(super) fn check_encoding(headers: &HeaderMap) -> Result<(), RequestFault> {
    let is_plain = |it: &HeaderValue| it.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    let all_plain = headers.get_all(CONTENT_ENCODING).iter().all(is_plain);
    if all_plain { Ok(()) } else { Err(RequestFault::Encoding) }
}

/// Whether the sender spells HL7 v2 as `x-application/hl7-v2+er7`, and so wants to read it.
pub(super) fn is_er7(headers: &HeaderMap) -> bool {
    let text = only(headers, &CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let media = text.and_then(Media::parse);
    media.is_some_and(|it| it.essence == "x-application/hl7-v2+er7")
}

/// What the body is, by `Content-Type`, and its `charset` if it names one.
pub(super) fn format(
    headers: &HeaderMap,
    json: Json,
) -> Result<(BodyFormat, Option<String>), RequestFault> {
    let text = only(headers, &CONTENT_TYPE).ok_or(RequestFault::ContentType)?;
    let media = text.to_str().ok().and_then(Media::parse).ok_or(RequestFault::ContentType)?;
    let charset = media.parameter("charset").map(str::to_owned);
    let format = match media.essence.as_str() {
        "application/hl7-v2"
        | "application/hl7-v2+er7"
        | "x-application/hl7-v2"
        | "x-application/hl7-v2+er7" => BodyFormat::Hl7v2,
        // The second is how FHIR was spelt before STU3.
        "application/fhir+json" | "application/json+fhir" => BodyFormat::FhirJson,
        "application/json" if json == Json::Fhir => BodyFormat::FhirJson,
        // It would be taken as a body that nothing here reads; its sender expects FHIR.
        "application/fhir+xml" | "application/xml+fhir" => return Err(RequestFault::FhirXml),
        // What clients say when nobody told them what they send; the body would not be the message.
        "multipart/form-data" | "application/x-www-form-urlencoded" => {
            return Err(RequestFault::Form);
        }
        other if FORMAT_CHARS_MAX < other.len() || other.contains('*') => {
            return Err(RequestFault::ContentType);
        }
        other => BodyFormat::Opaque(Name::from(other)),
    };
    Ok((format, charset))
}

/// The `Idempotency-Key`, without the quotes of a structured field.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, RequestFault> {
    if !headers.contains_key(IDEMPOTENCY_KEY) {
        return Ok(None);
    }
    let text = only(headers, &IDEMPOTENCY_KEY).and_then(|it| it.to_str().ok());
    let text = text.ok_or(RequestFault::IdempotencyKey)?.trim();
    let inner = text.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(text);
    let is_printable = inner.bytes().all(|it| (b' '..=b'~').contains(&it));
    if inner.is_empty() || KEY_CHARS_MAX < inner.len() || !is_printable {
        return Err(RequestFault::IdempotencyKey);
    }
    Ok(Some(inner.to_owned()))
}

/// The `X-Request-Id` if it is sane, else a new one.
pub(super) fn request_id(headers: &HeaderMap, entropy: &dyn Entropy) -> String {
    let is_sane = |text: &&str| {
        (1..=REQUEST_ID_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(&it))
    };
    let sent = only(headers, &REQUEST_ID).and_then(|it| it.to_str().ok()).filter(is_sane);
    sent.map_or_else(|| made(entropy), str::to_owned)
}

fn made(entropy: &dyn Entropy) -> String {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The W3C `traceparent`, if it is one: `version-trace-parent-flags` in lower-case hexadecimal.
pub(super) fn trace(headers: &HeaderMap) -> Option<String> {
    let text = only(headers, &TRACEPARENT)?.to_str().ok()?.trim();
    let mut parts = text.split('-');
    let version = hex(parts.next()?, 2).filter(|it| *it != "ff")?;
    let trace = hex(parts.next()?, 32)?;
    let parent = hex(parts.next()?, 16)?;
    let flags = hex(parts.next()?, 2)?;
    let is_nothing = |it: &str| it.bytes().all(|byte| byte == b'0');
    if is_nothing(trace) || is_nothing(parent) {
        return None;
    }
    // A later version may have more parts; what is kept of it is what this one has.
    match parts.next() {
        Some(_) if version == "00" => None,
        _ => Some(format!("{version}-{trace}-{parent}-{flags}")),
    }
}

fn hex(text: &str, letters: usize) -> Option<&str> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == letters && text.bytes().all(is_hex)).then_some(text)
}

/// A header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests;
