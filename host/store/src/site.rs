//! What the journal knows of the site itself: which generations took over, and operators' marks.

use std::fmt;

use hilum_words::{Actor, Digest, Timestamp};

use crate::content::fields::{put_actor, read_actor, read_digest};
use crate::wire::{self, Fields, Unread};

/// Bytes of a summary that are kept.
const SUMMARY_BYTES_MAX: usize = 2_048;
/// Bytes of a reason that are kept; the trail has all of it.
const REASON_BYTES_MAX: usize = 400;
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
    /// What who applied it gave as the reason. Cut after 400 bytes.
    pub reason: Option<String>,
    /// Whether it had run before, and was taken from the journal instead of the folder.
    pub is_rollback: bool,
}

impl GenerationRecord {
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.digest.bytes());
        wire::put_i64(out, self.at.micros());
        put_actor(out, &self.actor);
        wire::put_text(out, &self.summary);
        wire::put_option(out, self.parent, |out, parent| out.extend_from_slice(parent.bytes()));
        wire::put_option(out, self.reason.as_deref(), wire::put_text);
        out.push(u8::from(self.is_rollback));
    }

    pub(crate) fn read_from(fields: &mut Fields<'_>) -> Result<Self, Unread> {
        let mut read = Self {
            digest: read_digest(fields)?,
            at: Timestamp::from_micros(fields.i64()?),
            actor: read_actor(fields)?,
            summary: fields.text()?.to_owned(),
            parent: fields.option(read_digest)?,
            reason: None,
            is_rollback: false,
        };
        // Earlier versions wrote no more.
        if fields.has_more() {
            read.reason = fields.option(|fields| fields.text().map(str::to_owned))?;
            read.is_rollback = fields.u8()? != 0;
        }
        Ok(read)
    }

    /// Whether it is more than the catalogue takes.
    pub(crate) fn is_too_large(&self) -> bool {
        let mut out = Vec::new();
        self.write_to(&mut out);
        GENERATION_BYTES_MAX < out.len()
    }

    /// The same, with a summary and a reason that are not too long.
    pub(crate) fn cut(mut self) -> Self {
        cut(&mut self.summary, SUMMARY_BYTES_MAX);
        if let Some(reason) = &mut self.reason {
            cut(reason, REASON_BYTES_MAX);
        }
        self
    }
}

fn cut(text: &mut String, bytes_max: usize) {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(reason: Option<String>) -> GenerationRecord {
        GenerationRecord {
            digest: Digest::of(b"new"),
            at: Timestamp::from_micros(7),
            actor: Actor::LocalUser(7),
            summary: "x".repeat(9_000),
            parent: Some(Digest::of(b"old")),
            reason,
            is_rollback: true,
        }
    }

    #[test]
    fn a_reason_is_kept_and_has_a_bound() {
        let kept = generation(Some("ä".repeat(1_000))).cut();
        assert_eq!(kept.reason.as_ref().map(String::len), Some(REASON_BYTES_MAX));
        assert!(!kept.is_too_large());
        let mut bytes = Vec::new();
        kept.write_to(&mut bytes);
        assert_eq!(GenerationRecord::read_from(&mut Fields::new(&bytes)).ok(), Some(kept));
    }

    #[test]
    fn what_an_earlier_version_wrote_has_no_reason() {
        let mut bytes = Vec::new();
        let new = generation(None).cut();
        new.write_to(&mut bytes);
        let earlier = bytes.get(..bytes.len() - 2).expect("a reason's absence and a flag");
        let read = GenerationRecord::read_from(&mut Fields::new(earlier)).ok();
        assert_eq!(read, Some(GenerationRecord { is_rollback: false, ..new }));
    }
}
