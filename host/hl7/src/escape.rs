//! Escape sequences of HL7 v2 chapter 2: out of a value, and into one.
//!
//! | sequence | [`Escape`] | [`text`](crate::Message::text) | [`formatted_text`](crate::Message::formatted_text) |
//! |---|---|---|---|
//! | `\F\ \S\ \R\ \T\ \E\ \P\` | `Delimiter` | the character | the same |
//! | `\X414F\` | `Hex` | these bytes, in the message's character set | the same |
//! | `\.br\` | `LineBreak` | LF | LF and the left margin |
//! | `\.sp3\`, `\.sp\` | `SkipLines` | kept | that many LF, or one; the left margin |
//! | `\.in-2\` | `Indent` | kept | moves the left margin, at once if the line is empty |
//! | `\.ti4\` | `IndentOnce` | kept | blanks, if the line is empty |
//! | `\.sk5\` | `SkipRight` | kept | that many blanks |
//! | `\.ce\` | `Center` | kept | LF, unless the line is empty; no width is known to center in |
//! | `\.fi\ \.nf\` | `Fill`, `NoFill` | kept | nothing: lines are not wrapped |
//! | `\H\ \N\` | `Highlight`, `Normal` | kept | nothing |
//! | `\C2842\ \M2442\` | `SingleByteSet`, `MultiByteSet` | the switch, in [`Charset::Jis`]; else kept | the same |
//! | `\Z01\` | `Local` | kept | kept: only sender and receiver know |
//! | any other | `Unknown` | kept | kept |
//!
//! *Kept* is both escape characters and what is between them, as a last escape character without a
//! partner is. Sequences do not nest: escape characters pair up from the left. A sequence for a
//! role that the message has no character for is unknown.
//!
//! HL7 would go on in the same column after `\.sp\`; all readers we know begin a line.

use std::borrow::Cow;

use memchr::memchr;

use crate::{Charset, Delimiters};

/// Why a text cannot be a value of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The message's character set does not have the character.
    #[error("character {index} is not in the message's character set")]
    NotInCharset {
        /// Which character, from 0.
        index: usize,
    },
    /// The character needs an escape sequence, and with these delimiters there is none.
    #[error("character {index} cannot be escaped with the message's delimiters")]
    NoEscape {
        /// Which character, from 0.
        index: usize,
    },
}

impl Delimiters {
    /// The bytes that a raw value stands for. Borrowed if there was nothing to do.
    ///
    /// In a character set that has delimiters inside of its characters, ask the message.
    pub fn unescape<'a>(&self, raw: &'a [u8]) -> Cow<'a, [u8]> {
        self.unescape_in(Charset::Utf8, raw)
    }

    pub(crate) fn unescape_in<'a>(&self, charset: Charset, raw: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(escape) = self.escape.filter(|&escape| memchr(escape, raw).is_some()) else {
            return Cow::Borrowed(raw);
        };
        let mut out = Vec::with_capacity(raw.len());
        for token in self.tokens(charset, raw) {
            match token {
                Token::Plain(bytes) => out.extend_from_slice(bytes),
                Token::Sequence(sequence) => {
                    if !self.unescape_one(charset, sequence, &mut out) {
                        out.push(escape);
                        out.extend_from_slice(sequence);
                        out.push(escape);
                    }
                }
            }
        }
        Cow::Owned(out)
    }

    /// Takes a raw value apart. A last escape character without a partner is plain.
    pub(crate) fn tokens<'a>(&self, charset: Charset, raw: &'a [u8]) -> Tokens<'a> {
        let structure = charset.structure(raw, self.escape);
        Tokens { escape: self.escape, raw, structure, at: 0 }
    }

    /// The pieces of a raw value: bytes that stand for themselves, and escape sequences.
    pub fn pieces<'a>(&self, raw: &'a [u8]) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        let delimiters = *self;
        self.tokens(Charset::Utf8, raw).map(move |token| match token {
            Token::Plain(bytes) => Piece::Bytes(bytes),
            Token::Sequence(sequence) => Piece::Escape(delimiters.escape_of(sequence)),
        })
    }

    /// What stands between two escape characters.
    pub(crate) fn escape_of<'a>(&self, sequence: &'a [u8]) -> Escape<'a> {
        self.known_escape(sequence).unwrap_or(Escape::Unknown(sequence))
    }

    fn known_escape<'a>(&self, sequence: &'a [u8]) -> Option<Escape<'a>> {
        Some(match sequence {
            b"F" => Escape::Delimiter(self.field),
            b"S" => Escape::Delimiter(self.component),
            b"R" => Escape::Delimiter(self.repetition),
            b"T" => Escape::Delimiter(self.subcomponent?),
            b"E" => Escape::Delimiter(self.escape?),
            b"P" => Escape::Delimiter(self.truncation?),
            b"H" => Escape::Highlight,
            b"N" => Escape::Normal,
            [b'X', digits @ ..] => Escape::Hex(Hex::new(digits)?),
            [b'C', digits @ ..] => {
                Escape::SingleByteSet(Hex::new(digits).filter(|it| it.len() == 2)?)
            }
            [b'M', digits @ ..] => {
                Escape::MultiByteSet(Hex::new(digits).filter(|it| (2..=3).contains(&it.len()))?)
            }
            [b'Z', local @ ..] => Escape::Local(local),
            b".br" => Escape::LineBreak,
            b".fi" => Escape::Fill,
            b".nf" => Escape::NoFill,
            b".ce" => Escape::Center,
            b".sp" => Escape::SkipLines(1),
            [b'.', b's', b'p', number @ ..] => Escape::SkipLines(count(number)?),
            [b'.', b's', b'k', number @ ..] => Escape::SkipRight(count(number)?),
            [b'.', b'i', b'n', number @ ..] => Escape::Indent(integer(number)?),
            [b'.', b't', b'i', number @ ..] => Escape::IndentOnce(integer(number)?),
            _ => return None,
        })
    }

    /// Writes what a sequence stands for in a plain text; false if it is kept there.
    pub(crate) fn unescape_one(
        &self,
        charset: Charset,
        sequence: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        match self.escape_of(sequence) {
            Escape::SingleByteSet(hex) | Escape::MultiByteSet(hex) if charset == Charset::Jis => {
                out.push(0x1b);
                out.extend(hex.bytes());
            }
            Escape::Delimiter(character) => out.push(character),
            Escape::Hex(hex) => out.extend(hex.bytes()),
            Escape::LineBreak => out.push(b'\n'),
            _ => return false,
        }
        true
    }

    /// Writes a text as a value: escaped, and in this character set. If it fails, `out` is as it
    /// was. The result splits nowhere, and reads back as the same text.
    ///
    /// CR, VT and FS become `\X0D\`, `\X0B\`, `\X1C\`, since raw they would end the segment or the
    /// frame, and LF becomes `\.br\`.
    pub fn escape_into(
        &self,
        charset: Charset,
        text: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Unfit> {
        let length = out.len();
        for (index, character) in text.chars().enumerate() {
            let written = match u8::try_from(character).ok().filter(u8::is_ascii) {
                Some(byte) if self.must_escape(byte) => {
                    self.escape_byte(byte, out).ok_or(Unfit::NoEscape { index })
                }
                _ if charset.encode(character, length, out) => Ok(()),
                _ => Err(Unfit::NotInCharset { index }),
            };
            if let Err(unfit) = written {
                out.truncate(length);
                return Err(unfit);
            }
        }
        Ok(())
    }

    pub(crate) fn must_escape(&self, byte: u8) -> bool {
        self.splits(byte)
            || self.escape == Some(byte)
            || self.truncation == Some(byte)
            || matches!(byte, b'\r' | b'\n' | 0x0b | 0x1c)
    }

    pub(crate) fn escape_byte(&self, byte: u8, out: &mut Vec<u8>) -> Option<()> {
        let escape = self.escape?;
        let letter: Option<&[u8]> = match byte {
            _ if byte == self.field => Some(b"F"),
            _ if byte == self.component => Some(b"S"),
            _ if byte == self.repetition => Some(b"R"),
            _ if byte == escape => Some(b"E"),
            _ if self.subcomponent == Some(byte) => Some(b"T"),
            _ if self.truncation == Some(byte) => Some(b"P"),
            b'\n' => Some(b".br"),
            _ => None,
        };
        let [high, low] = [byte >> 4, byte & 0xf].map(hex_digit);
        let hex = [b'X', high, low];
        letter
            .and_then(|sequence| self.write_sequence(sequence, out))
            .or_else(|| self.write_sequence(&hex, out))
    }

    /// Writes a sequence between escape characters; none if that cannot be read back.
    ///
    /// A message may use the letters of a sequence as delimiters (`MSH!$R?@`); then the sequence
    /// would be split, or end too early, and another spelling has to do.
    pub(crate) fn write_sequence(&self, sequence: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let escape = self.escape?;
        if sequence.iter().any(|&byte| self.splits(byte) || byte == escape) {
            return None;
        }
        out.push(escape);
        out.extend_from_slice(sequence);
        out.push(escape);
        Some(())
    }
}

/// A piece of a raw value.
#[derive(Clone, Copy)]
pub(crate) enum Token<'a> {
    /// Bytes that stand for themselves.
    Plain(&'a [u8]),
    /// What stands between two escape characters.
    Sequence(&'a [u8]),
}

/// The pieces of a raw value in order.
pub(crate) struct Tokens<'a> {
    escape: Option<u8>,
    raw: &'a [u8],
    /// The same bytes; an escape character inside of another character is none here.
    structure: Cow<'a, [u8]>,
    at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let (at, end) = (self.at, self.raw.len());
        let found = |from: usize| {
            let length = memchr(self.escape?, self.structure.get(from..)?);
            length.map(|length| from + length)
        };
        let begins = *self.structure.get(at)?;
        let token = if Some(begins) != self.escape {
            self.at = found(at).unwrap_or(end);
            Token::Plain(self.raw.get(at..self.at)?)
        } else if let Some(close) = found(at + 1) {
            self.at = close + 1;
            Token::Sequence(self.raw.get(at + 1..close)?)
        } else {
            self.at = end;
            Token::Plain(self.raw.get(at..)?)
        };
        Some(token)
    }
}

/// A piece of a raw value, as [`Delimiters::pieces`] gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes that stand for themselves, in the message's character set.
    Bytes(&'a [u8]),
    /// A sequence between two escape characters.
    Escape(Escape<'a>),
}

/// An escape sequence: the table of this file says what becomes of each in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Escape<'a> {
    /// `\F\ \S\ \R\ \T\ \E\ \P\`: a delimiter as a character.
    Delimiter(u8),
    /// `\X…\`: bytes in the message's character set.
    Hex(Hex<'a>),
    /// `\H\`: highlighted text begins.
    Highlight,
    /// `\N\`: and ends.
    Normal,
    /// `\.br\`: a new line.
    LineBreak,
    /// `\.sp3\`: the line ends, and so many are skipped.
    SkipLines(u32),
    /// `\.sk3\`: so many blanks.
    SkipRight(u32),
    /// `\.in3\`: so many blanks before each line from here.
    Indent(i32),
    /// `\.ti3\`: so many blanks before this line.
    IndentOnce(i32),
    /// `\.ce\`: the line ends, the next one is centered.
    Center,
    /// `\.fi\`: lines are wrapped.
    Fill,
    /// `\.nf\`: lines are not wrapped.
    NoFill,
    /// `\Cxxyy\`: what ESC xx yy says in ISO 2022; a set of single bytes follows.
    SingleByteSet(Hex<'a>),
    /// `\Mxxyy\`, `\Mxxyyzz\`: the same for several bytes a character.
    MultiByteSet(Hex<'a>),
    /// `\Z…\`: what sender and receiver agreed on.
    Local(&'a [u8]),
    /// What HL7 does not have.
    Unknown(&'a [u8]),
}

/// Bytes written in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex<'a>(&'a [[u8; 2]]);

impl<'a> Hex<'a> {
    /// None if there is no digit, an odd number of them, or something else.
    fn new(digits: &'a [u8]) -> Option<Self> {
        let (pairs, odd) = digits.as_chunks::<2>();
        let ours = !pairs.is_empty() && odd.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
        ours.then_some(Self(pairs))
    }

    /// The bytes.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.0.iter().map(|&[high, low]| hex_value(high) << 4 | hex_value(low))
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// A number with or without a sign: `3`, `+3`, `-3`. HL7 writes a blank before some.
fn integer(text: &[u8]) -> Option<i32> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    if 6 < text.len() {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn count(text: &[u8]) -> Option<u32> {
    integer(text).and_then(|number| u32::try_from(number).ok())
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

fn hex_digit(value: u8) -> u8 {
    match value {
        0..=9 => b'0' + value,
        _ => b'A' + (value - 10),
    }
}

mod formatted;
#[cfg(test)]
mod tests;
