//! PL, HD, XON, DLD and NDL: a place, from the bed up to the site.

use super::{noted, organization};
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::bundle::reference;
use crate::v2_to_fhir::{Context, Identifier, Refs, Urn, codes, datatypes};

const PHYSICAL_TYPE: &str = "http://terminology.hl7.org/CodeSystem/location-physical-type";

const PL: &str = "datatypes/PL[Location]";

/// One level of a place: where it stands in PL and NDL, its code, and its rows.
struct Level {
    part: usize,
    ndl_part: usize,
    code: &'static str,
    display: &'static str,
    /// PL: identifier; mode, code and system of the type follow it; then the reference to its parent.
    row: usize,
    ndl_row: usize,
    has_parent_row: bool,
    /// PL.10, without and with PL.11.
    identifier_rows: [usize; 2],
}

/// From the finest to the coarsest, as the guide says (`datatypes/PL[Location]`). It has no code for
/// a point of care, which may be a ward, a department or a clinic: none is written.
const LEVELS: [Level; 6] = [
    level(3, 6, "bd", "Bed", 12, 14, true, [34, 40]),
    level(2, 5, "ro", "Room", 7, 9, true, [35, 41]),
    level(8, 11, "lvl", "Level", 28, 35, true, [37, 43]),
    level(1, 4, "", "", 2, 4, true, [36, 42]),
    level(7, 10, "bu", "Building", 23, 30, true, [38, 44]),
    level(4, 7, "si", "Site", 17, 19, false, [39, 45]),
];

#[expect(clippy::too_many_arguments, reason = "a row of the table above")]
const fn level(
    part: usize,
    ndl_part: usize,
    code: &'static str,
    display: &'static str,
    row: usize,
    ndl_row: usize,
    has_parent_row: bool,
    identifier_rows: [usize; 2],
) -> Level {
    Level { part, ndl_part, code, display, row, ndl_row, has_parent_row, identifier_rows }
}

/// Which of the two data types.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Pl,
    Ndl,
}

impl Type {
    fn id(self) -> &'static str {
        match self {
            Self::Pl => PL,
            Self::Ndl => "datatypes/NDL[PractitionerRole]",
        }
    }

    fn part<'m>(self, level: &Level, field: Field<'m>) -> Field<'m> {
        field.component(match self {
            Self::Pl => level.part,
            Self::Ndl => level.ndl_part,
        })
    }

    fn row(self, level: &Level) -> usize {
        match self {
            Self::Pl => level.row,
            Self::Ndl => level.ndl_row,
        }
    }
}

/// `datatypes/PL[Location]`: writes each level that is there, each a part of the next, and a
/// reference to the finest.
pub fn pl(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    let target = pl_place(refs, field);
    reference(w, key, target)
}

/// The same, with what other fields say of the finest level.
pub fn pl_with(
    w: &mut Writer,
    key: &str,
    refs: &mut Refs<'_, '_>,
    field: Field<'_>,
    more: impl FnOnce(&mut Writer),
) -> bool {
    if !field.is_valued() {
        return false;
    }
    let mut more = Some(more);
    let target = place(Type::Pl, refs, field, 0, &mut |w| {
        if let Some(more) = more.take() {
            more(w);
        }
    });
    reference(w, key, target)
}

/// The same, and answers what a reference to the finest level says.
pub fn pl_place(refs: &mut Refs<'_, '_>, field: Field<'_>) -> Option<Urn> {
    if !field.is_valued() {
        return None;
    }
    place(Type::Pl, refs, field, 0, &mut |_| {})
}

/// The places of an NDL, into an array.
pub(super) fn ndl(w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    let target = place(Type::Ndl, refs, field, 0, &mut |_| {});
    reference(w, "", target)
}

/// The finest level that is there from `from` on, and behind it the coarser ones.
fn place(
    kind: Type,
    refs: &mut Refs<'_, '_>,
    field: Field<'_>,
    from: usize,
    more: &mut dyn FnMut(&mut Writer),
) -> Option<Urn> {
    let is_finest = from == 0;
    let Some((at, level)) =
        LEVELS.iter().enumerate().skip(from).find(|(_, level)| kind.part(level, field).is_valued())
    else {
        return is_finest.then(|| described(kind, refs, field)).flatten();
    };
    let ctx = refs.ctx();
    let identity = if is_finest && kind == Type::Pl { comprehensive(ctx, field) } else { None };
    refs.place("Location", identity, |w, refs| {
        let (id, row) = (kind.id(), kind.row(level));
        w.array("identifier", |w| {
            noted(id, row, identifier(w, kind, refs, kind.part(level, field), field));
            if is_finest && kind == Type::Pl {
                comprehensive_identifier(w, level, refs, field);
            }
        });
        if is_finest && kind == Type::Pl {
            noted(id, 33, w.text("description", field.component(9).text()));
        }
        noted(id, row + 1, w.text("mode", Some("instance")));
        if !level.code.is_empty() {
            let written = physical_type(w, level.code, level.display);
            noted(id, row + 2, written);
            noted(id, row + 3, written);
        }
        more(w);
        let parent = place(kind, refs, field, at + 1, &mut |_| {});
        let written = reference(w, "partOf", parent);
        noted(id, row + 4, written && level.has_parent_row);
    })
}

/// A place that has a description alone (PL.9), or a number of its own (PL.10).
fn described(kind: Type, refs: &mut Refs<'_, '_>, field: Field<'_>) -> Option<Urn> {
    if kind != Type::Pl {
        return None;
    }
    let ctx = refs.ctx();
    refs.place("Location", comprehensive(ctx, field), |w, refs| {
        w.array("identifier", |w| {
            w.element_if(|w| datatypes::ei_organization(w, refs, field.component(10)));
        });
        w.text("description", field.component(9).text());
    })
}

/// `datatypes/HD[Identifier]`: the name of a level, and its universal id.
fn identifier(
    w: &mut Writer,
    kind: Type,
    refs: &mut Refs<'_, '_>,
    part: Field<'_>,
    field: Field<'_>,
) -> bool {
    const HD: &str = "datatypes/HD[Identifier]";
    let name = w.element_if(|w| {
        let written = noted(HD, 1, w.text("value", part.component(1).text()));
        if written && kind == Type::Pl {
            noted(PL, 46, organization::hd(w, "assigner", refs, field.component(11)));
        }
        written
    });
    let id = part.component(2).is_valued()
        && w.element_if(|w| {
            organization::universal_id_type(w, HD, part.component(3));
            match datatypes::hd_urn(part) {
                Some(urn) => {
                    w.text("system", Some("urn:ietf:rfc:3986"));
                    noted(HD, 2, w.text("value", Some(urn)))
                }
                None => noted(HD, 2, w.text("value", part.component(2).text())),
            }
        });
    name || id
}

/// PL.10: what finds the place again, if it says in which system.
fn comprehensive(ctx: &Context<'_>, field: Field<'_>) -> Option<Identifier> {
    let id = field.component(10);
    datatypes::ei_key(ctx, id).filter(|it| it.system.is_some())
}

/// #34 to #45, #47.
fn comprehensive_identifier(
    w: &mut Writer,
    level: &Level,
    refs: &mut Refs<'_, '_>,
    field: Field<'_>,
) {
    let id = field.component(10);
    let authority = field.component(11);
    if !authority.is_valued() {
        let written = w.element_if(|w| datatypes::ei_organization(w, refs, id));
        noted(PL, level.identifier_rows[0], written);
        return;
    }
    w.element_if(|w| {
        w.text("system", datatypes::ei_uri(refs.ctx(), id));
        let written = datatypes::ei_default(w, id);
        noted(PL, 47, organization::hd(w, "assigner", refs, authority));
        noted(PL, level.identifier_rows[1], written);
        noted(PL, level.identifier_rows[0], written)
    });
}

fn physical_type(w: &mut Writer, code: &str, display: &str) -> bool {
    w.object("physicalType", |w| {
        w.array("coding", |w| {
            w.element(|w| {
                w.text("system", Some(PHYSICAL_TYPE));
                w.text("code", Some(code));
                w.text("display", Some(display));
            });
        });
    })
}

/// `datatypes/HD[Location]`: writes the site, and a reference to it.
pub fn hd(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    const HD: &str = "datatypes/HD[Location]";
    if !field.is_valued() {
        return false;
    }
    let target = refs.place("Location", organization::hd_identity(field), |w, _| {
        w.array("identifier", |w| {
            w.element_if(|w| match datatypes::hd_urn(field) {
                Some(urn) => {
                    w.text("system", Some("urn:ietf:rfc:3986"));
                    noted(HD, 2, w.text("value", Some(urn)))
                }
                None => w.text("value", field.component(2).text()),
            });
        });
        noted(HD, 1, w.text("name", field.component(1).text()));
        if field.component(2).is_valued() {
            let written = physical_type(w, "si", "Site");
            noted(HD, 3, written);
            noted(HD, 4, written);
        }
    });
    reference(w, key, target)
}

/// `datatypes/XON[Location]`: writes the place, and a reference to it.
pub fn xon(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    const XON: &str = "datatypes/XON[Location]";
    refs.mention(w, key, "Location", None, |w, refs| {
        w.array("identifier", |w| {
            organization::xon_identifier(w, XON, refs, field);
        });
        noted(XON, 1, w.text("name", field.component(1).text()));
    })
}

/// `datatypes/DLD[Location-Discharge]`: writes the place where the patient went, and a reference to
/// it.
pub fn dld(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    const DLD: &str = "datatypes/DLD[Location-Discharge]";
    let ctx = refs.ctx();
    refs.mention(w, key, "Location", None, |w, _| {
        w.array("type", |w| {
            let place = field.component(1);
            let table = &codes::DISCHARGED_TO_LOCATION;
            let written = w.element_if(|w| datatypes::cwe_concept_of(w, ctx, place, table));
            noted(DLD, 1, written);
        });
    })
}
