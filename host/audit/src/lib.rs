//! The evidence: typed records and their canonical bytes.
//!
//! Whoever changes something says so with a [`Record`]: what happened, when, by whom, to which
//! message, run or delivery, and the [`fact`]s that belong to it. The journal writes records in the
//! same frame as the change they speak of; the order of the trail is the journal's order.
//!
//! Promises: a record has exactly one spelling in bytes, so that its digest means something; a
//! record that does not decode is an error, never a guess; a record's size is bounded.
//! Not here: where records lie (`hilum_store`); the Merkle tree and its checkpoints (a later issue).

mod bytes;
pub mod fact;
mod non_empty;
mod record;
mod what;

pub use bytes::RecordError;
pub use fact::{FactKey, FactValue};
pub use non_empty::NonEmpty;
pub use record::Record;
pub use what::What;
