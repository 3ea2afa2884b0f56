//! What a sender is told.
//!
//! [`Ack::accept`] and [`Ack::refuse`] write the acknowledgements of HL7 v2 that are due now, in
//! order: none, one, or two (commit, then application). [`operation_outcome`] says the same to a
//! sender of FHIR. Which code a [`Refusal`] gets is decided in [`Refusal::reply`] and
//! [`Refusal::status`], and nowhere else.
//!
//! Promises: a positive answer asks for [`Stored`](hilum_store::Stored); an acknowledgement is
//! never acknowledged; MSA-2 is MSH-10 byte for byte; an answer holds nothing of the message but
//! what the standard wants back (MSH-3 to MSH-6, MSH-9.2, MSH-10 to MSH-12, MSH-18).
//! Not here: frames (`hilum_mllp`), when an answer is due (`hilum_pipeline`).

mod ack;
mod code;
mod mode;
mod outcome;
mod refusal;
mod segment;
mod version;

pub use ack::Ack;
pub use code::ErrorCode;
pub use outcome::operation_outcome;
pub use refusal::{IssueType, Refusal};

pub use hilum_words::AckCode;
