//! DG1: a diagnosis, as a Condition and as a diagnosis of the visit.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::people;
use crate::v2_to_fhir::people::codings::codings;
use crate::v2_to_fhir::people::practitioner;
use crate::v2_to_fhir::rows::rows;
use crate::v2_to_fhir::{Bundle, Identity, Refs, Urn, codes, datatypes, row};

const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";

const CODED: &str = "datatypes/CWE[CodeableConcept]";

/// `segments/DG1[Condition]`. The subject is the bundle's last patient, the visit its last encounter.
pub fn condition(bundle: &mut Bundle<'_>, dg1: Segment<'_>) -> Option<Urn> {
    if !is_condition(dg1) {
        return None;
    }
    let number = dg1.field(20);
    let identity = match people::ei_key(bundle.ctx(), number) {
        Some(known) => Identity::Identifier(known),
        None => Identity::derived(&super::keys::key(dg1, |it| {
            let own = it.field(20).component(1).text().map(String::from);
            own.or_else(|| of_visit(it))
        })),
    };
    bundle.add("Condition", &name(dg1), identity, |w, refs| {
        w.array("extension", |w| extensions(w, refs, dg1));
        w.array("identifier", |w| {
            refs.derived_identifier(w);
            let own = w.element_if(|w| people::ei_identifier(w, refs.ctx(), number));
            rows(&["segments/DG1[Condition]#22", "segments/DG1[Encounter]#22"], own);
        });
        verification(w, dg1);
        code(w, refs, dg1);
        if !refs.to(w, "subject", "Patient") {
            return refs.leave_out();
        }
        refs.to(w, "encounter", "Encounter");
        let onset = w.text("onsetDateTime", datatypes::date_time(dg1.field(5)));
        rows(&["segments/DG1[Condition]#5", "segments/DG1[Encounter]#5"], onset);
        let recorded = w.text("recordedDate", datatypes::date_time(dg1.field(19)));
        rows(&["segments/DG1[Condition]#21", "segments/DG1[Encounter]#21"], recorded);
        let asserter = practitioner::xcn(w, "asserter", refs, dg1.field(16));
        rows(&["segments/DG1[Condition]#16", "segments/DG1[Encounter]#16"], asserter);
    })
}

/// Whether it says what the patient has.
fn is_condition(dg1: Segment<'_>) -> bool {
    dg1.is_valued(3) || dg1.is_valued(4)
}

fn name(dg1: Segment<'_>) -> String {
    ["Condition[", &dg1.number().to_string(), "]"].concat()
}

/// The same diagnosis of another visit is another one.
fn of_visit(dg1: Segment<'_>) -> Option<String> {
    let code = dg1.field(3);
    let code = [code.component(1), code.component(2), dg1.field(4)];
    let code = code.into_iter().find_map(|it| it.text())?;
    let visit = dg1.hl7().first("PV1").and_then(|it| it.field(19).text());
    Some(match visit {
        Some(visit) => [&visit, "-", &code].concat(),
        None => code.into_owned(),
    })
}

/// #19, #20, #25, #26. The guide has two spellings of the first URL; this is FHIR's own.
fn extensions(w: &mut Writer, refs: &mut Refs<'_, '_>, dg1: Segment<'_>) {
    let asserted = datatypes::date_time(dg1.field(19));
    let written = w.element_if(|w| {
        w.text("url", Some("http://hl7.org/fhir/StructureDefinition/condition-assertedDate"));
        w.text("valueDateTime", asserted)
    });
    rows(&["segments/DG1[Condition]#19", "segments/DG1[Condition]#20"], written);
    rows(&["segments/DG1[Encounter]#19", "segments/DG1[Encounter]#20"], written);
    let cause = dg1.field(22);
    let written = w.element_if(|w| {
        w.text("url", Some("http://hl7.org/fhir/StructureDefinition/condition-dueTo"));
        w.object_if("valueReference", |w| {
            w.text("type", Some("Condition"));
            w.object_if("identifier", |w| datatypes::ei_condition(w, refs, cause))
        })
    });
    rows(&["segments/DG1[Condition]#25", "segments/DG1[Condition]#26"], written);
    rows(&["segments/DG1[Encounter]#25", "segments/DG1[Encounter]#26"], written);
}

/// #23, #24: a diagnosis that is deleted was none.
fn verification(w: &mut Writer, dg1: Segment<'_>) {
    if dg1.field(21).text().as_deref() != Some("D") {
        return;
    }
    let written = w.object("verificationStatus", |w| {
        w.array("coding", |w| {
            w.element(|w| {
                w.text("system", Some(VERIFICATION));
                w.text("code", Some("entered-in-error"));
            });
        });
    });
    rows(&["segments/DG1[Condition]#23", "segments/DG1[Condition]#24"], written);
    rows(&["segments/DG1[Encounter]#23", "segments/DG1[Encounter]#24"], written);
}

/// #3, #4: the description of DG1-4 is what a person wrote.
fn code(w: &mut Writer, refs: &mut Refs<'_, '_>, dg1: Segment<'_>) {
    let (code, description) = (dg1.field(3), dg1.field(4).text());
    w.object("code", |w| {
        let mut coded = w.array("coding", |w| {
            codings(w, refs.ctx(), CODED, code);
        });
        if description.is_some() {
            let written = w.text("text", description);
            rows(&["segments/DG1[Condition]#4", "segments/DG1[Encounter]#4"], written);
        } else {
            let written = w.text("text", code.component(9).text());
            coded |= written;
        }
        rows(&["segments/DG1[Condition]#3", "segments/DG1[Encounter]#3"], coded);
    });
}

/// `segments/DG1[Encounter]`: one element of `diagnosis`, which refers to what [`condition`] makes.
pub fn diagnosis(w: &mut Writer, refs: &mut Refs<'_, '_>, dg1: Segment<'_>) -> bool {
    if !is_condition(dg1) {
        return false;
    }
    let condition = refs.urn(&name(dg1));
    w.element(|w| {
        w.object("condition", |w| {
            w.text("reference", Some(&condition));
        });
        let used = w.object_if("use", |w| {
            datatypes::cwe_concept_of(w, refs.ctx(), dg1.field(6), &codes::DIAGNOSIS_TYPE)
        });
        row("segments/DG1[Encounter]#6", used);
        // FHIR's ranks begin with 1. A rank that is sealed could be any number.
        let rank = dg1.field(15).text().and_then(|it| it.parse::<u16>().ok());
        let rank = rank.filter(|it| 0 < *it).map(|it| it.to_string());
        row("segments/DG1[Encounter]#15", w.number("rank", rank));
    })
}

#[cfg(test)]
mod tests;
