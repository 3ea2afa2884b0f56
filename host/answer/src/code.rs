use std::fmt;

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
