//! System tests, one file per promise.

mod configuration;
mod delivery;
mod golden;
mod memory;
mod operating;
mod phi;
mod routes;
mod tidy;
mod walk;
mod wrong_input;
