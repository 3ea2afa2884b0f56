//! Where the catalogue's entries lie: what is asked of a table, and the one in memory.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// Entries that are written together, or not at all. None removes.
pub type Batch = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Bytes that a value has at most. Larger ones would lie in files that sled never syncs.
pub(crate) const VALUE_BYTES_MAX: usize = 4_096;

/// A table cannot be used: it failed, it panicked, or what it holds is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TableFault(pub String);

impl From<std::io::Error> for TableFault {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Keys in order, with their values.
pub trait Table: Send {
    /// Everything in it, by key.
    fn entries(&self) -> Result<Vec<Entry>, TableFault>;

    /// At most `limit` of the entries from `from` up to but without `to`, the last first.
    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>, TableFault>;

    /// Writes a batch, wholly or not at all. It need not be durable when this returns, but what is
    /// lost is lost from the end.
    fn write(&mut self, batch: Batch) -> Result<(), TableFault>;

    /// Makes what was written durable, as far as it can. Nothing is written after it.
    fn close(&mut self);
}

/// A table in memory: all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct MemoryTable {
    entries: Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>,
}

impl MemoryTable {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<Vec<u8>, Vec<u8>>) -> T) -> T {
        work(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One with the same content that is not the same table.
    pub fn copy(&self) -> Self {
        let entries = self.with(|entries| entries.clone());
        Self { entries: Arc::new(Mutex::new(entries)) }
    }
}

impl Table for MemoryTable {
    fn entries(&self) -> Result<Vec<Entry>, TableFault> {
        Ok(self.with(|entries| entries.iter().map(|(k, v)| (k.clone(), v.clone())).collect()))
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>, TableFault> {
        let (from, to) = (from.to_vec(), to.to_vec());
        Ok(self.with(|entries| {
            let found = entries.range(from..to).rev().take(limit);
            found.map(|(key, value)| (key.clone(), value.clone())).collect()
        }))
    }

    fn write(&mut self, batch: Batch) -> Result<(), TableFault> {
        check(&batch)?;
        self.with(|entries| {
            for (key, value) in batch {
                match value {
                    Some(value) => entries.insert(key, value),
                    None => entries.remove(&key),
                };
            }
        });
        Ok(())
    }

    fn close(&mut self) {}
}

/// Asks a table. What panics inside is a fault, too; the table is not asked again after one, so
/// nothing half done shows.
pub(super) fn caught<T>(ask: impl FnOnce() -> Result<T, TableFault>) -> Result<T, TableFault> {
    // The panic's own text may quote what lies in the files.
    catch_unwind(AssertUnwindSafe(ask))
        .unwrap_or_else(|_| Err(TableFault("it panicked".to_owned())))
}

/// Whether every value is small enough.
pub(super) fn check(batch: &Batch) -> Result<(), TableFault> {
    let is_large = |value: &Option<Vec<u8>>| {
        value.as_ref().is_some_and(|value| VALUE_BYTES_MAX <= value.len())
    };
    match batch.iter().any(|(_, value)| is_large(value)) {
        true => Err(TableFault(format!("a value has {VALUE_BYTES_MAX} bytes or more"))),
        false => Ok(()),
    }
}
