//! NA: a list of numbers, or a table of them, as `datatypes/NA[SampledData]` has it.

use std::borrow::Cow;

use super::number::decimal;
use super::{quantity, unknown_primitive};
use crate::Writer;
use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::Context;
use crate::v2_to_fhir::rows::{self, rows};

/// Fills a SampledData of OBX-5: each repetition is a row. One row is a vector (`dimensions` 1); of a
/// table the guide wants the number of columns.
///
/// FHIR wants an origin and a period, of which HL7 v2 says nothing: the origin is 0, and the period
/// is said to be unknown.
pub fn na(w: &mut Writer, ctx: &Context<'_>, obx: Segment<'_>) -> bool {
    let separator = separator(ctx);
    let parts = |line: Field<'_>| line.raw().split(separator).count();
    let lines = obx.repetitions(5).count();
    let columns = obx.repetitions(5).map(parts).max().unwrap_or(0);
    if lines == 0 {
        return false;
    }
    let mut data = String::new();
    for line in obx.repetitions(5) {
        let mut written = 0;
        for part in line.raw().split(separator) {
            push(&mut data, &sample(part));
            written += 1;
        }
        for _ in written..columns {
            push(&mut data, "E");
        }
        note(line, columns);
    }
    w.object("origin", |w| {
        w.number("value", Some("0"));
        quantity::unit(w, ctx, obx.field(6));
    });
    unknown_primitive(w, "_period");
    let dimensions = if lines == 1 { 1 } else { columns };
    w.number("dimensions", Some(dimensions.to_string()));
    let written = w.text("data", Some(&data));
    let ids: &'static [&'static str] = match columns {
        1 => &ROWS[..1],
        2 => &ROWS[..2],
        3 => &ROWS[..3],
        _ => &ROWS,
    };
    rows(ids, written)
}

const ROWS: [&str; 4] = [
    "datatypes/NA[SampledData]#2",
    "datatypes/NA[SampledData]#3",
    "datatypes/NA[SampledData]#4",
    "datatypes/NA[SampledData]#5",
];

/// What MSH-2 begins with. The parts of a waveform are many, and numbers have no escapes, so a row
/// is split once.
fn separator(ctx: &Context<'_>) -> char {
    let declared = ctx.hl7.first("MSH").and_then(|msh| msh.field(2).raw().chars().next());
    declared.unwrap_or('^')
}

fn push(data: &mut String, sample: &str) {
    if !data.is_empty() {
        data.push(' ');
    }
    data.push_str(sample);
}

/// One number, or FHIR's `E`: there is none.
fn sample(part: &str) -> Cow<'_, str> {
    decimal(part).unwrap_or(Cow::Borrowed("E"))
}

/// Every number was used.
fn note(line: Field<'_>, columns: usize) {
    if rows::is_on() {
        for column in 1..=columns {
            line.component(column).code();
        }
    }
}
