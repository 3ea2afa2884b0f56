//! When a procedure was done: PR1-5 and its minutes, PR1-7.

use crate::hl7::Segment;
use crate::v2_to_fhir::{datatypes, row};
use crate::{Writer, is_token};

/// #6 to #10.
///
/// The end is reckoned from the start, which only a plugin that may read dates can do: a sealed start
/// is written as the time of the procedure, and its duration is lost.
pub(super) fn performed(w: &mut Writer, pr1: Segment<'_>) {
    let start = pr1.field(5);
    let begun = datatypes::date_time(start);
    if !pr1.is_valued(7) {
        row("segments/PR1[Procedure]#6", w.text("performedDateTime", begun));
        return;
    }
    let minutes = pr1.field(7).text().and_then(|it| it.trim().parse::<u32>().ok());
    let end = begun.as_deref().zip(minutes).and_then(|(begun, minutes)| later(begun, minutes));
    let Some(end) = end else {
        row("segments/PR1[Procedure]#7", w.text("performedDateTime", begun));
        return;
    };
    w.object("performedPeriod", |w| {
        row("segments/PR1[Procedure]#8", w.text("start", begun));
        row("segments/PR1[Procedure]#10", w.text("end", Some(end)));
    });
}

/// A FHIR time some minutes later, in the same offset; none if it is sealed or has no minutes.
fn later(time: &str, minutes: u32) -> Option<String> {
    if is_token(time) || time.len() < "2026-09-12T10:15".len() {
        return None;
    }
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    let [year, month, day] = [number(0, 4)?, number(5, 7)?, number(8, 10)?];
    let [hour, minute] = [number(11, 13)?, number(14, 16)?];
    let all = days(year, month, day) * 1_440 + hour * 60 + minute + i64::from(minutes);
    let (year, month, day) = date(all.div_euclid(1_440));
    let minute = all.rem_euclid(1_440);
    let two =
        |value: i64| [char::from(b'0' + (value / 10) as u8), char::from(b'0' + (value % 10) as u8)];
    let mut later = String::with_capacity(time.len());
    later.extend(two(year / 100));
    later.extend(two(year % 100));
    for (separator, value) in [('-', month), ('-', day), ('T', minute / 60), (':', minute % 60)] {
        later.push(separator);
        later.extend(two(value));
    }
    later.push_str(time.get(16..)?);
    Some(later)
}

/// Days since the first of March of year 0 (H. Hinnant, chrono-compatible low-level date algorithms).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year
}

/// The date of such a day.
fn date(days: i64) -> (i64, i64, i64) {
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + days.div_euclid(146_097) * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::later;

    #[track_caller]
    fn check(time: &str, minutes: u32, expected: Option<&str>) {
        assert_eq!(later(time, minutes).as_deref(), expected);
    }

    #[test]
    fn an_end_is_minutes_after_the_start() {
        check("2005-01-25T11:40:00+01:00", 2, Some("2005-01-25T11:42:00+01:00"));
        check("2005-12-31T23:50:07Z", 15, Some("2006-01-01T00:05:07Z"));
        check("2024-02-28T23:59:00Z", 1, Some("2024-02-29T00:00:00Z"));
        check("2023-02-28T23:59:00Z", 1, Some("2023-03-01T00:00:00Z"));
        check("1999-12-31T12:00:00-05:00", 2_880, Some("2000-01-02T12:00:00-05:00"));
    }

    #[test]
    fn a_day_or_a_sealed_time_has_no_end() {
        check("2005-01-25", 2, None);
        check("2005", 2, None);
        check("ZQ7K3M9XA2WB4T", 2, None);
    }
}
