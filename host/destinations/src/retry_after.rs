//! `Retry-After` (RFC 9110 §10.2.3): seconds, or a date in the preferred form.

use std::time::Duration;

use hilum_words::Timestamp;

/// The wait that the header asks for, counted from `now`. A date that has passed is no wait; a
/// value that is neither is none.
pub(crate) fn parse(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit()) {
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    Some(date(value)?.since(now))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`. The two obsolete forms of RFC 9110 §5.6.7 are not read: nothing
/// that sends `Retry-After` writes them.
fn date(text: &str) -> Option<Timestamp> {
    let parts: Vec<&str> = text.split([' ', ':']).collect();
    let &[_, day, month, year, hour, minute, second, "GMT"] = parts.as_slice() else {
        return None;
    };
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|it| *it == month)?;
    let number = |text: &str, below: i64| text.parse().ok().filter(|it| (0..below).contains(it));
    let (year, day) = (number(year, 10_000)?, number(day, 32)?);
    let (hour, minute, second) = (number(hour, 24)?, number(minute, 60)?, number(second, 61)?);
    let days = days_from_epoch(year, i64::try_from(month).ok()? + 1, day);
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp::from_micros(seconds * 1_000_000))
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, counting years from March so that the
/// leap day is the last of its year.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    // 2026-11-24T09:03:28Z
    const NOW: Timestamp = Timestamp::from_micros(1_795_511_008_000_000);

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(parse("120", NOW), Some(Duration::from_secs(120)));
        assert_eq!(parse(" 0 ", NOW), Some(Duration::ZERO));
        assert_eq!(parse("99999999999999999999999", NOW), Some(Duration::MAX));
        assert_eq!(parse("Tue, 24 Nov 2026 09:04:28 GMT", NOW), Some(Duration::from_secs(60)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT", NOW), Some(Duration::ZERO));
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "soon", "-5", "1.5", "Tue, 24 Nov 2026", "Tue, 24 Foo 2026 09:04:28 GMT"] {
            assert_eq!(parse(text, NOW), None, "{text}");
        }
    }
}
