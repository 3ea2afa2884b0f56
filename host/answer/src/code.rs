use std::fmt;

/// HL7 table 0008: what an acknowledgement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AckCode {
    /// Application accept.
    AA,
    /// Application error: the content is wrong, so the same bytes will not do better.
    AE,
    /// Application reject: for another reason than the content, or an unsupported kind of message.
    AR,
    /// Commit accept.
    CA,
    /// Commit error.
    CE,
    /// Commit reject.
    CR,
}

impl AckCode {
    /// The code as it stands in MSA-1.
    pub fn word(self) -> &'static str {
        match self {
            Self::AA => "AA",
            Self::AE => "AE",
            Self::AR => "AR",
            Self::CA => "CA",
            Self::CE => "CE",
            Self::CR => "CR",
        }
    }

    /// The same verdict as a commit acknowledgement.
    pub(crate) fn commit(self) -> Self {
        match self {
            Self::AA | Self::CA => Self::CA,
            Self::AE | Self::CE => Self::CE,
            Self::AR | Self::CR => Self::CR,
        }
    }
}

impl fmt::Display for AckCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// HL7 table 0357: what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// 100
    SegmentSequenceError,
    /// 101
    RequiredFieldMissing,
    /// 102
    DataTypeError,
    /// 103
    TableValueNotFound,
    /// 200
    UnsupportedMessageType,
    /// 205
    DuplicateKeyIdentifier,
    /// 207
    ApplicationInternalError,
}

impl ErrorCode {
    /// The code as it stands in ERR-3.
    pub fn word(self) -> &'static str {
        match self {
            Self::SegmentSequenceError => "100",
            Self::RequiredFieldMissing => "101",
            Self::DataTypeError => "102",
            Self::TableValueNotFound => "103",
            Self::UnsupportedMessageType => "200",
            Self::DuplicateKeyIdentifier => "205",
            Self::ApplicationInternalError => "207",
        }
    }

    /// What the table calls it.
    pub fn text(self) -> &'static str {
        match self {
            Self::SegmentSequenceError => "Segment sequence error",
            Self::RequiredFieldMissing => "Required field missing",
            Self::DataTypeError => "Data type error",
            Self::TableValueNotFound => "Table value not found",
            Self::UnsupportedMessageType => "Unsupported message type",
            Self::DuplicateKeyIdentifier => "Duplicate key identifier",
            Self::ApplicationInternalError => "Application internal error",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
