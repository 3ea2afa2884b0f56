use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::StoreError;

/// What a request is answered with once the disk has it. Await it, or [`wait`](Self::wait) on a
/// thread of one's own. Dropping it does not undo the request.
#[must_use = "the request is on disk only once the ticket says so"]
pub struct Ticket<T> {
    slot: Arc<Slot<T>>,
}

/// The committer's half. Dropped without an answer, it answers that the journal is closed.
pub(crate) struct Promise<T> {
    slot: Arc<Slot<T>>,
}

struct Slot<T> {
    inside: Mutex<Inside<T>>,
    told: Condvar,
}

struct Inside<T> {
    answer: Option<Result<T, StoreError>>,
    waker: Option<Waker>,
    /// Whether a thread sleeps on `told`: telling nobody costs a system call.
    waits: bool,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, Inside<T>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A ticket and its promise.
pub(crate) fn promise<T>() -> (Promise<T>, Ticket<T>) {
    let inside = Inside { answer: None, waker: None, waits: false };
    let slot = Arc::new(Slot { inside: Mutex::new(inside), told: Condvar::new() });
    (Promise { slot: Arc::clone(&slot) }, Ticket { slot })
}

impl<T> Promise<T> {
    /// Answers. The first answer stands.
    pub(crate) fn keep(self, answer: Result<T, StoreError>) {
        self.answer(answer);
    }

    fn answer(&self, answer: Result<T, StoreError>) {
        let mut inside = self.slot.lock();
        if inside.answer.is_some() {
            return;
        }
        inside.answer = Some(answer);
        let waker = inside.waker.take();
        let waits = inside.waits;
        drop(inside);
        if waits {
            self.slot.told.notify_all();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        // After an answer was given this changes nothing, unless the ticket took it: then nobody
        // looks any more.
        self.answer(Err(StoreError::Stopped));
    }
}

impl<T> Ticket<T> {
    /// A ticket that is answered already.
    pub(crate) fn answered(answer: Result<T, StoreError>) -> Self {
        let (promise, ticket) = promise();
        promise.keep(answer);
        ticket
    }

    /// Sleeps until there is an answer. For threads; a future awaits the ticket instead.
    pub fn wait(self) -> Result<T, StoreError> {
        let mut inside = self.slot.lock();
        loop {
            if let Some(answer) = inside.answer.take() {
                return answer;
            }
            inside.waits = true;
            inside = self.slot.told.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The answer if it is there, or the ticket back.
    pub fn now(self) -> Result<Result<T, StoreError>, Self> {
        let answer = self.slot.lock().answer.take();
        answer.ok_or(self)
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inside = self.slot.lock();
        match inside.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                inside.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_kept_once() {
        let (promise, ticket) = promise();
        let Err(ticket) = ticket.now() else { panic!("nobody has answered") };
        promise.keep(Ok(5));
        assert_eq!(ticket.wait().expect("an answer"), 5);
    }

    #[test]
    fn a_dropped_promise_says_that_the_journal_is_closed() {
        let (promise, ticket) = promise::<u8>();
        drop(promise);
        assert!(matches!(ticket.wait(), Err(StoreError::Stopped)));
    }
}
