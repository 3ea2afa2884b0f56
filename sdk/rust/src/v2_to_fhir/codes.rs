//! The guide's code tables: `codesystems/…`.
//!
//! [`tables`] is generated from the guide's files; a test makes it again and compares. A code that
//! is sealed is in no table: its token says nothing, and what it stands for can be looked up by the
//! host alone.

mod tables;

pub use tables::*;

use crate::hl7::Field;
use crate::{Writer, coverage};

/// A table of the guide: codes of HL7 v2, and what they are in FHIR.
#[derive(Debug)]
pub struct Table {
    /// `codesystems/MaritalStatus`.
    pub id: &'static str,
    /// The v2 table as a code system, for a code that the guide's table does not have.
    pub v2_system: &'static str,
    systems: &'static [&'static str],
    /// Sorted by the v2 code; those of the same code stand in the guide's order.
    rows: &'static [Row],
}

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    v2: &'static str,
    /// The FHIR code.
    pub code: &'static str,
    /// What FHIR calls it; may be empty.
    pub display: &'static str,
    system: u8,
    number: u16,
}

/// The row of a code; none if the table has no such code.
#[inline(never)]
pub fn find(table: &'static Table, v2: &str) -> Option<&'static Row> {
    let rows = table.rows;
    let at = rows.partition_point(|it| it.v2 < v2);
    let row = rows.get(at).filter(|it| it.v2 == v2)?;
    if coverage::is_on() {
        coverage::row(table.id, usize::from(row.number));
    }
    Some(row)
}

/// The FHIR code alone, for an element whose value set is fixed.
pub fn value(table: &'static Table, v2: &str) -> Option<&'static str> {
    find(table, v2).map(|it| it.code)
}

/// The FHIR code of the first value in a field.
pub fn value_of(table: &'static Table, field: Field<'_>) -> Option<&'static str> {
    value(table, &field.text()?)
}

/// The code system of a row.
pub fn system(table: &'static Table, row: &Row) -> &'static str {
    table.systems.get(usize::from(row.system)).copied().unwrap_or_default()
}

/// Writes the Coding of a code, if the table has it. An empty key is an element of an array.
pub fn coding(w: &mut Writer, key: &str, table: &'static Table, v2: &str) -> bool {
    match find(table, v2) {
        Some(row) => write(w, key, table, row),
        None => false,
    }
}

/// Writes the Coding of a row.
#[inline(never)]
pub fn write(w: &mut Writer, key: &str, table: &'static Table, row: &Row) -> bool {
    w.object(key, |w| {
        w.text("system", Some(system(table, row)));
        w.text("code", Some(row.code));
        w.text("display", Some(row.display));
    })
}

/// `codesystems/YesNoIndicator`: `Y` and `N`.
pub fn yes_no(field: Field<'_>) -> Option<bool> {
    match value_of(&YES_NO_INDICATOR, field)? {
        "true" => Some(true),
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests;
