//! What runs: a site and its generation; and the place that they were read from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hilum_env::Doors;
use hilum_pipeline::Generation;
use hilum_store::Store;
use hilum_words::{Digest, Problem, Timestamp};

use crate::Checked;
use crate::files::{BlobFiles, FolderFiles, Inventory};
use crate::shelf::Shelf;
use crate::site::{self, Site};

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
}

/// A site that runs.
pub(crate) struct Running {
    pub(crate) site: Site,
    pub(crate) generation: Arc<Generation>,
    pub(crate) inventory: Inventory,
    /// Since when.
    pub(crate) since: Timestamp,
}

impl Home {
    /// Reads and checks the site's folder. Blocks: it compiles plugins.
    pub(crate) fn check(&self, doors: &Doors) -> Result<Checked, Vec<Problem>> {
        let files = FolderFiles::new(doors.disk.as_ref(), &self.folder);
        let read = site::read(&files, &self.root, &self.folder, &self.shelf);
        let files = files.into_seen();
        let (site, parts) = read?;
        let inventory = Inventory::of(&self.root, &files);
        let generation = Arc::new(parts.named(inventory.digest()));
        let data = self.folder.join(&site.data);
        Ok(Checked { site, generation, data, files, inventory, home: self.clone() })
    }

    /// Reads and checks a stored generation as if it were the folder. Blocks.
    pub(crate) fn check_stored(
        &self,
        digest: Digest,
        store: &Store,
    ) -> Result<Checked, Vec<Problem>> {
        let whole = |text: &str| {
            let file = Arc::from(format!("generation {}", digest.short()));
            let place = hilum_words::Place { file, line: 0 };
            vec![Problem { place, key: String::new(), text: text.to_owned() }]
        };
        let files = BlobFiles::open(store, digest);
        let files = files.ok_or_else(|| whole("is not among the stored ones"))?;
        let root = files.root().ok_or_else(|| whole("has no configuration"))?;
        let (site, parts) = site::read(&files, &root, &self.folder, &self.shelf)?;
        let generation = Arc::new(parts.named(digest));
        let data = self.folder.join(&site.data);
        let inventory = files.into_inventory();
        let files = std::collections::BTreeMap::new();
        Ok(Checked { site, generation, data, files, inventory, home: self.clone() })
    }

    /// Loads a stored generation for the runs that are pinned to it. Blocks.
    pub(crate) fn load(&self, digest: Digest, store: &Store) -> Result<Arc<Generation>, String> {
        let checked = self.check_stored(digest, store).map_err(|problems| {
            let all: Vec<_> = problems.iter().map(ToString::to_string).collect();
            all.join("; ")
        })?;
        Ok(checked.generation)
    }
}

impl Checked {
    /// The place, and what runs there from now on.
    pub(crate) fn settle(self, since: Timestamp) -> (Home, Running) {
        let Self { site, generation, data, inventory, home, .. } = self;
        (Home { data, ..home }, Running { site, generation, inventory, since })
    }

    /// The site's folder and the name of the configuration in it.
    pub(crate) fn split(path: &Path) -> (PathBuf, Option<String>) {
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        let root = path.file_name().and_then(|it| it.to_str()).map(str::to_owned);
        (folder.unwrap_or(Path::new(".")).to_owned(), root)
    }
}
