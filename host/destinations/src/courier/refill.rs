//! How the window is filled: from the journal, and at its end from what is offered.

use std::sync::{Arc, Mutex, PoisonError};

use super::journal::Standing;
use super::runner::Runner;
use super::window::{Admission, Waiting};

/// How much of the journal is looked at in one go.
const STANDING_MAX: usize = 1_024;

impl Runner {
    /// Fills the window if it has room.
    pub(super) async fn refill(&mut self) {
        let offers = self.shared.take_offers();
        self.has_more |= offers.overflowed;
        if offers.is_unparked && (self.shared.blocks || offers.overflowed) {
            // What was parked stands in its old place, and what was behind it may go.
            self.supply.start_over();
            self.has_more = true;
        }
        self.relooks = false;
        while self.has_more
            && !self.supply.is_far()
            && self.window.len() <= self.limits.window_max / 2
        {
            let (from, with_parked) = (self.supply.from(), self.shared.blocks);
            let journal = Arc::clone(&self.means.journal);
            let ask = move || journal.standing(from, STANDING_MAX, with_parked);
            let (listed, is_all) = self.look(ask, (Vec::new(), false)).await;
            self.has_more = !is_all;
            if !self.take_listed(listed) {
                self.has_more = true;
                break;
            }
        }
        for waiting in offers.waiting {
            self.take_offered(waiting);
        }
    }

    /// Takes what may be taken of what the journal lists. False: there is more, and it has to wait.
    fn take_listed(&mut self, listed: Vec<Standing>) -> bool {
        for Standing { waiting, is_parked, is_durable } in listed {
            if !is_durable && !self.window.holds(waiting.delivery) {
                self.relooks = true;
                return false;
            }
            if self.take(&waiting, is_parked) == Some(Admission::Full) {
                return false;
            }
            self.supply.passed(&waiting);
        }
        true
    }

    fn take_offered(&mut self, waiting: Waiting) {
        if waiting.is_again {
            // Others have passed it: it goes after them.
            match self.window.admit(waiting.clone()) {
                Admission::Taken => {}
                Admission::Known => {
                    self.offered_again |= self.settling.contains(&waiting.delivery);
                }
                Admission::Full => {
                    self.supply.start_over();
                    self.has_more = true;
                }
            }
        } else if !self.has_more && self.supply.from() <= waiting.order {
            match self.take(&waiting, false) {
                Some(Admission::Full) => self.has_more = true,
                _ => self.supply.passed(&waiting),
            }
        }
    }

    /// Takes this one, unless it has to be left in the journal for now.
    fn take(&mut self, waiting: &Waiting, is_parked: bool) -> Option<Admission> {
        let window = &self.window;
        let is_held = window.holds(waiting.delivery);
        if self.supply.leaves(waiting, is_parked, is_held, |key| window.waiting_in(key)) {
            return None;
        }
        let admission = self.window.admit(waiting.clone());
        if admission == Admission::Known {
            self.offered_again |= waiting.is_again && self.settling.contains(&waiting.delivery);
        }
        Some(admission)
    }

    /// Asks the journal, off the async threads.
    async fn look<T: Send + 'static>(
        &self,
        ask: impl FnOnce() -> T + Send + 'static,
        nothing: T,
    ) -> T {
        let answer = Arc::new(Mutex::new(None));
        let filled = Arc::clone(&answer);
        let work = move || *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(ask());
        self.means.tasks.blocking("courier-refill", Box::new(work)).await;
        let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.unwrap_or(nothing)
    }
}
