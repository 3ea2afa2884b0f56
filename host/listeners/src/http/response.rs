//! An answer as HTTP has it.

use std::time::Duration;

use bytes::Bytes;
use hilum_pipeline::{HttpAnswer, Refusal, RequestFault};
use hilum_words::Timestamp;
use http_body_util::Full;
use hyper::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, DATE, HeaderName, HeaderValue,
    RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Response, StatusCode};

use super::headers::REQUEST_ID;

/// Where the gateway's id of the message is told.
const MESSAGE_ID: HeaderName = HeaderName::from_static("hilum-message-id");

/// What an answer says beside the door's words.
pub(super) struct Facts {
    /// For `Date`.
    pub(super) at: Timestamp,
    pub(super) request_id: String,
    /// What `Authorization` has to be.
    pub(super) scheme: Option<&'static str>,
    /// The sender spells HL7 v2's type as HL7's own clients do.
    pub(super) is_er7: bool,
    /// The method that is taken at the request's path.
    pub(super) allow: &'static str,
    /// The connection ends after it.
    pub(super) closes: bool,
    pub(super) refusal: Option<Refusal>,
}

pub(super) fn response(answer: HttpAnswer, facts: &Facts) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let content_type = match answer.content_type.strip_prefix("application/hl7-v2") {
        Some(rest) if facts.is_er7 => text(&format!("x-application/hl7-v2+er7{rest}")),
        _ => Some(HeaderValue::from_static(answer.content_type)),
    };
    let mut set = |name: HeaderName, value: Option<HeaderValue>| {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    };
    set(CONTENT_TYPE, content_type);
    set(CACHE_CONTROL, Some(HeaderValue::from_static("no-store")));
    set(DATE, text(&date(facts.at)));
    set(REQUEST_ID, text(&facts.request_id));
    set(MESSAGE_ID, answer.message.and_then(|it| text(&it.to_string())));
    set(RETRY_AFTER, answer.retry_after.and_then(|it| text(&seconds(it).to_string())));
    let fault = match facts.refusal {
        Some(Refusal::Request(fault)) => Some(fault),
        _ => None,
    };
    match fault {
        Some(RequestFault::Unauthorized) => {
            set(WWW_AUTHENTICATE, facts.scheme.map(HeaderValue::from_static));
        }
        Some(RequestFault::Method) => set(ALLOW, Some(HeaderValue::from_static(facts.allow))),
        // RFC 9110 §12.5.3: how a server says that it wants no encoding.
        Some(RequestFault::Encoding) => {
            set(ACCEPT_ENCODING, Some(HeaderValue::from_static("identity")))
        }
        _ => {}
    }
    if facts.closes {
        set(CONNECTION, Some(HeaderValue::from_static("close")));
    }
    response
}

fn text(value: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(value).ok()
}

/// Whole seconds, at least one: `Retry-After` has no smaller unit.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(0 < wait.subsec_nanos())).max(1)
}

/// RFC 9110 §5.6.7: `Tue, 24 Nov 2026 09:03:28 GMT`.
fn date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // The first day of the epoch was a Thursday.
    let days = at.micros().div_euclid(86_400_000_000).rem_euclid(7);
    let day = usize::try_from(days).ok().and_then(|it| DAYS.get(it)).unwrap_or(&"Thu");
    // `2026-11-24T09:03:28.123Z`
    let printed = at.to_string();
    let part = |from: usize, to: usize| printed.get(from..to).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().ok().and_then(|it| MONTHS.get(it.wrapping_sub(1)));
    let month = month.unwrap_or(&"Jan");
    format!("{day}, {} {month} {} {} GMT", part(8, 10), part(0, 4), part(11, 19))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_the_standard_wants_it() {
        let at = |micros| date(Timestamp::from_micros(micros));
        assert_eq!(at(1_795_511_008_123_456), "Tue, 24 Nov 2026 09:03:28 GMT");
        assert_eq!(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(at(784_111_777_000_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_that_are_enough() {
        assert_eq!(seconds(Duration::ZERO), 1);
        assert_eq!(seconds(Duration::from_millis(1001)), 2);
        assert_eq!(seconds(Duration::from_secs(5)), 5);
    }
}
