//! Keys that every destination over HTTP has: how its service is reached.

use std::time::Duration;

use hilum_words::config::Section;

use super::Url;
use super::auth::AuthConfig;
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
        let timeout = section.duration("timeout");
        let connect_timeout = section.duration("connect_timeout");
        let connections_max = section.integer("connections_max", 1..=256);
        let answer_bytes_max = section.size("answer_bytes_max");
        let tls = TlsConfig::read(section);
        let auth = AuthConfig::read(section);
        for time in [&timeout, &connect_timeout].into_iter().flatten() {
            if time.value.is_zero() {
                time.problem(section.problems(), "must be more than nothing");
            }
        }
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self {
            connect_timeout: connect_timeout.map_or(standard.connect_timeout, |it| it.value),
            timeout: timeout.map_or(standard.timeout, |it| it.value),
            answer_bytes_max: answer_bytes_max
                .map_or(standard.answer_bytes_max, |it| size(it.value)),
            connections_max: connections_max.map_or(standard.connections_max, |it| size(it.value)),
            tls,
            auth,
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
