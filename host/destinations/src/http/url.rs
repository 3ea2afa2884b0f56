//! The URL of a destination: `http://host:port/path`, `https://host/path`.

use hyper::Uri;
use hyper::http::uri::Authority;

/// A checked URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    is_tls: bool,
    authority: Authority,
    path: String,
}

const FORM: &str = "must be a URL such as \"https://ehr.example/fhir\"";

impl Url {
    /// Reads a URL that ends with its path; the error is the sentence that an operator needs.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (url, query) = Self::split(text)?;
        if query.is_some() || text.contains('#') {
            return Err("must end with its path: no query, no fragment");
        }
        let path = url.path.trim_end_matches('/').to_owned();
        Ok(Self { path, ..url })
    }

    /// Reads a URL that may have a query, which is given apart.
    pub(crate) fn split(text: &str) -> Result<(Self, Option<String>), &'static str> {
        let uri: Uri = text.parse().map_err(|_| FORM)?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(FORM),
        };
        let authority = uri.authority().filter(|it| !it.host().is_empty()).ok_or(FORM)?;
        if authority.as_str().contains('@') {
            return Err("must not hold a user or password: secrets are never inline");
        }
        let url = Self { is_tls, authority: authority.clone(), path: uri.path().to_owned() };
        Ok((url, uri.query().map(str::to_owned)))
    }

    /// Whether it is `https`.
    pub(crate) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// `host:port`, to dial.
    pub(crate) fn address(&self) -> String {
        let standard = if self.is_tls { 443 } else { 80 };
        let port = self.authority.port_u16().unwrap_or(standard);
        format!("{}:{port}", self.authority.host())
    }

    /// The name that the server's certificate has to bear.
    pub(crate) fn server_name(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    /// Whether it is this machine itself.
    pub(crate) fn is_loopback(&self) -> bool {
        let name = self.server_name();
        let is_address = name.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback());
        is_address || name.eq_ignore_ascii_case("localhost")
    }

    /// What goes into the header `Host`.
    pub(crate) fn host(&self) -> &str {
        self.authority.as_str()
    }

    /// The path to send to; never empty.
    pub(crate) fn path(&self) -> &str {
        if self.path.is_empty() { "/" } else { &self.path }
    }

    /// The path of something below it: `/fhir/Patient`.
    pub(crate) fn below(&self, rest: &str) -> String {
        format!("{}/{rest}", self.path.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_host_port_and_path() {
        let url = Url::parse("http://ehr.example/fhir/").expect("a URL");
        assert_eq!((url.address().as_str(), url.path()), ("ehr.example:80", "/fhir"));
        assert_eq!((url.is_tls(), url.below("Patient").as_str()), (false, "/fhir/Patient"));
        let url = Url::parse("https://ehr.example").expect("a URL");
        assert_eq!((url.address().as_str(), url.path()), ("ehr.example:443", "/"));
        assert_eq!((url.is_tls(), url.server_name()), (true, "ehr.example"));
        assert_eq!(url.below("Patient"), "/Patient");
        let url = Url::parse("http://[::1]:8090").expect("a URL");
        assert_eq!((url.address().as_str(), url.path()), ("[::1]:8090", "/"));
        assert_eq!((url.host(), url.server_name()), ("[::1]:8090", "::1"));
        for (text, is_loopback) in [
            ("http://[::1]:1", true),
            ("http://127.0.0.9", true),
            ("http://LOCALHOST/x", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(Url::parse(text).expect("a URL").is_loopback(), is_loopback, "{text}");
        }
    }

    #[test]
    fn a_query_is_given_apart() {
        let (url, query) = Url::split("http://x/a/?b=c").expect("a URL");
        assert_eq!((url.path(), query.as_deref()), ("/a/", Some("b=c")));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        for (text, why) in [
            ("not a url", "must be a URL"),
            ("/fhir", "must be a URL"),
            ("ftp://x/fhir", "must be a URL"),
            ("http:///fhir", "must be a URL"),
            ("http://user:secret@x/fhir", "secrets are never inline"),
            ("http://x/fhir?key=secret", "no query"),
        ] {
            let error = Url::parse(text).expect_err(text);
            assert!(error.starts_with(why) || error.contains(why), "{text}: {error}");
        }
    }
}
