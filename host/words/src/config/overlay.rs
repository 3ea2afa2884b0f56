//! Overrides from the environment: `HILUM__SECTION__KEY=value` over what the files say.
//!
//! Names compare without case, and `-` is `_`: `HILUM__LISTENER__ADT_IN__BIND` is
//! `listener.adt-in.bind`. A value has no type of its own; it becomes what the reader of its key
//! asks for. Lists are written `a,b` or `["a", "b"]`, tables `{ first = "1s" }`.
//!
//! Promises: a variable that fits nothing is a problem; what was overlaid prints and reads back.
//! Not here: which variables there are (`hilum_gateway` takes them from the environment).

use std::sync::Arc;

use super::Document;
use super::document::{Node, Value, parse_value};
use crate::{Place, Problems, did_you_mean};

/// How the name of every override begins.
const PREFIX: &str = "HILUM__";

/// How the place of an overridden value begins.
const ORIGIN: &str = "environment variable ";

/// The overrides of an environment, sorted by name.
///
/// As text, one a line: `HILUM__GATEWAY__NAME=st-anna`; a line break is `\n`, a backslash `\\`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    all: Vec<(String, String)>,
}

impl Overrides {
    /// Those among the variables of an environment.
    pub fn among(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut all: Vec<_> =
            variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
        all.sort();
        Self { all }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Name and value of each.
    pub fn as_slice(&self) -> &[(String, String)] {
        &self.all
    }

    /// As text, to be kept beside the files that they override.
    pub fn to_text(&self) -> String {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('\n', "\\n");
        self.all.iter().map(|(name, value)| format!("{name}={}\n", escaped(value))).collect()
    }

    /// Reads back what [`to_text`](Self::to_text) wrote; none if it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let entry = |line: &str| {
            let (name, value) = line.split_once('=')?;
            name.starts_with(PREFIX).then(|| Some((name.to_owned(), unescaped(value)?)))?
        };
        Some(Self { all: text.lines().map(entry).collect::<Option<_>>()? })
    }
}

fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next()? {
                'n' => '\n',
                '\\' => '\\',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}

impl Document {
    /// Puts variables of the environment over what the files say. Each is `HILUM__…`; what fits
    /// nothing is a problem.
    pub fn overlay(&mut self, variables: &[(String, String)], problems: &Problems) {
        for (name, value) in variables {
            let place = Place { file: Arc::from(format!("{ORIGIN}{name}")), line: 0 };
            let parts: Vec<_> =
                name.strip_prefix(PREFIX).unwrap_or(name).split("__").map(folded).collect();
            let fits = if parts.len() < 2 || parts.iter().any(String::is_empty) {
                Err("must be written HILUM__SECTION__KEY".to_owned())
            } else {
                set(&mut self.root, &parts, 0, value, &place)
            };
            if let Err(text) = fits {
                problems.push(&place, "", text);
            }
        }
    }
}

/// Whether an entry that the environment made is meant by `key`: it cannot write `birth-date`.
pub(super) fn is_override((name, node): &(String, Node), key: &str) -> bool {
    node.place.file.starts_with(ORIGIN) && folded(name) == folded(key)
}

/// A name as the environment can write it: `adt-in` is `adt_in`.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

/// Sets what `parts` name below `node`, which itself is `depth` tables deep.
fn set(
    node: &mut Node,
    parts: &[String],
    depth: usize,
    value: &str,
    place: &Place,
) -> Result<(), String> {
    let Some((part, rest)) = parts.split_first() else { return Ok(()) };
    let Value::Table(entries) = &mut node.value else {
        return Err(format!("fits nothing: what holds \"{part}\" is no table"));
    };
    let known = entries.iter().position(|(key, _)| folded(key) == *part);
    let index = match known {
        Some(index) => index,
        // A section of its own (`[admin]`) and a table of one (`[listener.x.tls]`) may be made
        // here. A new listener or route may not: its name is a slip far more often.
        None if (depth == 0 && 1 < rest.len()) || (depth == 1 && is_kind(entries)) => {
            let meant = did_you_mean(part, entries.iter().map(|(key, _)| key.as_str()))
                .map(|it| format!("; did you mean \"{}\"?", folded(it).to_ascii_uppercase()))
                .unwrap_or_default();
            return Err(format!("fits nothing: no section is named \"{part}\"{meant}"));
        }
        None => {
            let value = Value::Table(Vec::new());
            entries.push((part.clone(), Node { place: place.clone(), value }));
            entries.len() - 1
        }
    };
    let Some((_, found)) = entries.get_mut(index) else { return Ok(()) };
    if !rest.is_empty() {
        return set(found, rest, depth + 1, value, place);
    }
    if matches!(found.value, Value::Table(_)) && known.is_some() && !value.starts_with('{') {
        return Err("fits nothing: it names a table, not a key".to_owned());
    }
    *found = Node { place: place.clone(), value: read(value, place) };
    Ok(())
}

/// Whether a table holds named sections and nothing else.
fn is_kind(entries: &[(String, Node)]) -> bool {
    !entries.is_empty() && entries.iter().all(|(_, it)| matches!(it.value, Value::Table(_)))
}

/// A value as the environment writes it. `[::1]:2575` begins like a list and is none.
fn read(text: &str, place: &Place) -> Value {
    let structured = text.starts_with(['[', '{']).then(|| parse_value(text, place)).flatten();
    structured.unwrap_or_else(|| Value::Loose(text.to_owned()))
}

#[cfg(test)]
mod tests;
