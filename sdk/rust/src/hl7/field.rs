//! A part of a segment: a repetition of a field, a component, a subcomponent.

use std::borrow::Cow;
use std::fmt;

use super::index::{Kind, Mark};
use super::{Delimiters, escape};
use crate::coverage;

/// One repetition of a field, or a part of one. It is as cheap to copy as two `&str`.
#[derive(Clone, Copy)]
pub struct Field<'m> {
    raw: &'m str,
    /// The delimiters in it, none of a wider kind than its level is split at.
    marks: &'m [Mark],
    /// Where it stands in the text: what the marks count from.
    start: usize,
    delimiters: Delimiters,
    level: Level,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// A field with all of its repetitions.
    Whole,
    Repetition,
    Component,
    /// No delimiter means anything in it, as in MSH-1 and MSH-2.
    Last,
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
        Field { raw: "", marks: &[], start: 0, delimiters: NONE, level: Level::Last };

    pub(super) fn whole(
        raw: &'m str,
        marks: &'m [Mark],
        start: usize,
        delimiters: Delimiters,
    ) -> Self {
        Self { raw, marks, start, delimiters, level: Level::Whole }
    }

    pub(super) fn literal(raw: &'m str) -> Self {
        Self { raw, ..Self::EMPTY }
    }

    #[inline]
    pub(super) fn first_repetition(self) -> Self {
        if self.level == Level::Whole { self.part(1) } else { self }
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
            let count = self.marks.iter().filter(|it| it.is(Kind::Repetition)).count();
            all.extend((1..=count + 1).map(|it| self.part(it)));
        }
        all
    }

    /// A component; of a component, a subcomponent. A part that has no parts is its own first one.
    #[inline]
    pub fn component(self, number: usize) -> Self {
        // Most parts that are asked for are not there: there are fewer delimiters than that.
        if self.raw.is_empty() || self.marks.len() + 1 < number {
            return Self::EMPTY;
        }
        self.first_repetition().part(number)
    }

    /// What follows a number of components: `EI.2` to `EI.4` are an HD of its own, `ei.after(1)`. Of a
    /// component, subcomponents.
    pub fn after(self, number: usize) -> Self {
        let field = self.first_repetition();
        let Some((kind, _)) = field.level.inside() else {
            return Self::EMPTY;
        };
        let mut left = number;
        for (at, mark) in field.marks.iter().enumerate() {
            if mark.is(kind) {
                left = left.wrapping_sub(1);
                if left == 0 {
                    return field.cut(mark.offset() + 1, field.end(), at + 1, field.marks.len());
                }
            }
        }
        if number == 0 { field } else { Self::EMPTY }
    }

    /// The first value in it, unescaped: of a field, the first subcomponent of the first component.
    /// None if that is absent, empty or `""`.
    pub fn text(self) -> Option<Cow<'m, str>> {
        let raw = self.code()?;
        Some(escape::unescape(raw, self.delimiters))
    }

    /// The first value in it as it stands in the message, escaped. It counts as read.
    #[inline(never)]
    pub fn code(self) -> Option<&'m str> {
        let raw = self.first();
        if raw.is_empty() || raw == "\"\"" {
            return None;
        }
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
        let is_value = |it: &str| !it.is_empty() && it != "\"\"";
        let mut from = 0;
        for mark in self.marks {
            let at = mark.offset() - self.start;
            if is_value(self.raw.get(from..at).unwrap_or_default()) {
                return true;
            }
            from = at + 1;
        }
        is_value(self.raw.get(from..).unwrap_or_default())
    }

    /// Whether the sender says that the value is to be deleted: `""`.
    pub fn is_deleted(self) -> bool {
        self.first() == "\"\""
    }

    /// What stands before the first delimiter: the first subcomponent of the first component.
    #[inline]
    fn first(self) -> &'m str {
        match self.marks.first() {
            None => self.raw,
            Some(mark) => self.raw.get(..mark.offset() - self.start).unwrap_or_default(),
        }
    }

    fn end(self) -> usize {
        self.start + self.raw.len()
    }

    /// From one offset of the text to another, with these of its delimiters.
    #[inline]
    fn cut(self, from: usize, to: usize, first: usize, until: usize) -> Self {
        Self {
            raw: self.raw.get(from - self.start..to - self.start).unwrap_or_default(),
            marks: self.marks.get(first..until).unwrap_or_default(),
            start: from,
            ..self
        }
    }

    /// The part with a number, from 1, of those that its level is split into.
    #[inline(never)]
    fn part(self, number: usize) -> Self {
        let Some((kind, level)) = self.level.inside() else {
            return if number == 1 { self } else { Self::EMPTY };
        };
        if self.marks.is_empty() {
            return if number == 1 { Self { level, ..self } } else { Self::EMPTY };
        }
        let (mut from, mut first) = (self.start, 0);
        let mut left = number;
        for (at, mark) in self.marks.iter().enumerate() {
            if mark.is(kind) {
                left = left.wrapping_sub(1);
                if left == 0 {
                    return Self { level, ..self.cut(from, mark.offset(), first, at) };
                }
                (from, first) = (mark.offset() + 1, at + 1);
            }
        }
        if left == 1 {
            return Self { level, ..self.cut(from, self.end(), first, self.marks.len()) };
        }
        Self::EMPTY
    }
}

impl Level {
    /// What it is split at, and what its parts are.
    #[inline]
    fn inside(self) -> Option<(Kind, Self)> {
        match self {
            Self::Whole => Some((Kind::Repetition, Self::Repetition)),
            Self::Repetition => Some((Kind::Component, Self::Component)),
            Self::Component => Some((Kind::Subcomponent, Self::Last)),
            Self::Last => None,
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
            if whole.level != Level::Whole {
                return Some(whole).filter(|it| !it.raw.is_empty());
            }
            let first = whole.part(1);
            // Its delimiters are those before the one that ends it.
            let (after, used) = (first.end() + 1, first.marks.len() + 1);
            if after <= whole.end() {
                self.rest = Some(whole.cut(after, whole.end(), used, whole.marks.len()));
            }
            if !first.raw.is_empty() {
                return Some(first);
            }
        }
        None
    }
}
