//! For tests alone: the reader as one would write it without a thought of time, to compare
//! [`super::parse_with`] with. What looks copied from `scan` is copied on purpose: a judge that
//! shares code with what it judges makes the same mistake.

use std::collections::BTreeSet;

use crate::{BYTE_ORDER_MARK, JsonError, JsonFault, Limits, Member, Value};

pub(super) fn parse_with(bytes: &[u8], limits: Limits) -> Result<Value, JsonError> {
    let bytes_max = limits.bytes_max;
    if bytes_max < bytes.len() {
        return Err(JsonError { offset: bytes_max, fault: JsonFault::TooLong { bytes_max } });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|fault| JsonError { offset: fault.valid_up_to(), fault: JsonFault::Encoding })?;
    let mut parser = Parser {
        text,
        at: 0,
        limits,
        depth_left: limits.depth_max,
        values_left: limits.values_max,
    };
    if text.starts_with(BYTE_ORDER_MARK) {
        parser.at = BYTE_ORDER_MARK.len();
    }
    parser.skip_blank();
    let value = parser.value()?;
    parser.skip_blank();
    if parser.at < text.len() {
        return Err(parser.fault(JsonFault::Trailing));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    limits: Limits,
    depth_left: usize,
    values_left: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self) -> Result<Value, JsonError> {
        let Some(left) = self.values_left.checked_sub(1) else {
            return Err(self.fault(JsonFault::TooMany { values_max: self.limits.values_max }));
        };
        self.values_left = left;
        match self.peek() {
            Some(b'"') => Ok(Value::Text(self.string()?)),
            Some(b'{') => self.deeper(Self::object),
            Some(b'[') => self.deeper(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Boolean(true)),
            Some(b'f') => self.word("false", Value::Boolean(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.fault(JsonFault::Unexpected)),
            None => Err(self.fault(JsonFault::End)),
        }
    }

    fn deeper(
        &mut self,
        read: fn(&mut Self) -> Result<Value, JsonError>,
    ) -> Result<Value, JsonError> {
        let Some(left) = self.depth_left.checked_sub(1) else {
            return Err(self.fault(JsonFault::TooDeep { depth_max: self.limits.depth_max }));
        };
        self.depth_left = left;
        let value = read(self)?;
        self.depth_left += 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, JsonError> {
        self.at += 1;
        let mut members = Vec::new();
        let mut names = BTreeSet::new();
        self.skip_blank();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_blank();
            let start = self.at;
            let name = self.string()?;
            if !names.insert(name.clone()) {
                return Err(JsonError { offset: start, fault: JsonFault::Duplicate });
            }
            self.skip_blank();
            self.expect(b':')?;
            self.skip_blank();
            let value = self.value()?;
            members.push(Member { name, value });
            self.skip_blank();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self) -> Result<Value, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_blank();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.skip_blank();
            items.push(self.value()?);
            self.skip_blank();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            self.expect(b',')?;
        }
    }

    /// RFC 8259 §6: `-`, an integer without leading zeros, fraction, exponent.
    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
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
        Ok(Value::Number(self.text.get(start..self.at).unwrap_or_default().to_owned()))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<String, JsonError> {
        if !self.take(b'"') {
            let fault = if self.peek().is_none() { JsonFault::End } else { JsonFault::Unexpected };
            return Err(self.fault(fault));
        }
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let end = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            let Some(end) = end else {
                self.at = self.text.len();
                return Err(self.fault(JsonFault::End));
            };
            text.push_str(rest.get(..end).unwrap_or_default());
            self.at += end;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(self.fault(JsonFault::Text)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.at += 1;
        let letter = self.peek().ok_or_else(|| self.fault(JsonFault::End))?;
        self.at += 1;
        let wrong = JsonError { offset: start, fault: JsonFault::Text };
        match letter {
            b'"' => Ok('"'),
            b'\\' => Ok('\\'),
            b'/' => Ok('/'),
            b'b' => Ok('\u{8}'),
            b'f' => Ok('\u{c}'),
            b'n' => Ok('\n'),
            b'r' => Ok('\r'),
            b't' => Ok('\t'),
            b'u' => {
                let high = self.hex4().ok_or(wrong)?;
                if !(0xd800..0xe000).contains(&high) {
                    return char::from_u32(high).ok_or(wrong);
                }
                // RFC 8259 §7: beyond the basic plane, a pair of surrogates. Half of one is refused.
                if 0xdc00 <= high || !self.take(b'\\') || !self.take(b'u') {
                    return Err(wrong);
                }
                let low = self.hex4().filter(|low| (0xdc00..0xe000).contains(low)).ok_or(wrong)?;
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)).ok_or(wrong)
            }
            _ => Err(wrong),
        }
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.fault(JsonFault::Unexpected));
        }
        self.at += word.len();
        Ok(value)
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
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
