//! SPM: `segments/SPM[Specimen]` of the guide. Its members are written with what OBR says of the same
//! specimen, in [`super::obr`].

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::codes::{
    self, ADDITIVE_PRESERVATIVE, CONTAINER_TYPE, SPECIMEN_COLLECTION_METHOD, SPECIMEN_CONDITION,
    SPECIMEN_SOURCE_SITE, SPECIMEN_TYPE, YES_NO_INDICATOR_AVAILABILITY_STATUS,
};
use crate::v2_to_fhir::results::text::whole;
use crate::v2_to_fhir::results::{concept_of, ei, identifier, noted, quantity as amounts};
use crate::v2_to_fhir::{Context, Refs, datatypes};

const SPM: &str = "segments/SPM[Specimen]";

/// Elements of `identifier`: SPM-2, SPM-31, SPM-32.
pub(super) fn identifiers(w: &mut Writer, refs: &mut Refs<'_, '_>, spm: Segment<'_>) {
    let ctx = refs.ctx();
    let pair = spm.field(2);
    noted(SPM, 2, w.element_if(|w| datatypes::eip_placer(w, ctx, pair)));
    noted(SPM, 3, w.element_if(|w| datatypes::eip_filler(w, ctx, pair)));
    for other in spm.repetitions(31) {
        noted(SPM, 34, w.element_if(|w| datatypes::cx_identifier(w, refs, other)));
    }
    let written = w.element_if(|w| {
        identifier::kind(w, "SHIP");
        ei(w, ctx, spm.field(32))
    });
    for row in 35..=37 {
        noted(SPM, row, written);
    }
}

/// `accessionIdentifier`: the first of SPM-30.
pub(super) fn accession(w: &mut Writer, refs: &mut Refs<'_, '_>, spm: Segment<'_>) {
    let number = spm.field(30);
    let fill = |w: &mut Writer| datatypes::cx_identifier(w, refs, number);
    noted(SPM, 33, w.object_if("accessionIdentifier", fill));
}

pub(super) fn status(w: &mut Writer, spm: Segment<'_>) {
    let code = codes::value_of(&YES_NO_INDICATOR_AVAILABILITY_STATUS, spm.field(20));
    noted(SPM, 23, w.text("status", code));
}

pub(super) fn kind(w: &mut Writer, ctx: &Context<'_>, spm: Segment<'_>) -> bool {
    noted(SPM, 6, concept_of(w, "type", ctx, spm.field(4), &SPECIMEN_TYPE))
}

pub(super) fn received(w: &mut Writer, spm: Segment<'_>) -> bool {
    noted(SPM, 21, w.text("receivedTime", datatypes::date_time(spm.field(18))))
}

/// SPM-3: each parent is a specimen of which only the numbers are known.
pub(super) fn parents(w: &mut Writer, refs: &mut Refs<'_, '_>, spm: Segment<'_>) {
    let ctx = refs.ctx();
    w.array("parent", |w| {
        for pair in spm.repetitions(3) {
            refs.mention(w, "", "Specimen", None, |w, _| {
                w.array("identifier", |w| {
                    noted(SPM, 4, w.element_if(|w| datatypes::eip_placer(w, ctx, pair)));
                    noted(SPM, 5, w.element_if(|w| datatypes::eip_filler(w, ctx, pair)));
                });
            });
        }
    });
}

/// SPM-17: one moment, or from when to when.
pub(super) fn collected(w: &mut Writer, spm: Segment<'_>) -> bool {
    let range = spm.field(17);
    if range.component(2).is_valued() {
        let fill = |w: &mut Writer| datatypes::dr_period(w, range);
        return noted(SPM, 19, w.object_if("collectedPeriod", fill));
    }
    noted(SPM, 20, w.text("collectedDateTime", datatypes::dr_start(range)))
}

pub(super) fn quantity(w: &mut Writer, ctx: &Context<'_>, spm: Segment<'_>) -> bool {
    let amount = spm.field(12);
    noted(SPM, 14, w.object_if("quantity", |w| amounts::cq(w, ctx, amount)))
}

pub(super) fn method(w: &mut Writer, ctx: &Context<'_>, spm: Segment<'_>) {
    noted(SPM, 9, concept_of(w, "method", ctx, spm.field(7), &SPECIMEN_COLLECTION_METHOD));
}

pub(super) fn body_site(w: &mut Writer, ctx: &Context<'_>, spm: Segment<'_>) -> bool {
    noted(SPM, 10, concept_of(w, "bodySite", ctx, spm.field(8), &SPECIMEN_SOURCE_SITE))
}

/// Elements of `container`: SPM-27 is what it is, each SPM-6 what is in it. One has one additive.
pub(super) fn containers(w: &mut Writer, ctx: &Context<'_>, spm: Segment<'_>) -> bool {
    let mut additives = spm.repetitions(6);
    let first = additives.next();
    let additive = |w: &mut Writer, it| {
        let key = "additiveCodeableConcept";
        noted(SPM, 8, concept_of(w, key, ctx, it, &ADDITIVE_PRESERVATIVE));
    };
    let mut written = w.element(|w| {
        noted(SPM, 30, concept_of(w, "type", ctx, spm.field(27), &CONTAINER_TYPE));
        if let Some(first) = first {
            additive(w, first);
        }
    });
    for more in additives {
        written |= w.element(|w| additive(w, more));
    }
    written
}

/// Elements of `condition`: SPM-24.
pub(super) fn conditions(w: &mut Writer, ctx: &Context<'_>, spm: Segment<'_>) {
    for condition in spm.repetitions(24) {
        noted(SPM, 27, concept_of(w, "", ctx, condition, &SPECIMEN_CONDITION));
    }
}

/// An element of `note` for each line of SPM-14.
pub(super) fn note(w: &mut Writer, spm: Segment<'_>) {
    for text in spm.repetitions(14) {
        let written = w.element(|w| {
            w.text("text", whole(text));
        });
        noted(SPM, 16, written);
    }
}
