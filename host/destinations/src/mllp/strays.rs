//! Answers that settle no message, counted.

use std::collections::BTreeMap;
use std::fmt;

use crate::metrics::Stray;

/// How many of each came.
#[derive(Clone, Debug, Default)]
pub(super) struct Strays(BTreeMap<Stray, u64>);

impl Strays {
    pub(super) fn add(&mut self, stray: Stray) {
        let count = self.0.entry(stray).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Stray, u64)> + '_ {
        self.0.iter().map(|(stray, count)| (*stray, *count))
    }
}

impl fmt::Display for Strays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (stray, count)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {}", stray.text())?;
        }
        Ok(())
    }
}
