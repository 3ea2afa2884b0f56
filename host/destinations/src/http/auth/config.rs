//! `[destination.x.auth]`: who we say that we are, and the secret that proves it.

use hilum_words::Problems;
use hilum_words::config::{Placed, Secret, SecretRef, SecretSource, Section};
use hyper::header::HeaderName;

use crate::http::Url;
use crate::http::headers::{is_secret_header, is_value};

/// How requests are authorised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthConfig {
    /// The way.
    pub kind: AuthKind,
    /// Where the password, token or client secret is.
    pub secret: Placed<SecretRef>,
}

/// The ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthKind {
    /// RFC 7617: a user and a password.
    Basic {
        /// The user.
        user: String,
    },
    /// RFC 6750: a token that the site was given.
    Bearer,
    /// A header of the service's own, such as `X-API-Key`.
    Header {
        /// Its name.
        name: HeaderName,
    },
    /// RFC 6749 §4.4: a token that is fetched with a client's credentials.
    OAuth2(OAuth2Config),
}

/// OAuth 2.0 client credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2Config {
    /// The token endpoint.
    pub token_url: Url,
    /// Who we are.
    pub client_id: String,
    /// What we ask for.
    pub scope: Option<String>,
    /// Whether id and secret go in the body, where the endpoint does not take HTTP Basic.
    pub is_in_body: bool,
}

const KINDS: &[&str] = &["basic", "bearer", "header", "oauth2"];

impl AuthConfig {
    /// Reads the section, if it is there.
    pub(in crate::http) fn read(section: &mut Section<'_>) -> Option<Self> {
        let mut section = section.section("auth")?;
        if !section.has("kind") {
            section.required_text("kind");
        }
        let read = match section.word("kind", KINDS).map(|it| it.value) {
            Some(0) => basic(&mut section),
            Some(1) => section.required_secret("token").map(|it| (AuthKind::Bearer, it)),
            Some(2) => header(&mut section),
            Some(_) => oauth2(&mut section),
            None => {
                pass_over(&mut section);
                None
            }
        };
        section.finish();
        read.map(|(kind, secret)| Self { kind, secret })
    }

    /// The token endpoint, if there is one.
    pub(crate) fn token_url(&self) -> Option<&Url> {
        match &self.kind {
            AuthKind::OAuth2(it) => Some(&it.token_url),
            _ => None,
        }
    }

    /// Fetches the secret; none after a problem.
    pub(crate) fn load(&self, from: &dyn SecretSource, problems: &Problems) -> Option<Secret> {
        let problem = |text: String| self.secret.problem(problems, text);
        let secret = self.secret.fetch(from, problems)?;
        let goes_as_it_is = matches!(self.kind, AuthKind::Bearer | AuthKind::Header { .. });
        if goes_as_it_is && !is_value(secret.open_secret()) {
            problem("cannot stand in a header: it must be one line of printable ASCII".into());
            return None;
        }
        Some(secret)
    }
}

type Read = Option<(AuthKind, Placed<SecretRef>)>;

fn basic(section: &mut Section<'_>) -> Read {
    let user = section.required_text("user");
    let secret = section.required_secret("password");
    let user = user?;
    if user.value.contains(':') || user.value.chars().any(char::is_control) {
        // RFC 7617 §2: a colon ends the user.
        user.problem(section.problems(), "must not hold a colon or a control character");
        return None;
    }
    Some((AuthKind::Basic { user: user.value }, secret?))
}

fn header(section: &mut Section<'_>) -> Read {
    let name = section.required_text("name");
    let secret = section.required_secret("value");
    let name = name?;
    let parsed = HeaderName::from_bytes(name.value.as_bytes()).ok();
    let Some(parsed) = parsed.filter(is_secret_header) else {
        let text = "must be the name of a header of the service, such as \"X-API-Key\"";
        name.problem(section.problems(), text);
        return None;
    };
    Some((AuthKind::Header { name: parsed }, secret?))
}

fn oauth2(section: &mut Section<'_>) -> Read {
    let token_url = section.required_text("token_url");
    let client_id = section.required_text("client_id");
    let secret = section.required_secret("client_secret");
    let scope = section.text("scope");
    let is_in_body = section.word_or("client_auth", &["basic", "body"], 0) == 1;
    let token_url = token_url?;
    let parsed = match Url::parse(&token_url.value) {
        Ok(parsed) => parsed,
        Err(text) => {
            token_url.problem(section.problems(), text);
            return None;
        }
    };
    let config = OAuth2Config {
        token_url: parsed,
        client_id: client_id?.value,
        scope: scope.map(|it| it.value),
        is_in_body,
    };
    Some((AuthKind::OAuth2(config), secret?))
}

/// Reads the keys of every kind, where the kind is not known.
fn pass_over(section: &mut Section<'_>) {
    for key in ["user", "name", "token_url", "client_id", "scope", "client_auth"] {
        section.text(key);
    }
    for key in ["password", "token", "value", "client_secret"] {
        section.secret(key);
    }
}
