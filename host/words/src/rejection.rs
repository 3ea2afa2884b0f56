use std::fmt;

/// What is wrong with a message, as a plugin says it (`types.reason` of the contract).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A required field is missing.
    RequiredMissing,
    /// A field's value is not valid.
    ValueInvalid,
    /// The message is of a kind that is not supported.
    Unsupported,
    /// A code is not in its table.
    UnknownCode,
    /// Two parts of the message contradict each other.
    Inconsistent,
    /// Anything else that the application does not accept.
    Application,
}

impl Reason {
    /// Every reason.
    pub const ALL: &[Self] = &[
        Self::RequiredMissing,
        Self::ValueInvalid,
        Self::Unsupported,
        Self::UnknownCode,
        Self::Inconsistent,
        Self::Application,
    ];

    /// The word as it is printed and stored: the contract's own.
    pub fn word(self) -> &'static str {
        match self {
            Self::RequiredMissing => "required-missing",
            Self::ValueInvalid => "value-invalid",
            Self::Unsupported => "unsupported",
            Self::UnknownCode => "unknown-code",
            Self::Inconsistent => "inconsistent",
            Self::Application => "application",
        }
    }

    /// The reason with this spelling.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.word() == word)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a plugin refused a message. `text` has been searched for PHI by policy before it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The kind of fault.
    pub reason: Reason,
    /// Where in the input, as a path that parses.
    pub at: Option<String>,
    /// For a person; free of PHI.
    pub text: String,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(f, "{at}: ")?;
        }
        write!(f, "{}: {}", self.reason, self.text)
    }
}
