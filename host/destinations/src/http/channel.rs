//! Requests to one service, and what their answers need to be understood.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hilum_env::{Clock, Doors};
use hilum_words::Timestamp;
use http_body_util::Full;
use hyper::Request;
use hyper::header::RETRY_AFTER;

use super::auth::Auth;
use super::auth::AuthConfig;
use super::client::{Client, Limits};
use super::{Answer, Transport, Url};
use crate::dial::{Dialer, Security};
use crate::{Secrets, SendFault, retry_after};

/// Bytes of an answer's status line and headers.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Bytes of a token endpoint's answer.
const TOKEN_BYTES_MAX: usize = 64 << 10;
/// How long a connection waits for its next request.
const IDLE: Duration = Duration::from_secs(4);

/// A way to one service.
pub(crate) struct Channel {
    client: Client,
    auth: Auth,
    clock: Arc<dyn Clock>,
}

impl Channel {
    pub(crate) fn new(url: &Url, transport: &Transport, secrets: &Secrets, doors: &Doors) -> Self {
        let server_name = transport.tls.as_ref().and_then(|it| it.server_name.clone());
        let client = client(url, server_name, transport, secrets, doors);
        let tokens = transport.auth.as_ref().and_then(AuthConfig::token_url);
        let tokens = tokens.map(|url| client_of_tokens(url, transport, secrets, doors));
        let auth = Auth::new(transport.auth.as_ref(), secrets.auth.as_ref(), tokens, doors);
        Self { client, auth, clock: Arc::clone(&doors.clock) }
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// A token that was good a moment ago may have been revoked: after 401 one that is fetched anew
    /// is tried, once. What was answered with 401 was not processed.
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, SendFault> {
        let mut first = request.clone();
        let token = self.auth.sign(first.headers_mut()).await?;
        let answer = self.client.exchange(first).await?;
        let Some(token) = token.filter(|_| answer.status == 401) else {
            return Ok(answer);
        };
        self.auth.forget(&token).await;
        let mut again = request;
        self.auth.sign(again.headers_mut()).await?;
        Ok(self.client.exchange(again).await?)
    }

    /// What the answer says in `Retry-After`.
    pub(crate) fn retry_after(&self, answer: &Answer) -> Option<Duration> {
        let now = Timestamp::from_micros(self.clock.now_micros());
        let after = answer.headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok());
        after.and_then(|it| retry_after::parse(it, now))
    }
}

fn client(
    url: &Url,
    server_name: Option<String>,
    transport: &Transport,
    secrets: &Secrets,
    doors: &Doors,
) -> Client {
    let limits = Limits {
        answer: transport.timeout,
        head_bytes_max: HEAD_BYTES_MAX,
        body_bytes_max: transport.answer_bytes_max,
        idle: IDLE,
    };
    let name = server_name.unwrap_or_else(|| url.server_name().to_owned());
    let security = match url.is_tls() {
        true => Security::tls(secrets.tls.as_ref(), &name),
        false => Security::Plain,
    };
    let dialer = Dialer::new(url.address(), security, transport.connect_timeout, doors);
    Client::new(dialer, limits, doors)
}

/// The token endpoint is another server: `server_name` is not its name.
fn client_of_tokens(url: &Url, transport: &Transport, secrets: &Secrets, doors: &Doors) -> Client {
    let transport = Transport {
        answer_bytes_max: TOKEN_BYTES_MAX.min(transport.answer_bytes_max),
        ..transport.clone()
    };
    client(url, None, &transport, secrets, doors)
}
