use std::fmt;

use crate::IssueType;

/// Why a request over HTTP cannot hold a message. Decided before its body is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestFault {
    /// It is not HTTP as it should be.
    Malformed,
    /// Nothing is at this path.
    NotFound,
    /// Another method than POST.
    Method,
    /// No answer is of a type that the sender takes.
    NotAcceptable,
    /// It took too long to come.
    TimedOut,
    /// Its length is not said, and has to be.
    LengthRequired,
    /// Its body is compressed, or in parts.
    Encoding,
    /// A precondition or expectation that is not met.
    Expectation,
    /// Its head is longer than is taken.
    HeadTooLong,
    /// It comes from where nothing is taken.
    Forbidden,
    /// Too many requests at once.
    TooMany,
}

impl RequestFault {
    /// Every fault.
    pub const ALL: [Self; 11] = [
        Self::Malformed,
        Self::NotFound,
        Self::Method,
        Self::NotAcceptable,
        Self::TimedOut,
        Self::LengthRequired,
        Self::Encoding,
        Self::Expectation,
        Self::HeadTooLong,
        Self::Forbidden,
        Self::TooMany,
    ];

    /// Status of HTTP, FHIR's type of issue, end of RFC 9457's `type`, and a sentence.
    fn row(self) -> (u16, IssueType, &'static str, &'static str) {
        use IssueType as I;
        match self {
            Self::Malformed => (400, I::Structure, "malformed", "the request is malformed"),
            Self::NotFound => (404, I::NotFound, "not-found", "nothing is at this path"),
            Self::Method => (405, I::NotSupported, "method", "only POST is taken here"),
            Self::NotAcceptable => {
                (406, I::NotSupported, "not-acceptable", "no answer has a type that is accepted")
            }
            Self::TimedOut => (408, I::Timeout, "timeout", "the request took too long"),
            Self::LengthRequired => {
                (411, I::Required, "length-required", "the request does not say its length")
            }
            Self::Encoding => (
                415,
                I::NotSupported,
                "encoding",
                "bodies that are compressed or in parts are not taken",
            ),
            Self::Expectation => {
                (417, I::NotSupported, "expectation", "the expectation is not met")
            }
            Self::HeadTooLong => {
                (431, I::TooLong, "head-too-long", "the head is longer than this listener takes")
            }
            Self::Forbidden => (403, I::Processing, "forbidden", "nothing is taken from there"),
            Self::TooMany => (429, I::Throttled, "too-many", "too many requests: try again later"),
        }
    }

    pub(crate) fn status(self) -> u16 {
        self.row().0
    }

    pub(crate) fn issue(self) -> IssueType {
        self.row().1
    }

    pub(crate) fn problem(self) -> &'static str {
        self.row().2
    }
}

impl fmt::Display for RequestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().3)
    }
}
