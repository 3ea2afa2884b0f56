//! One configuration, built: what a message is pinned to when it is accepted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hilum_policy::Policy;
use hilum_words::{Digest, Name};

use crate::Routes;

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
}

/// The generations that are loaded: the current one, which new messages are pinned to, and older
/// ones that still have runs to finish.
pub struct Current {
    loaded: Mutex<Loaded>,
}

struct Loaded {
    current: Arc<Generation>,
    older: BTreeMap<Digest, Arc<Generation>>,
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
        self.lock().older.insert(generation.digest, generation);
    }

    /// The generation with this digest, if it is loaded.
    pub fn find(&self, digest: Digest) -> Option<Arc<Generation>> {
        let loaded = self.lock();
        if loaded.current.digest == digest {
            return Some(Arc::clone(&loaded.current));
        }
        loaded.older.get(&digest).map(Arc::clone)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Loaded> {
        // Nothing panics while the lock is held, and a poisoned list of generations is still right.
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
