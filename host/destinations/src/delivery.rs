use std::fmt;

use bytes::Bytes;
use hilum_words::{DeliveryId, MessageId, Name, RunId, Timestamp};

/// One output on its way to one destination, with its bytes. It was read from the journal, so
/// policy has cleared it.
#[derive(Clone)]
pub struct Delivery {
    /// The same on every attempt: the destination can recognise a repeat by it.
    pub id: DeliveryId,
    /// The message it was made from.
    pub message: MessageId,
    /// The run that made it.
    pub run: RunId,
    /// Which of the run's outputs, counted from 1.
    pub ordinal: u32,
    /// When the message was received.
    pub received: Timestamp,
    /// Which attempt this is, counted from 1.
    pub attempt: u32,
    /// The format of the body: `fhir-json`, `hl7v2`.
    pub format: Name,
    /// What is sent.
    pub body: Bytes,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("attempt", &self.attempt)
            .field("format", &self.format)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The destination has it.
#[derive(Clone)]
pub struct Delivered {
    /// What it answered, as one word: `200`, `written`.
    pub code: String,
    /// The answer itself, with its format, to be kept beside the delivery. It may hold PHI.
    pub answer: Option<(Name, Bytes)>,
}

impl fmt::Debug for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.answer.as_ref().map(|(_, answer)| answer.len());
        f.debug_struct("Delivered").field("code", &self.code).field("bytes", &bytes).finish()
    }
}
