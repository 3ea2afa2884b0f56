//! SPS, the specimen of messages before 2.5: `datatypes/SPS[Specimen-Source]`.

use super::concept_of;
use super::text::whole;
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::Context;
use crate::v2_to_fhir::codes::{
    ADDITIVE_PRESERVATIVE, BODY_SITE, SPECIMEN_CONDITION, SPECIMEN_TYPE,
};
use crate::v2_to_fhir::rows::row;

/// Writes `type` of a Specimen.
pub fn kind(w: &mut Writer, ctx: &Context<'_>, sps: Field<'_>) -> bool {
    let kind = sps.component(1);
    let written = concept_of(w, "type", ctx, kind, &SPECIMEN_TYPE);
    row("datatypes/SPS[Specimen-Source]#1", written)
}

/// Writes an element of `container` of a Specimen.
pub fn container(w: &mut Writer, ctx: &Context<'_>, sps: Field<'_>) -> bool {
    let additive = sps.component(2);
    w.element(|w| {
        let key = "additiveCodeableConcept";
        let written = concept_of(w, key, ctx, additive, &ADDITIVE_PRESERVATIVE);
        row("datatypes/SPS[Specimen-Source]#2", written);
    })
}

/// Writes an element of `note` of a Specimen.
pub fn note(w: &mut Writer, sps: Field<'_>) -> bool {
    w.element(|w| {
        let text = w.text("text", whole(sps.component(3)));
        row("datatypes/SPS[Specimen-Source]#3", text);
    })
}

/// Writes `bodySite` of a collection.
pub fn body_site(w: &mut Writer, ctx: &Context<'_>, sps: Field<'_>) -> bool {
    let site = sps.component(4);
    let written = concept_of(w, "bodySite", ctx, site, &BODY_SITE);
    row("datatypes/SPS[Specimen-Source]#4", written)
}

/// Writes an element of `condition` of a Specimen.
pub fn condition(w: &mut Writer, ctx: &Context<'_>, sps: Field<'_>) -> bool {
    let written = concept_of(w, "", ctx, sps.component(6), &SPECIMEN_CONDITION);
    row("datatypes/SPS[Specimen-Source]#6", written)
}
