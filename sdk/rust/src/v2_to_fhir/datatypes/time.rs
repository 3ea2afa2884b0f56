//! DTM, TS, DT, DR: dates, times and periods.

use crate::hl7::Field;
use crate::v2_to_fhir::row;
use crate::{Writer, conversions, is_token};

/// A date: the day alone, whatever the field says of the time. None if it is none.
#[inline(never)]
pub fn date(field: Field<'_>) -> Option<String> {
    conversions::fhir_date(&field.text()?)
}

/// `datatypes/DTM[dateTime]`, `datatypes/TS[dateTime]`: as precise as it is. None if it is none.
#[inline(never)]
pub fn date_time(field: Field<'_>) -> Option<String> {
    let value = conversions::fhir_date_time(&field.text()?);
    row("datatypes/DTM[dateTime]#1", value.is_some());
    row("datatypes/TS[dateTime]#1", value.is_some());
    value
}

/// A moment, to the second. None if the field has no time, or is sealed: a token does not tell
/// whether it has one.
pub fn instant(field: Field<'_>) -> Option<String> {
    let value = date_time(field)?;
    (!is_token(&value) && value.contains('T')).then_some(value)
}

/// `datatypes/DR[Period]`, filled.
pub fn dr_period(w: &mut Writer, field: Field<'_>) -> bool {
    let start = row("datatypes/DR[Period]#1", w.text("start", date_time(field.component(1))));
    let end = row("datatypes/DR[Period]#2", w.text("end", date_time(field.component(2))));
    start || end
}

/// `datatypes/DR[dateTime]`.
pub fn dr_start(field: Field<'_>) -> Option<String> {
    let value = date_time(field.component(1));
    row("datatypes/DR[dateTime]#1", value.is_some());
    value
}

/// Writes a period of two fields, with the rows that they are of.
#[inline(never)]
pub fn period(
    w: &mut Writer,
    key: &str,
    [start, end]: [Field<'_>; 2],
    [start_row, end_row]: [&'static str; 2],
) -> bool {
    if start.raw().is_empty() && end.raw().is_empty() {
        return false;
    }
    w.object(key, |w| {
        row(start_row, w.text("start", date_time(start)));
        row(end_row, w.text("end", date_time(end)));
    })
}
