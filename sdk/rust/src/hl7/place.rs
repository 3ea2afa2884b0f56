//! Paths of places in a message: `PID-3[2].4.1`.

use super::{Delimiters, Hl7, Segment};

/// The paths of the values that start at these offsets of a text: the occurrence of the segment if
/// there are several, the repetition if the field repeats, the component always (but in MSH-1 and
/// MSH-2), the subcomponent if the component has several.
pub(crate) fn paths_at(text: &str, mut offsets: Vec<usize>) -> Vec<String> {
    offsets.sort_unstable();
    offsets.dedup();
    let mut paths = Vec::with_capacity(offsets.len());
    let Some(hl7) = Hl7::parse_unnoted(text.to_owned()) else {
        return paths;
    };
    // How often each name stands in the message, and how often up to the segment at hand.
    let mut counts: Vec<(&str, usize, usize)> = Vec::new();
    for name in hl7.segments().map(Segment::name) {
        match counts.iter_mut().find(|it| it.0 == name) {
            Some(count) => count.1 += 1,
            None => counts.push((name, 1, 0)),
        }
    }
    let mut offsets = offsets.into_iter().peekable();
    for segment in hl7.segments() {
        let Some((name, of, nth)) = counts.iter_mut().find(|it| it.0 == segment.name()) else {
            continue;
        };
        *nth += 1;
        for (field, start, raw) in segment.spans() {
            while let Some(offset) = offsets.next_if(|it| *it < start + raw.len()) {
                if offset < start {
                    continue;
                }
                let mut path = (*name).to_owned();
                if 1 < *of {
                    path.push_str(&index(*nth));
                }
                path.push('-');
                path.push_str(&field.to_string());
                let is_declaration = field <= 2 && matches!(*name, "MSH" | "FHS" | "BHS");
                if !is_declaration {
                    parts(raw.as_bytes(), offset - start, hl7.delimiters, &mut path);
                }
                paths.push(path);
            }
        }
    }
    paths
}

/// Writes repetition, component and subcomponent of what stands at an offset of a field.
fn parts(field: &[u8], at: usize, delimiters: Delimiters, path: &mut String) {
    let Delimiters { component, repetition, subcomponent, .. } = delimiters;
    let (number, field, at) = part(field, at, repetition);
    if 1 < number.of {
        path.push_str(&index(number.nth));
    }
    let (number, field, at) = part(field, at, component);
    path.push('.');
    path.push_str(&number.nth.to_string());
    let (number, ..) = part(field, at, subcomponent);
    if 1 < number.of {
        path.push('.');
        path.push_str(&number.nth.to_string());
    }
}

struct Number {
    nth: usize,
    of: usize,
}

/// Which part between separators an offset lies in, how many there are, the part, and the offset in
/// it.
fn part(whole: &[u8], at: usize, separator: u8) -> (Number, &[u8], usize) {
    let mut start = 0;
    let mut nth = 0;
    let of = whole.split(|it| *it == separator).count();
    for piece in whole.split(|it| *it == separator) {
        nth += 1;
        if at <= start + piece.len() {
            return (Number { nth, of }, piece, at - start);
        }
        start += piece.len() + 1;
    }
    (Number { nth, of }, whole, at)
}

fn index(number: usize) -> String {
    ["[", &number.to_string(), "]"].concat()
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use read::{count_at, values_at};

#[cfg(not(target_arch = "wasm32"))]
mod read {
    use super::super::{Field, Hl7};
    use super::Segment;
    /// A path, taken apart: name, occurrence, field, repetition, component, subcomponent.
    struct Path<'p> {
        name: &'p str,
        occurrence: Option<usize>,
        field: Option<usize>,
        repetition: Option<usize>,
        component: Option<usize>,
        subcomponent: Option<usize>,
    }

    impl<'p> Path<'p> {
        fn parse(text: &'p str) -> Option<Self> {
            let (segment, rest) = match text.split_once('-') {
                Some((segment, rest)) => (segment, Some(rest)),
                None => (text, None),
            };
            let (name, occurrence) = indexed(segment)?;
            let mut parts = rest.into_iter().flat_map(|it| it.split('.'));
            let (field, repetition) = match parts.next() {
                None => (None, None),
                Some(field) => {
                    let (field, repetition) = indexed(field)?;
                    (Some(field.parse().ok()?), repetition)
                }
            };
            let mut number = || parts.next().map(|it| it.parse().ok());
            let (component, subcomponent) = (flat(number())?, flat(number())?);
            if name.len() != 3 || number().is_some() {
                return None;
            }
            Some(Self { name, occurrence, field, repetition, component, subcomponent })
        }
    }

    /// None there is fine, none that parses is not.
    fn flat(it: Option<Option<usize>>) -> Option<Option<usize>> {
        match it {
            None => Some(None),
            Some(number) => number.map(Some),
        }
    }

    fn indexed(text: &str) -> Option<(&str, Option<usize>)> {
        match text.split_once('[') {
            None => Some((text, None)),
            Some((before, index)) => {
                let index = index.strip_suffix(']')?.parse().ok()?;
                Some((before, Some(index)))
            }
        }
    }

    /// Each value at a path, as `message.all` answers. None if the path does not parse.
    pub(crate) fn values_at(hl7: &Hl7, path: &str) -> Option<Vec<Option<String>>> {
        let path = Path::parse(path)?;
        let field = path.field?;
        let mut all = Vec::new();
        for segment in occurrences(hl7, &path) {
            let mut repetitions = segment.every_repetition(field);
            if repetitions.is_empty() {
                repetitions.push(Field::EMPTY);
            }
            for (index, repetition) in repetitions.into_iter().enumerate() {
                if path.repetition.is_some_and(|it| it != index + 1) {
                    continue;
                }
                let component = repetition.component(path.component.unwrap_or(1));
                let value = component.component(path.subcomponent.unwrap_or(1));
                all.push(value.text().map(Into::into));
            }
        }
        Some(all)
    }

    /// How many segments or repetitions a path names. None if it does not parse.
    pub(crate) fn count_at(hl7: &Hl7, path: &str) -> Option<usize> {
        let path = Path::parse(path)?;
        Some(match path.field {
            None => occurrences(hl7, &path).count(),
            Some(field) => {
                let first = occurrences(hl7, &path).next();
                first.map_or(0, |it| it.every_repetition(field).len())
            }
        })
    }

    fn occurrences<'m>(
        hl7: &'m Hl7,
        path: &Path<'m>,
    ) -> impl Iterator<Item = Segment<'m>> + use<'m> {
        let wanted = path.occurrence;
        let all = hl7.all(path.name).enumerate();
        all.filter(move |(index, _)| wanted.is_none_or(|it| it == index + 1)).map(|(_, it)| it)
    }
}
