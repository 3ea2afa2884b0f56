//! What a destination needs beside its configuration: TLS and secrets, fetched.

use hilum_env::WallClock;
use hilum_env::tls::{ClientMaterial, ClientTls};
use hilum_words::Problems;
use hilum_words::config::{Secret, SecretSource};

use crate::config::{DestinationConfig, KindConfig};
use crate::http::{Transport, Url};
use crate::tls::TlsConfig;

/// What a destination needs beside its configuration. It is no part of a generation: it is fetched
/// when the configuration is read, and again when it is applied.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    pub(crate) tls: Option<ClientTls>,
    /// The password, token or client secret of `[auth]`.
    pub(crate) auth: Option<Secret>,
}

impl Secrets {
    /// When our own certificate expires, in microseconds since the Unix epoch.
    pub fn certificate_expiry(&self) -> Option<WallClock> {
        self.tls.as_ref().and_then(ClientTls::expires)
    }
}

impl DestinationConfig {
    /// Fetches what the destination needs beside its configuration. What cannot be had is a problem
    /// at the key that names it, and the answer is `None`.
    pub fn secrets(&self, from: &dyn SecretSource, problems: &Problems) -> Option<Secrets> {
        let (tls, over_http) = match &self.kind {
            KindConfig::Fhir(it) => (it.transport.tls.as_ref(), Some((&it.url, &it.transport))),
            KindConfig::Http(it) => (it.transport.tls.as_ref(), Some((&it.url, &it.transport))),
            KindConfig::Mllp(it) => (it.tls.as_ref(), None),
            KindConfig::File(_) => (None, None),
        };
        let is_https = over_http.is_some_and(|(url, transport)| is_https(url, transport));
        let tls = match tls {
            Some(tls) => Some(tls.load(from, problems)?),
            None if is_https => Some(self.system_tls(problems)?),
            None => None,
        };
        let auth = match over_http.and_then(|(_, transport)| transport.auth.as_ref()) {
            Some(auth) => Some(auth.load(from, problems)?),
            None => None,
        };
        Some(Secrets { tls, auth })
    }

    fn system_tls(&self, problems: &Problems) -> Option<ClientTls> {
        let made = ClientTls::new(&ClientMaterial::default());
        made.map_err(|fault| problems.push(&self.place, &self.key, fault.to_string())).ok()
    }

    /// TLS as it is written.
    pub fn tls(&self) -> Option<&TlsConfig> {
        match &self.kind {
            KindConfig::Fhir(it) => it.transport.tls.as_ref(),
            KindConfig::Http(it) => it.transport.tls.as_ref(),
            KindConfig::Mllp(it) => it.tls.as_ref(),
            KindConfig::File(_) => None,
        }
    }
}

fn is_https(url: &Url, transport: &Transport) -> bool {
    let of_tokens = transport.auth.as_ref().and_then(|it| it.token_url());
    url.is_tls() || of_tokens.is_some_and(Url::is_tls)
}
