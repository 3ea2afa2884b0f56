//! What the journal knows of the site itself: which generations took over, and operators' marks.

use std::fmt;

use hilum_words::{Actor, Digest, Timestamp};

use crate::content::fields::{put_actor, read_actor, read_digest};
use crate::wire::{self, Fields, Unread};

/// Bytes of a summary that are kept.
const SUMMARY_BYTES_MAX: usize = 2_048;
/// Bytes that a generation has at most.
const GENERATION_BYTES_MAX: usize = 3_000;
/// Bytes that a mark's key has at most.
const KEY_BYTES_MAX: usize = 256;
/// Bytes that a mark's value has at most.
pub(crate) const VALUE_BYTES_MAX: usize = 1_024;

/// A generation that took over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationRecord {
    /// The digest of its inventory.
    pub digest: Digest,
    /// Since when.
    pub at: Timestamp,
    /// Who applied it.
    pub actor: Actor,
    /// What it changed, for people, without content. Cut after 2 KiB.
    pub summary: String,
    /// The one before it; none for the first.
    pub parent: Option<Digest>,
}

impl GenerationRecord {
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.digest.bytes());
        wire::put_i64(out, self.at.micros());
        put_actor(out, &self.actor);
        wire::put_text(out, &self.summary);
        wire::put_option(out, self.parent, |out, parent| out.extend_from_slice(parent.bytes()));
    }

    pub(crate) fn read_from(fields: &mut Fields<'_>) -> Result<Self, Unread> {
        Ok(Self {
            digest: read_digest(fields)?,
            at: Timestamp::from_micros(fields.i64()?),
            actor: read_actor(fields)?,
            summary: fields.text()?.to_owned(),
            parent: fields.option(read_digest)?,
        })
    }

    /// Whether it is more than the catalogue takes.
    pub(crate) fn is_too_large(&self) -> bool {
        let mut out = Vec::new();
        self.write_to(&mut out);
        GENERATION_BYTES_MAX < out.len()
    }

    /// The same, with a summary that is not too long.
    pub(crate) fn cut(mut self) -> Self {
        let mut end = self.summary.len().min(SUMMARY_BYTES_MAX);
        while !self.summary.is_char_boundary(end) {
            end -= 1;
        }
        self.summary.truncate(end);
        self
    }
}

/// The key of an operator's mark, such as `destination.ehr.paused`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarkKey(String);

/// The text is no key of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mark's key has 1 to {KEY_BYTES_MAX} bytes")]
pub struct NoMarkKey;

impl MarkKey {
    /// The key with this text.
    pub fn new(text: impl Into<String>) -> Result<Self, NoMarkKey> {
        let text = text.into();
        match text.len() {
            1..=KEY_BYTES_MAX => Ok(Self(text)),
            _ => Err(NoMarkKey),
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MarkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MarkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
