//! What is answered, and what goes wrong: JSON, or problem+json as RFC 9457 has it.

use bytes::Bytes;
use hilum_words::Problem;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
    /// The methods, where another one was tried.
    pub allow: Option<&'static str>,
}

impl Reply {
    /// 200 with JSON.
    pub fn json(document: &Value) -> Self {
        Self::of(StatusCode::OK, "application/json", document.to_string())
    }

    /// Any status and type.
    pub fn of(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, body: body.into(), allow: None }
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

/// Why a request was not answered with what it asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The request makes no sense.
    #[error("{0}")]
    BadRequest(String),
    /// The peer may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// There is nothing of that name.
    #[error("{0}")]
    NotFound(String),
    /// It is there, but not for this method.
    #[error("allowed: {0}")]
    NotAllowed(&'static str),
    /// It is not in a state in which this can be done.
    #[error("{0}")]
    Conflict(String),
    /// The body is too long.
    #[error("at most {body_bytes_max} bytes")]
    TooLong {
        /// How much would have been read.
        body_bytes_max: usize,
    },
    /// The new configuration has problems.
    #[error("the configuration has problems; the running one goes on")]
    Problems(Vec<Problem>),
    /// It cannot be done now.
    #[error("{0}")]
    Unavailable(String),
}

impl Fault {
    /// Status, the last part of the problem's type, and title. Nothing else picks these.
    fn face(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad-request", "bad request"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden", "not permitted"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found", "not found"),
            Self::NotAllowed(_) => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "another method is needed")
            }
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict", "not possible now"),
            Self::TooLong { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too-long", "the request's body is too long")
            }
            Self::Problems(_) => (StatusCode::UNPROCESSABLE_ENTITY, "configuration", "not applied"),
            Self::Unavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "not available now")
            }
        }
    }
}

/// One problem of a configuration: where it is, and what to do about it.
fn problem(it: &Problem) -> Value {
    json!({ "file": &*it.place.file, "line": it.place.line, "key": it.key, "text": it.text })
}

impl From<Fault> for Reply {
    fn from(fault: Fault) -> Self {
        let (status, slug, title) = fault.face();
        let mut document = json!({
            "type": format!("https://hilum.example/problems/{slug}"),
            "title": title,
            "status": status.as_u16(),
            "detail": fault.to_string(),
        });
        if let (Fault::Problems(problems), Some(members)) = (&fault, document.as_object_mut()) {
            members.insert("problems".to_owned(), problems.iter().map(problem).collect());
        }
        let allow = match fault {
            Fault::NotAllowed(methods) => Some(methods),
            _ => None,
        };
        Self { allow, ..Self::of(status, "application/problem+json", document.to_string()) }
    }
}
