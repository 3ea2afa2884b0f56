//! The sandbox as a gateway uses it: real engine, real pool, plugins as text.

mod call;
mod denial;
mod hostile;
mod memory;
mod support;
