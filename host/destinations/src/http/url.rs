//! The URL of a destination: `http://host:port/path`.

use hyper::Uri;
use hyper::http::uri::Authority;

/// A checked URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    authority: Authority,
    path: String,
}

impl Url {
    /// Reads a URL; the error is the sentence that an operator needs.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "must be a URL such as \"http://127.0.0.1:8090/fhir\"";
        let uri: Uri = text.parse().map_err(|_| FORM)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err("https is not built yet; use http to a TLS proxy on this machine");
            }
            _ => return Err(FORM),
        }
        let authority = uri.authority().filter(|it| !it.host().is_empty()).ok_or(FORM)?;
        if authority.as_str().contains('@') {
            return Err("must not hold a user or password: secrets are never inline");
        }
        if uri.query().is_some() || text.contains('#') {
            return Err("must end with its path: no query, no fragment");
        }
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { authority: authority.clone(), path })
    }

    /// `host:port`, to dial.
    pub(crate) fn address(&self) -> String {
        let port = self.authority.port_u16().unwrap_or(80);
        format!("{}:{port}", self.authority.host())
    }

    /// What goes into the header `Host`.
    pub(crate) fn host(&self) -> &str {
        self.authority.as_str()
    }

    /// The path to send to; never empty.
    pub(crate) fn path(&self) -> &str {
        if self.path.is_empty() { "/" } else { &self.path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_host_port_and_path() {
        let url = Url::parse("http://ehr.example/fhir/").expect("a URL");
        assert_eq!((url.address().as_str(), url.path()), ("ehr.example:80", "/fhir"));
        let url = Url::parse("http://[::1]:8090").expect("a URL");
        assert_eq!((url.address().as_str(), url.path()), ("[::1]:8090", "/"));
        assert_eq!(url.host(), "[::1]:8090");
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        for (text, why) in [
            ("not a url", "must be a URL"),
            ("/fhir", "must be a URL"),
            ("ftp://x/fhir", "must be a URL"),
            ("http:///fhir", "must be a URL"),
            ("https://127.0.0.1/fhir", "https is not built yet"),
            ("http://user:secret@x/fhir", "secrets are never inline"),
            ("http://x/fhir?key=secret", "no query"),
        ] {
            let error = Url::parse(text).expect_err(text);
            assert!(error.starts_with(why) || error.contains(why), "{text}: {error}");
        }
    }
}
