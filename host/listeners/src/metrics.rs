use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Labels that name a listener.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ListenerLabels {
    /// The listener's name in the configuration.
    pub listener: String,
}

/// Why a connection was closed by us, or a frame came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// Too many connections.
    Connections,
    /// Too many connections from one address.
    PeerConnections,
    /// An address that may not connect.
    NotAllowed,
    /// A TLS handshake that failed.
    Handshake,
    /// A TLS handshake that did not end in time.
    HandshakeTimedOut,
    /// A certificate that is good, and nobody's who may connect.
    Identity,
    /// TLS at a port without it.
    TlsOnPlainPort,
    /// Something else at a port with TLS.
    PlainOnTlsPort,
    /// HTTP at an MLLP port.
    HttpOnMllpPort,
    /// MLLP at an HTTP port.
    MllpOnHttpPort,
    /// Silence for longer than the listener allows.
    Idle,
    /// A peer said that it did not store our answer (MLLP release 2).
    NotCommitted,
    /// Too much junk before a frame.
    Junk,
    /// A frame over its limit.
    TooLong,
    /// A finding under `strict`.
    Strict,
    /// A message cut off by the start of another.
    Dropped,
    /// A frame without content.
    Empty,
    /// A frame that did not end in time.
    TimedOut,
    /// A stream that ended inside a frame.
    CutOff,
    /// An answer that the peer did not take in time.
    Unread,
    /// The bytes in flight of the process were spent for too long.
    Budget,
}

impl Trouble {
    /// The label value. Names are API: operators' alerts hold them.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::PeerConnections => "peer_connections",
            Self::NotAllowed => "not_allowed",
            Self::Handshake => "tls_handshake",
            Self::HandshakeTimedOut => "tls_handshake_timed_out",
            Self::Identity => "tls_identity",
            Self::TlsOnPlainPort => "tls_on_plain_port",
            Self::PlainOnTlsPort => "plain_on_tls_port",
            Self::HttpOnMllpPort => "http_on_mllp_port",
            Self::MllpOnHttpPort => "mllp_on_http_port",
            Self::Idle => "idle",
            Self::NotCommitted => "not_committed",
            Self::Junk => "junk",
            Self::TooLong => "too_long",
            Self::Strict => "strict",
            Self::Dropped => "dropped",
            Self::Empty => "empty",
            Self::TimedOut => "timed_out",
            Self::CutOff => "cut_off",
            Self::Unread => "unread",
            Self::Budget => "budget",
        }
    }

    /// The trouble in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Connections => "too many connections",
            Self::PeerConnections => "too many connections from one address",
            Self::NotAllowed => "its address is not in \"allow\"",
            Self::Handshake => "the TLS handshake failed",
            Self::HandshakeTimedOut => "the TLS handshake did not end in time",
            Self::Identity => "its certificate is not in \"identities\"",
            Self::TlsOnPlainPort => "it speaks TLS, and this port does not",
            Self::PlainOnTlsPort => "it does not speak TLS, and this port does",
            Self::HttpOnMllpPort => "it speaks HTTP, and this port MLLP",
            Self::MllpOnHttpPort => "it speaks MLLP, and this port HTTP",
            Self::Idle => "it was silent for longer than \"idle_timeout\"",
            Self::NotCommitted => "it did not store an answer",
            Self::Junk => "it sent too much that is no frame",
            Self::TooLong => "its message is too long",
            Self::Strict => "its framing is odd, and the listener strict",
            Self::Dropped => "a message was cut off by the start of another",
            Self::Empty => "a frame was empty",
            Self::TimedOut => "its message did not end in time",
            Self::CutOff => "it ended inside a message",
            Self::Unread => "it did not take an answer in time",
            Self::Budget => "the bytes in flight were spent for too long",
        }
    }
}

impl EncodeLabelValue for Trouble {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.word(), encoder)
    }
}

/// Labels of what went wrong at a listener.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TroubleLabels {
    /// The listener's name in the configuration.
    pub listener: String,
    /// What went wrong.
    pub trouble: Trouble,
}

/// Labels of what was answered over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ResponseLabels {
    /// The listener's name in the configuration.
    pub listener: String,
    /// The status; one of those that this gateway answers.
    pub status: u16,
}

/// What listeners count. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Connections that are open.
    pub open: Family<ListenerLabels, Gauge>,
    /// Connections that were accepted.
    pub accepted: Family<ListenerLabels, Counter>,
    /// Bytes that were read.
    pub bytes: Family<ListenerLabels, Counter>,
    /// Bytes outside of frames that were skipped.
    pub skipped: Family<ListenerLabels, Counter>,
    /// What went wrong.
    pub troubles: Family<TroubleLabels, Counter>,
    /// Requests that were answered over HTTP.
    pub responses: Family<ResponseLabels, Counter>,
}

impl Metrics {
    /// Adds the families to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("connections_open", "Connections that are open", self.open.clone());
        registry.register("connections", "Connections accepted", self.accepted.clone());
        registry.register("received_bytes", "Bytes read from peers", self.bytes.clone());
        registry.register("skipped_bytes", "Bytes outside of frames", self.skipped.clone());
        registry.register("listener_troubles", "What went wrong", self.troubles.clone());
        registry.register("http_responses", "Requests answered", self.responses.clone());
    }

    pub(crate) fn answered(&self, listener: &str, status: u16) {
        let labels = ResponseLabels { listener: listener.to_owned(), status };
        self.responses.get_or_create(&labels).inc();
    }

    pub(crate) fn trouble(&self, listener: &str, trouble: Trouble) {
        let labels = TroubleLabels { listener: listener.to_owned(), trouble };
        self.troubles.get_or_create(&labels).inc();
    }
}
