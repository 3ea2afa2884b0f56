use crate::{DecodeError, Path, Role, Unfit};

/// Why an edit was refused. Nothing was changed. Places alone, no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// There is no segment with this name and number. Where it belongs nobody can guess:
    /// [`Draft::insert_segment`](crate::Draft::insert_segment) makes one.
    #[error("{at}: there is no such segment")]
    NoSuchSegment {
        /// The path that was asked for.
        at: Path,
    },
    /// The header segments and their first two fields declare the delimiters of what follows.
    #[error("{at}: what declares delimiters cannot be edited")]
    Declaration {
        /// The path that was asked for.
        at: Path,
    },
    /// MSH-18 says what every byte of the message means.
    #[error("{at}: the character set cannot be edited")]
    CharacterSet {
        /// The path that was asked for.
        at: Path,
    },
    /// A segment without a name is kept as it came: an edit could make a header of it.
    #[error("{at}: a segment without a name cannot be edited")]
    NameMissing {
        /// The path that was asked for.
        at: Path,
    },
    /// The path names no part of the segment, and the edit needs one; or the other way round.
    #[error("{at}: is not a path to what is edited")]
    WrongLevel {
        /// The path that was asked for.
        at: Path,
    },
    /// The message's delimiters lack the one that the place needs.
    #[error("{at}: the message has no {role} character")]
    NoDelimiter {
        /// The path that was asked for.
        at: Path,
        /// Which delimiter.
        role: Role,
    },
    /// The text cannot be a value of this message.
    #[error("{at}: the text cannot be written there")]
    Unfit {
        /// The path that was asked for.
        at: Path,
        /// Why not.
        #[source]
        why: Unfit,
    },
    /// What is copied cannot be read in its own message, and the other's character set differs.
    #[error("{at}: what is copied there is not text")]
    NotText {
        /// The path that was asked for.
        at: Path,
        /// Why not.
        #[source]
        why: DecodeError,
    },
    /// What is copied holds delimiters that would split the place.
    #[error("{at}: what is copied there is more than one such part")]
    NotOnePart {
        /// The path that was asked for.
        at: Path,
    },
    /// The range does not lie in the message that is copied from.
    #[error("{at}: what is copied there does not lie in its message")]
    NoSuchRange {
        /// The path that was asked for.
        at: Path,
    },
    /// A number of the path is over the limit.
    #[error("{at}: only the first {number_max} can be made")]
    NumberTooHigh {
        /// The path that was asked for.
        at: Path,
        /// The limit.
        number_max: u32,
    },
    /// The message would outgrow its limit.
    #[error("the edited message would be longer than {bytes_max} bytes")]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// A line feed that stands in a field would end the segment after these edits.
    #[error("with these edits the message's segments would end elsewhere")]
    SegmentsMoved,
}
