//! What a sender is told.
//!
//! [`Ack`] writes the acknowledgements of HL7 v2 that are due: none, one, or two (commit, then
//! application); [`write_batches`] puts them into one answer to a batch. [`operation_outcome`] says
//! the same to a sender of FHIR, [`problem`] to any other over HTTP. What is said about a [`Refusal`]
//! in each language stands in one table, in `refusal.rs`.
//!
//! Promises: a positive answer asks for [`Stored`](hilum_store::Stored); an acknowledgement
//! ([`is_acknowledgement`]) is never acknowledged; MSA-2 is MSH-10 byte for byte; an answer holds
//! nothing of the message but what the standard wants back (MSH-3 to MSH-6, MSH-9.2, MSH-10 to MSH-12,
//! MSH-18; of a batch BHS-3 to BHS-6 and BHS-11, and the like of a file).
//! Not here: frames (`hilum_mllp`), when an answer is due (`hilum_pipeline`).

mod ack;
mod acknowledgement;
mod batch;
mod code;
mod issue;
mod mode;
mod outcome;
mod problem;
mod refusal;
mod request;
mod segment;
mod version;

pub use ack::Ack;
pub use acknowledgement::{Acknowledged, is_acknowledgement};
pub use batch::{AckBatch, write_batches};
pub use code::ErrorCode;
pub use issue::IssueType;
pub use mode::Wanted;
pub use outcome::{accepted_outcome, batch_outcome, batch_receipt, operation_outcome, receipt};
pub use problem::problem;
pub use refusal::Refusal;
pub use request::RequestFault;

pub use hilum_words::AckCode;
