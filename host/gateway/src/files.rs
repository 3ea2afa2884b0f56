//! The files of a site: from its folder, or from the blobs of a generation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hilum_env::Disk;
use hilum_store::Store;
use hilum_words::Digest;
use hilum_words::config::Overrides;

/// The largest file of a site that is read: configuration, table or plugin.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// Where a site's files come from. Names are as the configuration writes them.
pub trait Files {
    /// The content of a file of at most [`FILE_BYTES_MAX`] bytes.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// The names of the files in a folder, sorted, each with its folder; none if there is no such
    /// folder.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    /// What the environment puts over the configuration.
    fn overrides(&self) -> io::Result<Overrides>;
}

/// Stands for the overrides of the environment among the files of a generation.
pub(crate) const ENVIRONMENT: &str = ":environment";

/// A site's folder. Remembers what was read, since that is what a generation consists of.
pub struct FolderFiles<'a> {
    disk: &'a dyn Disk,
    folder: PathBuf,
    overrides: Overrides,
    seen: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl<'a> FolderFiles<'a> {
    /// The files below `folder`, and what the environment puts over them.
    pub fn new(disk: &'a dyn Disk, folder: &Path, overrides: Overrides) -> Self {
        Self { disk, folder: folder.to_owned(), overrides, seen: Mutex::default() }
    }

    fn note(&self, name: &str, content: Vec<u8>) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), content);
    }

    /// Everything that was read, by name.
    pub fn into_seen(self) -> BTreeMap<String, Vec<u8>> {
        self.seen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for FolderFiles<'_> {
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let content = self.disk.read(&self.folder.join(name), FILE_BYTES_MAX)?;
        self.note(name, content.clone());
        Ok(content)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let path = self.folder.join(folder);
        if !self.disk.exists(&path) {
            return Ok(Vec::new());
        }
        let entries = self.disk.list(&path)?;
        Ok(entries.into_iter().map(|it| format!("{folder}/{}", it.name)).collect())
    }

    fn overrides(&self) -> io::Result<Overrides> {
        if !self.overrides.is_empty() {
            self.note(ENVIRONMENT, self.overrides.to_text().into_bytes());
        }
        Ok(self.overrides.clone())
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

    /// Each file's name and digest.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Digest)> {
        self.files.iter().map(|(name, digest)| (name.as_str(), *digest))
    }

    /// Whether this file is the configuration or a part of it.
    pub fn is_configuration(&self, name: &str) -> bool {
        let is_part = name.starts_with("conf.d/") && name.ends_with(".toml");
        is_part || self.root() == Some(name)
    }

    /// The digest that names the generation.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_text().as_bytes())
    }

    /// The name of the configuration.
    pub fn root(&self) -> Option<&str> {
        self.files.first().map(|(name, _)| name.as_str())
    }

    pub(crate) fn find(&self, name: &str) -> Option<Digest> {
        self.files.iter().find(|(it, _)| it == name).map(|(_, digest)| *digest)
    }
}

/// Files that were read before.
impl Files for BTreeMap<String, Vec<u8>> {
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let is_inside =
            |it: &&String| it.strip_prefix(folder).is_some_and(|it| it.starts_with('/'));
        Ok(self.keys().filter(is_inside).cloned().collect())
    }

    fn overrides(&self) -> io::Result<Overrides> {
        let Some(content) = self.get(ENVIRONMENT) else { return Ok(Overrides::default()) };
        let text = std::str::from_utf8(content).map_err(io::Error::other)?;
        Overrides::parse(text).ok_or_else(|| io::ErrorKind::InvalidData.into())
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
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The list of the files, without them.
    pub fn into_inventory(self) -> Inventory {
        self.inventory
    }
}

impl Files for BlobFiles<'_> {
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let digest = self.inventory.find(name).ok_or(io::ErrorKind::NotFound)?;
        self.store.blob(digest).map(Into::into).map_err(io::Error::other)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let names = self.inventory.files.iter().map(|(name, _)| name);
        let inside =
            names.filter(|it| it.strip_prefix(folder).is_some_and(|it| it.starts_with('/')));
        Ok(inside.cloned().collect())
    }

    fn overrides(&self) -> io::Result<Overrides> {
        if self.inventory.find(ENVIRONMENT).is_none() {
            return Ok(Overrides::default());
        }
        let text = String::from_utf8(self.read(ENVIRONMENT)?).map_err(io::Error::other)?;
        Overrides::parse(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
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
