//! AL1: what the patient is allergic to. What IAM shares with it is here as well.
//!
//! Setting of the route: `allergy.severity = "reaction"` where the senders mean the severity of the
//! reaction by AL1-4 and IAM-4; else it is the criticality, as the guide would have it.

use crate::Writer;
use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::people::noted;
use crate::v2_to_fhir::{Bundle, Context, Identity, Refs, Urn, codes, datatypes, row};

const ALTERNATE_CODES: &str = "http://hl7.org/fhir/StructureDefinition/alternate-codes";
pub(super) const CLINICAL: &str =
    "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";

/// What AL1 and IAM have in common, and the numbers of its rows.
pub(super) struct Rows {
    pub(super) map: &'static str,
    pub(super) category: [usize; 3],
    pub(super) kind: usize,
    pub(super) criticality: [usize; 3],
    pub(super) severity: usize,
    pub(super) manifestation: usize,
}

const ROWS: Rows = Rows {
    map: "segments/AL1[AllergyIntolerance]",
    category: [4, 5, 6],
    kind: 7,
    criticality: [9, 10, 11],
    severity: 12,
    manifestation: 13,
};

/// `segments/AL1[AllergyIntolerance]`. The patient is the bundle's last one.
pub fn allergy_intolerance(bundle: &mut Bundle<'_>, al1: Segment<'_>) -> Option<Urn> {
    if ![2, 3, 5].into_iter().any(|it| al1.is_valued(it)) {
        return None;
    }
    let name = ["AllergyIntolerance[", &al1.number().to_string(), "]"].concat();
    let identity = Identity::derived(&key(al1));
    bundle.add("AllergyIntolerance", &name, identity, |w, refs| {
        w.object("clinicalStatus", |w| {
            w.array("coding", |w| {
                w.element(|w| {
                    row("segments/AL1[AllergyIntolerance]#2", w.text("system", Some(CLINICAL)));
                    row("segments/AL1[AllergyIntolerance]#1", w.text("code", Some("active")));
                });
            });
        });
        shared(w, refs, al1, &ROWS);
        let code = w.object_if("code", |w| datatypes::cwe_concept(w, refs.ctx(), al1.field(3)));
        row("segments/AL1[AllergyIntolerance]#8", code);
        if !refs.to(w, "patient", "Patient") {
            return refs.leave_out();
        }
        let onset = w.text("onsetDateTime", datatypes::date_time(al1.field(6)));
        row("segments/AL1[AllergyIntolerance]#14", onset);
        reaction(w, refs, al1, &ROWS);
    })
}

/// What tells the allergies of one patient apart: what they are of, else their place.
pub(super) fn key(segment: Segment<'_>) -> String {
    super::keys::key(segment, |it| {
        let substance = it.field(3);
        let [code, display] = [1, 2].map(|number| substance.component(number).text());
        code.or(display).map(String::from)
    })
}

/// Type, category and criticality.
pub(super) fn shared(w: &mut Writer, refs: &mut Refs<'_, '_>, segment: Segment<'_>, rows: &Rows) {
    let (kind, severity) = (segment.field(2), segment.field(4));
    let Rows { map, category: [code, url, original], .. } = *rows;
    noted(map, rows.kind, w.text("type", codes::value_of(&codes::ALLERGY_TYPE, kind)));
    let table = &codes::ALLERGEN_TYPE_ALLERGY_INTOLERANCE_CATEGORY;
    let written = w.array("category", |w| {
        w.item(codes::value_of(table, kind));
    });
    // The sender's code stands beside FHIR's. FHIR takes neither element without a code of its own.
    if noted(map, code, written) {
        let table = &codes::ALLERGEN_TYPE_ALLERGY_INTOLERANCE_ORIGINAL_CATEGORY;
        let written = w.array("_category", |w| {
            w.element(|w| alternate(w, refs, kind, table));
        });
        noted(map, url, written);
        noted(map, original, written);
    }

    let Some(criticality) = criticality(refs.ctx(), severity) else {
        return;
    };
    let [code, url, original] = rows.criticality;
    noted(map, code, w.text("criticality", Some(criticality)));
    let table = &codes::ALLERGY_SEVERITY_ALLERGY_INTOLERANCE_CRITICALITY_ORIGINAL;
    let written = w.object("_criticality", |w| alternate(w, refs, severity, table));
    noted(map, url, written);
    noted(map, original, written);
}

/// The sender's own code beside the one that FHIR has for it, which says less.
fn alternate(
    w: &mut Writer,
    refs: &mut Refs<'_, '_>,
    field: Field<'_>,
    table: &'static codes::Table,
) {
    w.array("extension", |w| {
        w.element_if(|w| {
            w.text("url", Some(ALTERNATE_CODES));
            w.object_if("valueCodeableConcept", |w| {
                datatypes::cwe_concept_of(w, refs.ctx(), field, table)
            })
        });
    });
}

/// What happens. A severity without a manifestation is none: FHIR asks for one.
pub(super) fn reaction(w: &mut Writer, refs: &mut Refs<'_, '_>, segment: Segment<'_>, rows: &Rows) {
    let severity = segment.field(4);
    w.array("reaction", |w| {
        w.element_if(|w| {
            let written = w.array("manifestation", |w| {
                for field in segment.repetitions(5) {
                    // AL1-5 and IAM-5 are texts; some senders have a code and its name there.
                    w.element_if(|w| {
                        match [9, 2].into_iter().find_map(|it| field.component(it).text()) {
                            Some(text) => w.text("text", Some(text)),
                            None => datatypes::st_concept(w, field),
                        }
                    });
                }
            });
            noted(rows.map, rows.manifestation, written);
            if written && criticality(refs.ctx(), severity).is_none() {
                let table = &codes::ALLERGY_SEVERITY_ALLERGY_INTOLERANCE_REACTION_SEVERITY;
                let written = w.text("severity", codes::value_of(table, severity));
                noted(rows.map, rows.severity, written);
            }
            written
        });
    });
}

/// What the severity says of the allergy as a whole. None where the site's senders mean the reaction,
/// or FHIR has no word for it (`MO`): then the reaction has it.
fn criticality(ctx: &Context<'_>, severity: Field<'_>) -> Option<&'static str> {
    if ctx.setting("allergy.severity").as_deref() == Some("reaction") {
        return None;
    }
    codes::value_of(&codes::ALLERGY_SEVERITY_ALLERGY_INTOLERANCE_CRITICALITY, severity)
}

#[cfg(test)]
mod tests;
