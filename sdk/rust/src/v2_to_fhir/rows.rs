//! Rows of the guide that a mapping satisfied, for `hilum plugin run --coverage`.

use crate::coverage;

/// Notes that a row of the guide is satisfied, if its target was written. Answers `written`.
#[inline]
pub fn row(id: &'static str, written: bool) -> bool {
    if written && coverage::is_on() {
        coverage::row(id, 0);
    }
    written
}

/// The same for several rows that one element satisfies.
#[inline]
pub fn rows(ids: &'static [&'static str], written: bool) -> bool {
    if written && coverage::is_on() {
        for id in ids {
            coverage::row(id, 0);
        }
    }
    written
}

/// Whether anybody asked. A mapping must write the same either way.
pub fn is_on() -> bool {
    coverage::is_on()
}

/// Tells what was noted. The entry macros call it when the plugin's function ends.
pub fn report() {
    coverage::report();
}
