//! The parts of XCN that all of its maps share: who it is, and what the person is called.

use super::{noted, organization};
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::{Context, Identifier, Refs, codes, datatypes};

/// A map of XCN. They number their rows alike, but for one that has no row for XCN.9.
#[derive(Clone, Copy)]
pub(super) struct Map {
    pub(super) id: &'static str,
    behind_authority: usize,
}

impl Map {
    pub(super) const fn new(id: &'static str) -> Self {
        Self { id, behind_authority: 0 }
    }

    /// A map that has one row less, from XCN.10 on.
    pub(super) const fn without_authority(id: &'static str) -> Self {
        Self { id, behind_authority: 1 }
    }

    fn noted(self, number: usize, written: bool) -> bool {
        match number {
            9 | 10 if self.behind_authority > 0 => written,
            11.. => noted(self.id, number - self.behind_authority, written),
            _ => noted(self.id, number, written),
        }
    }
}

/// What finds the person again: XCN.1 in the system of XCN.9. None without a system, since a number
/// alone is another person's in another house.
pub(super) fn business_identifier(ctx: &Context<'_>, field: Field<'_>) -> Option<Identifier> {
    let value = field.component(1).text()?;
    let system = datatypes::hd_uri(ctx, field.component(9))?;
    Some(Identifier::new(Some(&system), &value))
}

/// #1, #9, #10, #12 to #16: one element of `identifier`.
pub(super) fn identifier(
    w: &mut Writer,
    map: Map,
    refs: &mut Refs<'_, '_>,
    field: Field<'_>,
) -> bool {
    let Some(value) = field.component(1).text() else {
        return false;
    };
    if !field.after(8).is_valued() {
        return w.element(|w| {
            map.noted(1, w.text("value", Some(value)));
        });
    }
    let [authority, digit, scheme, kind] = [9, 11, 12, 13].map(|it| field.component(it));
    w.element(|w| {
        w.array("extension", |w| {
            let written = check(w, "identifier-checkDigit", digit);
            map.noted(12, written);
            map.noted(13, written);
            let written = check(w, "namingsystem-checkDigit", scheme);
            map.noted(14, written);
            map.noted(15, written);
        });
        map.noted(16, w.object_if("type", |w| datatypes::type_of(w, kind)));
        map.noted(10, w.text("system", datatypes::hd_uri(refs.ctx(), authority)));
        map.noted(1, w.text("value", Some(value)));
        map.noted(9, organization::hd(w, "assigner", refs, authority));
    })
}

/// The check digit of an identifier, or the scheme by which it is made.
pub(super) fn check(w: &mut Writer, name: &str, field: Field<'_>) -> bool {
    let Some(value) = field.text() else {
        return false;
    };
    let url = ["http://hl7.org/fhir/StructureDefinition/", name].concat();
    datatypes::extension_text(w, &url, "valueString", Some(&value))
}

/// #2 to #8, #11, #20 to #25: one element of `name`. `degree`: XCN.7 is a suffix.
pub(super) fn name(w: &mut Writer, map: Map, field: Field<'_>, degree: bool) -> bool {
    let part = |number| field.component(number).text();
    // Most senders say no more than the name: the rest is asked for only if anything is there.
    let is_more = field.after(8).is_valued();
    w.element(|w| {
        if is_more {
            order(w, map, field.component(18));
            map.noted(11, w.text("use", codes::value_of(&codes::NAME_TYPE, field.component(10))));
        }
        map.noted(2, datatypes::fn_family(w, field.component(2)));
        w.array("given", |w| {
            map.noted(3, w.item(part(3)));
            map.noted(4, w.item(part(4)));
        });
        w.array("prefix", |w| {
            map.noted(6, w.item(part(6)));
        });
        w.array("suffix", |w| {
            map.noted(5, w.item(part(5)));
            if degree {
                map.noted(7, w.item(part(7)));
            }
            if is_more {
                map.noted(25, w.item(part(21)));
            }
        });
        if is_more {
            w.object("period", |w| period(w, map, field));
        }
    })
}

/// #21, #22. The guide puts the order beside the family name, where the extension may not stand.
fn order(w: &mut Writer, map: Map, order: Field<'_>) {
    let order = codes::value_of(&codes::NAME_ASSEMBLY_ORDER, order);
    let url = "http://hl7.org/fhir/StructureDefinition/humanname-assembly-order";
    let written = w.array("extension", |w| {
        datatypes::extension_text(w, url, "valueCode", order);
    });
    map.noted(21, written);
    map.noted(22, written);
}

fn period(w: &mut Writer, map: Map, field: Field<'_>) {
    let [from, until] = [19, 20].map(|it| field.component(it));
    if from.is_valued() || until.is_valued() {
        map.noted(23, w.text("start", datatypes::date_time(from)));
        map.noted(24, w.text("end", datatypes::date_time(until)));
        return;
    }
    map.noted(20, datatypes::dr_period(w, field.component(17)));
}
