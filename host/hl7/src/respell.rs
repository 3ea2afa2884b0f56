//! Values of one message in the spelling of another: its delimiters and its character set.
//!
//! What a value says stays: text, `""`, and sequences that are not ours to read (`\H\`, `\Zxx\`).

use std::borrow::Cow;

use crate::escape::Token;
use crate::{Charset, DecodeError, Delimiters, Unfit};

/// How a message writes its values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spelling {
    pub(crate) delimiters: Delimiters,
    pub(crate) charset: Charset,
}

/// Why a value cannot be respelled.
#[derive(Debug)]
pub(crate) enum Misfit {
    /// The other message cannot say it.
    Unfit(Unfit),
    /// Its bytes are no text, so nobody knows what to say.
    NotText(DecodeError),
    /// It has more parts than its place can take.
    NotOnePart,
    /// It has subcomponents, and the other message does not.
    NoSubcomponents,
}

impl From<Unfit> for Misfit {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

/// How deep in a segment something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Field,
    Repetition,
    Component,
    Subcomponent,
}

impl Spelling {
    /// Writes a text as one value, `""` too as text: written plainly it would delete.
    pub(crate) fn write_text(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Unfit> {
        let start = out.len();
        self.delimiters.escape_into(self.charset, text, out)?;
        self.undelete(start, out)
    }

    /// If `""` stands at the end of the output, from `start` on, spells it so that it is text.
    fn undelete(&self, start: usize, out: &mut Vec<u8>) -> Result<(), Unfit> {
        if out.get(start..) != Some(b"\"\"") {
            return Ok(());
        }
        out.truncate(start);
        self.delimiters.write_sequence(b"X2222", out).ok_or(Unfit::NoEscape { index: 0 })
    }

    /// `""`, unless that is a delimiter here.
    pub(crate) fn deleted(&self) -> Result<&'static [u8], Unfit> {
        let taken = self.delimiters.must_escape(b'"');
        if taken { Err(Unfit::NoEscape { index: 0 }) } else { Ok(b"\"\"") }
    }

    /// Whether bytes that are spelled so can stand in a message of the other spelling unchanged.
    pub(crate) fn is_same(&self, to: &Self, raw: &[u8]) -> bool {
        self == to && !raw.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0x0b | 0x1c))
    }

    /// The bytes that can be delimiters, [`Charset::structure`].
    pub(crate) fn structure<'a>(&self, raw: &'a [u8]) -> Cow<'a, [u8]> {
        self.charset.structure(raw, self.delimiters.escape)
    }

    /// Writes a part of a segment, from its level down.
    pub(crate) fn respell(
        &self,
        to: &Self,
        level: Level,
        raw: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Misfit> {
        let mut start = 0;
        for (at, &byte) in self.structure(raw).iter().enumerate() {
            let Some(separator) = self.separator(to, level, byte)? else {
                continue;
            };
            self.respell_value(to, raw.get(start..at).unwrap_or_default(), out)?;
            out.push(separator);
            start = at + 1;
        }
        self.respell_value(to, raw.get(start..).unwrap_or_default(), out)
    }

    /// The other message's character for one that separates parts here; none if it does not.
    pub(crate) fn separator(
        &self,
        to: &Self,
        level: Level,
        byte: u8,
    ) -> Result<Option<u8>, Misfit> {
        let from = &self.delimiters;
        let (within, separator) = match byte {
            _ if byte == from.repetition => (level < Level::Repetition, to.delimiters.repetition),
            _ if byte == from.component => (level < Level::Component, to.delimiters.component),
            _ if from.subcomponent == Some(byte) => {
                let separator = to.delimiters.subcomponent.ok_or(Misfit::NoSubcomponents)?;
                (level < Level::Subcomponent, separator)
            }
            _ if byte == from.field => (false, byte),
            _ => return Ok(None),
        };
        if within { Ok(Some(separator)) } else { Err(Misfit::NotOnePart) }
    }

    fn respell_value(&self, to: &Self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), Misfit> {
        if raw == b"\"\"" {
            out.extend_from_slice(to.deleted()?);
            return Ok(());
        }
        let start = out.len();
        // Text that has been read and not yet written: a character may be in several pieces.
        let mut run = Vec::new();
        for token in self.delimiters.tokens(self.charset, raw) {
            match token {
                Token::Plain(bytes) => run.extend_from_slice(bytes),
                Token::Sequence(sequence) => {
                    let read = run.len();
                    let ours = self.delimiters.unescape_one(self.charset, sequence, &mut run);
                    if self.stays(to, sequence, ours) {
                        run.truncate(read);
                        self.flush(to, &mut run, out)?;
                        let index = 0;
                        to.delimiters
                            .write_sequence(sequence, out)
                            .ok_or(Unfit::NoEscape { index })?;
                    } else if !ours {
                        run.extend(self.delimiters.escape);
                        run.extend_from_slice(sequence);
                        run.extend(self.delimiters.escape);
                    }
                }
            }
        }
        self.flush(to, &mut run, out)?;
        Ok(to.undelete(start, out)?)
    }

    /// Whether a sequence means in the other message what it means here, so that it is copied.
    fn stays(&self, to: &Self, sequence: &[u8], ours: bool) -> bool {
        if ours {
            return sequence.first() == Some(&b'X')
                && self.charset == to.charset
                && to.delimiters.write_sequence(sequence, &mut Vec::new()).is_some();
        }
        // Words between two backslashes of a path look like a sequence, and are text.
        let is_code = sequence.iter().all(u8::is_ascii_graphic);
        is_code && !to.delimiters.unescape_one(to.charset, sequence, &mut Vec::new())
    }

    fn flush(&self, to: &Self, run: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), Misfit> {
        let bytes = std::mem::take(run);
        match self.charset.decode(Cow::Borrowed(&bytes)) {
            Ok(text) => Ok(to.delimiters.escape_into(to.charset, &text, out)?),
            // Nobody knows what the bytes say, but they say the same there.
            Err(_) if self.charset == to.charset && !to.charset.has_delimiters_inside() => {
                for (index, &byte) in bytes.iter().enumerate() {
                    if to.delimiters.must_escape(byte) {
                        to.delimiters.escape_byte(byte, out).ok_or(Unfit::NoEscape { index })?;
                    } else {
                        out.push(byte);
                    }
                }
                Ok(())
            }
            Err(error) => Err(Misfit::NotText(error)),
        }
    }
}
