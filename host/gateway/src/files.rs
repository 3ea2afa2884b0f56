//! The files of a site: from its folder, or from the blobs of a generation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hilum_env::Disk;
use hilum_store::Store;
use hilum_words::Digest;

/// The largest file of a site that is read: configuration, table or plugin.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// Where a site's files come from. Names are as the configuration writes them.
pub trait Files {
    /// The content of a file of at most [`FILE_BYTES_MAX`] bytes.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
}

/// A site's folder. Remembers what was read, since that is what a generation consists of.
pub struct FolderFiles<'a> {
    disk: &'a dyn Disk,
    folder: PathBuf,
    seen: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl<'a> FolderFiles<'a> {
    /// The files below `folder`.
    pub fn new(disk: &'a dyn Disk, folder: &Path) -> Self {
        Self { disk, folder: folder.to_owned(), seen: Mutex::default() }
    }

    /// Everything that was read, by name.
    pub fn into_seen(self) -> BTreeMap<String, Vec<u8>> {
        self.seen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for FolderFiles<'_> {
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let content = self.disk.read(&self.folder.join(name), FILE_BYTES_MAX)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(name.to_owned(), content.clone());
        Ok(content)
    }
}

/// A generation's list of files, as it is stored among the blobs:
///
/// ```text
/// hilum generation 1
/// <64 hexadecimal digits> <name>
/// …
/// ```
///
/// The first file is the configuration. The digest of this text names the generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    files: Vec<(String, Digest)>,
}

const INVENTORY_HEAD: &str = "hilum generation 1";

impl Inventory {
    /// The list of these files; `root` is the configuration.
    pub fn of(root: &str, files: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut list: Vec<_> =
            files.iter().map(|(name, content)| (name.clone(), Digest::of(content))).collect();
        list.sort_by_key(|(name, _)| (name != root, name.clone()));
        Self { files: list }
    }

    /// The list as it is stored.
    pub fn to_text(&self) -> String {
        let mut text = format!("{INVENTORY_HEAD}\n");
        for (name, digest) in &self.files {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} {name}", digest.hex());
        }
        text
    }

    /// Reads a stored list; none if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next() != Some(INVENTORY_HEAD) {
            return None;
        }
        let entry = |line: &str| {
            let (hex, name) = line.split_once(' ')?;
            Some((name.to_owned(), hex.parse().ok()?))
        };
        Some(Self { files: lines.map(entry).collect::<Option<_>>()? })
    }

    /// The digest that names the generation.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_text().as_bytes())
    }

    /// The name of the configuration.
    pub fn root(&self) -> Option<&str> {
        self.files.first().map(|(name, _)| name.as_str())
    }

    fn find(&self, name: &str) -> Option<Digest> {
        self.files.iter().find(|(it, _)| it == name).map(|(_, digest)| *digest)
    }
}

/// The files of an older generation, from the blobs.
pub struct BlobFiles<'a> {
    store: &'a Store,
    inventory: Inventory,
}

impl<'a> BlobFiles<'a> {
    /// The generation named by `digest`; none if its list is not among the blobs.
    pub fn open(store: &'a Store, digest: Digest) -> Option<Self> {
        let text = store.blob(digest).ok()?;
        let inventory = Inventory::parse(std::str::from_utf8(&text).ok()?)?;
        Some(Self { store, inventory })
    }

    /// The name of the configuration.
    pub fn root(&self) -> Option<String> {
        self.inventory.root().map(str::to_owned)
    }

    /// The list of the files.
    pub fn into_inventory(self) -> Inventory {
        self.inventory
    }
}

impl Files for BlobFiles<'_> {
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let digest = self.inventory.find(name).ok_or(io::ErrorKind::NotFound)?;
        self.store.blob(digest).map(Into::into).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_reads_back_with_the_configuration_first() {
        let files = BTreeMap::from([
            ("a.csv".to_owned(), b"1".to_vec()),
            ("hilum.toml".to_owned(), b"2".to_vec()),
            ("plugins/with space.wasm".to_owned(), b"3".to_vec()),
        ]);
        let inventory = Inventory::of("hilum.toml", &files);
        assert_eq!(inventory.root(), Some("hilum.toml"));
        let again = Inventory::parse(&inventory.to_text()).expect("reads back");
        assert_eq!(again, inventory);
        assert_eq!(again.find("a.csv"), Some(Digest::of(b"1")));
    }

    #[test]
    fn another_file_makes_another_generation() {
        let files = |content: &[u8]| BTreeMap::from([("hilum.toml".to_owned(), content.to_vec())]);
        let one = Inventory::of("hilum.toml", &files(b"a = 1")).digest();
        let two = Inventory::of("hilum.toml", &files(b"a = 2")).digest();
        assert_ne!(one, two);
    }

    #[test]
    fn what_is_no_inventory_is_none() {
        assert!(Inventory::parse("hilum generation 2\n").is_none());
        assert!(Inventory::parse("hilum generation 1\nshort name\n").is_none());
    }
}
