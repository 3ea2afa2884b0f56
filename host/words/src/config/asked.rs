//! What the readers of a configuration asked it for: the truth about which keys there are.
//!
//! [`Problems::recording`](crate::Problems::recording) makes a list that notes it beside the
//! problems. Nothing is written by hand beside the readers, so nothing can drift from them:
//! `hilum config show --effective` and `hilum config schema` are made of it.
//!
//! Promises: a key that a reader accepts is here once the reader has asked for it.
//! Not here: how readers are made to ask for everything ([`super::explore`]).

use std::collections::{BTreeMap, BTreeSet};

use super::document::Node;

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// A string.
    Text,
    /// One of the key's words.
    Word,
    /// `true` or `false`.
    Boolean,
    /// An integer in the key's range.
    Integer,
    /// A span of time.
    Duration,
    /// A number of bytes.
    Size,
    /// A list of strings.
    Texts,
    /// A table.
    Table,
    /// Tables by name.
    Named,
    /// A secret: it is never here itself, but at one of three other keys.
    Secret,
}

/// A table on the way to another, by its key and its `kind`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Its key; [`ANY`] where any name may stand.
    pub key: String,
    /// Its `kind`; empty if it has none.
    pub kind: String,
}

/// Stands for every name in the paths and keys of an exploration.
pub const ANY: &str = "*";

/// One key of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// What its value may be.
    pub types: BTreeSet<Type>,
    /// Its words, in the order of the reader.
    pub words: Vec<String>,
    /// The smallest and the largest integer.
    pub range: Option<(u64, u64)>,
    /// What counts where it is absent, as the configuration would write it.
    pub default: Option<String>,
    /// Whether it has to be there.
    pub is_required: bool,
}

/// One table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Its keys.
    pub keys: BTreeMap<String, Key>,
    /// Whether its reader takes keys that it does not know by name.
    pub is_open: bool,
}

/// All tables that were asked, by the way that leads to them. The configuration as a whole is the
/// empty way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The tables.
    pub tables: BTreeMap<Vec<Step>, Table>,
}

impl Asked {
    pub(super) fn table(&mut self, way: &[Step]) -> &mut Table {
        self.tables.entry(way.to_vec()).or_default()
    }

    pub(super) fn key(&mut self, way: &[Step], key: &str) -> &mut Key {
        self.table(way).keys.entry(name(key).to_owned()).or_default()
    }

    /// Adds what another reading asked for.
    pub fn absorb(&mut self, other: Self) {
        for (way, table) in other.tables {
            let own = self.table(&way);
            own.is_open |= table.is_open;
            for (key, asked) in table.keys {
                let own = own.keys.entry(key).or_default();
                own.types.extend(asked.types);
                own.range = own.range.or(asked.range);
                own.is_required |= asked.is_required;
                if own.words.is_empty() {
                    own.words = asked.words;
                }
                if own.default.is_none() {
                    own.default = asked.default;
                }
            }
        }
    }

    /// The tables under `key` of the table at `way`, by kind.
    pub fn below<'a>(
        &'a self,
        way: &'a [Step],
        key: &'a str,
    ) -> impl Iterator<Item = (&'a [Step], &'a Table)> {
        let is_below = move |it: &[Step]| {
            it.split_last().is_some_and(|(last, before)| before == way && last.key == key)
        };
        let tables = self.tables.iter().map(|(way, table)| (way.as_slice(), table));
        tables.filter(move |(way, _)| is_below(way))
    }
}

/// The way to a table below another.
pub(super) fn step(key: &str, entries: &[(String, Node)]) -> Step {
    let kind = entries.iter().find(|(it, _)| it == "kind");
    let kind = kind.and_then(|(_, node)| node.value.as_text()).unwrap_or_default();
    Step { key: name(key).to_owned(), kind: kind.to_owned() }
}

/// Names that an exploration writes where any may stand. A reader may take words alone, or numbers.
pub(super) const STAND_INS: [&str; 3] = ["any-name", "200", "5xx"];

/// The key itself, or [`ANY`] for a name that stands for all.
fn name(key: &str) -> &str {
    let is_stand_in = STAND_INS.iter().any(|it| {
        key.strip_prefix(it).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    if is_stand_in { ANY } else { key }
}
