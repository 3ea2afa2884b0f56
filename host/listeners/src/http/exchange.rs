//! One request and its answer.
//!
//! The head is looked at in one place, before a byte of the body is asked for: who waits for
//! `100 Continue` sends nothing that would be refused.

use std::sync::Arc;

use bytes::Bytes;
use hilum_env::{Clock, Entropy, Peer};
use hilum_pipeline::{
    BodyFormat, HttpAnswer, HttpInbound, Refusal, RequestFault, ResourceUrl, Wish,
};
use hilum_words::{Name, Timestamp};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::{ACCEPT, EXPECT, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use tokio::sync::watch;
use tracing::debug;

use super::accept;
use super::body::{Bounds, collect, waste};
use super::config::HttpConfig;
use super::headers;
use super::response::{Facts, response};
use super::target::Target;
use super::wire::{Pace, Phase};
use super::{Auth, Door};
use crate::budget::Share;
use crate::listener::Settings;
use crate::metrics::Trouble;
use crate::{KindConfig, Metrics};

/// What the exchanges of one connection share.
pub(super) struct Exchange<D> {
    pub(super) listener: Name,
    /// Looked up with each request: who may send, and where to, changes for connections that are
    /// open, too.
    pub(super) settings: watch::Receiver<Arc<Settings>>,
    pub(super) door: Arc<D>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) budget: Share,
    pub(super) metrics: Metrics,
    pub(super) pace: Arc<Pace>,
    pub(super) peer: Peer,
}

impl<D: Door> Exchange<D> {
    /// Takes one request and makes the answer to it.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let settings = Arc::clone(&self.settings.borrow());
        let KindConfig::Http(config) = &settings.config.kind else {
            unreachable!("a listener keeps its kind");
        };
        One { shared: self, config, auth: settings.auth.as_ref() }.answer(request).await
    }
}

/// One exchange, with the configuration that it began with.
struct One<'a, D> {
    shared: &'a Exchange<D>,
    config: &'a HttpConfig,
    auth: Option<&'a Auth>,
}

/// What the head of a good request says.
struct Wanted {
    format: BodyFormat,
    charset: Option<String>,
    resource: Option<ResourceUrl>,
    wish: Wish,
    idempotency_key: Option<String>,
}

impl<D: Door> One<'_, D> {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        if let Some(length) = body.size_hint().exact() {
            self.shared.pace.expect_body(length);
        }
        let request_id = headers::request_id(&head.headers, &*self.shared.entropy);
        let mut facts = Facts {
            at: Timestamp::from_micros(self.shared.clock.now_micros()),
            request_id: request_id.clone(),
            scheme: self.auth.map(Auth::scheme),
            is_er7: headers::is_er7(&head.headers),
            allow: self.target(&head).map_or("POST", |it| it.method()),
            closes: false,
            refusal: None,
        };
        let answer = match self.check(&head) {
            Err(fault) => {
                // Who waits to be asked for the body may now send it or not: we cannot know.
                let may_follow = head.headers.contains_key(EXPECT);
                facts.closes = may_follow || !waste(body, &self.bounds()).await;
                self.refuse(Refusal::Request(fault), &head.headers, &mut facts)
            }
            Ok(wanted) => {
                // Kept until the answer is there: only then are the bytes no longer in flight.
                let address = self.shared.peer.ip;
                let longest = self.config.body_bytes_max;
                let mut lease = self.shared.budget.lease(address, longest);
                match collect(body, &self.bounds(), &mut lease).await {
                    Err(refusal) => self.refuse(refusal, &head.headers, &mut facts),
                    Ok(content) if content.is_empty() => self.refuse(
                        Refusal::Request(RequestFault::Empty),
                        &head.headers,
                        &mut facts,
                    ),
                    Ok(content) => {
                        self.shared.pace.at(Phase::Working);
                        self.shared
                            .door
                            .receive(self.inbound(wanted, content, request_id, &head))
                            .await
                    }
                }
            }
        };
        self.shared.metrics.answered(&self.shared.listener, answer.status);
        self.shared.pace.at(Phase::Answering);
        response(answer, &facts)
    }

    /// Everything that can be wrong with a head, in this order.
    fn check(&self, head: &Parts) -> Result<Wanted, RequestFault> {
        headers::check(head)?;
        if self.auth.is_some_and(|it| !it.holds(&head.headers)) {
            return Err(RequestFault::Unauthorized);
        }
        let target = self.target(head).ok_or(RequestFault::NotFound)?;
        if head.method.as_str() != target.method() {
            return Err(RequestFault::Method);
        }
        headers::check_length(&head.headers)?;
        headers::check_transfer(&head.headers)?;
        headers::check_encoding(&head.headers)?;
        let (format, charset) = headers::format(&head.headers, self.config.json)?;
        let resource = target.into_resource();
        if resource.is_some() && format != BodyFormat::FhirJson {
            return Err(RequestFault::NotFound);
        }
        let accept = head.headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok());
        let wish = accept::wish(accept, Some(&format)).ok_or(RequestFault::NotAcceptable)?;
        let idempotency_key = headers::idempotency_key(&head.headers)?;
        Ok(Wanted { format, charset, resource, wish, idempotency_key })
    }

    fn target(&self, head: &Parts) -> Option<Target> {
        Target::at(&self.config.path, head.uri.path())
    }

    fn bounds(&self) -> Bounds<'_> {
        Bounds {
            body_bytes_max: self.config.body_bytes_max,
            beside: self.config.head_bytes_max,
            pace: &self.shared.pace,
        }
    }

    fn inbound(
        &self,
        wanted: Wanted,
        content: Bytes,
        request_id: String,
        head: &Parts,
    ) -> HttpInbound {
        HttpInbound {
            format: wanted.format,
            charset: wanted.charset,
            resource: wanted.resource,
            content,
            wish: wanted.wish,
            peer: self.shared.peer.clone(),
            received: Timestamp::from_micros(self.shared.clock.now_micros()),
            idempotency_key: wanted.idempotency_key,
            request_id,
            trace: headers::trace(&head.headers),
        }
    }

    /// Says no in the sender's own format, as far as it can be told.
    fn refuse(&self, refusal: Refusal, headers: &HeaderMap, facts: &mut Facts) -> HttpAnswer {
        debug!(listener = %self.shared.listener, peer = %self.shared.peer.address, %refusal, "request refused");
        if let Some(trouble) = trouble(&refusal) {
            self.shared.metrics.trouble(&self.shared.listener, trouble);
        }
        facts.closes |= closes(&refusal);
        let format = match headers::format(headers, self.config.json) {
            Ok((format, _)) => Some(format),
            // It is not taken, but it says whose words its sender reads.
            Err(RequestFault::FhirXml) => Some(BodyFormat::FhirJson),
            Err(_) => None,
        };
        let accept = headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok());
        let wish = accept::wish(accept, format.as_ref())
            .unwrap_or_else(|| accept::default_wish(format.as_ref()));
        let answer = self.shared.door.refuse(&refusal, wish);
        facts.refusal = Some(refusal);
        answer
    }
}

/// What is counted beside the refusal, if anything.
fn trouble(refusal: &Refusal) -> Option<Trouble> {
    match refusal {
        Refusal::TooLong { .. } => Some(Trouble::TooLong),
        Refusal::Busy => Some(Trouble::Budget),
        Refusal::Request(RequestFault::Empty) => Some(Trouble::Empty),
        Refusal::Request(RequestFault::Chunks) => Some(Trouble::Junk),
        Refusal::Request(RequestFault::CutOff) => Some(Trouble::CutOff),
        Refusal::Request(RequestFault::TimedOut) => Some(Trouble::TimedOut),
        _ => None,
    }
}

/// Whether our place in the stream is lost, or the rest of the body is not worth reading.
fn closes(refusal: &Refusal) -> bool {
    use RequestFault::{Chunks, CutOff, LengthRequired, TimedOut, TransferCoding};
    matches!(
        refusal,
        Refusal::TooLong { .. }
            | Refusal::Busy
            | Refusal::Request(Chunks | CutOff | LengthRequired | TimedOut | TransferCoding)
    )
}
