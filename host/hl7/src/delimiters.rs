//! The characters that a message declares in MSH-1 and MSH-2.

use std::ops::Range;

use memchr::memchr;

use crate::finding::{FindingKind, Role};

/// More than any sender writes, and little enough to look at.
const MSH_2_BYTES_MAX: usize = 16;

/// The delimiters of one message. Any ASCII character can have any role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delimiters {
    /// MSH-1, by custom `|`.
    pub field: u8,
    /// By custom `^`.
    pub component: u8,
    /// By custom `~`.
    pub repetition: u8,
    /// By custom `\`. None if the character has an earlier role too.
    pub escape: Option<u8>,
    /// By custom `&`. None if MSH-2 ends before it, or the character has an earlier role too.
    pub subcomponent: Option<u8>,
    /// `#` from version 2.7 on. None if MSH-2 ends before it, or the character has an earlier
    /// role too.
    pub truncation: Option<u8>,
}

impl Delimiters {
    /// `|^~\&`, which HL7 recommends and nearly everybody uses.
    pub const CUSTOMARY: Self = Self {
        field: b'|',
        component: b'^',
        repetition: b'~',
        escape: Some(b'\\'),
        subcomponent: Some(b'&'),
        truncation: None,
    };

    /// Reads the declaration at the start of a header segment (`MSH|^~\&|…`, also FHS and BHS), and
    /// what is odd about it.
    ///
    /// None if it cannot be used: MSH-2 has fewer than 3 characters; one is not ASCII or ends a line
    /// or a frame; components and repetitions share one; or the field separator is a letter or
    /// digit, since it must be told from the name before it. What stands after the fifth character
    /// has no role, and must not be text.
    pub(crate) fn declared(segment: &[u8]) -> Option<(Self, Vec<FindingKind>)> {
        let (&field, rest) = segment.get(3..)?.split_first()?;
        // A line may be gigabytes long, and only a few bytes can be delimiters.
        let head = rest.get(..MSH_2_BYTES_MAX + 1).unwrap_or(rest);
        let ends = |&byte: &u8| byte == field || byte == b'\r' || byte == b'\n';
        let end = head.iter().position(ends).unwrap_or(head.len());
        let characters = head.get(..end)?;
        if MSH_2_BYTES_MAX < characters.len() || field.is_ascii_alphanumeric() {
            return None;
        }
        if !usable(&field) || !characters.iter().all(usable) {
            return None;
        }
        let (&[component, repetition, escape], more) = characters.split_first_chunk::<3>()?;
        let further = more.get(2..).unwrap_or_default();
        if component == repetition || further.iter().any(u8::is_ascii_alphanumeric) {
            return None;
        }
        let mut findings = Vec::new();
        if !further.is_empty() {
            findings.push(FindingKind::FurtherDelimiters);
        }
        let mut taken = vec![component, repetition];
        let mut once = |character: Option<u8>, role: Role| {
            let character = character?;
            if taken.contains(&character) {
                findings.push(FindingKind::SharedDelimiter(role));
                return None;
            }
            taken.push(character);
            Some(character)
        };
        let delimiters = Self {
            field,
            component,
            repetition,
            escape: once(Some(escape), Role::Escape),
            subcomponent: once(more.first().copied(), Role::Subcomponent),
            truncation: once(more.get(1).copied(), Role::Truncation),
        };
        Some((delimiters, findings))
    }

    /// MSH-2 for these delimiters. None if there is no escape character: then a message of our own
    /// has to declare its own.
    pub fn encoding_characters(&self) -> Option<Vec<u8>> {
        let mut characters = vec![self.component, self.repetition, self.escape?];
        characters.extend(self.subcomponent);
        // Without the fourth character there can be no fifth.
        characters.extend(self.truncation.filter(|_| self.subcomponent.is_some()));
        Some(characters)
    }

    /// The `number`th repetition (from 1) of a raw field, as bytes. None if there are fewer.
    pub fn repetition_of<'a>(&self, field: &'a [u8], number: u32) -> Option<&'a [u8]> {
        field.get(nth_piece(field, 0..field.len(), self.repetition, number)?)
    }

    /// The `number`th component (from 1) of a raw repetition, as bytes. None if there are fewer.
    pub fn component_of<'a>(&self, repetition: &'a [u8], number: u32) -> Option<&'a [u8]> {
        repetition.get(nth_piece(repetition, 0..repetition.len(), self.component, number)?)
    }

    /// Whether the byte splits a segment into its parts (the escape character does not).
    pub(crate) fn splits(&self, byte: u8) -> bool {
        byte == self.field
            || byte == self.component
            || byte == self.repetition
            || self.subcomponent == Some(byte)
    }
}

fn usable(byte: &u8) -> bool {
    byte.is_ascii() && !matches!(byte, 0 | 0x0b | 0x1c | b'\r' | b'\n')
}

/// The `number`th piece (from 1) of a range of bytes between separators.
pub(crate) fn nth_piece(
    bytes: &[u8],
    range: Range<usize>,
    separator: u8,
    number: u32,
) -> Option<Range<usize>> {
    let mut start = range.start;
    let mut left = number.checked_sub(1)?;
    loop {
        let rest = bytes.get(start..range.end)?;
        let found = memchr(separator, rest);
        match (found, left) {
            (found, 0) => return Some(start..start + found.unwrap_or(rest.len())),
            (Some(length), _) => start += length + 1,
            (None, _) => return None,
        }
        left -= 1;
    }
}
