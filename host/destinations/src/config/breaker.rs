//! When a destination that fails again and again is left alone for a while.

use std::time::Duration;

use hilum_words::config::Section;

use crate::{Backoff, Retry};

/// `[destination.x.breaker]`: after so many faults of the destination in a row nothing goes there for
/// a while; then one delivery tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    /// Faults in a row after which it opens.
    pub failures: u32,
    /// How long it stays open: it doubles each time that the one that tries fails.
    pub pause: Backoff,
}

impl BreakerConfig {
    /// What counts where nothing is written: pauses are no longer than the longest wait between
    /// attempts, which the site has chosen.
    pub fn standard(retry: &Retry) -> Self {
        let longest = retry.backoff.longest;
        let first = Duration::from_secs(30).min(longest);
        let pause = Backoff { first, longest: Duration::from_secs(5 * 60).min(longest) };
        Self { failures: 5, pause }
    }

    pub(super) fn read(section: &mut Section<'_>, retry: &Retry) -> Self {
        let standard = Self::standard(retry);
        let mut section = section.section_or_empty("breaker");
        let failures = section.integer_or("failures", 1..=1_000_000, u64::from(standard.failures));
        let first = section.duration_or("pause", standard.pause.first);
        let is_longest_written = section.has("longest");
        let longest = section.duration_or("longest", standard.pause.longest.max(first));
        if first.is_zero() {
            section.problem_at("pause", "must be more than nothing");
        }
        if is_longest_written && longest < first {
            section.problem_at("longest", "must not be shorter than `pause`");
        }
        section.finish();
        let failures = u32::try_from(failures).unwrap_or(standard.failures);
        Self { failures, pause: Backoff { first, longest } }
    }
}
