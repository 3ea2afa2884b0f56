//! The view: a message as a grant lets a plugin see it.
//!
//! Each value is judged where it stands: its classes decide whether it is shown, sealed or withheld.
//! Reading by path, the body and the text all ask the same judge, so a value has the same token
//! wherever it is met.
//!
//! Promises: owned, `Send`, no lifetime; the body is built in one pass; the same input, grant and
//! seed give the same answers in whatever order they are asked for.

mod body;
mod change;
mod draft;
mod judge;
mod names;

pub use draft::Draft;
pub(crate) use judge::gaps;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use hilum_message::hl7v2::{self, Place};
use hilum_message::{At, Found, Message, Path, ReadError, TimeZone};

use crate::origin::{Classer, Hasher};
use crate::overrides::Rules;
use crate::seals::Source;
use crate::sights::Sights;
use crate::token::Mint;
use crate::{Classes, Grant, Input, RunSeed, Seals, Sight, Template};
pub(crate) use judge::Shown;

/// Values above this are handed over as tokens even where they are open, unless the grant is big.
pub(crate) const BIG_BYTES: usize = 64 << 10;

/// Parsed paths that are kept.
const PATHS_MAX: usize = 4096;

/// After so many look-ups by place an index of all places pays.
const LOOK_UPS_MAX: usize = 64;

/// Why a value was not read. The contract's `access-error`, word for word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Access {
    /// The grant withholds it.
    #[error("the grant withholds this value")]
    Withheld,
    /// The path is not one of this format.
    #[error("{0}")]
    MalformedPath(String),
    /// The body has no places; or it is not text.
    #[error("the body is not of a structured format, or not text")]
    Unstructured,
    /// The value cannot stand there.
    #[error("{0}")]
    Unfit(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl From<ReadError> for Access {
    fn from(fault: ReadError) -> Self {
        match fault {
            ReadError::MalformedPath(text) => Self::MalformedPath(text),
            ReadError::Unstructured => Self::Unstructured,
            ReadError::NotText(fault) => Self::Other(fault.to_string()),
        }
    }
}

/// How a plugin sees a place. The contract's `sight`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It reads the value.
    Open,
    /// It reads a token.
    Sealed,
    /// It is told that there is something.
    Withheld,
    /// Nothing is there.
    Absent,
    /// HL7's `""`.
    Deleted,
}

/// What one plugin sees of one message in one call.
pub struct View {
    classer: Arc<Classer>,
    /// What the input's own tokens stand for, if a step before made it.
    template: Option<Arc<Template>>,
    grant: Grant,
    zone: TimeZone,
    mint: Mint,
    seals: Seals,
    sights: Sights,
    /// Values that are in `sights` already, by where they begin.
    counted: Counted,
    paths: HashMap<Box<str>, Path, Hasher>,
    look_ups: usize,
    places: Option<HashMap<Place, Found, Hasher>>,
    rendered: Option<Bytes>,
    /// Where values begin that are left out of `rendered`, in order.
    left_out: Vec<usize>,
    /// `rendered`, read as HL7 v2, for drafts.
    read: Option<hl7v2::Message>,
}

impl View {
    pub(crate) fn new(
        input: Input,
        grant: Grant,
        seed: RunSeed,
        step: usize,
        zone: TimeZone,
        rules: &Arc<Rules>,
    ) -> Self {
        let open = crate::Class::ALL.iter().filter(|it| grant.sight(**it) == Sight::Open).copied();
        let granted: Classes = open.collect();
        let (source, template, opened) = match input {
            Input::Message(message) => {
                (Arc::new(Source::new(message, Arc::clone(rules))), None, granted)
            }
            Input::Template(template) => {
                let Seals { source, opened, .. } = &*template.seals;
                (Arc::clone(source), Some(Arc::clone(&template)), opened.and(granted))
            }
        };
        let classer = match &template {
            None => Arc::clone(&source.classer),
            Some(template) => {
                let rules = Arc::clone(source.classer.rules());
                Arc::new(Classer::new(Arc::clone(&template.body), rules))
            }
        };
        let mut seals = Seals::new(source, opened);
        if let Some(template) = &template {
            seals.constants.clone_from(&template.seals.constants);
        }
        Self {
            classer,
            template,
            grant,
            zone,
            mint: Mint::new(seed, step),
            seals,
            sights: Sights::default(),
            counted: Counted::default(),
            paths: HashMap::default(),
            look_ups: 0,
            places: None,
            rendered: None,
            left_out: Vec::new(),
            read: None,
        }
    }

    /// The format by name.
    pub fn format(&self) -> &str {
        self.message().format()
    }

    /// What the format calls the message's type.
    pub fn kind(&self) -> String {
        self.message().kind()
    }

    /// The first value at a path: as it is, or a token. None if it is absent, empty or deleted.
    pub fn get(&mut self, path: &str) -> Result<Option<String>, Access> {
        let path = self.path(path)?;
        match self.find(&path) {
            Some(found) => self.answer(&found),
            None => Ok(None),
        }
    }

    /// Every value at a path: one entry for each repetition of each occurrence. Fails if one of
    /// them is withheld: an entry left out would look like an absent one.
    pub fn all(&mut self, path: &str) -> Result<Vec<Option<String>>, Access> {
        let path = self.path(path)?;
        let found = self.message().find_all(&path);
        let answers = found.into_iter().map(|found| match found {
            Some(found) => self.answer(&found),
            None => Ok(None),
        });
        answers.collect()
    }

    /// How many segments, repetitions or elements there are.
    pub fn count(&mut self, path: &str) -> Result<u32, Access> {
        let path = self.path(path)?;
        Ok(u32::try_from(self.message().count_of(&path)).unwrap_or(u32::MAX))
    }

    /// The names of the parts in their order.
    pub fn outline(&self) -> Vec<String> {
        self.message().outline()
    }

    /// How the plugin sees a place. Looking does not count as reading.
    pub fn sight_of(&mut self, path: &str) -> Result<Seen, Access> {
        let path = self.path(path)?;
        let Some(found) = self.find(&path) else { return Ok(Seen::Absent) };
        if self.is_deleted(&found) {
            return Ok(Seen::Deleted);
        }
        Ok(match self.judge(&found).sight {
            Sight::Open => Seen::Open,
            Sight::Seal => Seen::Sealed,
            Sight::Withhold => Seen::Withheld,
        })
    }

    /// Whether a text is a path of this format.
    pub fn is_path(&self, text: &str) -> bool {
        self.message().path(text).is_ok()
    }

    /// A text without PHI, for people and logs: [`Seals::scrub`].
    pub fn scrub(&self, text: &str) -> String {
        self.seals.scrub(text)
    }

    /// Roughly how much memory the view takes beside the message itself.
    pub fn bytes_held(&self) -> usize {
        let places = self
            .places
            .as_ref()
            .map_or(0, |it| it.len() * (size_of::<Place>() + size_of::<Found>()));
        let paths: usize = self.paths.keys().map(|it| it.len() + size_of::<Path>()).sum();
        let rendered = self.rendered.as_ref().map_or(0, Bytes::len);
        self.seals.bytes_held() + places + paths + rendered
    }

    /// The same view, for a plugin that brings these texts along: its component, its settings. A word
    /// of them in an output is no leak of a free text or unknown value that reads the same.
    #[must_use]
    pub fn with_constants(mut self, constants: impl IntoIterator<Item = Bytes>) -> Self {
        self.seals.constants.extend(constants);
        self
    }

    /// Ends the call: what the tokens stand for, and what was seen.
    pub fn finish(self) -> (Arc<Seals>, Sights) {
        (Arc::new(self.seals), self.sights)
    }

    pub(crate) fn message(&self) -> &Arc<Message> {
        self.classer.message()
    }

    fn path(&mut self, text: &str) -> Result<Path, Access> {
        if let Some(path) = self.paths.get(text) {
            return Ok(path.clone());
        }
        let path = self.message().path(text)?;
        if self.paths.len() < PATHS_MAX {
            self.paths.insert(Box::from(text), path.clone());
        }
        Ok(path)
    }

    /// The first value at a path. The format's own look-up walks the segments; a plugin that asks
    /// often gets an index of all places.
    fn find(&mut self, path: &Path) -> Option<Found> {
        let Path::Hl7(asked) = path else { return self.message().find(path) };
        if self.places.is_none() {
            self.look_ups += 1;
            if self.look_ups <= LOOK_UPS_MAX {
                return self.message().find(path);
            }
            let entry = |found: Found| match found.at {
                At::Hl7(place) => Some((place, found)),
                At::Json(_) | At::Body => None,
            };
            self.places = Some(self.message().values().filter_map(entry).collect());
        }
        let place = Place {
            segment: asked.segment,
            occurrence: asked.occurrence.unwrap_or(1),
            field: asked.field.unwrap_or(1),
            repetition: asked.repetition.unwrap_or(1),
            component: asked.component.unwrap_or(1),
            subcomponent: asked.subcomponent.unwrap_or(1),
        };
        let found = self.places.as_ref().and_then(|places| places.get(&place)).cloned();
        // MSH-1 and MSH-2 are delimiters and no values, but can be read.
        let is_header = found.is_none() && place.field <= 2 && asked.segment.is_header();
        if is_header { self.message().find(path) } else { found }
    }

    fn answer(&mut self, found: &Found) -> Result<Option<String>, Access> {
        match self.show(found) {
            Shown::Plain => {
                let text = self.message().text_of(found).map_err(ReadError::from)?;
                Ok(text.filter(|it| !it.is_empty()))
            }
            Shown::Text(text, _) => Ok(Some(text).filter(|it| !it.is_empty())),
            Shown::Sealed(token) => Ok(Some(token.to_string())),
            Shown::Withheld => {
                let classes = self.judge(found).classes;
                self.sights.denied.add(classes);
                self.note(found, classes);
                Err(Access::Withheld)
            }
        }
    }

    fn is_deleted(&self, found: &Found) -> bool {
        matches!(found.at, At::Hl7(_))
            && self.message().bytes().get(found.range.clone()) == Some(b"\"\"")
    }
}

/// Places in the bytes, a bit each.
#[derive(Default)]
struct Counted(Vec<u64>);

impl Counted {
    /// Adds a place; false if it was there.
    fn add(&mut self, at: usize) -> bool {
        let (word, bit) = (at / 64, 1u64 << (at % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let Some(word) = self.0.get_mut(word) else { return false };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

/// Counts only.
impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View({:?}, {:?})", self.message(), self.seals)
    }
}

#[cfg(test)]
mod tests;
