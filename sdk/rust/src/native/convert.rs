//! The contract's conversions for values that are open.
//!
//! A timestamp without an offset is taken for UTC: a desk has no time zone. All else is as the gateway
//! does it; the gateway's own tests compare the two.

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
        let mut reader = Reader { rest: value };
        let year = reader.digits(4)?;
        let is_fhir = reader.take('-');
        let is_digit = |it: u8| it.is_ascii_digit();
        let [mut month, mut day] = [None; 2];
        let mut time = None;
        if is_fhir && reader.rest.len() == 4 && reader.rest.bytes().all(is_digit) {
            // `1980-0500` is HL7 for a year and an offset, `1980-05` is FHIR for a month.
            reader.rest = value.get(4..)?;
        } else if is_fhir || reader.has_digit() {
            month = Some(reader.digits(2)?);
            if reader.goes_on(is_fhir, '-') {
                day = Some(reader.digits(2)?);
                if reader.goes_on(is_fhir, 'T') {
                    time = Some(reader.time(is_fhir)?);
                }
            }
        }
        let zone = reader.offset()?;
        let number = |it: Option<&str>| it.map_or(Some(1), |it| it.parse::<u32>().ok());
        let last = days_of(number(Some(year))?, number(month)?);
        let is_date = year != "0000" && (1..=last).contains(&number(day)?);
        if !is_date || !reader.rest.is_empty() {
            return None;
        }
        let date = [Some(year), month, day].into_iter().flatten().collect::<Vec<_>>().join("-");
        let zone = zone.unwrap_or_else(|| "+00:00".to_owned());
        let time = time.map(|it| ["T", &it, &zone].concat()).unwrap_or_default();
        Some(Self { date, time })
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, character: char) -> bool {
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn has_digit(&self) -> bool {
        self.rest.bytes().next().is_some_and(|it| it.is_ascii_digit())
    }

    /// Whether another number follows: FHIR has a mark before it.
    fn goes_on(&mut self, is_fhir: bool, mark: char) -> bool {
        if is_fhir { self.take(mark) } else { self.has_digit() }
    }

    fn digits(&mut self, count: usize) -> Option<&'a str> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        digits.bytes().all(|it| it.is_ascii_digit()).then_some(digits)
    }

    /// `HH[MM[SS[.S…]]]`, `HH[:MM[:SS[.s…]]]`.
    fn time(&mut self, is_fhir: bool) -> Option<String> {
        let hour = self.digits(2)?;
        let [mut minute, mut second, mut fraction] = ["00", "00", ""];
        if self.goes_on(is_fhir, ':') {
            minute = self.digits(2)?;
            if self.goes_on(is_fhir, ':') {
                second = self.digits(2)?;
                if self.take('.') {
                    let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
                    fraction = self.digits(length).filter(|_| (1..=9).contains(&length))?;
                }
            }
        }
        let point = if fraction.is_empty() { "" } else { "." };
        // Two digits each, so that texts compare as numbers. A leap second is 60.
        let is_time = hour < "24" && minute < "60" && second <= "60";
        is_time.then(|| format!("{hour}:{minute}:{second}{point}{fraction}"))
    }

    /// `Z`, `+0200`, `+02:00` or nothing, as FHIR writes it.
    fn offset(&mut self) -> Option<Option<String>> {
        if self.take('Z') {
            return Some(Some("+00:00".to_owned()));
        }
        let sign = match () {
            () if self.take('+') => "+",
            () if self.take('-') => "-",
            () => return Some(None),
        };
        let hours = self.digits(2)?;
        self.take(':');
        let minutes = self.digits(2)?;
        let is_offset = minutes < "60" && (hours < "14" || (hours, minutes) == ("14", "00"));
        // Greenwich is written in one way.
        let sign = if (hours, minutes) == ("00", "00") { "+" } else { sign };
        is_offset.then(|| Some([sign, hours, ":", minutes].concat()))
    }
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
