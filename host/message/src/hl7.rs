//! Reading HL7 v2 by place, each field's bytes once.

use std::ops::Range;

use hilum_hl7::{Message, Path, Place};
use memchr::memchr_iter;

use crate::path::{At, Found};

/// The place that a path asks for: a number that is left out is 1.
pub(crate) fn place_of(path: &Path) -> Place {
    Place {
        segment: path.segment,
        occurrence: path.occurrence.unwrap_or(1),
        field: path.field.unwrap_or(1),
        repetition: path.repetition.unwrap_or(1),
        component: path.component.unwrap_or(1),
        subcomponent: path.subcomponent.unwrap_or(1),
    }
}

pub(crate) fn find(message: &Message, path: &Path) -> Option<Found> {
    let range = message.find(path)?;
    Some(Found { at: At::Hl7(place_of(path)), range })
}

/// As [`Message::find_all`], with the place of each.
pub(crate) fn find_all(message: &Message, path: &Path) -> Vec<Option<Found>> {
    let mut found = Vec::new();
    let asked = place_of(path);
    for segment in message.segments().filter(|it| it.segment_name() == path.segment) {
        let occurrence = u32::try_from(segment.occurrence()).unwrap_or(u32::MAX);
        if path.occurrence.is_some_and(|wanted| wanted != occurrence) {
            continue;
        }
        let place = Place { occurrence, ..asked };
        let one = |repetition: u32, range: Option<Range<usize>>| {
            let range = range.filter(|range| !range.is_empty())?;
            Some(Found { at: At::Hl7(Place { repetition, ..place }), range })
        };
        if path.repetition.is_some() || segment.declares_in(place.field) {
            let Place { field, repetition, component, subcomponent, .. } = place;
            let range = segment.subcomponent(field, repetition, component, subcomponent);
            found.push(one(repetition, range));
            continue;
        }
        let field = segment.field(place.field).unwrap_or(0..0);
        let delimiters = segment.delimiters();
        let bytes = message.structure();
        for (repetition, range) in (1..).zip(pieces(bytes, field, delimiters.repetition)) {
            let component = nth(bytes, range, delimiters.component, place.component);
            let range = match delimiters.subcomponent {
                Some(separator) => {
                    component.and_then(|it| nth(bytes, it, separator, place.subcomponent))
                }
                None => component.filter(|_| place.subcomponent == 1),
            };
            found.push(one(repetition, range));
        }
    }
    found
}

/// Whether anything but delimiters and `""` stands at or below a path.
pub(crate) fn exists(message: &Message, path: &Path) -> bool {
    let Some(field) = path.field else {
        return match path.occurrence {
            Some(occurrence) => message.segment(path.segment, occurrence).is_some(),
            None => message.segments().any(|it| it.segment_name() == path.segment),
        };
    };
    let bytes = message.structure();
    for segment in message.segments().filter(|it| it.segment_name() == path.segment) {
        let occurrence = u32::try_from(segment.occurrence()).unwrap_or(u32::MAX);
        let Some(range) = segment.field(field) else { continue };
        if path.occurrence.is_some_and(|wanted| wanted != occurrence) {
            continue;
        }
        if segment.declares_in(field) {
            return true;
        }
        let delimiters = segment.delimiters();
        for (repetition, range) in (1..).zip(pieces(bytes, range, delimiters.repetition)) {
            if path.repetition.is_some_and(|wanted| wanted != repetition) {
                continue;
            }
            for (component, range) in (1..).zip(pieces(bytes, range, delimiters.component)) {
                if path.component.is_some_and(|wanted| wanted != component) {
                    continue;
                }
                let separator = delimiters.subcomponent.unwrap_or(delimiters.component);
                for (subcomponent, range) in (1..).zip(pieces(bytes, range, separator)) {
                    let wanted = path.subcomponent.is_none_or(|wanted| wanted == subcomponent);
                    let value = bytes.get(range).unwrap_or_default();
                    if wanted && !value.is_empty() && value != b"\"\"" {
                        return true;
                    }
                }
            }
        }
    }
    false
}

/// The pieces of a range between separators; one, if there is none.
fn pieces(bytes: &[u8], range: Range<usize>, separator: u8) -> impl Iterator<Item = Range<usize>> {
    let content = bytes.get(range.clone()).unwrap_or_default();
    let ends = memchr_iter(separator, content).map(move |at| range.start + at);
    let mut start = range.start;
    ends.chain(std::iter::once(range.end)).map(move |end| {
        let piece = start..end;
        start = end + 1;
        piece
    })
}

fn nth(bytes: &[u8], range: Range<usize>, separator: u8, number: u32) -> Option<Range<usize>> {
    let before = usize::try_from(number).ok()?.checked_sub(1)?;
    pieces(bytes, range, separator).nth(before)
}
