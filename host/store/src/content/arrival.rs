//! A message at the door, as a frame.

use hilum_audit::Record;
use hilum_words::{Digest, Envelope, MessageId, Name, Origin, Timestamp};

use super::fields::{put_actor, put_run, read_actor, read_digest, read_run};
use super::{BODY, EVIDENCE, FINDING, MESSAGE, RUN, put_evidence, skip};
use crate::wire::{self, Fields, RECORDS_MAX, Unread};
use crate::{Arrival, DuplicateKey, MessageRecord, OnReused, RunStart, StoreError};

/// Findings that are kept of one message.
const FINDINGS_MAX: usize = 100;
/// The retention class of all messages, until a site can name others.
const RETENTION: &str = "default";

/// Where a message's bytes lie in its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) start: u32,
    pub(crate) length: u32,
}

/// What an arrival frame says, without body and evidence.
#[derive(Clone, Debug)]
pub(crate) struct ArrivalContent {
    pub(crate) record: MessageRecord,
    pub(crate) key: Option<DuplicateKey>,
    pub(crate) runs: Vec<RunStart>,
    pub(crate) body: Body,
}

/// An arrival that was encoded where it came in, so that the committer only adds a head.
pub(crate) struct Draft {
    pub(crate) payload: Vec<u8>,
    pub(crate) content: Box<ArrivalContent>,
    pub(crate) on_reused: OnReused,
}

impl Draft {
    /// Encodes an arrival.
    pub(crate) fn of(arrival: Arrival, body_bytes_max: usize) -> Result<Self, StoreError> {
        let length = arrival.body.len();
        if body_bytes_max < length {
            let what = format!("a message has {length} bytes; the bound is {body_bytes_max}");
            return Err(StoreError::TooLarge { what });
        }
        // Room for what the committer may add.
        if RECORDS_MAX - FINDINGS_MAX - 8 < arrival.runs.len() + arrival.records.len() {
            return Err(StoreError::TooLarge {
                what: "an arrival has too many records".to_owned(),
            });
        }
        let mut findings = arrival.findings;
        findings.truncate(FINDINGS_MAX - 1);
        let record = MessageRecord {
            envelope: arrival.envelope,
            kind: arrival.kind,
            format: arrival.format,
            bytes: super::fields::wide(length),
            digest: Digest::of(&arrival.body),
            generation: arrival.generation,
            findings: Vec::new(),
            runs: arrival.runs.iter().map(|start| start.run).collect(),
        };
        let mut payload = Vec::with_capacity(length + 768);
        wire::put_record(&mut payload, MESSAGE, |out| put_message(out, &record, arrival.key));
        for start in &arrival.runs {
            wire::put_record(&mut payload, RUN, |out| put_run(out, start));
        }
        wire::put_record(&mut payload, BODY, |out| out.extend_from_slice(&arrival.body));
        let cut = |_| StoreError::TooLarge { what: "a message".to_owned() };
        let length = u32::try_from(length).map_err(cut)?;
        let start = u32::try_from(payload.len()).map_err(cut)? - length;
        let content = ArrivalContent {
            record,
            key: arrival.key,
            runs: arrival.runs,
            body: Body { start, length },
        };
        let mut draft = Self { payload, content: Box::new(content), on_reused: arrival.on_reused };
        for finding in findings {
            draft.add_finding(finding);
        }
        for record in arrival.records.iter() {
            draft.add_evidence(record);
        }
        Ok(draft)
    }

    /// Adds a finding.
    pub(crate) fn add_finding(&mut self, finding: String) {
        wire::put_record(&mut self.payload, FINDING, |out| wire::put_text(out, &finding));
        self.content.record.findings.push(finding);
    }

    /// Adds evidence.
    pub(crate) fn add_evidence(&mut self, record: &Record) {
        put_evidence(&mut self.payload, record);
    }
}

fn put_message(out: &mut Vec<u8>, record: &MessageRecord, key: Option<DuplicateKey>) {
    let envelope = &record.envelope;
    wire::put_id(out, envelope.message.bits());
    wire::put_i64(out, envelope.received.micros());
    wire::put_text(out, &envelope.listener);
    wire::put_text(out, &envelope.peer);
    wire::put_text(out, envelope.origin.word());
    wire::put_option(out, envelope.parent, |out, id| wire::put_id(out, id.bits()));
    wire::put_option(out, envelope.correlation, |out, id| wire::put_id(out, id.bits()));
    put_actor(out, &envelope.actor);
    wire::put_option(out, envelope.trace.as_deref(), wire::put_text);
    wire::put_text(out, &record.kind);
    wire::put_text(out, &record.format);
    out.extend_from_slice(record.digest.bytes());
    out.extend_from_slice(record.generation.bytes());
    wire::put_text(out, RETENTION);
    wire::put_option(out, key, |out, key| out.extend_from_slice(&key.0));
}

fn read_message(fields: &mut Fields<'_>) -> Result<(MessageRecord, Option<DuplicateKey>), Unread> {
    let message = MessageId::from_bits(fields.id()?);
    let received = Timestamp::from_micros(fields.i64()?);
    let listener = Name::from(fields.text()?);
    let peer = fields.text()?.to_owned();
    let origin = fields.text()?;
    let origin =
        Origin::from_word(origin).ok_or_else(|| Unread::Newer(format!("origin {origin}")))?;
    let id = |fields: &mut Fields<'_>| fields.id().map(MessageId::from_bits);
    let parent = fields.option(id)?;
    let correlation = fields.option(id)?;
    let actor = read_actor(fields)?;
    let trace = fields.option(|fields| fields.text().map(str::to_owned))?;
    let kind = fields.text()?.to_owned();
    let format = Name::from(fields.text()?);
    let digest = read_digest(fields)?;
    let generation = read_digest(fields)?;
    let _retention = fields.text()?;
    let key = fields.option(|fields| fields.array().map(DuplicateKey))?;
    let envelope =
        Envelope { message, received, listener, peer, origin, parent, correlation, actor, trace };
    let record = MessageRecord {
        envelope,
        kind,
        format,
        bytes: 0,
        digest,
        generation,
        findings: Vec::new(),
        runs: Vec::new(),
    };
    Ok((record, key))
}

/// Reads an arrival's payload.
pub(super) fn read(payload: &[u8]) -> Result<ArrivalContent, Unread> {
    let mut message = None;
    let mut body = None;
    let mut runs: Vec<RunStart> = Vec::new();
    let mut findings = Vec::new();
    for record in wire::records(payload) {
        let record = record?;
        let mut fields = Fields::new(record.content);
        match record.tag {
            MESSAGE => message = Some(read_message(&mut fields)?),
            RUN => runs.push(read_run(&mut fields)?),
            BODY => {
                let large = |_| Unread::Malformed("a body is too large");
                body = Some(Body {
                    start: u32::try_from(record.range.start).map_err(large)?,
                    length: u32::try_from(record.content.len()).map_err(large)?,
                });
            }
            FINDING => findings.push(fields.text()?.to_owned()),
            EVIDENCE => {}
            _ => skip(&record)?,
        }
    }
    let (Some((mut record, key)), Some(body)) = (message, body) else {
        return Err(Unread::Malformed("an arrival without a message or its body"));
    };
    record.bytes = u64::from(body.length);
    record.findings = findings;
    record.runs = runs.iter().map(|start| start.run).collect();
    Ok(ArrivalContent { record, key, runs, body })
}
