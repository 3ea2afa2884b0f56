//! Any HTTP service: each delivery is one request with the output as its body.
//!
//! Method, headers and URL are the site's; in headers and URL ids and times can be filled in
//! ([`template`]), content never. Every attempt carries the delivery's id in `Idempotency-Key`.
//! What an answer means is one table ([`status`]), and an answer that speaks HL7 v2 or FHIR is read
//! as such: 200 with `MSA|AE` is no success.
//!
//! Promises: redirects are not followed, so a message goes where the site says and nowhere else;
//! nothing that a service answers reaches a log or a cause but its codes.
//! Not here: FHIR's own rules (`fhir`), proxies.

pub mod auth;
mod base64;
mod channel;
mod client;
mod headers;
pub(crate) mod status;
mod template;
mod transport;
mod url;
mod witness;

use bytes::Bytes;
use hilum_env::{BoxFuture, Doors};
use hilum_words::Name;
use hilum_words::config::{Section, secret_in_url};
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, USER_AGENT};
use hyper::{Method, Request};

use crate::destination::one_by_one;
use crate::{Delivered, Delivery, Destination, Secrets, SendFault};

pub(crate) use channel::Channel;
pub(crate) use client::Answer;
pub(crate) use headers::Headers;
pub(crate) use template::{Template, percent_encode};
pub use transport::Transport;
pub(crate) use url::Url;

/// What is said in `User-Agent`.
pub(crate) const AGENT: &str = concat!("hilum/", env!("CARGO_PKG_VERSION"));

/// An `http` destination's own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Who is called.
    pub url: Url,
    /// Path and query.
    pub target: Template,
    /// How.
    pub method: Method,
    /// Headers of the site.
    pub headers: Headers,
    /// The media type of the body, instead of the format's own.
    pub content_type: Option<String>,
    /// How the service is reached.
    pub transport: Transport,
}

const METHODS: &[&str] = &["POST", "PUT", "PATCH"];

impl HttpConfig {
    /// Reads the kind's own keys.
    pub(crate) fn read(section: &mut Section<'_>) -> Option<Self> {
        let url = section.required_text("url");
        let method = section.word_or("method", METHODS, 0);
        let content_type = section.text("content_type");
        let headers = Headers::read(section);
        let transport = Transport::read(section);
        if let Some(it) = &content_type
            && !(it.value.contains('/') && headers::is_value(&it.value))
        {
            let text = "must be a media type such as \"application/hl7-v2\"";
            it.problem(section.problems(), text);
        }
        let url = url?;
        let (parsed, target) = match read_url(&url.value) {
            Ok(read) => read,
            Err(text) => {
                url.problem(section.problems(), text);
                return None;
            }
        };
        transport.check(section, &parsed);
        Some(Self {
            url: parsed,
            target,
            method: match method {
                1 => Method::PUT,
                2 => Method::PATCH,
                _ => Method::POST,
            },
            headers,
            content_type: content_type.map(|it| it.value),
            transport,
        })
    }
}

/// A URL with places to fill in, which stand behind its authority.
fn read_url(text: &str) -> Result<(Url, Template), String> {
    let whole = Template::parse(text)?;
    let sample = whole.sample();
    if sample.contains('#') {
        return Err("must not have a fragment".into());
    }
    let (url, _) = Url::split(&sample)?;
    if let Some(key) = secret_in_url(text) {
        let key = key.escape_default();
        return Err(format!(
            "has \"{key}\", which sounds like a secret, and secrets are never inline: send it in a \
             header, by [auth] kind = \"header\""
        ));
    }
    let authority = text.find("://").map_or(0, |it| it + 3);
    let behind = text.get(authority..).and_then(|it| it.find(['/', '?']));
    let target = behind.and_then(|it| text.get(authority + it..)).unwrap_or("/");
    let before = text.get(..text.len() - target.len()).unwrap_or_default();
    if before.contains(['{', '}']) {
        return Err("must name its host: places to fill in stand in path and query".into());
    }
    let slash = if target.starts_with('/') { "" } else { "/" };
    let target = Template::parse(&format!("{slash}{target}"))?;
    Ok((url, target))
}

/// An HTTP service.
pub struct HttpDestination {
    config: HttpConfig,
    channel: Channel,
}

impl HttpDestination {
    /// The service of this configuration. It is dialled with the first delivery.
    pub fn new(config: &HttpConfig, secrets: &Secrets, doors: &Doors) -> Self {
        let channel = Channel::new(&config.url, &config.transport, secrets, doors);
        Self { config: config.clone(), channel }
    }

    async fn send(&self, delivery: &Delivery) -> Result<Delivered, SendFault> {
        let answer = self.channel.exchange(self.request(delivery)?).await?;
        let after = self.channel.retry_after(&answer);
        if let Some(fault) = status::fault_of(answer.status, after) {
            return Err(fault);
        }
        let Some(body) = answer.body else {
            let what = format!("{}, but the answer is longer than answer_bytes_max", answer.status);
            return Err(SendFault::Ambiguous(what));
        };
        let format = format_of(&answer.headers);
        understand(answer.status, format, &body, delivery)?;
        let kept = Some((Name::from(format), body)).filter(|(_, body)| !body.is_empty());
        Ok(Delivered { code: answer.status.to_string(), answer: kept })
    }

    fn request(&self, delivery: &Delivery) -> Result<Request<Full<Bytes>>, SendFault> {
        let media_type = self.config.content_type.as_deref();
        let media_type = media_type.unwrap_or_else(|| media_type_of(&delivery.format));
        let mut request = Request::builder()
            .method(self.config.method.clone())
            .uri(self.config.target.fill_url(delivery))
            .header(HOST, self.config.url.host())
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, media_type)
            .header("Idempotency-Key", delivery.id.to_string())
            .header("X-Request-Id", format!("{}-{}", delivery.id, delivery.attempt));
        if let Some(headers) = request.headers_mut() {
            self.config.headers.fill(delivery, headers);
        }
        let built = request.body(Full::new(delivery.body.clone()));
        built.map_err(|_| SendFault::Misconfigured { code: "the URL cannot be requested".into() })
    }
}

/// What an answer of a known format says about the message: a positive status alone is not believed.
fn understand(
    status: u16,
    format: &str,
    body: &Bytes,
    delivery: &Delivery,
) -> Result<(), SendFault> {
    if body.trim_ascii().is_empty() {
        return Ok(());
    }
    match format {
        "hl7v2" if delivery.format.as_str() != "hl7v2" => Ok(()),
        "hl7v2" => crate::mllp::acknowledged(&delivery.body, body).map_err(|fault| match fault {
            SendFault::Refused { code } => SendFault::Refused { code: format!("{status}: {code}") },
            SendFault::Busy { code, after, whole } => {
                SendFault::Busy { code: format!("{status}: {code}"), after, whole }
            }
            SendFault::Ambiguous(what) => SendFault::Ambiguous(format!("{status}, but {what}")),
            other => other,
        }),
        "fhir-json" => crate::fhir::said_no(status, body),
        _ => Ok(()),
    }
}

/// The media type of a format. What came in as any media type is named by it.
fn media_type_of(format: &str) -> &str {
    match format {
        "hl7v2" => "application/hl7-v2",
        "fhir-json" => "application/fhir+json",
        "json" => "application/json",
        other if other.contains('/') && headers::is_value(other) => other,
        _ => "application/octet-stream",
    }
}

/// The format of an answer.
fn format_of(headers: &HeaderMap) -> &'static str {
    let media_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    match media_type.to_ascii_lowercase().as_str() {
        "application/hl7-v2" | "x-application/hl7-v2+er7" => "hl7v2",
        "application/fhir+json" => "fhir-json",
        "application/json" => "json",
        _ => "opaque",
    }
}

impl Destination for HttpDestination {
    fn kind(&self) -> &'static str {
        "http"
    }

    fn together_max(&self) -> usize {
        1
    }

    fn send_many<'a>(
        &'a self,
        deliveries: &'a [Delivery],
    ) -> BoxFuture<'a, Vec<Result<Delivered, SendFault>>> {
        one_by_one(deliveries, |delivery| self.send(delivery))
    }
}

#[cfg(test)]
pub(crate) mod tests;
