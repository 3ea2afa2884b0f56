//! ROL: who has which role: towards the patient, in a team, in a visit.

use crate::Writer;
use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::people::related_person;
use crate::v2_to_fhir::people::{
    ei_identifier, ei_key, location, noted, organization, practitioner,
};
use crate::v2_to_fhir::{Bundle, Identity, Refs, Urn, codes, datatypes, row};

use super::{in3, prt};

/// The table of the roles that the guide means.
const ROLES: &str = "HL70443";

/// Whether the role is that of the patient's general practitioner (`messages/ADT_A01#21`).
pub fn is_general_practitioner(rol: Segment<'_>) -> bool {
    let role = rol.field(3);
    role.component(1).code() == Some("PP") && role.component(3).code() == Some(ROLES)
}

/// Whether the role is one of the patient's care team (`messages/ADT_A01#22`).
pub fn is_care_team(rol: Segment<'_>) -> bool {
    let role = rol.field(3);
    role.component(1).code() != Some("PP") && role.component(3).code() == Some(ROLES)
}

/// `segments/ROL[Patient-GeneralPractitioner]`: an element of `generalPractitioner`.
pub fn general_practitioner(w: &mut Writer, refs: &mut Refs<'_, '_>, rol: Segment<'_>) -> bool {
    let key = ei_key(refs.ctx(), rol.field(1));
    refs.mention(w, "", "PractitionerRole", key, |w, refs| {
        const MAP: &str = "segments/ROL[Patient-GeneralPractitioner]";
        identifier(w, refs, rol, MAP, 1);
        w.object("period", |w| {
            noted(MAP, 5, w.text("start", datatypes::date_time(rol.field(5))));
            noted(MAP, 6, w.text("end", datatypes::date_time(rol.field(6))));
        });
        let person = practitioner::xcn_with(w, "practitioner", refs, rol.field(4), |w, _| {
            noted(MAP, 11, addresses(w, rol, Whose::Person));
        });
        noted(MAP, 4, person);
        let house = organization::xon_with(w, "organization", refs, rol.field(14), |w, _| {
            noted(MAP, 13, addresses(w, rol, Whose::Organization));
        });
        noted(MAP, 17, house && rol.is_valued(14));
        noted(MAP, 3, roles(w, refs, rol));
        w.array("location", |w| {
            noted(MAP, 16, location::pl(w, "", refs, rol.field(13)));
            refs.mention(w, "", "Location", None, |w, _| {
                noted(MAP, 12, place_address(w, rol));
            });
        });
        noted(MAP, 15, telecoms(w, rol));
    })
}

/// `segments/ROL[Encounter-PractitionerRole]`: an element of `participant`.
pub fn participant(w: &mut Writer, refs: &mut Refs<'_, '_>, rol: Segment<'_>) -> bool {
    const MAP: &str = "segments/ROL[Encounter-PractitionerRole]";
    w.element_if(|w| {
        let role = w.array("type", |w| {
            w.element_if(|w| role(w, refs, rol));
        });
        noted(MAP, 4, role);
        w.object("period", |w| {
            noted(MAP, 6, w.text("start", datatypes::date_time(rol.field(5))));
            noted(MAP, 7, w.text("end", datatypes::date_time(rol.field(6))));
        });
        let key = ei_key(refs.ctx(), rol.field(1));
        let written = refs.mention(w, "individual", "PractitionerRole", key, |w, refs| {
            identifier(w, refs, rol, MAP, 2);
            let person = practitioner::xcn_with(w, "practitioner", refs, rol.field(4), |w, _| {
                noted(MAP, 12, addresses(w, rol, Whose::Anybody));
            });
            noted(MAP, 5, person);
            noted(MAP, 15, organization::xon(w, "organization", refs, rol.field(14)));
            roles(w, refs, rol);
            w.array("location", |w| {
                noted(MAP, 14, location::pl(w, "", refs, rol.field(13)));
            });
            noted(MAP, 13, telecoms(w, rol));
        });
        noted(MAP, 1, written && rol.is_valued(1));
        written || role
    })
}

/// `segments/ROL[CareTeam]`, `PRT[CareTeam]`, `IN3[CareTeam]`: those of the patient's ROL, PRT and
/// IN3 that are of a care team, as one CareTeam. The subject is the bundle's last patient.
pub fn care_team(bundle: &mut Bundle<'_>, all: &[Segment<'_>]) -> Option<Urn> {
    let is_of_team = |it: &&Segment<'_>| match it.name() {
        "ROL" => is_care_team(**it),
        "PRT" => prt::is_care_team(**it),
        _ => it.is_valued(21),
    };
    all.iter().find(is_of_team)?;
    bundle.add("CareTeam", "CareTeam[1]", Identity::derived("1"), |w, refs| {
        w.text("status", Some("active"));
        if !refs.to(w, "subject", "Patient") {
            return refs.leave_out();
        }
        let has_members = w.array("participant", |w| {
            for segment in all.iter().filter(is_of_team) {
                match segment.name() {
                    "ROL" => member(w, refs, *segment),
                    "PRT" => prt::member(w, refs, *segment),
                    _ => in3::participant(w, *segment),
                };
            }
        });
        if !has_members {
            return refs.leave_out();
        }
        let rols = || all.iter().filter(is_of_team).filter(|it| it.name() == "ROL");
        let reason = w.array("reasonCode", |w| {
            for field in rols().flat_map(|it| it.repetitions(8)) {
                w.element_if(|w| datatypes::cwe_concept(w, refs.ctx(), field));
            }
        });
        row("segments/ROL[CareTeam]#10", reason);
        let telecom = w.array("telecom", |w| {
            for field in rols().flat_map(|it| it.repetitions(12)) {
                w.element_if(|w| datatypes::xtn_contact_point(w, field, None));
            }
        });
        row("segments/ROL[CareTeam]#15", telecom);
    })
}

/// `segments/ROL[CareTeam]`: an element of `participant`. All roles of table 0443 are professionals'.
fn member(w: &mut Writer, refs: &mut Refs<'_, '_>, rol: Segment<'_>) -> bool {
    const MAP: &str = "segments/ROL[CareTeam]";
    w.element_if(|w| {
        w.array("role", |w| {
            noted(MAP, 3, w.element_if(|w| role(w, refs, rol)));
            for field in rol.repetitions(9) {
                noted(MAP, 11, w.element_if(|w| datatypes::cwe_concept(w, refs.ctx(), field)));
            }
        });
        let house =
            |w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, [kind, name]: [usize; 2]| {
                let written = organization::xon_with(w, key, refs, rol.field(14), |w, refs| {
                    noted(MAP, kind, unit_type(w, refs, rol.field(10)));
                });
                noted(MAP, name, written && rol.is_valued(14));
                written
            };
        let mut written = noted(MAP, 4, practitioner::xcn(w, "member", refs, rol.field(4)));
        // FHIR (ctm-1): only a Practitioner acts on behalf of somebody.
        if written {
            house(w, "onBehalfOf", refs, [12, 17]);
        } else {
            written = house(w, "member", refs, [13, 18]);
        }
        w.object("period", |w| {
            noted(MAP, 7, w.text("start", datatypes::date_time(rol.field(5))));
            noted(MAP, 8, w.text("end", datatypes::date_time(rol.field(6))));
        });
        written
    })
}

/// `segments/ROL[RelatedPerson]`: somebody whom the bundle's last patient knows.
pub fn related_person(bundle: &mut Bundle<'_>, rol: Segment<'_>) -> Option<Urn> {
    const MAP: &str = "segments/ROL[RelatedPerson]";
    if !rol.is_valued(4) {
        return None;
    }
    let number = rol.number().to_string();
    let name = ["RelatedPerson[ROL-", &number, "]"].concat();
    let key = ["ROL-", &number].concat();
    bundle.add("RelatedPerson", &name, Identity::derived(&key), |w, refs| {
        related_person::xcn_members(w, refs, rol.field(4), |w, refs| {
            refs.derived_identifier(w);
            let own = w.element_if(|w| ei_identifier(w, refs.ctx(), rol.field(1)));
            noted(MAP, 1, own);
        });
        noted(MAP, 4, true);
        if !refs.to(w, "patient", "Patient") {
            return refs.leave_out();
        }
        let kin = w.array("relationship", |w| {
            w.element_if(|w| role(w, refs, rol));
        });
        noted(MAP, 3, kin);
        noted(MAP, 12, telecoms(w, rol));
        noted(MAP, 11, addresses(w, rol, Whose::Anybody));
        w.object("period", |w| {
            noted(MAP, 5, w.text("start", datatypes::date_time(rol.field(5))));
            noted(MAP, 6, w.text("end", datatypes::date_time(rol.field(6))));
        });
    })
}

fn identifier(
    w: &mut Writer,
    refs: &mut Refs<'_, '_>,
    rol: Segment<'_>,
    map: &'static str,
    number: usize,
) {
    w.array("identifier", |w| {
        noted(map, number, w.element_if(|w| ei_identifier(w, refs.ctx(), rol.field(1))));
    });
}

/// ROL-3 as a concept, filled.
fn role(w: &mut Writer, refs: &mut Refs<'_, '_>, rol: Segment<'_>) -> bool {
    datatypes::cwe_concept_of(w, refs.ctx(), rol.field(3), &codes::PROVIDER_ROLE)
}

/// ROL-3 as the code of a PractitionerRole.
fn roles(w: &mut Writer, refs: &mut Refs<'_, '_>, rol: Segment<'_>) -> bool {
    w.array("code", |w| {
        w.element_if(|w| role(w, refs, rol));
    })
}

fn telecoms(w: &mut Writer, rol: Segment<'_>) -> bool {
    w.array("telecom", |w| {
        for field in rol.repetitions(12) {
            w.element_if(|w| datatypes::xtn_contact_point(w, field, None));
        }
    })
}

/// The kind of a unit (ROL-10, PRT-7), as the type of an Organization.
pub(super) fn unit_type(w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    w.array("type", |w| {
        w.element_if(|w| {
            let table = &codes::PARTICIPANT_ORGANIZATION_UNIT_TYPE;
            datatypes::cwe_concept_of(w, refs.ctx(), field, table)
        });
    })
}

/// Whose address ROL-11 is, by its kind (XAD.7).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Person,
    Place,
    Organization,
    Anybody,
}

impl Whose {
    fn has(self, address: Field<'_>) -> bool {
        let whose = match address.component(7).code() {
            Some("M" | "O" | "S" | "SH" | "TM") => Self::Place,
            Some("B" | "BI" | "L") => Self::Organization,
            // The guide has no row for an address without a kind: it is the person's.
            _ => Self::Person,
        };
        self == Self::Anybody || self == whose
    }
}

fn addresses(w: &mut Writer, rol: Segment<'_>, whose: Whose) -> bool {
    w.array("address", |w| {
        for field in rol.repetitions(11).filter(|it| whose.has(*it)) {
            w.element_if(|w| datatypes::xad_address(w, field));
        }
    })
}

/// A Location has one address.
fn place_address(w: &mut Writer, rol: Segment<'_>) -> bool {
    match rol.repetitions(11).find(|it| Whose::Place.has(*it)) {
        Some(field) => w.object_if("address", |w| datatypes::xad_address(w, field)),
        None => false,
    }
}

#[cfg(test)]
mod tests;
