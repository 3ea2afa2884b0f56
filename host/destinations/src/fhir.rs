//! A FHIR endpoint: each delivery is a transaction Bundle, posted to the base URL.
//!
//! Every attempt carries the delivery's id in `Idempotency-Key`, so that the endpoint can know a
//! repeat; `X-Request-Id` tells attempts apart in its log.
//!
//! Promises: a positive status alone is not believed: every entry's outcome is read; what the
//! endpoint says about content never reaches a log or a cause, its codes do.
//! Not here: what the Bundle holds (a plugin made it), search, subscriptions.

mod answer;

use std::time::Duration;

use bytes::Bytes;
use hilum_env::{BoxFuture, Doors};
use hilum_words::config::Section;
use hilum_words::{Name, Timestamp};
use http_body_util::Full;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request};

use crate::http::{Client, Limits, Lost, Url};
use crate::{Delivered, Delivery, Destination, SendFault, retry_after};

/// The format that a FHIR endpoint takes.
const FORMAT: &str = "fhir-json";
/// Its media type.
const MEDIA_TYPE: &str = "application/fhir+json";

/// A `fhir` destination's own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FhirConfig {
    /// The base URL.
    pub url: Url,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time to answer.
    pub timeout: Duration,
    /// Bytes of an answer.
    pub answer_bytes_max: usize,
    /// Requests at once.
    pub connections_max: usize,
}

impl FhirConfig {
    /// Reads the kind's own keys.
    pub(crate) fn read(section: &mut Section<'_>) -> Option<Self> {
        let url = section.required_text("url");
        let timeout = section.duration("timeout");
        let connect_timeout = section.duration("connect_timeout");
        let connections_max = section.integer("connections_max", 1..=256);
        let answer_bytes_max = section.size("answer_bytes_max");
        for time in [&timeout, &connect_timeout].into_iter().flatten() {
            if time.value.is_zero() {
                time.problem(section.problems(), "must be more than nothing");
            }
        }
        let url = url?;
        let parsed = match Url::parse(&url.value) {
            Ok(parsed) => parsed,
            Err(text) => {
                url.problem(section.problems(), text);
                return None;
            }
        };
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Some(Self {
            url: parsed,
            connect_timeout: connect_timeout.map_or(Duration::from_secs(10), |it| it.value),
            timeout: timeout.map_or(Duration::from_secs(30), |it| it.value),
            answer_bytes_max: answer_bytes_max.map_or(4 << 20, |it| size(it.value)),
            connections_max: connections_max.map_or(4, |it| size(it.value)),
        })
    }
}

/// A FHIR endpoint.
pub struct FhirDestination {
    client: Client,
    url: Url,
    doors: Doors,
}

impl FhirDestination {
    /// The endpoint of this configuration. It is dialled with the first delivery.
    pub fn new(config: &FhirConfig, doors: &Doors) -> Self {
        let limits = Limits {
            connect: config.connect_timeout,
            answer: config.timeout,
            head_bytes_max: 64 << 10,
            body_bytes_max: config.answer_bytes_max,
            idle: Duration::from_secs(4),
        };
        let client = Client::new(&config.url, limits, doors);
        Self { client, url: config.url.clone(), doors: doors.clone() }
    }

    async fn send(&self, delivery: &Delivery) -> Result<Delivered, SendFault> {
        if delivery.format.as_str() != FORMAT {
            let code = format!("a FHIR endpoint takes {FORMAT}, not {}", delivery.format);
            return Err(SendFault::Refused { code });
        }
        let request = self.request(delivery)?;
        let answer = self.client.exchange(request).await.map_err(|lost| match lost {
            Lost::NotSent(what) => SendFault::Unreachable(what),
            Lost::Unknown(what) => SendFault::Ambiguous(what),
        })?;
        let now = Timestamp::from_micros(self.doors.clock.now_micros());
        let after = answer.headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok());
        let after = after.and_then(|it| retry_after::parse(it, now));
        answer::read(answer.status, after, answer.body.as_ref())?;
        let body = answer.body.filter(|it| !it.is_empty());
        let kept = body.map(|it| (Name::from(FORMAT), it));
        Ok(Delivered { code: answer.status.to_string(), answer: kept })
    }

    fn request(&self, delivery: &Delivery) -> Result<Request<Full<Bytes>>, SendFault> {
        let built = Request::builder()
            .method(Method::POST)
            .uri(self.url.path())
            .header(HOST, self.url.host())
            .header(USER_AGENT, concat!("hilum/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .header(ACCEPT, MEDIA_TYPE)
            // Outcomes are needed, the stored resources are not: less PHI comes back.
            .header("Prefer", "return=minimal")
            .header("Idempotency-Key", delivery.id.to_string())
            .header("X-Request-Id", format!("{}-{}", delivery.id, delivery.attempt))
            .body(Full::new(delivery.body.clone()));
        built.map_err(|_| SendFault::Misconfigured { code: "the URL cannot be requested".into() })
    }
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
        Box::pin(async move {
            let mut results = Vec::with_capacity(deliveries.len());
            for delivery in deliveries {
                results.push(self.send(delivery).await);
            }
            results
        })
    }
}

#[cfg(test)]
mod tests;
