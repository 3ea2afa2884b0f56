//! The other side: a FHIR endpoint and an MLLP receiver with fault switches.
//!
//! Demo, tests and benches share them. Each runs on threads of its own behind a real socket on a
//! loopback port, and ends when it is dropped.
//!
//! Promises: what is answered as done is stored; everything received can be looked at.
//! Not here: a FHIR server to rely on. It knows what a transaction needs, and forgets all at its
//! end.

mod fhir;
mod mllp;

pub use fhir::{Fault, FhirPeer, Received};
pub use mllp::{Ack, MllpReceiver};
