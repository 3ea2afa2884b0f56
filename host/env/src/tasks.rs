use std::fmt;
use std::sync::Arc;
use std::task::Poll;

use crate::{BoxFuture, Instant};

/// What a machine wants after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is more to do.
    Again,
    /// Nothing to do until the bell rings.
    Rest,
    /// Nothing to do until the bell rings or this instant comes.
    At(Instant),
    /// It has ended.
    Done,
}

/// Something that works in steps: the committer, a worker. A thread drives it in
/// [`system`](crate::system), a test by hand in [`twin`](crate::twin).
pub trait Machine: Send {
    /// Does a bounded piece of work.
    fn step(&mut self) -> Next;
}

/// Wakes a machine. Cheap to clone; ringing twice is ringing once.
#[derive(Clone)]
pub struct Bell(Arc<dyn Fn() + Send + Sync>);

impl Bell {
    /// A bell that calls `ring`.
    pub fn new(ring: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(ring))
    }

    /// A bell that wakes nobody.
    pub fn silent() -> Self {
        Self::new(|| {})
    }

    /// Wakes the machine.
    pub fn ring(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell")
    }
}

/// Lets other futures run before this one goes on: for work that is long, and waits for nothing.
pub async fn give_way() {
    let mut gave_way = false;
    std::future::poll_fn(|context| {
        if gave_way {
            return Poll::Ready(());
        }
        gave_way = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The door to threads and futures.
pub trait Tasks: Send + Sync {
    /// Runs a future to its end in the background.
    fn spawn(&self, name: &str, future: BoxFuture<'static, ()>);
    /// Runs something that blocks (a file, a plugin) off the async threads.
    fn blocking(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()>;
    /// Drives a machine until it is done.
    fn drive(&self, name: &str, machine: Box<dyn Machine>) -> Bell;
    /// How many workers are worth having.
    fn cores(&self) -> usize;
}
