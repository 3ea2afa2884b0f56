//! References, written while a resource is.

use std::rc::Rc;

use super::identity::Request;
use super::{Bundle, Context, Entry, Identifier, Identity, Urn};
use crate::{Writer, coverage, is_token};

/// The namespace of derived identifiers where the site sets no `system.derived`.
pub(super) const DERIVED: &str = "urn:uuid:6f1a4f0e-9d2b-5c1e-8a57-3a1b0f6c2d94";

/// What a resource that is being written may ask of the others.
#[derive(Debug)]
pub struct Refs<'b, 'm> {
    pub(super) bundle: &'b mut Bundle<'m>,
    pub(super) frame: Frame,
}

/// One resource being written.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: &'static str,
    pub(super) urn: Urn,
    pub(super) identity: Identity,
    /// How long it is with its type alone; how many siblings there were before what is contained.
    pub(super) head: usize,
    /// How many entries there were before it.
    pub(super) entries: usize,
    /// How many rows were noted before it.
    pub(super) rows: usize,
    pub(super) is_left_out: bool,
    /// Whether its derived identifier is written.
    pub(super) is_identified: bool,
    pub(super) contained: Vec<Contained>,
}

#[derive(Debug)]
pub(super) struct Contained {
    kind: &'static str,
    id: String,
    /// Without its id.
    resource: Writer,
}

impl<'m> Refs<'_, 'm> {
    /// What all maps share.
    pub fn ctx(&self) -> &'m Context<'m> {
        self.bundle.ctx
    }

    /// The full URL of the resource that is being written.
    pub fn own(&self) -> Urn {
        Rc::clone(&self.frame.urn)
    }

    /// Writes a reference to the last entry of a kind: the patient of the message, its encounter.
    pub fn to(&self, w: &mut Writer, key: &str, kind: &str) -> bool {
        reference(w, key, self.bundle.last(kind))
    }

    /// The full URL of the last entry of a kind.
    pub fn last(&self, kind: &str) -> Option<Urn> {
        self.bundle.last(kind)
    }

    /// The full URL that an entry of this name has or will have.
    pub fn urn(&self, name: &str) -> Urn {
        self.bundle.urn(name)
    }

    /// Writes a reference to a resource that this one mentions, and the resource: as an entry of its
    /// own if it has an identifier that can be read (one for each, whoever mentions it first), else
    /// contained here. Two tokens do not tell whether they stand for one number, and a transaction
    /// that creates the same resource twice may be refused as a whole.
    /// An empty key is an element of an array. False if `fill` wrote nothing.
    #[inline]
    pub fn mention(
        &mut self,
        w: &mut Writer,
        key: &str,
        kind: &'static str,
        identifier: Option<Identifier>,
        fill: impl FnOnce(&mut Writer, &mut Refs<'_, 'm>),
    ) -> bool {
        let target = self.place(kind, identifier, fill);
        reference(w, key, target)
    }

    /// The same, and answers what a reference to it says: `urn:uuid:…` or `#location-1`.
    #[inline]
    pub fn place(
        &mut self,
        kind: &'static str,
        identifier: Option<Identifier>,
        fill: impl FnOnce(&mut Writer, &mut Refs<'_, 'm>),
    ) -> Option<Urn> {
        let Some(identifier) = identifier.filter(|it| !is_token(&it.value)) else {
            let (mut w, head) = self.open_contained(kind);
            // Siblings of what is contained are contained in the same resource.
            let frame = self.frame.lend(self.bundle.entries.len());
            let mut refs = Refs { bundle: &mut *self.bundle, frame };
            fill(&mut w, &mut refs);
            let frame = refs.frame;
            return self.close_contained(kind, w, head, frame);
        };
        if let Some(known) = self.known(kind, &identifier) {
            return Some(known);
        }
        let urn = self.mentioned_urn(kind, &identifier);
        let (mut w, mut refs) = self.bundle.open(kind, urn, Identity::Mentioned(identifier));
        fill(&mut w, &mut refs);
        refs.close(w)
    }

    /// Adds a resource that is no part of this one, such as the Provenance of a Patient.
    #[inline]
    pub fn add(
        &mut self,
        kind: &'static str,
        name: &str,
        identity: Identity,
        fill: impl FnOnce(&mut Writer, &mut Refs<'_, 'm>),
    ) -> Option<Urn> {
        self.bundle.add(kind, name, identity, fill)
    }

    /// Writes the derived identifier as an element of `identifier`. A map that writes an array
    /// `identifier` of its own calls it inside; else the bundle writes the array.
    pub fn derived_identifier(&mut self, w: &mut Writer) -> bool {
        let Some(identifier) = self.derived() else {
            return false;
        };
        self.frame.is_identified = true;
        w.element(|w| {
            w.text("system", identifier.system.as_deref());
            w.text("value", Some(&identifier.value));
        })
    }

    /// The resource is not written after all: it would not be valid. What it mentioned and the rows
    /// that it satisfied go with it.
    pub fn leave_out(&mut self) {
        self.frame.is_left_out = true;
    }

    fn derived(&self) -> Option<Identifier> {
        let Identity::Derived { key } = &self.frame.identity else {
            return None;
        };
        // Without a patient the key alone would be everybody's.
        let patient = self.bundle.patient.as_ref()?;
        // The number of a patient tells nobody apart without who gave it.
        let authority = patient.system.as_deref().unwrap_or_default();
        let slash = if authority.is_empty() { "" } else { "/" };
        let system = self.ctx().setting("system.derived");
        let system = system.as_deref().unwrap_or(DERIVED);
        let value = [authority, slash, &patient.value, "-", self.frame.kind, "-", key].concat();
        Some(Identifier { system: Some(system.to_owned()), value })
    }

    #[inline(never)]
    fn known(&self, kind: &str, identifier: &Identifier) -> Option<Urn> {
        let is_it = |it: &&Entry| it.kind == kind && it.mentioned.as_ref() == Some(identifier);
        self.bundle.entries.iter().find(is_it).map(|it| Rc::clone(&it.urn))
    }

    #[inline(never)]
    fn mentioned_urn(&self, kind: &str, identifier: &Identifier) -> Urn {
        let system = identifier.system.as_deref().unwrap_or_default();
        self.ctx().urn(&[kind, "|", system, "|", &identifier.value].concat())
    }

    #[inline(never)]
    fn open_contained(&self, kind: &'static str) -> (Writer, usize) {
        let mut w = Writer::with_capacity(1_024);
        w.text("resourceType", Some(kind));
        let head = w.len();
        (w, head)
    }

    #[inline(never)]
    fn close_contained(
        &mut self,
        kind: &'static str,
        w: Writer,
        head: usize,
        frame: Frame,
    ) -> Option<Urn> {
        let Frame { contained, is_left_out, rows, entries, head: siblings, .. } = frame;
        self.frame.contained = contained;
        if is_left_out || w.len() <= head {
            coverage::forget(rows);
            self.bundle.entries.truncate(entries);
            self.frame.contained.truncate(siblings);
            return None;
        }
        // The same authority of several identifiers is contained once.
        let contained = &mut self.frame.contained;
        if let Some(same) = contained.iter().find(|it| it.resource == w) {
            return Some(Rc::from(["#", &same.id].concat()));
        }
        let number = 1 + contained.iter().filter(|it| it.kind == kind).count();
        let id = [&kind.to_ascii_lowercase(), "-", &number.to_string()].concat();
        let target = Rc::from(["#", &id].concat());
        contained.push(Contained { kind, id, resource: w });
        Some(target)
    }

    /// The resource is written.
    #[inline(never)]
    pub(super) fn close(mut self, mut w: Writer) -> Option<Urn> {
        if self.frame.is_left_out || w.len() <= self.frame.head {
            coverage::forget(self.frame.rows);
            self.bundle.entries.truncate(self.frame.entries);
            return None;
        }
        if !self.frame.is_identified {
            w.array("identifier", |w| {
                self.derived_identifier(w);
            });
        }
        w.array("contained", |w| {
            for one in &self.frame.contained {
                w.element(|w| {
                    w.append(&one.resource);
                    w.text("id", Some(&one.id));
                });
            }
        });
        let derived = self.derived();
        let Frame { kind, urn, identity, .. } = self.frame;
        let (request, mentioned) = match identity {
            Identity::Identifier(it) => (Request::replace(kind, &it), Some(it)),
            Identity::Mentioned(it) => (Request::unless(kind, &it), Some(it)),
            Identity::Derived { .. } | Identity::Message => match derived {
                Some(it) => (Request::replace(kind, &it), None),
                None => {
                    let id = urn.strip_prefix("urn:uuid:").unwrap_or_default();
                    w.text("id", Some(id));
                    (Request::Put([kind, "/", id].concat()), None)
                }
            },
            Identity::None => (Request::Nothing, None),
        };
        let entry = Entry { kind, urn: Rc::clone(&urn), request, mentioned, resource: w };
        self.bundle.entries.push(entry);
        Some(urn)
    }
}

impl Frame {
    /// The frame of what is contained here: it shares what this one contains.
    #[inline(never)]
    fn lend(&mut self, entries: usize) -> Self {
        Self {
            kind: self.kind,
            urn: Rc::clone(&self.urn),
            identity: Identity::None,
            head: self.contained.len(),
            entries,
            rows: coverage::rows(),
            is_left_out: false,
            is_identified: true,
            contained: std::mem::take(&mut self.contained),
        }
    }
}

/// Writes a Reference to an entry or to what is contained.
pub(crate) fn reference(w: &mut Writer, key: &str, target: Option<impl AsRef<str>>) -> bool {
    let Some(target) = target else {
        return false;
    };
    w.object(key, |w| {
        w.text("reference", Some(target));
    })
}
