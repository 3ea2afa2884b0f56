//! The other side: a FHIR endpoint, an MLLP receiver, an HTTP service and a token endpoint, with
//! fault switches, and TLS in front of each.
//!
//! Demo, tests and benches share them. Each runs on threads of its own behind a real socket on a
//! loopback port, and ends when it is dropped.
//!
//! Promises: what is answered as done is stored; everything received can be looked at.
//! Not here: a FHIR server to rely on. It knows what a transaction needs, and forgets all at its
//! end.

mod fhir;
mod http;
mod mllp;
mod pki;
mod tls;
mod tokens;

pub use fhir::{Fault, FhirPeer, Received};
pub use http::{HttpReceiver, Say};
pub use mllp::{Ack, MllpReceiver};
pub use pki::{Authority, Identity};
pub use tls::TlsFront;
pub use tokens::TokenEndpoint;
