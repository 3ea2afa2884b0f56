//! Where the patient is, was and will be: `Encounter.location`.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::people::location;
use crate::v2_to_fhir::{Refs, codes, row};

/// #4 to #6, #9, #10, #24 to #28, #63, #65, #66.
pub(super) fn locations(w: &mut Writer, refs: &mut Refs<'_, '_>, pv1: Segment<'_>) {
    let is_planned = pv1.field(2).code() == Some("P");
    let assigned = w.element_if(|w| {
        let written = location::pl_with(w, "location", refs, pv1.field(3), |w| bed_status(w, pv1));
        w.text("status", Some(if is_planned { "planned" } else { "active" }));
        written
    });
    row("segments/PV1[Encounter]#4", assigned);
    row("segments/PV1[Encounter]#5", assigned && !is_planned);
    row("segments/PV1[Encounter]#6", assigned && is_planned);
    for (field, status, rows) in [
        (6, "completed", ["segments/PV1[Encounter]#9", "segments/PV1[Encounter]#10"]),
        (11, "active", ["segments/PV1[Encounter]#24", "segments/PV1[Encounter]#25"]),
        (42, "reserved", ["segments/PV1[Encounter]#65", "segments/PV1[Encounter]#66"]),
    ] {
        let written = w.element_if(|w| {
            if field == 11 {
                temporary(w);
            }
            let written = location::pl(w, "location", refs, pv1.field(field));
            w.text("status", Some(status));
            written
        });
        for id in rows {
            row(id, written);
        }
        if field == 11 {
            row("segments/PV1[Encounter]#26", written);
            row("segments/PV1[Encounter]#27", written);
            row("segments/PV1[Encounter]#28", written);
        }
    }
}

/// #63: of the bed or the room.
fn bed_status(w: &mut Writer, pv1: Segment<'_>) {
    let place = pv1.field(3);
    if !place.component(2).is_valued() && !place.component(3).is_valued() {
        return;
    }
    let Some(code) = pv1.field(40).text() else {
        return;
    };
    let written = codes::coding(w, "operationalStatus", &codes::BED_STATUS, &code);
    row("segments/PV1[Encounter]#63", written);
}

/// #26 to #28: PV1-11 is where the patient is for a while.
fn temporary(w: &mut Writer) {
    w.array("extension", |w| {
        w.element(|w| {
            w.text(
                "url",
                Some("http://hl7.org/fhir/StructureDefinition/subject-locationClassification"),
            );
            w.object("valueCodeableConcept", |w| {
                w.array("coding", |w| {
                    w.element(|w| {
                        w.text("system", Some("http://hl7.org/fhir/ValueSet/subject-location"));
                        w.text("code", Some("temporary"));
                    });
                });
            });
        });
    });
}
