//! The HTTP listener: HL7 v2, FHIR and any other body by POST, one message a request.
//!
//! HTTP/1.1 and 1.0 with keep-alive; requests that come without waiting are answered in order. What
//! is answered is the door's; what HTTP itself wants (method, path, types, lengths, time) is decided
//! here, and refused in the sender's own format.
//!
//! Promises: head, body and time are bounded, and the process's bytes in flight are taken before
//! they are buffered; nothing of a request is in an answer but its `X-Request-Id`; what was taken is
//! finished even if the peer has gone.
//! Not here: what is said about a message (`hilum_pipeline`), sockets and TLS (`crate::listener`).

mod accept;
mod ahead;
mod auth;
mod body;
mod config;
mod connection;
mod exchange;
mod headers;
mod media;
mod response;
mod target;
mod wire;

use std::sync::Arc;

use hilum_env::{BoxFuture, ByteStream, Peer};
use hilum_pipeline::{HttpAnswer, HttpInbound, Intake, Refusal, Wish};

use crate::KindConfig;
use crate::listener::{Context, Protocol};
use crate::metrics::Trouble;
use crate::sniff::Speech;
use connection::Connection;
use exchange::Exchange;
use wire::{Limits, Pace};

pub use auth::AuthConfig;
pub use config::{HttpConfig, Json};

pub(crate) use auth::Auth;

/// What is spoken at an HTTP listener.
pub(crate) struct Http<D>(pub(crate) Arc<D>);

impl<D: Door> Protocol for Http<D> {
    fn speech(&self) -> Speech {
        Speech::Http
    }

    fn serve(
        &self,
        context: Context,
        stream: Box<dyn ByteStream>,
        peer: Peer,
    ) -> BoxFuture<'static, Option<Trouble>> {
        let settings = &context.settings;
        let KindConfig::Http(config) = &settings.config.kind else {
            unreachable!("a listener keeps its kind");
        };
        let limits = Limits {
            idle: settings.config.idle_timeout,
            read: settings.config.read_timeout,
            request: config.request_timeout,
        };
        let head_bytes_max = config.head_bytes_max;
        let exchange = Exchange {
            settings: context.latest,
            listener: context.listener,
            door: Arc::clone(&self.0),
            pace: Arc::new(Pace::new(Arc::clone(&context.clock), limits)),
            clock: context.clock,
            entropy: context.entropy,
            budget: context.budget,
            metrics: context.metrics,
            peer,
        };
        let (bytes, stopping) = (context.bytes, context.stopping);
        let connection = Connection { exchange, head_bytes_max, bytes, stopping };
        Box::pin(connection.run(stream))
    }
}

/// What an exchange asks of the story. [`Intake`] is the only one outside of tests.
pub(crate) trait Door: Send + Sync + 'static {
    /// A whole request has come.
    fn receive(&self, inbound: HttpInbound) -> impl Future<Output = HttpAnswer> + Send;
    /// A request is none; says so in this format.
    fn refuse(&self, refusal: &Refusal, wish: Wish) -> HttpAnswer;
}

impl Door for Intake {
    fn receive(&self, inbound: HttpInbound) -> impl Future<Output = HttpAnswer> + Send {
        self.receive_http(inbound)
    }

    fn refuse(&self, refusal: &Refusal, wish: Wish) -> HttpAnswer {
        self.refuse_http(refusal, wish)
    }
}

#[cfg(test)]
mod tests;
