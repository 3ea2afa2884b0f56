//! What runs: a site and its generation; and the place that they were read from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hilum_env::Doors;
use hilum_pipeline::Generation;
use hilum_store::Store;
use hilum_words::config::Overrides;
use hilum_words::{Digest, Name, Problem, Timestamp};

use crate::Checked;
use crate::files::{BlobFiles, ENVIRONMENT, Files, FolderFiles, Inventory};
use crate::materials::{self, Fetched, Materials};
use crate::outline::Outline;
use crate::shelf::Shelf;
use crate::site::{self, Site, Wrong};

/// Where a gateway lives: nothing of it changes while it runs.
#[derive(Clone)]
pub(crate) struct Home {
    /// The site's folder.
    pub(crate) folder: PathBuf,
    /// The name of the configuration in it.
    pub(crate) root: String,
    /// The data folder.
    pub(crate) data: PathBuf,
    pub(crate) shelf: Arc<Shelf>,
    /// What the environment puts over the configuration.
    pub(crate) overrides: Overrides,
}

/// A site that runs.
pub(crate) struct Running {
    pub(crate) site: Site,
    pub(crate) generation: Arc<Generation>,
    pub(crate) inventory: Inventory,
    pub(crate) outline: Outline,
    pub(crate) materials: Materials,
    /// Since when.
    pub(crate) since: Timestamp,
}

impl Running {
    /// What a destination needs beside its configuration.
    pub(crate) fn fetched(&self, destination: &Name) -> Fetched {
        self.materials.destinations.get(destination).cloned().unwrap_or_default()
    }

    /// Whether a destination of this name is made of the same here and in `next`. Where it is
    /// written does not matter.
    pub(crate) fn has_same_destination(&self, name: &Name, next: &Self) -> bool {
        let written = |of: &Self| {
            let sections = &of.outline.sections;
            let own = sections.get(&format!("destination.{name}")).cloned();
            (own, sections.get("environment").cloned())
        };
        let print = |of: &Self| of.materials.destinations.get(name).and_then(|it| it.print);
        written(self) == written(next) && print(self) == print(next)
    }
}

impl Home {
    /// Reads and checks the site's folder. Blocks: it compiles plugins.
    pub(crate) fn check(&self, doors: &Doors) -> Result<Checked, Wrong> {
        let files = FolderFiles::new(doors.disk.as_ref(), &self.folder, self.overrides.clone());
        let read = site::read(&files, &self.root, &self.folder, &self.shelf);
        let files = files.into_seen();
        let (site, parts) = read?;
        let inventory = Inventory::of(&self.root, &files);
        let generation = Arc::new(parts.named(inventory.digest()));
        let data = self.folder.join(&site.data);
        let outline = Outline::of(&inventory, &files, &site.plugins);
        let (home, materials) = (self.clone(), None);
        Ok(Checked { site, generation, data, files, inventory, outline, materials, home })
    }

    /// Reads and checks a stored generation as if it were the folder. Blocks.
    pub(crate) fn check_stored(&self, digest: Digest, store: &Store) -> Result<Checked, Wrong> {
        let whole = |text: &str| {
            let file = Arc::from(format!("generation {}", digest.short()));
            let place = hilum_words::Place { file, line: 0 };
            let problem = Problem { place, key: String::new(), text: text.to_owned() };
            Wrong { problems: vec![problem], ..Wrong::default() }
        };
        let files = BlobFiles::open(store, digest);
        let files = files.ok_or_else(|| whole("is not among the stored ones"))?;
        let root = files.root().ok_or_else(|| whole("has no configuration"))?;
        let (site, parts) = site::read(&files, &root, &self.folder, &self.shelf)?;
        let generation = Arc::new(parts.named(digest));
        let data = self.folder.join(&site.data);
        let outline = Outline::of(files.inventory(), &files, &site.plugins);
        let inventory = files.into_inventory();
        let files = std::collections::BTreeMap::new();
        let (home, materials) = (self.clone(), None);
        Ok(Checked { site, generation, data, files, inventory, outline, materials, home })
    }

    /// What was checked, with what it refers to. Where it has problems, what could be read of it is
    /// looked after all the same: the operator sees all problems at once. Blocks.
    pub(crate) fn with_materials(
        &self,
        checked: Result<Checked, Wrong>,
        doors: &Doors,
    ) -> Result<Checked, Vec<Problem>> {
        let Wrong { mut problems, listeners, destinations } = match checked {
            Ok(checked) => return checked.fetch(doors),
            Err(wrong) => wrong,
        };
        let fetched =
            materials::fetch(&listeners, &destinations, doors.disk.as_ref(), &self.folder);
        problems.extend(fetched.err().unwrap_or_default());
        problems.sort();
        problems.dedup();
        Err(problems)
    }

    /// The configuration's file, whatever the working directory of who asks.
    pub(crate) fn configuration(&self) -> PathBuf {
        let path = self.folder.join(&self.root);
        std::path::absolute(&path).unwrap_or(path)
    }

    /// Whether the site's folder holds other files than these. Blocks.
    pub(crate) fn differs(&self, inventory: &Inventory, doors: &Doors) -> bool {
        let files = FolderFiles::new(doors.disk.as_ref(), &self.folder, self.overrides.clone());
        let Ok(document) = site::document::names(&files, &self.root) else { return true };
        let here = inventory.entries().filter(|(name, _)| *name != ENVIRONMENT);
        let environment = inventory.entries().find(|(name, _)| *name == ENVIRONMENT);
        let overrides =
            (!self.overrides.is_empty()).then(|| Digest::of(self.overrides.to_text().as_bytes()));
        overrides != environment.map(|(_, digest)| digest)
            || !document.iter().all(|name| inventory.find(name).is_some())
            || here.into_iter().any(|(name, digest)| {
                files.read(name).map_or(true, |content| Digest::of(&content) != digest)
            })
    }

    /// Loads a stored generation for the runs that are pinned to it. Blocks.
    pub(crate) fn load(&self, digest: Digest, store: &Store) -> Result<Arc<Generation>, String> {
        let checked = self.check_stored(digest, store).map_err(|wrong| {
            let all: Vec<_> = wrong.problems.iter().map(ToString::to_string).collect();
            all.join("; ")
        })?;
        Ok(checked.generation)
    }
}

impl Checked {
    /// The place, and what runs there from now on.
    pub(crate) fn settle(self, since: Timestamp) -> (Home, Running) {
        let Self { site, generation, data, inventory, outline, materials, home, .. } = self;
        let materials = materials.unwrap_or_default();
        let running = Running { site, generation, inventory, outline, materials, since };
        (Home { data, ..home }, running)
    }

    /// Fetches what the configuration only refers to: certificates, keys, passwords. Blocks.
    fn fetch(mut self, doors: &Doors) -> Result<Self, Vec<Problem>> {
        let Site { listeners, destinations, .. } = &self.site;
        let (disk, folder) = (doors.disk.as_ref(), &self.home.folder);
        self.materials = Some(materials::fetch(listeners, destinations, disk, folder)?);
        Ok(self)
    }

    /// The site's folder and the name of the configuration in it.
    pub(crate) fn split(path: &Path) -> (PathBuf, Option<String>) {
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        let root = path.file_name().and_then(|it| it.to_str()).map(str::to_owned);
        (folder.unwrap_or(Path::new(".")).to_owned(), root)
    }
}
