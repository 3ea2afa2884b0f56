//! The headers that a site adds to each request.

use hilum_words::Problems;
use hilum_words::config::{Section, names_secret};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::Template;
use crate::Delivery;

/// Headers that a site may add.
const HEADERS_MAX: usize = 64;
/// What says how the message itself goes over the wire is ours alone.
const OURS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "content-type",
    "idempotency-key",
    "x-request-id",
];
/// What holds a secret comes by reference.
const SECRET: &[&str] = &["authorization", "proxy-authorization", "cookie"];

/// Checked headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(HeaderName, Template)>);

impl Headers {
    /// Reads `headers = { "X-Source" = "st-anna", "X-Message" = "{message.id}" }`.
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let Some(mut section) = section.section("headers") else {
            return Self::default();
        };
        let mut all = Vec::new();
        let keys = section.keys();
        if HEADERS_MAX < keys.len() {
            section.problem(format!("may hold at most {HEADERS_MAX} headers"));
        }
        for key in keys {
            let Some(text) = section.text(&key) else { continue };
            match header(&key, &text.value) {
                Ok(header) => all.push(header),
                Err(why) => problem(&text.place, &text.key, section.problems(), why),
            }
        }
        section.finish();
        Self(all)
    }

    /// Adds them to a request.
    pub(super) fn fill(&self, delivery: &Delivery, headers: &mut HeaderMap) {
        for (name, template) in &self.0 {
            // Checked with a sample; ids, formats and times are plain text.
            if let Ok(value) = HeaderValue::from_str(&template.fill(delivery)) {
                headers.insert(name.clone(), value);
            }
        }
    }
}

fn problem(place: &hilum_words::Place, key: &str, problems: &Problems, text: String) {
    problems.push(place, key, text);
}

fn header(key: &str, value: &str) -> Result<(HeaderName, Template), String> {
    let name =
        HeaderName::from_bytes(key.as_bytes()).map_err(|_| "is no name of a header".to_owned())?;
    if OURS.contains(&name.as_str()) {
        let hint = if name.as_str() == "content-type" { "; use `content_type`" } else { "" };
        return Err(format!("is set by the gateway itself{hint}"));
    }
    if SECRET.contains(&name.as_str()) {
        return Err("holds a secret, and secrets are never inline; use [auth]".into());
    }
    if names_secret(name.as_str()) {
        let text =
            "sounds like a secret, and secrets are never inline: use [auth] kind = \"header\"";
        return Err(text.into());
    }
    let template = Template::parse(value)?;
    if !is_value(&template.sample()) {
        return Err("must be of printable ASCII".into());
    }
    Ok((name, template))
}

/// Whether a secret may go in this header: neither ours nor one that has a kind of its own.
pub(super) fn is_secret_header(name: &HeaderName) -> bool {
    !OURS.contains(&name.as_str()) && !SECRET.contains(&name.as_str())
}

/// Whether a text can be the value of a header.
pub(super) fn is_value(text: &str) -> bool {
    text.bytes().all(|it| (0x20..0x7f).contains(&it)) && text.trim() == text
}
