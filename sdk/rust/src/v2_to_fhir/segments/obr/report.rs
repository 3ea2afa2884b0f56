//! `segments/OBR[DiagnosticReport]`, `segments/ORC[DiagnosticReport]`.

use super::{Made, Order};
use crate::Writer;
use crate::v2_to_fhir::bundle::reference;
use crate::v2_to_fhir::codes::{self, DIAGNOSTIC_SERVICE_SECTION_ID, RESULT_STATUS_NON_QUERIES};
use crate::v2_to_fhir::datatypes::{self, extension};
use crate::v2_to_fhir::people::practitioner;
use crate::v2_to_fhir::results::{concept, noted, unknown};
use crate::v2_to_fhir::segments::{orc, prt};
use crate::v2_to_fhir::{Bundle, Identity, Refs, Urn};

const OBR: &str = "segments/OBR[DiagnosticReport]";
const ORC: &str = "segments/ORC[DiagnosticReport]";

/// Adds the report. Its subject is the last Patient of the bundle, its encounter the last Encounter.
pub fn diagnostic_report(
    bundle: &mut Bundle<'_>,
    it: &Order<'_, '_>,
    made: &Made<'_>,
) -> Option<Urn> {
    let name = ["DiagnosticReport[", &it.number.to_string(), "]"].concat();
    bundle.add("DiagnosticReport", &name, Identity::derived(it.key), |w, refs| {
        fill(w, refs, it, made);
    })
}

fn fill(w: &mut Writer, refs: &mut Refs<'_, '_>, it: &Order<'_, '_>, made: &Made<'_>) {
    let ctx = refs.ctx();
    noted(ORC, 36, orc::security(w, ctx, it.orc(28)));
    extensions(w, refs, it);
    identifiers(w, refs, it);
    w.array("basedOn", |w| {
        let written = reference(w, "", made.request);
        noted(ORC, 5, written && it.orc(2).is_valued());
    });
    status(w, it);
    w.array("category", |w| {
        let section = it.obr(24);
        let table = Some(&DIAGNOSTIC_SERVICE_SECTION_ID);
        noted(OBR, 29, w.element_if(|w| datatypes::id_concept(w, section, table)));
    });
    if !noted(OBR, 8, concept(w, "code", ctx, it.obr(4))) {
        w.object("code", unknown);
    }
    refs.to(w, "subject", "Patient");
    refs.to(w, "encounter", "Encounter");
    match it.obr(8).is_valued() {
        false => {
            let time = datatypes::date_time(it.obr(7));
            noted(OBR, 11, w.text("effectiveDateTime", time));
        }
        true => {
            w.object("effectivePeriod", |w| {
                noted(OBR, 12, w.text("start", datatypes::date_time(it.obr(7))));
                noted(OBR, 13, w.text("end", datatypes::date_time(it.obr(8))));
            });
        }
    }
    noted(OBR, 27, w.text("issued", issued(it)));
    w.array("performer", |w| {
        for (number, code, rows) in
            [(34, "SPRF", [40, 41, 42, 43]), (35, "TRANS", [44, 45, 46, 47])]
        {
            let Some(obr) = it.obr else {
                continue;
            };
            for person in obr.repetitions(number) {
                let written = performer(w, refs, person, code);
                for row in rows {
                    noted(OBR, row, written);
                }
            }
        }
        for prt in it.of_role(&["ARI", "TN", "TR"]) {
            prt::practitioner_role(w, "", refs, prt);
        }
    });
    w.array("resultsInterpreter", |w| {
        for number in [32, 33] {
            for person in it.obr.into_iter().flat_map(|obr| obr.repetitions(number)) {
                let written = practitioner::ndl_role(w, "", refs, person);
                noted(OBR, 38, written && number == 32);
            }
        }
        for prt in it.of_role(&["PRI"]) {
            prt::practitioner_role(w, "", refs, prt);
        }
    });
    w.array("specimen", |w| references(w, made.specimens));
    w.array("result", |w| references(w, made.results));
}

/// The moment at which the laboratory's system wrote the report or changed its status. FHIR wants it
/// to the second; a token does not tell, and the clock of a system has seconds.
fn issued(it: &Order<'_, '_>) -> Option<String> {
    let time = datatypes::date_time(it.obr(22))?;
    (crate::is_token(&time) || time.contains('T')).then_some(time)
}

/// What table 0123 has and the guide does not map.
const STATUSES: [(&str, &str); 3] = [("A", "partial"), ("M", "preliminary"), ("N", "registered")];

fn status(w: &mut Writer, it: &Order<'_, '_>) {
    let code = it.obr(25).code().unwrap_or_default();
    let mapped = codes::value(&RESULT_STATUS_NON_QUERIES, code);
    let own = STATUSES.iter().find(|it| it.0 == code).map(|it| it.1);
    let written = w.text("status", mapped.or(own).or(Some("unknown")));
    noted(OBR, 30, written && !code.is_empty());
}

/// ORC-2 or OBR-2, ORC-3 or OBR-3, ORC-4.
fn identifiers(w: &mut Writer, refs: &mut Refs<'_, '_>, it: &Order<'_, '_>) {
    let ctx = refs.ctx();
    w.array("identifier", |w| {
        for (number, code, orc_rows, obr_rows) in
            [(2, "PLAC", [2, 3, 4], [2, 3, 4]), (3, "FILL", [6, 7, 8], [5, 6, 7])]
        {
            let is_common = it.orc(number).is_valued();
            let field = if is_common { it.orc(number) } else { it.obr(number) };
            let written = orc::ei(w, ctx, field, code);
            for row in orc_rows {
                noted(ORC, row, written && is_common);
            }
            for row in obr_rows {
                noted(OBR, row, written && !is_common);
            }
        }
        let group = it.orc(4);
        if orc::is_pair(ctx, group) {
            noted(ORC, 9, w.element_if(|w| datatypes::eip_filler(w, ctx, group)));
            noted(ORC, 10, w.element_if(|w| datatypes::eip_placer(w, ctx, group)));
        } else {
            noted(ORC, 10, orc::group(w, ctx, group));
        }
        refs.derived_identifier(w);
    });
}

/// ORC-16.
fn extensions(w: &mut Writer, refs: &Refs<'_, '_>, it: &Order<'_, '_>) {
    let ctx = refs.ctx();
    w.array("extension", |w| {
        let url = "http://hl7.org/fhir/StructureDefinition/event-statusReason";
        let reason = it.orc(16);
        let written = extension(w, url, |w| concept(w, "valueCodeableConcept", ctx, reason));
        noted(ORC, 23, written);
        noted(ORC, 24, written);
    });
}

/// A performer says in an extension what they did.
fn performer(
    w: &mut Writer,
    refs: &mut Refs<'_, '_>,
    person: crate::hl7::Field<'_>,
    code: &str,
) -> bool {
    let Some(target) = practitioner::ndl_place(refs, person) else {
        return false;
    };
    w.element(|w| {
        w.array("extension", |w| {
            let url = "http://hl7.org/fhir/StructureDefinition/event-performerFunction";
            extension(w, url, |w| {
                w.object("valueCodeableConcept", |w| {
                    w.array("coding", |w| {
                        w.element(|w| {
                            let system =
                                "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
                            w.text("system", Some(system));
                            w.text("code", Some(code));
                        });
                    });
                })
            });
        });
        w.text("reference", Some(&target));
    })
}

fn references(w: &mut Writer, targets: &[Urn]) {
    for target in targets {
        reference(w, "", Some(target));
    }
}
