//! XCN, CNN and NDL: a person who cares for patients, and the role in which.

use super::name::{self, Map};
use super::{location, noted};
use crate::hl7::Field;
use crate::v2_to_fhir::bundle::reference;
use crate::v2_to_fhir::{Context, Refs, Urn, codes, datatypes};
use crate::{Writer, is_token};

const PRACTITIONER: Map = Map::new("datatypes/XCN[Practitioner]");
const ROLE: Map = Map::new("datatypes/XCN[PractitionerRole]");

/// `datatypes/XCN[Practitioner]`: writes the person, and a reference to them.
pub fn xcn(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    xcn_with(w, key, refs, field, |_, _| {})
}

/// The same, with what other fields say of the person.
pub fn xcn_with<'m>(
    w: &mut Writer,
    key: &str,
    refs: &mut Refs<'_, 'm>,
    field: Field<'_>,
    more: impl FnOnce(&mut Writer, &mut Refs<'_, 'm>),
) -> bool {
    reference(w, key, place_by(PRACTITIONER, refs, field, more))
}

/// `datatypes/XCN[Practitioner]`: writes the person, and answers what a reference to them says.
pub fn place(refs: &mut Refs<'_, '_>, field: Field<'_>) -> Option<Urn> {
    place_by(PRACTITIONER, refs, field, |_, _| {})
}

/// `datatypes/XCN[PractitionerRole]`: the member `practitioner` of a role.
pub fn xcn_role_members<'m>(
    w: &mut Writer,
    refs: &mut Refs<'_, 'm>,
    field: Field<'_>,
    more: impl FnOnce(&mut Writer, &mut Refs<'_, 'm>),
) -> bool {
    reference(w, "practitioner", place_by(ROLE, refs, field, more))
}

fn place_by<'m>(
    map: Map,
    refs: &mut Refs<'_, 'm>,
    field: Field<'_>,
    more: impl FnOnce(&mut Writer, &mut Refs<'_, 'm>),
) -> Option<Urn> {
    if !field.is_valued() {
        return None;
    }
    let ctx = refs.ctx();
    refs.place("Practitioner", name::business_identifier(ctx, field), |w, refs| {
        w.array("identifier", |w| {
            name::identifier(w, map, refs, field);
        });
        w.array("name", |w| {
            name::name(w, map, field, map.id != PRACTITIONER.id);
        });
        if map.id == PRACTITIONER.id {
            qualification(w, field);
        }
        more(w, refs);
    })
}

/// #7: XCN.7 is what the person may do. A title that the guide's table does not have stays as it is; one
/// that is sealed may be any text, which no code is.
fn qualification(w: &mut Writer, field: Field<'_>) -> bool {
    let degree = field.component(7);
    let written = w.array("qualification", |w| {
        w.element(|w| {
            let table = Some(&codes::DEGREE_LICENSE_CERTIFICATE);
            w.object_if("code", |w| match degree.text() {
                Some(sealed) if is_token(&sealed) => w.text("text", Some(sealed)),
                _ => datatypes::id_concept(w, degree, table),
            });
        });
    });
    noted(PRACTITIONER.id, 7, written)
}

/// `datatypes/CNN[Practitioner]`: writes the person, and a reference to them. A number without an
/// authority says nothing outside of the sender's own house, so the person stays with the resource.
pub fn cnn(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    if !field.is_valued() {
        return false;
    }
    const CNN: &str = "datatypes/CNN[Practitioner]";
    refs.mention(w, key, "Practitioner", None, |w, _| {
        let part = |number| field.component(number).text();
        w.array("identifier", |w| {
            w.element(|w| {
                noted(CNN, 1, w.text("value", part(1)));
            });
        });
        w.array("name", |w| {
            w.element(|w| {
                noted(CNN, 2, w.text("family", part(2)));
                w.array("given", |w| {
                    noted(CNN, 3, w.item(part(3)));
                    noted(CNN, 4, w.item(part(4)));
                });
                w.array("prefix", |w| {
                    noted(CNN, 6, w.item(part(6)));
                });
                w.array("suffix", |w| {
                    noted(CNN, 5, w.item(part(5)));
                    noted(CNN, 7, w.item(part(7)));
                });
            });
        });
    })
}

/// `datatypes/NDL[PractitionerRole]`: who did it, when and where; and a reference to that role.
pub fn ndl_role(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    reference(w, key, ndl_place(refs, field))
}

/// The same, and answers what a reference to the role says.
pub fn ndl_place(refs: &mut Refs<'_, '_>, field: Field<'_>) -> Option<Urn> {
    if !field.is_valued() {
        return None;
    }
    refs.place("PractitionerRole", None, |w, refs| ndl_members(w, refs, field))
}

fn ndl_members(w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>) {
    const NDL: &str = "datatypes/NDL[PractitionerRole]";
    noted(NDL, 1, cnn(w, "practitioner", refs, field.component(1)));
    w.array("location", |w| {
        location::ndl(w, refs, field);
    });
    w.object("period", |w| {
        noted(NDL, 2, w.text("start", datatypes::date_time(field.component(2))));
        noted(NDL, 3, w.text("end", datatypes::date_time(field.component(3))));
    });
}

/// Whether a person is known by more than a name: only then can others find the same one.
pub fn is_identified(ctx: &Context<'_>, field: Field<'_>) -> bool {
    name::business_identifier(ctx, field).is_some()
}
