//! A decision, as a frame.

use std::ops::Range;

use bytes::Bytes;
use hilum_audit::{NonEmpty, Record};
use hilum_policy::{Cleared, Mark, Part};
use hilum_words::{
    Cause, DeliveryId, Digest, MessageId, Name, Reason, Rejection, RunId, Timestamp,
};

use super::fields::{
    count, put_cause, put_frame, put_mark, put_run, read_cause, read_digest, read_frame, read_mark,
    read_run,
};
use super::{
    Body, DEFERRED, DELIVERED, DELIVERY_DISCARDED, DELIVERY_PARKED, DISPATCHED, EVIDENCE, HELD,
    OUTPUT, PARKED, PART, REFUSED, REPLAYED, REQUEUED, RUN_DISCARDED, SUBJECT, put_evidence, skip,
};
use crate::frame::{FrameRef, PAYLOAD_BYTES_MAX};
use crate::wire::{self, Fields, RECORDS_MAX, Unread};
use crate::{Effect, Outgoing, Parked, RunStart, StoreError};

/// Parts below so many bytes are not searched for an equal one.
const SHARED_BYTES_MIN: usize = 64;

/// What a step frame says, without the bytes of parts and without evidence.
#[derive(Clone, Debug)]
pub(crate) struct StepContent {
    /// The message that it is about, if it is about one.
    pub(crate) message: Option<MessageId>,
    /// What changes, in order.
    pub(crate) changes: Vec<Change>,
}

impl StepContent {
    /// Whether outputs lie in its frame.
    pub(crate) fn has_outputs(&self) -> bool {
        self.outputs() != 0
    }

    /// How many outputs it makes.
    pub(crate) fn outputs(&self) -> usize {
        let outputs = |change: &Change| match change {
            Change::Dispatched { outputs, .. } => outputs.len(),
            _ => 0,
        };
        self.changes.iter().map(outputs).sum()
    }

    /// How many outputs arrive with it.
    pub(crate) fn arrivals(&self) -> usize {
        self.changes.iter().filter(|it| matches!(it, Change::Delivered { .. })).count()
    }

    /// How many runs it makes again.
    pub(crate) fn replays(&self) -> usize {
        self.changes.iter().filter(|it| matches!(it, Change::Replayed { .. })).count()
    }
}

/// One change of state.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Dispatched { run: RunId, outputs: Vec<Output> },
    Refused { run: RunId, rejection: Rejection },
    Held { run: RunId, why: String },
    Parked { run: RunId, cause: Cause },
    Delivered { delivery: DeliveryId, answer: Option<(Name, Range<usize>)> },
    Deferred { delivery: DeliveryId, attempt: u32, due: Timestamp, why: String },
    DeliveryParked { delivery: DeliveryId, cause: Cause },
    Requeued { delivery: DeliveryId },
    RunDiscarded { run: RunId },
    DeliveryDiscarded { delivery: DeliveryId },
    Replayed { parent: RunId, new: RunStart, generation: Digest, source: Source },
}

/// A message's bytes, wherever they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) message: MessageId,
    pub(crate) received: Timestamp,
    pub(crate) at: FrameRef,
    pub(crate) body: Body,
}

/// One output, on its way or parked.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) delivery: DeliveryId,
    pub(crate) destination: Name,
    pub(crate) lane: Vec<u8>,
    pub(crate) ordinal: u32,
    /// Why it is parked, if it is.
    pub(crate) parked: Option<Cause>,
    /// None: policy let nothing leave.
    pub(crate) cleared: Option<Parts>,
}

/// A body in parts.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) format: Name,
    pub(crate) parts: Vec<PartAt>,
    pub(crate) marks: Vec<Mark>,
}

/// Where a part of a body lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PartAt {
    /// In the step's own payload.
    Here(Range<usize>),
    /// In the message's body: an output does not write again what the journal has.
    OfMessage(Source, Range<usize>),
}

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
            Effect::Refused(rejection) => Change::Refused { run, rejection },
            Effect::Held(why) => Change::Held { run, why },
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
        let (tag, fields) = encode(&change);
        wire::put_record(&mut self.payload, tag, |out| out.extend_from_slice(&fields));
        self.content.changes.push(change);
        Ok(())
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
                (None, None) => Some(Cause::new(hilum_words::CauseWord::Denied, "")),
                (_, parked) => parked,
            };
            outputs.push(Output {
                delivery: outgoing.delivery,
                destination: outgoing.destination,
                lane: outgoing.lane,
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

fn put_range(out: &mut Vec<u8>, range: &Range<usize>) {
    wire::put_u32(out, count(range.start));
    wire::put_u32(out, count(range.end));
}

fn read_range(fields: &mut Fields<'_>) -> Result<Range<usize>, Unread> {
    let (start, end) = (fields.size()?, fields.size()?);
    if end < start {
        return Err(Unread::Malformed("a part ends before it begins"));
    }
    Ok(start..end)
}

fn put_source(out: &mut Vec<u8>, source: &Source) {
    wire::put_id(out, source.message.bits());
    wire::put_i64(out, source.received.micros());
    put_frame(out, source.at);
    wire::put_u32(out, source.body.start);
    wire::put_u32(out, source.body.length);
}

fn read_source(fields: &mut Fields<'_>) -> Result<Source, Unread> {
    Ok(Source {
        message: MessageId::from_bits(fields.id()?),
        received: Timestamp::from_micros(fields.i64()?),
        at: read_frame(fields)?,
        body: Body { start: fields.u32()?, length: fields.u32()? },
    })
}

fn put_output(out: &mut Vec<u8>, output: &Output) {
    wire::put_id(out, output.delivery.bits());
    wire::put_text(out, &output.destination);
    wire::put_bytes(out, &output.lane);
    wire::put_u32(out, output.ordinal);
    wire::put_option(out, output.parked.as_ref(), put_cause);
    wire::put_option(out, output.cleared.as_ref(), |out, cleared| {
        wire::put_text(out, &cleared.format);
        wire::put_u32(out, count(cleared.parts.len()));
        for part in &cleared.parts {
            match part {
                PartAt::Here(range) => {
                    out.push(0);
                    put_range(out, range);
                }
                PartAt::OfMessage(source, range) => {
                    out.push(1);
                    put_source(out, source);
                    put_range(out, range);
                }
            }
        }
        wire::put_u32(out, count(cleared.marks.len()));
        for mark in &cleared.marks {
            put_mark(out, mark);
        }
    });
}

fn read_output(fields: &mut Fields<'_>, payload: usize) -> Result<Output, Unread> {
    const OUTSIDE: Unread = Unread::Malformed("a part lies outside of its frame or message");
    Ok(Output {
        delivery: DeliveryId::from_bits(fields.id()?),
        destination: Name::from(fields.text()?),
        lane: fields.bytes()?.to_vec(),
        ordinal: fields.u32()?,
        parked: fields.option(read_cause)?,
        cleared: fields.option(|fields| {
            Ok(Parts {
                format: Name::from(fields.text()?),
                parts: fields.list(|fields| match fields.u8()? {
                    0 => {
                        let range = read_range(fields)?;
                        if payload < range.end { Err(OUTSIDE) } else { Ok(PartAt::Here(range)) }
                    }
                    1 => {
                        let source = read_source(fields)?;
                        let range = read_range(fields)?;
                        let length = usize::try_from(source.body.length).map_err(|_| OUTSIDE)?;
                        if length < range.end {
                            return Err(OUTSIDE);
                        }
                        Ok(PartAt::OfMessage(source, range))
                    }
                    _ => Err(Unread::Newer("a kind of part".to_owned())),
                })?,
                marks: fields.list(read_mark)?,
            })
        })?,
    })
}

/// Tag and fields of every change but *dispatched*, whose outputs are records of their own.
fn encode(change: &Change) -> (u16, Vec<u8>) {
    let mut out = Vec::new();
    let tag = match change {
        Change::Dispatched { run, .. } => {
            wire::put_id(&mut out, run.bits());
            DISPATCHED
        }
        Change::Refused { run, rejection } => {
            wire::put_id(&mut out, run.bits());
            wire::put_text(&mut out, rejection.reason.word());
            wire::put_option(&mut out, rejection.at.as_deref(), wire::put_text);
            wire::put_text(&mut out, &rejection.text);
            REFUSED
        }
        Change::Held { run, why } => {
            wire::put_id(&mut out, run.bits());
            wire::put_text(&mut out, why);
            HELD
        }
        Change::Parked { run, cause } => {
            wire::put_id(&mut out, run.bits());
            put_cause(&mut out, cause);
            PARKED
        }
        Change::Delivered { delivery, answer } => {
            wire::put_id(&mut out, delivery.bits());
            wire::put_option(&mut out, answer.as_ref(), |out, (format, range)| {
                wire::put_text(out, format);
                put_range(out, range);
            });
            DELIVERED
        }
        Change::Deferred { delivery, attempt, due, why } => {
            wire::put_id(&mut out, delivery.bits());
            wire::put_u32(&mut out, *attempt);
            wire::put_i64(&mut out, due.micros());
            wire::put_text(&mut out, why);
            DEFERRED
        }
        Change::DeliveryParked { delivery, cause } => {
            wire::put_id(&mut out, delivery.bits());
            put_cause(&mut out, cause);
            DELIVERY_PARKED
        }
        Change::Requeued { delivery } => {
            wire::put_id(&mut out, delivery.bits());
            REQUEUED
        }
        Change::RunDiscarded { run } => {
            wire::put_id(&mut out, run.bits());
            RUN_DISCARDED
        }
        Change::DeliveryDiscarded { delivery } => {
            wire::put_id(&mut out, delivery.bits());
            DELIVERY_DISCARDED
        }
        Change::Replayed { parent, new, generation, source } => {
            wire::put_id(&mut out, parent.bits());
            put_run(&mut out, new);
            out.extend_from_slice(generation.bytes());
            put_source(&mut out, source);
            REPLAYED
        }
    };
    (tag, out)
}

/// Reads a step's payload.
pub(super) fn read(payload: &[u8]) -> Result<StepContent, Unread> {
    let mut message = None;
    let mut changes: Vec<Change> = Vec::new();
    for record in wire::records(payload) {
        let record = record?;
        let mut fields = Fields::new(record.content);
        match record.tag {
            SUBJECT => message = fields.option(Fields::id)?.map(MessageId::from_bits),
            PART | EVIDENCE => {}
            OUTPUT => {
                let output = read_output(&mut fields, payload.len())?;
                let Some(Change::Dispatched { outputs, .. }) = changes.last_mut() else {
                    return Err(Unread::Malformed("an output without its decision"));
                };
                outputs.push(output);
            }
            tag => match decode(tag, &mut fields, payload.len())? {
                Some(change) => changes.push(change),
                None => skip(&record)?,
            },
        }
    }
    Ok(StepContent { message, changes })
}

/// The change that a record says; none if its tag is not known.
fn decode(tag: u16, fields: &mut Fields<'_>, payload: usize) -> Result<Option<Change>, Unread> {
    let run = |fields: &mut Fields<'_>| fields.id().map(RunId::from_bits);
    let delivery = |fields: &mut Fields<'_>| fields.id().map(DeliveryId::from_bits);
    Ok(Some(match tag {
        DISPATCHED => Change::Dispatched { run: run(fields)?, outputs: Vec::new() },
        REFUSED => {
            let run = run(fields)?;
            let word = fields.text()?;
            let reason =
                Reason::from_word(word).ok_or_else(|| Unread::Newer(format!("reason {word}")))?;
            let at = fields.option(|fields| fields.text().map(str::to_owned))?;
            let text = fields.text()?.to_owned();
            Change::Refused { run, rejection: Rejection { reason, at, text } }
        }
        HELD => Change::Held { run: run(fields)?, why: fields.text()?.to_owned() },
        PARKED => Change::Parked { run: run(fields)?, cause: read_cause(fields)? },
        DELIVERED => {
            let delivery = delivery(fields)?;
            let answer = fields.option(|fields| {
                let format = Name::from(fields.text()?);
                let range = read_range(fields)?;
                if payload < range.end {
                    return Err(Unread::Malformed("an answer lies outside of its frame"));
                }
                Ok((format, range))
            })?;
            Change::Delivered { delivery, answer }
        }
        DEFERRED => Change::Deferred {
            delivery: delivery(fields)?,
            attempt: fields.u32()?,
            due: Timestamp::from_micros(fields.i64()?),
            why: fields.text()?.to_owned(),
        },
        DELIVERY_PARKED => {
            Change::DeliveryParked { delivery: delivery(fields)?, cause: read_cause(fields)? }
        }
        REQUEUED => Change::Requeued { delivery: delivery(fields)? },
        RUN_DISCARDED => Change::RunDiscarded { run: run(fields)? },
        DELIVERY_DISCARDED => Change::DeliveryDiscarded { delivery: delivery(fields)? },
        REPLAYED => Change::Replayed {
            parent: run(fields)?,
            new: read_run(fields)?,
            generation: read_digest(fields)?,
            source: read_source(fields)?,
        },
        _ => return Ok(None),
    }))
}
