//! The contract's conversions for values that are open.
//!
//! A timestamp without an offset is taken for UTC: a desk has no time zone.

/// One way to re-write a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conversion {
    /// `19800312` to `1980-03-12`.
    FhirDate,
    /// `20260912101500+0200` to `2026-09-12T10:15:00+02:00`.
    FhirDateTime,
    /// `1980-03-12` to `19800312`.
    Hl7Date,
    /// All letters as capitals.
    UpperCase,
    /// All letters small.
    LowerCase,
    /// Without blanks before and after.
    Trim,
    /// The digits 0 to 9 alone.
    Digits,
    /// The first letter alone.
    FirstLetter,
}

impl Conversion {
    /// The value, re-written. None if it had to be a date and is none.
    pub fn apply(self, value: &str) -> Option<String> {
        match self {
            Self::FhirDate => Moment::read(value).map(|it| it.date),
            Self::FhirDateTime => Moment::read(value).map(|it| [it.date, it.time].concat()),
            Self::Hl7Date => Moment::read(value).map(|it| it.date.replace('-', "")),
            Self::UpperCase => Some(value.to_uppercase()),
            Self::LowerCase => Some(value.to_lowercase()),
            Self::Trim => Some(value.trim().to_owned()),
            Self::Digits => Some(value.chars().filter(char::is_ascii_digit).collect()),
            Self::FirstLetter => {
                let first = value.chars().find(|it| it.is_alphabetic());
                Some(first.map(String::from).unwrap_or_default())
            }
        }
    }
}

/// A timestamp, in FHIR's way of writing.
struct Moment {
    /// As precise as it was.
    date: String,
    /// With `T` and the offset; empty if there is no time.
    time: String,
}

impl Moment {
    /// `YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]`, or FHIR's own way.
    fn read(value: &str) -> Option<Self> {
        let value = value.trim();
        let (stamp, offset) = split_offset(value);
        let stamp: String = stamp.chars().filter(|it| !matches!(it, '-' | ':' | 'T')).collect();
        let (digits, fraction) = stamp.split_once('.').unwrap_or((&stamp, ""));
        let is_number = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
        let is_right = matches!(digits.len(), 4 | 6 | 8 | 10 | 12 | 14)
            && is_number(digits)
            && is_number(fraction)
            && fraction.len() <= 9
            && (digits.len() == 14 || fraction.is_empty());
        if !is_right {
            return None;
        }
        let part = |at: usize| digits.get(at..at + 2);
        let number = |at: usize| part(at).and_then(|it| it.parse::<u32>().ok());
        let year: u32 = digits.get(..4)?.parse().ok()?;
        let (month, day) = (number(4).unwrap_or(1), number(6).unwrap_or(1));
        let is_time = number(8).unwrap_or(0) < 24
            && number(10).unwrap_or(0) < 60
            && number(12).unwrap_or(0) <= 60;
        if year == 0 || !is_time || day == 0 || days_of(year, month) < day {
            return None;
        }
        let parts = [digits.get(..4), part(4), part(6)];
        let date = parts.into_iter().flatten().collect::<Vec<_>>().join("-");
        let time = match part(8) {
            None => String::new(),
            Some(hour) => {
                let [minute, second] = [10, 12].map(|at| part(at).unwrap_or("00"));
                let point = if fraction.is_empty() { "" } else { "." };
                let zone = offset.unwrap_or_else(|| "+00:00".to_owned());
                format!("T{hour}:{minute}:{second}{point}{fraction}{zone}")
            }
        };
        Some(Self { date, time })
    }
}

/// `Z`, `+0200`, `+02:00` at the end, as FHIR writes it.
fn split_offset(value: &str) -> (&str, Option<String>) {
    if let Some(stamp) = value.strip_suffix('Z') {
        return (stamp, Some("+00:00".to_owned()));
    }
    let Some(at) = value.rfind(['+', '-']) else {
        return (value, None);
    };
    let (stamp, offset) = value.split_at(at);
    let digits = offset[1..].replace(':', "");
    // `1980-03-12` is a date, `1980-0500` a year and an offset.
    if digits.len() != 4 || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return (value, None);
    }
    (stamp, Some(format!("{}{}:{}", &offset[..1], &digits[..2], &digits[2..])))
}

fn days_of(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Conversion::{Digits, FhirDate, FhirDateTime, FirstLetter, Hl7Date};

    #[test]
    fn dates_keep_their_precision() {
        for (value, date, date_time) in [
            ("1980", "1980", "1980"),
            ("198003", "1980-03", "1980-03"),
            ("19800312", "1980-03-12", "1980-03-12"),
            ("1980-03-12", "1980-03-12", "1980-03-12"),
            ("198003121015", "1980-03-12", "1980-03-12T10:15:00+00:00"),
            ("20260912101500.25+0200", "2026-09-12", "2026-09-12T10:15:00.25+02:00"),
            ("2026-09-12T10:15:00Z", "2026-09-12", "2026-09-12T10:15:00+00:00"),
            ("1980-0500", "1980", "1980"),
        ] {
            assert_eq!(FhirDate.apply(value).as_deref(), Some(date), "{value}");
            assert_eq!(FhirDateTime.apply(value).as_deref(), Some(date_time), "{value}");
        }
        assert_eq!(Hl7Date.apply("1980-03-12").as_deref(), Some("19800312"));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for value in ["", "x", "198", "19801312", "19800230", "00000101", "1980031225", "2026+2"] {
            assert_eq!(FhirDate.apply(value), None, "{value}");
        }
    }

    #[test]
    fn texts_are_cut() {
        assert_eq!(Digits.apply("+43 1/7").as_deref(), Some("4317"));
        assert_eq!(FirstLetter.apply(" 1 zed").as_deref(), Some("z"));
    }
}
