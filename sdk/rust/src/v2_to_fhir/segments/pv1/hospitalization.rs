//! How a stay began and ended: `Encounter.hospitalization`.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::people::location;
use crate::v2_to_fhir::{Refs, codes, datatypes, row};

pub(super) fn members(w: &mut Writer, refs: &mut Refs<'_, '_>, pv1: Segment<'_>) {
    let admission =
        w.object_if("preAdmissionIdentifier", |w| datatypes::cx_identifier(w, refs, pv1.field(5)));
    row("segments/PV1[Encounter]#8", admission);
    row("segments/PV1[Encounter]#31", admit_source(w, refs, pv1));
    let again = w.object_if("reAdmission", |w| {
        datatypes::cwe_concept_of(w, refs.ctx(), pv1.field(13), &codes::READMISSION_INDICATOR)
    });
    row("segments/PV1[Encounter]#30", again);
    for (key, field, table, id) in [
        ("dietPreference", 38, &codes::DIET_TYPE, "segments/PV1[Encounter]#61"),
        ("specialCourtesy", 16, &codes::VIP_INDICATOR, "segments/PV1[Encounter]#33"),
        ("specialArrangement", 15, &codes::AMBULATORY_STATUS, "segments/PV1[Encounter]#32"),
    ] {
        let written = w.array(key, |w| {
            for code in pv1.repetitions(field) {
                w.element_if(|w| datatypes::cwe_concept_of(w, refs.ctx(), code, table));
            }
        });
        row(id, written);
    }
    row("segments/PV1[Encounter]#60", location::dld(w, "destination", refs, pv1.field(37)));
    let left = w.object_if("dischargeDisposition", |w| {
        datatypes::cwe_concept_of(w, refs.ctx(), pv1.field(36), &codes::DISCHARGE_DISPOSITION)
    });
    row("segments/PV1[Encounter]#59", left);
}

/// Table 0023 has no values of its own, so the guide maps none: the site's table `admit-source`
/// does. The sender's code stays beside what it became.
fn admit_source(w: &mut Writer, refs: &mut Refs<'_, '_>, pv1: Segment<'_>) -> bool {
    let source = pv1.field(14);
    let code = source.component(1).text();
    let known = code.and_then(|it| refs.ctx().translate("admit-source", &it));
    w.object_if("admitSource", |w| {
        let Some(known) = known else {
            return datatypes::cwe_concept(w, refs.ctx(), source);
        };
        let [code, display, text] = [1, 2, 9].map(|it| source.component(it).text());
        w.array("coding", |w| {
            w.element(|w| {
                w.text("system", Some("http://terminology.hl7.org/CodeSystem/admit-source"));
                w.text("code", Some(known));
            });
            w.element(|w| {
                let code = code.filter(|it| datatypes::is_code(it));
                row("datatypes/CWE[CodeableConcept]#1", w.text("code", code));
                row("datatypes/CWE[CodeableConcept]#2", w.text("display", display));
            });
        });
        row("datatypes/CWE[CodeableConcept]#9", w.text("text", text));
        true
    })
}
