//! Data types of results: quantities, ranges, timings, documents.

pub mod document;
pub mod identifier;
pub mod number;
pub mod quantity;
pub mod sampled;
pub mod source;
pub mod text;
pub mod timing;

use super::codes::Table;
use super::{Context, datatypes};
use crate::hl7::Field;
use crate::{Writer, coverage};

/// Writes a CodeableConcept: `datatypes/CWE[CodeableConcept]`.
pub(super) fn concept(w: &mut Writer, key: &str, ctx: &Context<'_>, field: Field<'_>) -> bool {
    w.object_if(key, |w| datatypes::cwe_concept(w, ctx, field))
}

/// The same, of a table of the guide.
pub(super) fn concept_of(
    w: &mut Writer,
    key: &str,
    ctx: &Context<'_>,
    field: Field<'_>,
    table: &'static Table,
) -> bool {
    w.object_if(key, |w| datatypes::cwe_concept_of(w, ctx, field, table))
}

/// Fills an Identifier with an EI: `datatypes/EI[Identifier-Extension]`, and the system, which the
/// guide leaves open.
pub(super) fn ei(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    w.text("system", datatypes::ei_uri(ctx, field));
    datatypes::ei_extension(w, field)
}

/// Fills a CodeableConcept that says that nothing is known.
pub(super) fn unknown(w: &mut Writer) {
    w.array("coding", |w| {
        w.element(|w| {
            w.text("system", Some(DATA_ABSENT_REASON));
            w.text("code", Some("unknown"));
        });
    });
}

pub(super) const DATA_ABSENT_REASON: &str =
    "http://terminology.hl7.org/CodeSystem/data-absent-reason";

/// Writes a primitive element that FHIR wants and nobody sent: `_status` and the like.
pub(super) fn unknown_primitive(w: &mut Writer, key: &str) {
    w.object(key, |w| {
        w.array("extension", |w| {
            let url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
            datatypes::extension_text(w, url, "valueCode", Some("unknown"));
        });
    });
}

/// Notes a row of a map by its number, if its target was written. Answers `written`.
#[inline]
pub(super) fn noted(map: &'static str, number: usize, written: bool) -> bool {
    if written && coverage::is_on() {
        coverage::row(map, number);
    }
    written
}
