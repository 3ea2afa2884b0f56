//! Bytes of unfinished messages in the whole process, taken before anything is buffered.
//!
//! Promises: one listener never holds more than half of them, and one address never more than a
//! quarter, unless its longest message alone needs more: whoever sends long messages slowly delays
//! its own listener's, and not those of all.
//! Not here: the first 64 KiB of each connection; the number of connections bounds those.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a connection may buffer without asking, and the step in which more is taken.
pub const STEP_BYTES: usize = 64 << 10;

/// The bytes of the process.
#[derive(Clone, Debug)]
pub struct ByteBudget {
    steps: Arc<Semaphore>,
    /// How many steps there are.
    all: usize,
    /// What each address with a lease may take.
    addresses: Arc<Mutex<BTreeMap<IpAddr, Address>>>,
}

#[derive(Debug)]
struct Address {
    part: Part,
    leases: usize,
}

impl ByteBudget {
    /// A budget of so many bytes, rounded up to whole steps of 64 KiB.
    pub fn new(bytes: u64) -> Self {
        let steps = usize::try_from(bytes).unwrap_or(usize::MAX).div_ceil(STEP_BYTES);
        let all = steps.min(Semaphore::MAX_PERMITS);
        Self { steps: Arc::new(Semaphore::new(all)), all, addresses: Arc::default() }
    }

    /// What one listener may take.
    pub(crate) fn share(&self) -> Share {
        Share { budget: self.clone(), part: Arc::default() }
    }

    /// Bytes that nobody has taken.
    pub fn left(&self) -> usize {
        self.steps.available_permits().saturating_mul(STEP_BYTES)
    }

    fn addresses(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Address>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of the budget that may be taken by somebody. It grows with the longest message that they
/// may send.
#[derive(Debug)]
struct Part {
    steps: Arc<Semaphore>,
    most: usize,
}

impl Default for Part {
    fn default() -> Self {
        Self { steps: Arc::new(Semaphore::new(0)), most: 0 }
    }
}

impl Part {
    fn at_least(&mut self, most: usize) -> Level {
        self.steps.add_permits(most.saturating_sub(self.most));
        self.most = self.most.max(most);
        Level::of(&self.steps)
    }
}

/// A listener's share of the budget.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    budget: ByteBudget,
    part: Arc<Mutex<Part>>,
}

impl Share {
    /// The share of a connection from this address, whose longest message has so many bytes: nothing
    /// yet.
    pub(crate) fn lease(&self, address: Option<IpAddr>, longest: usize) -> Lease {
        let all = self.budget.all;
        // A message is buffered with what was read beside it.
        let longest = longest.div_ceil(STEP_BYTES).saturating_add(1);
        let most = |part: usize| part.max(longest).min(all);
        let address = address.map(|it| it.to_canonical());
        let of_address = address.map(|address| {
            let mut addresses = self.budget.addresses();
            let one = addresses
                .entry(address)
                .or_insert_with(|| Address { part: Part::default(), leases: 0 });
            one.leases += 1;
            one.part.at_least(most(all / 4))
        });
        let mut part = self.part.lock().unwrap_or_else(PoisonError::into_inner);
        let of_listener = part.at_least(most(all / 2));
        let levels = [of_address, Some(of_listener), Some(Level::of(&self.budget.steps))];
        Lease { levels, budget: self.budget.clone(), address }
    }
}

/// What one connection has taken of the budget. Given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    /// Of what its address, its listener and the process may take, in the order in which it is taken:
    /// who waits for its own kind holds nothing of the others'.
    levels: [Option<Level>; 3],
    budget: ByteBudget,
    address: Option<IpAddr>,
}

#[derive(Debug)]
struct Level {
    steps: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Waits until the connection may buffer so many bytes. Callers bound the time.
    pub(crate) async fn cover(&mut self, bytes: usize) {
        let wanted = steps(bytes);
        for level in self.levels.iter_mut().flatten() {
            level.cover(wanted).await;
        }
    }

    /// Gives back what is not needed for so many bytes.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let wanted = steps(bytes);
        self.levels.iter_mut().flatten().for_each(|it| it.shrink(wanted));
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut addresses = self.budget.addresses();
        let Some(one) = addresses.get_mut(&address) else { return };
        one.leases = one.leases.saturating_sub(1);
        if one.leases == 0 {
            addresses.remove(&address);
        }
    }
}

impl Level {
    fn of(steps: &Arc<Semaphore>) -> Self {
        Self { steps: Arc::clone(steps), taken: None }
    }

    async fn cover(&mut self, wanted: usize) {
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

    fn shrink(&mut self, wanted: usize) {
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

/// Steps beyond the first, which is the connection's own.
fn steps(bytes: usize) -> usize {
    bytes.saturating_sub(STEP_BYTES).div_ceil(STEP_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it gets so many steps without waiting.
    fn gets(lease: &mut Lease, steps: usize) -> bool {
        let mut covering = Box::pin(lease.cover((steps + 1) * STEP_BYTES));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        covering.as_mut().poll(&mut context).is_ready()
    }

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[tokio::test]
    async fn a_lease_takes_steps_and_gives_them_back() {
        let budget = ByteBudget::new(3 * STEP_BYTES as u64);
        let mut lease = budget.share().lease(None, usize::MAX);
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
        let mut first = budget.share().lease(None, 0);
        first.cover(2 * STEP_BYTES).await;
        let mut second = budget.share().lease(None, 0);
        assert!(!gets(&mut second, 1), "nothing is left");
        drop(first);
        second.cover(2 * STEP_BYTES).await;
        assert_eq!(budget.left(), 0);
    }

    #[test]
    fn a_listener_gets_half_and_its_others_wait_while_another_listener_goes_on() {
        let budget = ByteBudget::new(16 * STEP_BYTES as u64);
        let (slow, other) = (budget.share(), budget.share());
        let mut all: Vec<_> = (0..8).map(|it| slow.lease(address(it), STEP_BYTES)).collect();
        assert!(all.iter_mut().all(|it| gets(it, 1)));
        let mut ninth = slow.lease(address(9), STEP_BYTES);
        // It stands in line, and in nobody's way.
        let mut waiting = Box::pin(ninth.cover(2 * STEP_BYTES));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        assert_eq!(budget.left(), 8 * STEP_BYTES);
        assert!(gets(&mut other.lease(address(10), STEP_BYTES), 4));
        all.pop();
        assert!(waiting.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn an_address_gets_a_quarter_of_all_listeners_together() {
        let budget = ByteBudget::new(16 * STEP_BYTES as u64);
        let (one, two) = (budget.share(), budget.share());
        let (mut first, mut second) =
            (one.lease(address(1), STEP_BYTES), two.lease(address(1), STEP_BYTES));
        assert!(gets(&mut first, 3) && gets(&mut second, 1));
        assert!(!gets(&mut second, 2));
        assert!(gets(&mut one.lease(address(2), STEP_BYTES), 4), "another address");
        drop((first, second));
        assert!(budget.addresses().is_empty(), "nothing is kept of who has gone");
    }

    #[test]
    fn the_longest_message_fits_where_it_is_more_than_a_part() {
        let budget = ByteBudget::new(16 * STEP_BYTES as u64);
        let share = budget.share();
        assert!(!gets(&mut share.lease(address(1), 8 * STEP_BYTES), 12));
        let mut long = share.lease(address(1), 12 * STEP_BYTES);
        assert!(gets(&mut long, 12));
        drop(long);
        assert!(gets(&mut share.lease(address(1), usize::MAX), 16), "but not more than all");
        assert_eq!(budget.left(), 16 * STEP_BYTES);
    }
}
