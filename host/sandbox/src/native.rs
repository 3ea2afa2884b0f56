//! A function of this process in a guest's place.

use crate::{Call, Called};

/// A mapping that runs as a function of this process, without any limit: what the sandbox costs is
/// measured against it. No configuration reaches it: a plugin gets one only by
/// [`Plugin::with_native`](crate::Plugin::with_native), which `benches/` alone calls (a test keeps
/// it so).
pub trait Native: Send + Sync {
    /// Maps one message.
    fn call(&self, call: Call) -> Called;
}
