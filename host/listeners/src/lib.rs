//! Where messages come from.
//!
//! A [`Listener`] is bound, decides who may connect, speaks TLS, and hands streams to its kind:
//! [`mllp`] or [`http`]. A kind reads messages within its bounds, hands them to
//! [`Intake`](hilum_pipeline::Intake), and writes what that answers. It knows no HL7.
//!
//! Promises: bounds come before buffers; one slow peer does not stall the others; a message is
//! answered on its own connection, in order.
//! Not here: what is answered (`hilum_pipeline`, `hilum_answer`), framing (`hilum_mllp`).

mod admission;
mod allow;
mod budget;
mod config;
mod farewell;
mod listener;
mod metrics;
mod sniff;

pub mod http;
pub mod mllp;

pub use allow::{Network, NotANetwork};
pub use budget::ByteBudget;
pub use config::{KindConfig, ListenerConfig, Materials, TlsConfig};
pub use listener::Listener;
pub use metrics::Metrics;
