use std::iter::FusedIterator;
use std::ops::Range;

use memchr::memchr3;

use crate::index::narrow;
use crate::segment::{Segment, Segments};
use crate::{Delimiters, Message, Place};

/// A subcomponent that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Where it is in the structure.
    pub place: Place,
    /// Where it is in the bytes.
    pub range: Range<usize>,
}

/// Walks a message's leaves in the order of their bytes.
#[derive(Clone)]
pub struct Leaves<'a> {
    bytes: &'a [u8],
    segments: Segments<'a>,
    field: Option<Field<'a>>,
}

#[derive(Clone)]
struct Field<'a> {
    segment: Segment<'a>,
    delimiters: &'a Delimiters,
    /// The place of the next subcomponent.
    place: Place,
    /// What is left of the field; none once its last subcomponent is taken.
    rest: Option<Range<usize>>,
}

impl Message {
    /// Every subcomponent that is not empty, `""` too, in order. Outside of leaves there are only
    /// the prefix, terminators, delimiters, MSH-1 and MSH-2, and segments' names.
    pub fn leaves(&self) -> Leaves<'_> {
        Leaves { bytes: self.structure(), segments: self.segments(), field: None }
    }
}

impl Iterator for Leaves<'_> {
    type Item = Leaf;

    fn next(&mut self) -> Option<Leaf> {
        loop {
            if let Some(field) = &mut self.field {
                if let Some(leaf) = field.next_leaf(self.bytes) {
                    return Some(leaf);
                }
                if field.next_field() {
                    continue;
                }
            }
            self.field = Some(Field::before_first(self.segments.next()?));
        }
    }
}

impl FusedIterator for Leaves<'_> {}

impl<'a> Field<'a> {
    fn before_first(segment: Segment<'a>) -> Self {
        let place = Place {
            segment: segment.segment_name(),
            occurrence: narrow(segment.occurrence()),
            field: 0,
            repetition: 1,
            component: 1,
            subcomponent: 1,
        };
        Self { delimiters: segment.delimiters(), segment, place, rest: None }
    }

    /// Goes to the next field that is not empty; false at the end of the segment.
    fn next_field(&mut self) -> bool {
        let header = self.segment.segment_name().is_header();
        let mut number = self.place.field;
        loop {
            number = number.saturating_add(1);
            if header && number == 1 || self.segment.declares_in(number) {
                continue;
            }
            let Some(range) = self.segment.field(number) else {
                return false;
            };
            if !range.is_empty() {
                self.rest = Some(range);
                break;
            }
        }
        let first =
            Place { field: number, repetition: 1, component: 1, subcomponent: 1, ..self.place };
        self.place = first;
        true
    }

    /// Takes subcomponents until one is not empty.
    fn next_leaf(&mut self, bytes: &[u8]) -> Option<Leaf> {
        loop {
            let rest = self.rest.take()?;
            let Delimiters { repetition, component, subcomponent, .. } = *self.delimiters;
            let left = bytes.get(rest.clone())?;
            let length =
                find_split(left, [repetition, component, subcomponent.unwrap_or(component)]);
            let end = length.map_or(rest.end, |length| rest.start + length);
            let place = self.place;
            if let Some(&delimiter) = bytes.get(end).filter(|_| length.is_some()) {
                self.rest = Some(end + 1..rest.end);
                self.place = match delimiter {
                    _ if delimiter == repetition => Place {
                        repetition: place.repetition.saturating_add(1),
                        component: 1,
                        subcomponent: 1,
                        ..place
                    },
                    _ if delimiter == component => Place {
                        component: place.component.saturating_add(1),
                        subcomponent: 1,
                        ..place
                    },
                    _ => Place { subcomponent: place.subcomponent.saturating_add(1), ..place },
                };
            }
            if rest.start < end {
                return Some(Leaf { place, range: rest.start..end });
            }
        }
    }
}

/// Most values are short, and for those a plain look is faster than the start of a search.
fn find_split(bytes: &[u8], [one, two, three]: [u8; 3]) -> Option<usize> {
    match bytes.split_at_checked(32) {
        None => bytes.iter().position(|&byte| byte == one || byte == two || byte == three),
        Some(_) => memchr3(one, two, three, bytes),
    }
}
