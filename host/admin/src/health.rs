//! `/livez`, `/readyz`, `/metrics`: for probes and scrapers, without names of patients or files.
//!
//! Alive means that the process answers. Ready means that it takes messages: the journal writes,
//! there is space, listeners are open. A destination that is down makes nobody unready; its queue
//! grows, and that is a metric.

use std::sync::Arc;

use hilum_env::{BoxFuture, Doors};
use hilum_gateway::{Component, Gateway};
use hyper::header::ACCEPT;
use hyper::{Method, StatusCode};

use crate::metrics;
use crate::reply::{Fault, Reply};
use crate::server::{Asked, Handler};

const TEXT: &str = "text/plain; charset=utf-8";

/// Answers probes and scrapers.
pub struct Health {
    gateway: Arc<Gateway>,
    doors: Doors,
}

impl Health {
    /// For this gateway.
    pub fn new(gateway: Arc<Gateway>, doors: Doors) -> Self {
        Self { gateway, doors }
    }

    fn respond(&self, asked: &Asked) -> Result<Reply, Fault> {
        let uri = &asked.head.uri;
        let is_verbose =
            uri.query().is_some_and(|query| query.split('&').any(|it| it.starts_with("verbose")));
        let reply = match uri.path() {
            "/livez" => Reply::of(StatusCode::OK, TEXT, "ok\n"),
            // The older name; load balancers ask it whether to send traffic.
            "/readyz" | "/healthz" => readiness(&self.gateway.ready(), is_verbose),
            "/metrics" => self.metrics(asked),
            _ => return Err(Fault::NotFound("there are /livez, /readyz and /metrics".to_owned())),
        };
        if asked.head.method != Method::GET && asked.head.method != Method::HEAD {
            return Err(Fault::NotAllowed("GET, HEAD"));
        }
        Ok(reply)
    }

    fn metrics(&self, asked: &Asked) -> Reply {
        let accept = asked.head.headers.get(ACCEPT).and_then(|it| it.to_str().ok());
        let (version, started) = self.gateway.born();
        let more = metrics::process(&*self.doors.disk, version, started);
        let (content_type, page) = metrics::page(accept, &self.gateway.encode(), &more);
        Reply::of(StatusCode::OK, content_type, page)
    }
}

impl Handler for Health {
    fn answer(self: Arc<Self>, asked: Asked) -> BoxFuture<'static, Reply> {
        Box::pin(async move { self.respond(&asked).unwrap_or_else(Reply::from) })
    }
}

/// One word, or one line for each component.
fn readiness(components: &[Component], is_verbose: bool) -> Reply {
    let is_ready = components.iter().all(|it| it.ok);
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut text = String::new();
    for component in components.iter().filter(|it| is_verbose || !it.ok) {
        let mark = if component.ok { '+' } else { '-' };
        let why = component.why.as_deref().unwrap_or("ok");
        text.push_str(&format!("[{mark}]{} {why}\n", component.name));
    }
    text.push_str(if is_ready { "ready\n" } else { "not ready\n" });
    Reply::of(status, TEXT, text)
}
