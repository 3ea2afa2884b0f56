//! A whole gateway: configuration checked, wired, started, stopped.
//!
//! [`check`] reads a site and says everything that is wrong with it. [`Gateway::start`] makes it
//! run: journal, workers, couriers, listeners. What tests, benches and the binary start is this.
//!
//! Promises: nothing starts while a problem is left; undecided runs finish on the generation that
//! accepted them; stopping loses nothing.
//! Not here: the operator's API (`hilum_admin`), what a command prints (`hilum`).

mod apply;
mod changes;
mod configuration;
mod dispatch;
mod files;
mod gate;
mod listeners;
mod materials;
mod metrics;
mod operate;
mod orphans;
mod outline;
mod plant;
mod running;
mod shelf;
mod site;
mod start;
mod status;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hilum_env::Doors;
use hilum_pipeline::Generation;
use hilum_sandbox::Sandbox;
use hilum_words::{Place, Problem};

use running::Home;
use shelf::Shelf;

pub use apply::{Applied, ApplyError, Source, Wanted};
pub use changes::{Changes, FileChange, How, KeyChange, PluginChange, SectionChange};
pub use configuration::{Readers, read_document};
pub use files::{BlobFiles, FILE_BYTES_MAX, Files, FolderFiles, Inventory};
pub use operate::{ActionError, GenerationShown};
pub use site::{DestinationSite, ListenerPlan, PluginSite, Site};
pub use start::{CataloguePlace, Gateway, ListenError, StartError};
pub use status::{Component, DestinationStatus, ListenerStatus, PluginStatus, RouteStatus, Status};

/// A site that has been read and checked: nothing in it can be wrong any more.
pub struct Checked {
    /// The site.
    pub site: Site,
    /// Its configuration, plugins and policy under the digest of all its files.
    pub generation: Arc<Generation>,
    /// The data folder.
    pub data: PathBuf,
    /// All files of the generation, by name, with their list. Without files, they are among the
    /// blobs already.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) inventory: Inventory,
    pub(crate) outline: outline::Outline,
    /// What the configuration only refers to; none until it was fetched.
    pub(crate) materials: Option<materials::Materials>,
    pub(crate) home: Home,
}

/// Reads the site whose configuration is at `path`, and everything that it names or refers to.
pub fn check(path: &Path, doors: &Doors) -> Result<Checked, Vec<Problem>> {
    let home = home_of(path, doors)?;
    home.with_materials(home.check(doors), doors)
}

/// The same without what the configuration only refers to: certificates, keys and passwords, which
/// a developer's desk does not have.
pub fn check_mapping(path: &Path, doors: &Doors) -> Result<Checked, Vec<Problem>> {
    home_of(path, doors)?.check(doors).map_err(|wrong| wrong.problems)
}

/// The place of a site that nobody has read yet.
fn home_of(path: &Path, doors: &Doors) -> Result<Home, Vec<Problem>> {
    let whole = |text: String| {
        let file = Arc::from(path.to_string_lossy().into_owned());
        vec![Problem { place: Place { file, line: 0 }, key: String::new(), text }]
    };
    let (folder, root) = Checked::split(path);
    let root = root.ok_or_else(|| whole("is no file".to_owned()))?;
    let sandbox = Sandbox::new(doors).map_err(|fault| whole(fault.to_string()))?;
    let shelf = Arc::new(Shelf::new(sandbox));
    // Where the data folder is says the configuration.
    let overrides = site::document::environment();
    Ok(Home { data: folder.clone(), folder, root, shelf, overrides })
}

#[cfg(test)]
mod tests;
