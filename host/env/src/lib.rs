//! The doors: everything that is not deterministic comes in here.
//!
//! A part of the gateway takes the doors it needs ([`Clock`], [`Entropy`], [`Disk`], [`Net`],
//! [`Tasks`], [`Children`]) and never asks the operating system itself. [`system`] opens the real ones;
//! [`twin`] has all of them in memory on one seed, with faults, for tests. [`tls`] goes over the
//! streams of either.
//!
//! Promises: the real operating system is named in [`system`] alone.
//! Not here: what is read or written; retries; limits.

mod children;
mod clock;
mod disk;
mod fault;
mod net;
mod tasks;

pub mod system;
pub mod tls;
pub mod twin;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use children::{Children, Ended, Errand, How, NoChildren};
pub use clock::{Clock, Entropy, Instant, WallClock};
pub use disk::{Disk, DiskFile, Entry, OpenMode, Space};
pub use fault::{NotResolved, not_resolved, words};
pub use net::{Acceptor, Address, ByteStream, Connection, ListenOptions, Net, Peer};
pub use tasks::{Bell, Machine, Next, Tasks, give_way};

/// A future that can be sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// All doors of one gateway. Cheap to clone.
#[derive(Clone)]
pub struct Doors {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Files.
    pub disk: Arc<dyn Disk>,
    /// Sockets.
    pub net: Arc<dyn Net>,
    /// Threads and futures.
    pub tasks: Arc<dyn Tasks>,
    /// This program once more, for what may end badly.
    pub children: Arc<dyn Children>,
}
