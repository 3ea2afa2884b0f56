use hilum_words::{Actor, DeliveryId, Digest, MessageId, RunId, Timestamp};

use crate::fact::{self, FactKey, FactValue};
use crate::{RecordError, What};

/// One line of the trail.
///
/// It names places, codes, counts and digests. Whoever makes one vouches that no text in it is a
/// field's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub what: What,
    /// By whom.
    pub actor: Actor,
    /// To which message.
    pub message: Option<MessageId>,
    /// To which of its runs.
    pub run: Option<RunId>,
    /// To which of its outputs.
    pub delivery: Option<DeliveryId>,
    /// Under which configuration.
    pub generation: Option<Digest>,
    /// What else belongs to it, in the order it was said.
    pub facts: Vec<(FactKey, FactValue)>,
}

impl Record {
    /// A record without facts.
    pub fn new(at: Timestamp, what: What, actor: Actor) -> Self {
        Self {
            at,
            what,
            actor,
            message: None,
            run: None,
            delivery: None,
            generation: None,
            facts: Vec::new(),
        }
    }

    /// The same about a message.
    #[must_use]
    pub fn message(mut self, message: MessageId) -> Self {
        self.message = Some(message);
        self
    }

    /// The same about a run.
    #[must_use]
    pub fn run(mut self, run: RunId) -> Self {
        self.run = Some(run);
        self
    }

    /// The same about a delivery.
    #[must_use]
    pub fn delivery(mut self, delivery: DeliveryId) -> Self {
        self.delivery = Some(delivery);
        self
    }

    /// The same under a configuration.
    #[must_use]
    pub fn generation(mut self, generation: Digest) -> Self {
        self.generation = Some(generation);
        self
    }

    /// The same with a text, cut to [`fact::TEXT_BYTES_MAX`].
    #[must_use]
    pub fn text(self, key: impl Into<FactKey>, text: impl AsRef<str>) -> Self {
        let text = fact::cut(text.as_ref(), fact::TEXT_BYTES_MAX).to_owned();
        self.fact(key, FactValue::Text(text))
    }

    /// The same with a number.
    #[must_use]
    pub fn number(self, key: impl Into<FactKey>, number: u64) -> Self {
        self.fact(key, FactValue::Number(number))
    }

    /// The same with a digest.
    #[must_use]
    pub fn digest(self, key: impl Into<FactKey>, digest: Digest) -> Self {
        self.fact(key, FactValue::Digest(digest))
    }

    /// The same with places that were read, the first [`fact::PATHS_MAX`] of them.
    #[must_use]
    pub fn paths<T: AsRef<str>>(self, paths: impl IntoIterator<Item = T>) -> Self {
        let paths = paths.into_iter().take(fact::PATHS_MAX);
        paths.fold(self, |record, path| record.text(fact::PATH, path))
    }

    /// The same with one more fact, unless it has [`fact::FACTS_MAX`] already.
    #[must_use]
    pub fn fact(mut self, key: impl Into<FactKey>, value: FactValue) -> Self {
        if self.facts.len() < fact::FACTS_MAX {
            self.facts.push((key.into(), value));
        }
        self
    }

    /// The first fact with this key.
    pub fn find(&self, key: &str) -> Option<&FactValue> {
        self.facts.iter().find(|(it, _)| it.as_str() == key).map(|(_, value)| value)
    }

    /// The canonical bytes: their digest is the record's leaf in the trail.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        self.write_to(&mut out);
        out
    }

    /// Appends the canonical bytes.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        crate::bytes::write(self, out);
    }

    /// Reads canonical bytes; anything else is an error.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        crate::bytes::read(bytes)
    }
}
