//! Who we say that we are, and the proof, on each request.
//!
//! Promises: secrets and tokens are in no log, error or `Debug`; a token is fetched by one request
//! at a time, kept until shortly before it expires, and fetched anew once if it is not accepted.

mod config;
mod token;

use hilum_env::Doors;
use hilum_words::config::Secret;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::base64;
use super::client::Client;
use crate::SendFault;

pub use config::{AuthConfig, AuthKind, OAuth2Config};
pub(super) use token::Token;
use token::Tokens;

/// What is added to requests.
pub(super) enum Auth {
    /// Nothing.
    None,
    /// The same on each.
    Fixed(HeaderName, HeaderValue),
    /// What cannot be had: the configuration names a secret that nobody has fetched.
    Missing,
    /// A token that has its time.
    Tokens(Box<Tokens>),
}

impl Auth {
    pub(super) fn new(
        config: Option<&AuthConfig>,
        secret: Option<&Secret>,
        tokens: Option<Client>,
        doors: &Doors,
    ) -> Self {
        let Some(config) = config else { return Self::None };
        let Some(secret) = secret else { return Self::Missing };
        let fixed = |name: HeaderName, text: &str| match sensitive(text) {
            Some(value) => Self::Fixed(name, value),
            None => Self::Missing,
        };
        let plain = secret.open_secret();
        match &config.kind {
            AuthKind::Basic { user } => fixed(AUTHORIZATION, &basic(user, plain)),
            AuthKind::Bearer => fixed(AUTHORIZATION, &format!("Bearer {plain}")),
            AuthKind::Header { name } => fixed(name.clone(), plain),
            AuthKind::OAuth2(config) => match tokens {
                Some(client) => Self::Tokens(Box::new(Tokens::new(config, secret, client, doors))),
                None => Self::Missing,
            },
        }
    }

    /// Adds what proves who we are. The answer is the token that may have to be
    /// [forgotten](Self::forget).
    pub(super) async fn sign(&self, headers: &mut HeaderMap) -> Result<Option<Token>, SendFault> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(name, value) => {
                headers.insert(name.clone(), value.clone());
                Ok(None)
            }
            Self::Missing => {
                let code = "the secret of [auth] was not fetched".into();
                Err(SendFault::Misconfigured { code })
            }
            Self::Tokens(tokens) => {
                let token = tokens.current().await?;
                headers.insert(AUTHORIZATION, token.header());
                Ok(Some(token))
            }
        }
    }

    /// The service does not take this token.
    pub(super) async fn forget(&self, token: &Token) {
        if let Self::Tokens(tokens) = self {
            tokens.forget(token).await;
        }
    }
}

/// RFC 7617.
fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64::encode(format!("{user}:{password}").as_bytes()))
}

/// A header's value that prints as `Sensitive`.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests;
