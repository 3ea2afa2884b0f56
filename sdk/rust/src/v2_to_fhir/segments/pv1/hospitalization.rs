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

/// The guide maps no table: the site's `admit-source` does. The sender's code stays beside what it
/// became; the digits are HL7's own (table 0023), any other code is the sender's.
fn admit_source(w: &mut Writer, refs: &mut Refs<'_, '_>, pv1: Segment<'_>) -> bool {
    let ctx = refs.ctx();
    let source = pv1.field(14);
    let [code, system] = [1, 3].map(|it| source.component(it).text());
    let known = code.as_deref().and_then(|it| ctx.translate("admit-source", it));
    let is_own =
        system.is_none() && matches!(code.as_deref().map(str::as_bytes), Some([b'1'..=b'9']));
    if known.is_none() && !is_own {
        return w.object_if("admitSource", |w| datatypes::cwe_concept(w, ctx, source));
    }
    w.object("admitSource", |w| {
        w.array("coding", |w| {
            w.element_if(|w| {
                w.text("system", Some("http://terminology.hl7.org/CodeSystem/admit-source"));
                w.text("code", known)
            });
            w.element(|w| {
                let v2 = "http://terminology.hl7.org/CodeSystem/v2-0023";
                w.text("system", Some(v2).filter(|_| is_own));
                let code = code.filter(|it| datatypes::is_code(it));
                row("datatypes/CWE[CodeableConcept]#1", w.text("code", code));
                let display = source.component(2).text();
                row("datatypes/CWE[CodeableConcept]#2", w.text("display", display));
            });
        });
        row("datatypes/CWE[CodeableConcept]#9", w.text("text", source.component(9).text()));
    })
}
