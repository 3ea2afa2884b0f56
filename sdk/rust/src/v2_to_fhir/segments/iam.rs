//! IAM: what the patient is allergic to, with who says so and since when.

use super::al1::{self, CLINICAL, Rows};
use crate::Writer;
use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::people;
use crate::v2_to_fhir::people::codings::codings;
use crate::v2_to_fhir::{Bundle, Identity, Refs, Urn, codes, datatypes, row};

const ROWS: Rows = Rows {
    map: "segments/IAM[AllergyIntolerance]",
    category: [4, 5, 6],
    kind: 7,
    criticality: [10, 11, 12],
    severity: 9,
    manifestation: 13,
};

const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";

const CODED: &str = "datatypes/CWE[CodeableConcept]";

/// `segments/IAM[AllergyIntolerance]`. The patient is the bundle's last one.
pub fn allergy_intolerance(bundle: &mut Bundle<'_>, iam: Segment<'_>) -> Option<Urn> {
    if ![2, 3, 5, 7].into_iter().any(|it| iam.is_valued(it)) {
        return None;
    }
    let name = ["AllergyIntolerance[IAM-", &iam.number().to_string(), "]"].concat();
    let number = iam.field(7);
    let identity = match people::ei_key(bundle.ctx(), number) {
        Some(known) => Identity::Identifier(known),
        None => Identity::derived(&super::keys::key(iam, |it| {
            let own = it.field(7).component(1).text().map(String::from);
            own.or_else(|| Some(al1::key(it)))
        })),
    };
    bundle.add("AllergyIntolerance", &name, identity, |w, refs| {
        w.array("identifier", |w| {
            refs.derived_identifier(w);
            let own = w.element_if(|w| people::ei_identifier(w, refs.ctx(), number));
            row("segments/IAM[AllergyIntolerance]#16", own);
        });
        status(w, refs, iam);
        al1::shared(w, refs, iam, &ROWS);
        code(w, refs, iam);
        if !refs.to(w, "patient", "Patient") {
            return refs.leave_out();
        }
        onset(w, iam);
        let recorded = w.text("recordedDate", datatypes::date_time(iam.field(13)));
        row("segments/IAM[AllergyIntolerance]#22", recorded);
        recorder(w, refs, iam);
        al1::reaction(w, refs, iam, &ROWS);
    })
}

/// #28. IAM-17 says whether the allergy is verified, and only `I` that it is over; FHIR's clinical
/// status has its own codes, which the sender's stands beside. A deletion (IAM-6, table 0206) is not
/// in the guide: without it, an allergy that was entered in error would become an active one.
fn status(w: &mut Writer, refs: &mut Refs<'_, '_>, iam: Segment<'_>) {
    let status = iam.field(17);
    let code = status.component(1).text();
    let code = code.as_deref();
    let is_error = code == Some("E") || iam.field(6).text().as_deref() == Some("D");
    if !is_error {
        let clinical = if code == Some("I") { "inactive" } else { "active" };
        w.object("clinicalStatus", |w| {
            w.array("coding", |w| {
                coding(w, CLINICAL, clinical);
                if status.is_valued() {
                    codings(w, refs.ctx(), CODED, status);
                }
            });
            let text = [9, 2].into_iter().find_map(|it| status.component(it).text());
            w.text("text", text);
        });
        row("segments/IAM[AllergyIntolerance]#28", status.is_valued());
    }
    let verified = match code {
        _ if is_error => "entered-in-error",
        Some("C" | "I") => "confirmed",
        Some("D" | "P" | "S" | "U") => "unconfirmed",
        _ => return,
    };
    w.object("verificationStatus", |w| {
        w.array("coding", |w| coding(w, VERIFICATION, verified));
    });
}

fn coding(w: &mut Writer, system: &str, code: &str) {
    w.element(|w| {
        w.text("system", Some(system));
        w.text("code", Some(code));
    });
}

/// #8, #38: both fields name the allergen, with codings of one concept.
fn code(w: &mut Writer, refs: &mut Refs<'_, '_>, iam: Segment<'_>) {
    let (allergen, further) = (iam.field(3), iam.field(27));
    w.object("code", |w| {
        w.array("coding", |w| {
            row("segments/IAM[AllergyIntolerance]#8", codings(w, refs.ctx(), CODED, allergen));
            row("segments/IAM[AllergyIntolerance]#38", codings(w, refs.ctx(), CODED, further));
        });
        let text = [allergen, further].into_iter().find_map(|it| it.component(9).text());
        w.text("text", text);
    });
}

/// #20, #21.
fn onset(w: &mut Writer, iam: Segment<'_>) {
    if iam.is_valued(11) {
        let written = w.text("onsetDateTime", datatypes::date_time(iam.field(11)));
        row("segments/IAM[AllergyIntolerance]#20", written);
        return;
    }
    row("segments/IAM[AllergyIntolerance]#21", w.text("onsetString", iam.field(12).text()));
}

/// #23 to #26: who reported it: a professional, the patient, or somebody whom the patient knows.
fn recorder(w: &mut Writer, refs: &mut Refs<'_, '_>, iam: Segment<'_>) {
    let (person, relation) = (iam.field(14), iam.field(15));
    if !person.is_valued() {
        return;
    }
    match relation.component(1).text().as_deref() {
        None if !relation.is_valued() => {
            let written = refs.mention(w, "recorder", "Practitioner", None, |w, _| {
                names(w, person);
            });
            row("segments/IAM[AllergyIntolerance]#23", written);
        }
        Some("SEL") => {
            row("segments/IAM[AllergyIntolerance]#24", refs.to(w, "recorder", "Patient"));
        }
        _ => {
            let written = refs.mention(w, "recorder", "RelatedPerson", None, |w, refs| {
                refs.to(w, "patient", "Patient");
                w.array("relationship", |w| {
                    let written = w.element_if(|w| {
                        datatypes::cwe_concept_of(w, refs.ctx(), relation, &codes::RELATIONSHIP)
                    });
                    row("segments/IAM[AllergyIntolerance]#26", written);
                });
                names(w, person);
            });
            row("segments/IAM[AllergyIntolerance]#25", written);
        }
    }
}

fn names(w: &mut Writer, person: Field<'_>) {
    w.array("name", |w| {
        datatypes::xpn_names(w, person);
    });
}

#[cfg(test)]
mod tests;
