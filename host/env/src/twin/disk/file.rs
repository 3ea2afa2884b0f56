use std::io;
use std::sync::{Arc, Mutex};

use super::{Inside, Unsynced, stopped};
use crate::DiskFile;
use crate::twin::{Dice, lock};

/// What a disk writes at once; a write is torn at multiples of it.
const SECTOR_BYTES: usize = 512;

/// A change of a file that was not synced.
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

/// A file's content: as it reads now, and as it surely is after a power cut.
#[derive(Default)]
pub(super) struct Content {
    now: Vec<u8>,
    certain: Vec<u8>,
    changes: Vec<Change>,
}

fn write(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        self.now.len() as u64
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        write(&mut self.now, offset, bytes);
        self.changes.push(Change::Write { offset, bytes: bytes.to_vec() });
    }

    pub(super) fn set_len(&mut self, length: usize) {
        self.now.resize(length, 0);
        self.changes.push(Change::Length(length));
    }

    fn sync(&mut self) {
        for change in self.changes.drain(..) {
            match change {
                Change::Write { offset, bytes } => write(&mut self.certain, offset, &bytes),
                Change::Length(length) => self.certain.resize(length, 0),
            }
        }
    }

    /// Bytes change under everybody's hands.
    pub(super) fn damage(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        self.sync();
        change(&mut self.now);
        self.certain.clone_from(&self.now);
    }

    /// What is left of the changes that were not synced.
    pub(super) fn crash(&mut self, unsynced: Unsynced, dice: &mut Dice) {
        let changes = std::mem::take(&mut self.changes);
        let mut left = self.certain.clone();
        let whole = dice.below(changes.len() + 1);
        for (place, change) in changes.into_iter().enumerate() {
            let (keep, tear) = match unsynced {
                Unsynced::Kept => (true, false),
                Unsynced::Lost => (false, false),
                Unsynced::Torn => (place <= whole, place == whole),
                Unsynced::Reordered => (dice.one_in(2), dice.one_in(2)),
            };
            match change {
                _ if !keep => {}
                Change::Length(length) => left.resize(length, 0),
                Change::Write { offset, bytes } if tear => {
                    tear_into(&mut left, offset, &bytes, dice)
                }
                Change::Write { offset, bytes } => write(&mut left, offset, &bytes),
            }
        }
        self.certain.clone_from(&left);
        self.now = left;
    }
}

/// Writes some sectors of `bytes`. The file has its new length or not; what was not written reads
/// as zeros, or, rarely, as rubbish.
fn tear_into(content: &mut Vec<u8>, offset: usize, bytes: &[u8], dice: &mut Dice) {
    if dice.one_in(2) && content.len() < offset + bytes.len() {
        content.resize(offset + bytes.len(), 0);
    }
    let mut at = offset;
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = (SECTOR_BYTES - at % SECTOR_BYTES).min(rest.len());
        let (sector, after) = rest.split_at(length);
        match dice.below(8) {
            0..4 => write(content, at, sector),
            4 => {
                let rubbish: Vec<u8> = sector.iter().map(|byte| byte ^ 0x5a).collect();
                write(content, at, &rubbish);
            }
            _ => {}
        }
        at += length;
        rest = after;
    }
}

/// An open file.
pub(super) struct TwinFile {
    pub(super) disk: Arc<Mutex<Inside>>,
    pub(super) file: u64,
    pub(super) life: u64,
}

impl TwinFile {
    fn with<T>(&self, act: impl FnOnce(&mut Inside) -> io::Result<T>) -> io::Result<T> {
        let mut inside = lock(&self.disk);
        if inside.life != self.life {
            return Err(stopped());
        }
        inside.readable()?;
        act(&mut inside)
    }
}

fn place(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl DiskFile for TwinFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(|inside| {
            let content = &inside.contents.get(&self.file).ok_or_else(missing)?.now;
            let from = place(offset)?.min(content.len());
            let length = bytes.len().min(content.len() - from);
            bytes[..length].copy_from_slice(&content[from..from + length]);
            Ok(length)
        })
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.with(|inside| {
            let is_whole = inside.operate()?;
            let content = inside.contents.get_mut(&self.file).ok_or_else(missing)?;
            // A write that the disk stops in was begun, so a crash may find it, torn.
            content.write(place(offset)?, bytes);
            if is_whole { Ok(()) } else { Err(stopped()) }
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|inside| {
            let is_whole = inside.operate()?;
            // A sync that the disk stops in may have done its work, and nobody is told.
            if is_whole || inside.dice.one_in(2) {
                inside.contents.get_mut(&self.file).ok_or_else(missing)?.sync();
            }
            if is_whole { Ok(()) } else { Err(stopped()) }
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.with(|inside| Ok(inside.contents.get(&self.file).ok_or_else(missing)?.len()))
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.with(|inside| {
            inside.change()?;
            inside.contents.get_mut(&self.file).ok_or_else(missing)?.set_len(place(bytes)?);
            Ok(())
        })
    }
}
