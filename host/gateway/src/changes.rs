//! What is different between two generations, for the person who decides about it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use hilum_words::Digest;
use hilum_words::config::redacted_value;

use crate::outline::{Outline, PluginOutline};

/// What an apply, a rollback or a comparison would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Sections of the configuration.
    pub sections: Vec<SectionChange>,
    /// Plugins whose component is another one.
    pub plugins: Vec<PluginChange>,
    /// Tables and other files.
    pub files: Vec<FileChange>,
}

/// One section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionChange {
    /// Its name: `listener.adt-in`.
    pub section: String,
    /// Whether it is new, gone or another one.
    pub how: How,
    /// Its keys that differ.
    pub keys: Vec<KeyChange>,
}

/// What became of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It is another one.
    Changed,
}

impl How {
    /// The word as it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }

    fn of<T>(old: Option<T>, new: Option<T>) -> Self {
        match (old, new) {
            (None, _) => Self::Added,
            (_, None) => Self::Removed,
            _ => Self::Changed,
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One key, as the configuration spells its value. What sounds like a secret is `***`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// The key within its section.
    pub key: String,
    /// What it was.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
}

/// One plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginChange {
    /// Its name in the configuration.
    pub name: String,
    /// The package that it was: name and version, and the component's digest.
    pub old: Option<(String, Digest)>,
    /// The package that it is.
    pub new: Option<(String, Digest)>,
    /// What it asks for and did not before.
    pub more_asks: Vec<String>,
    /// What it imports and did not before.
    pub more_imports: Vec<String>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Its name, as the configuration writes it.
    pub name: String,
    /// What became of it.
    pub how: How,
}

impl Changes {
    /// What is different in `new`.
    pub(crate) fn between(old: &Outline, new: &Outline) -> Self {
        let sections = both(&old.sections, &new.sections).into_iter().map(|(section, old, new)| {
            let nothing = BTreeMap::new();
            let keys = both(old.unwrap_or(&nothing), new.unwrap_or(&nothing)).into_iter();
            let key = |(key, old, new): Pair<'_, String>| KeyChange {
                key: key.to_owned(),
                old: old.map(|it| redacted_value(key, it)),
                new: new.map(|it| redacted_value(key, it)),
            };
            let keys = keys.map(key).collect();
            SectionChange { section: section.to_owned(), how: How::of(old, new), keys }
        });
        let plugins = both(&old.plugins, &new.plugins).into_iter().map(|(name, old, new)| {
            let package = |it: &PluginOutline| (format!("{} {}", it.title, it.version), it.digest);
            let more = |set: fn(&PluginOutline) -> &BTreeSet<String>| {
                let before = old.map(set).cloned().unwrap_or_default();
                let now = new.map(set).into_iter().flatten();
                now.filter(|it| !before.contains(*it)).cloned().collect()
            };
            PluginChange {
                name: name.to_owned(),
                old: old.map(package),
                new: new.map(package),
                more_asks: more(|it| &it.asks),
                more_imports: more(|it| &it.imports),
            }
        });
        let files = both(&old.files, &new.files)
            .into_iter()
            .map(|(name, old, new)| FileChange { name: name.to_owned(), how: How::of(old, new) });
        Self { sections: sections.collect(), plugins: plugins.collect(), files: files.collect() }
    }

    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty() && self.plugins.is_empty() && self.files.is_empty()
    }

    /// On one line: what the list of generations shows.
    pub fn summary(&self) -> String {
        let mut line = String::new();
        let mut add = |text: String| {
            let separator = if line.is_empty() { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(line, "{separator}{text}");
        };
        self.sections.iter().for_each(|it| add(format!("{} {}", it.section, it.how)));
        for plugin in &self.plugins {
            let title = |it: &Option<(String, Digest)>| {
                it.as_ref().map_or_else(|| "none".to_owned(), |(title, _)| title.clone())
            };
            add(format!("plugin {}: {} → {}", plugin.name, title(&plugin.old), title(&plugin.new)));
        }
        self.files.iter().for_each(|it| add(format!("{} {}", it.name, it.how)));
        if line.is_empty() { "nothing".to_owned() } else { line }
    }
}

type Pair<'a, T> = (&'a str, Option<&'a T>, Option<&'a T>);

/// The keys of both that have different values, with what they have in each.
fn both<'a, T: PartialEq>(
    old: &'a BTreeMap<String, T>,
    new: &'a BTreeMap<String, T>,
) -> Vec<Pair<'a, T>> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let pairs = keys.into_iter().map(|key| (key.as_str(), old.get(key), new.get(key)));
    pairs.filter(|(_, old, new)| old != new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(section: &str, keys: &[(&str, &str)]) -> Outline {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let keys = keys.iter().map(owned).collect();
        Outline { sections: [(section.to_owned(), keys)].into(), ..Outline::default() }
    }

    #[test]
    fn keys_are_told_old_and_new() {
        let old = outline("route.adt", &[("to", "[\"a\"]"), ("when", "\"x\""), ("same", "1")]);
        let new = outline("route.adt", &[("to", "[\"b\"]"), ("lane", "\"none\""), ("same", "1")]);
        let changes = Changes::between(&old, &new);
        let told: Vec<_> = changes.sections.iter().flat_map(|it| &it.keys).cloned().collect();
        let key = |key: &str, old: Option<&str>, new: Option<&str>| KeyChange {
            key: key.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        };
        assert_eq!(
            told,
            [
                key("lane", None, Some("\"none\"")),
                key("to", Some("[\"a\"]"), Some("[\"b\"]")),
                key("when", Some("\"x\""), None),
            ]
        );
        assert_eq!(changes.summary(), "route.adt changed");
        assert!(Changes::between(&old, &old).is_empty());
    }

    #[test]
    fn a_secret_that_stands_inline_is_told_as_changed_and_not_shown() {
        let of = |secret: &str| {
            let url = format!("\"http://u:{secret}@x/?api_key={secret}\"");
            let header = format!("\"{secret}\"");
            outline("destination.x", &[("headers.X-Api-Key", &header), ("url", &url)])
        };
        let told = format!("{:?}", Changes::between(&of("hunter2"), &of("hunter3")));
        assert!(told.contains("X-Api-Key") && told.contains("api_key=***"), "{told}");
        assert!(!told.contains("hunter"), "{told}");
    }

    #[test]
    fn a_plugin_that_asks_for_more_is_told() {
        let plugin = |asks: &[&str]| PluginOutline {
            title: "st-anna/map".to_owned(),
            version: format!("0.{}.0", asks.len()),
            digest: Digest::of(&[u8::try_from(asks.len()).unwrap_or_default()]),
            asks: asks.iter().map(|it| (*it).to_owned()).collect(),
            imports: BTreeSet::new(),
        };
        let with =
            |plugin| Outline { plugins: [("map".to_owned(), plugin)].into(), ..Outline::default() };
        let changes =
            Changes::between(&with(plugin(&["a"])), &with(plugin(&["a", "phi.name open"])));
        assert_eq!(changes.plugins[0].more_asks, ["phi.name open"]);
        assert_eq!(changes.summary(), "plugin map: st-anna/map 0.1.0 → st-anna/map 0.2.0");
        let changes = Changes::between(&with(plugin(&["a", "b"])), &with(plugin(&["a"])));
        assert!(changes.plugins[0].more_asks.is_empty(), "asking for less is no warning");
    }
}
