//! PD1: more of a Patient, and the living will.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::bundle::{Bundle, Identity, Urn};
use crate::v2_to_fhir::people::{organization, practitioner};
use crate::v2_to_fhir::{Refs, codes, datatypes, row};

/// `PD1[Patient]`: elements of `extension`.
pub fn extensions(w: &mut Writer, refs: &mut Refs<'_, '_>, pd1: Segment<'_>) {
    let disability = w.element_if(|w| {
        w.text("url", Some("http://hl7.org/fhir/StructureDefinition/patient-disability"));
        w.object_if("valueCodeableConcept", |w| datatypes::cwe_concept(w, refs.ctx(), pd1.field(6)))
    });
    row("segments/PD1[Patient]#6", disability);
    row("segments/PD1[Patient]#7", disability);
    for place in pd1.repetitions(14) {
        let congregation = w.element_if(|w| {
            w.text("url", Some("http://hl7.org/fhir/StructureDefinition/patient-congregation"));
            w.text("valueString", organization::xon_string(place))
        });
        row("segments/PD1[Patient]#15", congregation);
        row("segments/PD1[Patient]#16", congregation);
    }
}

/// `PD1[Patient]`: elements of `generalPractitioner`.
pub fn general_practitioners(w: &mut Writer, refs: &mut Refs<'_, '_>, pd1: Segment<'_>) {
    for facility in pd1.repetitions(3) {
        row("segments/PD1[Patient]#3", organization::xon(w, "", refs, facility));
    }
    for doctor in pd1.repetitions(4) {
        row("segments/PD1[Patient]#4", practitioner::xcn(w, "", refs, doctor));
    }
}

/// `PD1[Observation-LivingWill]`. None if PD1-7 says nothing.
pub fn living_will(bundle: &mut Bundle<'_>, pd1: Segment<'_>) -> Option<Urn> {
    let will = pd1.field(7);
    if !will.is_valued() {
        return None;
    }
    bundle.add("Observation", "Observation[1]", Identity::derived("75320-2"), |w, refs| {
        row("segments/PD1[Observation-LivingWill]#1", w.text("status", Some("final")));
        row("segments/PD1[Observation-LivingWill]#2", true);
        row("segments/PD1[Observation-LivingWill]#3", true);
        w.object("code", |w| {
            w.array("coding", |w| {
                w.element(|w| {
                    w.text("system", Some("http://loinc.org"));
                    w.text("code", Some("75320-2"));
                });
            });
        });
        refs.to(w, "subject", "Patient");
        let said = w.object_if("valueCodeableConcept", |w| {
            datatypes::cwe_concept_of(w, refs.ctx(), will, &codes::LIVING_WILL_CODE)
        });
        if !row("segments/PD1[Observation-LivingWill]#11", said) {
            refs.leave_out();
        }
    })
}
