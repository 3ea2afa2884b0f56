//! Keys that every destination over HTTP has: how its service is reached.

use std::time::Duration;

use hilum_words::config::Section;

use super::Url;
use super::auth::AuthConfig;
use crate::bounds::{bytes_or, connections_or, time_or};
use crate::tls::TlsConfig;

/// How a service is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transport {
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time to answer.
    pub timeout: Duration,
    /// Bytes of an answer.
    pub answer_bytes_max: usize,
    /// Requests at once.
    pub connections_max: usize,
    /// Whom we believe, and who we are, over TLS.
    pub tls: Option<TlsConfig>,
    /// Who we are, to the service.
    pub auth: Option<AuthConfig>,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            answer_bytes_max: 4 << 20,
            connections_max: 4,
            tls: None,
            auth: None,
        }
    }
}

impl Transport {
    /// Reads the keys.
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        let standard = Self::default();
        Self {
            connect_timeout: time_or(section, "connect_timeout", standard.connect_timeout),
            timeout: time_or(section, "timeout", standard.timeout),
            answer_bytes_max: bytes_or(section, "answer_bytes_max", standard.answer_bytes_max),
            connections_max: connections_or(section, standard.connections_max),
            tls: TlsConfig::read(section),
            auth: AuthConfig::read(section),
        }
    }

    /// Notes what does not fit the URL.
    pub(crate) fn check(&self, section: &Section<'_>, url: &Url) {
        if let Some(tls) = &self.tls
            && !url.is_tls()
        {
            let text = "belongs to an https URL, and this one is http";
            section.problems().push(&tls.place, &tls.key, text);
        }
        if self.auth.is_some() && !url.is_tls() && !url.is_loopback() {
            let text = "would be sent in the clear; use an https URL";
            section.problem_at("auth", text);
        }
        if let Some(tokens) = self.auth.as_ref().and_then(AuthConfig::token_url)
            && !tokens.is_tls()
            && !tokens.is_loopback()
        {
            let text = "token_url: the client's secret would be sent in the clear; use https";
            section.problem_at("auth", text);
        }
    }
}
