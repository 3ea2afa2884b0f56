//! A disk in memory that can stop, fail, and forget what was not synced.
//!
//! Every file has two contents: what a reader sees now, and what is surely there after a power cut.
//! Writes between the two are remembered one by one, so that a crash can lose some, tear some at
//! the border of a sector, and keep a later one without an earlier one. Names have two states as
//! well: a name that was made, replaced or removed is certain only after its folder was synced.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{Dice, lock};
use crate::{Disk, DiskFile, Entry, OpenMode, Space};
use file::{Content, TwinFile};

/// What a crash does with what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsynced {
    /// It is all there: the process was killed, and the machine went on. It is still not synced.
    Kept,
    /// It is gone.
    Lost,
    /// A beginning of it is there; the last write of that is torn.
    Torn,
    /// Any part of it is there, in no order, some of it torn.
    Reordered,
}

impl Unsynced {
    /// Every one.
    pub const ALL: &[Self] = &[Self::Kept, Self::Lost, Self::Torn, Self::Reordered];
}

/// The disk.
pub struct TwinDisk(Arc<Mutex<Inside>>);

pub(super) struct Inside {
    /// Files by number, so that a file lives on under another name, or none.
    contents: BTreeMap<u64, Content>,
    names: BTreeMap<PathBuf, u64>,
    certain_names: BTreeMap<PathBuf, u64>,
    folders: BTreeSet<PathBuf>,
    certain_folders: BTreeSet<PathBuf>,
    taken: BTreeSet<PathBuf>,
    space: Space,
    files: u64,
    /// Changes so far; each has the number of those before it.
    operations: u64,
    stop_at: Option<u64>,
    fail_at: Option<u64>,
    /// Counts crashes: a file that was open then cannot be used any more.
    life: u64,
    dice: Dice,
}

impl TwinDisk {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Inside {
            contents: BTreeMap::new(),
            names: BTreeMap::new(),
            certain_names: BTreeMap::new(),
            folders: BTreeSet::from([PathBuf::from("/")]),
            certain_folders: BTreeSet::from([PathBuf::from("/")]),
            taken: BTreeSet::new(),
            space: Space { free: 1 << 40, total: 1 << 41 },
            files: 0,
            operations: 0,
            stop_at: None,
            fail_at: None,
            life: 0,
            dice: Dice::new(seed),
        })))
    }

    /// How many changes were made or tried: writes, syncs, and changes of names.
    pub fn operations(&self) -> u64 {
        lock(&self.0).operations
    }

    /// The change with this number is not made, or only partly, and the disk is gone with it: that
    /// one and everything after it fails, until [`crash`](Self::crash).
    pub fn stop_at(&self, operation: u64) {
        lock(&self.0).stop_at = Some(operation);
    }

    /// The change with this number fails; the disk goes on.
    pub fn fail_at(&self, operation: u64) {
        lock(&self.0).fail_at = Some(operation);
    }

    /// The power goes and comes back. Open files and taken folders are nobody's any more; the
    /// switches are off.
    pub fn crash(&self, unsynced: Unsynced) {
        lock(&self.0).crash(unsynced);
    }

    /// How full the disk says it is.
    pub fn set_space(&self, space: Space) {
        lock(&self.0).space = space;
    }

    /// Changes one bit of a file, as a failing disk does.
    pub fn flip(&self, path: &Path, offset: u64, bit: u8) {
        lock(&self.0).damage(path, |bytes| {
            let at = usize::try_from(offset).unwrap_or(usize::MAX);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << (bit % 8);
            }
        });
    }

    /// Fills a part of a file with zeros, as a failing disk does.
    pub fn zero(&self, path: &Path, from: u64, bytes: u64) {
        lock(&self.0).damage(path, |content| {
            let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
            let range = at(from)..at(from.saturating_add(bytes));
            content[range].fill(0);
        });
    }

    /// Cuts a file, as somebody may do.
    pub fn cut(&self, path: &Path, bytes: u64) {
        lock(&self.0).damage(path, |content| {
            content.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
        });
    }

    /// Removes a file for good, as somebody may do.
    pub fn erase(&self, path: &Path) {
        let mut inside = lock(&self.0);
        inside.names.remove(path);
        inside.certain_names.remove(path);
    }
}

fn stopped() -> io::Error {
    io::Error::other("the disk is gone")
}

impl Inside {
    /// Counts a change. `Ok(false)`: the disk stops with it, and a write may be torn.
    fn operate(&mut self) -> io::Result<bool> {
        let number = self.operations;
        self.operations += 1;
        if self.fail_at == Some(number) {
            self.fail_at = None;
            return Err(io::Error::other("the disk failed once"));
        }
        match self.stop_at {
            Some(at) if at < number => Err(stopped()),
            Some(at) if at == number => Ok(false),
            _ => Ok(true),
        }
    }

    /// Counts a change that is made wholly or not at all.
    fn change(&mut self) -> io::Result<()> {
        if self.operate()? { Ok(()) } else { Err(stopped()) }
    }

    fn is_gone(&self) -> bool {
        self.stop_at.is_some_and(|at| at < self.operations)
    }

    fn readable(&self) -> io::Result<()> {
        if self.is_gone() { Err(stopped()) } else { Ok(()) }
    }

    fn folder_of(&self, path: &Path) -> io::Result<()> {
        match path.parent() {
            Some(folder) if self.folders.contains(folder) => Ok(()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn damage(&mut self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(content) = self.names.get(path).and_then(|file| self.contents.get_mut(file)) {
            content.damage(change);
        }
    }

    fn crash(&mut self, unsynced: Unsynced) {
        self.life += 1;
        self.taken.clear();
        (self.stop_at, self.fail_at) = (None, None);
        if unsynced == Unsynced::Kept {
            // The machine goes on with it, and may lose it in a later crash.
            return;
        }
        self.lose_names(unsynced);
        for content in self.contents.values_mut() {
            content.crash(unsynced, &mut self.dice);
        }
        // What is there now was read from the disk, so it is certain from here on.
        self.certain_names.clone_from(&self.names);
        self.certain_folders.clone_from(&self.folders);
        let used: BTreeSet<u64> = self.names.values().copied().collect();
        self.contents.retain(|file, _| used.contains(file));
    }

    /// Names that were not synced: each is as it was before or as it is now.
    fn lose_names(&mut self, unsynced: Unsynced) {
        let all: BTreeSet<PathBuf> =
            self.names.keys().chain(self.certain_names.keys()).cloned().collect();
        for path in all {
            if unsynced == Unsynced::Lost || self.dice.one_in(2) {
                match self.certain_names.get(&path) {
                    Some(file) => self.names.insert(path, *file),
                    None => self.names.remove(&path),
                };
            }
        }
        if unsynced == Unsynced::Lost {
            self.folders.clone_from(&self.certain_folders);
        }
        let folders = &self.folders;
        self.names.retain(|path, _| path.parent().is_some_and(|it| folders.contains(it)));
    }
}

impl Disk for TwinDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let mut inside = lock(&self.0);
        if inside.folders.contains(path) {
            return inside.readable();
        }
        inside.change()?;
        for folder in path.ancestors().filter(|it| !it.as_os_str().is_empty()) {
            inside.folders.insert(folder.to_owned());
        }
        Ok(())
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let mut inside = lock(&self.0);
        inside.readable()?;
        inside.folder_of(path)?;
        if inside.folders.contains(path) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let known = inside.names.get(path).copied();
        let file = match (known, mode) {
            (None, OpenMode::Read | OpenMode::Write) => return Err(io::ErrorKind::NotFound.into()),
            (Some(_), OpenMode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(file), OpenMode::Truncate) => {
                inside.change()?;
                if let Some(content) = inside.contents.get_mut(&file) {
                    content.set_len(0);
                }
                file
            }
            (Some(file), _) => file,
            (None, _) => {
                inside.change()?;
                inside.files += 1;
                let file = inside.files;
                inside.contents.insert(file, Content::default());
                inside.names.insert(path.to_owned(), file);
                file
            }
        };
        let life = inside.life;
        Ok(Box::new(TwinFile { disk: Arc::clone(&self.0), file, life }))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let inside = lock(&self.0);
        inside.readable()?;
        if !inside.folders.contains(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let is_here = |it: &&PathBuf| it.parent() == Some(path);
        let name = |it: &PathBuf| {
            it.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let folders = inside.folders.iter().filter(is_here);
        let folders = folders.map(|it| Entry { name: name(it), bytes: 0, is_folder: true });
        let files = inside.names.iter().filter(|(it, _)| is_here(it)).map(|(it, file)| Entry {
            name: name(it),
            bytes: inside.contents.get(file).map_or(0, Content::len),
            is_folder: false,
        });
        let mut entries: Vec<Entry> = folders.chain(files).collect();
        entries.sort();
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inside = lock(&self.0);
        inside.folder_of(to)?;
        if !inside.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        inside.change()?;
        if let Some(file) = inside.names.remove(from) {
            inside.names.insert(to.to_owned(), file);
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inside = lock(&self.0);
        if !inside.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        inside.change()?;
        inside.names.remove(path);
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut inside = lock(&self.0);
        inside.change()?;
        if !inside.folders.contains(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let is_here = |it: &Path| it.parent() == Some(path);
        let now: Vec<_> = inside
            .names
            .iter()
            .filter(|(it, _)| is_here(it))
            .map(|(it, file)| (it.clone(), *file))
            .collect();
        inside.certain_names.retain(|it, _| !is_here(it));
        inside.certain_names.extend(now);
        let folders: Vec<_> = inside.folders.iter().filter(|it| is_here(it)).cloned().collect();
        inside.certain_folders.extend(folders);
        Ok(())
    }

    fn space(&self, _path: &Path) -> io::Result<Space> {
        Ok(lock(&self.0).space)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let mut inside = lock(&self.0);
        inside.readable()?;
        if !inside.taken.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let life = inside.life;
        Ok(Box::new(Taken { disk: Arc::clone(&self.0), path: path.to_owned(), life }))
    }

    fn exists(&self, path: &Path) -> bool {
        let inside = lock(&self.0);
        inside.names.contains_key(path) || inside.folders.contains(path)
    }
}

struct Taken {
    disk: Arc<Mutex<Inside>>,
    path: PathBuf,
    life: u64,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut inside = lock(&self.disk);
        if inside.life == self.life {
            inside.taken.remove(&self.path);
        }
    }
}
