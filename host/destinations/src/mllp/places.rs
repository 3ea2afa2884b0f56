//! How many connections to a receiver there are, and who waits for one.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// The places for connections.
pub(super) struct Places {
    open: Mutex<usize>,
    max: usize,
    /// A connection was closed or kept.
    freed: Notify,
}

/// One place, held as long as its connection is open.
pub(super) struct Place(Arc<Places>);

impl Places {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), max, freed: Notify::new() })
    }

    /// A place for one more connection, if there is one.
    pub(super) fn take(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        (*open < self.max).then(|| {
            *open += 1;
            Place(Arc::clone(self))
        })
    }

    /// A connection waits for its next message.
    pub(super) fn tell(&self) {
        self.freed.notify_one();
    }

    /// Resolves once a connection was closed or kept.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.open.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.tell();
    }
}
