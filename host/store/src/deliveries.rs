//! Puts a delivery's body together: bytes of the step that made it, and spans of its message.

use bytes::{Bytes, BytesMut};
use hilum_words::{DeliveryId, Name};

use crate::content::{self, Change, Content, Output, PartAt, Source};
use crate::frame::{FrameRef, Kind};
use crate::frames::Frames;
use crate::shared::Shared;
use crate::{DeliveryRecord, StoreError};

/// The bytes of a message.
pub(crate) fn body(frames: &Frames, source: &Source) -> Result<Bytes, StoreError> {
    let payload = frames.payload(source.at)?;
    let start = source.body.start as usize;
    let end = start + source.body.length as usize;
    if payload.len() < end {
        return Err(damaged(source.at, "a body lies outside of its frame"));
    }
    Ok(payload.slice(start..end))
}

/// What is known of a delivery, with its body.
pub(crate) fn delivery(shared: &Shared, id: DeliveryId) -> Result<DeliveryRecord, StoreError> {
    let (mut record, at, answer) = {
        let durable = shared.durable();
        let state = shared.state();
        let entry = state.find_delivery(id, durable).ok_or(StoreError::NoDelivery(id))?;
        let source = state.source(entry.run)?;
        let record = DeliveryRecord {
            delivery: id,
            message: source.message,
            run: entry.run,
            received: source.received,
            destination: entry.destination.clone(),
            lanes: entry.lanes.iter().map(|lane| lane.to_vec()).collect(),
            ordinal: entry.ordinal,
            attempts: entry.attempts,
            due: entry.due,
            why: entry.why.as_deref().map(str::to_owned),
            state: entry.state.clone(),
            since: entry.since,
            format: Name::from(""),
            body: Bytes::new(),
            marks: Vec::new(),
            is_cleared: entry.is_cleared,
            answer: None,
        };
        (record, entry.frame, entry.answer.filter(|_| entry.changed <= durable))
    };
    if record.is_cleared {
        let payload = shared.frames.payload(at)?;
        let output = find_output(&payload, at, id)?;
        let Some(cleared) = output.cleared else {
            return Err(damaged(at, "an output has lost its body"));
        };
        record.body = assemble(&shared.frames, at, &payload, &cleared.parts)?;
        record.format = cleared.format;
        record.marks = cleared.marks;
    }
    if let Some(at) = answer {
        record.answer = read_answer(&shared.frames, at, id)?;
    }
    Ok(record)
}

fn find_output(payload: &[u8], at: FrameRef, id: DeliveryId) -> Result<Output, StoreError> {
    let outputs = changes(payload, at)?.into_iter().filter_map(|change| match change {
        Change::Dispatched { outputs, .. } => Some(outputs),
        _ => None,
    });
    let found = outputs.flatten().find(|output| output.delivery == id);
    found.ok_or_else(|| damaged(at, "an output is not where it was"))
}

fn read_answer(
    frames: &Frames,
    at: FrameRef,
    id: DeliveryId,
) -> Result<Option<(Name, Bytes)>, StoreError> {
    let payload = frames.payload(at)?;
    for change in changes(&payload, at)? {
        if let Change::Delivered { delivery, answer: Some((format, range)) } = change
            && delivery == id
        {
            return Ok(Some((format, payload.slice(range))));
        }
    }
    Err(damaged(at, "an answer is not where it was"))
}

fn changes(payload: &[u8], at: FrameRef) -> Result<Vec<Change>, StoreError> {
    match content::read(Kind::Step, payload) {
        Ok(Content::Step(step)) => Ok(step.changes),
        _ => Err(damaged(at, "a step does not read")),
    }
}

fn assemble(
    frames: &Frames,
    at: FrameRef,
    payload: &Bytes,
    parts: &[PartAt],
) -> Result<Bytes, StoreError> {
    // Ranges were compared with their frames when they were read.
    let one = |part: &PartAt| match part {
        PartAt::Here(range) => Ok(payload.slice(range.clone())),
        PartAt::OfMessage(source, range) => {
            let body = body(frames, source)?;
            if body.len() < range.end {
                return Err(damaged(at, "a part lies outside of its message"));
            }
            Ok(body.slice(range.clone()))
        }
    };
    if let [part] = parts {
        return one(part);
    }
    let mut whole = BytesMut::new();
    for part in parts {
        whole.extend_from_slice(&one(part)?);
    }
    Ok(whole.freeze())
}

fn damaged(at: FrameRef, why: &'static str) -> StoreError {
    StoreError::Damaged { segment: at.segment, offset: at.offset, why }
}
