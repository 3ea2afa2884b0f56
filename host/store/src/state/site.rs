//! Generations and marks, as the journal has them.

use std::collections::{BTreeMap, VecDeque};

use crate::{GenerationRecord, MarkKey};

/// Something that changed.
#[derive(Clone, Debug)]
pub(crate) enum SiteChange {
    Applied(GenerationRecord),
    Marked(MarkKey, Option<String>),
}

/// Generations that are kept in memory. Older ones are in the journal, and in the catalogue.
pub(crate) const GENERATIONS_KEPT: usize = 256;
/// Marks that there may be at once.
pub(crate) const MARKS_MAX: usize = 10_000;

/// What is known of the site itself.
#[derive(Default)]
pub(crate) struct Site {
    /// Oldest first, with the sequence of its frame.
    generations: VecDeque<(u64, GenerationRecord)>,
    marks: BTreeMap<MarkKey, (u64, String)>,
    /// Whether there were more generations than are kept.
    has_older: bool,
    /// What the catalogue has not seen yet, with the sequences of its frames.
    changes: Vec<(u64, SiteChange)>,
}

impl Site {
    pub(super) fn apply(&mut self, sequence: u64, generation: GenerationRecord) {
        self.changes.push((sequence, SiteChange::Applied(generation.clone())));
        self.generations.push_back((sequence, generation));
        if GENERATIONS_KEPT < self.generations.len() {
            self.generations.pop_front();
            self.has_older = true;
        }
    }

    pub(super) fn mark(&mut self, sequence: u64, key: &MarkKey, value: Option<&str>) {
        let change = SiteChange::Marked(key.clone(), value.map(str::to_owned));
        self.changes.push((sequence, change));
        match value {
            Some(value) => {
                self.marks.insert(key.clone(), (sequence, value.to_owned()));
            }
            None => {
                self.marks.remove(key);
            }
        }
    }

    /// What changed since this was asked last.
    pub(crate) fn take_changes(&mut self) -> Vec<(u64, SiteChange)> {
        std::mem::take(&mut self.changes)
    }

    /// The sequence of the oldest generation that is kept, if there were older ones.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.generations.front().map(|(sequence, _)| *sequence).filter(|_| self.has_older)
    }

    /// Whether there is room for this mark.
    pub(super) fn takes(&self, key: &MarkKey) -> bool {
        self.marks.contains_key(key) || self.marks.len() < MARKS_MAX
    }

    /// Those that are durable, newest first.
    pub(crate) fn generations(&self, limit: usize, durable: u64) -> Vec<GenerationRecord> {
        let known = self.generations.iter().rev().filter(|(sequence, _)| *sequence <= durable);
        known.take(limit).map(|(_, generation)| generation.clone()).collect()
    }

    /// Those that are durable.
    pub(crate) fn marks(&self, durable: u64) -> BTreeMap<String, String> {
        let known = self.marks.iter().filter(|(_, (sequence, _))| *sequence <= durable);
        known.map(|(key, (_, value))| (key.as_str().to_owned(), value.clone())).collect()
    }
}
