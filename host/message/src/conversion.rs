//! Re-writes a value from one way of writing it to another.
//!
//! ```text
//! HL7 (2A, DTM)   YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]
//! FHIR date       YYYY[-MM[-DD]]
//! FHIR dateTime   YYYY[-MM[-DD[Thh:mm:ss[.s…](Z|+zz:zz)]]]
//! ```
//!
//! Both ways are read, so a conversion may be applied twice. A date keeps the precision it has; a
//! time without seconds gets `:00`, and one without minutes `:00:00`, since FHIR has no shorter one.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::AmbiguousOffset;

use crate::TimeZone;

/// One way to re-write a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// Every conversion.
    pub const ALL: &[Self] = &[
        Self::FhirDate,
        Self::FhirDateTime,
        Self::Hl7Date,
        Self::UpperCase,
        Self::LowerCase,
        Self::Trim,
        Self::Digits,
        Self::FirstLetter,
    ];

    /// The word, which is the function's name in the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::FhirDate => "fhir-date",
            Self::FhirDateTime => "fhir-date-time",
            Self::Hl7Date => "hl7-date",
            Self::UpperCase => "upper-case",
            Self::LowerCase => "lower-case",
            Self::Trim => "trim",
            Self::Digits => "digits",
            Self::FirstLetter => "first-letter",
        }
    }

    /// The value, re-written. None if it had to be a date and is none. A timestamp without an
    /// offset is one of `zone`; where the clock was set back it is the earlier of the two, where
    /// it was set forward it is read as before.
    pub fn apply(self, value: &str, zone: &TimeZone) -> Option<String> {
        match self {
            Self::FhirDate => Moment::read(value).map(|it| it.date.fhir()),
            Self::FhirDateTime => Moment::read(value)?.fhir(zone),
            Self::Hl7Date => Moment::read(value).map(|it| it.date.hl7()),
            Self::UpperCase => Some(value.to_uppercase()),
            Self::LowerCase => Some(value.to_lowercase()),
            Self::Trim => Some(value.trim().to_owned()),
            Self::Digits => Some(value.chars().filter(char::is_ascii_digit).collect()),
            Self::FirstLetter => Some(
                value.chars().find(|it| it.is_alphabetic()).map(String::from).unwrap_or_default(),
            ),
        }
    }
}

/// A date with the precision it was written with.
#[derive(Clone, Copy)]
struct PartialDate {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

impl PartialDate {
    fn fhir(&self) -> String {
        match (self.month, self.day) {
            (Some(month), Some(day)) => format!("{:04}-{month:02}-{day:02}", self.year),
            (Some(month), None) => format!("{:04}-{month:02}", self.year),
            _ => format!("{:04}", self.year),
        }
    }

    fn hl7(&self) -> String {
        self.fhir().replace('-', "")
    }

    fn is_valid(&self) -> bool {
        Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1)).is_ok()
            && self.year != 0
    }
}

/// What a timestamp says.
struct Moment<'a> {
    date: PartialDate,
    time: Option<TimeOfDay<'a>>,
    /// Minutes east of Greenwich.
    offset: Option<i32>,
}

struct TimeOfDay<'a> {
    hour: i8,
    minute: i8,
    second: i8,
    /// The digits after the point.
    fraction: &'a str,
}

impl<'a> Moment<'a> {
    fn read(value: &'a str) -> Option<Self> {
        let mut reader = Reader { rest: value.trim() };
        let year = i16::try_from(reader.digits(4)?).ok()?;
        let is_dashed = reader.take('-');
        let mut date = PartialDate { year, month: None, day: None };
        let mut time = None;
        if is_dashed || reader.has_digit() {
            // `1980-0500` is HL7 for a year and an offset, `1980-05` is FHIR for a month.
            if is_dashed
                && reader.rest.len() == 4
                && reader.rest.bytes().all(|it| it.is_ascii_digit())
            {
                reader.rest = value.trim().get(4..)?;
            } else {
                date.month = Some(reader.number()?);
                if is_dashed && reader.take('-') || !is_dashed && reader.has_digit() {
                    date.day = Some(reader.number()?);
                    time = reader.time(is_dashed)?;
                }
            }
        }
        let offset = reader.offset()?;
        let is_time = time.as_ref().is_none_or(TimeOfDay::is_valid);
        (date.is_valid() && is_time && reader.rest.is_empty()).then_some(Self {
            date,
            time,
            offset,
        })
    }

    fn fhir(&self, zone: &TimeZone) -> Option<String> {
        let Some(time) = &self.time else { return Some(self.date.fhir()) };
        let minutes = match self.offset {
            Some(minutes) => minutes,
            None => {
                let date = Date::new(self.date.year, self.date.month?, self.date.day?).ok()?;
                let clock = Time::new(time.hour, time.minute, time.second.min(59), 0).ok()?;
                let at = zone.0.to_ambiguous_timestamp(DateTime::from_parts(date, clock));
                let offset = match at.offset() {
                    AmbiguousOffset::Unambiguous { offset } => offset,
                    AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => {
                        before
                    }
                };
                // FHIR's offsets have minutes; those before standard time had seconds.
                offset.seconds() / 60
            }
        };
        let TimeOfDay { hour, minute, second, fraction } = time;
        let point = if fraction.is_empty() { "" } else { "." };
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours_off, minutes_off) = (minutes.abs() / 60, minutes.abs() % 60);
        Some(format!(
            "{}T{hour:02}:{minute:02}:{second:02}{point}{fraction}{sign}{hours_off:02}:{minutes_off:02}",
            self.date.fhir(),
        ))
    }
}

impl TimeOfDay<'_> {
    fn is_valid(&self) -> bool {
        // A leap second is 60.
        self.hour < 24 && self.minute < 60 && self.second <= 60
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, character: char) -> bool {
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn has_digit(&self) -> bool {
        self.rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
    }

    fn digits(&mut self, count: usize) -> Option<i32> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.rest = rest;
        digits.parse().ok()
    }

    fn number(&mut self) -> Option<i8> {
        self.digits(2).and_then(|number| i8::try_from(number).ok())
    }

    /// What follows a day. `Some(None)` if nothing of a time does.
    fn time(&mut self, is_fhir: bool) -> Option<Option<TimeOfDay<'a>>> {
        let begins = if is_fhir { self.take('T') } else { self.has_digit() };
        if !begins {
            return Some(None);
        }
        let hour = self.number()?;
        let mut time = TimeOfDay { hour, minute: 0, second: 0, fraction: "" };
        if is_fhir && self.take(':') || !is_fhir && self.has_digit() {
            time.minute = self.number()?;
            if is_fhir && self.take(':') || !is_fhir && self.has_digit() {
                time.second = self.number()?;
                if self.take('.') {
                    let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
                    let (fraction, rest) = self.rest.split_at_checked(length)?;
                    if fraction.is_empty() || 9 < length {
                        return None;
                    }
                    time.fraction = fraction;
                    self.rest = rest;
                }
            }
        }
        Some(Some(time))
    }

    /// `Z`, `+0200`, `+02:00` or nothing.
    fn offset(&mut self) -> Option<Option<i32>> {
        if self.take('Z') {
            return Some(Some(0));
        }
        let sign = match () {
            () if self.take('+') => 1,
            () if self.take('-') => -1,
            () => return Some(None),
        };
        let hours = self.digits(2)?;
        self.take(':');
        let minutes = self.digits(2)?;
        let total = hours * 60 + minutes;
        (minutes < 60 && total <= 14 * 60).then_some(Some(sign * total))
    }
}

#[cfg(test)]
mod tests;
