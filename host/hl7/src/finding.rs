use std::fmt;

/// Something odd about a message that does not stop it from being read. No content, only places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The byte it is about, counted from 0.
    pub offset: usize,
    /// The segment it is about, counted from 1 over the whole input; 0 is what stands before the
    /// first.
    pub segment: usize,
    /// What is odd.
    pub kind: FindingKind,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {}, byte {}: {}", self.segment, self.offset, self.kind)
    }
}

/// What can be odd about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FindingKind {
    /// The bytes EF BB BF before the first segment. They are kept.
    #[error("a byte order mark stands before the first segment")]
    ByteOrderMark,
    /// Blank, TAB, CR, LF or VT before the first segment. They are kept.
    #[error("blank bytes stand before the first segment")]
    BlankPrefix,
    /// A character has two roles in MSH-2. The later role has no character.
    #[error("the {0} character of MSH-2 has another role too, so nothing is read as {0}")]
    SharedDelimiter(Role),
    /// MSH-2 has more than five characters. Those after the fifth have no role.
    #[error("MSH-2 has more than five characters")]
    FurtherDelimiters,
    /// A later header segment declares no usable delimiters; the earlier ones hold on.
    #[error("a later header segment declares no usable delimiters")]
    HeaderDelimiters,
    /// The first segment ends with LF or CRLF instead of CR.
    #[error("segments end with a line feed")]
    LineFeedTerminator,
    /// Later segments end in another way than the first one.
    #[error("segments end in different ways")]
    MixedTerminators,
    /// A LF that ends no segment, because this message's segments end with CR.
    #[error("a line feed stands inside a field")]
    LineFeedInField,
    /// Nothing stands between two terminators.
    #[error("a line is blank")]
    BlankLine,
    /// A segment's name is not a capital letter and two capital letters or digits.
    #[error("a segment's name is not three capital letters or digits")]
    SegmentName,
    /// MSH-18 names a character set that we cannot read.
    #[error("MSH-18 names a character set that is not known here")]
    UnknownCharset,
    /// MSH-18 names the character set in a way that HL7 table 0211 does not have.
    #[error("MSH-18 spells the character set in a way of its own")]
    CharsetSpelling,
    /// MSH-18 has further character sets to switch to; switching is not read.
    #[error("MSH-18 names further character sets")]
    FurtherCharsets,
    /// MSH-18 names another character set than the byte order mark.
    #[error("MSH-18 contradicts the byte order mark")]
    CharsetContradiction,
    /// A byte that the message's character set does not have; it is kept.
    #[error("a byte is not of the message's character set")]
    NotInCharset,
    /// The message has a DSC segment, or an ADD without fields: the rest comes in another message.
    #[error("the message is continued by another")]
    Continued,
    /// An ADD segment with nothing before it to continue.
    #[error("an ADD segment continues none of this message")]
    ContinuesAnother,
    /// [`Message::batch`](crate::Message::batch): BTS-1 states another number, or none.
    #[error("BTS-1 is not the number of messages in the batch")]
    BatchCount,
    /// [`Message::batch`](crate::Message::batch): FTS-1 states another number, or none.
    #[error("FTS-1 is not the number of batches in the file")]
    FileCount,
    /// [`Message::batch`](crate::Message::batch): BHS without BTS, or FHS without FTS.
    #[error("a batch or file has no trailer")]
    TrailerMissing,
    /// [`Message::batch`](crate::Message::batch): BTS without BHS, or FTS without FHS.
    #[error("a trailer closes nothing")]
    TrailerAlone,
    /// [`Message::batch`](crate::Message::batch): a segment before the first MSH, or after a trailer.
    #[error("a segment stands outside of all messages")]
    OutsideMessages,
    /// There are more findings than are listed.
    #[error("there are more findings than are listed")]
    More,
}

/// A delimiter that a message can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// MSH-2, third character.
    Escape,
    /// MSH-2, fourth character.
    Subcomponent,
    /// MSH-2, fifth character.
    Truncation,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Escape => "escape",
            Self::Subcomponent => "subcomponent",
            Self::Truncation => "truncation",
        })
    }
}

/// How many findings a message lists: garbage must not cost more than the message itself.
pub(crate) const FINDINGS_MAX: usize = 64;

/// The list while it grows.
#[derive(Clone, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn add(&mut self, offset: usize, segment: usize, kind: FindingKind) {
        match self.0.len() {
            ..FINDINGS_MAX => self.0.push(Finding { offset, segment, kind }),
            FINDINGS_MAX => self.0.push(Finding { offset, segment, kind: FindingKind::More }),
            _ => {}
        }
    }

    /// Adds a finding that one message has at most once.
    pub(crate) fn add_once(&mut self, offset: usize, segment: usize, kind: FindingKind) {
        if self.0.iter().all(|finding| finding.kind != kind) {
            self.add(offset, segment, kind);
        }
    }

    /// The list in the order of the bytes.
    pub(crate) fn into_vec(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|it| (it.kind == FindingKind::More, it.segment, it.offset));
        self.0
    }
}
