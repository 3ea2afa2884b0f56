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
    /// `not-found`
    NotFound,
    /// `timeout`
    Timeout,
    /// `login`
    Login,
    /// `incomplete`
    Incomplete,
    /// `informational`
    Informational,
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
            Self::NotFound => "not-found",
            Self::Timeout => "timeout",
            Self::Login => "login",
            Self::Incomplete => "incomplete",
            Self::Informational => "informational",
        }
    }
}
