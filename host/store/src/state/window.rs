//! The duplicate window: which control ids were used, and for what.

use std::collections::VecDeque;
use std::time::Duration;

use hilum_words::{Digest, MessageId, Timestamp};

use super::hash::{Map, Seed};
use crate::DuplicateKey;

/// What a key was last used for.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    /// The beginning of the body's digest: 128 bits, so that equal beginnings are equal bodies.
    digest: [u8; 16],
    pub(crate) message: MessageId,
    pub(crate) sequence: u64,
    /// Whether every run of it ended refused or parked. Set when the message is forgotten.
    pub(crate) ended_badly: bool,
}

impl Used {
    pub(crate) fn is_same_body(&self, digest: &Digest) -> bool {
        digest.bytes().starts_with(&self.digest)
    }
}

pub(crate) struct Window {
    used: Map<DuplicateKey, Used>,
    /// Keys in the order they were used. A key that was used again stands here twice; only the
    /// place with its sequence counts.
    order: VecDeque<(DuplicateKey, u64, Timestamp)>,
    age: Duration,
    ids_max: usize,
}

impl Window {
    pub(crate) fn new(age: Duration, ids_max: usize, seed: u64) -> Self {
        let used = Map::with_hasher(Seed(seed));
        Self { used, order: VecDeque::new(), age, ids_max }
    }

    /// What the key was used for within the window.
    pub(crate) fn find(&mut self, key: DuplicateKey, now: Timestamp) -> Option<Used> {
        self.expire(now);
        self.used.get(&key).copied()
    }

    /// The key is used for this message from now on.
    pub(crate) fn insert(
        &mut self,
        key: DuplicateKey,
        digest: &Digest,
        message: MessageId,
        sequence: u64,
        now: Timestamp,
    ) {
        let mut beginning = [0; 16];
        for (to, from) in beginning.iter_mut().zip(digest.bytes()) {
            *to = *from;
        }
        let used = Used { digest: beginning, message, sequence, ended_badly: false };
        self.used.insert(key, used);
        self.order.push_back((key, sequence, now));
        while self.ids_max < self.order.len() {
            self.drop_oldest();
        }
        self.expire(now);
    }

    /// The message under this key is forgotten; this is how it ended.
    pub(crate) fn note_end(&mut self, key: DuplicateKey, message: MessageId, badly: bool) {
        if let Some(used) = self.used.get_mut(&key)
            && used.message == message
        {
            used.ended_badly = badly;
        }
    }

    fn expire(&mut self, now: Timestamp) {
        while self.order.front().is_some_and(|(_, _, at)| self.age < now.since(*at)) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((key, sequence, _)) = self.order.pop_front()
            && self.used.get(&key).is_some_and(|used| used.sequence == sequence)
        {
            self.used.remove(&key);
        }
    }
}
