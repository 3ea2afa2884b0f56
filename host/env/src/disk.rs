use std::io;
use std::path::{Path, PathBuf};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// For reading; it must be there.
    Read,
    /// For reading and writing; it must be there.
    Write,
    /// For reading and writing; it must not be there.
    CreateNew,
    /// For reading and writing; made if it is not there, kept if it is.
    Create,
    /// For writing; emptied if it is there.
    Truncate,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name alone.
    pub name: String,
    /// Bytes in it, for a file.
    pub bytes: u64,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// How full a file system is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What an ordinary process may still write.
    pub free: u64,
    /// The whole file system.
    pub total: u64,
}

/// The door to files. All calls block; callers on an async thread use `Tasks::blocking`.
pub trait Disk: Send + Sync {
    /// Makes a folder and those above it; new folders have mode 0700.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Opens a file; new files have mode 0600.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Box<dyn DiskFile>>;
    /// The names in a folder, sorted.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;
    /// Renames within a file system; replaces what is there.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
    /// Space on the file system that holds `path`.
    fn space(&self, path: &Path) -> io::Result<Space>;
    /// Takes the folder for this process alone; held until the answer is dropped. `WouldBlock` if
    /// another process has it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>>;

    /// Whether something is at `path`.
    fn exists(&self, path: &Path) -> bool;

    /// The whole content of a file of at most `bytes_max` bytes; `FileTooLarge` if it is longer.
    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenMode::Read)?;
        let bytes = file.len()?;
        if bytes_max < bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut content = vec![0; usize::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge)?];
        file.read_exact_at(&mut content, 0)?;
        Ok(content)
    }

    /// Writes a file beside `path`, syncs it and renames it into place. The folder still has to be
    /// synced.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".part");
        let beside = PathBuf::from(beside);
        let file = self.open(&beside, OpenMode::Truncate)?;
        file.write_all_at(content, 0)?;
        file.sync_data()?;
        drop(file);
        self.rename(&beside, path)
    }
}

/// An open file. Positions are explicit, so one file serves many readers.
pub trait DiskFile: Send + Sync {
    /// Reads at `offset`; 0 at the end.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`. Not durable before [`sync_data`](Self::sync_data).
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes what was written durable (`fdatasync`).
    fn sync_data(&self) -> io::Result<()>;
    /// Bytes in the file.
    fn len(&self) -> io::Result<u64>;
    /// Cuts or extends the file.
    fn set_len(&self, bytes: u64) -> io::Result<()>;

    /// Whether the file is empty.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `bytes` from `offset`, or fails with `UnexpectedEof`.
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, offset + filled as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => filled += more,
            }
        }
        Ok(())
    }
}
