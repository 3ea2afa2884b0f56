//! System tests, one file per promise.

mod configuration;
mod delivery;
mod golden;
mod operating;
mod phi;
mod tidy;
mod walk;
mod wrong_input;
