use std::fmt;

use hilum_hl7::Path;
use hilum_words::{AckCode, Reason, Rejection};

use crate::ErrorCode;

/// Why a message was refused. Carries places, never content: a field's content may be PHI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no MSH, or its delimiters cannot be used.
    #[error("this is no HL7 v2 message: no usable MSH")]
    NotHl7,
    /// The frame is broken.
    #[error("the frame is broken")]
    BadFrame,
    /// The frame outgrew the listener's limit.
    #[error("the message is longer than this listener takes")]
    TooLong,
    /// It has more fields, components and repetitions than the gateway looks at.
    #[error("the message has more fields, components and repetitions than this gateway takes")]
    TooManyValues,
    /// A batch, or several messages in one frame.
    #[error("batches are not taken: send one message in each frame")]
    Batch,
    /// A field without which nothing can be done.
    #[error("{at}: required field is missing")]
    RequiredFieldMissing {
        /// Which one.
        at: Path,
    },
    /// No route takes it.
    #[error("no route takes this kind of message")]
    NoRoute,
    /// Its control id was used before, for other bytes.
    #[error("the control id was used before for another message")]
    Reused,
    /// Too much is waiting.
    #[error("busy: try again later")]
    Busy,
    /// The disk does not take it.
    #[error("the message could not be stored: try again later")]
    NotStored,
    /// Plugins refused it. The texts have been searched for PHI by policy.
    #[error("{}", Listed(.0))]
    Rejected(Vec<Rejection>),
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

impl Refusal {
    /// What a sender of HL7 v2 is told, from tables 0008 and 0357. Nothing else picks these codes.
    pub fn reply(&self) -> (AckCode, ErrorCode) {
        match self {
            Self::NotHl7 | Self::BadFrame => (AckCode::AR, ErrorCode::SegmentSequenceError),
            Self::Batch | Self::NoRoute => (AckCode::AR, ErrorCode::UnsupportedMessageType),
            Self::RequiredFieldMissing { .. } => (AckCode::AE, ErrorCode::RequiredFieldMissing),
            // The same bytes under the same id will never be taken, so it is an error, no reject.
            Self::Reused => (AckCode::AE, ErrorCode::DuplicateKeyIdentifier),
            // So is what has more values than are looked at.
            Self::TooManyValues => (AckCode::AE, ErrorCode::ApplicationInternalError),
            // Nothing is wrong with the content: a reject invites the sender to try again later.
            Self::TooLong | Self::Busy | Self::NotStored => {
                (AckCode::AR, ErrorCode::ApplicationInternalError)
            }
            Self::Rejected(all) => {
                let first = all.first().map_or(Reason::Application, |it| it.reason);
                (AckCode::AE, error_code(first))
            }
        }
    }

    /// What a sender over HTTP is told: the status, and the type of the issue. Nothing else picks
    /// these.
    pub fn status(&self) -> (u16, IssueType) {
        match self {
            Self::NotHl7 | Self::BadFrame => (400, IssueType::Structure),
            Self::TooLong | Self::TooManyValues => (413, IssueType::TooLong),
            Self::Batch | Self::NoRoute => (422, IssueType::NotSupported),
            Self::RequiredFieldMissing { .. } => (422, IssueType::Required),
            Self::Reused => (409, IssueType::Duplicate),
            Self::Busy => (503, IssueType::Throttled),
            Self::NotStored => (503, IssueType::NoStore),
            Self::Rejected(all) => {
                (422, all.first().map_or(IssueType::Processing, |it| issue_type(it.reason)))
            }
        }
    }

    /// Each fault: its codes, where it is as a path, and a sentence.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let (_, code) = self.reply();
        let (_, issue) = self.status();
        let at = match self {
            Self::RequiredFieldMissing { at } => Some(at.to_string()),
            Self::NoRoute => Some("MSH-9".to_owned()),
            Self::Reused => Some("MSH-10".to_owned()),
            _ => None,
        };
        match self {
            Self::Rejected(all) if !all.is_empty() => all.iter().map(Fault::of).collect(),
            _ => vec![Fault { code, issue, at, text: self.to_string() }],
        }
    }
}

/// One of the things that are wrong.
pub(crate) struct Fault {
    pub(crate) code: ErrorCode,
    pub(crate) issue: IssueType,
    pub(crate) at: Option<String>,
    pub(crate) text: String,
}

impl Fault {
    fn of(rejection: &Rejection) -> Self {
        Self {
            code: error_code(rejection.reason),
            issue: issue_type(rejection.reason),
            at: rejection.at.clone(),
            text: rejection.text.clone(),
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

/// FHIR's value set `issue-type`, as far as it is used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssueType {
    /// `structure`
    Structure,
    /// `required`
    Required,
    /// `value`
    Value,
    /// `invariant`
    Invariant,
    /// `not-supported`
    NotSupported,
    /// `code-invalid`
    CodeInvalid,
    /// `duplicate`
    Duplicate,
    /// `too-long`
    TooLong,
    /// `processing`
    Processing,
    /// `throttled`
    Throttled,
    /// `no-store`
    NoStore,
}

impl IssueType {
    /// The code.
    pub fn word(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invariant => "invariant",
            Self::NotSupported => "not-supported",
            Self::CodeInvalid => "code-invalid",
            Self::Duplicate => "duplicate",
            Self::TooLong => "too-long",
            Self::Processing => "processing",
            Self::Throttled => "throttled",
            Self::NoStore => "no-store",
        }
    }
}
