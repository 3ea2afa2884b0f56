//! The catalogue: generations and operators' marks, beside the journal.
//!
//! A projection of the journal that anybody can throw away. It keeps what memory does not: every
//! generation that ever took over, while the state has the recent ones. Its entries lie in a
//! [`Table`]: sled's (`data/catalogue`), or one in memory.
//!
//! ```text
//! key               value, and a CRC-32C of key and value behind it
//! "p"               the journal, and the sequence up to which everything is here
//! "g", sequence     a generation
//! "m", key          a mark
//! ```
//!
//! Promises: it is compared with the journal when that is opened; a table that fails, panics or says
//! anything else is set aside and made again; it is never ahead of what is durable in the journal; no
//! promise to anybody rests on it.
//! Not here: what is true (`state`); files (`tree`).

mod table;
mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tracing::{info, warn};

use crate::folder::Folder;
use crate::state::SiteChange;
use crate::wire::{self, Fields};
use crate::{GenerationRecord, OpenError};

use table::caught;

pub use table::{Batch, Entry, MemoryTable, Table, TableFault};
pub use tree::Tree;

const POSITION: &[u8] = b"p";
const GENERATION: u8 = b'g';
const MARK: u8 = b'm';
/// Catalogues that are moved away at most: each was a failure that somebody should look at.
const ASIDE_MAX: u32 = 100;
/// Entries that are written together at most.
const BATCH_MAX: usize = 256;

/// Opens, or makes, the table that lies at a path.
pub type OpenTable<'a> = dyn Fn(&Path) -> Result<Box<dyn Table>, TableFault> + 'a;

/// Why the catalogue cannot be used.
#[derive(Debug)]
enum Unfit {
    Table(TableFault),
    /// An entry is not what was written.
    Entry(&'static str),
}

impl From<TableFault> for Unfit {
    fn from(fault: TableFault) -> Self {
        Self::Table(fault)
    }
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Table(fault) => fault.fmt(f),
            Self::Entry(why) => f.write_str(why),
        }
    }
}

/// The catalogue of one journal.
pub(crate) struct Catalogue {
    /// None once it has failed: the next start makes it again.
    table: Option<Box<dyn Table>>,
    log: u64,
    position: u64,
}

impl Catalogue {
    /// Opens the catalogue of a journal and brings it up to what the journal says: all its changes, in
    /// order, and its last sequence. What cannot be used is set aside, and a new one is made.
    pub(crate) fn open(
        folder: &Folder,
        log: u64,
        open: &OpenTable<'_>,
        changes: &[(u64, SiteChange)],
    ) -> Self {
        let place = folder.root.join("catalogue");
        let mut catalogue = match read_all(open, &place, log, changes) {
            Ok((table, position)) => Self { table: Some(table), log, position },
            Err(unfit) => {
                warn!(%unfit, "the catalogue cannot be used; it is made again from the journal");
                Self::anew(folder, log, open, &place)
            }
        };
        catalogue.extend(changes);
        catalogue
    }

    fn anew(folder: &Folder, log: u64, open: &OpenTable<'_>, place: &Path) -> Self {
        let begun = set_aside(folder, place).and_then(|()| Ok(read_all(open, place, log, &[])?.0));
        if let Err(unfit) = &begun {
            warn!(%unfit, "the catalogue cannot be made; older generations are not listed");
        }
        Self { table: begun.ok(), log, position: 0 }
    }

    /// Refuses a journal that ends before the catalogue: then something of it was cut off.
    pub(crate) fn check(&self, folder: &Folder, sequence: u64) -> Result<(), OpenError> {
        if self.position <= sequence {
            return Ok(());
        }
        let why = format!(
            "it ends at {sequence}, and the catalogue has seen {}: the journal was cut or replaced by \
             an older copy. If that was meant, move the folder `catalogue` away",
            self.position
        );
        Err(folder.damaged(folder.segments(), 0, why))
    }

    /// Takes in what is durable in the journal. In the journal's order; what is here already is
    /// passed over.
    pub(crate) fn extend(&mut self, changes: &[(u64, SiteChange)]) {
        let new: Vec<_> =
            changes.iter().filter(|(sequence, _)| self.position < *sequence).collect();
        for part in new.chunks(BATCH_MAX) {
            let Some((sequence, _)) = part.last() else {
                continue;
            };
            let mut batch: Batch = part.iter().map(|(at, change)| entry(*at, change)).collect();
            batch.push((POSITION.to_vec(), Some(sealed(POSITION, position(self.log, *sequence)))));
            let Some(table) = &mut self.table else {
                return;
            };
            if let Err(fault) = caught(|| table.write(batch)) {
                warn!(%fault, "the catalogue failed; it is made again at the next start");
                self.table = None;
                return;
            }
            self.position = *sequence;
        }
    }

    /// At most `limit` of the generations before this sequence, newest first. None if they cannot be
    /// read.
    pub(crate) fn generations(&self, before: u64, limit: usize) -> Option<Vec<GenerationRecord>> {
        let table = self.table.as_ref()?;
        let (from, to) = (generation_key(0), generation_key(before));
        let found = caught(|| table.range(&from, &to, limit)).ok()?;
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            GenerationRecord::read_from(&mut Fields::new(&open_seal(&key, value).ok()?)).ok()
        };
        found.into_iter().map(read).collect()
    }

    /// Closes it, so that the next start finds all of it.
    pub(crate) fn close(&mut self) {
        if let Some(table) = &mut self.table {
            let _ = caught(|| {
                table.close();
                Ok(())
            });
        }
    }

    /// Everything in it, for tests: position, generations oldest first, marks.
    #[cfg(test)]
    pub(crate) fn contents(&self) -> (u64, Vec<GenerationRecord>, BTreeMap<String, String>) {
        let entries = self.table.as_ref().expect("it has not failed").entries().expect("it reads");
        let (mut generations, mut marks) = (Vec::new(), BTreeMap::new());
        for (key, value) in entries {
            let value = open_seal(&key, value).expect("it is whole");
            let mut fields = Fields::new(&value);
            match key.split_first() {
                Some((&GENERATION, _)) => {
                    generations.push(GenerationRecord::read_from(&mut fields).expect("it reads"));
                }
                Some((&MARK, name)) => {
                    let name = String::from_utf8(name.to_vec()).expect("text");
                    marks.insert(name, fields.text().expect("it reads").to_owned());
                }
                _ => {}
            }
        }
        (self.position, generations, marks)
    }
}

/// Opens a table and reads all of it: what lies on damaged pages shows itself only then, and a table
/// that silently forgot something shows itself only beside the journal.
fn read_all(
    open: &OpenTable<'_>,
    place: &Path,
    log: u64,
    changes: &[(u64, SiteChange)],
) -> Result<(Box<dyn Table>, u64), Unfit> {
    let (table, entries) = caught(|| {
        let table = open(place)?;
        let entries = table.entries()?;
        Ok((table, entries))
    })?;
    let position = match entries.iter().find(|(key, _)| key == POSITION) {
        Some((key, value)) => {
            let value = open_seal(key, value.clone())?;
            let mut fields = Fields::new(&value);
            let (of, position) = (fields.u64(), fields.u64());
            let (Ok(of), Ok(position)) = (of, position) else {
                return Err(Unfit::Entry("its position does not read"));
            };
            if of != log {
                return Err(Unfit::Entry("it is of another journal"));
            }
            position
        }
        None => 0,
    };
    let last = changes.last().map_or(0, |(sequence, _)| *sequence);
    // One that is ahead cannot be compared: what it knows more is not in the journal.
    if position <= last && entries != expected(log, position, changes) {
        return Err(Unfit::Entry("it does not say what the journal says"));
    }
    Ok((table, position))
}

/// The entries of a catalogue that has seen everything up to `position`.
fn expected(log: u64, at: u64, changes: &[(u64, SiteChange)]) -> Vec<Entry> {
    let mut entries = BTreeMap::new();
    if at != 0 {
        entries.insert(POSITION.to_vec(), sealed(POSITION, position(log, at)));
    }
    for (sequence, change) in changes.iter().take_while(|(sequence, _)| *sequence <= at) {
        match entry(*sequence, change) {
            (key, Some(value)) => entries.insert(key, value),
            (key, None) => entries.remove(&key),
        };
    }
    entries.into_iter().collect()
}

/// Moves a catalogue away, to `catalogue.bad-1` and so on: somebody may want to know what happened.
fn set_aside(folder: &Folder, place: &Path) -> Result<(), Unfit> {
    let disk = &folder.disk;
    if !disk.exists(place) {
        return Ok(());
    }
    let aside = |number: u32| PathBuf::from(format!("{}.bad-{number}", place.display()));
    let free = (1..=ASIDE_MAX).map(aside).find(|it| !disk.exists(it));
    let to = free.ok_or(Unfit::Entry("too many were moved away before; remove catalogue.bad-*"))?;
    disk.rename(place, &to).map_err(|it| Unfit::Table(it.into()))?;
    info!(to = %to.display(), "the old catalogue was moved away; it is not needed any more");
    Ok(())
}

fn generation_key(sequence: u64) -> Vec<u8> {
    let mut key = vec![GENERATION];
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

fn entry(sequence: u64, change: &SiteChange) -> (Vec<u8>, Option<Vec<u8>>) {
    let mut value = Vec::new();
    match change {
        SiteChange::Applied(generation) => {
            let key = generation_key(sequence);
            generation.write_to(&mut value);
            let value = sealed(&key, value);
            (key, Some(value))
        }
        SiteChange::Marked(name, mark) => {
            let mut key = vec![MARK];
            key.extend_from_slice(name.as_str().as_bytes());
            let value = mark.as_ref().map(|mark| {
                wire::put_text(&mut value, mark);
                sealed(&key, value)
            });
            (key, value)
        }
    }
}

fn position(log: u64, sequence: u64) -> Vec<u8> {
    let mut value = Vec::new();
    wire::put_u64(&mut value, log);
    wire::put_u64(&mut value, sequence);
    value
}

/// A value with a checksum: sled's own was not written for us to rely on.
fn sealed(key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c_append(crc32c::crc32c(key), &value);
    value.extend_from_slice(&crc.to_le_bytes());
    value
}

fn open_seal(key: &[u8], mut value: Vec<u8>) -> Result<Vec<u8>, Unfit> {
    const WRONG: Unfit = Unfit::Entry("the checksum of an entry is wrong");
    let (content, crc) = value.split_last_chunk::<4>().ok_or(WRONG)?;
    if crc32c::crc32c_append(crc32c::crc32c(key), content) != u32::from_le_bytes(*crc) {
        return Err(WRONG);
    }
    let length = content.len();
    value.truncate(length);
    Ok(value)
}
