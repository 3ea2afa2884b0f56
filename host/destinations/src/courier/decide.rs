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

use super::Breaker;
use crate::metrics::Outcome;
use crate::{
    Backoff, BreakerConfig, Classify, Delivered, DestinationConfig, OnAmbiguous, OnPark, Retry,
    SendFault, Whose,
};

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
    /// How often in a row it was cut off.
    pub(super) openings: u32,
}

impl Health {
    /// It answered as a destination does, be it with yes or no.
    pub(super) fn is_well(&mut self) {
        *self = Self::default();
    }

    /// Whether it is cut off.
    pub(super) fn breaker(&self, now: Timestamp) -> Breaker {
        match self.paused_until {
            _ if self.openings == 0 => Breaker::Closed,
            Some(until) if now < until => Breaker::Open,
            _ => Breaker::HalfOpen,
        }
    }

    /// Takes note of a fault of the destination as a whole; the answer is how long to leave it alone.
    fn fail(
        &mut self,
        rules: &Rules,
        is_misconfigured: bool,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Duration {
        self.is_misconfigured = is_misconfigured;
        // Several are on their way when it fails: what comes during the pause is the same fault.
        if let Some(until) = self.paused_until.filter(|until| now < *until) {
            return until.since(now);
        }
        self.faults = self.faults.saturating_add(1);
        let backoff = rules.retry.backoff;
        let wait = match is_misconfigured {
            true => backoff.slow(entropy),
            false => backoff.wait(self.faults, entropy),
        };
        if self.faults < rules.breaker.failures {
            return wait;
        }
        self.openings = self.openings.saturating_add(1);
        wait.max(rules.breaker.pause.wait(self.openings, entropy))
    }

    /// One delivery may try now; if it goes well, the rest follow.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        self.paused_until = self.paused_until.map(|until| until.min(now));
    }

    fn pause(&mut self, until: Timestamp) {
        self.paused_until = self.paused_until.max(Some(until));
    }
}

/// What the configuration says about attempts and what follows from them.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) retry: Retry,
    pub(super) on_ambiguous: OnAmbiguous,
    pub(super) on_park: OnPark,
    pub(super) breaker: BreakerConfig,
    pub(super) classify: Classify,
}

impl Rules {
    pub(super) fn of(config: &DestinationConfig) -> Self {
        let DestinationConfig { retry, on_ambiguous, on_park, breaker, .. } = *config;
        Self { retry, on_ambiguous, on_park, breaker, classify: config.classify.clone() }
    }

    /// What happened, in words for the trail; if the site's own table decided, it says so.
    fn said(&self, fault: &SendFault, whose: Whose) -> String {
        self.explained(fault.to_string(), fault, whose)
    }

    /// The same for a cause, whose word is `rejected`.
    fn said_of_rejected(&self, fault: &SendFault) -> String {
        self.explained(fault.detail(), fault, Whose::Content)
    }

    fn explained(&self, said: String, fault: &SendFault, whose: Whose) -> String {
        if whose == fault.whose() {
            return said;
        }
        let meaning = match whose {
            Whose::Content => "park",
            Whose::SetUp => "setup",
            _ => "retry",
        };
        format!("{said}; classify says \"{meaning}\"")
    }
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
    let whose = rules.classify.whose(&fault);
    let wait = match whose {
        Whose::Content => {
            health.is_well();
            return (park(CauseWord::Rejected, rules.said_of_rejected(&fault)), Outcome::Rejected);
        }
        Whose::Stored => {
            health.is_well();
            return (park(CauseWord::GaveUp, fault.to_string()), Outcome::GaveUp);
        }
        Whose::Unknown if rules.on_ambiguous == OnAmbiguous::Park => {
            let wait = health.fail(rules, false, now, entropy);
            health.pause(now.plus(wait));
            let detail = format!("{fault}; on_ambiguous = \"park\"");
            return (park(CauseWord::GaveUp, detail), Outcome::GaveUp);
        }
        Whose::Moment => {
            health.is_well();
            backoff.wait(attempt, entropy)
        }
        Whose::Destination | Whose::Unknown => health.fail(rules, false, now, entropy),
        Whose::SetUp => health.fail(rules, true, now, entropy),
    };
    let due = now.plus(Backoff::obeying(wait, fault.after(), entropy));
    if whose != Whose::Moment {
        health.pause(due);
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
    let why = rules.said(&fault, whose);
    (Fate::Deferred { due, why }, Outcome::deferred(&fault, whose))
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
