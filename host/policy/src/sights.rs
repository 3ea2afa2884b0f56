use std::collections::BTreeMap;

use crate::{Class, Classes};

/// Paths that are kept for the trail.
const PATHS_MAX: usize = 256;

/// How many values, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tally {
    counts: [u64; Class::COUNT],
}

impl Tally {
    /// How many of one class.
    pub fn count(&self, class: Class) -> u64 {
        self.counts[class.index()]
    }

    /// The classes of which there are any, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (Class, u64)> {
        Class::ALL.iter().map(|class| (*class, self.count(*class))).filter(|(_, count)| *count != 0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    pub(crate) fn add(&mut self, classes: Classes) {
        for class in classes.iter() {
            self.counts[class.index()] += 1;
        }
    }
}

/// What a view showed of a message, for the trail: values by class, each value once however often
/// it was read. A value without a class is not counted. A value of several classes counts in each.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Sights {
    /// Values that were handed over as they are.
    pub opened: Tally,
    /// Values that were handed over as tokens.
    pub sealed: Tally,
    /// Values that were left out.
    pub withheld: Tally,
    /// Requests that were answered with "withheld".
    pub denied: Tally,
    /// The places of opened and denied values with their classes, at most 256.
    pub paths: BTreeMap<String, Classes>,
    /// Whether there were more places.
    pub paths_cut: bool,
}

impl Sights {
    pub(crate) fn note(&mut self, path: String, classes: Classes) {
        if self.paths.len() < PATHS_MAX || self.paths.contains_key(&path) {
            self.paths.insert(path, classes);
        } else {
            self.paths_cut = true;
        }
    }
}
