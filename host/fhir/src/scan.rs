//! RFC 8259 as a walk: what stands where, and nothing built.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::{BYTE_ORDER_MARK, JsonError, JsonFault, Limits};

/// What has values in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nest {
    /// An array.
    Array,
    /// An object.
    Object,
}

/// What has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number.
    Number,
    /// A string.
    Text,
}

/// Who is told of each value, in the order of the bytes. Names and strings are ranges with their
/// quotes.
pub trait Visitor {
    /// An array or object begins.
    fn open(&mut self, nest: Nest, at: usize, name: Option<Range<usize>>);
    /// The last one that began ends before `end`.
    fn close(&mut self, end: usize);
    /// Anything else.
    fn leaf(&mut self, leaf: Leaf, range: Range<usize>, name: Option<Range<usize>>);
}

/// Names of an object up to here are compared with each other; of more, a set is made.
const COMPARED_MAX: usize = 16;

/// Walks over a document within these bounds. What the visitor was told of a document that is none
/// counts for nothing.
pub fn scan(bytes: &[u8], limits: Limits, visitor: &mut impl Visitor) -> Result<(), JsonError> {
    let bytes_max = limits.bytes_max;
    if bytes_max < bytes.len() {
        return Err(JsonError { offset: bytes_max, fault: JsonFault::TooLong { bytes_max } });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|fault| JsonError { offset: fault.valid_up_to(), fault: JsonFault::Encoding })?;
    let at = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let mut scanner =
        Scanner { text, bytes, at, limits, values: 0, open: Vec::new(), names: Vec::new() };
    scanner.skip_blank();
    scanner.document(visitor)
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    limits: Limits,
    values: usize,
    /// Arrays and objects that have not ended.
    open: Vec<Open<'a>>,
    /// The names of all open objects that have no set.
    names: Vec<Cow<'a, str>>,
}

struct Open<'a> {
    nest: Nest,
    /// Where its names begin.
    names_from: usize,
    /// Its names, once they are many.
    many: Option<BTreeSet<Cow<'a, str>>>,
}

impl Scanner<'_> {
    fn document(&mut self, visitor: &mut impl Visitor) -> Result<(), JsonError> {
        let mut name = None;
        loop {
            if self.limits.values_max <= self.values {
                let values_max = self.limits.values_max;
                return Err(self.fault(JsonFault::TooMany { values_max }));
            }
            self.values += 1;
            let start = self.at;
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                    visitor.leaf(Leaf::Text, start..self.at, name.take());
                }
                Some(b'{') => {
                    visitor.open(Nest::Object, start, name.take());
                    if !self.enter(Nest::Object, b'}')? {
                        name = Some(self.name()?);
                        continue;
                    }
                    visitor.close(self.at);
                }
                Some(b'[') => {
                    visitor.open(Nest::Array, start, name.take());
                    if !self.enter(Nest::Array, b']')? {
                        continue;
                    }
                    visitor.close(self.at);
                }
                Some(b'-' | b'0'..=b'9') => {
                    self.number()?;
                    visitor.leaf(Leaf::Number, start..self.at, name.take());
                }
                Some(b't') => {
                    self.word(b"true")?;
                    visitor.leaf(Leaf::Boolean, start..self.at, name.take());
                }
                Some(b'f') => {
                    self.word(b"false")?;
                    visitor.leaf(Leaf::Boolean, start..self.at, name.take());
                }
                Some(b'n') => {
                    self.word(b"null")?;
                    visitor.leaf(Leaf::Null, start..self.at, name.take());
                }
                Some(_) => return Err(self.fault(JsonFault::Unexpected)),
                None => return Err(self.fault(JsonFault::End)),
            }
            // What a value ends may end what it is in.
            loop {
                self.skip_blank();
                let Some(nest) = self.open.last().map(|it| it.nest) else {
                    let is_end = self.at == self.bytes.len();
                    return if is_end { Ok(()) } else { Err(self.fault(JsonFault::Trailing)) };
                };
                if self.take(if nest == Nest::Object { b'}' } else { b']' }) {
                    self.leave();
                    visitor.close(self.at);
                    continue;
                }
                self.expect(b',')?;
                self.skip_blank();
                if nest == Nest::Object {
                    name = Some(self.name()?);
                }
                break;
            }
        }
    }

    /// Enters what begins here; true if it is empty, and was left again.
    fn enter(&mut self, nest: Nest, end: u8) -> Result<bool, JsonError> {
        let depth_max = self.limits.depth_max;
        if depth_max <= self.open.len() {
            return Err(self.fault(JsonFault::TooDeep { depth_max }));
        }
        self.at += 1;
        self.skip_blank();
        if self.take(end) {
            return Ok(true);
        }
        self.open.push(Open { nest, names_from: self.names.len(), many: None });
        Ok(false)
    }

    fn leave(&mut self) {
        if let Some(open) = self.open.pop() {
            self.names.truncate(open.names_from);
        }
    }

    /// Reads the name of a member, up to where its value stands.
    fn name(&mut self) -> Result<Range<usize>, JsonError> {
        let start = self.at;
        let has_escape = self.string()?;
        let range = start..self.at;
        let inside = self.text.get(start + 1..self.at - 1).unwrap_or_default();
        let name = if has_escape { unescaped(inside) } else { Cow::Borrowed(inside) };
        if !self.note(name) {
            return Err(JsonError { offset: start, fault: JsonFault::Duplicate });
        }
        self.skip_blank();
        self.expect(b':')?;
        self.skip_blank();
        Ok(range)
    }

    /// Reads a string; true if there is an escape in it.
    fn string(&mut self) -> Result<bool, JsonError> {
        if !self.take(b'"') {
            let fault = if self.peek().is_none() { JsonFault::End } else { JsonFault::Unexpected };
            return Err(self.fault(fault));
        }
        let mut has_escape = false;
        loop {
            self.at += plain_len(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(has_escape);
                }
                Some(b'\\') => {
                    has_escape = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.fault(JsonFault::Text)),
                None => return Err(self.fault(JsonFault::End)),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        self.at += 1;
        let letter = self.peek().ok_or_else(|| self.fault(JsonFault::End))?;
        self.at += 1;
        let wrong = JsonError { offset: start, fault: JsonFault::Text };
        match letter {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                let high = self.hex4().ok_or(wrong)?;
                if !(0xd800..0xe000).contains(&high) {
                    return Ok(());
                }
                // RFC 8259 §7: beyond the basic plane, a pair of surrogates. Half of one is refused.
                if 0xdc00 <= high || !self.take(b'\\') || !self.take(b'u') {
                    return Err(wrong);
                }
                let low = self.hex4().filter(|low| (0xdc00..0xe000).contains(low));
                low.map(drop).ok_or(wrong)
            }
            _ => Err(wrong),
        }
    }

    fn hex4(&mut self) -> Option<u32> {
        let number = hex(self.bytes.get(self.at..self.at + 4)?)?;
        self.at += 4;
        Some(number)
    }

    /// RFC 8259 §6: `-`, an integer without leading zeros, fraction, exponent.
    fn number(&mut self) -> Result<(), JsonError> {
        self.take(b'-');
        if !self.take(b'0') && self.digits() == 0 {
            return Err(self.fault(JsonFault::Number));
        }
        if self.take(b'.') && self.digits() == 0 {
            return Err(self.fault(JsonFault::Number));
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            if self.digits() == 0 {
                return Err(self.fault(JsonFault::Number));
            }
        }
        if self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric()) {
            return Err(self.fault(JsonFault::Number));
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.fault(JsonFault::Unexpected));
        }
        self.at += word.len();
        Ok(())
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.take(byte) {
            return Ok(());
        }
        let fault = if self.peek().is_none() { JsonFault::End } else { JsonFault::Unexpected };
        Err(self.fault(fault))
    }

    fn fault(&self, fault: JsonFault) -> JsonError {
        JsonError { offset: self.at, fault }
    }
}

impl<'a> Scanner<'a> {
    /// Notes a name of the object at hand; false if it has it already.
    fn note(&mut self, name: Cow<'a, str>) -> bool {
        let Some(open) = self.open.last_mut() else { return true };
        if let Some(many) = &mut open.many {
            return many.insert(name);
        }
        let before = self.names.get(open.names_from..).unwrap_or_default();
        if before.contains(&name) {
            return false;
        }
        if before.len() < COMPARED_MAX {
            self.names.push(name);
        } else {
            let mut many: BTreeSet<_> = self.names.drain(open.names_from..).collect();
            many.insert(name);
            open.many = Some(many);
        }
        true
    }
}

/// How many bytes a string goes on before a quote, a backslash or a control character: eight at a
/// time. In each of the three tests the lowest bit that is set is a true one; only above it one may be
/// set by a borrow.
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let quote = is_zero(word ^ (ONES * 0x22));
        let backslash = is_zero(word ^ (ONES * 0x5c));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let special = (quote | backslash | control) & HIGHS;
        if special != 0 {
            let bytes_before = special.trailing_zeros() / 8;
            return at + usize::try_from(bytes_before).unwrap_or_default();
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let special = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    at + special.unwrap_or(rest.len())
}

/// What a string says whose inside, without its quotes, [`scan`] has walked over.
pub fn unescaped(inside: &str) -> Cow<'_, str> {
    let Some(first) = inside.find('\\') else { return Cow::Borrowed(inside) };
    let (before, mut rest) = inside.split_at(first);
    let mut text = String::with_capacity(inside.len());
    text.push_str(before);
    while let Some(escape) = rest.strip_prefix('\\') {
        let (letter, length) = letter_of(escape);
        text.push(letter);
        let after = escape.get(length..).unwrap_or_default();
        let plain = after.find('\\').unwrap_or(after.len());
        text.push_str(after.get(..plain).unwrap_or_default());
        rest = after.get(plain..).unwrap_or_default();
    }
    Cow::Owned(text)
}

/// The letter of an escape, whose text begins after the backslash, and how long that is.
fn letter_of(escape: &str) -> (char, usize) {
    let bytes = escape.as_bytes();
    let hex_at = |at: usize| bytes.get(at..at + 4).and_then(hex);
    let letter = match bytes.first() {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let high = hex_at(1).unwrap_or(0xfffd);
            if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (high, hex_at(7)) {
                let letter = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return (char::from_u32(letter).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
            }
            return (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 5);
        }
        _ => {
            let letter = escape.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
            return (letter, letter.len_utf8());
        }
    };
    (letter, 1)
}

/// The number of some hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
}
