//! An OAuth 2.0 token endpoint for client credentials (RFC 6749 §4.4).

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use crate::{HttpReceiver, Received, Say};

#[derive(Default)]
struct Tokens {
    issued: u64,
    valid: BTreeSet<String>,
    expires_in: Option<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A token endpoint on a loopback port. It knows one client, which comes with HTTP Basic, and its
/// tokens are `token-1`, `token-2` and so on.
pub struct TokenEndpoint {
    tokens: Arc<Mutex<Tokens>>,
    receiver: HttpReceiver,
}

impl TokenEndpoint {
    /// Starts; `basic` is what stands behind `Basic ` for the client it knows.
    pub fn start(basic: &str) -> Result<Self> {
        let tokens: Arc<Mutex<Tokens>> = Arc::default();
        let (issuing, expected) = (Arc::clone(&tokens), format!("Basic {basic}"));
        let receiver = HttpReceiver::answering(move |request| issue(&issuing, &expected, request))?;
        let this = Self { tokens, receiver };
        this.expire_in(Some(3_600));
        Ok(this)
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.receiver.url("/token")
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.receiver.address()
    }

    /// How long the next tokens say that they are good, in seconds.
    pub fn expire_in(&self, seconds: Option<u64>) {
        lock(&self.tokens).expires_in = seconds;
    }

    /// No token is good any more.
    pub fn revoke(&self) {
        lock(&self.tokens).valid.clear();
    }

    /// How many tokens were given.
    pub fn issued(&self) -> u64 {
        lock(&self.tokens).issued
    }

    /// The fault switches and what came.
    pub fn receiver(&self) -> &HttpReceiver {
        &self.receiver
    }

    /// What a service answers that asks for a token: 401 without a good one, else 200.
    pub fn guard(&self) -> impl Fn(&Received) -> Say + Send + Sync + 'static {
        let tokens = Arc::clone(&self.tokens);
        move |request| {
            let token = request.header("authorization").and_then(|it| it.strip_prefix("Bearer "));
            let is_good = token.is_some_and(|it| lock(&tokens).valid.contains(it));
            Say::Status(if is_good { 200 } else { 401 })
        }
    }
}

fn issue(tokens: &Mutex<Tokens>, expected: &str, request: &Received) -> Say {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    if !body.split('&').any(|it| it == "grant_type=client_credentials") {
        return Say::json(400, r#"{"error":"unsupported_grant_type"}"#);
    }
    if request.header("authorization") != Some(expected) {
        return Say::json(401, r#"{"error":"invalid_client","error_description":"who are you"}"#);
    }
    let mut tokens = lock(tokens);
    tokens.issued += 1;
    let token = format!("token-{}", tokens.issued);
    tokens.valid.insert(token.clone());
    let expires = tokens.expires_in.map(|it| format!(",\"expires_in\":{it}")).unwrap_or_default();
    Say::json(200, format!(r#"{{"access_token":"{token}","token_type":"Bearer"{expires}}}"#))
}
