//! What is said to a sender over HTTP.

use std::time::Duration;

use bytes::Bytes;
use hilum_answer::Refusal;
use hilum_env::Peer;
use hilum_words::{MessageId, Name, Timestamp};

use super::Intake;

/// How a body is read: decided by its `Content-Type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// HL7 v2, one message or a batch.
    Hl7v2,
    /// A FHIR resource or Bundle in JSON.
    FhirJson,
    /// Anything else; the format's name goes with the message.
    Opaque(Name),
}

/// How the sender wants to be answered: decided by its `Accept`, else by the body's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// An acknowledgement of HL7 v2.
    Hl7v2,
    /// An OperationOutcome.
    Fhir,
    /// A problem of RFC 9457, or a small JSON object if all is well.
    Problem,
}

/// One request, its body read.
pub struct HttpInbound {
    /// How the body is read.
    pub format: BodyFormat,
    /// The `charset` that `Content-Type` names: for HL7 v2 where MSH-18 is empty, before the
    /// listener's own.
    pub charset: Option<String>,
    /// The body.
    pub content: Bytes,
    /// How to answer.
    pub wish: Wish,
    /// The other end.
    pub peer: Peer,
    /// When the last byte was read.
    pub received: Timestamp,
    /// The header `Idempotency-Key`: by what a repeat is recognised. HL7 v2 has MSH-10 instead.
    pub idempotency_key: Option<String>,
    /// The header `X-Request-Id`, or one that was made for it. For the trail.
    pub request_id: String,
    /// The header `traceparent`.
    pub trace: Option<String>,
}

/// The answer to a request.
#[derive(Clone)]
pub struct HttpAnswer {
    /// 202 stored, 200 processed, 4xx refused, 503 not taken.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// The body; may be empty.
    pub body: Bytes,
    /// The message's id, where there is one message and it is stored.
    pub message: Option<MessageId>,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl Intake {
    /// Takes one body and says what to answer, after the disk has it.
    pub async fn receive_http(&self, _inbound: HttpInbound) -> HttpAnswer {
        self.refuse_http(&Refusal::NotStored, Wish::Problem)
    }

    /// Says no to a request of which nothing was taken.
    pub fn refuse_http(&self, refusal: &Refusal, _wish: Wish) -> HttpAnswer {
        HttpAnswer {
            status: refusal.status().0,
            content_type: "application/problem+json",
            body: Bytes::new(),
            message: None,
            retry_after: None,
        }
    }
}
