//! Which class a value has, by where it stands: field and component.
//!
//! The tables are `table/fields.txt` and `table/datatypes.txt`, for people to read and review; the
//! tests hold them against the PHI table and the dictionary. What they do not know is *unknown*.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hilum_message::hl7v2::Place;

use crate::{Class, Classes};

static HL7: LazyLock<Tables> = LazyLock::new(|| {
    Tables::read(include_str!("table/fields.txt"), include_str!("table/datatypes.txt"))
});

/// The tables of HL7 v2.
pub(crate) fn hl7() -> &'static Tables {
    &HL7
}

pub(crate) struct Tables {
    segments: BTreeMap<[u8; 3], Vec<Field>>,
    types: BTreeMap<&'static str, DataType>,
}

/// The class of a field: none is open.
type FieldClass = Option<Class>;

#[derive(Clone, Copy)]
enum Field {
    Of {
        data_type: &'static str,
        class: FieldClass,
    },
    /// By another field's value: OBX-5 by OBX-2.
    Varies,
}

struct DataType {
    /// The class of OBX-5 where it is of this type; the outer none where it cannot be.
    as_value: Option<FieldClass>,
    components: Vec<Rule>,
}

#[derive(Clone, Copy)]
enum Rule {
    /// As the field.
    Field,
    Open,
    Is(Class),
}

/// What a table says about a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) classes: Classes,
    /// Whether its type is a number: NM or SI.
    pub(crate) is_number: bool,
}

const UNKNOWN: Entry = Entry { classes: Classes::of(Class::Unknown), is_number: false };

impl Tables {
    /// A line that cannot be read is left out, so what it names is unknown; a test says that there
    /// is none.
    fn read(fields: &'static str, types: &'static str) -> Self {
        let mut segments: BTreeMap<[u8; 3], Vec<Field>> = BTreeMap::new();
        for (segment, number, field) in lines(fields).filter_map(field_of) {
            let fields = segments.entry(segment).or_default();
            if fields.len() + 1 == number {
                fields.push(field);
            }
        }
        Self { segments, types: lines(types).filter_map(type_of).collect() }
    }

    /// Whether a field's class depends on OBX-2.
    pub(crate) fn varies(&self, place: &Place) -> bool {
        matches!(self.field(place), Some(Field::Varies))
    }

    /// What is known about a place. `value_type` is OBX-2 of its segment, where it matters.
    pub(crate) fn entry(&self, place: &Place, value_type: Option<&str>) -> Entry {
        let (data_type, class) = match self.field(place) {
            None => return UNKNOWN,
            Some(Field::Of { data_type, class }) => (data_type, class),
            Some(Field::Varies) => {
                let named = value_type.and_then(|name| self.types.get_key_value(name));
                match named.and_then(|(name, it)| Some((*name, it.as_value?))) {
                    Some(of_value) => of_value,
                    None => return UNKNOWN,
                }
            }
        };
        let component = usize::try_from(place.component).ok().and_then(|it| it.checked_sub(1));
        let rules = self.types.get(data_type).map(|it| it.components.as_slice());
        let rule = component.and_then(|number| rules?.get(number));
        let classes = match rule {
            None => return UNKNOWN,
            Some(Rule::Field) => class.map(Classes::of).unwrap_or_default(),
            Some(Rule::Open) => Classes::NONE,
            Some(Rule::Is(class)) => Classes::of(*class),
        };
        Entry { classes, is_number: matches!(data_type, "NM" | "SI") }
    }

    fn field(&self, place: &Place) -> Option<Field> {
        let name: [u8; 3] = place.segment.as_str().as_bytes().try_into().ok()?;
        let number = usize::try_from(place.field).ok()?.checked_sub(1)?;
        self.segments.get(&name)?.get(number).copied()
    }
}

/// The words of each line that is no comment.
fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty())
}

/// `PID-5   XPN   name   Patient name`
fn field_of(words: Vec<&'static str>) -> Option<([u8; 3], usize, Field)> {
    let [place, data_type, class, ..] = words.as_slice() else { return None };
    let (segment, number) = place.split_once('-')?;
    let field = match *class {
        "varies" => Field::Varies,
        class => Field::Of { data_type, class: class_of(class)? },
    };
    Some((segment.as_bytes().try_into().ok()?, number.parse().ok()?, field))
}

/// `XPN   name   . . - date`
fn type_of(words: Vec<&'static str>) -> Option<(&'static str, DataType)> {
    let [name, as_value, components @ ..] = words.as_slice() else { return None };
    let as_value = match *as_value {
        "no" => None,
        class => Some(class_of(class)?),
    };
    let rule = |word: &&str| match *word {
        "." => Some(Rule::Field),
        "-" => Some(Rule::Open),
        word => Class::from_word(word).map(Rule::Is),
    };
    let components = components.iter().map(rule).collect::<Option<_>>()?;
    Some((*name, DataType { as_value, components }))
}

fn class_of(word: &str) -> Option<FieldClass> {
    match word {
        "open" => Some(None),
        word => Class::from_word(word).map(Some),
    }
}

#[cfg(test)]
mod tests;
