//! System tests: one file per promise, in `suites/`, and what they share.
//!
//! [`Site`] is a whole site in a temporary folder, [`Running`] a real `hilum serve` process on it.
//! Everything goes over real sockets and real files on loopback.

#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside of the gateway, on the machine's own clock, files and sockets"
)]

mod site;

pub use site::{Client, Running, Site, adt, hilum, hilum_in, http_get, repository};
