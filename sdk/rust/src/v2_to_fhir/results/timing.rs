//! When and how often: `datatypes/RPT[Timing]`, `RI[Timing]`, `TQ[ServiceRequest]`.
//!
//! Each function fills an object that the caller opened, and answers whether it is worth keeping.

use super::number::decimal;
use super::text::whole;
use crate::Writer;
use crate::hl7::Field;
use crate::is_token;
use crate::v2_to_fhir::codes::{self, EVENT_RELATED_PERIOD, REPEAT_PATTERN};
use crate::v2_to_fhir::datatypes;
use crate::v2_to_fhir::rows::row;

/// Writes the code of a timing: `datatypes/RPT[Timing]#1`, `RI[Timing]#1`.
pub fn repeat_pattern(w: &mut Writer, pattern: Field<'_>) -> bool {
    let code = pattern.component(1);
    let Some(text) = code.text() else {
        return false;
    };
    w.object("code", |w| {
        let known = w.array("coding", |w| {
            codes::coding(w, "", &REPEAT_PATTERN, &text);
        });
        if !known {
            w.text("text", Some(&text));
        }
    })
}

/// Writes the members of `repeat` that an RPT has: `datatypes/RPT[Timing]`. An event stands only where
/// no times of the day do (tim-10), and an offset only with an event (tim-9): the RPT's own, or
/// `start`, the amount of TQ1-5; answers whether it was that.
pub fn rpt_repeat(w: &mut Writer, rpt: Field<'_>, is_timed: bool, start: Field<'_>) -> bool {
    if rpt.component(2).code() == Some("DW") {
        w.array("dayOfWeek", |w| {
            row("datatypes/RPT[Timing]#3", w.item(day_of_week(rpt.component(3))));
            row("datatypes/RPT[Timing]#4", w.item(day_of_week(rpt.component(4))));
        });
    }
    // tim-2: a period has a unit. A unit that FHIR has not leaves both out.
    let period = rpt.component(5).text();
    if let (Some(period), Some(unit)) = (period, unit_of_time(rpt.component(6)))
        && let Some(period) = decimal(&period)
    {
        row("datatypes/RPT[Timing]#5", w.number("period", Some(period)));
        row("datatypes/RPT[Timing]#6", w.text("periodUnit", Some(unit)));
    }
    if is_timed {
        return false;
    }
    let when = rpt.component(8).text();
    let when = when.and_then(|it| codes::value(&EVENT_RELATED_PERIOD, &it));
    let written = w.array("when", |w| {
        w.item(when);
    });
    if !row("datatypes/RPT[Timing]#8", written) || matches!(when, Some("C" | "CM" | "CD" | "CV")) {
        return false;
    }
    if rpt.component(9).is_valued() {
        let offset = minutes(rpt.component(9), rpt.component(10));
        row("datatypes/RPT[Timing]#9", w.number("offset", offset));
        return false;
    }
    let offset = minutes(start.component(1), start.component(2));
    row("datatypes/CQ[unsignedInt]#1", w.number("offset", offset))
}

/// Writes the times of a day as FHIR's time: `11:30:05`. A sealed time cannot be written anew.
pub fn times_of_day<'m>(w: &mut Writer, times: impl Iterator<Item = Field<'m>>) -> bool {
    w.array("timeOfDay", |w| {
        for time in times {
            w.item(time.text().and_then(|it| time_of_day(&it)));
        }
    })
}

/// `1130`, `11:30`, `113005`, `11:30:05.5` as FHIR's time.
pub fn time_of_day(text: &str) -> Option<String> {
    let text = text.split(['+', '-', 'Z']).next()?;
    let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = digits.chars().filter(|it| *it != ':').collect();
    let is_digits = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    if !is_digits(&digits) || !is_digits(fraction) || !digits.len().is_multiple_of(2) {
        return None;
    }
    let pair = |at: usize| digits.get(at..at + 2);
    let [hour, minute, second] = [pair(0)?, pair(2).unwrap_or("00"), pair(4).unwrap_or("00")];
    if 6 < digits.len() || "23" < hour || "59" < minute || "60" < second {
        return None;
    }
    let point = if fraction.is_empty() || digits.len() < 6 { "" } else { "." };
    let fraction = if point.is_empty() { "" } else { fraction };
    Some([hour, ":", minute, ":", second, point, fraction].concat())
}

/// The day of a number, 1 for Monday.
fn day_of_week(day: Field<'_>) -> Option<&'static str> {
    let day = day.text()?.parse::<usize>().ok()?.checked_sub(1)?;
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].get(day).copied()
}

/// FHIR's units of time, by their UCUM codes and by what senders write.
pub fn unit_of_time(unit: Field<'_>) -> Option<&'static str> {
    let unit = unit.component(1).text()?;
    unit_named(&unit)
}

fn unit_named(unit: &str) -> Option<&'static str> {
    let unit = match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => "s",
        "min" | "minute" | "minutes" => "min",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "wk" | "week" | "weeks" => "wk",
        "mo" | "month" | "months" => "mo",
        "a" | "yr" | "year" | "years" => "a",
        _ => return None,
    };
    Some(unit)
}

/// An amount of time in whole minutes: what FHIR's offset wants. Rounded up, so that no amount is 0.
pub fn minutes(amount: Field<'_>, unit: Field<'_>) -> Option<String> {
    let amount: f64 = amount.component(1).text()?.parse().ok()?;
    let seconds = match unit_of_time(unit)? {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    let minutes = (amount * seconds / 60.0).ceil();
    (0.0..=2_147_483_647.0).contains(&minutes).then(|| format!("{minutes:.0}"))
}

/// Fills a `boundsDuration` with the amount of a CQ: `30^s`.
pub fn duration(w: &mut Writer, amount: Field<'_>, unit: Field<'_>) -> bool {
    let Some(amount) = amount.text() else {
        return false;
    };
    let written = w.number("value", decimal(&amount));
    let known = unit.component(1).text().and_then(|it| unit_named(&it));
    match known {
        Some(code) => {
            w.text("unit", Some(code));
            w.text("system", Some("http://unitsofmeasure.org"));
            w.text("code", Some(code));
        }
        None => {
            let name = unit.component(2).text().or_else(|| unit.component(1).text());
            w.text("unit", name);
        }
    }
    written
}

/// `M30`, `H2`, `D10`, `W1`, `L3`: the amount and unit of TQ.3.
fn tq_duration(text: &str) -> Option<(&str, &'static str)> {
    let amount = text.get(1..)?;
    let unit = match text.get(..1)? {
        "S" => "s",
        "M" => "min",
        "H" => "h",
        "D" => "d",
        "W" => "wk",
        "L" => "mo",
        _ => return None,
    };
    let is_number = !amount.is_empty() && amount.bytes().all(|it| it.is_ascii_digit());
    is_number.then_some((amount, unit))
}

/// Writes the moment of a timing.
pub fn event(w: &mut Writer, moment: Option<&str>) {
    w.array("event", |w| {
        w.item(moment);
    });
}

/// Writes an `occurrenceTiming` of a TQ, and a moment that it is to be at: `datatypes/TQ[ServiceRequest]`.
pub fn tq_timing(w: &mut Writer, tq: Field<'_>, moment: Option<&str>) -> bool {
    w.object("occurrenceTiming", |w| {
        event(w, moment);
        let interval = tq.component(2);
        let pattern = interval.component(1);
        let coded = row("datatypes/RI[Timing]#1", repeat_pattern(w, pattern));
        let mut timed = false;
        w.object("repeat", |w| {
            let explicit = interval.component(2).text().and_then(|it| time_of_day(&it));
            timed = w.array("timeOfDay", |w| {
                row("datatypes/RI[Timing]#2", w.item(explicit));
            });
            tq_bounds(w, tq);
            let count = tq.component(12).text();
            let count = count.filter(|it| is_token(it) || is_positive(it));
            row("datatypes/TQ[ServiceRequest]#15", w.number("count", count));
        });
        row("datatypes/TQ[ServiceRequest]#2", coded || timed);
    })
}

fn is_positive(text: &str) -> bool {
    text.parse::<i32>().is_ok_and(|it| 0 < it)
}

/// FHIR takes one of period and duration; the period says more.
fn tq_bounds(w: &mut Writer, tq: Field<'_>) {
    let period = w.object("boundsPeriod", |w| {
        row(
            "datatypes/TQ[ServiceRequest]#7",
            w.text("start", datatypes::date_time(tq.component(4))),
        );
        row("datatypes/TQ[ServiceRequest]#8", w.text("end", datatypes::date_time(tq.component(5))));
    });
    let text = tq.component(3).text();
    if let (false, Some((amount, unit))) = (period, text.as_deref().and_then(tq_duration)) {
        w.object("boundsDuration", |w| {
            row("datatypes/TQ[ServiceRequest]#3", w.number("value", decimal(amount)));
            row("datatypes/TQ[ServiceRequest]#4", w.text("unit", Some(unit)));
            let system = w.text("system", Some("http://unitsofmeasure.org"));
            row("datatypes/TQ[ServiceRequest]#5", system);
            w.text("code", Some(unit));
        });
    }
}

/// The note of a TQ: its instructions.
pub fn tq_note(w: &mut Writer, tq: Field<'_>) -> bool {
    w.element_if(|w| row("datatypes/TQ[ServiceRequest]#11", w.text("text", whole(tq.component(8)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_written_as_fhir_writes_it() {
        for (text, expected) in [
            ("1130", Some("11:30:00")),
            ("11:30:05", Some("11:30:05")),
            ("113005.25", Some("11:30:05.25")),
            ("0830+0100", Some("08:30:00")),
            ("08", Some("08:00:00")),
            ("2460", None),
            ("noon", None),
            ("", None),
            ("ZQ7K3M9XA2WB4T", None),
        ] {
            assert_eq!(time_of_day(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_duration_of_tq_is_a_letter_and_a_number() {
        assert_eq!(tq_duration("M30"), Some(("30", "min")));
        assert_eq!(tq_duration("INDEF"), None);
        assert_eq!(tq_duration("X"), None);
        assert_eq!(tq_duration(""), None);
    }
}
