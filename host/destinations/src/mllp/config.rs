use std::time::Duration;

use hilum_words::Name;
use hilum_words::config::{Placed, Section};

use super::OnAnswer;
use crate::TlsConfig;
use crate::bounds::{bytes_or, connections_or, time_or};

/// How long a connection is silent before TCP asks whether the receiver is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// What Linux takes at most is 32,767 s.
const KEEPALIVE_MAX: Duration = Duration::from_secs(9 * 3600);

/// An `mllp` destination's own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MllpConfig {
    /// `host:port`.
    pub address: String,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time to answer.
    pub timeout: Duration,
    /// Bytes of an answer.
    pub answer_bytes_max: usize,
    /// Connections, with one message on its way on each.
    pub connections_max: usize,
    /// TLS; none: in the clear.
    pub tls: Option<TlsConfig>,
    /// Whether the copy that is sent asks for both acknowledgements of the enhanced mode.
    pub enhanced: bool,
    /// The listener that application acknowledgements come to, if not on the same connection.
    pub ack_listener: Option<Placed<Name>>,
    /// Time to the application acknowledgement after the commit one.
    pub application_timeout: Duration,
    /// How long a connection is kept for its next message; none: as long as it lasts.
    pub idle_timeout: Option<Duration>,
    /// After so long a silence TCP asks whether the receiver is still there; none: never.
    pub keepalive: Option<Duration>,
    /// What negative answers mean.
    pub on_answer: OnAnswer,
}

impl MllpConfig {
    /// Reads the kind's own keys.
    pub(crate) fn read(section: &mut Section<'_>) -> Option<Self> {
        let address = section.required_text("address");
        let connect_timeout = time_or(section, "connect_timeout", Duration::from_secs(10));
        let timeout = time_or(section, "timeout", Duration::from_secs(30));
        let answer_bytes_max = bytes_or(section, "answer_bytes_max", 1 << 20);
        let connections_max = connections_or(section, 1);
        let on_answer = OnAnswer::read(section);
        let tls = TlsConfig::read(section);
        let enhanced = section.boolean_or("enhanced", false);
        let ack_listener = section.text("ack_listener");
        let application_timeout = section.duration("application_timeout");
        section.default("application_timeout", timeout);
        let idle_timeout = section.duration("idle_timeout");
        let keepalive = section.duration_or("keepalive", KEEPALIVE);
        if !keepalive.is_zero() && !(Duration::from_secs(1)..=KEEPALIVE_MAX).contains(&keepalive) {
            section.problem_at("keepalive", "must be from \"1s\" to \"9h\", or \"0s\" for none");
        }
        for time in [&application_timeout, &idle_timeout].into_iter().flatten() {
            if time.value.is_zero() {
                time.problem(section.problems(), "must be more than nothing");
            }
        }
        let address = address?;
        if !is_host_and_port(&address.value) {
            let text = "must be host and port, such as \"127.0.0.1:2576\"";
            address.problem(section.problems(), text);
            return None;
        }
        Some(Self {
            address: address.value,
            connect_timeout,
            timeout,
            answer_bytes_max,
            connections_max,
            tls,
            enhanced,
            ack_listener: ack_listener.map(|it| it.map(|name| Name::from(&*name))),
            application_timeout: application_timeout.map_or(timeout, |it| it.value),
            idle_timeout: idle_timeout.map(|it| it.value),
            keepalive: Some(keepalive).filter(|it| !it.is_zero()),
            on_answer,
        })
    }
}

fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    // An address of IPv6 stands in brackets, or its last group would be taken for the port.
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    let is_host = if is_bracketed { 2 < host.len() } else { !host.contains([':', '[', ']']) };
    let is_plain = !host.contains(|it: char| it.is_whitespace() || matches!(it, '/' | '@'));
    !host.is_empty() && is_host && is_plain && port.parse::<u16>().is_ok_and(|it| 0 < it)
}

#[cfg(test)]
mod tests {
    use super::is_host_and_port;

    #[test]
    fn an_address_is_host_and_port() {
        for good in ["127.0.0.1:2575", "lab.example:1", "[::1]:65535", "localhost:2575"] {
            assert!(is_host_and_port(good), "{good}");
        }
        for bad in [
            "",
            "lab",
            "lab:",
            ":2575",
            "lab:0",
            "lab:65536",
            "::1:2575",
            "[]:1",
            "mllp://lab:1",
            "a b:1",
        ] {
            assert!(!is_host_and_port(bad), "{bad}");
        }
    }
}
