//! Which class a value of HL7 v2 has, by where it stands: field and component.
//!
//! `table/fields.txt` has every field of v2.1 to v2.8.2 and `table/datatypes.txt` what is in each data
//! type, for people to read and review; the tests make the first anew from the dictionaries, the PHI
//! table and `table/decisions.txt`. A field whose data type a version changed has, component by
//! component, the classes of all its types: MSH-12 is often wrong, so no class depends on it. What
//! the tables do not know is *unknown*.
//!
//! Promises: a look-up is two indexes into tables and builds nothing.
//! Not here: what a site says otherwise (`rules`), FHIR (`fhir`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hilum_message::hl7v2::{Place, SegmentName};

use crate::{Class, Classes};

static HL7: LazyLock<Tables> = LazyLock::new(|| {
    Tables::read(include_str!("table/fields.txt"), include_str!("table/datatypes.txt"))
});

/// The tables of HL7 v2 as they come.
pub(crate) fn hl7() -> &'static Tables {
    &HL7
}

/// The places of a segment's name: three letters or digits.
const NAMES: usize = 36 * 36 * 36;

/// The number of a row that OBX-2 decides.
const VARIES: u16 = u16::MAX;

/// The row of everything that no table has.
const UNKNOWN_ROW: u16 = 0;

#[derive(Clone)]
pub(crate) struct Tables {
    /// By a segment's name: its number among `segments` and one more; 0 where there is none.
    names: Box<[u16]>,
    segments: Vec<Segment>,
    rows: Vec<Row>,
    /// The row of OBX-5 by OBX-2.
    values: BTreeMap<&'static str, u16>,
}

#[derive(Clone)]
struct Segment {
    /// The row of each field, from the first.
    fields: Vec<u16>,
    /// The row of fields that come after.
    rest: u16,
}

/// The components of a field.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    components: Vec<Entry>,
    /// Components that come after.
    rest: Entry,
}

/// What a table says about a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) classes: Classes,
    /// Whether its type is a number: NM or SI.
    pub(crate) is_number: bool,
}

impl Entry {
    const UNKNOWN: Self = Self { classes: Classes::of(Class::Unknown), is_number: false };
}

/// What is in a data type.
struct DataType {
    field: Classes,
    /// Whether OBX-5 may be of it.
    is_value: bool,
    components: Vec<Rule>,
}

#[derive(Clone, Copy)]
enum Rule {
    /// As the field.
    Field,
    Is(Classes),
}

type DataTypes = BTreeMap<&'static str, DataType>;

impl Tables {
    /// A line that cannot be read is left out, so what it names is unknown; a test says that there
    /// is none.
    fn read(fields: &'static str, types: &'static str) -> Self {
        let types: DataTypes = lines(types).filter_map(type_of).collect();
        let unknown = Row { components: Vec::new(), rest: Entry::UNKNOWN };
        let mut rows = Rows { rows: vec![unknown], numbers: BTreeMap::new() };
        let mut names = vec![0; NAMES].into_boxed_slice();
        let mut segments: Vec<Segment> = Vec::new();
        for line in lines(fields) {
            let Some((segment, number, class, of)) = field_of(&line) else { continue };
            let row = match class_of(class) {
                None => VARIES,
                Some(classes) => rows.number(row(&types, of, classes)),
            };
            let Some(slot) = index_of(segment).and_then(|it| names.get_mut(it)) else { continue };
            if *slot == 0 {
                segments.push(Segment { fields: Vec::new(), rest: UNKNOWN_ROW });
                *slot = u16::try_from(segments.len()).unwrap_or_default();
            }
            if let Some(segment) = segments.get_mut(usize::from(*slot).wrapping_sub(1)) {
                segment.set(number, row);
            }
        }
        let values = types.iter().filter(|(_, it)| it.is_value);
        let values = values.map(|(name, it)| (*name, rows.number(row(&types, name, it.field))));
        let values = values.collect();
        Self { names, segments, rows: rows.rows, values }
    }

    /// Whether a field's class depends on OBX-2.
    pub(crate) fn varies(&self, place: &Place) -> bool {
        self.row_of(place) == VARIES
    }

    /// Whether any version has a segment of this name.
    pub(crate) fn has(&self, name: SegmentName) -> bool {
        self.segment(name).is_some()
    }

    /// Whether the components of a field have different classes.
    pub(crate) fn has_several(&self, place: &Place) -> bool {
        let row = self.rows.get(usize::from(self.row_of(place)));
        let mut components = row.into_iter().flat_map(|it| &it.components);
        let first = components.next().map(|it| it.classes);
        components.any(|it| Some(it.classes) != first)
    }

    /// What is known about a place. `value_type` is OBX-2 of its segment, where it matters.
    pub(crate) fn entry(&self, place: &Place, value_type: Option<&str>) -> Entry {
        let row = match self.row_of(place) {
            VARIES => value_type.and_then(|name| self.values.get(name)).copied(),
            row => Some(row),
        };
        let Some(row) = row.and_then(|it| self.rows.get(usize::from(it))) else {
            return Entry::UNKNOWN;
        };
        let component = (place.component as usize).wrapping_sub(1);
        row.components.get(component).copied().unwrap_or(row.rest)
    }

    fn row_of(&self, place: &Place) -> u16 {
        let Some(segment) = self.segment(place.segment) else { return UNKNOWN_ROW };
        let number = (place.field as usize).wrapping_sub(1);
        segment.fields.get(number).copied().unwrap_or(segment.rest)
    }

    fn segment(&self, name: SegmentName) -> Option<&Segment> {
        let slot = self.names.get(index_of(name.as_str())?).copied()?;
        self.segments.get(usize::from(slot).checked_sub(1)?)
    }

    /// The same tables where a segment, one of its fields or one component of that has other
    /// classes. What is set later counts, so the wider comes first.
    pub(crate) fn set(
        &mut self,
        segment: SegmentName,
        field: Option<u32>,
        component: Option<u32>,
        classes: Classes,
    ) {
        let Some(index) = index_of(segment.as_str()) else { return };
        if self.names.get(index) == Some(&0) {
            self.segments.push(Segment { fields: Vec::new(), rest: UNKNOWN_ROW });
            if let Some(slot) = self.names.get_mut(index) {
                *slot = u16::try_from(self.segments.len()).unwrap_or_default();
            }
        }
        let whole = Row { components: Vec::new(), rest: Entry { classes, is_number: false } };
        let place = Place {
            segment,
            occurrence: 1,
            field: field.unwrap_or(1),
            repetition: 1,
            component: 1,
            subcomponent: 1,
        };
        let before = self.rows.get(usize::from(self.row_of(&place)));
        let row = match (component, before) {
            (Some(component), Some(before)) => before.with(component, classes),
            _ => whole,
        };
        let Ok(number) = u16::try_from(self.rows.len()) else { return };
        self.rows.push(row);
        let slot = self.names.get(index).copied().unwrap_or_default();
        let Some(segment) = self.segments.get_mut(usize::from(slot).wrapping_sub(1)) else {
            return;
        };
        match field {
            Some(field) => segment.set(field as usize, number),
            None => *segment = Segment { fields: Vec::new(), rest: number },
        }
    }
}

impl Segment {
    /// Sets the row of a field; fields before it that there were not are as those that come after.
    fn set(&mut self, number: usize, row: u16) {
        let Some(index) = number.checked_sub(1) else { return };
        if self.fields.len() <= index {
            self.fields.resize(index + 1, self.rest);
        }
        if let Some(field) = self.fields.get_mut(index) {
            *field = row;
        }
    }
}

impl Row {
    /// The same row with other classes of one component.
    fn with(&self, component: u32, classes: Classes) -> Self {
        let mut row = self.clone();
        let index = (component as usize).saturating_sub(1);
        if row.components.len() <= index {
            row.components.resize(index + 1, self.rest);
        }
        if let Some(entry) = row.components.get_mut(index) {
            entry.classes = classes;
        }
        row
    }
}

/// Rows while they are collected, each once.
struct Rows {
    rows: Vec<Row>,
    numbers: BTreeMap<Row, u16>,
}

impl Rows {
    fn number(&mut self, row: Row) -> u16 {
        let next = u16::try_from(self.rows.len()).unwrap_or(UNKNOWN_ROW);
        match self.numbers.get(&row) {
            Some(number) => *number,
            None => {
                self.rows.push(row.clone());
                self.numbers.insert(row, next);
                next
            }
        }
    }
}

/// The row of a field of these classes that had the types `of`, in one version or another.
fn row(types: &DataTypes, of: &str, field: Classes) -> Row {
    let mut components: Vec<Entry> = Vec::new();
    if of.split(',').any(|name| name == "varies") {
        // In one version or another it is whatever the sender likes.
        return Row { components, rest: Entry::UNKNOWN };
    }
    for data_type in of.split(',').filter_map(|name| types.get(name)) {
        for (index, rule) in data_type.components.iter().enumerate() {
            let classes = match rule {
                Rule::Field => field,
                Rule::Is(classes) => *classes,
            };
            match components.get_mut(index) {
                Some(entry) => entry.classes = entry.classes.and(classes),
                None => components.push(Entry { classes, is_number: false }),
            }
        }
    }
    // A field that had components in another version (PR1-11: XCN, then NM) may have them still, and
    // the number of a doctor is no number.
    let is_number = of.split(',').next_back().is_some_and(|newest| matches!(newest, "NM" | "SI"));
    if let [only] = components.as_mut_slice() {
        only.is_number = is_number;
    }
    Row { components, rest: Entry::UNKNOWN }
}

/// Three letters or digits as a number below [`NAMES`].
fn index_of(name: &str) -> Option<usize> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(usize::from(byte - b'A')),
        b'0'..=b'9' => Some(usize::from(byte - b'0') + 26),
        _ => None,
    };
    let [first, second, third] = name.as_bytes() else { return None };
    Some((digit(*first)? * 36 + digit(*second)?) * 36 + digit(*third)?)
}

/// The words of each line that is no comment.
fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty())
}

/// `PID-5   name   phi   PN,XPN   Patient name`
fn field_of(words: &[&'static str]) -> Option<(&'static str, usize, &'static str, &'static str)> {
    let [place, class, _, types, ..] = words else { return None };
    let (segment, number) = place.split_once('-')?;
    Some((segment, number.parse().ok()?, class, types))
}

/// `XPN   name   yes   . . - date`
fn type_of(words: Vec<&'static str>) -> Option<(&'static str, DataType)> {
    let [name, field, is_value, components @ ..] = words.as_slice() else { return None };
    let rule = |word: &&str| match *word {
        "." => Some(Rule::Field),
        "-" => Some(Rule::Is(Classes::NONE)),
        word => Class::from_word(word).map(|it| Rule::Is(it.into())),
    };
    let components = components.iter().map(rule).collect::<Option<_>>()?;
    Some((*name, DataType { field: class_of(field)?, is_value: *is_value == "yes", components }))
}

/// The classes of a word. None where another value decides.
fn class_of(word: &str) -> Option<Classes> {
    match word {
        "varies" => None,
        "open" => Some(Classes::NONE),
        // A word that is none is a class that nobody has forgotten.
        word => Some(Class::from_word(word).unwrap_or(Class::Unknown).into()),
    }
}

#[cfg(test)]
mod tests;
