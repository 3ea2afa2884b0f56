use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a connection may buffer without asking, and the step in which more is taken.
pub const STEP_BYTES: usize = 64 << 10;

/// Bytes of unfinished frames in the whole process. Taken before anything is buffered.
#[derive(Clone, Debug)]
pub struct ByteBudget {
    steps: Arc<Semaphore>,
}

impl ByteBudget {
    /// A budget of so many bytes, rounded up to whole steps of 64 KiB. The first 64 KiB of each
    /// connection are not part of it: the number of connections bounds those.
    pub fn new(bytes: u64) -> Self {
        let steps = usize::try_from(bytes).unwrap_or(usize::MAX).div_ceil(STEP_BYTES);
        Self { steps: Arc::new(Semaphore::new(steps.min(Semaphore::MAX_PERMITS))) }
    }

    /// A connection's share: nothing yet.
    pub fn lease(&self) -> Lease {
        Lease { steps: Arc::clone(&self.steps), taken: None }
    }

    /// Bytes that nobody has taken.
    pub fn left(&self) -> usize {
        self.steps.available_permits().saturating_mul(STEP_BYTES)
    }
}

/// What one connection has taken of the budget. Given back when it is dropped.
#[derive(Debug)]
pub struct Lease {
    steps: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Waits until the connection may buffer so many bytes. Callers bound the time.
    pub async fn cover(&mut self, bytes: usize) {
        let wanted = bytes.saturating_sub(STEP_BYTES).div_ceil(STEP_BYTES);
        let held = self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Ok(more) = u32::try_from(wanted.saturating_sub(held)) else { return };
        if more == 0 {
            return;
        }
        // The semaphore is never closed.
        if let Ok(permit) = Arc::clone(&self.steps).acquire_many_owned(more).await {
            match &mut self.taken {
                Some(taken) => taken.merge(permit),
                None => self.taken = Some(permit),
            }
        }
    }

    /// Gives back what is not needed for so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        let wanted = bytes.saturating_sub(STEP_BYTES).div_ceil(STEP_BYTES);
        if wanted == 0 {
            self.taken = None;
            return;
        }
        if let Some(taken) = &mut self.taken {
            let surplus = taken.num_permits().saturating_sub(wanted);
            drop(taken.split(surplus));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lease_takes_steps_and_gives_them_back() {
        let budget = ByteBudget::new(3 * STEP_BYTES as u64);
        let mut lease = budget.lease();
        lease.cover(STEP_BYTES).await;
        assert_eq!(budget.left(), 3 * STEP_BYTES, "the first step is the connection's own");
        lease.cover(STEP_BYTES + 1).await;
        assert_eq!(budget.left(), 2 * STEP_BYTES);
        lease.cover(4 * STEP_BYTES).await;
        assert_eq!(budget.left(), 0);
        lease.shrink(2 * STEP_BYTES);
        assert_eq!(budget.left(), 2 * STEP_BYTES);
        drop(lease);
        assert_eq!(budget.left(), 3 * STEP_BYTES);
    }

    #[tokio::test]
    async fn a_spent_budget_makes_others_wait() {
        let budget = ByteBudget::new(STEP_BYTES as u64);
        let mut first = budget.lease();
        first.cover(2 * STEP_BYTES).await;
        let mut second = budget.lease();
        let mut waiting = Box::pin(second.cover(2 * STEP_BYTES));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending(), "nothing is left");
        drop(first);
        waiting.await;
        assert_eq!(budget.left(), 0);
    }
}
