//! A part of a segment: a repetition of a field, a component, a subcomponent.

use std::borrow::Cow;
use std::fmt;

use super::{Delimiters, escape};
use crate::coverage;

/// One repetition of a field, or a part of one. A copy is as cheap as a `&str`.
#[derive(Clone, Copy)]
pub struct Field<'m> {
    raw: &'m str,
    delimiters: Delimiters,
    level: Level,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// A field with all of its repetitions.
    Whole,
    Repetition,
    Component,
    Subcomponent,
    /// MSH-1, MSH-2: no delimiter means anything in it.
    Literal,
}

/// What `Field::EMPTY` needs: no byte of a message is 0.
const NONE: Delimiters =
    Delimiters { field: 0, component: 0, repetition: 0, escape: 0, subcomponent: 0, truncation: 0 };

/// It prints no value.
impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_valued() { "Field(valued)" } else { "Field(empty)" })
    }
}

impl<'m> Field<'m> {
    /// What is not there.
    pub const EMPTY: Field<'static> =
        Field { raw: "", delimiters: NONE, level: Level::Subcomponent };

    pub(super) fn whole(raw: &'m str, delimiters: Delimiters) -> Self {
        Self { raw, delimiters, level: Level::Whole }
    }

    pub(super) fn literal(raw: &'m str) -> Self {
        Self { raw, delimiters: NONE, level: Level::Literal }
    }

    pub(super) fn first_repetition(self) -> Self {
        match self.level {
            Level::Whole => self.piece(self.delimiters.repetition, 1, Level::Repetition),
            _ => self,
        }
    }

    pub(super) fn split(self) -> Repetitions<'m> {
        Repetitions { rest: Some(self) }
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn every_repetition(self) -> Vec<Self> {
        let mut all = Vec::new();
        if self.level != Level::Whole {
            all.push(self);
        } else if !self.raw.is_empty() {
            let pieces = self.raw.split(char::from(self.delimiters.repetition));
            all.extend(pieces.map(|raw| Self { raw, level: Level::Repetition, ..self }));
        }
        all
    }

    /// A component; of a component, a subcomponent. A part that has no parts is its own first one.
    pub fn component(self, number: usize) -> Self {
        match self.level {
            Level::Whole => self.first_repetition().component(number),
            Level::Repetition => self.piece(self.delimiters.component, number, Level::Component),
            Level::Component => {
                self.piece(self.delimiters.subcomponent, number, Level::Subcomponent)
            }
            Level::Subcomponent | Level::Literal if number == 1 => self,
            Level::Subcomponent | Level::Literal => Self::EMPTY,
        }
    }

    /// What follows a number of components: `EI.2` to `EI.4` are an HD of its own, `ei.after(1)`. Of a
    /// component, subcomponents.
    pub fn after(self, number: usize) -> Self {
        let separator = match self.level {
            Level::Whole => return self.first_repetition().after(number),
            Level::Repetition => self.delimiters.component,
            Level::Component => self.delimiters.subcomponent,
            Level::Subcomponent | Level::Literal => return Self::EMPTY,
        };
        let next = self.piece(separator, number + 1, self.level);
        // The part begins where the rest of the field does.
        let start = next.raw.as_ptr().addr().checked_sub(self.raw.as_ptr().addr());
        match start.and_then(|it| self.raw.get(it..)) {
            Some(raw) if !next.is_nothing() => Self { raw, ..self },
            _ => Self::EMPTY,
        }
    }

    /// Whether it is [`Self::EMPTY`], and no part of a message that has nothing in it.
    fn is_nothing(self) -> bool {
        self.delimiters.field == 0
    }

    /// The first value in it, unescaped: of a field, the first subcomponent of the first component.
    /// None if that is absent, empty or `""`.
    pub fn text(self) -> Option<Cow<'m, str>> {
        let raw = self.value()?;
        coverage::place(raw);
        if self.level == Level::Literal {
            return Some(Cow::Borrowed(raw));
        }
        Some(escape::unescape(raw, self.delimiters))
    }

    /// The first value in it as it stands in the message, escaped. It counts as read.
    pub fn code(self) -> Option<&'m str> {
        let raw = self.value()?;
        coverage::place(raw);
        Some(raw)
    }

    /// All of it as it stands in the message, with delimiters and escapes.
    pub fn raw(self) -> &'m str {
        self.raw
    }

    /// Whether it has any value: more than delimiters and `""`.
    pub fn is_valued(self) -> bool {
        if self.raw.is_empty() {
            return false;
        }
        if self.level == Level::Literal {
            return true;
        }
        let Delimiters { component, repetition, subcomponent, .. } = self.delimiters;
        let splits = |it: u8| {
            it == component && self.level <= Level::Repetition
                || it == subcomponent && self.level <= Level::Component
                || it == repetition && self.level == Level::Whole
        };
        self.raw.as_bytes().split(|it| splits(*it)).any(|it| !it.is_empty() && it != b"\"\"")
    }

    /// Whether the sender says that the value is to be deleted: `""`.
    pub fn is_deleted(self) -> bool {
        self.first().raw == "\"\""
    }

    /// The raw first value.
    fn value(self) -> Option<&'m str> {
        if self.raw.is_empty() {
            return None;
        }
        let raw = self.first().raw;
        (!raw.is_empty() && raw != "\"\"").then_some(raw)
    }

    /// The first subcomponent of the first component.
    fn first(self) -> Self {
        match self.level {
            Level::Subcomponent | Level::Literal => self,
            Level::Component => self.component(1),
            Level::Repetition | Level::Whole => self.component(1).component(1),
        }
    }

    /// The part with a number, from 1, between separators.
    #[inline(never)]
    fn piece(self, separator: u8, number: usize, level: Level) -> Self {
        let bytes = self.raw.as_bytes();
        let (mut start, mut left) = (0, number);
        let mut at = 0;
        // By hand: `split` of the standard library is three times the code.
        loop {
            let ends = match bytes.get(at) {
                None => true,
                Some(byte) => *byte == separator,
            };
            if ends {
                left = left.wrapping_sub(1);
                if left == 0 {
                    let raw = self.raw.get(start..at).unwrap_or_default();
                    return Self { raw, delimiters: self.delimiters, level };
                }
                if at >= bytes.len() {
                    return Self::EMPTY;
                }
                start = at + 1;
            }
            at += 1;
        }
    }
}

/// The repetitions of a field that are not empty.
#[derive(Clone, Debug)]
pub struct Repetitions<'m> {
    rest: Option<Field<'m>>,
}

impl<'m> Iterator for Repetitions<'m> {
    type Item = Field<'m>;

    #[inline(never)]
    fn next(&mut self) -> Option<Field<'m>> {
        while let Some(whole) = self.rest.take() {
            if whole.raw.is_empty() {
                return None;
            }
            if whole.level != Level::Whole {
                return Some(whole);
            }
            let first = whole.first_repetition();
            let rest = whole.raw.get(first.raw.len() + 1..).unwrap_or_default();
            self.rest = Some(Field { raw: rest, ..whole });
            if !first.raw.is_empty() {
                return Some(first);
            }
        }
        None
    }
}
