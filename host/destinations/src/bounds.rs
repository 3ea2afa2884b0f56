//! Reading the bounds of a destination, with the defaults that an operator can look up.

use std::time::Duration;

use hilum_words::config::Section;

/// A span of time that is more than nothing.
pub(crate) fn time_or(section: &mut Section<'_>, key: &str, default: Duration) -> Duration {
    let time = section.duration_or(key, default);
    if time.is_zero() {
        section.problem_at(key, "must be more than nothing");
    }
    time
}

/// A number of bytes.
pub(crate) fn bytes_or(section: &mut Section<'_>, key: &str, default: usize) -> usize {
    let default = u64::try_from(default).unwrap_or(u64::MAX);
    usize::try_from(section.size_or(key, default)).unwrap_or(usize::MAX)
}

/// How many connections there may be.
pub(crate) fn connections_or(section: &mut Section<'_>, default: usize) -> usize {
    let default = u64::try_from(default).unwrap_or(u64::MAX);
    let read = section.integer_or("connections_max", 1..=256, default);
    usize::try_from(read).unwrap_or(usize::MAX)
}
