//! The real doors: the operating system, and a tokio runtime for sockets and timers.
//!
//! Promises: new files and folders are for this user alone; a machine has a thread of its own.
//! Not here: limits, retries, what is written where.

#![expect(
    clippy::disallowed_methods,
    reason = "this module is the door: everything that is banned elsewhere is done here"
)]

mod children;
mod clock;
mod disk;
mod files;
mod net;
mod tasks;

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::{Doors, NoChildren};

pub use children::{ABORTED, OUT_OF_TIME, SystemChildren, bound_myself};
pub use clock::{SystemClock, SystemEntropy};
pub use disk::SystemDisk;
pub use files::raise_open_files;
pub use net::SystemNet;
pub use tasks::SystemTasks;

/// All real doors. Sockets, timers and futures live on `runtime`. There are no children: only the
/// gateway's own program knows that it can be its own child ([`SystemChildren`]).
pub fn doors(runtime: Handle) -> Doors {
    Doors {
        clock: Arc::new(SystemClock::new(runtime.clone())),
        entropy: Arc::new(SystemEntropy::new()),
        disk: Arc::new(SystemDisk),
        net: Arc::new(SystemNet::new(runtime.clone())),
        tasks: Arc::new(SystemTasks::new(runtime)),
        children: Arc::new(NoChildren),
    }
}

#[cfg(test)]
mod tests;
