//! PRT: who and what takes part: persons, organizations, places, devices.

use crate::Writer;
use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::people::related_person as person;
use crate::v2_to_fhir::people::{location, noted, organization, practitioner};
use crate::v2_to_fhir::{Bundle, Identity, Refs, Urn, codes, datatypes, row};

mod device;
mod telecom;

pub use device::device;

/// The roles that the guide has in a care team (`messages/ADT_A01#24`).
const TEAM: [&str; 14] =
    ["AD", "AP", "ARI", "AT", "CP", "FHCP", "OP", "PH", "PP", "PRI", "RP", "RT", "VP", "PO"];

/// Whether it is about the patient's general practitioner (`messages/ADT_A01#23`).
pub fn is_general_practitioner(prt: Segment<'_>) -> bool {
    prt.field(4).component(1).code() == Some("PP")
}

/// Whether it is about one of the patient's care team (`messages/ADT_A01#24`).
pub fn is_care_team(prt: Segment<'_>) -> bool {
    prt.field(4).component(1).code().is_some_and(|it| TEAM.contains(&it))
}

/// `segments/PRT[Patient-GeneralPractitioner-Practitioner]` if it says no more than who the person is,
/// else `PRT[Patient-GeneralPractitioner-PractitionerRole]`: an element of `generalPractitioner`.
pub fn general_practitioner(w: &mut Writer, refs: &mut Refs<'_, '_>, prt: Segment<'_>) -> bool {
    let is_person_only = ![8, 9, 11, 12, 14, 15, 24].into_iter().any(|it| prt.is_valued(it));
    if is_person_only {
        let written = practitioner::xcn(w, "", refs, prt.field(5));
        return row("segments/PRT[Patient-GeneralPractitioner-Practitioner]#6", written);
    }
    const MAP: &str = "segments/PRT[Patient-GeneralPractitioner-PractitionerRole]";
    refs.mention(w, "", "PractitionerRole", None, |w, refs| {
        w.array("identifier", |w| {
            for field in prt.repetitions(24) {
                noted(MAP, 24, w.element_if(|w| pln_identifier(w, refs, field)));
            }
        });
        period(w, prt, MAP, [11, 12]);
        let person = practitioner::xcn_role_members(w, refs, prt.field(5), |w, _| {
            noted(MAP, 14, addresses(w, prt));
        });
        noted(MAP, 5, person);
        noted(MAP, 8, organization::xon(w, "organization", refs, prt.field(8)));
        noted(MAP, 4, roles(w, refs, prt));
        w.array("location", |w| {
            noted(MAP, 9, location::pl(w, "", refs, prt.field(9)));
        });
        noted(MAP, 15, telecom::telecoms(w, prt, None));
    })
}

/// `segments/PRT[PractitionerRole]`: writes the role, contained, and a reference to it.
pub fn practitioner_role(
    w: &mut Writer,
    key: &str,
    refs: &mut Refs<'_, '_>,
    prt: Segment<'_>,
) -> bool {
    let Some(target) = role_place(refs, prt) else {
        return false;
    };
    w.object(key, |w| {
        w.text("reference", Some(&target));
    })
}

/// The same, and answers what a reference to the role says.
pub fn role_place(refs: &mut Refs<'_, '_>, prt: Segment<'_>) -> Option<Urn> {
    const MAP: &str = "segments/PRT[PractitionerRole]";
    if ![4, 5, 6, 8, 9].into_iter().any(|it| prt.is_valued(it)) {
        return None;
    }
    refs.place("PractitionerRole", None, |w, refs| {
        w.array("identifier", |w| {
            for field in prt.repetitions(24) {
                noted(MAP, 42, w.element_if(|w| pln_identifier(w, refs, field)));
            }
        });
        period(w, prt, MAP, [12, 13]);
        let person = practitioner::xcn_with(w, "practitioner", refs, prt.field(5), |w, _| {
            noted(MAP, 15, addresses(w, prt));
        });
        noted(MAP, 6, person);
        let house = organization::xon_with(w, "organization", refs, prt.field(8), |w, refs| {
            noted(MAP, 8, super::rol::unit_type(w, refs, prt.field(7)));
        });
        noted(MAP, 9, house && prt.is_valued(8));
        noted(MAP, 5, roles(w, refs, prt));
        let specialty = w.array("specialty", |w| {
            for field in prt.repetitions(6) {
                w.element_if(|w| datatypes::cwe_concept(w, refs.ctx(), field));
            }
        });
        noted(MAP, 7, specialty);
        w.array("location", |w| {
            noted(MAP, 10, location::pl(w, "", refs, prt.field(9)));
        });
        telecom::telecoms(w, prt, Some(&telecom::ROLE));
    })
}

/// `segments/PRT[RelatedPerson]`: somebody whom the bundle's last patient knows.
pub fn related_person(bundle: &mut Bundle<'_>, prt: Segment<'_>) -> Option<Urn> {
    const MAP: &str = "segments/PRT[RelatedPerson]";
    if !prt.is_valued(5) {
        return None;
    }
    let number = prt.number().to_string();
    let name = ["RelatedPerson[PRT-", &number, "]"].concat();
    let key = ["PRT-", &number].concat();
    bundle.add("RelatedPerson", &name, Identity::derived(&key), |w, refs| {
        person::xcn_members(w, refs, prt.field(5), |w, refs| {
            refs.derived_identifier(w);
            for field in prt.repetitions(24) {
                noted(MAP, 41, w.element_if(|w| pln_identifier(w, refs, field)));
            }
        });
        noted(MAP, 6, true);
        if !refs.to(w, "patient", "Patient") {
            return refs.leave_out();
        }
        let kin = w.array("relationship", |w| {
            w.element_if(|w| role(w, refs, prt));
        });
        noted(MAP, 5, kin);
        telecom::telecoms(w, prt, Some(&telecom::PERSON));
        noted(MAP, 15, addresses(w, prt));
        period(w, prt, MAP, [12, 13]);
    })
}

/// `segments/PRT[Observation-Location]`: elements of `extension`.
pub fn observation_location(w: &mut Writer, refs: &mut Refs<'_, '_>, prt: Segment<'_>) -> bool {
    const MAP: &str = "segments/PRT[Observation-Location]";
    const URL: &str = "http://hl7.org/fhir/StructureDefinition/event-location";
    let place =
        datatypes::extension(w, URL, |w| location::pl(w, "valueReference", refs, prt.field(9)));
    noted(MAP, 10, place);
    noted(MAP, 11, place);
    let address = datatypes::extension(w, URL, |w| {
        refs.mention(w, "valueReference", "Location", None, |w, _| {
            w.object_if("address", |w| datatypes::xad_address(w, prt.field(14)));
        })
    });
    noted(MAP, 16, address);
    noted(MAP, 17, address);
    place || address
}

/// `segments/PRT[CareTeam]`: an element of `participant`. A person with a provider type (PRT-6) is
/// there in a role, else in person. (Nobody in the guide's list of roles is a relative.)
pub(super) fn member(w: &mut Writer, refs: &mut Refs<'_, '_>, prt: Segment<'_>) -> bool {
    const MAP: &str = "segments/PRT[CareTeam]";
    w.element_if(|w| {
        let role = w.array("role", |w| {
            w.element_if(|w| role(w, refs, prt));
        });
        noted(MAP, 5, role);
        let house = |w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, rows: [usize; 3]| {
            let [name, address, telecom] = rows;
            let written = organization::xon_with(w, key, refs, prt.field(8), |w, _| {
                noted(MAP, telecom, telecom::telecoms(w, prt, None));
                noted(MAP, address, addresses(w, prt));
            });
            noted(MAP, name, written && prt.is_valued(8));
            written
        };
        let (is_person, is_role) = (prt.is_valued(5), prt.is_valued(6));
        let written = if is_role {
            refs.mention(w, "member", "PractitionerRole", None, |w, refs| {
                noted(MAP, 8, practitioner::xcn_role_members(w, refs, prt.field(5), |_, _| {}));
                // FHIR (ctm-1): only a Practitioner acts on behalf of somebody; a role is one of its
                // organization.
                if prt.is_valued(8) {
                    house(w, "organization", refs, [12, 23, 28]);
                }
                let code = w.array("code", |w| {
                    for field in prt.repetitions(6) {
                        w.element_if(|w| role_code(w, refs, field));
                    }
                });
                noted(MAP, 9, code);
                noted(MAP, 26, telecom::telecoms(w, prt, None));
            })
        } else if is_person {
            let written = practitioner::xcn_with(w, "member", refs, prt.field(5), |w, _| {
                noted(MAP, 24, telecom::telecoms(w, prt, None));
                noted(MAP, 19, addresses(w, prt));
            });
            noted(MAP, 6, written);
            if written && prt.is_valued(8) {
                house(w, "onBehalfOf", refs, [12, 23, 28]);
            }
            written
        } else {
            house(w, "member", refs, [11, 22, 27])
        };
        w.object("period", |w| {
            noted(MAP, 16, w.text("start", datatypes::date_time(prt.field(11))));
            noted(MAP, 17, w.text("end", datatypes::date_time(prt.field(12))));
        });
        written
    })
}

/// `datatypes/CWE[PractitionerRole]`: its code, filled.
fn role_code(w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    let written = datatypes::cwe_concept(w, refs.ctx(), field);
    for part in [1, 2, 3, 4, 5, 6, 9, 10, 11, 12] {
        let is_there = written && field.component(part).is_valued();
        noted("datatypes/CWE[PractitionerRole]", part, is_there);
    }
    written
}

/// `datatypes/PLN[Identifier]`, filled.
fn pln_identifier(w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    const PLN: &str = "datatypes/PLN[Identifier]";
    let kind = w.object_if("type", |w| {
        let table = &codes::PRACTITIONER_ID_NUMBER_TYPE;
        datatypes::cwe_concept_of(w, refs.ctx(), field.component(2), table)
    });
    noted(PLN, 2, kind);
    let written = noted(PLN, 1, w.text("value", field.component(1).text()));
    w.object("period", |w| {
        noted(PLN, 4, w.text("end", datatypes::date_time(field.component(4))));
    });
    written
}

/// PRT-4 as a concept, filled.
fn role(w: &mut Writer, refs: &mut Refs<'_, '_>, prt: Segment<'_>) -> bool {
    datatypes::cwe_concept_of(w, refs.ctx(), prt.field(4), &codes::PARTICIPATION)
}

fn roles(w: &mut Writer, refs: &mut Refs<'_, '_>, prt: Segment<'_>) -> bool {
    w.array("code", |w| {
        w.element_if(|w| role(w, refs, prt));
    })
}

fn addresses(w: &mut Writer, prt: Segment<'_>) -> bool {
    w.array("address", |w| {
        for field in prt.repetitions(14) {
            w.element_if(|w| datatypes::xad_address(w, field));
        }
    })
}

fn period(w: &mut Writer, prt: Segment<'_>, map: &'static str, [start, end]: [usize; 2]) {
    w.object("period", |w| {
        noted(map, start, w.text("start", datatypes::date_time(prt.field(11))));
        noted(map, end, w.text("end", datatypes::date_time(prt.field(12))));
    });
}

#[cfg(test)]
mod tests;
