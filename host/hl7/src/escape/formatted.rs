//! Formatted text (data type FT) as lines of plain text.

use std::ops::Range;

use super::{Escape, Token};
use crate::{Charset, DecodeError, Delimiters, Message};

/// A number beyond this is as good as this: a few bytes must not become a page of blanks.
const NUMBER_MAX: usize = 80;

impl Message {
    /// The text of a value as a person would read it: its formatting commands carried out, as far
    /// as plain text has them. At most 20 times as long as the value.
    ///
    /// Only values of type FT have commands; in others they are text by the standard, and
    /// [`Self::text`] keeps them.
    pub fn formatted_text(&self, range: Range<usize>) -> Result<String, DecodeError> {
        let delimiters = self.inner().index.delimiters_at(range.start);
        let raw = self.bytes().get(range).ok_or(DecodeError::NoSuchRange)?;
        let mut page =
            Page { out: Vec::with_capacity(raw.len()), margin: 0, charset: self.charset() };
        for token in delimiters.tokens(self.charset(), raw) {
            match token {
                Token::Plain(bytes) => page.out.extend_from_slice(bytes),
                Token::Sequence(sequence) => page.escape(delimiters, sequence),
            }
        }
        self.charset().decode(page.out.into())
    }
}

struct Page {
    out: Vec<u8>,
    /// How many blanks each line begins with.
    margin: usize,
    charset: Charset,
}

impl Page {
    fn escape(&mut self, delimiters: &Delimiters, sequence: &[u8]) {
        match delimiters.escape_of(sequence) {
            Escape::Delimiter(character) => self.out.push(character),
            Escape::Hex(hex) => self.out.extend(hex.bytes()),
            Escape::LineBreak => self.skip_lines(1),
            Escape::SkipLines(number) => self.skip_lines(clamped(number).max(1)),
            Escape::SkipRight(number) => self.blanks(clamped(number)),
            Escape::Indent(number) => {
                let before = self.margin;
                self.margin = if number < 0 {
                    before.saturating_sub(clamped(number.unsigned_abs()))
                } else {
                    (before + clamped(number.unsigned_abs())).min(NUMBER_MAX)
                };
                if self.is_line_empty() {
                    let line = self.line_start();
                    self.out.truncate(line);
                    self.blanks(self.margin);
                }
            }
            Escape::IndentOnce(number) if self.is_line_empty() => {
                let number = clamped(u32::try_from(number).unwrap_or(0));
                self.blanks(number);
            }
            Escape::Center if !self.is_line_empty() => self.skip_lines(1),
            Escape::Center | Escape::IndentOnce(_) => {}
            Escape::Highlight | Escape::Normal | Escape::Fill | Escape::NoFill => {}
            Escape::SingleByteSet(_) | Escape::MultiByteSet(_) if self.charset == Charset::Jis => {
                delimiters.unescape_one(self.charset, sequence, &mut self.out);
            }
            Escape::SingleByteSet(_)
            | Escape::MultiByteSet(_)
            | Escape::Local(_)
            | Escape::Unknown(_) => {
                self.out.extend(delimiters.escape);
                self.out.extend_from_slice(sequence);
                self.out.extend(delimiters.escape);
            }
        }
    }

    fn skip_lines(&mut self, number: usize) {
        self.out.extend(std::iter::repeat_n(b'\n', number));
        self.blanks(self.margin);
    }

    fn blanks(&mut self, number: usize) {
        self.out.extend(std::iter::repeat_n(b' ', number));
    }

    fn line_start(&self) -> usize {
        let blanks = self.out.iter().rev().take_while(|&&byte| byte == b' ').count();
        self.out.len() - blanks
    }

    /// Whether nothing but blanks stands on the line at hand. Commands may repeat, so that looks
    /// back no further than one makes blanks.
    fn is_line_empty(&self) -> bool {
        let tail = self.out.iter().rev().take(2 * NUMBER_MAX);
        match tail.clone().find(|&&byte| byte != b' ') {
            Some(&byte) => byte == b'\n',
            None => self.out.len() <= 2 * NUMBER_MAX,
        }
    }
}

fn clamped(number: u32) -> usize {
    usize::try_from(number).map_or(NUMBER_MAX, |number| number.min(NUMBER_MAX))
}
