//! A configuration as an operator should see it: every value with where it is from, and no secret.
//!
//! Promises: what is printed can be read again as TOML, but for what is redacted; a value under a
//! key that sounds like a secret is `***`, and so is what stands before the `@` of a URL.
//! Not here: colours and columns (`hilum config show`).

use std::fmt::Write as _;

use super::Document;
use super::asked::{self, Asked, Step, Type};
use super::document::{Node, Value};
use super::redact::{REDACTED, sounds_secret, without_secrets};
use crate::Place;

/// Where a value is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file's line, or a variable of the environment.
    Written(Place),
    /// Nobody wrote it: it counts where the key is absent.
    Default,
}

/// One key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The key in its table, quoted where TOML asks for it.
    pub key: String,
    /// The value in TOML.
    pub value: String,
    /// Where it is from.
    pub origin: Origin,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownTable {
    /// Its whole key in TOML; empty for what stands above the first table.
    pub key: String,
    /// Its values.
    pub values: Vec<Shown>,
}

impl Document {
    /// Every table with its values, in the order of the files. With what the readers asked for, the
    /// defaults of absent keys come after the values that are there.
    pub fn show(&self, asked: Option<&Asked>) -> Vec<ShownTable> {
        let mut tables = Vec::new();
        show(&self.root, String::new(), &mut Vec::new(), asked, &mut tables);
        tables
    }
}

fn show(
    node: &Node,
    key: String,
    way: &mut Vec<Step>,
    asked: Option<&Asked>,
    tables: &mut Vec<ShownTable>,
) {
    let known = asked.and_then(|it| it.tables.get(way));
    let is_secret = |name: &str| {
        let asked = known.and_then(|it| it.keys.get(name));
        asked.is_some_and(|it| it.types.contains(&Type::Secret)) || sounds_secret(name)
    };
    let mut values = Vec::new();
    for (name, node) in node.entries() {
        if matches!(node.value, Value::Table(_)) {
            continue;
        }
        let value = if is_secret(name) { REDACTED.to_owned() } else { written(&node.value) };
        let origin = Origin::Written(node.place.clone());
        values.push(Shown { key: quoted_key(name), value, origin });
    }
    for (name, asked) in known.into_iter().flat_map(|it| &it.keys) {
        let is_there = node.entries().iter().any(|(it, _)| it == name);
        let Some(default) = asked.default.as_ref().filter(|_| !is_there) else { continue };
        let value = default.clone();
        values.push(Shown { key: quoted_key(name), value, origin: Origin::Default });
    }
    if !values.is_empty() || node.entries().is_empty() {
        tables.push(ShownTable { key: key.clone(), values });
    }
    for (name, node) in node.entries() {
        if !matches!(node.value, Value::Table(_)) {
            continue;
        }
        way.push(asked::step(name, node.entries()));
        show(node, whole_key(&key, name), way, asked, tables);
        way.pop();
    }
    show_absent(node, &key, way, asked, tables);
}

/// Tables that nobody wrote, and whose defaults hold all the same.
fn show_absent(
    node: &Node,
    key: &str,
    way: &[Step],
    asked: Option<&Asked>,
    tables: &mut Vec<ShownTable>,
) {
    let below = asked.into_iter().flat_map(|it| &it.tables);
    for (to, table) in below.filter(|(to, _)| to.len() == way.len() + 1 && to.starts_with(way)) {
        let name = to.last().map_or("", |it| it.key.as_str());
        let is_there = node.entries().iter().any(|(it, _)| it == name);
        let defaults = table.keys.iter().filter(|_| !is_there);
        let values: Vec<_> = defaults
            .filter_map(|(key, it)| {
                let (key, value) = (quoted_key(key), it.default.clone()?);
                Some(Shown { key, value, origin: Origin::Default })
            })
            .collect();
        if !values.is_empty() {
            tables.push(ShownTable { key: whole_key(key, name), values });
        }
    }
}

fn whole_key(above: &str, name: &str) -> String {
    let name = quoted_key(name);
    if above.is_empty() { name } else { format!("{above}.{name}") }
}

/// A value in TOML, in one line.
fn written(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Loose(text) => quoted(&without_secrets(text)),
        Value::Integer(number) => number.to_string(),
        Value::Float(text) | Value::Time(text) => text.clone(),
        Value::Boolean(is) => is.to_string(),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|it| written(&it.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(entries) => {
            let entry = |(name, node): &(String, Node)| {
                let value =
                    if sounds_secret(name) { REDACTED.to_owned() } else { written(&node.value) };
                format!("{} = {value}", quoted_key(name))
            };
            let entries: Vec<_> = entries.iter().map(entry).collect();
            if entries.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", entries.join(", "))
            }
        }
    }
}

fn quoted_key(key: &str) -> String {
    let is_bare = !key.is_empty()
        && key.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_' || it == b'-');
    if is_bare { key.to_owned() } else { quoted(key) }
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut written = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            // Writing to a string cannot fail.
            it if it.is_control() => drop(write!(written, "\\u{:04X}", u32::from(it))),
            it => written.push(it),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests;
