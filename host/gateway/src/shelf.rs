//! Compiled plugins, kept for the next generation that names the same bytes.

use std::sync::{Arc, Mutex, PoisonError};

use hilum_sandbox::{LoadProblem, Package, Plugin, Sandbox};

/// How many are kept. A site with more compiles some of them again.
const KEPT_MAX: usize = 32;

/// The sandbox and what it compiled last. A change of a table, a rollback, an older generation:
/// none of them has to compile what runs already.
pub(crate) struct Shelf {
    sandbox: Sandbox,
    /// The one that was used last comes last.
    kept: Mutex<Vec<Arc<Plugin>>>,
}

impl Shelf {
    /// An empty one.
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        Self { sandbox, kept: Mutex::default() }
    }

    /// Where plugins are compiled.
    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The plugin of this package, compiled now or before. Blocks for as long as compiling takes.
    pub(crate) fn load(&self, package: &Package) -> Result<Arc<Plugin>, LoadProblem> {
        if let Some(plugin) = self.touch(package) {
            return Ok(plugin);
        }
        let plugin = Arc::new(self.sandbox.load(package)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_MAX {
            kept.remove(0);
        }
        kept.push(Arc::clone(&plugin));
        Ok(plugin)
    }

    fn touch(&self, package: &Package) -> Option<Arc<Plugin>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|it| it.digest() == package.digest)?;
        let plugin = kept.remove(at);
        kept.push(Arc::clone(&plugin));
        Some(plugin)
    }
}
