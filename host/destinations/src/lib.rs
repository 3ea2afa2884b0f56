//! Where results go: kinds of destination and the courier.
//!
//! A [`Destination`] sends and says what came of it: [`Delivered`] or a [`SendFault`]. Kinds are a
//! folder each: [`fhir`] (a Bundle of work or a resource), [`http`] (any HTTP service), [`mllp`] (a
//! message, and an acknowledgement that is its own) and [`mod@file`] (a file per message, or one that
//! is appended to). A [`Courier`] stands before each: it takes what is queued in the journal, keeps
//! the order of each lane, retries, and commits every outcome with its evidence. [`Secrets`] are what
//! a destination needs beside its configuration.
//!
//! Promises: only what the journal holds is sent; every delivery ends delivered or parked; every
//! attempt carries the same id; an error, a log line and a file's name hold no content.
//! Not here: what may leave (`hilum_policy`), where it is kept until then (`hilum_store`).

mod backoff;
mod bounds;
mod config;
mod courier;
mod delivery;
mod destination;
mod dial;
mod fault;
mod metrics;
mod retry_after;
mod secrets;
mod tls;

pub mod fhir;
pub mod file;
pub mod http;
pub mod mllp;

pub use backoff::Backoff;
pub use config::{
    BreakerConfig, Classify, DestinationConfig, KindConfig, OnAmbiguous, OnPark, Retry,
    check_together,
};
pub use courier::{Breaker, Courier, CourierStatus, Limits, State};
pub use delivery::{Delivered, Delivery};
pub use destination::{Destination, Fit, answer_one, build};
pub use fault::{Code, SendFault, Whose};
pub use metrics::{Metrics, Stray};
pub use secrets::Secrets;
pub use tls::TlsConfig;

#[cfg(test)]
mod tests;
