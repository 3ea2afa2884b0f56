//! What PV1 says besides the Encounter: where the patient was before, how important the patient is,
//! and who pays.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::bundle::{Bundle, Identity, Urn};
use crate::v2_to_fhir::people::location;
use crate::v2_to_fhir::{Refs, codes, datatypes, row};

const EXTENSION: &str =
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-EncounterHistory.location";

/// `PV1[Basic-EncounterHistory]`: FHIR R5's EncounterHistory by R4's means. An extension of R4 has a
/// value or parts, never both as the guide's rows 49 to 56 have them: here it has the parts.
pub fn history(bundle: &mut Bundle<'_>, pv1: Segment<'_>) -> Option<Urn> {
    if !pv1.is_valued(43) {
        return None;
    }
    let name = ["Basic[", &pv1.number().to_string(), "]"].concat();
    let key = ["history-", &pv1.number().to_string()].concat();
    bundle.add("Basic", &name, Identity::derived(&key), |w, refs| {
        let mut is_known = false;
        w.array("extension", |w| {
            for place in pv1.repetitions(43) {
                let written = was_in(w, refs, place);
                for id in [
                    "segments/PV1[Basic-EncounterHistory]#49",
                    "segments/PV1[Basic-EncounterHistory]#50",
                    "segments/PV1[Basic-EncounterHistory]#51",
                    "segments/PV1[Basic-EncounterHistory]#52",
                    "segments/PV1[Basic-EncounterHistory]#53",
                    "segments/PV1[Basic-EncounterHistory]#54",
                    "segments/PV1[Basic-EncounterHistory]#55",
                    "segments/PV1[Basic-EncounterHistory]#56",
                ] {
                    row(id, written);
                }
                is_known |= written;
            }
        });
        w.object("code", |w| {
            w.array("coding", |w| {
                w.element(|w| {
                    w.text("system", Some("http://hl7.org/fhir/fhir-types"));
                    w.text("code", Some("EncounterHistory"));
                });
            });
        });
        row("segments/PV1[Basic-EncounterHistory]#1", true);
        row("segments/PV1[Basic-EncounterHistory]#2", true);
        refs.to(w, "subject", "Patient");
        if !is_known {
            refs.leave_out();
        }
    })
}

fn was_in(w: &mut Writer, refs: &mut Refs<'_, '_>, place: crate::hl7::Field<'_>) -> bool {
    w.element_if(|w| {
        w.text("url", Some(EXTENSION));
        let mut written = false;
        w.array("extension", |w| {
            written = w.element_if(|w| {
                w.text("url", Some("location"));
                location::pl(w, "valueReference", refs, place)
            });
            w.element(|w| {
                w.text("url", Some("status"));
                w.text("valueCode", Some("completed"));
            });
            w.element(|w| {
                w.text("url", Some("classification"));
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
        written
    })
}

/// `PV1[Patient]`: an element of the Patient's `extension`. PV1-16 is of the person (HL7 v2.8, 3.3.3.16:
/// *the type of VIP*), and of the visit too, which has it as a courtesy.
pub fn importance(w: &mut Writer, refs: &mut Refs<'_, '_>, pv1: Segment<'_>) -> bool {
    let written = w.element_if(|w| {
        w.text("url", Some("http://hl7.org/fhir/StructureDefinition/patient-importance"));
        w.object_if("valueCodeableConcept", |w| {
            datatypes::cwe_concept_of(w, refs.ctx(), pv1.field(16), &codes::VIP_INDICATOR)
        })
    });
    row("segments/PV1[Patient]#16", written);
    row("segments/PV1[Patient]#17", written)
}
