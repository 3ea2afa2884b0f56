//! Reading by path.

use std::ops::Range;

use crate::segment::Segment;
use crate::{Message, Path};

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing: not there, or empty. The sender says nothing about it.
    Absent,
    /// `""`: the sender says that the value is to be deleted.
    Deleted,
    /// The raw bytes of a value; [`Message::text`] reads them.
    Text(Range<usize>),
}

impl Message {
    /// The first value at a path: a number that is left out is 1, so `PID-5` asks for
    /// `PID[1]-5[1].1.1`, and `OBX` for `OBX[1]-1[1].1.1`.
    ///
    /// `""` deletes what it stands for, here the subcomponent alone.
    pub fn value(&self, path: &Path) -> Value {
        match self.find(path) {
            None => Value::Absent,
            Some(range) if self.bytes().get(range.clone()) == Some(b"\"\"") => Value::Deleted,
            Some(range) => Value::Text(range),
        }
    }

    /// Where the first value at a path stands, as [`Self::value`] reads the path. None if it is
    /// absent or empty. **A `""` is found like a value**: use [`Self::value`] to tell it apart.
    pub fn find(&self, path: &Path) -> Option<Range<usize>> {
        let segment = self.segment(path.segment, path.occurrence.unwrap_or(1))?;
        in_repetition(&segment, path, path.repetition.unwrap_or(1))
    }

    /// Every value at a path: one entry for each repetition of each occurrence, and `None` where
    /// it has nothing, so that the lists of two paths of one field line up. An occurrence whose
    /// field is absent or empty has one entry. `""` is found like a value.
    pub fn find_all(&self, path: &Path) -> Vec<Option<Range<usize>>> {
        let mut found = Vec::new();
        for segment in self.occurrences(path) {
            if path.repetition.is_some() {
                found.push(in_repetition(&segment, path, path.repetition.unwrap_or(1)));
                continue;
            }
            each_repetition(&segment, path, &mut found);
        }
        found
    }

    /// How many there are: segments for `OBX`, repetitions for `PID-3` (of the first occurrence, if
    /// none is named). 1 or 0 for a path to one thing: `OBX[2]`, `PID-3[2]`, `PID-5.1`.
    pub fn count(&self, path: &Path) -> usize {
        let below = [path.repetition, path.component, path.subcomponent];
        let of_one = below.iter().any(Option::is_some);
        match path.field {
            None if !of_one => self.occurrences(path).count(),
            Some(field) if !of_one => self
                .segment(path.segment, path.occurrence.unwrap_or(1))
                .map_or(0, |segment| segment.repetitions(field)),
            _ if path.component.is_none() && path.subcomponent.is_none() => {
                let segment = self.segment(path.segment, path.occurrence.unwrap_or(1));
                let range = segment.and_then(|segment| {
                    segment.repetition(path.field.unwrap_or(1), path.repetition.unwrap_or(1))
                });
                usize::from(range.is_some_and(|range| !range.is_empty()))
            }
            _ => usize::from(self.find(path).is_some()),
        }
    }

    fn occurrences(&self, path: &Path) -> impl Iterator<Item = Segment<'_>> {
        let wanted = path.occurrence.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        self.segments_named(path.segment)
            .zip(1..)
            .filter(move |&(_, occurrence)| wanted.is_none_or(|wanted| wanted == occurrence))
            .filter_map(|(index, occurrence)| Segment::new(self.inner(), index, occurrence))
    }
}

fn in_repetition(segment: &Segment<'_>, path: &Path, repetition: u32) -> Option<Range<usize>> {
    let (component, subcomponent) = (path.component.unwrap_or(1), path.subcomponent.unwrap_or(1));
    segment
        .subcomponent(path.field.unwrap_or(1), repetition, component, subcomponent)
        .filter(|range| !range.is_empty())
}

/// One entry for each repetition of the path's field. The field is walked once: a field of a
/// million repetitions must not be searched a million times.
fn each_repetition(segment: &Segment<'_>, path: &Path, found: &mut Vec<Option<Range<usize>>>) {
    let (component, subcomponent) = (path.component.unwrap_or(1), path.subcomponent.unwrap_or(1));
    let before = found.len();
    found.extend(segment.each_repetition(path.field.unwrap_or(1)).map(|repetition| {
        segment
            .subcomponent_of(repetition, path.field.unwrap_or(1), component, subcomponent)
            .filter(|range| !range.is_empty())
    }));
    if found.len() == before {
        found.push(None);
    }
}
