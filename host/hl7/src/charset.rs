//! Character sets, by the names of HL7 table 0211.

use std::borrow::Cow;

/// How the bytes of a message stand for characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Charset {
    /// Seven bits.
    Ascii,
    /// ISO 8859-1: every byte is the character with its number.
    Latin1,
    /// UTF-8.
    #[default]
    Utf8,
    /// MSH-18 names one that is not known here. What is ASCII can be read all the same.
    Unknown,
}

impl Charset {
    /// The name in MSH-18; none for [`Self::Unknown`].
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Ascii => Some("ASCII"),
            Self::Latin1 => Some("8859/1"),
            Self::Utf8 => Some("UNICODE UTF-8"),
            Self::Unknown => None,
        }
    }

    /// The character set with this name in table 0211.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"ASCII" => Some(Self::Ascii),
            b"8859/1" => Some(Self::Latin1),
            b"UNICODE UTF-8" => Some(Self::Utf8),
            _ => None,
        }
    }

    /// Names that are not in the table and can still mean only one thing.
    pub(crate) fn from_other_spelling(name: &[u8]) -> Option<Self> {
        let same = |spelling: &&str| name.eq_ignore_ascii_case(spelling.as_bytes());
        if ["ASCII", "US-ASCII"].iter().any(same) {
            return Some(Self::Ascii);
        }
        if ["ISO-8859-1", "ISO8859-1", "ISO 8859-1", "8859-1", "ISO8859/1"].iter().any(same) {
            return Some(Self::Latin1);
        }
        ["UNICODE UTF-8", "UTF-8", "UTF8"].iter().any(same).then_some(Self::Utf8)
    }

    /// The bytes as text. Nothing is replaced: a byte that the character set does not have is an
    /// error.
    pub fn decode(self, bytes: Cow<'_, [u8]>) -> Result<String, DecodeError> {
        match self {
            Self::Latin1 => Ok(bytes.iter().copied().map(char::from).collect()),
            Self::Utf8 => String::from_utf8(bytes.into_owned()).map_err(|error| {
                DecodeError::NotInCharset { offset: error.utf8_error().valid_up_to() }
            }),
            Self::Ascii | Self::Unknown => {
                match (bytes.iter().position(|byte| !byte.is_ascii()), self) {
                    (None, _) => Ok(bytes.iter().copied().map(char::from).collect()),
                    (Some(_), Self::Unknown) => Err(DecodeError::UnknownCharset),
                    (Some(offset), _) => Err(DecodeError::NotInCharset { offset }),
                }
            }
        }
    }

    /// The offset of the first byte that cannot be right, if there is one.
    pub(crate) fn first_invalid(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Latin1 | Self::Unknown => None,
            Self::Utf8 => std::str::from_utf8(bytes).err().map(|error| error.valid_up_to()),
            Self::Ascii if bytes.is_ascii() => None,
            Self::Ascii => bytes.iter().position(|byte| !byte.is_ascii()),
        }
    }

    /// Writes one character; false if the character set does not have it.
    pub(crate) fn encode(self, character: char, out: &mut Vec<u8>) -> bool {
        let byte = u8::try_from(character).ok();
        match (self, byte) {
            (Self::Utf8, _) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            (Self::Latin1, Some(byte)) => out.push(byte),
            (_, Some(byte)) if byte.is_ascii() => out.push(byte),
            _ => return false,
        }
        true
    }
}

/// Why bytes of a message are not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A byte that the message's character set does not have.
    #[error("byte {offset} of the value is not of the message's character set")]
    NotInCharset {
        /// Which byte of the unescaped value.
        offset: usize,
    },
    /// The value is more than ASCII and the character set is not known.
    #[error("the message's character set is not known")]
    UnknownCharset,
    /// The range does not lie in the message.
    #[error("the range does not lie in the message")]
    NoSuchRange,
}
