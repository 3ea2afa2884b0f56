//! A decision on its way to the journal, encoded where it was made.

use std::collections::BTreeSet;
use std::ops::Range;

use bytes::Bytes;
use hilum_audit::{NonEmpty, Record};
use hilum_policy::{Cleared, Part};
use hilum_words::{Cause, CauseWord, MessageId, Reason, Rejection, RunId};

use super::step::{Change, Output, PartAt, Parts, Source, StepContent, encode, put_output};
use super::{DISPATCHED, OUTPUT, PART, SUBJECT, put_evidence};
use crate::frame::PAYLOAD_BYTES_MAX;
use crate::wire::{self, RECORDS_MAX};
use crate::{Effect, Outgoing, Parked, StoreError};

/// Parts below so many bytes are not searched for an equal one.
const SHARED_BYTES_MIN: usize = 64;

/// A step that was encoded where it was made, so that the committer only adds a head.
pub(crate) struct StepDraft {
    pub(crate) payload: Vec<u8>,
    pub(crate) content: StepContent,
}

impl StepDraft {
    /// Encodes a step. `source` finds the message of a run.
    pub(crate) fn of(
        run: RunId,
        effects: Vec<Effect>,
        records: &NonEmpty<Record>,
        source: impl Fn(RunId) -> Result<Source, StoreError>,
    ) -> Result<Self, StoreError> {
        let named = records.iter().find_map(|record| record.message);
        let message = named.or_else(|| source(run).ok().map(|source| source.message));
        let mut draft = Self::about(message, Some(run));
        for effect in effects {
            draft.add(run, effect, &source)?;
        }
        draft.finish(records)
    }

    /// Encodes evidence alone.
    pub(crate) fn note(records: &NonEmpty<Record>) -> Result<Self, StoreError> {
        let message = records.iter().find_map(|record| record.message);
        Self::about(message, None).finish(records)
    }

    /// Encodes a change that is about no run.
    pub(crate) fn change(change: Change, records: &NonEmpty<Record>) -> Result<Self, StoreError> {
        let mut draft = Self::about(None, None);
        draft.push(change);
        draft.finish(records)
    }

    fn about(message: Option<MessageId>, run: Option<RunId>) -> Self {
        let mut payload = Vec::with_capacity(512);
        wire::put_record(&mut payload, SUBJECT, |out| {
            wire::put_option(out, message, |out, id| wire::put_id(out, id.bits()));
            wire::put_option(out, run, |out, id| wire::put_id(out, id.bits()));
        });
        Self { payload, content: StepContent { message, changes: Vec::new() } }
    }

    fn finish(mut self, records: &NonEmpty<Record>) -> Result<Self, StoreError> {
        for record in records.iter() {
            put_evidence(&mut self.payload, record);
        }
        if PAYLOAD_BYTES_MAX < self.payload.len() {
            let what = format!("a step has {} bytes", self.payload.len());
            return Err(StoreError::TooLarge { what });
        }
        if RECORDS_MAX < wire::records(&self.payload).take(RECORDS_MAX + 1).count() {
            let what = format!("a step has more than {RECORDS_MAX} records");
            return Err(StoreError::TooLarge { what });
        }
        Ok(self)
    }

    fn add(
        &mut self,
        run: RunId,
        effect: Effect,
        source: &impl Fn(RunId) -> Result<Source, StoreError>,
    ) -> Result<(), StoreError> {
        let change = match effect {
            Effect::Dispatched { deliveries, parked } => {
                let queued = deliveries.into_iter().map(|outgoing| (outgoing, None));
                let parked = parked.into_iter().map(|(outgoing, cause)| (outgoing, Some(cause)));
                return self.dispatch(run, queued.chain(parked), source(run)?);
            }
            Effect::Refused(mut rejections) => {
                if rejections.is_empty() {
                    let (at, text) = (None, String::new());
                    rejections.push(Rejection { reason: Reason::Application, at, text });
                }
                Change::Refused { run, rejections }
            }
            Effect::Held { why, step } => Change::Held { run, why, step },
            Effect::Released { next } => Change::Released { run, next },
            Effect::Parked(cause) => Change::Parked { run, cause },
            Effect::Delivered { delivery, answer } => {
                let answer = answer.map(|(format, bytes)| (format, self.part(&bytes)));
                Change::Delivered { delivery, answer }
            }
            Effect::Deferred { delivery, attempt, due, why } => {
                Change::Deferred { delivery, attempt, due, why }
            }
            Effect::DeliveryParked { delivery, cause } => {
                Change::DeliveryParked { delivery, cause }
            }
            Effect::Discarded(Parked::Run(run)) => Change::RunDiscarded { run },
            Effect::Discarded(Parked::Delivery(delivery)) => Change::DeliveryDiscarded { delivery },
            Effect::Requeued { delivery } => Change::Requeued { delivery },
            Effect::Replayed { parent, new, generation } => {
                Change::Replayed { parent, new, generation, source: source(parent)? }
            }
            Effect::Noted => return Ok(()),
        };
        self.push(change);
        Ok(())
    }

    fn push(&mut self, change: Change) {
        let (tag, fields) = encode(&change);
        wire::put_record(&mut self.payload, tag, |out| out.extend_from_slice(&fields));
        self.content.changes.push(change);
    }

    fn dispatch(
        &mut self,
        run: RunId,
        outgoing: impl Iterator<Item = (Outgoing, Option<Cause>)>,
        source: Source,
    ) -> Result<(), StoreError> {
        let mut written: Vec<(Bytes, Range<usize>)> = Vec::new();
        let mut outputs = Vec::new();
        for (outgoing, parked) in outgoing {
            let cleared = match &outgoing.cleared {
                Some(cleared) => Some(self.parts(cleared, source, &mut written)?),
                None => None,
            };
            // What may not leave waits for a person, whoever forgot to say why.
            let parked = match (&cleared, parked) {
                (None, None) => Some(Cause::new(CauseWord::Denied, "")),
                (_, parked) => parked,
            };
            let mut lanes = outgoing.lanes;
            let mut seen = BTreeSet::new();
            lanes.retain(|lane| seen.insert(lane.clone()));
            if lanes.is_empty() {
                lanes.push(outgoing.delivery.bits().to_be_bytes().to_vec());
            }
            outputs.push(Output {
                delivery: outgoing.delivery,
                destination: outgoing.destination,
                lanes,
                ordinal: outgoing.ordinal,
                parked,
                cleared,
            });
        }
        wire::put_record(&mut self.payload, DISPATCHED, |out| wire::put_id(out, run.bits()));
        for output in &outputs {
            wire::put_record(&mut self.payload, OUTPUT, |out| put_output(out, output));
        }
        self.content.changes.push(Change::Dispatched { run, outputs });
        Ok(())
    }

    /// Writes the parts of a body that the journal does not have yet.
    fn parts(
        &mut self,
        cleared: &Cleared,
        source: Source,
        written: &mut Vec<(Bytes, Range<usize>)>,
    ) -> Result<Parts, StoreError> {
        let mut parts = Vec::with_capacity(cleared.parts().len());
        for part in cleared.parts() {
            parts.push(match part {
                Part::OfInput(range) => {
                    let length = usize::try_from(source.body.length).unwrap_or(usize::MAX);
                    if range.end < range.start || length < range.end {
                        return Err(StoreError::OutsideMessage);
                    }
                    PartAt::OfMessage(source, range.clone())
                }
                Part::Bytes(bytes) => {
                    // Several destinations often get the same bytes; they are stored once.
                    let known = written
                        .iter()
                        .find(|(it, _)| SHARED_BYTES_MIN <= bytes.len() && it == bytes);
                    let range = match known {
                        Some((_, range)) => range.clone(),
                        None => self.part(bytes),
                    };
                    written.push((bytes.clone(), range.clone()));
                    PartAt::Here(range)
                }
            });
        }
        Ok(Parts { format: cleared.format().clone(), parts, marks: cleared.marks().to_vec() })
    }

    fn part(&mut self, bytes: &[u8]) -> Range<usize> {
        wire::put_record(&mut self.payload, PART, |out| out.extend_from_slice(bytes));
        self.payload.len() - bytes.len()..self.payload.len()
    }
}
