//! XPN and FN: names of persons.

use super::{dr_period, extension_text, period};
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::{codes, row};

/// `datatypes/XPN[HumanName]` as elements of an array: the name, and what the person is called.
pub fn xpn_names(w: &mut Writer, field: Field<'_>) -> bool {
    let name = w.element_if(|w| xpn_name(w, field));
    let called = field.component(15).is_valued()
        && w.element_if(|w| {
            let called = field.component(15).text();
            row("datatypes/XPN[HumanName]#17", called.is_some());
            w.text("use", Some("nickname"));
            row(
                "datatypes/XPN[HumanName]#16",
                w.array("given", |w| {
                    w.item(called);
                }),
            )
        });
    name || called
}

/// `datatypes/XPN[HumanName]`, filled: the one name.
#[inline(never)]
pub fn xpn_name(w: &mut Writer, field: Field<'_>) -> bool {
    if field.raw().is_empty() {
        return false;
    }
    let part = |number| field.component(number);
    w.array("extension", |w| {
        let url = "http://hl7.org/fhir/StructureDefinition/humanname-assembly-order";
        let order = codes::value_of(&codes::NAME_ASSEMBLY_ORDER, part(11));
        let written = extension_text(w, url, "valueCode", order);
        row("datatypes/XPN[HumanName]#11", written);
        row("datatypes/XPN[HumanName]#12", written);
    });
    let kind = codes::value_of(&codes::NAME_TYPE, part(7));
    row("datatypes/XPN[HumanName]#7", w.text("use", kind));
    // A name is more than its use.
    let before = w.len();
    row("datatypes/XPN[HumanName]#1", fn_family(w, part(1)));
    w.array("given", |w| {
        row("datatypes/XPN[HumanName]#2", w.item(part(2).text()));
        row("datatypes/XPN[HumanName]#3", w.item(part(3).text()));
    });
    w.array("prefix", |w| {
        row("datatypes/XPN[HumanName]#5", w.item(part(5).text()));
    });
    w.array("suffix", |w| {
        row("datatypes/XPN[HumanName]#4", w.item(part(4).text()));
        row("datatypes/XPN[HumanName]#6", w.item(part(6).text()));
        row("datatypes/XPN[HumanName]#15", w.item(part(14).text()));
    });
    let has_name = before < w.len();
    if part(12).is_valued() || part(13).is_valued() {
        let rows = ["datatypes/XPN[HumanName]#13", "datatypes/XPN[HumanName]#14"];
        period(w, "period", [part(12), part(13)], rows);
    } else {
        row("datatypes/XPN[HumanName]#10", w.object_if("period", |w| dr_period(w, part(10))));
    }
    has_name
}

/// `datatypes/FN[HumanName]`: the surname, and what it is made of.
#[inline(never)]
pub fn fn_family(w: &mut Writer, surname: Field<'_>) -> bool {
    let written = row("datatypes/FN[HumanName]#1", w.text("family", surname.component(1).text()));
    let has_parts = !surname.after(1).raw().is_empty();
    let parts = has_parts
        && w.object("_family", |w| {
            w.array("extension", |w| {
                for (number, url, rows) in FAMILY {
                    let part = surname.component(number).text();
                    let written = extension_text(w, url, "valueString", part.as_deref());
                    crate::v2_to_fhir::rows::rows(rows, written);
                }
            });
        });
    written || parts
}

/// Component of FN, the extension that it is, the rows that say so.
const FAMILY: [(usize, &str, &[&str]); 4] = [
    (
        2,
        "http://hl7.org/fhir/StructureDefinition/humanname-own-prefix",
        &["datatypes/FN[HumanName]#2", "datatypes/FN[HumanName]#3"],
    ),
    (
        3,
        "http://hl7.org/fhir/StructureDefinition/humanname-own-name",
        &["datatypes/FN[HumanName]#4", "datatypes/FN[HumanName]#5"],
    ),
    (
        4,
        "http://hl7.org/fhir/StructureDefinition/humanname-partner-prefix",
        &["datatypes/FN[HumanName]#6", "datatypes/FN[HumanName]#7"],
    ),
    (
        5,
        "http://hl7.org/fhir/StructureDefinition/humanname-partner-name",
        &["datatypes/FN[HumanName]#8", "datatypes/FN[HumanName]#9"],
    ),
];

/// `datatypes/XPN[string]`: the name in the order of XPN.11; `F` has the surname first.
pub fn xpn_string(field: Field<'_>) -> Option<String> {
    let family = field.component(1).text();
    let [prefix, given, further, suffix] = [5, 2, 3, 4].map(|it| field.component(it).text());
    let is_family_first = field.component(11).code() == Some("F");
    let (first, last) = if is_family_first { (family, None) } else { (None, family) };
    let mut name = String::new();
    for part in [prefix, first, given, further, last, suffix].into_iter().flatten() {
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(&part);
    }
    let is_written = !name.is_empty();
    row("datatypes/XPN[string]#1", is_written);
    is_written.then_some(name)
}
