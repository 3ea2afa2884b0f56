//! Tokens of OAuth 2.0 client credentials: RFC 6749 §4.4.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hilum_env::{Clock, Doors, Instant};
use hilum_fhir::Value;
use hilum_words::config::Secret;
use http_body_util::Full;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use tokio::sync::Mutex;

use super::{OAuth2Config, basic, sensitive};
use crate::SendFault;
use crate::http::client::{Client, Lost};
use crate::http::status;
use crate::http::{AGENT, percent_encode};

/// A token is not used so shortly before its end.
const MARGIN: Duration = Duration::from_secs(30);
/// How long a token is used that does not say how long it is good.
const UNSAID: Duration = Duration::from_secs(5 * 60);

/// An access token.
#[derive(Clone)]
pub(in crate::http) struct Token {
    header: HeaderValue,
    /// Counts the tokens that were fetched.
    number: u64,
    until: Instant,
}

impl Token {
    pub(super) fn header(&self) -> HeaderValue {
        self.header.clone()
    }
}

#[derive(Default)]
struct Kept {
    token: Option<Token>,
    fetched: u64,
    /// When the last fetch failed, and how: whoever waited for it does not try again at once.
    failed: Option<(Instant, SendFault)>,
}

/// The tokens of one client at one endpoint.
pub(in crate::http) struct Tokens {
    config: OAuth2Config,
    secret: Secret,
    client: Client,
    clock: Arc<dyn Clock>,
    /// Locked while a token is fetched: whoever comes meanwhile waits for that one.
    kept: Mutex<Kept>,
}

impl Tokens {
    pub(super) fn new(
        config: &OAuth2Config,
        secret: &Secret,
        client: Client,
        doors: &Doors,
    ) -> Self {
        Self {
            config: config.clone(),
            secret: secret.clone(),
            client,
            clock: Arc::clone(&doors.clock),
            kept: Mutex::default(),
        }
    }

    /// A token that is good for a while.
    pub(super) async fn current(&self) -> Result<Token, SendFault> {
        let asked = self.clock.instant();
        let mut kept = self.kept.lock().await;
        if let Some(token) = &kept.token
            && self.clock.instant() < token.until
        {
            return Ok(token.clone());
        }
        if let Some((at, fault)) = &kept.failed
            && asked < *at
        {
            return Err(fault.clone());
        }
        (kept.token, kept.failed) = (None, None);
        let fetched = self.fetch().await;
        let now = self.clock.instant();
        let (header, good) = match fetched {
            Ok(fetched) => fetched,
            Err(fault) => {
                kept.failed = Some((now, fault.clone()));
                return Err(fault);
            }
        };
        kept.fetched += 1;
        let token = Token { header, number: kept.fetched, until: now.plus(good) };
        kept.token = Some(token.clone());
        Ok(token)
    }

    /// The next request gets another one, unless it has been fetched already.
    pub(super) async fn forget(&self, token: &Token) {
        let mut kept = self.kept.lock().await;
        if kept.token.as_ref().is_some_and(|it| it.number == token.number) {
            kept.token = None;
        }
    }

    async fn fetch(&self) -> Result<(HeaderValue, Duration), SendFault> {
        let of_endpoint = |what: String| format!("the token endpoint: {what}");
        let answer = self.client.exchange(self.request()?).await.map_err(|lost| match lost {
            Lost::SetUp(what) => SendFault::Misconfigured { code: of_endpoint(what) },
            // The message itself has not been sent.
            Lost::NotSent(what) | Lost::Unknown(what) => SendFault::Unreachable(of_endpoint(what)),
        })?;
        let status = answer.status;
        let body = answer.body.as_ref().and_then(|it| hilum_fhir::parse(it).ok());
        if status == 408 || status == 429 || 500 <= status {
            return Err(SendFault::Unreachable(answered(status)));
        }
        let set_up = |what: String| SendFault::Misconfigured { code: of_endpoint(what) };
        if status != 200 {
            let error = body.as_ref().and_then(|it| it.member("error")?.text());
            let known = ERRORS.iter().find(|it| Some(**it) == error);
            let known = known.map(|it| format!(" ({it})")).unwrap_or_default();
            let code = format!("{}{known}", answered(status));
            return Err(SendFault::Misconfigured { code });
        }
        let body = body.ok_or_else(|| set_up("the answer is not JSON".into()))?;
        let text = |name: &str| body.member(name).and_then(Value::scalar);
        if !text("token_type").is_some_and(|it| it.eq_ignore_ascii_case("bearer")) {
            return Err(set_up("the token is no bearer token".into()));
        }
        let header = text("access_token").filter(|it| !it.is_empty());
        let header = header.and_then(|it| sensitive(&format!("Bearer {it}")));
        let header = header.ok_or_else(|| set_up("the answer holds no token".into()))?;
        let seconds = text("expires_in").and_then(|it| it.parse().ok());
        Ok((header, good_for(seconds.map(Duration::from_secs))))
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, SendFault> {
        let OAuth2Config { token_url, client_id, scope, is_in_body } = &self.config;
        let (id, secret) = (percent_encode(client_id), percent_encode(self.secret.open_secret()));
        let mut form = String::from("grant_type=client_credentials");
        if let Some(scope) = scope {
            form.push_str("&scope=");
            form.push_str(&percent_encode(scope));
        }
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(token_url.path())
            .header(HOST, token_url.host())
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if *is_in_body {
            form.push_str(&format!("&client_id={id}&client_secret={secret}"));
        } else if let Some(value) = sensitive(&basic(&id, &secret)) {
            // RFC 6749 §2.3.1: both are encoded as a form's before they are joined.
            request = request.header(AUTHORIZATION, value);
        }
        let built = request.body(Full::new(Bytes::from(form)));
        let code = || "the token endpoint's URL cannot be requested".into();
        built.map_err(|_| SendFault::Misconfigured { code: code() })
    }
}

/// Told apart from what the service itself answers, which a site may classify.
fn answered(status: u16) -> String {
    format!("the token endpoint answered {}", status::answered(status))
}

/// How long a token is used. One that is good for less than a minute is used for half of its time.
fn good_for(said: Option<Duration>) -> Duration {
    let Some(said) = said else { return UNSAID };
    said.saturating_sub(MARGIN).max(said / 2).min(LONGEST)
}

/// A clock that an endpoint has wrong by years must not overflow ours.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// RFC 6749 §5.2. What else an endpoint says is not printed.
const ERRORS: &[&str] = &[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];
