//! The words that every room shares.
//!
//! Ids and times that print the same everywhere, the envelope of a message, the actor of an
//! action, the reasons why something did not happen, a wrapper for patient data that does not
//! print, and the reader of configuration sections that reports every problem with its place.
//!
//! Promises: nothing here prints PHI; every `Display` is stable, since operators search for it.
//! Not here: how any of these is laid out on disk (`hilum_store`, `hilum_audit`).

pub mod config;

mod ack_code;
mod actor;
mod cause;
mod digest;
mod envelope;
mod fault;
mod id;
mod name;
mod phi;
mod problem;
mod rejection;
mod time;

pub use ack_code::AckCode;
pub use actor::Actor;
pub use cause::{Cause, CauseWord};
pub use digest::Digest;
pub use envelope::{Envelope, Origin};
pub use fault::chain;
pub use id::{DeliveryId, IdError, MessageId, RunId};
pub use name::Name;
pub use phi::Phi;
pub use problem::{Place, Problem, Problems, did_you_mean, meant};
pub use rejection::{Reason, Rejection};
pub use time::{Stamp, Timestamp};
