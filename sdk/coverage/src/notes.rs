//! What we say about rows: `corrections.toml`, `readings.toml`, `reasons.toml`. Keys with a text, or with
//! keys and texts below them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use toml::de::{DeTable, DeValue};

/// Texts by key; below a key that has a text alone, it is at the empty key.
pub type Notes = BTreeMap<String, BTreeMap<String, String>>;

/// Reads a file of them.
pub fn read(file: &Path) -> anyhow::Result<Notes> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    parse(&text).with_context(|| file.display().to_string())
}

/// Reads them.
pub fn parse(text: &str) -> anyhow::Result<Notes> {
    let table = DeTable::parse(text).context("no TOML")?;
    let mut notes = Notes::new();
    for (key, value) in table.get_ref() {
        let below = match value.get_ref() {
            DeValue::String(text) => BTreeMap::from([(String::new(), text.to_string())]),
            DeValue::Table(table) => {
                let mut below = BTreeMap::new();
                for (key, value) in table {
                    let DeValue::String(text) = value.get_ref() else {
                        bail!("a text is expected")
                    };
                    below.insert(key.get_ref().to_string(), text.to_string());
                }
                below
            }
            _ => bail!("{}: a text is expected", key.get_ref()),
        };
        notes.insert(key.get_ref().to_string(), below);
    }
    Ok(notes)
}
