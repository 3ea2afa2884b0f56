//! What is said about what became of a message: now, or when it is decided.

use std::sync::Arc;
use std::time::Duration;

use hilum_answer::{Ack, Refusal, Wanted};
use hilum_env::{Clock, Instant};
use hilum_message::hl7v2::Header;
use hilum_store::{RunState, Stored};
use hilum_words::{CauseWord, Rejection};

use super::door::{FIELD_BYTES_MAX, Kept, Passed};
use super::{Answer, Intake, Later, Pinned, Reply, Stamps};
use crate::waiters::Waiter;

/// Rejections that an answer lists at most.
const REJECTIONS_MAX: usize = 64;

/// What is said about one message.
pub(super) struct Said {
    /// Now.
    pub(super) acks: Vec<Ack>,
    /// Once it is decided.
    pub(super) pending: Option<Pending>,
    /// Whether it is on disk; none if it is nothing to be stored.
    pub(super) is_stored: Option<bool>,
}

/// A message whose sender waits for the decision.
pub(super) struct Pending {
    pub(super) header: Header,
    stored: Stored,
    waiter: Waiter,
    /// Whether the sender waits with its next message.
    pub(super) holds: bool,
}

/// How long senders wait for a decision.
#[derive(Clone)]
pub(super) struct Patience {
    clock: Arc<dyn Clock>,
    until: Instant,
}

impl Patience {
    pub(super) fn new(clock: &Arc<dyn Clock>, longest: Duration) -> Self {
        Self { clock: Arc::clone(clock), until: clock.instant().plus(longest) }
    }

    /// What became of the runs; "busy" if that takes too long, though the message is stored: a repeat
    /// of it waits again.
    pub(super) async fn outcome(&self, waiter: &Waiter) -> Result<(), Refusal> {
        let late = self.clock.sleep_until(self.until);
        tokio::select! {
            biased;
            states = waiter.decided() => verdict(states, waiter.tells_refusal()),
            () = late => Err(Refusal::Busy),
        }
    }
}

/// Any run that is refused makes the answer a refusal, though the others go on. What is held or parked
/// counts as accepted: a person has it. Where the sender does not want to hear of a refusal, that is
/// parked too, and is no success to speak of.
fn verdict(states: Vec<RunState>, tells_refusal: bool) -> Result<(), Refusal> {
    let mut is_refused = false;
    let mut all: Vec<Rejection> = Vec::new();
    for state in states {
        match state {
            RunState::Refused(rejections) => {
                is_refused = true;
                all.extend(rejections);
            }
            RunState::Parked(cause) if cause.word == CauseWord::Refused => {
                is_refused |= !tells_refusal;
            }
            _ => {}
        }
    }
    all.truncate(REJECTIONS_MAX);
    if is_refused { Err(Refusal::Rejected(all)) } else { Ok(()) }
}

impl Pending {
    /// What is said once it is decided. Whoever hangs up before drops this, and with it the waiter.
    pub(super) async fn acks(self, patience: &Patience, stamps: &Stamps) -> Vec<Ack> {
        let outcome = patience.outcome(&self.waiter).await;
        let mut stamp = || stamps.stamp();
        Ack::processed(&self.header, &self.stored, outcome.as_ref().copied(), &mut stamp)
    }
}

impl Intake {
    /// What is said about one message. Without a header it was no message.
    pub(super) fn said(&self, header: Option<Header>, passed: Passed) -> Said {
        let mut stamp = || self.stamps.stamp();
        match (passed, header) {
            (Passed::Refused(refusal), header) => Said {
                acks: Ack::refuse(header.as_ref(), &refusal, &mut stamp),
                pending: None,
                is_stored: Some(false),
            },
            (Passed::Stored(Kept { stored, waiter: None }), Some(header)) => Said {
                acks: Ack::accept(&header, &stored, &mut stamp),
                pending: None,
                is_stored: Some(true),
            },
            (Passed::Stored(Kept { stored, waiter: Some(waiter) }), Some(header)) => {
                let acks = Ack::commit(&header, &stored, &mut stamp);
                let holds = Wanted::of(&header).holds;
                // The message itself may be long, and need not be in memory while its sender waits.
                let header = header.detached(FIELD_BYTES_MAX);
                let pending = Some(Pending { header, stored, waiter, holds });
                Said { acks, pending, is_stored: Some(true) }
            }
            // Whoever sent an acknowledgement need not keep it.
            (Passed::Acknowledgement | Passed::Stored(_), _) => {
                Said { acks: Vec::new(), pending: None, is_stored: Some(true) }
            }
        }
    }

    /// The answer to a frame of one message.
    pub(super) fn answer(&self, pinned: &Pinned, header: Option<Header>, passed: Passed) -> Answer {
        let Said { acks, pending, is_stored } = self.said(header, passed);
        let patience = self.patience(pinned);
        let stamps = self.stamps.clone();
        let later = pending.map(|pending| Later {
            holds_reading: pending.holds,
            replies: Box::pin(async move { replies(pending.acks(&patience, &stamps).await) }),
        });
        Answer { now: replies(acks), later, close: false, is_stored }
    }

    pub(super) fn patience(&self, pinned: &Pinned) -> Patience {
        Patience::new(&self.stamps.clock, pinned.options.processed_timeout)
    }
}

pub(super) fn replies(acks: Vec<Ack>) -> Vec<Reply> {
    acks.into_iter().map(|ack| Reply { bytes: ack.bytes }).collect()
}
