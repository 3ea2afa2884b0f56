//! The resources of one message, and the references between them.
//!
//! ```no_run
//! # use hilum_sdk::v2_to_fhir::*;
//! # fn example(ctx: &Context) -> Vec<hilum_sdk::Output> {
//! let mut bundle = Bundle::new(ctx);
//! let mrn = Identifier::new(Some("urn:oid:1.2.3"), "7");
//! bundle.patient(mrn, |w, refs| {
//!     w.text("gender", Some("female"));
//! });
//! bundle.add("AllergyIntolerance", "AllergyIntolerance[1]", Identity::derived("1"), |w, refs| {
//!     refs.to(w, "patient", "Patient");
//! });
//! bundle.outputs()
//! # }
//! ```
//!
//! A resource is found again on a server by its [`Identity`]. A resource that others mention
//! ([`Refs::mention`]) is an entry of its own if it has a business identifier, one for each
//! identifier; else it is contained in the resource that mentions it.
//!
//! Settings of the route:
//!
//! - `transaction`, `collection`, `message`: the destinations that get this type of bundle. Without
//!   any of them, all destinations get the transaction.
//! - `system.derived`: the namespace of identifiers that are made of others (see [`Identity`]).
//!
//! Promises: full URLs are the same whenever the same message is mapped; an entry that stays empty
//! is not there.

mod identity;
mod output;
mod refs;

use std::rc::Rc;

pub use identity::{Identifier, Identity};
pub use refs::Refs;
pub(crate) use refs::reference;

use super::Context;
use crate::{Writer, coverage};
use identity::Request;

/// `urn:uuid:…`: the full URL of an entry, and the reference to it.
pub type Urn = Rc<str>;

/// The resources of one message.
#[derive(Debug)]
pub struct Bundle<'m> {
    ctx: &'m Context<'m>,
    entries: Vec<Entry>,
    /// What derived identifiers begin with.
    patient: Option<Identifier>,
    /// Members of the Bundle itself.
    head: Option<Writer>,
}

#[derive(Debug)]
struct Entry {
    kind: &'static str,
    urn: Urn,
    request: Request,
    /// What finds it, if others mention it.
    mentioned: Option<Identifier>,
    resource: Writer,
}

impl<'m> Bundle<'m> {
    /// A bundle without entries.
    pub fn new(ctx: &'m Context<'m>) -> Self {
        Self { ctx, entries: Vec::new(), patient: None, head: None }
    }

    /// What all maps share.
    pub fn ctx(&self) -> &'m Context<'m> {
        self.ctx
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Members of the Bundle itself (`identifier`, `timestamp`), in each type of bundle. Called once.
    #[inline]
    pub fn head(&mut self, fill: impl FnOnce(&mut Writer)) {
        let mut w = Writer::with_capacity(256);
        fill(&mut w);
        self.head = Some(w);
    }

    /// Adds the patient that the entries from here on are about (the second one of a swap is
    /// `Patient[2]`).
    #[inline]
    pub fn patient(
        &mut self,
        identifier: Identifier,
        fill: impl FnOnce(&mut Writer, &mut Refs<'_, 'm>),
    ) -> Option<Urn> {
        let number = 1 + self.entries.iter().filter(|it| it.kind == "Patient").count();
        let name = ["Patient[", &number.to_string(), "]"].concat();
        self.patient = Some(identifier.clone());
        self.add("Patient", &name, Identity::Identifier(identifier), fill)
    }

    /// Adds a resource. `name` tells it from the others of the message (`Condition[3]`); the full URL
    /// is made of it. None if `fill` wrote nothing, or left the resource out
    /// ([`Refs::leave_out`]).
    #[inline]
    pub fn add(
        &mut self,
        kind: &'static str,
        name: &str,
        identity: Identity,
        fill: impl FnOnce(&mut Writer, &mut Refs<'_, 'm>),
    ) -> Option<Urn> {
        let urn = self.ctx.urn(name);
        let (mut w, mut refs) = self.open(kind, urn, identity);
        fill(&mut w, &mut refs);
        refs.close(w)
    }

    /// What is there already on a server stays as it is: an entry that would replace it is created only
    /// where it is missing. For a message that says less of it than others do.
    pub fn keep(&mut self, urn: &str) {
        for entry in self.entries.iter_mut().filter(|it| &*it.urn == urn) {
            if let Request::Put(url) = &entry.request
                && let Some((_, query)) = url.split_once('?')
            {
                entry.request = Request::PostUnless { kind: entry.kind, query: query.to_owned() };
            }
        }
    }

    /// The full URL that an entry of this name has or will have.
    pub fn urn(&self, name: &str) -> Urn {
        self.ctx.urn(name)
    }

    /// The full URL of the last entry of a kind, if there is one.
    pub fn last(&self, kind: &str) -> Option<Urn> {
        self.entries.iter().rev().find(|it| it.kind == kind).map(|it| Rc::clone(&it.urn))
    }

    #[inline(never)]
    fn open(&mut self, kind: &'static str, urn: Urn, identity: Identity) -> (Writer, Refs<'_, 'm>) {
        // Room for most resources: a guest's memory is thrown away, a copy of it is paid.
        let mut w = Writer::with_capacity(4_096);
        w.text("resourceType", Some(kind));
        let refs = Refs {
            frame: refs::Frame {
                kind,
                urn,
                identity,
                head: w.len(),
                entries: self.entries.len(),
                rows: coverage::rows(),
                is_left_out: false,
                is_identified: false,
                contained: Vec::new(),
            },
            bundle: self,
        };
        (w, refs)
    }
}

#[cfg(test)]
mod tests;
