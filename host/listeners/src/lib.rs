//! Where messages come from.
//!
//! Kinds are a folder each; today there is [`mllp`]. A listener reads frames within its bounds,
//! hands them to [`Intake`](hilum_pipeline::Intake), and writes what that answers. It knows no HL7.
//!
//! Promises: bounds come before buffers; one slow peer does not stall the others; a message is
//! answered on its own connection, in order.
//! Not here: what is answered (`hilum_pipeline`, `hilum_answer`), framing (`hilum_mllp`).

mod budget;
mod metrics;

pub mod mllp;

pub use budget::{ByteBudget, Lease};
pub use metrics::Metrics;
