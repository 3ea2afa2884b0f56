//! The sandbox as a gateway uses it: real engine, real pool, plugins as text.
#![expect(clippy::expect_used, reason = "a panic is how a test fails")]

mod call;
mod canary;
mod denial;
mod drafts;
mod hostile;
mod memory;
mod offered;
mod probes;
mod support;
mod texts;
