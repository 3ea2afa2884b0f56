//! XON, HD and CWE: an organization.

use std::borrow::Cow;

use super::name::check;
use super::noted;
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::{Context, Identifier, Refs, codes, datatypes};

pub(crate) const XON: &str = "datatypes/XON[Organization]";

/// `datatypes/XON[Organization]`: writes the organization, and a reference to it.
pub fn xon(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    xon_with(w, key, refs, field, |_, _| {})
}

/// The same, with what other fields say of it (address, telecom, type). FHIR takes no organization
/// that has neither a name nor an identifier (org-1): there is none if only they say something.
pub fn xon_with<'m>(
    w: &mut Writer,
    key: &str,
    refs: &mut Refs<'_, 'm>,
    field: Field<'_>,
    more: impl FnOnce(&mut Writer, &mut Refs<'_, 'm>),
) -> bool {
    xon_and(w, key, refs, field, std::iter::empty(), more)
}

/// The same, with identifiers that stand in another field (CX): the first of them finds it if the XON
/// has none.
pub(crate) fn xon_and<'f, 'm>(
    w: &mut Writer,
    key: &str,
    refs: &mut Refs<'_, 'm>,
    field: Field<'_>,
    numbers: impl Iterator<Item = Field<'f>> + Clone,
    more: impl FnOnce(&mut Writer, &mut Refs<'_, 'm>),
) -> bool {
    if !field.is_valued() && numbers.clone().next().is_none() {
        return false;
    }
    let ctx = refs.ctx();
    let mut known = numbers.clone().filter_map(|it| datatypes::cx_key(ctx, it));
    let identity = xon_identity(ctx, field).or_else(|| known.find(|it| it.system.is_some()));
    refs.mention(w, key, "Organization", identity, |w, refs| {
        let is_numbered = w.array("identifier", |w| {
            xon_identifier(w, XON, refs, field);
            for number in numbers {
                w.element_if(|w| datatypes::cx_identifier(w, refs, number));
            }
        });
        let is_named = noted(XON, 1, w.text("name", field.component(1).text()));
        if !is_named && !is_numbered {
            return refs.leave_out();
        }
        more(w, refs);
    })
}

/// The identifier of an XON: XON.10, or XON.3 of old.
fn xon_number<'m>(field: Field<'m>) -> (Field<'m>, usize) {
    let number = field.component(10);
    if number.is_valued() { (number, 14) } else { (field.component(3), 3) }
}

fn xon_identity(ctx: &Context<'_>, field: Field<'_>) -> Option<Identifier> {
    let value = xon_number(field).0.text()?;
    let system = datatypes::hd_uri(ctx, field.component(6))?;
    Some(Identifier::new(Some(&system), &value))
}

/// #3 to #11, #14 of `map`: one element of `identifier`.
pub(crate) fn xon_identifier(
    w: &mut Writer,
    map: &'static str,
    refs: &mut Refs<'_, '_>,
    field: Field<'_>,
) -> bool {
    let (number, row) = xon_number(field);
    let Some(value) = number.text() else {
        return false;
    };
    let [digit, scheme, authority, kind] = [4, 5, 6, 7].map(|it| field.component(it));
    w.element(|w| {
        w.array("extension", |w| {
            let written = check(w, "identifier-checkDigit", digit);
            noted(map, 4, written);
            noted(map, 5, written);
            let written = check(w, "namingsystem-checkDigit", scheme);
            noted(map, 6, written);
            noted(map, 7, written);
        });
        let written = w.object_if("type", |w| datatypes::type_of(w, kind));
        noted(map, 10, written);
        noted(map, 11, written);
        noted(map, 9, w.text("system", datatypes::hd_uri(refs.ctx(), authority)));
        noted(map, row, w.text("value", Some(value)));
        noted(map, 8, hd(w, "assigner", refs, authority));
    })
}

/// `datatypes/XON[string]`: what to call it.
pub fn xon_string(field: Field<'_>) -> Option<Cow<'_, str>> {
    const STRING: &str = "datatypes/XON[string]";
    let name = field.component(1).text();
    if noted(STRING, 1, name.is_some()) {
        return name;
    }
    let number = field.component(10).text();
    noted(STRING, 11, number.is_some());
    number
}

/// `datatypes/HD[Organization]`: writes the organization, and a reference to it.
pub fn hd(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    hd_with(w, key, refs, field, |_, _| {})
}

/// The same, with what other fields say of it.
pub fn hd_with<'m>(
    w: &mut Writer,
    key: &str,
    refs: &mut Refs<'_, 'm>,
    field: Field<'_>,
    more: impl FnOnce(&mut Writer, &mut Refs<'_, 'm>),
) -> bool {
    if !field.is_valued() {
        return false;
    }
    refs.mention(w, key, "Organization", hd_identity(field), |w, refs| {
        if !hd_identifiers(w, "datatypes/HD[Organization]", field) {
            return refs.leave_out();
        }
        // Not a row of the guide, but what a reader looks for.
        w.text("name", field.component(1).text());
        more(w, refs);
    })
}

/// A universal id finds it again; a name alone does not.
pub(super) fn hd_identity(field: Field<'_>) -> Option<Identifier> {
    let urn = datatypes::hd_urn(field)?;
    Some(Identifier::new(Some("urn:ietf:rfc:3986"), &urn))
}

/// `datatypes/HD[Organization]`, `datatypes/HD[Device]`: they number their rows alike.
pub(super) fn hd_identifiers(w: &mut Writer, map: &'static str, field: Field<'_>) -> bool {
    let [namespace, id, kind] = [1, 2, 3].map(|it| field.component(it));
    w.array("identifier", |w| {
        w.element(|w| {
            noted(map, 1, w.text("value", namespace.text()));
        });
        if !id.is_valued() {
            return;
        }
        w.element_if(|w| {
            universal_id_type(w, map, kind);
            // The guide's value is the bare id; in the system of URIs it has to be one.
            match datatypes::hd_urn(field) {
                Some(urn) => {
                    noted(map, 4, w.text("system", Some("urn:ietf:rfc:3986")));
                    noted(map, 2, w.text("value", Some(urn)))
                }
                None => noted(map, 2, w.text("value", id.text())),
            }
        });
    })
}

/// HD.3, which says what HD.2 is.
pub(super) fn universal_id_type(w: &mut Writer, map: &'static str, kind: Field<'_>) -> bool {
    let table = Some(&codes::UNIVERSAL_ID_TYPE);
    let written = w.object_if("type", |w| datatypes::id_concept(w, kind, table));
    noted("datatypes/ID[CodeableConcept-UniversalID]", 1, written);
    noted("datatypes/ID[CodeableConcept-UniversalID]", 2, written);
    noted(map, 3, written)
}

/// `datatypes/CWE[Organization]`: writes the organization, and a reference to it.
pub fn cwe(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    const CWE: &str = "datatypes/CWE[Organization]";
    let ctx = refs.ctx();
    refs.mention(w, key, "Organization", None, |w, _| {
        w.array("identifier", |w| {
            w.element_if(|w| {
                let name = field.component(3).text();
                let system = name.and_then(|it| datatypes::system_of(ctx, &it));
                noted(CWE, 3, w.text("system", system));
                noted(CWE, 1, w.text("value", field.component(1).text()))
            });
        });
        let original = field.component(9).text();
        let row = if original.is_some() { 9 } else { 2 };
        let name = original.or_else(|| field.component(2).text());
        noted(CWE, row, w.text("name", name));
    })
}
