//! One configuration, built: what a message is pinned to when it is accepted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hilum_policy::Policy;
use hilum_words::{Digest, Name};

use crate::{IntakeOptions, Routes};

/// A generation: everything that decides what becomes of a message, bound to one digest.
pub struct Generation {
    /// The digest over configuration, plugins and tables.
    pub digest: Digest,
    /// Its routes.
    pub routes: Routes,
    /// Its policy.
    pub policy: Policy,
    /// Plugins by the name of the configuration, for the operator's list.
    pub plugins: BTreeMap<Name, Digest>,
    /// What each listener does with messages. A message is answered by the generation that it is
    /// pinned to, so that a swap is never half.
    pub intakes: BTreeMap<Name, Arc<IntakeOptions>>,
}

impl Generation {
    /// What the listener of this name does with messages. None if the generation has no such
    /// listener.
    pub fn intake(&self, listener: &Name) -> Option<&Arc<IntakeOptions>> {
        self.intakes.get(listener)
    }
}

/// The generations that are loaded: the current one, which new messages are pinned to, and older
/// ones that still have runs to finish.
pub struct Current {
    loaded: Mutex<Loaded>,
}

struct Loaded {
    current: Arc<Generation>,
    older: BTreeMap<Digest, Older>,
}

struct Older {
    generation: Arc<Generation>,
    /// Whether nothing was pinned to it when that was last asked.
    was_unused: bool,
}

impl Older {
    fn new(generation: Arc<Generation>) -> Self {
        Self { generation, was_unused: false }
    }
}

impl Current {
    /// Starts with one generation.
    pub fn new(current: Arc<Generation>) -> Self {
        Self { loaded: Mutex::new(Loaded { current, older: BTreeMap::new() }) }
    }

    /// The generation that new messages are pinned to.
    pub fn current(&self) -> Arc<Generation> {
        Arc::clone(&self.lock().current)
    }

    /// Adds a generation that is not current, for the runs that are pinned to it.
    pub fn keep(&self, generation: Arc<Generation>) {
        let mut loaded = self.lock();
        if generation.digest != loaded.current.digest {
            loaded.older.insert(generation.digest, Older::new(generation));
        }
    }

    /// Makes another generation the current one and answers the one before, which stays loaded for
    /// the runs that are pinned to it.
    pub fn swap(&self, generation: Arc<Generation>) -> Arc<Generation> {
        let mut loaded = self.lock();
        loaded.older.remove(&generation.digest);
        let before = std::mem::replace(&mut loaded.current, generation);
        if before.digest != loaded.current.digest {
            loaded.older.insert(before.digest, Older::new(Arc::clone(&before)));
        }
        before
    }

    /// Unloads the older generations that no run is pinned to (`is_used` says which ones are, from
    /// the journal's undecided and held runs) and answers how many. One goes when it was unused at
    /// two calls in a row: a message that it accepted may be on its way to the journal still, so
    /// call it now and then, and not twice at once.
    pub fn forget_unused(&self, is_used: impl Fn(Digest) -> bool) -> usize {
        let mut loaded = self.lock();
        let before = loaded.older.len();
        loaded.older.retain(|digest, older| {
            let is_unused = Arc::strong_count(&older.generation) == 1 && !is_used(*digest);
            let stays = !(is_unused && older.was_unused);
            older.was_unused = is_unused;
            stays
        });
        before - loaded.older.len()
    }

    /// How many generations are loaded beside the current one.
    pub fn older(&self) -> usize {
        self.lock().older.len()
    }

    /// The generation with this digest, if it is loaded.
    pub fn find(&self, digest: Digest) -> Option<Arc<Generation>> {
        let loaded = self.lock();
        if loaded.current.digest == digest {
            return Some(Arc::clone(&loaded.current));
        }
        loaded.older.get(&digest).map(|it| Arc::clone(&it.generation))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Loaded> {
        // Nothing panics while the lock is held, and a poisoned list of generations is still right.
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use hilum_message::TimeZone;

    use super::*;

    fn generation(name: &[u8]) -> Arc<Generation> {
        Arc::new(Generation {
            digest: Digest::of(name),
            routes: Routes::default(),
            policy: Policy::new(TimeZone::UTC),
            plugins: BTreeMap::new(),
            intakes: BTreeMap::new(),
        })
    }

    #[test]
    fn a_swap_keeps_what_runs_are_pinned_to_until_nobody_needs_it() {
        let current = Current::new(generation(b"one"));
        drop(current.swap(generation(b"two")));
        let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
        assert_eq!(current.current().digest, two);
        for _ in 0..3 {
            assert_eq!(current.forget_unused(|digest| digest == one), 0);
        }
        let held = current.find(one).expect("pinned");
        for _ in 0..3 {
            assert_eq!(current.forget_unused(|_| false), 0, "an intake holds it");
        }
        drop(held);
        assert_eq!(current.forget_unused(|_| false), 0, "its arrival may be under way");
        assert_eq!(current.forget_unused(|_| false), 1);
        assert!(current.find(one).is_none());
        assert!(current.find(two).is_some(), "the current one is never forgotten");
    }

    #[test]
    fn rolling_back_makes_an_older_one_current_again() {
        let one = generation(b"one");
        let current = Current::new(Arc::clone(&one));
        current.swap(generation(b"two"));
        assert_eq!(current.swap(one).digest, Digest::of(b"two"));
        assert_eq!(current.current().digest, Digest::of(b"one"));
        assert!(current.find(Digest::of(b"two")).is_some());
    }
}
