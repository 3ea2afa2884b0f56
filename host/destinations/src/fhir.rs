//! A FHIR endpoint: a Bundle of work is posted to the base URL, a resource is created or updated.
//!
//! A transaction or batch goes to the base as it is. Any other resource is put under its id, or, if
//! it has none, created or matched by its identifier ([`Match`]). Every attempt carries the
//! delivery's id in `Idempotency-Key`, so that the endpoint can know a repeat; `X-Request-Id` tells
//! attempts apart in its log.
//!
//! Promises: a positive status alone is not believed: every entry's outcome is read; what the
//! endpoint says about content never reaches a log or a cause, its codes do.
//! Not here: what the resources hold (a plugin made them), search, subscriptions.

mod answer;
mod asked;

use bytes::Bytes;
use hilum_env::{BoxFuture, Doors};
use hilum_fhir::Value;
use hilum_words::Name;
use hilum_words::config::Section;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{ACCEPT, CONTENT_TYPE, ETAG, HOST, HeaderName, LOCATION, USER_AGENT};

use crate::destination::one_by_one;
use crate::http::{AGENT, Answer, Channel, Transport, Url};
use crate::{Delivered, Delivery, Destination, Secrets, SendFault};
use asked::{Asked, Expected};

pub use asked::Match;

/// The format that a FHIR endpoint takes.
const FORMAT: &str = "fhir-json";
/// Its media type.
const MEDIA_TYPE: &str = "application/fhir+json";

/// A `fhir` destination's own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FhirConfig {
    /// The base URL.
    pub url: Url,
    /// How the endpoint is reached.
    pub transport: Transport,
    /// How a resource without an id is matched against those that are there.
    pub matching: Match,
    /// The system of the identifier that it is matched by; none: the first identifier's.
    pub identifier_system: Option<String>,
}

impl FhirConfig {
    /// Reads the kind's own keys.
    pub(crate) fn read(section: &mut Section<'_>) -> Option<Self> {
        let url = section.required_text("url");
        let transport = Transport::read(section);
        let if_none_exist = section.word("if_none_exist", &["identifier"]);
        let update_by = section.word("update_by", &["identifier"]);
        let identifier_system = section.text("identifier_system");
        if if_none_exist.is_some()
            && let Some(other) = &update_by
        {
            other.problem(section.problems(), "and `if_none_exist` exclude each other");
        }
        let matching = match (&if_none_exist, &update_by) {
            (_, Some(_)) => Match::Update,
            (Some(_), None) => Match::IfNoneExist,
            (None, None) => Match::No,
        };
        if matching == Match::No
            && let Some(system) = &identifier_system
        {
            let text = "belongs to `if_none_exist` or `update_by`";
            system.problem(section.problems(), text);
        }
        let url = url?;
        let parsed = match Url::parse(&url.value) {
            Ok(parsed) => parsed,
            Err(text) => {
                url.problem(section.problems(), text);
                return None;
            }
        };
        transport.check(section, &parsed);
        let identifier_system = identifier_system.map(|it| it.value);
        Some(Self { url: parsed, transport, matching, identifier_system })
    }
}

/// A FHIR endpoint.
pub struct FhirDestination {
    config: FhirConfig,
    channel: Channel,
}

impl FhirDestination {
    /// The endpoint of this configuration. It is dialled with the first delivery.
    pub fn new(config: &FhirConfig, secrets: &Secrets, doors: &Doors) -> Self {
        let channel = Channel::new(&config.url, &config.transport, secrets, doors);
        Self { config: config.clone(), channel }
    }

    async fn send(&self, delivery: &Delivery) -> Result<Delivered, SendFault> {
        if delivery.format.as_str() != FORMAT {
            let code = format!("a FHIR endpoint takes {FORMAT}, not {}", delivery.format);
            return Err(SendFault::Refused { code });
        }
        let asked = asked::ask(&self.config, &delivery.body);
        let asked = asked.map_err(|code| SendFault::Refused { code })?;
        let answer = self.channel.exchange(self.request(delivery, &asked)?).await?;
        let after = self.channel.retry_after(&answer);
        answer::read(answer.status, after, answer.body.as_ref(), &asked.expected)?;
        let code = answer.status.to_string();
        Ok(Delivered { code, answer: kept(answer, &asked.expected) })
    }

    fn request(
        &self,
        delivery: &Delivery,
        asked: &Asked,
    ) -> Result<Request<Full<Bytes>>, SendFault> {
        let mut request = Request::builder()
            .method(asked.method.clone())
            .uri(asked.target.as_str())
            .header(HOST, self.config.url.host())
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .header(ACCEPT, MEDIA_TYPE)
            // Outcomes are needed, the stored resources are not: less PHI comes back.
            .header("Prefer", "return=minimal")
            .header("Idempotency-Key", delivery.id.to_string())
            .header("X-Request-Id", format!("{}-{}", delivery.id, delivery.attempt));
        if let Some(condition) = &asked.if_none_exist {
            request = request.header("If-None-Exist", condition);
        }
        let built = request.body(Full::new(delivery.body.clone()));
        built.map_err(|_| SendFault::Misconfigured { code: "the URL cannot be requested".into() })
    }
}

/// What is kept of an answer: its body, and for a single resource where it is now, as which
/// version. A transaction's response has that in its entries.
fn kept(answer: Answer, expected: &Expected) -> Option<(Name, Bytes)> {
    let body = answer.body.filter(|it| !it.is_empty());
    let header = |name: HeaderName| answer.headers.get(name).and_then(|it| it.to_str().ok());
    let place = [("location", header(LOCATION)), ("etag", header(ETAG))];
    if *expected != Expected::Resource || place.iter().all(|(_, it)| it.is_none()) {
        return body.map(|it| (Name::from(FORMAT), it));
    }
    let members = place.into_iter().filter_map(|(name, it)| Some((name, Value::from(it?))));
    let place = Value::object(members).to_bytes();
    // The body stays as it came: its bytes follow on a line of their own.
    let all = match body {
        Some(body) => [&place[..], b"\n", &body[..]].concat(),
        None => place,
    };
    Some((Name::from("fhir-place"), Bytes::from(all)))
}

/// Whether a FHIR answer behind a positive status of any service says no.
pub(crate) fn said_no(status: u16, body: &Bytes) -> Result<(), SendFault> {
    answer::said_no(status, body)
}

impl Destination for FhirDestination {
    fn kind(&self) -> &'static str {
        "fhir"
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
mod tests;
