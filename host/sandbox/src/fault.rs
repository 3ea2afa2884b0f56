use std::fmt;

/// A limit that ends a call, apart from fuel, memory and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Bytes handed back, or handed over in one host call.
    OutputBytes,
    /// Outputs, destinations or refusals in one answer.
    Outputs,
    /// Calls of the host.
    HostCalls,
    /// Live handles.
    Handles,
    /// Elements of tables.
    TableElements,
}

impl Limit {
    /// The word that is printed and counted.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OutputBytes => "output bytes",
            Self::Outputs => "outputs",
            Self::HostCalls => "host calls",
            Self::Handles => "handles",
            Self::TableElements => "table elements",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Which rule of the contract an answer broke. Nothing of the answer is kept: it may hold PHI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A format is lower-case letters, digits and hyphens, at most 32.
    FormatWord,
    /// A format is one of the manifest's `gives`, the message's own, or one that the gateway reads.
    FormatNotGiven,
    /// A destination's name has no control characters and at most 128 bytes.
    DestinationName,
    /// A validator that refuses says why.
    RefusalWithoutReason,
    /// A draft handed back was not one that the host had made.
    UnknownDraft,
    /// The edits of a draft have moved its segments' ends.
    UnreadableDraft,
    /// A text handed back has letters that its message's character set lacks.
    Letters,
}

impl Rule {
    /// The rule as a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::FormatWord => {
                "an output's format has to be a word of lower-case letters, digits and hyphens"
            }
            Self::FormatNotGiven => {
                "an output has a format that is neither in its manifest's `gives` nor the message's own"
            }
            Self::DestinationName => "an output named a destination with a name that none can have",
            Self::RefusalWithoutReason => {
                "a validator that refuses has to give at least one refusal"
            }
            Self::UnknownDraft => "an output's body was a draft that the host did not make",
            Self::UnreadableDraft => {
                "a draft's edits made a line feed of free text the end of a segment"
            }
            Self::Letters => {
                "an output's text has a letter that the character set in its MSH-18 lacks"
            }
        }
    }
}

/// How a plugin broke the rules of the sandbox. Holds our own words alone: what a plugin says about
/// its end is in `Report::said`, searched for PHI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PluginFault {
    /// It used up its fuel. The same message does so every time.
    #[error("ran out of fuel")]
    OutOfFuel,
    /// It asked for more memory than its budget has.
    #[error("asked for more memory than its budget has")]
    OutOfMemory,
    /// It used up its time by the wall, which depends on the machine.
    #[error("ran out of time")]
    TimedOut,
    /// It went over another limit.
    #[error("went over its limit of {0}")]
    OverLimit(Limit),
    /// It trapped: the engine's word for the kind.
    #[error("trapped: {0}")]
    Trapped(&'static str),
    /// Its answer broke a rule of the contract.
    #[error("broke the contract: {}", .0.sentence())]
    Misbehaved(Rule),
}
