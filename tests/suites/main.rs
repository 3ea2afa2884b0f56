//! System tests, one file per promise.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a test stands outside of the gateway, on the machine's own clock, files and sockets"
)]

mod acknowledgements;
mod charset;
mod configuration;
mod delivery;
mod destinations;
mod drafts;
mod foreign;
mod generations;
mod golden;
mod hostile_peers;
mod http;
mod lanes;
mod memory;
mod mllp_out;
mod operating;
mod phi;
mod routes;
mod schema;
mod tidy;
mod validators;
mod walk;
mod wrong_input;
