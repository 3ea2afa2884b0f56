//! How long to wait before the next attempt.

use std::time::Duration;

use hilum_env::Entropy;

/// The longest wait that a destination may ask for with `Retry-After`. A typing slip there must
/// not put a message to sleep for a year.
const AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// Waits that double from `first` to `longest`, with jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first fault.
    pub first: Duration,
    /// No wait is longer, except one that the destination asks for.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after `faults` faults in a row: half of it fixed, half drawn, so that couriers
    /// which failed together do not come back together.
    pub fn wait(&self, faults: u32, entropy: &dyn Entropy) -> Duration {
        let doubled = 1u32.checked_shl(faults.saturating_sub(1)).unwrap_or(u32::MAX);
        jittered(self.first.saturating_mul(doubled).min(self.longest), entropy)
    }

    /// The wait where a person has to act first.
    pub fn slow(&self, entropy: &dyn Entropy) -> Duration {
        jittered(self.longest, entropy)
    }

    /// The wait that the destination asked for, if it is longer than `ours`. Never less than it
    /// asked for, up to a day; up to a tenth more, so that not all come at the same moment.
    pub fn obeying(ours: Duration, after: Option<Duration>, entropy: &dyn Entropy) -> Duration {
        let Some(after) = after.map(|it| it.min(AFTER_MAX)) else {
            return ours;
        };
        ours.max(after.saturating_add(share(after / 10, entropy)))
    }
}

fn jittered(whole: Duration, entropy: &dyn Entropy) -> Duration {
    whole / 2 + share(whole - whole / 2, entropy)
}

/// A random part of `whole`.
fn share(whole: Duration, entropy: &dyn Entropy) -> Duration {
    let mut drawn = [0; 2];
    entropy.fill(&mut drawn);
    let drawn = u16::from_be_bytes(drawn);
    whole.saturating_mul(u32::from(drawn)) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Entropy for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    const BACKOFF: Backoff =
        Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(300) };

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<u64> = (1..=12).map(|it| BACKOFF.wait(it, &Always(255)).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(BACKOFF.wait(u32::MAX, &Always(255)), BACKOFF.longest);
    }

    #[test]
    fn half_of_a_wait_is_drawn() {
        assert_eq!(BACKOFF.wait(3, &Always(0)), Duration::from_secs(2));
        assert_eq!(BACKOFF.wait(3, &Always(255)), Duration::from_secs(4));
        assert_eq!(BACKOFF.slow(&Always(0)), Duration::from_secs(150));
    }

    #[test]
    fn retry_after_is_obeyed_and_bounded() {
        let second = Duration::from_secs(1);
        let asked = |after| Backoff::obeying(second, after, &Always(0));
        assert_eq!(asked(None), second);
        assert_eq!(asked(Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(asked(Some(Duration::ZERO)), second);
        assert_eq!(asked(Some(Duration::MAX)), AFTER_MAX);
    }
}
