//! The catalogue's table on disk: one tree of sled 0.34.7.
//!
//! sled has threads and files of its own, so it stands outside of the doors; that is why it is only
//! here, and why nothing rests on it. What was learnt with it: `flush_every_ms` is also the tick of
//! its garbage collector (at 500 ms the files grow to ten times their content, without it for ever);
//! values of 4 KiB and more lie in files that it never syncs; after a power cut it may panic on open.
//!
//! Promises: no value of 4 KiB or more is written; what panics while it is closed is caught.
//! Not here: what is done about its faults (`catalogue`).

use std::path::Path;

use super::table::{Batch, Entry, Table, TableFault, caught, check};

const FLUSH_EVERY_MS: u64 = 50;
const CACHE_BYTES: u64 = 64 << 20;

/// A tree of sled.
pub struct Tree {
    /// None once it is closed.
    db: Option<sled::Db>,
}

impl Tree {
    /// Opens the tree in this folder, or begins one.
    pub fn open(folder: &Path) -> Result<Self, TableFault> {
        let config = sled::Config::new()
            .path(folder)
            .flush_every_ms(Some(FLUSH_EVERY_MS))
            .cache_capacity(CACHE_BYTES)
            .use_compression(false);
        Ok(Self { db: Some(config.open().map_err(|it| fault(&it))?) })
    }

    fn ask<T>(&self, work: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, TableFault> {
        let db = self.db.as_ref().ok_or_else(gone)?;
        work(db).map_err(|it| fault(&it))
    }
}

impl Table for Tree {
    fn entries(&self) -> Result<Vec<Entry>, TableFault> {
        let owned = |it: sled::Result<(sled::IVec, sled::IVec)>| {
            it.map(|(key, value)| (key.to_vec(), value.to_vec()))
        };
        self.ask(|db| db.iter().map(owned).collect())
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>, TableFault> {
        let owned = |it: sled::Result<(sled::IVec, sled::IVec)>| {
            it.map(|(key, value)| (key.to_vec(), value.to_vec()))
        };
        self.ask(|db| db.range(from..to).rev().take(limit).map(owned).collect())
    }

    fn write(&mut self, batch: Batch) -> Result<(), TableFault> {
        check(&batch)?;
        let mut whole = sled::Batch::default();
        for (key, value) in batch {
            match value {
                Some(value) => whole.insert(key, value),
                None => whole.remove(key),
            }
        }
        self.ask(|db| db.apply_batch(whole))
    }

    fn close(&mut self) {
        // What is lost here is in the journal.
        let _ = self.ask(|db| db.flush());
        self.leave();
    }
}

impl Tree {
    /// Lets go of the tree. To drop it may panic, too.
    fn leave(&mut self) {
        if let Some(db) = self.db.take() {
            let _ = caught(|| {
                drop(db);
                Ok(())
            });
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.leave();
    }
}

fn gone() -> TableFault {
    TableFault("the tree was closed".to_owned())
}

fn fault(fault: &sled::Error) -> TableFault {
    // Its texts may quote what lies in the files.
    TableFault(kind(fault).to_owned())
}

fn kind(fault: &sled::Error) -> &'static str {
    match fault {
        sled::Error::CollectionNotFound(_) => "sled: a collection is missing",
        sled::Error::Unsupported(_) => "sled: unsupported",
        sled::Error::ReportableBug(_) => "sled: a bug",
        sled::Error::Io(_) => "sled: reading or writing failed",
        sled::Error::Corruption { .. } => "sled: the files are damaged",
    }
}
