use std::fmt;

use jiff::tz::TimeZoneDatabase;

/// The time zone of a site, for timestamps without an offset. It comes from the database that is
/// built in: with the machine's own, a replay would differ by machine.
#[derive(Clone, PartialEq, Eq)]
pub struct TimeZone(pub(crate) jiff::tz::TimeZone);

impl TimeZone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(jiff::tz::TimeZone::UTC);

    /// The zone with this name in the IANA database, such as `Europe/Vienna`.
    pub fn named(name: &str) -> Option<Self> {
        TimeZoneDatabase::bundled().get(name).ok().map(Self)
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}
