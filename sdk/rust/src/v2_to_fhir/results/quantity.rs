//! Numbers with units: `datatypes/NM[Quantity]`, `SN[…]`, `CQ[Quantity]`, `NR[Range]`,
//! `CWE[Quantity]`.
//!
//! Each function fills an object that the caller opened, and answers whether it is worth keeping.

use super::number::{decimal, measured};
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::rows::row;
use crate::v2_to_fhir::{Context, datatypes};

/// Writes unit, system and code: `datatypes/CWE[Quantity]`. FHIR takes a code only beside its
/// system.
pub fn unit(w: &mut Writer, ctx: &Context<'_>, units: Field<'_>) -> bool {
    let [code, text, system] = [1, 2, 3].map(|number| units.component(number).text());
    let written = match (&text, &code) {
        (Some(text), _) => row("datatypes/CWE[Quantity]#3", w.text("unit", Some(text))),
        (None, Some(code)) => row("datatypes/CWE[Quantity]#2", w.text("unit", Some(code))),
        (None, None) => false,
    };
    if let (Some(code), Some(system)) = (&code, &system)
        && let Some(uri) = datatypes::system_of(ctx, system)
    {
        row("datatypes/CWE[Quantity]#4", w.text("system", Some(uri)));
        row("datatypes/CWE[Quantity]#1", w.text("code", Some(code)));
    }
    written
}

/// Writes a number, with the comparator that laboratories put before it.
pub fn nm(w: &mut Writer, number: Field<'_>) -> bool {
    let Some(text) = number.text() else {
        return false;
    };
    let Some(number) = measured(&text) else {
        return false;
    };
    let written = w.number("value", Some(&number.value));
    w.text("comparator", number.comparator);
    row("datatypes/NM[Quantity]#1", written)
}

/// What a structured numeric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// `^1^:^128`
    Ratio,
    /// `^2^-^4`
    Range,
    /// `^182`, `>^10`
    Quantity,
    /// `2^+`, `<>^5`, and what is none of the others.
    Text,
}

/// What an SN is: the guide's conditions, and text where the numbers that it would need are none.
pub fn structure(sn: Field<'_>) -> Structure {
    let part = |number| sn.component(number).code().unwrap_or_default();
    let is_number =
        |number| sn.component(number).text().is_some_and(|text| decimal(&text).is_some());
    match part(3) {
        _ if part(1) == "<>" => Structure::Text,
        ":" | "/" if is_number(2) && is_number(4) => Structure::Ratio,
        "-" if is_number(2) || is_number(4) => Structure::Range,
        ":" | "/" | "-" | "+" => Structure::Text,
        _ if is_number(2) => Structure::Quantity,
        // `<0.10` in the comparator's place.
        _ if !sn.component(2).is_valued() && measured(part(1)).is_some() => Structure::Quantity,
        _ => Structure::Text,
    }
}

/// The comparators that FHIR has; equal is none.
fn comparator(sn: Field<'_>) -> Option<&'static str> {
    let code = sn.component(1).text()?;
    ["<=", ">=", "<", ">"].into_iter().find(|it| *it == code)
}

/// Writes comparator and value of an SN: `datatypes/SN[Quantity]`.
pub fn sn_quantity(w: &mut Writer, sn: Field<'_>) -> bool {
    if !sn.component(2).is_valued() {
        let Some(text) = sn.component(1).text() else {
            return false;
        };
        let Some(number) = measured(&text) else {
            return false;
        };
        row("datatypes/SN[Quantity]#3", w.text("comparator", number.comparator));
        return w.number("value", Some(number.value));
    }
    row("datatypes/SN[Quantity]#3", w.text("comparator", comparator(sn)));
    row("datatypes/SN[Quantity]#4", value(w, sn.component(2)))
}

/// Writes low and high of an SN: `datatypes/SN[Range]`. `unit` is told for each.
pub fn sn_range(w: &mut Writer, sn: Field<'_>, unit: impl Fn(&mut Writer, Bound)) -> bool {
    let low = w.object("low", |w| {
        row("datatypes/SN[Range]#4", value(w, sn.component(2)));
        unit(w, Bound::Low);
    });
    let high = w.object("high", |w| {
        row("datatypes/SN[Range]#6", value(w, sn.component(4)));
        unit(w, Bound::High);
    });
    low || high
}

/// Writes numerator and denominator of an SN: `datatypes/SN[Ratio]`.
pub fn sn_ratio(w: &mut Writer, sn: Field<'_>, unit: impl Fn(&mut Writer, Bound)) -> bool {
    let numerator = w.object("numerator", |w| {
        row("datatypes/SN[Ratio]#3", w.text("comparator", comparator(sn)));
        row("datatypes/SN[Ratio]#4", value(w, sn.component(2)));
        unit(w, Bound::Low);
    });
    let denominator = w.object("denominator", |w| {
        row("datatypes/SN[Ratio]#6", value(w, sn.component(4)));
        unit(w, Bound::High);
    });
    numerator && denominator
}

/// Which of two quantities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The low end, the numerator.
    Low,
    /// The high end, the denominator.
    High,
}

/// Writes low and high of an NR: `datatypes/NR[Range]`.
pub fn nr_range(w: &mut Writer, ctx: &Context<'_>, nr: Field<'_>, units: Field<'_>) -> bool {
    let low = w.object_if("low", |w| {
        let written = row("datatypes/NR[Range]#1", value(w, nr.component(1)));
        unit(w, ctx, units);
        written
    });
    let high = w.object_if("high", |w| {
        let written = row("datatypes/NR[Range]#2", value(w, nr.component(2)));
        unit(w, ctx, units);
        written
    });
    low || high
}

/// Writes a CQ: `datatypes/CQ[Quantity]`. Its unit is a CWE whose parts are subcomponents.
pub fn cq(w: &mut Writer, ctx: &Context<'_>, cq: Field<'_>) -> bool {
    let written = row("datatypes/CQ[Quantity]#1", value(w, cq.component(1)));
    let units = cq.component(2);
    let [code, system] = [1, 3].map(|number| units.component(number).text());
    let name = row("datatypes/CQ[Quantity]#2", w.text("unit", datatypes::cwe_string(units)));
    if let (Some(code), Some(system)) = (&code, &system)
        && let Some(uri) = datatypes::system_of(ctx, system)
    {
        w.text("system", Some(uri));
        w.text("code", Some(code));
    }
    written || name
}

fn value(w: &mut Writer, number: Field<'_>) -> bool {
    match number.text() {
        Some(text) => w.number("value", decimal(&text)),
        None => false,
    }
}
