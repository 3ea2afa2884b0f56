//! The generations that the journal knows.

use hilum_store::GenerationRecord;
use hilum_words::Digest;
use hilum_words::config::{redacted, redacted_value};

use crate::apply::GENERATIONS_MAX;
use crate::changes::Changes;
use crate::files::{BlobFiles, ENVIRONMENT, Files as _};
use crate::outline::Outline;
use crate::{ApplyError, Gateway};

/// How many digits of its digest name a generation.
const DIGITS_MIN: usize = 6;

/// One generation, as far as its stored files say.
#[derive(Clone, Debug)]
pub struct GenerationShown {
    /// What the journal says: the last time that it took over.
    pub record: GenerationRecord,
    /// Its files with their digests; the configuration comes first. None if they are lost.
    pub files: Option<Vec<(String, Digest)>>,
    /// The text of its configuration, by file; the environment's overrides are one.
    pub configuration: Vec<(String, String)>,
    /// Its plugins: name in the configuration, package, digest, what it asks for.
    pub plugins: Vec<(String, String, Digest, Vec<String>)>,
    /// Whether it runs now.
    pub is_current: bool,
}

impl Gateway {
    /// At most `limit` of the generations that took over, newest first. The first one runs.
    pub fn generations(&self, limit: usize) -> Vec<GenerationRecord> {
        self.plant.store.generations(limit)
    }

    /// The generation that a person means: `current`, `before`, a digest or the beginning of one
    /// (six digits or more).
    pub fn find_generation(&self, name: &str) -> Result<Digest, ApplyError> {
        let current = self.running().generation.digest;
        let all = self.plant.store.generations(GENERATIONS_MAX);
        let missing = || ApplyError::NoGeneration(name.to_owned());
        match name {
            "current" => return Ok(current),
            "before" => {
                let before = all.iter().find(|it| it.digest != current);
                return before.map(|it| it.digest).ok_or(ApplyError::NothingBefore);
            }
            _ => {}
        }
        let digits = name.strip_prefix("sha256:").unwrap_or(name).to_ascii_lowercase();
        if !digits.bytes().all(|it| it.is_ascii_hexdigit()) {
            return Err(missing());
        }
        if digits.len() < DIGITS_MIN {
            return Err(ApplyError::TooShort(name.to_owned()));
        }
        let fits = all.iter().map(|it| it.digest).filter(|it| it.hex().starts_with(&digits));
        let mut fits: Vec<_> = fits.collect();
        fits.sort();
        fits.dedup();
        match fits.as_slice() {
            [one] => Ok(*one),
            [] => Err(missing()),
            _ => Err(ApplyError::Ambiguous(name.to_owned())),
        }
    }

    /// What a generation consists of. Blocks.
    pub fn show_generation(&self, digest: Digest) -> Result<GenerationShown, ApplyError> {
        let store = &self.plant.store;
        let record = store.generations(GENERATIONS_MAX).into_iter().find(|it| it.digest == digest);
        let record = record.ok_or_else(|| ApplyError::NoGeneration(digest.to_string()))?;
        let is_current = self.running().generation.digest == digest;
        let Some(files) = BlobFiles::open(store, digest) else {
            let (configuration, plugins) = (Vec::new(), Vec::new());
            return Ok(GenerationShown { record, files: None, configuration, plugins, is_current });
        };
        let inventory = files.inventory();
        let text = |name: &str| {
            let content = files.read(name).unwrap_or_default();
            let text = String::from_utf8_lossy(&content).into_owned();
            let shown =
                if name == ENVIRONMENT { redacted_overrides(&text) } else { redacted(&text) };
            (name.to_owned(), shown)
        };
        let names = inventory.entries().map(|(name, _)| name);
        let is_text = |it: &&str| inventory.is_configuration(it) || *it == ENVIRONMENT;
        let configuration = names.filter(is_text).map(text).collect();
        let outline = Outline::read(inventory, &files);
        let plugins = outline.plugins.into_iter().map(|(name, it)| {
            let title = format!("{} {}", it.title, it.version);
            (name, title, it.digest, it.asks.into_iter().collect())
        });
        Ok(GenerationShown {
            files: Some(inventory.entries().map(|(name, it)| (name.to_owned(), it)).collect()),
            configuration,
            plugins: plugins.collect(),
            record,
            is_current,
        })
    }

    /// What is different in `new`. Blocks.
    pub fn compare(&self, old: Digest, new: Digest) -> Result<Changes, ApplyError> {
        let outline = |digest: Digest| {
            let files = BlobFiles::open(&self.plant.store, digest);
            let files = files.ok_or_else(|| ApplyError::NoGeneration(digest.to_string()))?;
            Ok::<_, ApplyError>(Outline::read(files.inventory(), &files))
        };
        Ok(Changes::between(&outline(old)?, &outline(new)?))
    }

    /// Whether the site's folder holds something else than what runs: a restart would start with
    /// that. Blocks.
    pub fn folder_differs(&self) -> bool {
        let running = self.running();
        self.home.differs(&running.inventory, &self.plant.doors)
    }
}

/// Overrides without what sounds like a secret.
fn redacted_overrides(text: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        Some((name, value)) => format!("{name}={}\n", redacted_value(name, value)),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}
