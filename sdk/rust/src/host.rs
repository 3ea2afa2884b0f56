//! The functions that the gateway lends, or what stands for them where no gateway is.
//!
//! In a component they are the contract's. On the desk, in tests and wherever a mapping runs as a
//! plain function, they go to a [`crate::native::Host`].

#[cfg(not(target_arch = "wasm32"))]
pub use crate::native::{conversions, log, message, settings, tables};

#[cfg(target_arch = "wasm32")]
pub use crate::bindings::hilum::plugin::{conversions, log, message, settings, tables};
