//! RFC 8259, strictly, with bounds.

use std::collections::BTreeSet;

use crate::{Member, Value};

/// Bounds of a document.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep arrays and objects may lie in each other.
    pub depth_max: usize,
    /// Bytes of the whole document.
    pub bytes_max: usize,
    /// Values in the whole document. A value takes up to thirty times the memory of its text
    /// (`0,0,0`), so a bound on bytes alone would not bound memory.
    pub values_max: usize,
}

impl Limits {
    /// What a FHIR resource may be here: 128 levels, 64 MiB, 2 million values.
    pub const RESOURCE: Self = Self { depth_max: 128, bytes_max: 64 << 20, values_max: 2_000_000 };
}

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// The document ends too early.
    #[error("the document ends too early")]
    End,
    /// Something else than JSON stands here.
    #[error("this is not JSON")]
    Unexpected,
    /// A number that JSON does not have.
    #[error("this is no JSON number")]
    Number,
    /// A string with a raw control character, a wrong escape or half a surrogate pair.
    #[error("this is no JSON string")]
    Text,
    /// The bytes are not UTF-8.
    #[error("the bytes are not UTF-8")]
    Encoding,
    /// A member stands twice in its object.
    #[error("a member stands twice in its object")]
    Duplicate,
    /// Arrays and objects lie too deep in each other.
    #[error("arrays and objects lie more than {depth_max} deep in each other")]
    TooDeep {
        /// How deep they may lie.
        depth_max: usize,
    },
    /// The document is too long.
    #[error("the document is longer than {bytes_max} bytes")]
    TooLong {
        /// How long it may be.
        bytes_max: usize,
    },
    /// The document has too many values.
    #[error("the document has more than {values_max} values")]
    TooMany {
        /// How many it may have.
        values_max: usize,
    },
    /// Something follows after the document.
    #[error("something follows after the document")]
    Trailing,
}

/// Where a document is wrong, and how. Never what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {fault}")]
pub struct JsonError {
    /// The offset of the first byte that is wrong.
    pub offset: usize,
    /// What is wrong.
    pub fault: JsonFault,
}

/// What some writers put before a document. RFC 8259 §8.1 lets readers pass over it.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Parses a document within [`Limits::RESOURCE`]. A byte order mark before it is passed over.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    parse_with(bytes, Limits::RESOURCE)
}

/// Parses a document within these bounds.
pub fn parse_with(bytes: &[u8], limits: Limits) -> Result<Value, JsonError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn round(text: &str) {
        let value = parse(text.as_bytes()).expect("parses");
        assert_eq!(String::from_utf8_lossy(&value.to_bytes()), text);
    }

    #[track_caller]
    fn refused(text: &str, offset: usize, fault: JsonFault) {
        assert_eq!(parse(text.as_bytes()), Err(JsonError { offset, fault }), "{text}");
    }

    #[test]
    fn digits_and_order_stay() {
        round(r#"{"b":1.10,"a":-0.0,"c":1e3,"d":123456789012345678901234567890.123}"#);
        round(r#"[null,true,false,"",[],{}]"#);
    }

    #[test]
    fn strings_are_unescaped_and_escaped() {
        let value = parse(br#""a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00""#).expect("parses");
        assert_eq!(value.text(), Some("a\"\\/\u{8}\u{c}\n\r\tä😀"));
        let again = parse(&value.to_bytes()).expect("parses");
        assert_eq!(again, value);
    }

    #[test]
    fn each_fault_has_its_offset() {
        refused("", 0, JsonFault::End);
        refused("{\"a\":1,\"a\":2}", 7, JsonFault::Duplicate);
        refused("{\"a\":1,\"\\u0061\":2}", 7, JsonFault::Duplicate);
        refused("[1,]", 3, JsonFault::Unexpected);
        refused("01", 1, JsonFault::Number);
        refused("1.", 2, JsonFault::Number);
        refused("-", 1, JsonFault::Number);
        refused("\"\\ud800x\"", 1, JsonFault::Text);
        refused("\"\\udc00\"", 1, JsonFault::Text);
        refused("\"a\nb\"", 2, JsonFault::Text);
        refused("\"abc", 4, JsonFault::End);
        refused("true false", 5, JsonFault::Trailing);
        refused("nul", 0, JsonFault::Unexpected);
    }

    #[test]
    fn a_byte_order_mark_is_passed_over_once_and_only_at_the_start() {
        let value = parse("\u{feff} {\"a\":\"\u{feff}\"}".as_bytes()).expect("parses");
        assert_eq!(value.to_bytes(), "{\"a\":\"\u{feff}\"}".as_bytes());
        refused("\u{feff}", 3, JsonFault::End);
        refused("\u{feff}\u{feff}1", 3, JsonFault::Unexpected);
        refused(" \u{feff}1", 1, JsonFault::Unexpected);
        refused("1\u{feff}", 1, JsonFault::Trailing);
        refused("\u{feff}[1,]", 6, JsonFault::Unexpected);
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parse(deep(128).as_bytes()).is_ok());
        let fault = parse(deep(129).as_bytes()).expect_err("too deep").fault;
        assert_eq!(fault, JsonFault::TooDeep { depth_max: 128 });
        let limits = Limits { depth_max: 1, bytes_max: 8, values_max: 3 };
        let long = parse_with(b"123456789", limits).expect_err("long").fault;
        assert_eq!(long, JsonFault::TooLong { bytes_max: 8 });
        assert!(parse_with(b"[1,2]", limits).is_ok());
        let many = JsonError { offset: 5, fault: JsonFault::TooMany { values_max: 3 } };
        assert_eq!(parse_with(b"[1,2,3]", limits), Err(many));
    }

    #[test]
    fn a_debug_print_holds_no_content() {
        let value = parse(br#"{"Eve":["Everywoman",17]}"#).expect("parses");
        let printed = format!("{value:?} {:?} {:?}", value.members(), value.member("Eve"));
        assert!(!printed.contains("Eve") && !printed.contains("17"), "{printed}");
    }

    /// Any document: numbers as texts that JSON has, names that differ.
    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?".prop_map(Value::Number),
            any::<String>().prop_map(Value::Text),
        ];
        leaf.prop_recursive(5, 64, 8, |inner| {
            let members = proptest::collection::btree_map(any::<String>(), inner.clone(), 0..6);
            // Not in the order of their names.
            let backwards = members.prop_map(|it| Value::object(it.into_iter().rev()));
            prop_oneof![proptest::collection::vec(inner, 0..6).prop_map(Value::Array), backwards]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_to_the_same_digits_and_order(value in document()) {
            let bytes = value.to_bytes();
            prop_assert_eq!(&parse(&bytes).expect("JSON"), &value);
            prop_assert_eq!(parse(value.to_pretty().as_bytes()).expect("JSON"), value.clone());
            // Written once, it is written the same for ever.
            prop_assert_eq!(parse(&bytes).expect("JSON").to_bytes(), bytes);
        }

        #[test]
        fn any_bytes_return(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn what_looks_like_json_returns_and_writes_back(text in "[\\[\\]{}:,\"a0-9.eE\\\\u \\-]{0,60}") {
            if let Ok(value) = parse(text.as_bytes()) {
                prop_assert_eq!(parse(&value.to_bytes()).expect("writes JSON"), value);
            }
        }
    }
}
