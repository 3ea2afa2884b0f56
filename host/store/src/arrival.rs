use std::fmt;

use bytes::Bytes;
use hilum_audit::{NonEmpty, Record};
use hilum_policy::RunSeed;
use hilum_words::{Digest, Envelope, MessageId, Name, RunId};

/// Proof that a message is on disk. Only this crate makes one, after the sync.
///
/// It is opaque: a sequence means something only within its log, and nothing compares those of two.
///
/// ```compile_fail
/// let stored = hilum_store::Stored { node: 0, log: 0, sequence: 1, message: todo!() };
/// ```
#[derive(Clone)]
pub struct Stored {
    pub(crate) node: u32,
    pub(crate) log: u64,
    pub(crate) sequence: u64,
    pub(crate) message: MessageId,
}

impl Stored {
    /// The message that is on disk. For a known message, the one of its first life.
    pub fn message(&self) -> MessageId {
        self.message
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({} at {}.{:016x}.{})", self.message, self.node, self.log, self.sequence)
    }
}

/// What makes two messages the same for their sender: usually listener, MSH-3, MSH-4 and MSH-10.
/// Only a digest of it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DuplicateKey(pub(crate) [u8; 16]);

impl DuplicateKey {
    /// The key of these parts, in this order.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut all = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        for part in parts {
            // With its length, so that no two lists of parts are the same bytes.
            all.extend_from_slice(&(part.len() as u64).to_le_bytes());
            all.extend_from_slice(part);
        }
        let mut key = [0; 16];
        let digest = Digest::of(&all);
        for (to, from) in key.iter_mut().zip(digest.bytes()) {
            *to = *from;
        }
        Self(key)
    }
}

/// Does not print: a control id stays out of logs.
impl fmt::Debug for DuplicateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DuplicateKey")
    }
}

/// What happens to another message under a known control id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReused {
    /// It is accepted, with a finding: senders do reset their counters.
    Accept,
    /// It is not.
    Refuse,
}

/// A run that begins with its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStart {
    /// Its id.
    pub run: RunId,
    /// The route it takes.
    pub route: Name,
    /// The seed of its tokens.
    pub seed: RunSeed,
    /// The lanes in which it has to be first. Values from the message: never printed.
    pub lanes: Vec<Vec<u8>>,
}

/// A message at the door, and what is to become of it.
pub struct Arrival {
    /// When, where and how it came.
    pub envelope: Envelope,
    /// What it is, for people: `ADT^A01`.
    pub kind: String,
    /// By what a repeat is recognised; none if nothing does.
    pub key: Option<DuplicateKey>,
    /// What happens to another message under the same key.
    pub on_reused: OnReused,
    /// Its bytes.
    pub body: Bytes,
    /// How to read them: `hl7v2`, `fhir-json`.
    pub format: Name,
    /// The configuration it is pinned to.
    pub generation: Digest,
    /// The routes that took it.
    pub runs: Vec<RunStart>,
    /// What was odd about it, in words without content.
    pub findings: Vec<String>,
    /// The evidence.
    pub records: NonEmpty<Record>,
}

/// Counts only: the body is PHI.
impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("message", &self.envelope.message)
            .field("bytes", &self.body.len())
            .field("runs", &self.runs.len())
            .finish_non_exhaustive()
    }
}

/// What became of a message at the door.
#[derive(Clone, Debug)]
pub enum Accepted {
    /// It is on disk and will be worked on.
    New(Stored),
    /// It was on disk before; nothing else happens.
    Known(Stored),
    /// It is on disk and will be worked on, though its control id was used before for another.
    Reused(Stored),
    /// Its control id was used before for another, and the listener refuses that. Nothing is
    /// written.
    Conflict,
}

impl Accepted {
    /// The proof, unless it was a conflict.
    pub fn stored(&self) -> Option<&Stored> {
        match self {
            Self::New(stored) | Self::Known(stored) | Self::Reused(stored) => Some(stored),
            Self::Conflict => None,
        }
    }
}
