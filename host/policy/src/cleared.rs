use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use hilum_words::Name;

use crate::Classes;

/// One piece of what may leave.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// These bytes.
    Bytes(Bytes),
    /// Bytes of the message as it was accepted. The store has them already.
    OfInput(Range<usize>),
}

impl Part {
    /// How many bytes it stands for.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::OfInput(range) => range.len(),
        }
    }

    /// Whether it stands for none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Counts only: the bytes are PHI.
impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::OfInput(range) => write!(f, "OfInput({range:?})"),
        }
    }
}

/// A place of an output where PHI stands, and which. An output is shown masked by its marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Where, in the assembled body.
    pub range: Range<usize>,
    /// What.
    pub classes: Classes,
}

/// A body that may leave to the destination it was cleared for. Only this crate makes one.
///
/// ```compile_fail
/// let cleared = hilum_policy::Cleared { format: "hl7v2".into(), parts: vec![], marks: vec![], len: 0 };
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Cleared {
    format: Name,
    parts: Vec<Part>,
    marks: Vec<Mark>,
    len: usize,
}

impl Cleared {
    pub(crate) fn new(format: Name, parts: Vec<Part>, marks: Vec<Mark>) -> Self {
        let len = parts.iter().map(Part::len).sum();
        Self { format, parts, marks, len }
    }

    /// The body's format.
    pub fn format(&self) -> &Name {
        &self.format
    }

    /// The body, piece by piece.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Where PHI stands in it, in order.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// How long the assembled body is.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The classes of all that is in it.
    pub fn classes(&self) -> Classes {
        self.marks.iter().fold(Classes::NONE, |all, mark| all.and(mark.classes))
    }

    /// The whole body; `input` is the message as it was accepted. None if a part lies outside it.
    pub fn assemble(&self, input: &Bytes) -> Option<Bytes> {
        if let [Part::OfInput(range)] = self.parts.as_slice() {
            return (range.end <= input.len()).then(|| input.slice(range.clone()));
        }
        let mut body = Vec::with_capacity(self.len);
        for part in &self.parts {
            match part {
                Part::Bytes(bytes) => body.extend_from_slice(bytes),
                Part::OfInput(range) => body.extend_from_slice(input.get(range.clone())?),
            }
        }
        Some(body.into())
    }
}

/// Counts only: the bytes are PHI.
impl fmt::Debug for Cleared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cleared")
            .field("format", &self.format)
            .field("len", &self.len)
            .field("parts", &self.parts.len())
            .field("marks", &self.marks.len())
            .finish()
    }
}
