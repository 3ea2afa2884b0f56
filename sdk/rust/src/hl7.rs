//! The message of this call as HL7 v2, read once.
//!
//! ```no_run
//! # use hilum_sdk::{Message, Unread, hl7::Hl7};
//! # fn example(message: &Message) -> Result<(), Unread> {
//! let hl7 = Hl7::read(message)?;
//! if let Some(pid) = hl7.first("PID") {
//!     for identifier in pid.repetitions(3) {
//!         let number = identifier.text(); // PID-3.1
//!         let authority = identifier.component(4).component(2).text(); // PID-3.4.2
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Promises: one call to the host however many values are read; the text is walked once; a part
//! that is not there is [`Field::EMPTY`] and never an error; splits and unescapes as the gateway
//! does.
//! Not here: the message's own paths ([`Message::get`]), writing ([`crate::Draft`]).

mod escape;
mod field;
mod index;
mod place;

use std::fmt;

pub use field::{Field, Repetitions};

use crate::message::Unread;
use crate::{Message, coverage};
use index::Index;
pub(crate) use place::paths_at;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use place::{count_at, values_at};

/// A message as text, and where everything stands in it.
pub struct Hl7 {
    text: String,
    index: Index,
    delimiters: Delimiters,
}

/// What MSH-1 and MSH-2 declare. A part that the message has no character for is 0, which stands
/// in no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delimiters {
    pub(crate) field: u8,
    pub(crate) component: u8,
    pub(crate) repetition: u8,
    pub(crate) escape: u8,
    pub(crate) subcomponent: u8,
    pub(crate) truncation: u8,
}

/// It prints no value: a message is patient data.
impl fmt::Debug for Hl7 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hl7").field("segments", &self.len()).finish_non_exhaustive()
    }
}

impl Hl7 {
    /// The message of this call, as the grant shows it: tokens stand in the places of sealed values.
    pub fn read(message: &Message) -> Result<Self, Unread> {
        Self::parse(message.text()?)
    }

    /// Any text. Fails if it does not begin with MSH (FHS, BHS), declares delimiters that cannot be
    /// told apart, or is longer than 1 GiB.
    pub fn parse(text: String) -> Result<Self, Unread> {
        let Some(hl7) = Self::parse_unnoted(text) else {
            return Err(Unread::Unstructured);
        };
        coverage::reads(&hl7.text);
        Ok(hl7)
    }

    fn parse_unnoted(text: String) -> Option<Self> {
        let (index, delimiters) = index::index(&text)?;
        Some(Self { text, index, delimiters })
    }

    /// How many segments there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Never: a message has MSH at least.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The segment at a position, from 0.
    pub fn segment(&self, position: usize) -> Option<Segment<'_>> {
        (position < self.len()).then_some(Segment { hl7: self, position })
    }

    /// All segments in their order.
    pub fn segments(&self) -> Segments<'_> {
        Segments { hl7: self, next: 0, end: self.len(), name: None }
    }

    /// The first segment of a name.
    pub fn first(&self, name: &str) -> Option<Segment<'_>> {
        self.segments().find(|it| it.name() == name)
    }

    /// All segments of a name, in their order.
    pub fn all<'m>(&'m self, name: &'m str) -> Segments<'m> {
        Segments { hl7: self, next: 0, end: self.len(), name: Some(name) }
    }

    /// The segments from one position to before another.
    pub fn between(&self, from: usize, to: usize) -> Segments<'_> {
        Segments { hl7: self, next: from, end: to.min(self.len()), name: None }
    }
}

/// Segments in their order.
#[derive(Clone)]
pub struct Segments<'m> {
    hl7: &'m Hl7,
    next: usize,
    end: usize,
    name: Option<&'m str>,
}

impl<'m> Segments<'m> {
    /// Of these, the ones of a name.
    #[must_use]
    pub fn named(self, name: &'m str) -> Self {
        Self { name: Some(name), ..self }
    }
}

impl<'m> Iterator for Segments<'m> {
    type Item = Segment<'m>;

    #[inline(never)]
    fn next(&mut self) -> Option<Segment<'m>> {
        while self.next < self.end {
            let segment = Segment { hl7: self.hl7, position: self.next };
            self.next += 1;
            if self.name.is_none_or(|name| segment.name() == name) {
                return Some(segment);
            }
        }
        None
    }
}

/// One segment of a message.
#[derive(Clone, Copy)]
pub struct Segment<'m> {
    hl7: &'m Hl7,
    position: usize,
}

/// It prints no value.
impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.name(), self.number())
    }
}

impl<'m> Segment<'m> {
    /// `PID`.
    pub fn name(self) -> &'m str {
        self.hl7.index.name(&self.hl7.text, self.position)
    }

    /// Which of its name it is in the message, from 1.
    pub fn number(self) -> usize {
        self.hl7.between(0, self.position + 1).named(self.name()).count()
    }

    /// Where it stands in the message, from 0.
    pub fn position(self) -> usize {
        self.position
    }

    /// The message that it is of.
    pub fn hl7(self) -> &'m Hl7 {
        self.hl7
    }

    /// The first repetition of a field; [`Field::EMPTY`] where there is none.
    pub fn field(self, number: usize) -> Field<'m> {
        self.whole(number).first_repetition()
    }

    /// Each repetition of a field that is not empty.
    pub fn repetitions(self, number: usize) -> Repetitions<'m> {
        self.whole(number).split()
    }

    /// Whether a field has any value.
    pub fn is_valued(self, number: usize) -> bool {
        self.whole(number).is_valued()
    }

    /// The segment from a field's separator on: where in the text each field starts and what it is.
    fn spans(self) -> impl Iterator<Item = (usize, usize, &'m str)> {
        let Hl7 { text, index, .. } = self.hl7;
        let numbers = 1..=index.fields(text, self.position);
        numbers.filter_map(move |number| {
            let found = index.field(text, self.position, number)?;
            Some((number, found.start, text.get(found.start..found.end)?))
        })
    }

    /// Each repetition of a field, also those that are empty.
    #[cfg(not(target_arch = "wasm32"))]
    fn every_repetition(self, number: usize) -> Vec<Field<'m>> {
        self.whole(number).every_repetition()
    }

    /// The field with all of its repetitions.
    fn whole(self, number: usize) -> Field<'m> {
        let Hl7 { text, index, delimiters } = self.hl7;
        let Some(found) = index.field(text, self.position, number) else {
            return Field::EMPTY;
        };
        let raw = text.get(found.start..found.end).unwrap_or_default();
        if index.is_declaration(text, self.position, number) {
            return Field::literal(raw);
        }
        Field::whole(raw, found.marks, found.start, *delimiters)
    }
}

#[cfg(test)]
mod tests;
