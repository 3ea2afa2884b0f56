//! Escape sequences: out of a value, and into one.
//!
//! ```text
//! \F\ \S\ \R\ \T\ \E\ \P\   field, component, repetition, subcomponent, escape, truncation
//! \Xhh…\                    bytes in hexadecimal
//! \.br\                     a new line (LF in the text)
//! ```
//!
//! Sequences do not nest: escape characters pair up from the left. What is between a pair and is
//! not in this list (`\H\`, `\.sp\`, `\C2842\`, `\Zxx\`, a role the message has no character for)
//! stays as it is, both escape characters with it, and so does a last one without a partner.

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
    pub fn unescape<'a>(&self, raw: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(escape) = self.escape.filter(|&escape| memchr(escape, raw).is_some()) else {
            return Cow::Borrowed(raw);
        };
        let mut out = Vec::with_capacity(raw.len());
        for token in self.tokens(raw) {
            match token {
                Token::Plain(bytes) => out.extend_from_slice(bytes),
                Token::Sequence(sequence) => {
                    if !self.unescape_one(sequence, &mut out) {
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
    pub(crate) fn tokens<'a>(&self, raw: &'a [u8]) -> Tokens<'a> {
        Tokens { escape: self.escape, rest: raw }
    }

    /// Writes what the sequence between two escape characters stands for; false if it is none of
    /// ours.
    pub(crate) fn unescape_one(&self, sequence: &[u8], out: &mut Vec<u8>) -> bool {
        let character = match sequence {
            b"F" => Some(self.field),
            b"S" => Some(self.component),
            b"R" => Some(self.repetition),
            b"T" => self.subcomponent,
            b"E" => self.escape,
            b"P" => self.truncation,
            b".br" => Some(b'\n'),
            [b'X', digits @ ..] => return unescape_hex(digits, out),
            _ => None,
        };
        out.extend(character);
        character.is_some()
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
                _ if charset.encode(character, out) => Ok(()),
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
    rest: &'a [u8],
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let (&first, after) = self.rest.split_first()?;
        let found = |bytes| memchr(self.escape?, bytes);
        let (token, rest) = if Some(first) != self.escape {
            let length = found(self.rest).unwrap_or(self.rest.len());
            let (plain, rest) = self.rest.split_at_checked(length)?;
            (Token::Plain(plain), rest)
        } else if let Some(length) = found(after) {
            let (sequence, closed) = after.split_at_checked(length)?;
            (Token::Sequence(sequence), closed.get(1..).unwrap_or_default())
        } else {
            (Token::Plain(self.rest), [].as_slice())
        };
        self.rest = rest;
        Some(token)
    }
}

/// `\X…\` with an odd number of digits, none, or something else than digits is kept.
fn unescape_hex(digits: &[u8], out: &mut Vec<u8>) -> bool {
    let (pairs, odd) = digits.as_chunks::<2>();
    let ours = !pairs.is_empty() && odd.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    if ours {
        out.extend(pairs.iter().map(|&[high, low]| hex_value(high) << 4 | hex_value(low)));
    }
    ours
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

#[cfg(test)]
mod tests;
