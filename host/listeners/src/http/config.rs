use std::net::SocketAddr;
use std::time::Duration;

use hilum_words::config::{Section, Size};

use super::AuthConfig;

/// What `application/json` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Json {
    /// FHIR, as `application/fhir+json`.
    Fhir,
    /// Any JSON, which stays opaque.
    Opaque,
}

/// The keys of an HTTP listener that others do not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Where messages are posted to.
    pub path: String,
    /// What `application/json` is.
    pub json: Json,
    /// Bytes of request line and headers.
    pub head_bytes_max: usize,
    /// Bytes of a body.
    pub body_bytes_max: usize,
    /// From the first byte of a request to its last.
    pub request_timeout: Duration,
    /// Who may send; none: whoever can connect.
    pub auth: Option<AuthConfig>,
}

/// What the server's buffer holds at least.
const HEAD_BYTES_MIN: u64 = 8 << 10;

/// What counts where nothing is written.
const HEAD_BYTES: u64 = 16 << 10;
const BODY_BYTES: u64 = 16 << 20;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

impl HttpConfig {
    /// Reads `path` ("/"), `json` (fhir), `head_bytes_max` (16 KiB), `body_bytes_max` (16 MiB),
    /// `request_timeout` (2 min) and `[auth]` (none). None if one of them is wrong; the problems
    /// say which.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let before = section.problems().len();
        let path = section.text("path");
        if let Some(path) = path.as_ref().filter(|it| !is_path(&it.value)) {
            path.problem(section.problems(), "must be a path such as \"/hl7\", without ? and #");
        }
        let json = section.word("json", &["fhir", "opaque"]);
        let head = section.size("head_bytes_max");
        if let Some(head) =
            head.as_ref().filter(|it| !(HEAD_BYTES_MIN..=64 << 10).contains(&it.value))
        {
            head.problem(section.problems(), "must be from 8 KiB to 64 KiB");
        }
        let body = section.size("body_bytes_max");
        if let Some(body) = body.as_ref().filter(|it| !(1 << 10..=256 << 20).contains(&it.value)) {
            body.problem(section.problems(), "must be from 1 KiB to 256 MiB");
        }
        let timeout = section.duration("request_timeout");
        if let Some(timeout) = timeout.as_ref().filter(|it| it.value.is_zero()) {
            timeout.problem(section.problems(), "must be more than nothing");
        }
        section.default("path", "/");
        section.default("json", "fhir");
        section.default("head_bytes_max", Size(HEAD_BYTES));
        section.default("body_bytes_max", Size(BODY_BYTES));
        section.default("request_timeout", REQUEST_TIMEOUT);
        let auth = AuthConfig::read(section);
        if section.has("auth") && !section.has("tls") && !is_bound_to_this_machine(section) {
            section
                .problem_at("auth", "needs [tls]: else the secret goes over the network as it is");
        }
        if section.problems().len() != before {
            return None;
        }
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Some(Self {
            path: path.map_or_else(|| "/".to_owned(), |it| it.value),
            json: if json.is_some_and(|it| it.value == 1) { Json::Opaque } else { Json::Fhir },
            head_bytes_max: head.map_or(count(HEAD_BYTES), |it| count(it.value)),
            body_bytes_max: body.map_or(count(BODY_BYTES), |it| count(it.value)),
            request_timeout: timeout.map_or(REQUEST_TIMEOUT, |it| it.value),
            auth,
        })
    }
}

/// Then only what runs here, such as a proxy that speaks TLS, hears what is said.
fn is_bound_to_this_machine(section: &mut Section<'_>) -> bool {
    let bind = section.text("bind").and_then(|it| it.value.parse::<SocketAddr>().ok());
    bind.is_some_and(|it| it.ip().is_loopback())
}

fn is_path(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte);
    text.starts_with('/') && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hilum_words::config::{Document, Placed, SecretRef};
    use hilum_words::{Place, Problem, Problems};

    fn read(text: &str) -> (Option<HttpConfig>, Vec<String>) {
        let problems = Problems::default();
        let document = Document::parse("hilum.toml", text, &problems);
        let mut section = document.root(&problems);
        let config = HttpConfig::read(&mut section);
        section.finish();
        (config, problems.into_sorted().iter().map(Problem::to_string).collect())
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let (config, problems) = read("");
        assert!(problems.is_empty());
        let expected = HttpConfig {
            path: "/".to_owned(),
            json: Json::Fhir,
            head_bytes_max: 16 << 10,
            body_bytes_max: 16 << 20,
            request_timeout: Duration::from_secs(120),
            auth: None,
        };
        assert_eq!(config, Some(expected));
    }

    #[test]
    fn each_key_is_read() {
        let (config, problems) = read(
            "path = \"/fhir/in\"\njson = \"opaque\"\nhead_bytes_max = \"8 KiB\"\n\
             body_bytes_max = \"1 KiB\"\nrequest_timeout = \"5s\"\nbind = \"[::1]:80\"\n\
             [auth]\nkind = \"basic\"\nuser = \"lab\"\npassword_env = \"LAB\"\n",
        );
        assert!(problems.is_empty(), "{problems:?}");
        // A secret that cannot be had is told at its own key.
        let password = Placed {
            value: SecretRef::Env("LAB".to_owned()),
            place: Place { file: "hilum.toml".into(), line: 10 },
            key: "auth.password_env".to_owned(),
        };
        let expected = HttpConfig {
            path: "/fhir/in".to_owned(),
            json: Json::Opaque,
            head_bytes_max: 8 << 10,
            body_bytes_max: 1 << 10,
            request_timeout: Duration::from_secs(5),
            auth: Some(AuthConfig::Basic { user: "lab".to_owned(), password }),
        };
        assert_eq!(config, Some(expected));
    }

    #[test]
    fn each_wrong_value_is_a_problem() {
        for wrong in [
            "path = \"hl7\"",
            "path = \"/a?b\"",
            "path = \"/a b\"",
            "json = \"yaml\"",
            "head_bytes_max = \"4 KiB\"",
            "head_bytes_max = \"65 KiB\"",
            "body_bytes_max = \"1 B\"",
            "body_bytes_max = \"257 MiB\"",
            "request_timeout = \"0s\"",
            "auth = \"bearer\"",
            "[auth]\nkind = \"digest\"",
            "[auth]\nkind = \"bearer\"",
            "[auth]\nkind = \"bearer\"\ntoken = \"inline\"",
            "[auth]\nkind = \"basic\"\nuser = \"a:b\"\npassword_env = \"P\"",
            "[auth]\nkind = \"basic\"\nuser = \"a\"",
            "[auth]\ntoken_env = \"T\"",
        ] {
            let (config, problems) = read(wrong);
            assert_eq!(config, None, "{wrong}");
            assert!(!problems.is_empty(), "{wrong}");
            assert!(!problems.concat().contains("inline\""), "{problems:?}");
        }
    }

    #[test]
    fn a_secret_does_not_go_over_the_network_as_it_is() {
        let auth = "[auth]\nkind = \"bearer\"\ntoken_env = \"T\"\n";
        for (before, is_good) in [
            ("bind = \"127.0.0.1:80\"\n", true),
            ("bind = \"0.0.0.0:80\"\n", false),
            ("bind = \"192.0.2.1:80\"\n[tls]\n", true),
            ("", false),
        ] {
            let (config, problems) = read(&format!("{before}{auth}"));
            assert_eq!(config.is_some(), is_good, "{before}{problems:?}");
            assert_eq!(problems.iter().any(|it| it.contains("needs [tls]")), !is_good);
        }
    }
}
