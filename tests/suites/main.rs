//! System tests, one file per promise.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a test stands outside of the gateway, on the machine's own clock, files and sockets"
)]

mod configuration;
mod delivery;
mod golden;
mod http;
mod memory;
mod mllp_out;
mod operating;
mod phi;
mod routes;
mod tidy;
mod walk;
mod wrong_input;
