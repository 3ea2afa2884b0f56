//! What becomes of a delivery after an attempt: one function, and the health of the destination
//! that it looks at and changes.
//!
//! Promises: every fault ends in a later attempt or in a parked delivery with a cause; attempts and
//! age are bounded.
//! Not here: the journal, waiting, order.

use std::time::Duration;

use bytes::Bytes;
use hilum_env::Entropy;
use hilum_words::{Cause, CauseWord, Name, Timestamp};

use crate::metrics::Outcome;
use crate::{Backoff, Delivered, OnAmbiguous, Retry, SendFault, Whose};

/// What becomes of a delivery after an attempt.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// The destination has it.
    Delivered { code: String, answer: Option<(Name, Bytes)> },
    /// It is tried again.
    Deferred { due: Timestamp, why: String },
    /// It waits for a person.
    Parked { cause: Cause },
}

/// Whether the destination as a whole is well.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    /// Faults of the destination as a whole, in a row.
    faults: u32,
    /// Nothing goes there before this moment; after it, one delivery tries.
    pub(super) paused_until: Option<Timestamp>,
    /// Whether a person has to act.
    pub(super) is_misconfigured: bool,
}

impl Health {
    /// It answered as a destination does, be it with yes or no.
    pub(super) fn is_well(&mut self) {
        *self = Self::default();
    }
}

/// What the configuration says about retries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) retry: Retry,
    pub(super) on_ambiguous: OnAmbiguous,
}

/// An attempt that was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// Which, counted from 1.
    pub(super) number: u32,
    /// Since when the delivery is queued: its age decides when we give up.
    pub(super) since: Timestamp,
}

/// Decides. `health` learns from the fault.
pub(super) fn decide(
    rules: &Rules,
    health: &mut Health,
    attempt: Attempt,
    result: Result<Delivered, SendFault>,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> (Fate, Outcome) {
    let Attempt { number: attempt, since } = attempt;
    let fault = match result {
        Ok(delivered) => {
            health.is_well();
            let Delivered { code, answer } = delivered;
            return (Fate::Delivered { code, answer }, Outcome::Delivered);
        }
        Err(fault) => fault,
    };
    let park = |word, detail| Fate::Parked { cause: Cause::new(word, detail) };
    let backoff = rules.retry.backoff;
    let wait = match fault.whose() {
        Whose::Content => {
            health.is_well();
            return (park(CauseWord::Rejected, fault.to_string()), Outcome::Rejected);
        }
        Whose::Stored => {
            health.is_well();
            return (park(CauseWord::GaveUp, fault.to_string()), Outcome::GaveUp);
        }
        Whose::Unknown if rules.on_ambiguous == OnAmbiguous::Park => {
            let detail = format!("{fault}; on_ambiguous = \"park\"");
            return (park(CauseWord::GaveUp, detail), Outcome::GaveUp);
        }
        Whose::Moment => {
            health.is_well();
            backoff.wait(attempt, entropy)
        }
        Whose::Destination | Whose::Unknown => {
            health.faults = health.faults.saturating_add(1);
            health.is_misconfigured = false;
            backoff.wait(health.faults, entropy)
        }
        Whose::SetUp => {
            health.faults = health.faults.saturating_add(1);
            health.is_misconfigured = true;
            backoff.slow(entropy)
        }
    };
    let due = now.plus(Backoff::obeying(wait, fault.after(), entropy));
    if fault.whose() != Whose::Moment {
        health.paused_until = Some(due);
    }
    if rules.retry.attempts_max.is_some_and(|max| max <= attempt) {
        let detail = format!("{attempt} attempts, the last: {fault}");
        return (park(CauseWord::GaveUp, detail), Outcome::GaveUp);
    }
    let age = now.since(since);
    if rules.retry.give_up_after <= age {
        let detail = format!("{attempt} attempts in {}, the last: {fault}", spoken(age));
        return (park(CauseWord::GaveUp, detail), Outcome::GaveUp);
    }
    let why = fault.to_string();
    (Fate::Deferred { due, why }, Outcome::deferred(&fault))
}

/// A span of time for people: `72 h`, `5 min`, `3 s`.
fn spoken(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests;
