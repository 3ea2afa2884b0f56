//! What a configuration consists of, without what it means: for people who compare two of them.

use std::collections::{BTreeMap, BTreeSet};

use hilum_sandbox::Package;
use hilum_words::Digest;
use hilum_words::config::Overrides;
use toml::de::{DeTable, DeValue};

use crate::files::{ENVIRONMENT, FILE_BYTES_MAX, Files, Inventory};
use crate::site::PluginSite;

/// The sections of which a configuration has several, told apart by name.
const KINDS: [&str; 5] = ["listener", "plugin", "table", "destination", "route"];

/// Characters of a value that are shown.
const SHOWN_MAX: usize = 200;

/// The keys, files and plugins of one generation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    /// Keys by section, each with its value as the file spells it: to compare. What is told of them goes
    /// through [`Changes`](crate::Changes), without what sounds like a secret.
    pub(crate) sections: BTreeMap<String, BTreeMap<String, String>>,
    /// Every file but the configuration's own.
    pub(crate) files: BTreeMap<String, Digest>,
    /// Plugins by the name of the configuration.
    pub(crate) plugins: BTreeMap<String, PluginOutline>,
}

/// One plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PluginOutline {
    /// Its own name.
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) digest: Digest,
    /// What its manifest asks for.
    pub(crate) asks: BTreeSet<String>,
    /// The interfaces that it imports.
    pub(crate) imports: BTreeSet<String>,
}

impl Outline {
    /// The outline of the files in `inventory`. What cannot be read is left out: there is another
    /// place that says so.
    pub(crate) fn read(inventory: &Inventory, files: &dyn Files) -> Self {
        let mut outline = Self::without_plugins(inventory, files);
        outline.add_plugins(files);
        outline
    }

    /// The same of a site that has been checked: its plugins are known.
    pub(crate) fn of(inventory: &Inventory, files: &dyn Files, plugins: &[PluginSite]) -> Self {
        let known = plugins.iter().map(|it| (it.name.to_string(), it.outline.clone()));
        let plugins = known.collect();
        Self { plugins, ..Self::without_plugins(inventory, files) }
    }

    fn without_plugins(inventory: &Inventory, files: &dyn Files) -> Self {
        let mut outline = Self::default();
        for (name, digest) in inventory.entries() {
            if inventory.is_configuration(name) {
                let text = files.read(name).ok().and_then(|it| String::from_utf8(it).ok());
                outline.add_configuration(&text.unwrap_or_default());
            } else if name == ENVIRONMENT {
                let text = files.read(name).ok().and_then(|it| String::from_utf8(it).ok());
                outline.add_overrides(&text.unwrap_or_default());
            } else {
                outline.files.insert(name.to_owned(), digest);
            }
        }
        outline
    }

    fn add_configuration(&mut self, text: &str) {
        let (table, _) = DeTable::parse_recoverable(text);
        for (section, value) in table.get_ref() {
            let section = section.get_ref().as_ref();
            match value.get_ref() {
                DeValue::Table(named) if KINDS.contains(&section) => {
                    for (name, value) in named {
                        let keys = self
                            .sections
                            .entry(format!("{section}.{}", name.get_ref()))
                            .or_default();
                        flatten(text, "", value.get_ref(), value.span(), keys);
                    }
                }
                value_of => {
                    let keys = self.sections.entry(section.to_owned()).or_default();
                    flatten(text, "", value_of, value.span(), keys);
                }
            }
        }
    }

    fn add_overrides(&mut self, text: &str) {
        let overrides = Overrides::parse(text).unwrap_or_default();
        let keys = self.sections.entry("environment".to_owned()).or_default();
        for (name, value) in overrides.as_slice() {
            keys.insert(name.clone(), shown(value));
        }
    }

    fn add_plugins(&mut self, files: &dyn Files) {
        for (section, keys) in &self.sections {
            let Some(name) = section.strip_prefix("plugin.") else { continue };
            let file = keys.get("file").map(|it| it.trim_matches(['"', '\'']));
            let content = file.and_then(|it| files.read(it).ok());
            let package = content.and_then(|it| Package::read(it.into(), FILE_BYTES_MAX).ok());
            if let Some(package) = package {
                self.plugins.insert(name.to_owned(), PluginOutline::of(&package));
            }
        }
    }
}

impl PluginOutline {
    pub(crate) fn of(package: &Package) -> Self {
        let manifest = &package.manifest;
        let asks = &manifest.asks;
        let phi = asks.phi.iter().map(|(class, ask)| format!("phi.{class} {}", ask.sight.word()));
        let tables = asks.tables.iter().map(|it| format!("table {it}"));
        let big = asks.big.then(|| "big values".to_owned());
        let function = |of: &hilum_sandbox::Extern| -> Vec<String> {
            if of.functions.is_empty() {
                return vec![of.name.clone()];
            }
            of.functions.iter().map(|it| format!("{}.{it}", of.name)).collect()
        };
        Self {
            title: manifest.name.to_string(),
            version: manifest.version.clone(),
            digest: package.digest,
            asks: phi.chain(tables).chain(big).collect(),
            imports: package.imports.iter().flat_map(function).collect(),
        }
    }
}

/// Writes a value under its key; of a table, each of its values under a key of its own.
fn flatten(
    text: &str,
    key: &str,
    value: &DeValue<'_>,
    span: std::ops::Range<usize>,
    keys: &mut BTreeMap<String, String>,
) {
    match value {
        DeValue::Table(table) => {
            for (name, value) in table {
                let name = name.get_ref();
                let key = if key.is_empty() { name.to_string() } else { format!("{key}.{name}") };
                flatten(text, &key, value.get_ref(), value.span(), keys);
            }
        }
        // Of an array of tables, which no section has, the span is one table's.
        _ => drop(keys.insert(key.to_owned(), shown(text.get(span).unwrap_or_default()))),
    }
}

/// A value on one line, cut where it is long.
fn shown(value: &str) -> String {
    let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN_MAX {
        return line;
    }
    line.chars().take(SHOWN_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str, section: &str) -> Vec<(String, String)> {
        let mut outline = Outline::default();
        outline.add_configuration(text);
        outline.sections.remove(section).unwrap_or_default().into_iter().collect()
    }

    #[test]
    fn keys_are_shown_as_they_are_written() {
        let text = "[gateway]\nname = \"a\"\n[route.x]\nto = [\n  \"a\",\n  \"b\",\n]\n[route.x.settings]\n\"facility.A\" = \"x\"\n[listener.l]\ntls = { ca = 'c' }\n";
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(keys(text, "gateway"), [pair("name", "\"a\"")]);
        assert_eq!(
            keys(text, "route.x"),
            [pair("settings.facility.A", "\"x\""), pair("to", "[ \"a\", \"b\", ]")]
        );
        assert_eq!(keys(text, "listener.l"), [pair("tls.ca", "'c'")]);
    }

    #[test]
    fn a_long_value_is_cut() {
        let text = format!("[route.x]\nwhen = \"{}\"\n", "ä".repeat(SHOWN_MAX));
        let (_, value) = keys(&text, "route.x").remove(0);
        assert_eq!(value.chars().count(), SHOWN_MAX + 1);
    }
}
