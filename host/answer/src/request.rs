use std::fmt;

use crate::IssueType;

/// Why a request over HTTP cannot hold a message. Decided before its body is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestFault {
    /// It has no `Host`, or two.
    Host,
    /// It does not prove who sends it.
    Unauthorized,
    /// Nothing is at this path.
    NotFound,
    /// Another method than the one that is taken there.
    Method,
    /// No answer is of a type that the sender takes.
    NotAcceptable,
    /// It took too long to come.
    TimedOut,
    /// Its length is not said, and has to be.
    LengthRequired,
    /// It does not say what its body is, or not readably.
    ContentType,
    /// Its body is a web form, and no message.
    Form,
    /// Its body is FHIR in XML.
    FhirXml,
    /// Its body is compressed.
    Encoding,
    /// Its transfer coding is another than chunks alone.
    TransferCoding,
    /// Its `Idempotency-Key` is none.
    IdempotencyKey,
    /// It has no body.
    Empty,
    /// Its chunks cannot be read.
    Chunks,
    /// It ended before its end.
    CutOff,
    /// A precondition or expectation that is not met.
    Expectation,
}

impl RequestFault {
    /// Every fault.
    pub const ALL: [Self; 17] = [
        Self::Host,
        Self::Unauthorized,
        Self::NotFound,
        Self::Method,
        Self::NotAcceptable,
        Self::TimedOut,
        Self::LengthRequired,
        Self::ContentType,
        Self::Form,
        Self::FhirXml,
        Self::Encoding,
        Self::TransferCoding,
        Self::IdempotencyKey,
        Self::Empty,
        Self::Chunks,
        Self::CutOff,
        Self::Expectation,
    ];

    /// Status of HTTP, FHIR's type of issue, end of RFC 9457's `type`, and a sentence.
    fn row(self) -> (u16, IssueType, &'static str, &'static str) {
        use IssueType as I;
        match self {
            Self::Host => (400, I::Structure, "host", "the request needs exactly one Host"),
            Self::Unauthorized => (
                401,
                I::Login,
                "unauthorized",
                "this listener needs an Authorization that it knows",
            ),
            Self::NotFound => (404, I::NotFound, "not-found", "nothing is at this path"),
            Self::Method => {
                (405, I::NotSupported, "method", "the method is another than Allow names")
            }
            Self::NotAcceptable => {
                (406, I::NotSupported, "not-acceptable", "no answer has a type that is accepted")
            }
            Self::TimedOut => (408, I::Timeout, "timeout", "the request took too long"),
            Self::LengthRequired => {
                (411, I::Required, "length-required", "the request does not say its length")
            }
            Self::ContentType => (
                415,
                I::NotSupported,
                "content-type",
                "Content-Type is missing or cannot be read; for HL7 v2 it is application/hl7-v2, \
                 for FHIR application/fhir+json",
            ),
            Self::Form => (
                415,
                I::NotSupported,
                "form",
                "a form is not taken; the body is the message itself, with its Content-Type",
            ),
            Self::FhirXml => (
                415,
                I::NotSupported,
                "fhir-xml",
                "FHIR is taken in JSON and not in XML: send it as application/fhir+json",
            ),
            Self::Encoding => (
                415,
                I::NotSupported,
                "encoding",
                "a compressed body is not taken; send it as it is, without Content-Encoding",
            ),
            Self::TransferCoding => (
                501,
                I::NotSupported,
                "transfer-coding",
                "chunked is the only Transfer-Encoding that is taken; send the body as it is",
            ),
            Self::IdempotencyKey => (
                400,
                I::Value,
                "idempotency-key",
                "Idempotency-Key must be one value of 1 to 255 printable ASCII characters",
            ),
            Self::Empty => (400, I::Required, "empty", "the request has no body"),
            Self::Chunks => (400, I::Structure, "chunks", "the chunks of the body cannot be read"),
            Self::CutOff => (400, I::Incomplete, "cut-off", "the body ended too early"),
            Self::Expectation => {
                (417, I::NotSupported, "expectation", "the expectation is not met")
            }
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
