//! A configuration as such, for those who show or describe it: `hilum config`.

use std::io;
use std::path::Path;

use hilum_env::Doors;
use hilum_sandbox::{Sandbox, SandboxError};
use hilum_words::Problems;
use hilum_words::config::{Document, Overrides};

use crate::Checked;
use crate::files::{Files, FolderFiles};
use crate::shelf::Shelf;
use crate::site;

/// The configuration at `path` as one document: the file, those in `conf.d` beside it, and the
/// overrides of the environment. What is wrong with them as files is noted; what the sections say
/// is not looked at.
pub fn read_document(path: &Path, doors: &Doors, problems: &Problems) -> Document {
    let (folder, root) = Checked::split(path);
    let files = FolderFiles::new(doors.disk.as_ref(), &folder, site::document::environment());
    site::document::read(&files, &root.unwrap_or_default(), problems)
}

/// Everything that reads a part of a configuration, without the files that it names: these are
/// missing, and nothing is compiled.
pub struct Readers {
    shelf: Shelf,
}

impl Readers {
    /// All of them.
    pub fn new(doors: &Doors) -> Result<Self, SandboxError> {
        Ok(Self { shelf: Shelf::new(Sandbox::new(doors)?) })
    }

    /// Lets them read `document`. What they ask for is in `problems`, if it is
    /// [`Problems::recording`]; so are the files that are missing.
    pub fn read(&self, document: &Document, folder: &Path, problems: &Problems) {
        let _ = site::resolve(&NoFiles, document.root(problems), folder, &self.shelf);
    }
}

/// No file at all.
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn list(&self, _: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn overrides(&self) -> io::Result<Overrides> {
        Ok(Overrides::default())
    }
}
