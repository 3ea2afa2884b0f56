//! What a configuration only refers to: certificates, keys, passwords, tokens. They are fetched when
//! a site is checked, again when it is applied, and are part of no generation.
//!
//! Promises: nothing here prints or keeps more of a secret than its users need.
//! Not here: what they are for (`hilum_listeners`, `hilum_destinations`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use hilum_destinations::Secrets;
use hilum_env::Disk;
use hilum_words::config::{SECRET_BYTES_MAX, SecretSource};
use hilum_words::{Digest, Name, Problem, Problems};

use crate::site::{DestinationSite, ListenerPlan};

/// The longest file of certificates.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where systemd's `LoadCredential=` puts its files.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Everything that a site refers to, in hand.
#[derive(Clone, Default)]
pub(crate) struct Materials {
    pub(crate) listeners: BTreeMap<Name, hilum_listeners::Materials>,
    pub(crate) destinations: BTreeMap<Name, Fetched>,
}

/// What a destination needs.
#[derive(Clone, Default)]
pub(crate) struct Fetched {
    pub(crate) secrets: Secrets,
    /// Stands for all that was read for it: another one means that it has to be made again.
    pub(crate) print: Option<Digest>,
}

/// Fetches what these listeners and destinations refer to. What cannot be had is a problem. Blocks.
pub(crate) fn fetch(
    listeners: &[ListenerPlan],
    destinations: &[DestinationSite],
    disk: &dyn Disk,
    folder: &Path,
) -> Result<Materials, Vec<Problem>> {
    let problems = Problems::default();
    let mut all = Materials::default();
    for plan in listeners {
        let machine = Machine::new(disk, folder);
        let materials = plan.config.materials(&machine, &problems);
        all.listeners.insert(plan.name.clone(), materials.unwrap_or_default());
    }
    for destination in destinations {
        let machine = Machine::new(disk, folder);
        let secrets = destination.config.secrets(&machine, &problems).unwrap_or_default();
        let fetched = Fetched { secrets, print: Some(machine.print()) };
        all.destinations.insert(destination.name.clone(), fetched);
    }
    let problems = problems.into_sorted();
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

/// The machine that the gateway runs on.
struct Machine<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    /// The digests of what was read.
    read: RefCell<Vec<u8>>,
}

impl<'a> Machine<'a> {
    fn new(disk: &'a dyn Disk, folder: &'a Path) -> Self {
        Self { disk, folder, read: RefCell::default() }
    }

    fn print(&self) -> Digest {
        Digest::of(&self.read.borrow())
    }

    fn note(&self, content: &[u8]) {
        self.read.borrow_mut().extend_from_slice(Digest::of(content).bytes());
    }
}

impl SecretSource for Machine<'_> {
    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        // A relative path is relative to the configuration; `join` leaves others as they are.
        let content = self.disk.read(&self.folder.join(path), FILE_BYTES_MAX)?;
        self.note(&content);
        Ok(content)
    }

    fn env(&self, name: &str) -> Option<String> {
        let value = std::env::var(name).ok()?;
        self.note(value.as_bytes());
        Some(value)
    }

    fn credential(&self, name: &str) -> io::Result<Vec<u8>> {
        let folder = std::env::var_os(CREDENTIALS).ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, "the environment has no $CREDENTIALS_DIRECTORY")
        })?;
        let bound = SECRET_BYTES_MAX as u64 + 1;
        let content = self.disk.read(&PathBuf::from(folder).join(name), bound)?;
        self.note(&content);
        Ok(content)
    }
}
