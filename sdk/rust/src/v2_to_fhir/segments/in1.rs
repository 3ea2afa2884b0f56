//! IN1: who pays for the patient, with what IN2 and PV1-20 say of it.
//!
//! More than the guide's rows: the payor's number (IN1-3) and telephone (IN1-7), the plan and the
//! group (IN1-2, IN1-8, IN1-9) as classes of the coverage, the policy's number (IN1-36) as an
//! identifier, the order of payment (IN1-22), and who the insured person is (IN1-18, IN1-19, IN1-43).

use crate::Writer;
use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::people::codings::codings;
use crate::v2_to_fhir::people::{noted, organization};
use crate::v2_to_fhir::{Bundle, Identity, Refs, Urn, codes, datatypes, row};

/// The guide's URL lacks the type; extensions for elements of R5 are named like this.
const SUBSCRIBER_ID: &str =
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-Coverage.subscriberId";
const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
const CLASS: &str = "http://terminology.hl7.org/CodeSystem/coverage-class";

const CODED: &str = "datatypes/CWE[CodeableConcept]";

/// `segments/IN1[Coverage]`. The beneficiary is the bundle's last patient. `pv1`: `PV1[Coverage]`,
/// which the guide has about the same coverage as the first IN1.
pub fn coverage(
    bundle: &mut Bundle<'_>,
    in1: Segment<'_>,
    in2: Option<Segment<'_>>,
    pv1: Option<Segment<'_>>,
) -> Option<Urn> {
    let name = ["Coverage[", &in1.number().to_string(), "]"].concat();
    let key = super::keys::key(in1, |it| {
        let [plan, company] = [2, 3].map(|number| it.field(number).component(1).text());
        match (plan, company) {
            (None, None) => None,
            (plan, company) => {
                Some([&plan.unwrap_or_default(), "-", &company.unwrap_or_default()].concat())
            }
        }
    });
    bundle.add("Coverage", &name, Identity::derived(&key), |w, refs| {
        w.array("extension", |w| subscriber_ids(w, refs, in1));
        w.array("identifier", |w| {
            refs.derived_identifier(w);
            row("segments/IN1[Coverage]#2", identifiers(w, refs, in1.field(2)));
            w.element(|w| {
                w.text("value", in1.field(36).text());
            });
        });
        w.text("status", Some("active"));
        kind(w, refs, Some(in1), pv1);
        holder(w, refs, in1);
        subscriber(w, refs, in1, in2);
        let mut ids = numbers(in1).filter_map(|(it, _)| it.component(1).text());
        w.text("subscriberId", ids.next());
        if !refs.to(w, "beneficiary", "Patient") {
            return refs.leave_out();
        }
        let relationship = w.object_if("relationship", |w| {
            datatypes::cwe_concept_of(w, refs.ctx(), in1.field(17), &codes::RELATIONSHIP)
        });
        row("segments/IN1[Coverage]#20", relationship);
        w.object("period", |w| {
            row("segments/IN1[Coverage]#14", w.text("start", datatypes::date_time(in1.field(12))));
            row("segments/IN1[Coverage]#15", w.text("end", datatypes::date_time(in1.field(13))));
        });
        payor(w, refs, Some(in1));
        w.array("class", |w| classes(w, in1));
        let order = in1.field(22).text().and_then(|it| it.parse::<u16>().ok());
        w.number("order", order.filter(|it| 0 < *it).map(|it| it.to_string()));
    })
}

/// `segments/PV1[Coverage]`, where the message says of the insurance nothing but PV1-20.
pub fn coverage_of_class(bundle: &mut Bundle<'_>, pv1: Segment<'_>) -> Option<Urn> {
    if !pv1.is_valued(20) {
        return None;
    }
    let name = ["Coverage[", &pv1.number().to_string(), "]"].concat();
    bundle.add("Coverage", &name, Identity::derived("financial-class"), |w, refs| {
        w.text("status", Some("active"));
        kind(w, refs, None, Some(pv1));
        if !refs.to(w, "beneficiary", "Patient") {
            return refs.leave_out();
        }
        payor(w, refs, None);
    })
}

/// `IN1[Coverage]#17`, `PV1[Coverage]#20`: the kind of plan, and the class that the visit has of it.
fn kind(
    w: &mut Writer,
    refs: &mut Refs<'_, '_>,
    in1: Option<Segment<'_>>,
    pv1: Option<Segment<'_>>,
) {
    let plan = in1.map(|it| it.field(15));
    w.object("type", |w| {
        w.array("coding", |w| {
            if let Some(plan) = plan {
                row("segments/IN1[Coverage]#17", codings(w, refs.ctx(), CODED, plan));
            }
            for class in pv1.into_iter().flat_map(|it| it.repetitions(20)) {
                // FC.1 is a coded value of its own (2.6 and later), and a bare code before.
                let written = codings(w, refs.ctx(), CODED, class.component(1));
                row("segments/PV1[Coverage]#20", written);
            }
        });
        w.text("text", plan.and_then(|it| it.component(9).text()));
    });
}

/// The insured person's own numbers, and their rows: IN1-49, and IN1-10 where it says so.
fn numbers<'m>(in1: Segment<'m>) -> impl Iterator<Item = (Field<'m>, [usize; 2])> {
    let employee = in1.repetitions(10).filter(|it| it.component(5).code() == Some("SN"));
    let insured = in1.repetitions(49).map(|it| (it, [52, 53]));
    insured.chain(employee.map(|it| (it, [10, 11])))
}

/// #10, #11, #52, #53: elements of `extension`. R4's own `subscriberId` is a text: it has the first of
/// the numbers, and the extension has all that is known of them.
fn subscriber_ids(w: &mut Writer, refs: &mut Refs<'_, '_>, in1: Segment<'_>) {
    for (field, rows) in numbers(in1) {
        let written = datatypes::extension(w, SUBSCRIBER_ID, |w| {
            w.object_if("valueIdentifier", |w| datatypes::cx_identifier(w, refs, field))
        });
        for number in rows {
            noted("segments/IN1[Coverage]", number, written);
        }
    }
}

/// #12, #13: the group by whose contract the patient is insured.
fn holder(w: &mut Writer, refs: &mut Refs<'_, '_>, in1: Segment<'_>) {
    if !in1.is_valued(10) && !in1.is_valued(11) {
        return;
    }
    let written = refs.mention(w, "policyHolder", "Organization", None, |w, refs| {
        w.array("identifier", |w| {
            organization::xon_identifier(w, organization::XON, refs, in1.field(11));
            for field in in1.repetitions(10) {
                let written = w.element_if(|w| datatypes::cx_identifier(w, refs, field));
                row("segments/IN1[Coverage]#12", written);
            }
        });
        noted(organization::XON, 1, w.text("name", in1.field(11).component(1).text()));
    });
    row("segments/IN1[Coverage]#13", written && in1.is_valued(11));
}

/// #18, #19: the insured person, who is the patient or somebody whom the patient knows.
fn subscriber(w: &mut Writer, refs: &mut Refs<'_, '_>, in1: Segment<'_>, in2: Option<Segment<'_>>) {
    let relation = in1.field(17);
    let is_patient = relation.component(1).text().as_deref() == Some("SEL");
    if is_patient {
        let written = refs.to(w, "subscriber", "Patient");
        row("segments/IN1[Coverage]#19", written && in1.is_valued(16));
        return;
    }
    if !in1.is_valued(16) {
        return;
    }
    let written = refs.mention(w, "subscriber", "RelatedPerson", None, |w, refs| {
        refs.to(w, "patient", "Patient");
        w.array("relationship", |w| {
            w.element_if(|w| {
                datatypes::cwe_concept_of(w, refs.ctx(), relation, &codes::RELATIONSHIP)
            });
        });
        w.array("name", |w| {
            for name in in1.repetitions(16) {
                datatypes::xpn_names(w, name);
            }
        });
        w.array("telecom", |w| {
            // IN2-63: the insured's own telephone at home.
            for telecom in in2.into_iter().flat_map(|it| it.repetitions(63)) {
                w.element_if(|w| datatypes::xtn_contact_point(w, telecom, None));
            }
        });
        w.text("gender", codes::value_of(&codes::ADMINISTRATIVE_SEX, in1.field(43)));
        w.text("birthDate", datatypes::date(in1.field(18)));
        w.array("address", |w| {
            for address in in1.repetitions(19) {
                w.element_if(|w| datatypes::xad_address(w, address));
            }
        });
    });
    row("segments/IN1[Coverage]#18", written);
}

/// #4, #5. FHIR asks for a payor: where the message names none, it says that it does not know.
fn payor(w: &mut Writer, refs: &mut Refs<'_, '_>, in1: Option<Segment<'_>>) {
    w.array("payor", |w| {
        let known = in1.is_some_and(|in1| insurer(w, refs, in1));
        if !known {
            w.element(|w| {
                w.array("extension", |w| {
                    w.element(|w| {
                        w.text("url", Some(ABSENT));
                        w.text("valueCode", Some("unknown"));
                    });
                });
            });
        }
    });
}

fn insurer(w: &mut Writer, refs: &mut Refs<'_, '_>, in1: Segment<'_>) -> bool {
    let written = organization::xon_and(w, "", refs, in1.field(4), in1.repetitions(3), |w, _| {
        w.array("telecom", |w| {
            for telecom in in1.repetitions(7) {
                w.element_if(|w| datatypes::xtn_contact_point(w, telecom, None));
            }
        });
        let address = w.array("address", |w| {
            for address in in1.repetitions(5) {
                w.element_if(|w| datatypes::xad_address(w, address));
            }
        });
        row("segments/IN1[Coverage]#5", address);
    });
    row("segments/IN1[Coverage]#4", written && in1.is_valued(4));
    written
}

/// The plan and the group, which FHIR has as classes of the coverage.
fn classes(w: &mut Writer, in1: Segment<'_>) {
    let plan = in1.field(2);
    let group = in1.field(9);
    let all = [
        ("plan", plan.component(1).text(), plan.component(2).text()),
        ("group", in1.field(8).text(), group.component(1).text()),
    ];
    for (code, value, name) in all {
        w.element_if(|w| {
            w.object("type", |w| {
                w.array("coding", |w| {
                    w.element(|w| {
                        w.text("system", Some(CLASS));
                        w.text("code", Some(code));
                    });
                });
            });
            // FHIR asks for a value; a name alone is the best that there is.
            let value = value.or_else(|| name.clone());
            let written = w.text("value", value);
            w.text("name", name);
            written
        });
    }
}

/// `datatypes/CWE[Identifier]`: elements of `identifier`. An Identifier has no name, which the guide
/// would write: the plan's is in the class.
fn identifiers(w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    const CWE: &str = "datatypes/CWE[Identifier]";
    let mut written = false;
    for [value, system] in [[1, 3], [4, 6], [10, 12]] {
        written |= w.element_if(|w| {
            let name = field.component(system).text();
            let uri = name.and_then(|it| datatypes::system_of(refs.ctx(), &it));
            noted(CWE, system, w.text("system", uri) && system != 12);
            noted(CWE, value, w.text("value", field.component(value).text()))
        });
    }
    written
}

#[cfg(test)]
mod tests;
