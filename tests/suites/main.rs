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
mod denials;
mod destinations;
mod drafts;
mod first_party;
mod foreign;
mod fuel;
mod generations;
mod golden;
mod golden_oru;
mod hostile;
mod hostile_peers;
mod http;
mod lanes;
mod memory;
mod mllp_out;
#[path = "../../host/sandbox/tests/suite/offered.rs"]
mod offered;
mod operating;
mod panics;
mod phi;
mod policy;
#[path = "../../host/sandbox/tests/suite/probes.rs"]
mod probes;
mod routes;
mod schema;
mod tables;
#[path = "../../host/sandbox/tests/suite/texts.rs"]
mod texts;
mod tidy;
mod validators;
mod walk;
mod wrong_input;
