//! A whole gateway: configuration checked, wired, started, stopped.
//!
//! [`check`] reads a site and says everything that is wrong with it. [`Gateway::start`] makes it
//! run: journal, workers, couriers, listeners. What tests, benches and the binary start is this.
//!
//! Promises: nothing starts while a problem is left; undecided runs finish on the generation that
//! accepted them; stopping loses nothing.
//! Not here: the operator's API (`hilum_admin`), what a command prints (`hilum`).

mod dispatch;
mod files;
mod operate;
mod orphans;
mod site;
mod start;
mod status;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hilum_env::Doors;
use hilum_pipeline::Generation;
use hilum_sandbox::Sandbox;
use hilum_words::{Place, Problem};

pub use files::{BlobFiles, FILE_BYTES_MAX, Files, FolderFiles, Inventory};
pub use operate::ActionError;
pub use site::{DestinationSite, ListenerPlan, PluginSite, Site};
pub use start::{Gateway, StartError};
pub use status::{Component, DestinationStatus, ListenerStatus, PluginStatus, RouteStatus, Status};

/// A site that has been read and checked: nothing in it can be wrong any more.
pub struct Checked {
    /// The site.
    pub site: Site,
    /// Its configuration, plugins and policy under the digest of all its files.
    pub generation: Arc<Generation>,
    /// The data folder.
    pub data: PathBuf,
    /// The compiled plugins' engine.
    pub(crate) sandbox: Sandbox,
    /// All files of the generation, by name, with their list.
    pub(crate) files: std::collections::BTreeMap<String, Vec<u8>>,
    pub(crate) inventory: Inventory,
    pub(crate) folder: PathBuf,
}

/// Reads the site whose configuration is at `path`, and everything that it names.
pub fn check(path: &Path, doors: &Doors) -> Result<Checked, Vec<Problem>> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = path.to_string_lossy().into_owned();
    let whole = |text: String| {
        vec![Problem {
            place: Place { file: Arc::from(shown.as_str()), line: 0 },
            key: String::new(),
            text,
        }]
    };
    let root = path.file_name().and_then(|it| it.to_str());
    let root = root.ok_or_else(|| whole("is no file".to_owned()))?;
    let sandbox = Sandbox::new(doors).map_err(|fault| whole(fault.to_string()))?;
    let files = FolderFiles::new(doors.disk.as_ref(), folder);
    let read = site::read(&files, root, folder, &sandbox);
    let files = files.into_seen();
    let (site, parts) = read?;
    let inventory = Inventory::of(root, &files);
    let generation = Arc::new(parts.named(inventory.digest()));
    let data = folder.join(&site.data);
    Ok(Checked { site, generation, data, sandbox, files, inventory, folder: folder.to_owned() })
}
