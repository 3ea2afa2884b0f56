//! Compares the evidence in a frame with what the frame changes.

use hilum_audit::{Record, What};
use hilum_words::{DeliveryId, RunId};

use crate::content::{Change, Content};

/// What a frame changes without saying so in the trail, as sentences.
pub(super) fn missing(content: &Content, evidence: &[Record]) -> Vec<String> {
    match content {
        Content::Arrival(arrival) => {
            let message = arrival.record.envelope.message;
            let says =
                |record: &Record| record.what == What::Accepted && record.message == Some(message);
            if evidence.iter().any(says) {
                return Vec::new();
            }
            vec![format!("{message} was accepted, and the trail does not say so")]
        }
        Content::Step(step) => {
            let changes = step.changes.iter().filter(|change| !is_told(change, evidence));
            changes
                .map(|change| format!("{}, and the trail does not say so", said(change)))
                .collect()
        }
        Content::Segment(_) | Content::Started(_) | Content::Idle => Vec::new(),
    }
}

fn is_told(change: &Change, evidence: &[Record]) -> bool {
    let run = |id: &RunId, words: &[What]| {
        evidence.iter().any(|record| record.run == Some(*id) && words.contains(&record.what))
    };
    let delivery = |id: &DeliveryId, words: &[What]| {
        evidence.iter().any(|record| record.delivery == Some(*id) && words.contains(&record.what))
    };
    match change {
        Change::Dispatched { run: id, outputs } => {
            let is_told = |output: &crate::content::Output| {
                output.parked.is_none() || delivery(&output.delivery, &[What::DeliveryParked])
            };
            run(id, &[What::Dispatched]) && outputs.iter().all(is_told)
        }
        Change::Refused { run: id, .. } => run(id, &[What::Refused]),
        Change::Held { run: id, .. } => run(id, &[What::Held]),
        Change::Released { run: id, .. } => run(id, &[What::Released]),
        Change::Parked { run: id, .. } => run(id, &[What::Parked]),
        Change::Applied { generation } => evidence.iter().any(|record| {
            record.what == What::Applied && record.generation == Some(generation.digest)
        }),
        Change::Marked { .. } => evidence
            .iter()
            .any(|record| matches!(record.what, What::Marked | What::Paused | What::Resumed)),
        Change::RunDiscarded { run: id } => run(id, &[What::Discarded]),
        // The record is about the parent or about the new run.
        Change::Replayed { parent, new, .. } => {
            run(parent, &[What::Replayed]) || run(&new.run, &[What::Replayed])
        }
        Change::Delivered { delivery: id, .. } => delivery(id, &[What::Delivered]),
        Change::Deferred { delivery: id, .. } => delivery(id, &[What::Deferred]),
        Change::DeliveryParked { delivery: id, .. } => delivery(id, &[What::DeliveryParked]),
        Change::DeliveryDiscarded { delivery: id } => delivery(id, &[What::Discarded]),
        Change::Requeued { delivery: id } => delivery(id, &[What::Requeued, What::Replayed]),
    }
}

fn said(change: &Change) -> String {
    match change {
        Change::Dispatched { run, .. } => format!("{run} was dispatched"),
        Change::Refused { run, .. } => format!("{run} was refused"),
        Change::Held { run, .. } => format!("{run} was held"),
        Change::Released { run, .. } => format!("{run} was released"),
        Change::Parked { run, .. } => format!("{run} was parked"),
        Change::Applied { generation } => format!("generation {} took over", generation.digest),
        Change::Marked { key, value: Some(_) } => format!("the mark {key} was set"),
        Change::Marked { key, value: None } => format!("the mark {key} was taken away"),
        Change::RunDiscarded { run } => format!("{run} was discarded"),
        Change::Replayed { parent, .. } => format!("{parent} was replayed"),
        Change::Delivered { delivery, .. } => format!("{delivery} was delivered"),
        Change::Deferred { delivery, .. } => format!("{delivery} was deferred"),
        Change::DeliveryParked { delivery, .. } => format!("{delivery} was parked"),
        Change::DeliveryDiscarded { delivery } => format!("{delivery} was discarded"),
        Change::Requeued { delivery } => format!("{delivery} was queued again"),
    }
}
