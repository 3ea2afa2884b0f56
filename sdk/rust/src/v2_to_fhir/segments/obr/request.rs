//! `segments/OBR[ServiceRequest]`, `segments/ORC[ServiceRequest]`, `segments/TQ1[ServiceRequest]`.

use super::{Made, Order};
use crate::hl7::Field;
use crate::v2_to_fhir::codes::{
    self, EXTENDED_PRIORITY_CODES, ORDER_CONTROL_CODE_SERVICE_REQUEST_STATUS, ORDER_STATUS,
    ORDER_TYPE,
};
use crate::v2_to_fhir::datatypes::{self, extension};
use crate::v2_to_fhir::people::{organization, practitioner};
use crate::v2_to_fhir::results::text::whole;
use crate::v2_to_fhir::results::{concept, concept_of, ei, identifier, noted, quantity, timing};
use crate::v2_to_fhir::segments::{nte, orc, prt, tq1};
use crate::v2_to_fhir::{Bundle, Identity, Refs, Urn};
use crate::{Writer, is_token};

const OBR: &str = "segments/OBR[ServiceRequest]";
const ORC: &str = "segments/ORC[ServiceRequest]";

/// Adds the order. Its subject is the last Patient of the bundle: without one FHIR has no order.
pub fn service_request(
    bundle: &mut Bundle<'_>,
    it: &Order<'_, '_>,
    made: &Made<'_>,
) -> Option<Urn> {
    bundle.last("Patient")?;
    let name = ["ServiceRequest[", &it.number.to_string(), "]"].concat();
    bundle.add("ServiceRequest", &name, Identity::derived(it.key), |w, refs| {
        fill(w, refs, it, made);
    })
}

fn fill(w: &mut Writer, refs: &mut Refs<'_, '_>, it: &Order<'_, '_>, made: &Made<'_>) {
    let ctx = refs.ctx();
    noted(ORC, 51, orc::security(w, ctx, it.orc(28)));
    w.array("extension", |w| extensions(w, refs, it));
    identifiers(w, refs, it);
    requisition(w, refs, it);
    based_on(w, refs, it);
    status(w, it);
    intent(w, it);
    noted(OBR, 10, concept(w, "code", ctx, it.obr(4)));
    // prr-1: details only of what has a code.
    if it.obr(4).is_valued() {
        w.array("orderDetail", |w| {
            for (number, row) in [(46, 61), (47, 62)] {
                for detail in it.obr.into_iter().flat_map(|obr| obr.repetitions(number)) {
                    noted(OBR, row, concept(w, "", ctx, detail));
                }
            }
        });
    }
    refs.to(w, "subject", "Patient");
    refs.to(w, "encounter", "Encounter");
    when(w, refs, it);
    if it.orc(1).code() == Some("NW") {
        noted(ORC, 26, w.text("authoredOn", datatypes::date_time(it.orc(9))));
    }
    requested_by(w, refs, it);
    w.array("locationCode", |w| {
        noted(ORC, 52, concept_of(w, "", ctx, it.orc(29), &ORDER_TYPE));
    });
    w.array("reasonCode", |w| {
        for reason in it.obr.into_iter().flat_map(|obr| obr.repetitions(31)) {
            noted(OBR, 46, concept(w, "", ctx, reason));
        }
    });
    w.array("supportingInfo", |w| {
        for answer in made.answers {
            w.element(|w| {
                w.text("reference", Some(answer));
            });
        }
        for info in it.obr.into_iter().flat_map(|obr| obr.repetitions(13)) {
            clinical_information(w, refs, info);
        }
    });
    w.array("note", |w| {
        for note in it.notes {
            nte::annotation(w, "", refs, *note);
        }
        for field in [it.orc(7), it.obr(27)] {
            timing::tq_note(w, field);
        }
        for tq1 in it.timings {
            tq1::note(w, *tq1);
        }
    });
}

/// The event, when it was, why the status is so, and whom to call.
fn extensions(w: &mut Writer, refs: &Refs<'_, '_>, it: &Order<'_, '_>) {
    let ctx = refs.ctx();
    let [control, time] = [it.orc(1), it.orc(9)];
    extension(w, "http://hl7.org/fhir/StructureDefinition/businessEvent", |w| {
        w.array("extension", |w| {
            let written = extension(w, "value", |w| {
                let code = control.text().filter(|it| !is_token(it));
                w.object("valueCodeableConcept", |w| {
                    w.array("coding", |w| {
                        w.element_if(|w| {
                            // The guide has the URL of the value set, which no coding may have.
                            let system = "http://terminology.hl7.org/CodeSystem/v2-0119";
                            w.text("system", Some(system));
                            w.text("code", code)
                        });
                    });
                })
            });
            for row in 3..=6 {
                noted(ORC, row, written);
            }
            let time = datatypes::date_time(time);
            let written = datatypes::extension_text(w, "date", "valueDateTime", time.as_deref());
            for row in 27..=29 {
                noted(ORC, row, written);
            }
        })
    });
    if !it.obr(17).is_valued() {
        let written = callback(w, it.orc(14));
        noted(ORC, 34, written);
        noted(ORC, 35, written);
    }
    if !it.orc(5).is_valued() {
        let url = "http://hl7.org/fhir/StructureDefinition/request-statusReason";
        let reason = it.orc(16);
        let written = extension(w, url, |w| concept(w, "valueCodeableConcept", ctx, reason));
        noted(ORC, 37, written);
        noted(ORC, 38, written);
    }
}

/// OBR-13 (`datatypes/CWE[Observation-SupportingInfo]`). The guide has it in an extension for an element
/// of R5; in R4 it is a reference, to an observation that nobody else knows.
fn clinical_information(w: &mut Writer, refs: &mut Refs<'_, '_>, info: Field<'_>) {
    let ctx = refs.ctx();
    refs.mention(w, "", "Observation", None, |w, refs| {
        w.text("status", Some("final"));
        w.object("code", |w| {
            w.array("coding", |w| {
                w.element(|w| {
                    w.text("system", Some("http://loinc.org"));
                    w.text("code", Some("55752-0"));
                    w.text("display", Some("Clinical information"));
                });
            });
        });
        refs.to(w, "subject", "Patient");
        let is_coded = [2, 3].into_iter().any(|part| info.component(part).is_valued());
        // Before 2.8.2 it was a text.
        if !is_coded || !concept(w, "valueCodeableConcept", ctx, info) {
            w.text("valueString", whole(info));
        }
    });
}

fn callback(w: &mut Writer, telephone: Field<'_>) -> bool {
    let url = "http://hl7.org/fhir/StructureDefinition/servicerequest-order-callback-phone-number";
    extension(w, url, |w| {
        w.object_if("valueContactPoint", |w| datatypes::xtn_contact_point(w, telephone, None))
    })
}

/// The guide writes ORC-2 only without OBR-2 and OBR-2 only without ORC-2, so that an order with both,
/// as most have, would have no number. They are the same: the first that is there is written.
fn identifiers(w: &mut Writer, refs: &mut Refs<'_, '_>, it: &Order<'_, '_>) {
    let ctx = refs.ctx();
    w.array("identifier", |w| {
        for (number, code, orc_rows, obr_rows) in
            [(2, "PLAC", [7, 8, 9], [3, 4, 5]), (3, "FILL", [10, 11, 12], [6, 8, 9])]
        {
            let [common, own] = [it.orc(number), it.obr(number)];
            let [has_common, has_own] = [common.is_valued(), own.is_valued()];
            let written = orc::ei(w, ctx, if has_common { common } else { own }, code);
            for row in orc_rows {
                noted(ORC, row, written && has_common && !has_own);
            }
            for row in obr_rows {
                noted(OBR, row, written && has_own && !has_common);
            }
        }
        let group = it.orc(4);
        if orc::is_pair(ctx, group) && !it.orc(38).is_valued() {
            let written = w.element_if(|w| datatypes::eip_filler(w, ctx, group));
            for row in 19..=21 {
                noted(ORC, row, written);
            }
        }
        let written = orc::ei(w, ctx, it.orc(38), "FGN");
        for row in 63..=65 {
            noted(ORC, row, written);
        }
        let has_alternate = it.obr(53).is_valued();
        let alternate = if has_alternate { it.obr(53) } else { it.orc(33) };
        let written = w.element_if(|w| {
            datatypes::cx_identifier_of(w, refs, alternate, |w| {
                w.object("type", |w| {
                    w.array("coding", |w| {
                        w.element(|w| identifier::coding(w, "PLAC"));
                        if let Some(code) = alternate.component(5).text() {
                            codes::coding(w, "", &codes::IDENTIFIER_TYPE, &code);
                        }
                    });
                })
            })
        });
        for (orc_row, obr_row) in (56..=58).zip(68..=70) {
            noted(ORC, orc_row, written && !has_alternate);
            noted(OBR, obr_row, written && has_alternate);
        }
        refs.derived_identifier(w);
    });
}

/// ORC-4: the group that the order is of.
fn requisition(w: &mut Writer, refs: &Refs<'_, '_>, it: &Order<'_, '_>) {
    let ctx = refs.ctx();
    let group = it.orc(4);
    let is_pair = orc::is_pair(ctx, group);
    let number = if is_pair { group.component(1) } else { group };
    let written = w.object_if("requisition", |w| {
        identifier::kind(w, "PGN");
        ei(w, ctx, number)
    });
    for row in if is_pair { 16..=18 } else { 13..=15 } {
        noted(ORC, row, written);
    }
}

/// OBR-29: the parent order.
fn based_on(w: &mut Writer, refs: &Refs<'_, '_>, it: &Order<'_, '_>) {
    let ctx = refs.ctx();
    let parent = it.obr(29);
    if it.obr(50).is_valued() || !parent.is_valued() {
        return;
    }
    w.array("basedOn", |w| {
        for (part, rows) in [(1, [40, 41]), (2, [42, 43])] {
            if !parent.component(part).is_valued() {
                continue;
            }
            let written = w.element(|w| {
                w.text("type", Some("ServiceRequest"));
                w.object_if("identifier", |w| match part {
                    1 => datatypes::eip_placer(w, ctx, parent),
                    _ => datatypes::eip_filler(w, ctx, parent),
                });
            });
            for row in rows {
                noted(OBR, row, written);
            }
        }
    });
}

/// ORC-5, else ORC-1; an order has to have a status.
fn status(w: &mut Writer, it: &Order<'_, '_>) {
    let code = it.orc(5).code();
    let (mapped, row) = match code {
        Some("A") => (Some("active"), 22),
        Some(code) => (codes::value(&ORDER_STATUS, code), 22),
        None => {
            let code = it.orc(1).code().unwrap_or_default();
            (codes::value(&ORDER_CONTROL_CODE_SERVICE_REQUEST_STATUS, code), 1)
        }
    };
    let written = w.text("status", mapped.or(Some("unknown")));
    noted(ORC, row, written && (code.is_some() || it.orc(1).is_valued()));
}

/// The guide's intent for OBR-11 `A` is none of FHIR's.
fn intent(w: &mut Writer, it: &Order<'_, '_>) {
    let is_reflex = it.obr(11).code() == Some("G");
    w.text("intent", Some(if is_reflex { "reflex-order" } else { "order" }));
    noted(ORC, 2, !is_reflex && it.orc.is_some());
    noted(OBR, 1, !is_reflex && it.obr.is_some());
    noted(OBR, 18, is_reflex);
    noted(OBR, 19, it.obr(11).code().is_some_and(|it| !matches!(it, "A" | "G")));
}

/// Priority, quantity and time: of OBR-5 and OBR-6, of the TQ in ORC-7 or OBR-27, of TQ1.
fn when(w: &mut Writer, refs: &Refs<'_, '_>, it: &Order<'_, '_>) {
    let ctx = refs.ctx();
    let tq = match it.orc(7).is_valued() {
        true => it.orc(7),
        false if !it.orc(6).is_valued() => it.obr(27),
        false => Field::EMPTY,
    };
    let tq1 = it.timings.first().copied();
    let before = w.len();
    let own = it.obr(5).code().and_then(|it| codes::value(&EXTENDED_PRIORITY_CODES, it));
    let of_tq = tq.component(6).code();
    let of_tq = of_tq.and_then(|it| codes::value(&EXTENDED_PRIORITY_CODES, it));
    let of_tq1 = tq1.and_then(tq1::priority);
    let written = w.text("priority", own.or(of_tq).or(of_tq1));
    noted(OBR, 11, written && own.is_some());
    noted("datatypes/TQ[ServiceRequest]", 9, written && of_tq == own.or(of_tq));
    noted("segments/TQ1[ServiceRequest]", 11, written && own.or(of_tq).is_none());
    let is_counted = tq1.is_some_and(|it| tq1::quantity(w, ctx, it));
    if !is_counted {
        let written = w.object_if("quantityQuantity", |w| quantity::cq(w, ctx, tq.component(1)));
        noted("datatypes/TQ[ServiceRequest]", 1, written);
    }
    // FHIR takes one of moment and timing; the moment is the event of the timing.
    let time = datatypes::date_time(it.obr(6));
    let is_timing = [2, 3, 4, 5, 12].into_iter().any(|part| tq.component(part).is_valued());
    if is_timing {
        timing::tq_timing(w, tq, time.as_deref());
    } else if let Some(tq1) = tq1 {
        tq1::timing(w, tq1, time.as_deref());
    } else {
        noted(OBR, 12, w.text("occurrenceDateTime", time));
    }
    let written = before < w.len() && tq.is_valued();
    noted(ORC, 24, written && it.orc(7).is_valued());
    noted(OBR, 38, written && !it.orc(7).is_valued());
}

/// A requester is one: a role where ORC says of which organization, else the person.
fn requested_by(w: &mut Writer, refs: &mut Refs<'_, '_>, it: &Order<'_, '_>) {
    let [common, own] = [it.orc(12), it.obr(16)];
    let has_common = common.is_valued();
    let is_role = has_common || (21..=24).any(|number| it.orc(number).is_valued());
    let person = if has_common { common } else { own };
    let target = if is_role {
        refs.place("PractitionerRole", None, |w, refs| role(w, refs, it, person))
    } else {
        practitioner::place(refs, person)
    };
    let target = target.or_else(|| it.of_role(&["OP"]).find_map(|prt| prt::role_place(refs, prt)));
    noted(ORC, 32, target.is_some() && has_common);
    noted(OBR, 26, target.is_some() && !has_common && own.is_valued());
    w.object("requester", |w| {
        w.array("extension", |w| {
            for telephone in it.obr.into_iter().flat_map(|obr| obr.repetitions(17)) {
                let written = callback(w, telephone);
                noted(OBR, 27, written);
                noted(OBR, 28, written);
            }
        });
        w.text("reference", target.as_deref());
    });
}

fn role(w: &mut Writer, refs: &mut Refs<'_, '_>, it: &Order<'_, '_>, person: Field<'_>) {
    let address = |w: &mut Writer| {
        let written = w.array("address", |w| {
            w.element_if(|w| datatypes::xad_address(w, it.orc(24)));
        });
        noted(ORC, 47, written);
    };
    if person.is_valued() {
        practitioner::xcn_with(w, "practitioner", refs, person, |w, _| address(w));
    } else {
        refs.mention(w, "practitioner", "Practitioner", None, |w, _| address(w));
    }
    let written = organization::xon_with(w, "organization", refs, it.orc(21), |w, _| {
        let written = w.array("address", |w| {
            w.element_if(|w| datatypes::xad_address(w, it.orc(22)));
        });
        noted(ORC, 45, written);
        let written = w.array("telecom", |w| {
            w.element_if(|w| datatypes::xtn_contact_point(w, it.orc(23), None));
        });
        noted(ORC, 46, written);
    });
    noted(ORC, 44, written && it.orc(21).is_valued());
}
