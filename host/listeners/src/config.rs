use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hilum_env::ListenOptions;
use hilum_env::tls::{ClientAuth, ServerMaterial, ServerTls, TlsError};
use hilum_words::config::{Placed, Secret, SecretRef, SecretSource, Section};
use hilum_words::{Place, Problems};

use crate::allow::Network;
use crate::http::HttpConfig;
use crate::mllp::MllpConfig;

/// The default of `connections_max`.
const CONNECTIONS_MAX: usize = 1_024;
/// The default of `read_timeout`.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The default of `handshake_timeout`.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A listener's section, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Where the section stands.
    pub place: Place,
    /// Its key: `listener.adt-in`.
    pub key: String,
    /// `address:port`. Port 0 lets the system choose.
    pub bind: String,
    /// Connections that may be open at once.
    pub connections_max: usize,
    /// Connections that may be open at once from one address.
    pub connections_per_peer_max: Option<usize>,
    /// Who may connect; none: everybody.
    pub allow: Option<Vec<Network>>,
    /// After so much silence the system asks whether the peer is still there.
    pub keepalive: Option<Duration>,
    /// How long a connection may be silent between messages; none: for ever.
    pub idle_timeout: Option<Duration>,
    /// From the start of a message to its end, and for the peer to take an answer.
    pub read_timeout: Duration,
    /// Whether and how TLS is spoken.
    pub tls: Option<TlsConfig>,
    /// What is spoken.
    pub kind: KindConfig,
}

/// What a listener speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindConfig {
    /// HL7 v2 in frames.
    Mllp(MllpConfig),
    /// HTTP.
    Http(HttpConfig),
}

impl KindConfig {
    /// The word in the configuration.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Mllp(_) => "mllp",
            Self::Http(_) => "http",
        }
    }
}

/// `[listener.x.tls]`. It holds references, never a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The file of the certificate and those between it and its authority.
    pub certificate: Placed<PathBuf>,
    /// Where the private key is.
    pub key: Placed<SecretRef>,
    /// The file of the authorities that vouch for clients. With it every client needs a certificate.
    pub client_ca: Option<Placed<PathBuf>>,
    /// Which clients may connect; none: everybody whom an authority vouches for.
    pub identities: Option<Vec<String>>,
    /// How long a handshake may take.
    pub handshake_timeout: Duration,
}

/// What a listener's configuration only refers to, in hand. It prints nothing of it.
#[derive(Clone, Default)]
pub struct Materials {
    /// What TLS is made of.
    pub tls: Option<ServerMaterial>,
    /// The token or password that senders show.
    pub auth: Option<Secret>,
}

impl std::fmt::Debug for Materials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Materials")
    }
}

impl ListenerConfig {
    /// Reads `kind`, `bind`, `connections_max` (1,024), `connections_per_peer_max` (none), `allow`
    /// (all), `keepalive` (60 s; `0s` for none), `idle_timeout` (none), `read_timeout` (30 s),
    /// `[tls]`, and the keys of the kind. None if one of them is wrong; the problems say which.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let before = section.problems().len();
        let kind = section.word("kind", &["mllp", "http"]);
        if !section.has("kind") {
            section.problem("needs the key \"kind\": \"mllp\" or \"http\"");
        }
        let bind = section.required_text("bind");
        if let Some(bind) = bind.as_ref().filter(|it| it.value.parse::<SocketAddr>().is_err()) {
            bind.problem(
                section.problems(),
                "must be an address and a port, such as \"127.0.0.1:2575\"",
            );
        }
        let connections_max = section.integer("connections_max", 1..=65_536);
        let per_peer_max = section.integer("connections_per_peer_max", 1..=65_536);
        section.default("connections_max", CONNECTIONS_MAX);
        let allow = section.texts("allow").map(|all| networks(&all, section));
        let keepalive = section.duration("keepalive");
        if let Some(keepalive) = keepalive.as_ref().filter(|it| !is_keepalive(it.value)) {
            keepalive
                .problem(section.problems(), "must be from \"1s\" to \"9h\", or \"0s\" for none");
        }
        let idle_timeout = more_than_nothing(section, "idle_timeout");
        let read_timeout = more_than_nothing(section, "read_timeout");
        section.default("keepalive", ListenOptions::default().keepalive.unwrap_or_default());
        section.default("read_timeout", READ_TIMEOUT);
        let tls = TlsConfig::read(section);
        let kind = match kind?.value {
            0 => MllpConfig::read(section).map(KindConfig::Mllp),
            _ => HttpConfig::read(section).map(KindConfig::Http),
        };
        if section.problems().len() != before {
            return None;
        }
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Some(Self {
            place: section.place(),
            key: section.key().to_owned(),
            bind: bind?.value,
            connections_max: connections_max.map_or(CONNECTIONS_MAX, |it| count(it.value)),
            connections_per_peer_max: per_peer_max.map(|it| count(it.value)),
            allow,
            keepalive: keepalive.map_or(ListenOptions::default().keepalive, |it| {
                Some(it.value).filter(|it| !it.is_zero())
            }),
            idle_timeout,
            read_timeout: read_timeout.unwrap_or(READ_TIMEOUT),
            tls,
            kind: kind?,
        })
    }

    /// What is not said has its default.
    pub fn plain(bind: &str, kind: KindConfig) -> Self {
        Self {
            place: Place { file: Arc::from(""), line: 0 },
            key: String::new(),
            bind: bind.to_owned(),
            connections_max: CONNECTIONS_MAX,
            connections_per_peer_max: None,
            allow: None,
            keepalive: ListenOptions::default().keepalive,
            idle_timeout: None,
            read_timeout: READ_TIMEOUT,
            tls: None,
            kind,
        }
    }

    /// `address:port`, as configured.
    pub fn bind(&self) -> &str {
        &self.bind
    }

    /// The longest message that it takes, in bytes.
    pub fn longest(&self) -> usize {
        match &self.kind {
            KindConfig::Mllp(config) => config.frame_bytes_max,
            KindConfig::Http(config) => config.body_bytes_max,
        }
    }

    /// The key that bounds [`longest`](Self::longest).
    pub fn longest_key(&self) -> &'static str {
        match &self.kind {
            KindConfig::Mllp(_) => "frame_bytes_max",
            KindConfig::Http(_) => "body_bytes_max",
        }
    }

    /// Whether a listener of this configuration can go on as one of `next` with the socket that it
    /// has, by [`Listener::reconfigure`](crate::Listener::reconfigure).
    pub fn keeps_socket_of(&self, next: &Self) -> bool {
        self.bind == next.bind && self.kind.word() == next.kind.word()
    }

    /// Fetches what the section refers to, and checks that it fits together. None if it does not;
    /// the problems say why.
    pub fn materials(&self, source: &dyn SecretSource, problems: &Problems) -> Option<Materials> {
        let before = problems.len();
        let tls = self.tls.as_ref().and_then(|tls| tls.material(source, problems));
        let auth = match &self.kind {
            KindConfig::Http(HttpConfig { auth: Some(auth), .. }) => {
                auth.secret().fetch(source, problems)
            }
            _ => None,
        };
        (problems.len() == before).then_some(Materials { tls, auth })
    }

    pub(crate) fn listen_options(&self) -> ListenOptions {
        ListenOptions { keepalive: self.keepalive }
    }
}

impl TlsConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let mut tls = section.section("tls")?;
        let certificate = tls.required_text("certificate");
        let key = tls.required_secret("key");
        let client_ca = tls.text("client_ca");
        let identities = tls.texts("identities");
        if identities.is_some() && client_ca.is_none() {
            tls.problem_at("identities", "needs \"client_ca\": without it nobody shows who it is");
        }
        if identities.as_ref().is_some_and(Vec::is_empty) {
            tls.problem_at(
                "identities",
                "names nobody; leave it out to let in all of \"client_ca\"",
            );
        }
        for identity in identities.iter().flatten().filter(|it| !is_identity(&it.value)) {
            let text = "must be a part of the subject such as \"CN=lab-1\", a name such as \
                        \"lab-1.example\", or \"sha256:\" and 64 hexadecimal digits";
            identity.problem(tls.problems(), text);
        }
        let handshake_timeout = more_than_nothing(&mut tls, "handshake_timeout");
        tls.default("handshake_timeout", HANDSHAKE_TIMEOUT);
        tls.finish();
        Some(Self {
            certificate: certificate?.map(PathBuf::from),
            key: key?,
            client_ca: client_ca.map(|it| it.map(PathBuf::from)),
            identities: identities.map(|all| all.into_iter().map(|it| it.value).collect()),
            handshake_timeout: handshake_timeout.unwrap_or(HANDSHAKE_TIMEOUT),
        })
    }

    fn material(&self, source: &dyn SecretSource, problems: &Problems) -> Option<ServerMaterial> {
        let file = |path: &Placed<PathBuf>| {
            let read = source.file(&path.value);
            read.map_err(|fault| path.problem(problems, format!("cannot be read: {fault}"))).ok()
        };
        let certificate = file(&self.certificate);
        let key = self.key.fetch(source, problems);
        let client_ca = match &self.client_ca {
            Some(path) => Some(file(path)?),
            None => None,
        };
        let client = if client_ca.is_some() { ClientAuth::Required } else { ClientAuth::None };
        let material = ServerMaterial {
            certificate: certificate?,
            key: key?.open_secret().as_bytes().to_vec(),
            client_ca,
            client,
        };
        match ServerTls::new(&material) {
            Ok(_) => Some(material),
            Err(fault) => {
                let text = match std::error::Error::source(&fault) {
                    Some(source) => format!("{fault}: {source}"),
                    None => fault.to_string(),
                };
                match (fault, &self.client_ca) {
                    (TlsError::BadAuthorities, Some(ca)) => ca.problem(problems, text),
                    (TlsError::BadKey | TlsError::KeyMismatch, _) => {
                        self.key.problem(problems, text);
                    }
                    _ => self.certificate.problem(problems, text),
                }
                None
            }
        }
    }
}

fn networks(all: &[Placed<String>], section: &Section<'_>) -> Vec<Network> {
    if all.is_empty() {
        section.problem_at("allow", "lets nobody in; leave it out to let in everybody");
    }
    let read = |it: &Placed<String>| {
        it.value.parse().map_err(|fault| it.problem(section.problems(), format!("{fault}"))).ok()
    };
    all.iter().filter_map(read).collect()
}

/// What Linux takes (1 to 32,767 s), and nothing.
fn is_keepalive(time: Duration) -> bool {
    time.is_zero() || (1..=32_400).contains(&time.as_secs())
}

fn more_than_nothing(section: &mut Section<'_>, key: &str) -> Option<Duration> {
    let time = section.duration(key)?;
    if time.value.is_zero() {
        time.problem(section.problems(), "must be more than nothing");
    }
    Some(time.value)
}

fn is_identity(text: &str) -> bool {
    match text.strip_prefix("sha256:") {
        Some(digits) => {
            let digits: Vec<u8> = digits.bytes().filter(|it| *it != b':').collect();
            digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit)
        }
        None => !text.trim().is_empty() && text.trim() == text,
    }
}

#[cfg(test)]
mod tests;
