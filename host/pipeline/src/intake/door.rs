//! What becomes of one message at the door.
//!
//! [`Intake::submit_hl7`] and [`Intake::submit`] decide without waiting, so that the messages of a batch share the
//! journal's syncs; [`Intake::passed`] waits for the disk.

use bytes::Bytes;
use hilum_answer::{Acknowledged, Refusal, Wanted, is_acknowledgement};
use hilum_audit::{NonEmpty, Record, What, fact};
use hilum_env::Peer;
use hilum_message::hl7v2::{Message as Hl7, Path, SegmentName};
use hilum_message::{Message, PLACES_MAX};
use hilum_policy::RunSeed;
use hilum_store::{
    Accepted, Arrival, DuplicateKey, RunStart, RunState, StoreError, Stored, Ticket,
};
use hilum_words::{Actor, Envelope, MessageId, Name, Origin, RunId, Timestamp};
use tracing::{info, warn};

use super::{AckPoint, BatchAnswer, Intake, Pinned, Unrouted};
use crate::metrics::Taken;
use crate::waiters::Waiter;

/// Bytes that a field of MSH may have that is kept for an answer. The longest by the standard has 227
/// characters, and a sender may wait for many answers at once.
pub(super) const FIELD_BYTES_MAX: usize = 4 << 10;

/// Where, when and with what a message came. Shared by the messages of a batch.
pub(super) struct Came {
    pub(super) peer: Peer,
    pub(super) received: Timestamp,
    /// The first message of the batch.
    pub(super) correlation: Option<MessageId>,
    /// The W3C `traceparent`.
    pub(super) trace: Option<String>,
    /// The id of the request over HTTP.
    pub(super) request: Option<String>,
    /// Whether it came over HTTP.
    pub(super) is_http: bool,
}

impl Came {
    pub(super) fn at(peer: Peer, received: Timestamp) -> Self {
        Self { peer, received, correlation: None, trace: None, request: None, is_http: false }
    }
}

/// A message that is to be taken.
pub(super) struct Arriving {
    pub(super) id: MessageId,
    /// As routes read it.
    pub(super) message: Message,
    /// As it came.
    pub(super) body: Bytes,
    /// By what a repeat is recognised.
    pub(super) key: Option<DuplicateKey>,
    pub(super) findings: Vec<String>,
    pub(super) wanted: Wanted,
}

/// What is decided before the disk is asked.
pub(super) enum Submitted {
    /// The disk is not asked.
    Decided(Passed),
    /// It is on its way to the disk.
    Waiting {
        ticket: Ticket<Accepted>,
        waiter: Option<Waiter>,
        wanted: Wanted,
        /// Of the body, for the trail.
        bytes: usize,
    },
}

/// What became of a message at the door.
pub(super) enum Passed {
    /// It is on disk.
    Stored(Kept),
    /// It is not.
    Refused(Refusal),
    /// It is an acknowledgement that somebody waited for: nobody answers it.
    Acknowledgement,
}

impl Passed {
    /// Whether it is an acknowledgement, awaited or not.
    pub(super) fn is_acknowledgement(&self) -> bool {
        matches!(self, Self::Acknowledgement | Self::Refused(Refusal::NotAwaited))
    }
}

/// A message that is on disk.
pub(super) struct Kept {
    pub(super) stored: Stored,
    /// Who waits until its runs are decided; none if the sender is answered before.
    pub(super) waiter: Option<Waiter>,
}

impl Intake {
    /// Decides what becomes of a message of HL7 v2 at the door.
    pub(super) fn submit_hl7(
        &self,
        pinned: &Pinned,
        hl7: Hl7,
        findings: Vec<String>,
        came: &Came,
    ) -> Submitted {
        let id = self.message_id(came);
        self.submit_hl7_as(id, pinned, hl7, findings, came)
    }

    /// The same, for one that has its id already.
    pub(super) fn submit_hl7_as(
        &self,
        id: MessageId,
        pinned: &Pinned,
        hl7: Hl7,
        mut findings: Vec<String>,
        came: &Came,
    ) -> Submitted {
        let body = hl7.bytes().clone();
        let refused = |refusal| Submitted::Decided(self.refused(refusal, came, body.len()));
        if PLACES_MAX < Message::Hl7(hl7.clone()).places_max() {
            return refused(Refusal::TooManyValues { places_max: PLACES_MAX });
        }
        if is_acknowledgement(&hl7) {
            return Submitted::Decided(self.acknowledged(&hl7, came));
        }
        let header = hl7.header();
        for (field, path) in [(&header.message_type, "MSH-9"), (&header.control_id, "MSH-10")] {
            if field.is_empty() {
                return refused(Refusal::RequiredFieldMissing { at: at(path) });
            }
        }
        if let Some(field) = header.longer_than(FIELD_BYTES_MAX) {
            let at = Path::field_of(SegmentName::MSH, field);
            return refused(Refusal::FieldTooLong { at, bytes_max: FIELD_BYTES_MAX });
        }
        if let Some(at) = hl7.fragment() {
            return refused(Refusal::Fragment { at });
        }
        // Waiting for the other parts would mean to hold what is not stored, so a part is refused; what
        // is continued within the message is joined for whoever reads it, and kept as it came.
        let Ok(joined) = hl7.joined() else { return refused(Refusal::NotHl7) };
        findings.extend(hl7.findings().iter().map(ToString::to_string));
        if joined.bytes().len() != body.len() {
            findings.push("segments continued by ADD are read as one".to_owned());
        }
        let key = DuplicateKey::of(&[
            self.listener.as_bytes(),
            &header.sending_application,
            &header.sending_facility,
            &header.control_id,
        ]);
        let wanted = Wanted::of(&header);
        let message = Message::Hl7(joined);
        let arriving = Arriving { id, message, body, key: Some(key), findings, wanted };
        self.submit(pinned, arriving, came)
    }

    /// Decides what becomes of a message of any format that may be taken as far as its content goes,
    /// and hands it to the journal.
    pub(super) fn submit(&self, pinned: &Pinned, arriving: Arriving, came: &Came) -> Submitted {
        let bytes = arriving.body.len();
        let refused = |refusal| Submitted::Decided(self.refused(refusal, came, bytes));
        if self.backlog_max <= self.backlog.places() {
            return refused(Refusal::Busy);
        }
        let routes = pinned.generation.routes.select(&self.listener, &arriving.message);
        if routes.is_empty() && pinned.options.unrouted == Unrouted::Refuse {
            return refused(Refusal::NoRoute);
        }
        let entropy = &self.stamps.entropy;
        let start = |route: &std::sync::Arc<crate::Route>| RunStart {
            run: RunId::new(came.received, entropy.bytes()),
            route: route.name.clone(),
            seed: RunSeed(entropy.bytes()),
            lanes: route.lanes(&arriving.message),
        };
        let runs: Vec<RunStart> = routes.into_iter().map(start).collect();
        let wanted = arriving.wanted;
        // Before the journal has it, so that no decision is missed.
        let waiter = match self.waiter(pinned, runs.iter().map(|it| it.run), wanted) {
            Ok(waiter) => waiter,
            Err(refusal) => return refused(refusal),
        };
        let ticket = self.store.accept(self.arrival(pinned, arriving, came, runs));
        Submitted::Waiting { ticket, waiter, wanted, bytes }
    }

    /// Waits until the disk has it.
    pub(super) async fn passed(
        &self,
        pinned: &Pinned,
        submitted: Submitted,
        came: &Came,
    ) -> Passed {
        let (ticket, waiter, wanted, bytes) = match submitted {
            Submitted::Decided(passed) => return passed,
            Submitted::Waiting { ticket, waiter, wanted, bytes } => (ticket, waiter, wanted, bytes),
        };
        let (taken, kept) = match ticket.await {
            Ok(Accepted::New(stored)) => (Taken::Accepted, Kept { stored, waiter }),
            Ok(Accepted::Reused(stored)) => (Taken::Reused, Kept { stored, waiter }),
            Ok(Accepted::Known(stored)) => match self.known(pinned, &stored, wanted) {
                Ok(waiter) => {
                    self.note_known(stored.message(), &came.peer);
                    (Taken::Known, Kept { stored, waiter })
                }
                Err(refusal) => return self.refused(refusal, came, bytes),
            },
            Ok(Accepted::Conflict) => return self.refused(Refusal::Reused, came, bytes),
            Err(fault) => {
                warn!(listener = %self.listener, %fault, "message not stored");
                let refusal = match fault {
                    StoreError::Busy => Refusal::Busy,
                    _ => Refusal::NotStored,
                };
                return self.refused(refusal, came, bytes);
            }
        };
        self.metrics.took(&self.listener, taken);
        Passed::Stored(kept)
    }

    /// Counts and notes what is not taken.
    pub(super) fn refused(&self, refusal: Refusal, came: &Came, bytes: usize) -> Passed {
        info!(listener = %self.listener, %refusal, "message refused");
        self.note(&self.notes.refused, &refusal.to_string(), &came.peer, bytes);
        self.metrics.took(&self.listener, Taken::Refused);
        Passed::Refused(refusal)
    }

    /// Hands an acknowledgement to who waits for it.
    fn acknowledged(&self, hl7: &Hl7, came: &Came) -> Passed {
        let is_awaited = self.replies.as_ref().is_some_and(|replies| {
            Acknowledged::of(hl7).is_some_and(|it| {
                it.code.is_some_and(|code| replies(&it.control_id, code, hl7.bytes().clone()))
            })
        });
        if is_awaited {
            self.metrics.took(&self.listener, Taken::Matched);
            Passed::Acknowledgement
        } else {
            let what = "an acknowledgement that nobody waits for";
            self.note(&self.notes.ignored, what, &came.peer, hl7.bytes().len());
            self.metrics.took(&self.listener, Taken::Ignored);
            Passed::Refused(Refusal::NotAwaited)
        }
    }

    /// Who waits for the decision about these runs, if the sender is answered after it.
    fn waiter(
        &self,
        pinned: &Pinned,
        runs: impl IntoIterator<Item = RunId>,
        wanted: Wanted,
    ) -> Result<Option<Waiter>, Refusal> {
        let is_later = pinned.options.ack == AckPoint::Processed;
        if !is_later || !(wanted.acceptance || wanted.refusal) {
            return Ok(None);
        }
        self.waiters.wait_for(runs, wanted.refusal).map(Some).ok_or(Refusal::Busy)
    }

    /// Who waits for the decision about a message that was stored before: the same answer again,
    /// from what became of it. A run that is no longer known was finished long ago.
    fn known(
        &self,
        pinned: &Pinned,
        stored: &Stored,
        wanted: Wanted,
    ) -> Result<Option<Waiter>, Refusal> {
        let runs = self.store.message(stored.message()).map(|it| it.runs).unwrap_or_default();
        let known = runs.into_iter().filter(|run| self.store.run(*run).is_some());
        let waiter = self.waiter(pinned, known, wanted)?;
        if let Some(waiter) = &waiter {
            // Asked only now, so that a decision in between is told by one way or the other.
            for run in waiter.runs() {
                match self.store.run(run) {
                    Some(record) if record.is_undecided() => {}
                    Some(record) => waiter.know(run, &record.state),
                    None => waiter.know(run, &RunState::Dispatched),
                }
            }
        }
        Ok(waiter)
    }

    pub(super) fn message_id(&self, came: &Came) -> MessageId {
        MessageId::new(came.received, self.stamps.entropy.bytes())
    }

    fn arrival(
        &self,
        pinned: &Pinned,
        arriving: Arriving,
        came: &Came,
        runs: Vec<RunStart>,
    ) -> Arrival {
        let Arriving { id, message, body, key, findings, wanted } = arriving;
        let actor = Actor::system(format!("listener/{}", self.listener));
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let mut record = Record::new(came.received, What::Accepted, actor.clone())
            .message(id)
            .generation(pinned.generation.digest)
            .text(fact::LISTENER, self.listener.as_str())
            .text(fact::KIND, message.kind())
            .number(fact::BYTES, wide(body.len()))
            .number("runs", wide(runs.len()))
            .text("told", told(pinned, wanted, came));
        if let Some(identity) = &came.peer.identity {
            record = record
                .text("identity", &identity.subject)
                .text("fingerprint", &identity.fingerprint);
        }
        if let Some(request) = &came.request {
            record = record.text("request", request);
        }
        let envelope = Envelope {
            message: id,
            received: came.received,
            listener: self.listener.clone(),
            peer: came.peer.address.clone(),
            origin: Origin::Listener,
            parent: None,
            correlation: came.correlation,
            actor,
            trace: came.trace.clone(),
        };
        Arrival {
            envelope,
            kind: message.kind(),
            key,
            on_reused: pinned.options.on_reused,
            format: Name::from(message.format()),
            body,
            generation: pinned.generation.digest,
            runs,
            findings,
            records: NonEmpty::of(record),
        }
    }
}

/// What the sender of a message hears once it is stored: known before it is.
fn told(pinned: &Pinned, wanted: Wanted, came: &Came) -> &'static str {
    let is_processed = pinned.options.ack == AckPoint::Processed;
    let waits = is_processed && (wanted.acceptance || wanted.refusal);
    if came.is_http {
        return if waits { "after processing" } else { "HTTP 202" };
    }
    // Where the acknowledgements of a batch are errors alone, what is taken is not spoken of.
    let is_silent =
        came.correlation.is_some() && pinned.options.batch_answer == BatchAnswer::Errors;
    let (commit, acceptance) = (wanted.commit && !is_silent, wanted.acceptance && !is_silent);
    match (commit, waits, acceptance && !is_processed) {
        (true, true, _) => "CA after processing",
        (false, true, _) => "after processing",
        (true, false, true) => "CA AA",
        (true, false, false) => "CA",
        (false, false, true) => "AA",
        (false, false, false) => "nothing",
    }
}

fn at(path: &'static str) -> Path {
    path.parse().unwrap_or_else(|_| unreachable!("{path} is a path"))
}
