//! Batches: HL7 v2 chapter 2, 2.10.3. `[FHS] { [BHS] { MSH … } [BTS] } [FTS]`, in one frame.
//!
//! Each message of a batch is a message of its own: decided, stored and answered by itself, whatever
//! becomes of the others. So a batch that is repeated because half of it was taken is neither skipped
//! nor taken twice: each of its messages is known by its own control id.
//!
//! Promises: a batch has at most [`MESSAGES_MAX`] messages and [`WRAPPERS_MAX`] headers; at most
//! [`TOGETHER`] of the messages wait for the disk at once; between two of them others get their turn.
//! Not here: splitting (`hilum_message::hl7v2`), how a batch is spelt (`hilum_answer`).

use std::collections::BTreeMap;

use hilum_answer::{Ack, Refusal};
use hilum_env::give_way;
use hilum_message::hl7v2::{
    Batch, BatchMessage, Charset, FindingKind, Header, Message as Hl7, Options, Path, SegmentName,
};
use hilum_words::MessageId;

use super::door::{Came, Passed, Submitted};
use super::layout::Layout;
use super::said::{Pending, Said};
use super::{Answer, Intake, Later, OnBatchCount, Pinned};

/// Messages that a batch may have, its headers counted with them.
pub(super) const MESSAGES_MAX: usize = 10_000;
/// Headers of batches and files that a batch may have: each may be answered by itself, though it holds
/// no message.
const WRAPPERS_MAX: usize = 256;
/// Messages of one batch that wait for the disk at once.
const TOGETHER: usize = 256;
/// Findings about the batch that each of its messages carries at most.
const FINDINGS_MAX: usize = 4;

/// One message of a batch, and what became of it.
pub(super) struct Member {
    /// What an answer to it needs.
    pub(super) header: Header,
    pub(super) passed: Passed,
}

/// Whether a frame holds anything but one message alone.
pub(super) fn is_batch(whole: &Hl7) -> bool {
    let has = |name| whole.segment(name, 1).is_some();
    whole.is_batch() || has(SegmentName::BTS) || has(SegmentName::FTS)
}

impl Intake {
    /// Takes a batch, and says what to answer.
    pub(super) async fn receive_batch(
        &self,
        pinned: &Pinned,
        whole: &Hl7,
        findings: Vec<String>,
        came: &Came,
    ) -> Answer {
        let (layout, members) = match self.take_batch(pinned, whole, findings, came).await {
            Ok(taken) => taken,
            Err(passed) => return self.answer(pinned, Some(whole.header()), passed),
        };
        let mut is_stored = true;
        let mut now: Vec<Vec<Ack>> = Vec::new();
        let mut pending: Vec<Option<Pending>> = Vec::new();
        for member in members {
            give_way().await;
            let said = self.said(Some(member.header), member.passed);
            let Said { acks, pending: waits, is_stored: is_this_stored } = said;
            is_stored &= is_this_stored.unwrap_or(true);
            now.push(acks);
            pending.push(waits);
        }
        let how = pinned.options.batch_answer;
        let stamps = self.stamps.clone();
        let holds_reading = pending.iter().flatten().any(|it| it.holds);
        let is_stored = Some(is_stored);
        if pending.iter().all(Option::is_none) {
            let now = layout.write(&now, how, &stamps).await;
            return Answer { now, later: None, close: false, is_stored };
        }
        let patience = self.patience(pinned);
        // A sender that waits for one answer gets one: all of it when everything is decided.
        let (said, mut late) = if holds_reading {
            (Vec::new(), now)
        } else {
            let none = now.iter().map(|_| Vec::new()).collect();
            (layout.write(&now, how, &stamps).await, none)
        };
        let replies = async move {
            for (acks, pending) in late.iter_mut().zip(pending) {
                give_way().await;
                if let Some(pending) = pending {
                    acks.extend(pending.acks(&patience, &stamps).await);
                }
            }
            layout.write(&late, how, &stamps).await
        };
        let later = Some(Later { replies: Box::pin(replies), holds_reading });
        Answer { now: said, later, close: false, is_stored }
    }

    /// Takes each message of a batch. An error is said about the batch as a whole.
    pub(super) async fn take_batch(
        &self,
        pinned: &Pinned,
        whole: &Hl7,
        findings: Vec<String>,
        came: &Came,
    ) -> Result<(Layout, Vec<Member>), Passed> {
        let batch = whole.batch();
        if MESSAGES_MAX < batch.messages.len() + batch.wrappers.len() {
            let refusal = Refusal::BatchTooLong { most: MESSAGES_MAX, of: "messages" };
            return Err(self.refused(refusal, came, whole.bytes().len()));
        }
        if WRAPPERS_MAX < batch.wrappers.len() {
            let of = "headers of batches and files";
            let refusal = Refusal::BatchTooLong { most: WRAPPERS_MAX, of };
            return Err(self.refused(refusal, came, whole.bytes().len()));
        }
        let first = self.message_id(came);
        let came = Came {
            peer: came.peer.clone(),
            correlation: Some(first),
            trace: came.trace.clone(),
            request: came.request.clone(),
            ..*came
        };
        let mut findings = findings;
        let odd = batch.findings.iter().take(FINDINGS_MAX);
        findings.extend(odd.map(|it| format!("the batch: {it}")));
        // A byte order mark stands before the first message, and is about all.
        let is_marked = whole.findings().iter().any(|it| it.kind == FindingKind::ByteOrderMark);
        let reading = match is_marked {
            true => Options { default_charset: Charset::Utf8 },
            false => pinned.options.reading(),
        };
        let miscounted = miscounted(&batch);
        let mut members = Vec::new();
        let mut next = Some(first);
        for chunk in batch.messages.chunks(TOGETHER) {
            let mut submitted: Vec<(Header, Submitted)> = Vec::new();
            for member in chunk {
                give_way().await;
                let id = next.take().unwrap_or_else(|| self.message_id(&came));
                let one = One { miscounted: &miscounted, member, id, reading };
                submitted.push(self.submit_member(pinned, whole, &one, findings.clone(), &came));
            }
            for (header, submitted) in submitted {
                let passed = self.passed(pinned, submitted, &came).await;
                members.push(Member { header, passed });
            }
        }
        let layout = self.layout(whole, &batch, &members).await;
        Ok((layout, members))
    }

    fn submit_member(
        &self,
        pinned: &Pinned,
        whole: &Hl7,
        one: &One<'_>,
        findings: Vec<String>,
        came: &Came,
    ) -> (Header, Submitted) {
        let content = whole.bytes().slice(one.member.range.clone());
        let bytes = content.len();
        let refused = |refusal| Submitted::Decided(self.refused(refusal, came, bytes));
        let Ok(message) = Hl7::parse_with(content, &one.reading) else {
            // Its delimiters cannot be used; those before it may do for an answer.
            return (whole.header_at(one.member.segments.start), refused(Refusal::NotHl7));
        };
        let header = message.header();
        if one.member.is_cut {
            return (header, refused(Refusal::Stray));
        }
        if let Some(is_file) =
            one.is_miscounted().filter(|_| pinned.options.on_batch_count == OnBatchCount::Refuse)
        {
            return (header, refused(Refusal::BatchCount { at: trailer(is_file) }));
        }
        (header, self.submit_hl7_as(one.id, pinned, message, findings, came))
    }
}

/// One message of a batch that is to be taken.
struct One<'a> {
    miscounted: &'a BTreeMap<usize, bool>,
    member: &'a BatchMessage,
    id: MessageId,
    reading: Options,
}

impl One<'_> {
    /// Whether it is under a header whose trailer counts another number: its file's (true) or its
    /// batch's (false).
    fn is_miscounted(&self) -> Option<bool> {
        let above = [self.member.file, self.member.batch].into_iter().flatten();
        above.filter_map(|segment| self.miscounted.get(&segment).copied()).next()
    }
}

/// The headers whose trailers count another number than came, by segment, and whether each is a file's.
fn miscounted(batch: &Batch) -> BTreeMap<usize, bool> {
    let wrong = batch.wrappers.iter().filter(|it| it.is_miscounted);
    wrong.map(|it| (it.segment, it.is_file)).collect()
}

pub(super) fn trailer(is_file: bool) -> Path {
    Path::field_of(if is_file { SegmentName::FTS } else { SegmentName::BTS }, 1)
}
