use std::fmt;
use std::time::Duration;

/// A moment, in microseconds since 1970-01-01T00:00:00Z. Prints as RFC 3339, UTC, milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment so many microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The moment `later`, or the end of time if there is none.
    pub fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(later.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// HL7 v2's form of a moment with milliseconds and offset: `20261124090328.123+0000`
    /// (chapter 2A, DTM).
    pub fn hl7(self) -> String {
        self.civil().strftime("%Y%m%d%H%M%S%.3f+0000").to_string()
    }

    /// A form that sorts, and that can stand in a file's name: `20261124T090328.123456Z`.
    pub fn compact(self) -> String {
        self.civil().strftime("%Y%m%dT%H%M%S%.6fZ").to_string()
    }

    fn civil(self) -> jiff::civil::DateTime {
        let at = jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        jiff::tz::TimeZone::UTC.to_datetime(at)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.civil().strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What an answer of ours needs that is not in the message: a time and a control id of its own.
/// Drawn by whoever answers, so that answers can be tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Goes to MSH-7.
    pub at: Timestamp,
    /// Goes to MSH-10. At most 20 characters, as HL7 v2.5 allows.
    pub control_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_prints_in_each_form() {
        let at = Timestamp::from_micros(1_795_511_008_123_456);
        assert_eq!(at.to_string(), "2026-11-24T09:03:28.123Z");
        assert_eq!(at.hl7(), "20261124090328.123+0000");
        assert_eq!(at.compact(), "20261124T090328.123456Z");
    }
}
