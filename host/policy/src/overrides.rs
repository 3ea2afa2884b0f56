//! What a site says about places: `[phi]`.
//!
//! ```toml
//! [phi]
//! "ZPD-3" = "name"                                  # a field of HL7 v2, whole
//! "PV1-3.1" = "open"                                # one component of a field
//! "ZBX" = "open"                                    # a segment, whole
//! "Patient.maritalStatus.text" = "open"             # an element of FHIR R4, with all that is in it
//! "extension('http://st-anna.example/ward')" = "address"   # an extension, wherever it stands
//! ```
//!
//! Promises: what is narrower counts more; a place that does not exist, or that is structure, is a
//! problem that says what to write.
//! Not here: what holds where the site says nothing (`table`, `fhir`).

use std::fmt;

use hilum_message::hl7v2::{Path, SegmentName};
use hilum_words::config::{Placed, Section};
use hilum_words::meant;

use crate::fhir::{self, Fhir, NoElement, Said};
use crate::table;
use crate::{Class, Classes};

/// Places that a site may say something about.
const PLACES_MAX: usize = 1_000;
const FIELD_MAX: u32 = 999;
const COMPONENT_MAX: u32 = 99;
const URL_BYTES_MAX: usize = 1_024;

/// The word for "no class".
const OPEN: &str = "open";

/// How messages are read: their delimiters, types, versions and character sets, and what OBX-5 is.
const STRUCTURE: &[&str] =
    &["MSH-1", "MSH-2", "MSH-9", "MSH-12", "MSH-18", "FHS-1", "FHS-2", "BHS-1", "BHS-2", "OBX-2"];

/// What a site says about places, in the order in which it counts: the narrowest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    all: Vec<Override>,
}

/// What a site says about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The place as the site writes it.
    pub path: String,
    /// The classes that it has there; none is open.
    pub classes: Classes,
    pub(crate) place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Hl7 { segment: SegmentName, field: Option<u32>, component: Option<u32> },
    Element(Vec<String>),
    Extension(String),
}

impl Place {
    /// How narrow it is: what is said about more counts less.
    fn depth(&self) -> usize {
        match self {
            Self::Hl7 { field, component, .. } => {
                usize::from(field.is_some()) + usize::from(component.is_some())
            }
            Self::Element(path) => path.len(),
            Self::Extension(_) => 0,
        }
    }
}

impl Overrides {
    /// Those of one place each, the narrowest last.
    fn new(mut all: Vec<Override>) -> Self {
        all.sort_by(|a, b| (a.place.depth(), &a.path).cmp(&(b.place.depth(), &b.path)));
        Self { all }
    }

    /// Reads the section `[phi]`.
    pub fn read(mut section: Section<'_>) -> Self {
        let words: Vec<_> = Class::ALL.iter().map(|it| it.word()).chain([OPEN]).collect();
        let mut all: Vec<Override> = Vec::new();
        let mut trial = None;
        let keys = section.keys();
        if PLACES_MAX < keys.len() {
            section.problem(format!("may say something about {PLACES_MAX} places at most"));
        }
        for key in keys.into_iter().take(PLACES_MAX) {
            if !section.is_text(&key) {
                let text = "names a place by one path in quotes: \"PID-5.1\" = \"open\", \
                            \"Patient.name\" = \"open\"";
                section.problem_at(&key, text);
            }
            let Some(word) = section.word(&key, &words) else { continue };
            let class = words.get(word.value).and_then(|it| Class::from_word(it));
            let classes = class.map(Classes::of).unwrap_or_default();
            match place_of(&key, &mut trial) {
                Ok(place) => {
                    let same = all.iter().find(|it| it.place == place);
                    if let Some(same) = same {
                        let text = format!("is the same place as \"{}\"", same.path);
                        word.problem(section.problems(), text);
                    }
                    all.push(Override { path: key, classes, place });
                }
                Err(text) => problem(&section, &word, text),
            }
        }
        section.finish();
        Self::new(all)
    }

    /// These, for a test: panics on what is no place.
    #[cfg(test)]
    pub(crate) fn of(places: &[(&str, &str)]) -> Self {
        let one = |(path, word): &(&str, &str)| Override {
            path: (*path).to_owned(),
            classes: Class::from_word(word).map(Classes::of).unwrap_or_default(),
            place: place_of(path, &mut None).expect(path),
        };
        Self::new(places.iter().map(one).collect())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Override> {
        self.all.iter()
    }

    /// Whether the site says nothing.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl Override {
    /// What the place would be without it. None where what is in it has classes of its own.
    pub fn before(&self) -> Option<Classes> {
        let Place::Hl7 { segment, field: Some(field), component } = &self.place else {
            return match &self.place {
                Place::Extension(_) => Some(Class::Unknown.into()),
                Place::Hl7 { segment, .. } if !table::hl7().has(*segment) => {
                    Some(Class::Unknown.into())
                }
                Place::Hl7 { .. } | Place::Element(_) => None,
            };
        };
        let place = hilum_message::hl7v2::Place {
            segment: *segment,
            occurrence: 1,
            field: *field,
            repetition: 1,
            component: component.unwrap_or(1),
            subcomponent: 1,
        };
        let is_whole = component.is_none() && table::hl7().has_several(&place);
        let is_known = !is_whole && !table::hl7().varies(&place);
        is_known.then(|| table::hl7().entry(&place, None).classes)
    }
}

/// `PID-5.1 name`
impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.classes)
    }
}

fn problem<T>(section: &Section<'_>, word: &Placed<T>, text: String) {
    word.problem(section.problems(), text);
}

/// What a path means, or what to write in its place.
fn place_of(path: &str, trial: &mut Option<Fhir>) -> Result<Place, String> {
    if let Some(rest) = path.strip_prefix("extension") {
        return extension(rest);
    }
    let is_capital = |it: u8| it.is_ascii_uppercase() || it.is_ascii_digit();
    let name = path.split(['-', '.', '[']).next().unwrap_or_default();
    if name.len() == 3 && name.bytes().all(is_capital) {
        return hl7(path);
    }
    element(path, trial)
}

fn extension(rest: &str) -> Result<Place, String> {
    let inside = rest.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
    let unquoted = |quote: char| {
        let it = inside?.strip_prefix(quote)?.strip_suffix(quote)?;
        (!it.is_empty() && !it.contains(quote)).then_some(it)
    };
    match unquoted('\'').or_else(|| unquoted('"')) {
        Some(url) if url.len() <= URL_BYTES_MAX => Ok(Place::Extension(url.to_owned())),
        Some(_) => Err(format!("has a url of more than {URL_BYTES_MAX} bytes")),
        None => Err("names an extension by its url, wherever it stands: \
                     \"extension('http://…')\""
            .to_owned()),
    }
}

fn hl7(text: &str) -> Result<Place, String> {
    let path: Path = text.parse().map_err(|fault| {
        format!("is no path of HL7 v2 ({fault}): write \"PID-5\", or \"PID-5.1\" for a component")
    })?;
    let Path { segment, field, component, .. } = path;
    let plain = Path { occurrence: None, repetition: None, subcomponent: None, ..path };
    if path != plain {
        return Err(format!(
            "a class holds for every segment of this name, every repetition and all in a \
             component: write \"{plain}\""
        ));
    }
    if field.is_some_and(|it| FIELD_MAX < it) || component.is_some_and(|it| COMPONENT_MAX < it) {
        return Err(format!("no field is above {FIELD_MAX}, no component above {COMPONENT_MAX}"));
    }
    let is_own = segment.to_string().starts_with('Z');
    if !is_own && !table::hl7().has(segment) {
        return Err(format!(
            "no version of HL7 v2 has a segment {segment}; one of the site's own begins with Z"
        ));
    }
    let name = Path { component: None, ..plain }.to_string();
    if field.is_none() && STRUCTURE.iter().any(|it| it.split('-').next() == Some(name.as_str())) {
        return Err(format!(
            "holds what messages are read by, so not all of it can have a class: name its fields, \
             such as \"{name}-3\""
        ));
    }
    if STRUCTURE.contains(&name.as_str()) {
        return Err("is what messages are read by: it is open, and stays so".to_owned());
    }
    if component.is_some() && name == "OBX-5" {
        return Err("OBX-5 is classed by OBX-2, and its components with it: write \"OBX-5\" to \
                    class it whatever it is"
            .to_owned());
    }
    Ok(Place::Hl7 { segment, field, component })
}

fn element(text: &str, trial: &mut Option<Fhir>) -> Result<Place, String> {
    if let Some((before, _)) = text.split_once(".extension(") {
        return Err(format!(
            "names an extension by its url, wherever it stands: \"extension('http://…')\"; \
             \"{before}.extension\" would be all that stand there"
        ));
    }
    let path: Vec<&str> = text.split('.').collect();
    if let Some(indexed) = path.iter().find(|it| it.contains('[') && !it.ends_with("[x]")) {
        let plain = indexed.split('[').next().unwrap_or_default();
        return Err(format!("a class holds for every repetition: write \"{plain}\" without []"));
    }
    let way = path.split_last().map(|(_, way)| way).unwrap_or_default();
    if let Some(choice) = way.iter().find(|it| it.ends_with("[x]")) {
        return Err(format!(
            "{choice} would be all elements of a choice, and nothing can follow that: name one of them"
        ));
    }
    let fhir = trial.get_or_insert_with(|| fhir::r4().clone());
    match fhir.set(&path, Said { classes: Classes::NONE, line: Some(0) }) {
        Ok(()) => Ok(Place::Element(path.into_iter().map(str::to_owned).collect())),
        Err(NoElement::Type(types)) => {
            let meant = meant(path.first().copied().unwrap_or_default(), types);
            Err(format!(
                "is neither a path of HL7 v2 (\"PID-5.1\") nor one of FHIR R4 (\"Patient.name\"): \
                 no type has this name{meant}"
            ))
        }
        Err(NoElement::Member(of, members)) if path.len() == 1 => {
            let first = members.first().copied().unwrap_or("name");
            Err(format!("names a whole type: write which element, such as \"{of}.{first}\""))
        }
        Err(NoElement::Member(of, members)) => {
            let known: Vec<_> = of.split('.').skip(1).map(str::to_owned).collect();
            let wrong = path.get(known.len() + 1).copied().unwrap_or_default();
            if members.contains(&wrong) {
                return Err(format!(
                    "{of}.{wrong} has no elements to name here: a value has none, and what a \
                     resource holds is named by its own type"
                ));
            }
            let meant = meant(wrong, members);
            Err(format!("FHIR R4 has no element \"{wrong}\" in {of}{meant}"))
        }
    }
}

/// The tables of a site: what holds, and what it says otherwise. What nobody says anything about is
/// as it comes, and not copied.
pub(crate) struct Rules {
    hl7: Option<table::Tables>,
    fhir: Option<Fhir>,
    pub(crate) overrides: Overrides,
}

impl Rules {
    /// The rules of a site that says this.
    pub(crate) fn new(overrides: Overrides) -> Self {
        let (mut hl7, mut fhir) = (None, None);
        // What is said about a data type first: what is said about one place of it copies it.
        let of_resource = |it: &Override| match &it.place {
            Place::Element(path) => path.first().is_some_and(|it| fhir::r4().is_resource(it)),
            Place::Hl7 { .. } | Place::Extension(_) => false,
        };
        let mut all: Vec<_> = (0..).zip(overrides.iter()).collect();
        all.sort_by_key(|(_, it)| of_resource(it));
        for (line, it) in all {
            let said = Said { classes: it.classes, line: Some(line) };
            match &it.place {
                Place::Hl7 { segment, field, component } => {
                    let tables = hl7.get_or_insert_with(|| table::hl7().clone());
                    tables.set(*segment, *field, *component, it.classes);
                }
                Place::Extension(url) => {
                    fhir.get_or_insert_with(|| fhir::r4().clone()).set_extension(url, said);
                }
                Place::Element(path) => {
                    let path: Vec<_> = path.iter().map(String::as_str).collect();
                    let fhir = fhir.get_or_insert_with(|| fhir::r4().clone());
                    // It was tried when it was read.
                    let _there = fhir.set(&path, said);
                }
            }
        }
        Self { hl7, fhir, overrides }
    }

    pub(crate) fn hl7(&self) -> &table::Tables {
        self.hl7.as_ref().unwrap_or_else(|| table::hl7())
    }

    pub(crate) fn fhir(&self) -> &Fhir {
        self.fhir.as_ref().unwrap_or_else(|| fhir::r4())
    }

    /// Which of the site's lines decides about a place of HL7 v2.
    pub(crate) fn line_of(&self, asked: &hilum_message::hl7v2::Place) -> Option<&Override> {
        let holds = |it: &&Override| match &it.place {
            Place::Hl7 { segment, field, component } => {
                *segment == asked.segment
                    && field.is_none_or(|it| it == asked.field)
                    && component.is_none_or(|it| it == asked.component)
            }
            Place::Element(_) | Place::Extension(_) => false,
        };
        self.overrides.all.iter().rev().find(holds)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::new(Overrides::default())
    }
}

#[cfg(test)]
mod tests;
