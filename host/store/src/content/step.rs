//! A decision, as a frame.

use std::ops::Range;

use hilum_policy::Mark;
use hilum_words::{
    Cause, DeliveryId, Digest, MessageId, Name, Reason, Rejection, RunId, Timestamp,
};

use super::fields::{
    count, put_cause, put_frame, put_mark, put_run, read_cause, read_digest, read_frame, read_mark,
    read_run,
};
use super::{
    APPLIED, Body, DEFERRED, DELIVERED, DELIVERY_DISCARDED, DELIVERY_PARKED, DISPATCHED, EVIDENCE,
    HELD, MARKED, OUTPUT, PARKED, PART, REFUSED, RELEASED, REPLAYED, REQUEUED, RUN_DISCARDED,
    SUBJECT, skip,
};
use crate::frame::FrameRef;
use crate::wire::{self, Fields, Unread};
use crate::{GenerationRecord, MarkKey, RunStart};

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
    Refused { run: RunId, rejections: Vec<Rejection> },
    Held { run: RunId, why: String, step: u32 },
    Released { run: RunId, next: u32 },
    Parked { run: RunId, cause: Cause },
    Delivered { delivery: DeliveryId, answer: Option<(Name, Range<usize>)> },
    Deferred { delivery: DeliveryId, attempt: u32, due: Timestamp, why: String },
    DeliveryParked { delivery: DeliveryId, cause: Cause },
    Requeued { delivery: DeliveryId },
    RunDiscarded { run: RunId },
    DeliveryDiscarded { delivery: DeliveryId },
    Replayed { parent: RunId, new: RunStart, generation: Digest, source: Source },
    Applied { generation: GenerationRecord },
    Marked { key: MarkKey, value: Option<String> },
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
    /// At least one.
    pub(crate) lanes: Vec<Vec<u8>>,
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

pub(super) fn put_output(out: &mut Vec<u8>, output: &Output) {
    wire::put_id(out, output.delivery.bits());
    wire::put_text(out, &output.destination);
    let (first, others) = output
        .lanes
        .split_first()
        .map_or((&[][..], &[][..]), |(first, others)| (first.as_slice(), others));
    wire::put_bytes(out, first);
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
    // A delivery of one lane is written as it always was.
    if !others.is_empty() {
        wire::put_u32(out, count(others.len()));
        for lane in others {
            wire::put_bytes(out, lane);
        }
    }
}

fn read_output(fields: &mut Fields<'_>, payload: usize) -> Result<Output, Unread> {
    const OUTSIDE: Unread = Unread::Malformed("a part lies outside of its frame or message");
    let mut output = Output {
        delivery: DeliveryId::from_bits(fields.id()?),
        destination: Name::from(fields.text()?),
        lanes: vec![fields.bytes()?.to_vec()],
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
    };
    if fields.has_more() {
        output.lanes.extend(fields.list(|fields| fields.bytes().map(<[u8]>::to_vec))?);
    }
    Ok(output)
}

fn put_rejection(out: &mut Vec<u8>, rejection: &Rejection) {
    wire::put_text(out, rejection.reason.word());
    wire::put_option(out, rejection.at.as_deref(), wire::put_text);
    wire::put_text(out, &rejection.text);
}

fn read_rejection(fields: &mut Fields<'_>) -> Result<Rejection, Unread> {
    let word = fields.text()?;
    let reason = Reason::from_word(word).ok_or_else(|| Unread::Newer(format!("reason {word}")))?;
    let at = fields.option(|fields| fields.text().map(str::to_owned))?;
    Ok(Rejection { reason, at, text: fields.text()?.to_owned() })
}

/// Tag and fields of every change but *dispatched*, whose outputs are records of their own.
pub(super) fn encode(change: &Change) -> (u16, Vec<u8>) {
    let mut out = Vec::new();
    let tag = match change {
        Change::Dispatched { run, .. } => {
            wire::put_id(&mut out, run.bits());
            DISPATCHED
        }
        Change::Refused { run, rejections } => {
            wire::put_id(&mut out, run.bits());
            // The first stands where the only one stood before there could be several.
            for (place, rejection) in rejections.iter().enumerate() {
                put_rejection(&mut out, rejection);
                if place == 0 && 1 < rejections.len() {
                    wire::put_u32(&mut out, count(rejections.len() - 1));
                }
            }
            REFUSED
        }
        Change::Held { run, why, step } => {
            wire::put_id(&mut out, run.bits());
            wire::put_text(&mut out, why);
            wire::put_u32(&mut out, *step);
            HELD
        }
        Change::Released { run, next } => {
            wire::put_id(&mut out, run.bits());
            wire::put_u32(&mut out, *next);
            RELEASED
        }
        Change::Applied { generation } => {
            generation.write_to(&mut out);
            APPLIED
        }
        Change::Marked { key, value } => {
            wire::put_text(&mut out, key.as_str());
            wire::put_option(&mut out, value.as_deref(), wire::put_text);
            MARKED
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
            let mut rejections = vec![read_rejection(fields)?];
            if fields.has_more() {
                rejections.extend(fields.list(read_rejection)?);
            }
            Change::Refused { run, rejections }
        }
        HELD => {
            let (run, why) = (run(fields)?, fields.text()?.to_owned());
            // Before a held run could go on, the step was not written. With 0 the validator is
            // asked once more: nothing is passed that nobody looked at.
            let step = if fields.has_more() { fields.u32()? } else { 0 };
            Change::Held { run, why, step }
        }
        RELEASED => Change::Released { run: run(fields)?, next: fields.u32()? },
        APPLIED => Change::Applied { generation: GenerationRecord::read_from(fields)? },
        MARKED => {
            let key = MarkKey::new(fields.text()?);
            let key = key.map_err(|_| Unread::Malformed("a mark's key is too long, or empty"))?;
            let value = fields.option(|fields| fields.text().map(str::to_owned))?;
            Change::Marked { key, value }
        }
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
