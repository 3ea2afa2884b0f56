//! OBX-5, by the type that OBX-2 names: `value[x]` of an Observation or of one of its components.

use std::borrow::Cow;

use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::results::quantity::{self, Bound, Structure};
use crate::v2_to_fhir::results::text::{spaced, whole};
use crate::v2_to_fhir::results::{noted, sampled, timing};
use crate::v2_to_fhir::{Context, datatypes};
use crate::{Writer, conversions};

/// A map of the guide, and the numbers of its rows for OBX-5 and OBX-6.
pub(super) struct Map {
    pub(super) id: &'static str,
    nm: usize,
    text: usize,
    cf: usize,
    cne: usize,
    ce: usize,
    cwe: usize,
    is: usize,
    dr: usize,
    date_time: usize,
    nr: usize,
    vr: usize,
    tm: usize,
    /// SN as a text: `<>`, `+`, and all else.
    sn_text: [usize; 3],
    sn_ratio: usize,
    sn_range: usize,
    sn_quantity: usize,
    na: usize,
    /// OBX-6 of NM, of an SN that is a quantity, and of low, high, numerator and denominator.
    unit: usize,
    unit_of_sn: usize,
    unit_of_range: [usize; 2],
    unit_of_ratio: [usize; 2],
    /// Url and value of the extension that holds an ED, an RP.
    pub(super) ed: [usize; 2],
    pub(super) rp: [usize; 2],
}

pub(super) const OBSERVATION: Map = Map {
    id: "segments/OBX[Observation]",
    nm: 5,
    text: 6,
    cf: 7,
    cne: 8,
    ce: 9,
    cwe: 10,
    is: 11,
    dr: 12,
    date_time: 13,
    nr: 14,
    vr: 15,
    tm: 16,
    sn_text: [17, 20, 22],
    sn_ratio: 18,
    sn_range: 19,
    sn_quantity: 21,
    na: 23,
    unit: 29,
    unit_of_sn: 30,
    unit_of_range: [31, 32],
    unit_of_ratio: [33, 34],
    ed: [24, 25],
    rp: [27, 28],
};

pub(super) const COMPONENT: Map = Map {
    id: "segments/OBX[Observation-Component]",
    nm: 6,
    text: 7,
    cf: 8,
    cne: 9,
    ce: 10,
    cwe: 11,
    is: 12,
    dr: 13,
    date_time: 14,
    nr: 15,
    vr: 16,
    tm: 17,
    sn_text: [18, 21, 23],
    sn_ratio: 19,
    sn_range: 20,
    sn_quantity: 22,
    // A component has no array: the message map sends NA to OBX[Observation].
    na: 0,
    unit: 32,
    unit_of_sn: 33,
    unit_of_range: [34, 35],
    unit_of_ratio: [36, 37],
    ed: [25, 26],
    rp: [29, 30],
};

/// Whether a type has a row of its own in the guide. What has none is kept as a text.
pub(super) fn is_document(kind: &str) -> bool {
    matches!(kind, "ED" | "RP")
}

/// Writes `value[x]` of one repetition of OBX-5.
pub(super) fn value(
    w: &mut Writer,
    map: &Map,
    ctx: &Context<'_>,
    obx: Segment<'_>,
    kind: &str,
    value: Field<'_>,
) -> bool {
    let note = |number, written| noted(map.id, number, written);
    let unit = obx.field(6);
    match kind {
        _ if kind == "NA" && map.na != 0 => {
            let written = w.object_if("valueSampledData", |w| sampled::na(w, ctx, obx));
            note(map.na, written)
        }
        _ if !value.is_valued() => false,
        "NM" => quantity_of(w, map, ctx, value, unit) || text(w, value),
        "SN" => structured(w, map, ctx, value, unit),
        "ST" | "TX" | "FT" => note(map.text, text(w, value)),
        "CF" => note(map.cf, concept(w, |w| datatypes::cf_concept(w, ctx, value))),
        "CNE" => note(map.cne, concept(w, |w| datatypes::cne_concept(w, ctx, value))),
        "CE" => note(map.ce, concept(w, |w| datatypes::ce_concept(w, ctx, value))),
        "CWE" => note(map.cwe, concept(w, |w| datatypes::cwe_concept(w, ctx, value))),
        "IS" | "ID" => note(map.is, concept(w, |w| datatypes::id_concept(w, value, None))),
        "DR" => {
            let written = w.object_if("valuePeriod", |w| datatypes::dr_period(w, value));
            note(map.dr, written) || text(w, value)
        }
        "DT" | "DTM" | "TS" => {
            let time = value.text().and_then(|it| conversions::fhir_date_time(&it));
            note(map.date_time, w.text("valueDateTime", time)) || text(w, value)
        }
        "NR" => {
            let fill = |w: &mut Writer| quantity::nr_range(w, ctx, value, unit);
            note(map.nr, w.object_if("valueRange", fill)) || text(w, value)
        }
        "TM" => {
            let time = value.text().and_then(|it| timing::time_of_day(&it));
            note(map.tm, w.text("valueTime", time)) || text(w, value)
        }
        "VR" => {
            let [low, high] = [1, 2].map(|it| value.component(it).text());
            let range = [low.as_deref(), Some("-"), high.as_deref()].map(Option::unwrap_or_default);
            note(map.vr, w.text("valueString", Some(range.concat())))
        }
        _ => text(w, value),
    }
}

fn quantity_of(
    w: &mut Writer,
    map: &Map,
    ctx: &Context<'_>,
    value: Field<'_>,
    unit: Field<'_>,
) -> bool {
    w.object_if("valueQuantity", |w| {
        let written = noted(map.id, map.nm, quantity::nm(w, value));
        noted(map.id, map.unit, quantity::unit(w, ctx, unit));
        written
    })
}

fn concept(w: &mut Writer, fill: impl FnOnce(&mut Writer) -> bool) -> bool {
    w.object_if("valueCodeableConcept", fill)
}

fn text(w: &mut Writer, value: Field<'_>) -> bool {
    w.text("valueString", whole(value))
}

/// SN: the guide's conditions, in `quantity::structure`.
fn structured(
    w: &mut Writer,
    map: &Map,
    ctx: &Context<'_>,
    sn: Field<'_>,
    unit: Field<'_>,
) -> bool {
    let unit_of = |rows: [usize; 2]| {
        move |w: &mut Writer, bound: Bound| {
            let row = rows[usize::from(bound == Bound::High)];
            noted(map.id, row, quantity::unit(w, ctx, unit));
        }
    };
    match quantity::structure(sn) {
        Structure::Quantity => {
            let written = w.object_if("valueQuantity", |w| {
                let written = quantity::sn_quantity(w, sn);
                noted(map.id, map.unit_of_sn, quantity::unit(w, ctx, unit));
                written
            });
            noted(map.id, map.sn_quantity, written)
        }
        Structure::Ratio => {
            let fill = |w: &mut Writer| quantity::sn_ratio(w, sn, unit_of(map.unit_of_ratio));
            noted(map.id, map.sn_ratio, w.object_if("valueRatio", fill))
        }
        Structure::Range => {
            let fill = |w: &mut Writer| quantity::sn_range(w, sn, unit_of(map.unit_of_range));
            noted(map.id, map.sn_range, w.object_if("valueRange", fill))
        }
        Structure::Text => {
            let parts = [1, 2, 3, 4].map(|it| sn.component(it).text());
            let parts = parts.into_iter().chain([unit_text(unit)]);
            let written = w.text("valueString", Some(spaced(parts)));
            let row = match (sn.component(1).code(), sn.component(3).code()) {
                (Some("<>"), _) => map.sn_text[0],
                (_, Some("+")) => map.sn_text[1],
                _ => map.sn_text[2],
            };
            noted(map.id, row, written)
        }
    }
}

fn unit_text(unit: Field<'_>) -> Option<Cow<'_, str>> {
    unit.component(1).text().or_else(|| unit.component(2).text())
}
