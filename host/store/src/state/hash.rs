//! Hashing of ids and digests, on a seed that comes in by the door.
//!
//! The keys are random bits already, but a sender chooses what a duplicate key is the digest of;
//! the seed keeps it from choosing where it lands.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

/// A map over ids or digests.
pub(crate) type Map<K, V> = HashMap<K, V, Seed>;

#[derive(Clone, Copy)]
pub(crate) struct Seed(pub(crate) u64);

pub(crate) struct Mix(u64);

impl BuildHasher for Seed {
    type Hasher = Mix;

    fn build_hasher(&self) -> Mix {
        Mix(self.0)
    }
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
            self.write_u64(word);
        }
    }

    fn write_u64(&mut self, word: u64) {
        // One multiplication to twice the width, folded: every bit of the word reaches every bit.
        let wide = u128::from(self.0 ^ word) * u128::from(0x9e37_79b9_7f4a_7c15u64);
        let high = u64::try_from(wide >> 64).unwrap_or(0);
        let low = u64::try_from(wide & u128::from(u64::MAX)).unwrap_or(0);
        self.0 = high ^ low ^ 0x2545_f491_4f6c_dd1d;
    }

    fn write_u128(&mut self, wide: u128) {
        self.write_u64(u64::try_from(wide >> 64).unwrap_or(0));
        self.write_u64(u64::try_from(wide & u128::from(u64::MAX)).unwrap_or(0));
    }

    fn write_usize(&mut self, _length: usize) {
        // Only lengths of arrays come here, and they are all the same.
    }
}
