use std::net::SocketAddr;
use std::time::Duration;

use hilum_words::config::Section;

/// An MLLP listener's section, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MllpConfig {
    /// `address:port`. Port 0 lets the system choose.
    pub bind: String,
    /// Connections that may be open at once.
    pub connections_max: usize,
    /// Bytes of a frame's content.
    pub frame_bytes_max: usize,
    /// From the start of a frame to its end, and for the peer to take an answer.
    pub read_timeout: Duration,
    /// Whether odd framing closes the connection.
    pub strict: bool,
}

impl MllpConfig {
    /// Reads `bind`, `connections_max` (256), `frame_bytes_max` (16 MiB), `read_timeout` (30 s) and
    /// `strict` (false). None if one of them is wrong; the problems say which.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let before = section.problems().len();
        let bind = section.required_text("bind");
        if let Some(bind) = bind.as_ref().filter(|it| it.value.parse::<SocketAddr>().is_err()) {
            bind.problem(
                section.problems(),
                "must be an address and a port, such as \"127.0.0.1:2575\"",
            );
        }
        let connections = section.integer("connections_max", 1..=65_536);
        let frame = section.size("frame_bytes_max");
        if let Some(frame) = frame.as_ref().filter(|it| !(1 << 10..=256 << 20).contains(&it.value))
        {
            frame.problem(section.problems(), "must be from 1 KiB to 256 MiB");
        }
        let timeout = section.duration("read_timeout");
        if let Some(timeout) = timeout.as_ref().filter(|it| it.value.is_zero()) {
            timeout.problem(section.problems(), "must be more than nothing");
        }
        let strict = section.boolean("strict").is_some_and(|it| it.value);
        if section.problems().len() != before {
            return None;
        }
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Some(Self {
            bind: bind?.value,
            connections_max: connections.map_or(256, |it| count(it.value)),
            frame_bytes_max: frame.map_or(16 << 20, |it| count(it.value)),
            read_timeout: timeout.map_or(Duration::from_secs(30), |it| it.value),
            strict,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hilum_words::config::Document;
    use hilum_words::{Problem, Problems};

    fn read(text: &str) -> (Option<MllpConfig>, Vec<String>) {
        let problems = Problems::default();
        let document = Document::parse("hilum.toml", text, &problems);
        let mut section = document.root(&problems);
        let config = MllpConfig::read(&mut section);
        section.finish();
        (config, problems.into_sorted().iter().map(Problem::to_string).collect())
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let (config, problems) = read("bind = \"127.0.0.1:0\"");
        assert!(problems.is_empty());
        assert_eq!(config.expect("read").frame_bytes_max, 16 << 20);
    }

    #[test]
    fn each_wrong_value_is_a_problem() {
        let text = "bind = \"here\"\nconnections_max = 0\nframe_bytes_max = \"2 GiB\"\nread_timeout = \"0s\"\n";
        let (config, problems) = read(text);
        assert_eq!(config, None);
        assert_eq!(problems.len(), 4, "{problems:?}");
    }
}
