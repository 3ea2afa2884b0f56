//! Data types that name persons, organizations, places and devices: each becomes a resource, and a
//! reference to it from where it stands.
//!
//! A resource with an identifier in a system of its own is an entry of the bundle; one without stays
//! with the resource that mentions it: a bed `01` or a doctor `1210` is another one elsewhere.
//!
//! Promises: nothing is placed that no reference points to.
//! Not here: addresses, telecoms and identifiers (`datatypes`).

pub mod codings;
pub mod device;
pub mod location;
pub mod organization;
pub mod practitioner;
pub mod related_person;

mod name;

use crate::hl7::Field;
use crate::v2_to_fhir::{Context, Identifier, datatypes};
use crate::{Writer, coverage};

/// Notes that a row of a map is satisfied, by the map's id and the row's number. Answers `written`.
pub(crate) fn noted(map: &'static str, number: usize, written: bool) -> bool {
    if written && coverage::is_on() {
        coverage::row(map, number);
    }
    written
}

/// `datatypes/EI[Identifier-Extension]`, filled, with the system of its authority.
pub(crate) fn ei_identifier(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    w.text("system", datatypes::ei_uri(ctx, field));
    datatypes::ei_extension(w, field)
}

/// What an EI finds: only with an authority is its number the same everywhere.
pub(crate) fn ei_key(ctx: &Context<'_>, field: Field<'_>) -> Option<Identifier> {
    datatypes::ei_key(ctx, field).filter(|it| it.system.is_some())
}

#[cfg(test)]
pub(crate) mod tests;
