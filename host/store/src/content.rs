//! What a frame says: the meaning of the records in a payload.
//!
//! ```text
//! tag  record
//!   1  message      who, when, where, kind, format, digest, generation, retention class, key
//!   2  run          id, route, seed, lanes
//!   3  body         the message's bytes
//!   4  finding      a text
//!   5  evidence     one audit record, in its canonical bytes
//!  10  subject      the message and the run that a step is about
//!  11  part         bytes of an output, or of an answer
//!  12  dispatched   one for the decision; its outputs follow
//!  13  output       one delivery: where to, and its body as parts
//!  14  refused      15 held   16 parked   17 released
//!  20  delivered    21 deferred   22 delivery parked   23 requeued
//!  30  run discarded   31 delivery discarded   32 replayed
//!  40  started
//!  50  segment
//!  60  applied      a generation took over
//!  61  marked       a mark was set or taken away
//! 100  to 199 are reserved for cases, timers and tasks
//! ```
//!
//! Promises: a payload is read without trust, though its checksum is right: a newer gateway may have
//! written it. A record with an unknown tag is refused unless it says that it may be skipped.

#![warn(clippy::indexing_slicing, clippy::as_conversions)]

mod arrival;
mod draft;
pub(crate) mod fields;
mod step;

use hilum_audit::Record;
use hilum_words::RunId;

use crate::frame::Kind;
use crate::wire::{self, Fields, Unread};

pub(crate) use arrival::{ArrivalContent, Body, Draft};
pub(crate) use draft::StepDraft;
pub(crate) use step::{Change, Output, PartAt, Source, StepContent};

const MESSAGE: u16 = 1;
const RUN: u16 = 2;
const BODY: u16 = 3;
const FINDING: u16 = 4;
const EVIDENCE: u16 = 5;
const SUBJECT: u16 = 10;
const PART: u16 = 11;
const DISPATCHED: u16 = 12;
const OUTPUT: u16 = 13;
const REFUSED: u16 = 14;
const HELD: u16 = 15;
const PARKED: u16 = 16;
const RELEASED: u16 = 17;
const DELIVERED: u16 = 20;
const DEFERRED: u16 = 21;
const DELIVERY_PARKED: u16 = 22;
const REQUEUED: u16 = 23;
const RUN_DISCARDED: u16 = 30;
const DELIVERY_DISCARDED: u16 = 31;
const REPLAYED: u16 = 32;
const STARTED: u16 = 40;
const SEGMENT: u16 = 50;
const APPLIED: u16 = 60;
const MARKED: u16 = 61;

/// What a frame says.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A segment begins.
    Segment(SegmentContent),
    /// A message came.
    Arrival(Box<ArrivalContent>),
    /// Something was decided.
    Step(StepContent),
    /// A worker began with a run.
    Started(RunId),
    /// Nothing.
    Idle,
}

/// How a segment begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentContent {
    /// Its number.
    pub(crate) segment: u32,
    /// The journal it belongs to.
    pub(crate) log: u64,
}

impl SegmentContent {
    pub(crate) fn to_payload(self) -> Vec<u8> {
        let mut out = Vec::new();
        wire::put_record(&mut out, SEGMENT, |out| {
            wire::put_u32(out, self.segment);
            wire::put_u64(out, self.log);
        });
        out
    }
}

/// The payload that says that a worker began with a run.
pub(crate) fn started_payload(run: RunId) -> Vec<u8> {
    let mut out = Vec::with_capacity(24);
    wire::put_record(&mut out, STARTED, |out| wire::put_id(out, run.bits()));
    out
}

/// Appends a record of the trail.
fn put_evidence(out: &mut Vec<u8>, record: &Record) {
    wire::put_record(out, EVIDENCE, |out| record.write_to(out));
}

/// Reads a payload.
pub(crate) fn read(kind: Kind, payload: &[u8]) -> Result<Content, Unread> {
    match kind {
        Kind::Segment => read_segment(payload).map(Content::Segment),
        Kind::Arrival => arrival::read(payload).map(Box::new).map(Content::Arrival),
        Kind::Step => step::read(payload).map(Content::Step),
        Kind::Started => read_started(payload).map(Content::Started),
        Kind::Idle => {
            for record in wire::records(payload) {
                skip(&record?)?;
            }
            Ok(Content::Idle)
        }
    }
}

/// The evidence in a payload, in order.
pub(crate) fn evidence(payload: &[u8]) -> Result<Vec<Record>, Unread> {
    let mut all = Vec::new();
    for record in wire::records(payload) {
        let record = record?;
        if record.tag == EVIDENCE {
            all.push(Record::from_bytes(record.content).map_err(|fault| match fault {
                hilum_audit::RecordError::Malformed => Unread::Malformed("a record of the trail"),
                newer => Unread::Newer(newer.to_string()),
            })?);
        }
    }
    Ok(all)
}

/// A record that this reader does not know: skipped if it says so.
fn skip(record: &wire::Record<'_>) -> Result<(), Unread> {
    if record.skippable {
        return Ok(());
    }
    Err(Unread::Newer(format!("a record with tag {}", record.tag)))
}

fn read_started(payload: &[u8]) -> Result<RunId, Unread> {
    let mut run = None;
    for record in wire::records(payload) {
        let record = record?;
        match record.tag {
            STARTED => run = Some(RunId::from_bits(Fields::new(record.content).id()?)),
            _ => skip(&record)?,
        }
    }
    run.ok_or(Unread::Malformed("a start without a run"))
}

fn read_segment(payload: &[u8]) -> Result<SegmentContent, Unread> {
    let mut segment = None;
    for record in wire::records(payload) {
        let record = record?;
        let mut fields = Fields::new(record.content);
        match record.tag {
            SEGMENT => {
                segment = Some(SegmentContent { segment: fields.u32()?, log: fields.u64()? });
            }
            _ => skip(&record)?,
        }
    }
    segment.ok_or(Unread::Malformed("a segment that does not say which"))
}

#[cfg(test)]
mod tests;
