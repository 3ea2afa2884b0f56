//! Character sets, by the names of HL7 table 0211.
//!
//! Delimiters are ASCII bytes, and some character sets have such bytes inside of their characters:
//! there [`Charset::structure`] says which bytes can be delimiters. Nothing is ever replaced: bytes
//! that a character set does not have are an error for who reads them, and stay where they are.
//! Not here: UTF-16 and UTF-32, which no frame can carry, ISO IR14 (JIS X 0201), ISO IR159
//! (JIS X 0212), CNS 11643-1992: a message of these is [`Charset::Unknown`].

use std::borrow::Cow;

use encoding_rs::{DecoderResult, Encoding};

/// How the bytes of a message stand for characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Charset {
    /// Seven bits.
    Ascii,
    /// ISO 8859-1: every byte is the character with its number.
    Latin1,
    /// ISO 8859-2, Central Europe.
    Latin2,
    /// ISO 8859-3, South Europe.
    Latin3,
    /// ISO 8859-4, North Europe.
    Latin4,
    /// ISO 8859-5.
    Cyrillic,
    /// ISO 8859-6.
    Arabic,
    /// ISO 8859-7.
    Greek,
    /// ISO 8859-8.
    Hebrew,
    /// ISO 8859-9, Turkish.
    Latin5,
    /// ISO 8859-15: Latin1 with the euro sign.
    Latin9,
    /// Windows-1252. HL7 has no name for it; many senders that say nothing mean it.
    Windows1252,
    /// UTF-8.
    #[default]
    Utf8,
    /// JIS X 0208 beside ASCII, switched to by ESC (ISO-2022-JP) or by `\M2442\`.
    Jis,
    /// GB 18030.
    Gb18030,
    /// KS X 1001 (EUC-KR).
    KsX1001,
    /// Big5.
    Big5,
    /// MSH-18 names one that is not known here. What is ASCII can be read all the same.
    Unknown,
}

use Charset::*;

/// The names of table 0211. The first for a character set is the one we write.
const NAMES: [(&str, Charset); 18] = [
    ("ASCII", Ascii),
    ("ISO IR6", Ascii),
    ("8859/1", Latin1),
    ("8859/2", Latin2),
    ("8859/3", Latin3),
    ("8859/4", Latin4),
    ("8859/5", Cyrillic),
    ("8859/6", Arabic),
    ("8859/7", Greek),
    ("8859/8", Hebrew),
    ("8859/9", Latin5),
    ("8859/15", Latin9),
    ("UNICODE UTF-8", Utf8),
    ("ISO IR87", Jis),
    ("GB 18030-2000", Gb18030),
    ("KS X 1001", KsX1001),
    ("BIG-5", Big5),
    ("WINDOWS-1252", Windows1252),
];

/// ESC, which switches sets in ISO 2022.
const ESC: u8 = 0x1b;

/// What a byte is in a structure that can be no delimiter: delimiters are ASCII.
const NO_DELIMITER: u8 = 0x80;

impl Charset {
    /// The name in MSH-18; none for [`Self::Unknown`] and for [`Self::Windows1252`].
    pub fn name(self) -> Option<&'static str> {
        let found = NAMES.iter().find(|it| it.1 == self && self != Windows1252);
        found.map(|it| it.0)
    }

    /// The character set with this name in table 0211.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let found = NAMES.iter().find(|it| it.0.as_bytes() == name && it.1 != Windows1252);
        found.map(|it| it.1)
    }

    /// The character set with this name in table 0211, or with a usual name elsewhere that can mean
    /// only one thing: `utf-8`, `ISO-8859-1`, `windows-1252`.
    pub fn from_any_name(name: &[u8]) -> Option<Self> {
        Self::from_name(name).or_else(|| Self::from_other_spelling(name))
    }

    /// Names that are not in the table and can still mean only one thing.
    pub(crate) fn from_other_spelling(name: &[u8]) -> Option<Self> {
        let same = |spelling: &&str| name.eq_ignore_ascii_case(spelling.as_bytes());
        // Browsers read these two names as Windows-1252, and HL7 does not.
        if ["US-ASCII", "ANSI_X3.4-1968"].iter().any(same) {
            return Some(Ascii);
        }
        if ["ISO-8859-1", "ISO8859-1", "ISO 8859-1", "8859-1", "ISO8859/1"].iter().any(same) {
            return Some(Latin1);
        }
        if ["ISO-8859-9", "ISO8859-9", "8859-9"].iter().any(same) {
            return Some(Latin5);
        }
        let ours = NAMES.iter().find(|it| same(&it.0)).map(|it| it.1);
        let is_1252 = || same(&"WINDOWS-1252") || same(&"CP1252");
        ours.or_else(|| is_1252().then_some(Windows1252)).or_else(|| Self::from_label(name))
    }

    fn from_label(name: &[u8]) -> Option<Self> {
        let encoding = Encoding::for_label(name)?;
        if encoding == encoding_rs::GBK {
            return Some(Gb18030);
        }
        let found =
            NAMES.iter().find(|it| it.1.encoding() == Some(encoding) && it.1 != Windows1252);
        found.map(|it| it.1).or_else(|| (encoding == encoding_rs::UTF_8).then_some(Utf8))
    }

    fn encoding(self) -> Option<&'static Encoding> {
        Some(match self {
            Latin2 => encoding_rs::ISO_8859_2,
            Latin3 => encoding_rs::ISO_8859_3,
            Latin4 => encoding_rs::ISO_8859_4,
            Cyrillic => encoding_rs::ISO_8859_5,
            Arabic => encoding_rs::ISO_8859_6,
            Greek => encoding_rs::ISO_8859_7,
            Hebrew => encoding_rs::ISO_8859_8,
            Latin9 => encoding_rs::ISO_8859_15,
            Windows1252 => encoding_rs::WINDOWS_1252,
            Jis => encoding_rs::ISO_2022_JP,
            Gb18030 => encoding_rs::GB18030,
            KsX1001 => encoding_rs::EUC_KR,
            Big5 => encoding_rs::BIG5,
            Ascii | Latin1 | Latin5 | Utf8 | Unknown => return None,
        })
    }

    /// The bytes as text. Nothing is replaced: a byte that the character set does not have is an
    /// error.
    pub fn decode(self, bytes: Cow<'_, [u8]>) -> Result<String, DecodeError> {
        match self {
            Latin1 => Ok(bytes.iter().copied().map(char::from).collect()),
            Latin5 => Ok(bytes.iter().copied().map(latin5).collect()),
            Utf8 => String::from_utf8(bytes.into_owned()).map_err(|error| {
                DecodeError::NotInCharset { offset: error.utf8_error().valid_up_to() }
            }),
            Ascii | Unknown => match (bytes.iter().position(|byte| !byte.is_ascii()), self) {
                (None, _) => Ok(bytes.iter().copied().map(char::from).collect()),
                (Some(_), Unknown) => Err(DecodeError::UnknownCharset),
                (Some(offset), _) => Err(DecodeError::NotInCharset { offset }),
            },
            _ => {
                let mut text = String::with_capacity(bytes.len());
                match self.decode_by_table(&bytes, |piece| text.push_str(piece)) {
                    None => Ok(text),
                    Some(offset) => Err(DecodeError::NotInCharset { offset }),
                }
            }
        }
    }

    /// Decodes by one of the large tables; the offset of the first byte that it does not have.
    fn decode_by_table(self, bytes: &[u8], mut take: impl FnMut(&str)) -> Option<usize> {
        let encoding = self.encoding()?;
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let mut room = [0; 1024];
        let mut read = 0;
        loop {
            let rest = bytes.get(read..).unwrap_or_default();
            let (result, taken, written) =
                decoder.decode_to_utf8_without_replacement(rest, &mut room, true);
            read += taken;
            let piece = room.get(..written).unwrap_or_default();
            take(std::str::from_utf8(piece).unwrap_or_default());
            match result {
                DecoderResult::InputEmpty => return None,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(bad, after) => {
                    return Some(read.saturating_sub(usize::from(bad) + usize::from(after)));
                }
            }
        }
    }

    /// A whole text in this character set, not escaped. None if it lacks a character of it.
    pub fn encode_text(self, text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len());
        text.chars().all(|character| self.encode(character, 0, &mut out)).then_some(out)
    }

    /// The offset of the first byte that cannot be right, if there is one.
    pub(crate) fn first_invalid(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Latin1 | Latin5 | Unknown => None,
            Utf8 => std::str::from_utf8(bytes).err().map(|error| error.valid_up_to()),
            _ if self != Jis && bytes.is_ascii() => None,
            Ascii => bytes.iter().position(|byte| !byte.is_ascii()),
            _ => self.decode_by_table(bytes, |_| {}),
        }
    }

    /// Writes one character after others, which begin at `start` of the output; false if the
    /// character set does not have it.
    pub(crate) fn encode(self, character: char, start: usize, out: &mut Vec<u8>) -> bool {
        let byte = u8::try_from(character).ok();
        match (self, byte) {
            // They shift sets.
            (Jis, Some(0x0e | 0x0f | ESC)) => return false,
            (_, Some(byte)) if byte.is_ascii() => out.push(byte),
            (Utf8, _) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            (Latin1, Some(byte)) => out.push(byte),
            (Latin5, _) => match (0x80..=0xff).find(|&byte| latin5(byte) == character) {
                Some(byte) => out.push(byte),
                None => return false,
            },
            _ => return self.encode_by_table(character, start, out),
        }
        true
    }

    fn encode_by_table(self, character: char, start: usize, out: &mut Vec<u8>) -> bool {
        let mut room = [0; 4];
        let text = &*character.encode_utf8(&mut room);
        let Some(encoding) = self.encoding() else {
            return false;
        };
        let (bytes, _, replaced) = encoding.encode(text);
        // Some tables write what they read as something else: narrow kana as wide ones.
        let reads_back = || self.decode(Cow::Borrowed(&bytes)).is_ok_and(|read| read == text);
        let is_extension = match self {
            KsX1001 => bytes.iter().any(|&byte| byte < 0xa1),
            Jis => !bytes.starts_with(b"\x1b$"),
            _ => false,
        };
        if replaced || is_extension || !reads_back() {
            return false;
        }
        let switched_back = b"\x1b(B";
        match bytes.strip_prefix(b"\x1b$B") {
            // The last character was of that set too: do not leave it in between.
            Some(rest) if out.get(start..).is_some_and(|it| it.ends_with(switched_back)) => {
                out.truncate(out.len() - switched_back.len());
                out.extend_from_slice(rest);
            }
            _ => out.extend_from_slice(&bytes),
        }
        true
    }

    /// The bytes with those made no delimiter that are inside of a character, as long as the bytes
    /// themselves. Borrowed if nothing had to be done, as in all character sets but
    /// [`Self::Jis`], [`Self::Gb18030`], [`Self::KsX1001`] and [`Self::Big5`].
    ///
    /// `escape` is the message's escape character; the bytes begin outside of any character.
    pub fn structure<'a>(self, bytes: &'a [u8], escape: Option<u8>) -> Cow<'a, [u8]> {
        match self {
            Gb18030 | KsX1001 | Big5 if !bytes.is_ascii() => self.without_trails(bytes),
            Jis => without_jis(bytes, escape),
            _ => Cow::Borrowed(bytes),
        }
    }

    /// Whether [`Self::structure`] can differ from the bytes.
    pub(crate) fn has_delimiters_inside(self) -> bool {
        matches!(self, Jis | Gb18030 | KsX1001 | Big5)
    }

    fn without_trails<'a>(self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out = bytes.to_vec();
        let mut rest = out.as_mut_slice();
        loop {
            let length = match (self, &*rest) {
                (_, []) => return Cow::Owned(out),
                (Gb18030, [0x81..=0xfe, b'0'..=b'9', 0x81..=0xfe, b'0'..=b'9', ..]) => 4,
                (Gb18030, [0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, ..]) => 2,
                (KsX1001, [0x81..=0xfe, b'A'..=b'Z' | b'a'..=b'z' | 0x81..=0xfe, ..]) => 2,
                (Big5, [0x81..=0xfe, 0x40..=0x7e | 0xa1..=0xfe, ..]) => 2,
                _ => 1,
            };
            let (character, after) = rest.split_at_mut(length.min(rest.len()));
            if 1 < length {
                character.fill(NO_DELIMITER);
            }
            rest = after;
        }
    }
}

/// ISO 8859-9 is ISO 8859-1 but for six letters.
fn latin5(byte: u8) -> char {
    match byte {
        0xd0 => 'Ğ',
        0xdd => 'İ',
        0xde => 'Ş',
        0xf0 => 'ğ',
        0xfd => 'ı',
        0xfe => 'ş',
        _ => char::from(byte),
    }
}

/// From a switch to a set of two bytes to the switch back, or to the end of the line, nothing is a
/// delimiter, nor is the switch itself.
fn without_jis(bytes: &[u8], escape: Option<u8>) -> Cow<'_, [u8]> {
    let escaped = |at: usize| bytes.get(at).is_some() && bytes.get(at).copied() == escape;
    let mut out = Cow::Borrowed(bytes);
    let mut inside = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let (switch, masked) = match rest {
            [b'$', b'@' | b'B', ..] if byte == ESC => (Some(true), 3),
            [b'(', b'I', ..] if byte == ESC => (Some(true), 3),
            [b'(', b'B' | b'J', ..] if byte == ESC => (Some(false), 3),
            // A sequence of HL7's stays one, or it could not be read.
            [b'M', b'2', b'4', b'4', b'0' | b'2', _, ..] if escaped(at) && escaped(at + 6) => {
                (Some(true), 0)
            }
            [b'C', b'2', b'8', b'4', b'2' | b'9' | b'A' | b'a', _, ..]
                if escaped(at) && escaped(at + 6) =>
            {
                (Some(rest.get(4) == Some(&b'9')), 0)
            }
            _ if matches!(byte, b'\r' | b'\n') => (Some(false), 0),
            _ => (None, usize::from(inside)),
        };
        if 0 < masked {
            let range = at..(at + masked).min(bytes.len());
            out.to_mut().get_mut(range).unwrap_or_default().fill(NO_DELIMITER);
        }
        let is_sequence = switch.is_some() && escaped(at);
        at += if is_sequence { 7 } else { masked.max(1) };
        inside = switch.unwrap_or(inside);
    }
    out
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

#[cfg(test)]
mod tests;
