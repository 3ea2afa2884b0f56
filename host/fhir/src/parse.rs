//! RFC 8259, strictly, with bounds.

use std::ops::Range;

use crate::scan::{Leaf, Nest, Visitor, scan, unescaped};
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
    let mut tree = Tree { bytes, open: Vec::new(), whole: Value::Null };
    scan(bytes, limits, &mut tree)?;
    Ok(tree.whole)
}

/// A tree while it is built.
struct Tree<'a> {
    bytes: &'a [u8],
    /// Arrays and objects that have not ended, each with its name.
    open: Vec<(Option<String>, Value)>,
    whole: Value,
}

impl Tree<'_> {
    fn text(&self, range: Range<usize>) -> String {
        let text = std::str::from_utf8(self.bytes.get(range).unwrap_or_default());
        text.unwrap_or_default().to_owned()
    }

    fn string(&self, range: Range<usize>) -> String {
        let inside = range.start + 1..range.end - 1;
        let text = std::str::from_utf8(self.bytes.get(inside).unwrap_or_default());
        unescaped(text.unwrap_or_default()).into_owned()
    }

    fn put(&mut self, name: Option<String>, value: Value) {
        match (self.open.last_mut(), name) {
            (Some((_, Value::Object(members))), Some(name)) => members.push(Member { name, value }),
            (Some((_, Value::Array(items))), _) => items.push(value),
            _ => self.whole = value,
        }
    }
}

impl Visitor for Tree<'_> {
    fn open(&mut self, nest: Nest, _at: usize, name: Option<Range<usize>>) {
        let name = name.map(|it| self.string(it));
        let value = match nest {
            Nest::Array => Value::Array(Vec::new()),
            Nest::Object => Value::Object(Vec::new()),
        };
        self.open.push((name, value));
    }

    fn close(&mut self, _end: usize) {
        if let Some((name, value)) = self.open.pop() {
            self.put(name, value);
        }
    }

    fn leaf(&mut self, leaf: Leaf, range: Range<usize>, name: Option<Range<usize>>) {
        let name = name.map(|it| self.string(it));
        let value = match leaf {
            Leaf::Null => Value::Null,
            // `true` has four letters.
            Leaf::Boolean => Value::Boolean(range.len() == 4),
            Leaf::Number => Value::Number(self.text(range)),
            Leaf::Text => Value::Text(self.string(range)),
        };
        self.put(name, value);
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
