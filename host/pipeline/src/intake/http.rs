//! What is said to a sender over HTTP: one answer, when all is known that the sender waits for.

use std::time::Duration;

use bytes::Bytes;
use hilum_answer::{
    Ack, Refusal, Wanted, accepted_outcome, batch_outcome, batch_receipt, operation_outcome,
    problem, receipt,
};
use hilum_env::give_way;
use hilum_message::Message;
use hilum_message::hl7v2::{Header, Message as Hl7};
use hilum_store::{DuplicateKey, Stored};
use hilum_words::Name;

use super::batch::{self, Member};
use super::door::{Arriving, Came, Kept, Passed};
use super::request::{
    BodyFormat, HttpAnswer, HttpInbound, Wish, checked, is_random, is_traceparent, opaque, read,
};
use super::said::Patience;
use super::{BatchAnswer, Intake, Pinned};

/// The types of what is answered.
const HL7: &str = "application/hl7-v2";
const FHIR: &str = "application/fhir+json";
const PROBLEM: &str = "application/problem+json";
const JSON: &str = "application/json";

/// After which a sender that was told "busy" may try again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What became of a message when all is known that its sender waits for.
enum Resolved {
    Accepted {
        stored: Stored,
        is_processed: bool,
    },
    /// Refused; if it is stored all the same, by a plugin or because the decision takes too long.
    Refused {
        refusal: Refusal,
        stored: Option<Stored>,
    },
    Acknowledgement,
}

impl Resolved {
    fn stored(&self) -> Option<&Stored> {
        match self {
            Self::Accepted { stored, .. } => Some(stored),
            Self::Refused { stored, .. } => stored.as_ref(),
            Self::Acknowledgement => None,
        }
    }

    fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            Self::Accepted { .. } | Self::Acknowledgement => None,
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::Accepted { is_processed: false, .. } => 202,
            Self::Accepted { is_processed: true, .. } | Self::Acknowledgement => 200,
            Self::Refused { refusal, .. } => refusal.status().0,
        }
    }
}

impl Intake {
    /// Takes one body and says what to answer, after the disk has it.
    pub async fn receive_http(&self, inbound: HttpInbound) -> HttpAnswer {
        let pinned = self.pinned();
        let HttpInbound { format, content, charset, wish, peer, received, .. } = inbound;
        let mut came = Came::at(peer, received);
        came.trace = inbound.trace.filter(|it| is_traceparent(it));
        came.request = Some(inbound.request_id).filter(|it| is_random(it));
        came.is_http = true;
        let key = inbound.idempotency_key;
        let bytes = content.len();
        let refused = |refusal| self.refused(refusal, &came, bytes);
        let name = match format {
            BodyFormat::Hl7v2 => match pinned.read(content).and_then(|it| checked(it, charset)) {
                Ok(whole) if batch::is_batch(&whole) => {
                    return self.batch_over_http(&pinned, &whole, wish, &came).await;
                }
                Ok(message) => {
                    let header = message.header();
                    let submitted = self.submit_hl7(&pinned, message, Vec::new(), &came);
                    let passed = self.passed(&pinned, submitted, &came).await;
                    let resolved = self.resolved(&self.patience(&pinned), passed).await;
                    return self.answer_http(Some(&header), &resolved, wish);
                }
                Err(refusal) => {
                    let resolved = self.resolved(&self.patience(&pinned), refused(refusal)).await;
                    return self.answer_http(None, &resolved, wish);
                }
            },
            BodyFormat::FhirJson => Name::from("fhir-json"),
            // What claims to be a format that is read here is not taken at its word.
            BodyFormat::Opaque(name) => Name::from(opaque(&name)),
        };
        let is_meant = |it: &Message| inbound.resource.as_ref().is_none_or(|url| url.is_of(it));
        let passed = match read(&name, content.clone()) {
            Ok(message) if !is_meant(&message) => refused(Refusal::OtherResource),
            Ok(message) => {
                let key = key.map(|key| {
                    // Another sender may choose the same, and another format means something else.
                    let sender = came.peer.identity.as_ref().map(|it| it.subject.as_bytes());
                    DuplicateKey::of(&[
                        self.listener.as_bytes(),
                        b"Idempotency-Key",
                        name.as_bytes(),
                        sender.unwrap_or_default(),
                        key.as_bytes(),
                    ])
                });
                let arriving = Arriving {
                    id: self.message_id(&came),
                    message,
                    body: content,
                    key,
                    findings: Vec::new(),
                    wanted: Wanted::ALL,
                };
                let submitted = self.submit(&pinned, arriving, &came);
                self.passed(&pinned, submitted, &came).await
            }
            Err(refusal) => refused(refusal),
        };
        let mut resolved = self.resolved(&self.patience(&pinned), passed).await;
        if let Resolved::Refused { refusal: refusal @ Refusal::Reused, .. } = &mut resolved {
            *refusal = Refusal::ReusedKey;
        }
        self.answer_http(None, &resolved, wish)
    }

    /// Says no to a request of which nothing was taken.
    pub fn refuse_http(&self, refusal: &Refusal, wish: Wish) -> HttpAnswer {
        let resolved = Resolved::Refused { refusal: refusal.clone(), stored: None };
        self.answer_http(None, &resolved, wish)
    }

    /// Waits until all is known: over HTTP there is one answer.
    async fn resolved(&self, patience: &Patience, passed: Passed) -> Resolved {
        match passed {
            Passed::Acknowledgement => Resolved::Acknowledgement,
            Passed::Refused(refusal) => Resolved::Refused { refusal, stored: None },
            Passed::Stored(Kept { stored, waiter: None }) => {
                Resolved::Accepted { stored, is_processed: false }
            }
            Passed::Stored(Kept { stored, waiter: Some(waiter) }) => {
                match patience.outcome(&waiter).await {
                    Ok(()) => Resolved::Accepted { stored, is_processed: true },
                    Err(refusal) => Resolved::Refused { refusal, stored: Some(stored) },
                }
            }
        }
    }

    fn answer_http(&self, header: Option<&Header>, resolved: &Resolved, wish: Wish) -> HttpAnswer {
        let (content_type, body) = match (wish, resolved) {
            (_, Resolved::Acknowledgement) => (HL7, Bytes::new()),
            // In HL7 there is nothing to say to an acknowledgement.
            (Wish::Hl7v2, Resolved::Refused { refusal: refusal @ Refusal::NotAwaited, .. }) => {
                (PROBLEM, problem(refusal).to_bytes().into())
            }
            (Wish::Hl7v2, _) => {
                let last = self.acks_over_http(header, resolved).pop();
                (HL7, last.map(|ack| ack.bytes).unwrap_or_default())
            }
            (Wish::Fhir, Resolved::Accepted { stored, is_processed }) => {
                (FHIR, accepted_outcome(stored, *is_processed).to_bytes().into())
            }
            (Wish::Problem, Resolved::Accepted { stored, is_processed }) => {
                (JSON, receipt(stored, *is_processed).to_bytes().into())
            }
            (Wish::Fhir, Resolved::Refused { refusal, .. }) => {
                (FHIR, operation_outcome(refusal).to_bytes().into())
            }
            (Wish::Problem, Resolved::Refused { refusal, .. }) => {
                (PROBLEM, problem(refusal).to_bytes().into())
            }
        };
        let status = resolved.status();
        HttpAnswer {
            status,
            content_type,
            body,
            message: resolved.stored().map(Stored::message),
            retry_after: matches!(status, 429 | 503).then_some(RETRY_AFTER),
        }
    }

    /// The acknowledgements that are due, of which the last says most.
    fn acks_over_http(&self, header: Option<&Header>, resolved: &Resolved) -> Vec<Ack> {
        let mut stamp = || self.stamps.stamp();
        match (header, resolved) {
            (_, Resolved::Acknowledgement) => Vec::new(),
            (Some(header), Resolved::Accepted { stored, is_processed: false }) => {
                Ack::accept(header, stored, &mut stamp)
            }
            (Some(header), Resolved::Accepted { stored, is_processed: true }) => {
                let mut acks = Ack::commit(header, stored, &mut stamp);
                acks.extend(Ack::processed(header, stored, Ok(()), &mut stamp));
                acks
            }
            (Some(header), Resolved::Refused { refusal, stored: Some(stored) }) => {
                let mut acks = Ack::commit(header, stored, &mut stamp);
                acks.extend(Ack::processed(header, stored, Err(refusal), &mut stamp));
                acks
            }
            (header, Resolved::Refused { refusal, .. }) => Ack::refuse(header, refusal, &mut stamp),
            // A sender of another format that wants HL7 v2 all the same has nothing to refer to.
            (None, Resolved::Accepted { .. }) => Vec::new(),
        }
    }

    async fn batch_over_http(
        &self,
        pinned: &Pinned,
        whole: &Hl7,
        wish: Wish,
        came: &Came,
    ) -> HttpAnswer {
        let patience = self.patience(pinned);
        let (layout, members) = match self.take_batch(pinned, whole, Vec::new(), came).await {
            Ok(taken) => taken,
            Err(passed) => {
                let resolved = self.resolved(&patience, passed).await;
                return self.answer_http(Some(&whole.header()), &resolved, wish);
            }
        };
        let mut resolved = Vec::new();
        let mut headers = Vec::new();
        for Member { header, passed } in members {
            give_way().await;
            resolved.push(self.resolved(&patience, passed).await);
            headers.push(header);
        }
        let stored: Vec<&Stored> = resolved.iter().filter_map(Resolved::stored).collect();
        let numbered = (1..).zip(&resolved);
        // Number 0 is the batch as a whole.
        let mut refused: Vec<(usize, &Refusal)> = layout.faults.iter().map(|it| (0, it)).collect();
        refused.extend(numbered.filter_map(|(number, it)| Some((number, it.refusal()?))));
        // One that is taken makes the batch one that must not be sent again as a whole.
        let accepted = resolved.iter().filter(|it| it.refusal().is_none()).map(Resolved::status);
        let first = refused.first().map(|(_, refusal)| refusal.status().0);
        let status = accepted.max().or(first).unwrap_or(200);
        let (content_type, body) = match wish {
            Wish::Hl7v2 => {
                let last = |(header, resolved): (&Header, &Resolved)| -> Vec<Ack> {
                    self.acks_over_http(Some(header), resolved).pop().into_iter().collect()
                };
                let mut acks: Vec<Vec<Ack>> = Vec::new();
                for one in headers.iter().zip(&resolved) {
                    give_way().await;
                    acks.push(last(one));
                }
                let how = match pinned.options.batch_answer {
                    BatchAnswer::Errors => BatchAnswer::Errors,
                    // A response is one.
                    BatchAnswer::All | BatchAnswer::Singly => BatchAnswer::All,
                };
                let written = layout.write(&acks, how, &self.stamps).await.pop();
                (HL7, written.map(|it| it.bytes).unwrap_or_default())
            }
            Wish::Fhir => (FHIR, batch_outcome(&stored, &refused).to_bytes().into()),
            Wish::Problem => (JSON, batch_receipt(&stored, &refused).to_bytes().into()),
        };
        let retry_after = matches!(status, 429 | 503).then_some(RETRY_AFTER);
        HttpAnswer { status, content_type, body, message: None, retry_after }
    }
}
