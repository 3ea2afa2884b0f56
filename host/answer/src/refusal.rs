use std::fmt;

use hilum_fhir::{JsonError, JsonFault};
use hilum_hl7::Path;
use hilum_words::{AckCode, Reason, Rejection};

use crate::{ErrorCode, IssueType, RequestFault};

/// Why a message was refused. Carries places, never content: a field's content may be PHI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no MSH, or its delimiters cannot be used.
    #[error("this is no HL7 v2 message: no usable MSH")]
    NotHl7,
    /// It is in a character set whose bytes cannot be told from delimiters.
    #[error(
        "UTF-16 and UTF-32 are not taken: send UTF-8 or another character set that extends ASCII"
    )]
    WideCharset,
    /// The request names another character set than the message is read in.
    #[error(
        "Content-Type names another character set than messages are read in here: name it in MSH-18"
    )]
    OtherCharset,
    /// The frame is broken.
    #[error("the frame is broken")]
    BadFrame,
    /// The frame or body outgrew the listener's limit.
    #[error("the message is longer than the {bytes_max} bytes that this listener takes")]
    TooLong {
        /// How long it may be.
        bytes_max: usize,
    },
    /// Its request line and headers outgrew the listener's limits.
    #[error(
        "the request line and headers are longer than {bytes_max} bytes, or more than {headers_max}"
    )]
    HeadTooLong {
        /// How long they may be.
        bytes_max: usize,
        /// How many headers there may be.
        headers_max: usize,
    },
    /// It has more fields, components and repetitions than the gateway looks at.
    #[error("the message has more than {places_max} fields, components and repetitions")]
    TooManyValues {
        /// How many it may have.
        places_max: usize,
    },
    /// A batch has more messages, or headers of batches and files, than are taken at once.
    #[error("the batch has more than {most} {of}")]
    BatchTooLong {
        /// How many are taken.
        most: usize,
        /// Of what.
        of: &'static str,
    },
    /// A trailer states another number than came.
    #[error("{at}: the number of messages or batches that came is another")]
    BatchCount {
        /// Which trailer: BTS-1 or FTS-1.
        at: Path,
    },
    /// A batch has segments that belong to none of its messages, or that may.
    #[error("segments stand outside of all messages")]
    Stray,
    /// It is one of several parts of a message.
    #[error("{at}: a message that comes in several parts is not put together: send it whole")]
    Fragment {
        /// What says so: DSC, ADD or MSH-14.
        at: Path,
    },
    /// A field without which nothing can be done.
    #[error("{at}: required field is missing")]
    RequiredFieldMissing {
        /// Which one.
        at: Path,
    },
    /// A field of the header is longer than an answer gives back.
    #[error("{at}: the field is longer than {bytes_max} bytes")]
    FieldTooLong {
        /// Which one.
        at: Path,
        /// How long it may be.
        bytes_max: usize,
    },
    /// No route takes it.
    #[error("no route takes this kind of message")]
    NoRoute,
    /// It is an acknowledgement, and no message waits for it. Never said in HL7: nobody acknowledges an
    /// acknowledgement.
    #[error("no message here waits for this acknowledgement")]
    NotAwaited,
    /// Its control id was used before, for other bytes.
    #[error("the control id was used before for another message")]
    Reused,
    /// Its idempotency key was used before, for other bytes.
    #[error("the Idempotency-Key was used before for another body")]
    ReusedKey,
    /// The body is not JSON, or has a member twice.
    #[error("the body is not taken as JSON: {0}")]
    NotJson(JsonError),
    /// The body is JSON and no FHIR resource.
    #[error("resourceType: the body is no FHIR resource")]
    NotFhir,
    /// The URL names a type or an id, and the resource has another.
    #[error("the URL names another type or id than the resource in the body")]
    OtherResource,
    /// Too much is waiting, or the decision takes too long.
    #[error("busy: try again later")]
    Busy,
    /// The disk does not take it.
    #[error("the message could not be stored: try again later")]
    NotStored,
    /// Plugins refused it. The texts have been searched for PHI by policy.
    #[error("{}", Listed(.0))]
    Rejected(Vec<Rejection>),
    /// The request of a sender over HTTP is not one that can hold a message.
    #[error("{0}")]
    Request(RequestFault),
}

struct Listed<'a>(&'a [Rejection]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("rejected without a reason");
        }
        for (index, rejection) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "; " };
            write!(f, "{comma}{rejection}")?;
        }
        Ok(())
    }
}

/// What is said about a refusal in each language. Nothing else picks these.
pub(crate) struct Row {
    /// Table 0008.
    ack: AckCode,
    /// Table 0357.
    error: ErrorCode,
    /// HTTP.
    status: u16,
    /// FHIR, `issue-type`.
    issue: IssueType,
    /// RFC 9457, the end of `type`.
    problem: &'static str,
    /// Where, if it is always the same place.
    at: Option<&'static str>,
}

fn row(
    ack: AckCode,
    error: ErrorCode,
    status: u16,
    issue: IssueType,
    problem: &'static str,
) -> Row {
    Row { ack, error, status, issue, problem, at: None }
}

impl Row {
    fn at(self, at: &'static str) -> Self {
        Self { at: Some(at), ..self }
    }
}

impl Refusal {
    /// The table. AE: the same bytes will not do better. AR: nothing is wrong with the content, so a
    /// reject invites the sender to try again later; or it is no message that could be looked at; or a
    /// kind of message that is not supported (HL7 v2.5.1 ch. 2, 2.9.2.2).
    #[rustfmt::skip]
    pub(crate) fn row(&self) -> Row {
        use AckCode::{AE, AR};
        use ErrorCode as E;
        use IssueType as I;
        match self {
            Self::NotHl7 => row(AR, E::SegmentSequenceError, 400, I::Structure, "not-hl7"),
            Self::WideCharset => row(AR, E::ApplicationInternalError, 415, I::NotSupported, "wide-charset"),
            Self::OtherCharset => row(AE, E::ApplicationInternalError, 415, I::NotSupported, "other-charset"),
            Self::BadFrame => row(AR, E::SegmentSequenceError, 400, I::Structure, "bad-frame"),
            Self::TooLong { .. } => row(AR, E::ApplicationInternalError, 413, I::TooLong, "too-long"),
            Self::HeadTooLong { .. } => row(AR, E::ApplicationInternalError, 431, I::TooLong, "head-too-long"),
            Self::TooManyValues { .. } => row(AE, E::ApplicationInternalError, 413, I::TooLong, "too-many-values"),
            Self::BatchTooLong { .. } => row(AE, E::ApplicationInternalError, 413, I::TooLong, "batch-too-long"),
            Self::BatchCount { .. } => row(AE, E::SegmentSequenceError, 422, I::Invariant, "batch-count"),
            Self::Stray => row(AE, E::SegmentSequenceError, 422, I::Structure, "stray-segments"),
            Self::Fragment { .. } => row(AE, E::ApplicationInternalError, 422, I::NotSupported, "fragment"),
            Self::RequiredFieldMissing { .. } => row(AE, E::RequiredFieldMissing, 422, I::Required, "required-field-missing"),
            Self::FieldTooLong { .. } => row(AE, E::DataTypeError, 422, I::TooLong, "field-too-long"),
            Self::NoRoute => row(AR, E::UnsupportedMessageType, 422, I::NotSupported, "no-route").at("MSH-9"),
            Self::NotAwaited => row(AE, E::ApplicationInternalError, 409, I::NotFound, "not-awaited").at("MSA-2"),
            Self::Reused => row(AE, E::DuplicateKeyIdentifier, 409, I::Duplicate, "reused-control-id").at("MSH-10"),
            Self::ReusedKey => row(AE, E::DuplicateKeyIdentifier, 409, I::Duplicate, "reused-idempotency-key"),
            Self::NotJson(fault) if is_bound(fault) => row(AE, E::ApplicationInternalError, 413, I::TooLong, "json-too-long"),
            Self::NotJson(_) => row(AE, E::DataTypeError, 400, I::Structure, "not-json"),
            Self::NotFhir => row(AE, E::DataTypeError, 400, I::Structure, "not-fhir").at("resourceType"),
            Self::OtherResource => row(AE, E::DataTypeError, 400, I::Value, "other-resource"),
            Self::Busy => row(AR, E::ApplicationInternalError, 503, I::Throttled, "busy"),
            Self::NotStored => row(AR, E::ApplicationInternalError, 503, I::NoStore, "not-stored"),
            Self::Rejected(all) => {
                let reason = all.first().map_or(Reason::Application, |it| it.reason);
                row(AE, error_code(reason), 422, issue_type(reason), "rejected")
            }
            Self::Request(fault) => row(AR, E::ApplicationInternalError, fault.status(), fault.issue(), fault.problem()),
        }
    }

    /// What a sender of HL7 v2 is told, from tables 0008 and 0357.
    pub fn reply(&self) -> (AckCode, ErrorCode) {
        let row = self.row();
        (row.ack, row.error)
    }

    /// What a sender over HTTP is told: the status, and the type of the issue.
    pub fn status(&self) -> (u16, IssueType) {
        let row = self.row();
        (row.status, row.issue)
    }

    /// The word for it, as problems of RFC 9457 and the trail have it.
    pub fn word(&self) -> &'static str {
        self.row().problem
    }

    /// Each fault: its codes, where it is as a path, and a sentence.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let Row { error: code, issue, at, .. } = self.row();
        let at = match self {
            Self::Rejected(all) if !all.is_empty() => return all.iter().map(Fault::of).collect(),
            Self::RequiredFieldMissing { at }
            | Self::FieldTooLong { at, .. }
            | Self::BatchCount { at }
            | Self::Fragment { at } => Some(at.to_string()),
            _ => at.map(str::to_owned),
        };
        vec![Fault { code, issue, at, text: self.to_string(), is_of_plugin: false }]
    }
}

/// One of the things that are wrong.
pub(crate) struct Fault {
    pub(crate) code: ErrorCode,
    pub(crate) issue: IssueType,
    pub(crate) at: Option<String>,
    pub(crate) text: String,
    /// Whether a plugin said it: its text does not name the place.
    pub(crate) is_of_plugin: bool,
}

impl Fault {
    fn of(rejection: &Rejection) -> Self {
        Self {
            code: error_code(rejection.reason),
            issue: issue_type(rejection.reason),
            at: rejection.at.clone(),
            text: rejection.text.clone(),
            is_of_plugin: true,
        }
    }
}

fn error_code(reason: Reason) -> ErrorCode {
    match reason {
        Reason::RequiredMissing => ErrorCode::RequiredFieldMissing,
        Reason::ValueInvalid => ErrorCode::DataTypeError,
        Reason::Unsupported => ErrorCode::UnsupportedMessageType,
        Reason::UnknownCode => ErrorCode::TableValueNotFound,
        // The table has nothing for contradictions; 207 is its catch-all.
        Reason::Inconsistent | Reason::Application => ErrorCode::ApplicationInternalError,
    }
}

fn issue_type(reason: Reason) -> IssueType {
    match reason {
        Reason::RequiredMissing => IssueType::Required,
        Reason::ValueInvalid => IssueType::Value,
        Reason::Unsupported => IssueType::NotSupported,
        Reason::UnknownCode => IssueType::CodeInvalid,
        Reason::Inconsistent => IssueType::Invariant,
        Reason::Application => IssueType::Processing,
    }
}

/// Whether the document is only too much.
fn is_bound(fault: &JsonError) -> bool {
    use JsonFault::{TooDeep, TooLong, TooMany};
    matches!(fault.fault, TooDeep { .. } | TooLong { .. } | TooMany { .. })
}
