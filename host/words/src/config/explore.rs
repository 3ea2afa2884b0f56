use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Document;
use super::asked::{ANY, Asked, Key, STAND_INS, Step, Table, Type};
use super::document::{Node, Value};
use crate::{Place, Problems};

/// How many rounds an exploration takes at most: one for each table in a table, and the last that
/// finds nothing new.
const ROUNDS_MAX: usize = 12;

/// How many documents are invented in a round. In the first ones every key takes its alternatives
/// in turn, in the others they meet each other in many ways.
const TURNS: usize = 64;

/// How many turns all keys move in step.
const IN_STEP: usize = 8;

/// How many tables in a table there may be.
const DEPTH_MAX: usize = 8;

/// Texts of the shapes that readers take, so that none of them stops at the first.
const TEXTS: [&str; 3] = ["http://127.0.0.1:1/any", "127.0.0.1:1", "any"];

impl Asked {
    /// Finds out what a configuration's readers accept, by letting them read invented documents:
    /// an empty one first, then ones with everything that was asked for, in every word and kind.
    pub fn explore(read: impl Fn(&Document, &Problems)) -> Self {
        let mut asked = Self::default();
        for _ in 0..ROUNDS_MAX {
            let before = asked.clone();
            for turn in 0..TURNS {
                let value = Inventor { asked: &before, turn }.table(&[], None);
                let document = Document { root: node(value) };
                let problems = Problems::recording();
                read(&document, &problems);
                asked.absorb(problems.take_asked());
            }
            if asked == before {
                break;
            }
        }
        asked
    }
}

/// Writes a document of what was asked for so far.
struct Inventor<'a> {
    asked: &'a Asked,
    turn: usize,
}

impl Inventor<'_> {
    /// The table at `way`, whose `kind` is as given.
    fn table(&self, way: &[Step], kind: Option<&str>) -> Value {
        let nothing = Table::default();
        let table = self.asked.tables.get(way).unwrap_or(&nothing);
        let mut entries: BTreeMap<String, Value> = BTreeMap::new();
        if way.len() < DEPTH_MAX {
            for (index, (name, key)) in table.keys.iter().enumerate() {
                if name == ANY || name == "kind" {
                    continue;
                }
                entries.extend(self.value(way, name, key, index).map(|it| (name.clone(), it)));
            }
            if table.is_open {
                let any = table.keys.get(ANY).cloned().unwrap_or_default();
                let value = || self.value(way, ANY, &any, 0);
                let named = |name: &&str| {
                    ((*name).to_owned(), value().unwrap_or_else(|| Value::Text("any".into())))
                };
                entries.extend(STAND_INS.iter().map(named));
            }
        }
        if let Some(kind) = kind {
            entries.insert("kind".to_owned(), Value::Text(kind.to_owned()));
        }
        Value::Table(entries.into_iter().map(|(key, value)| (key, node(value))).collect())
    }

    /// The value of a key in this turn; in the first, scalars are absent.
    fn value(&self, way: &[Step], name: &str, key: &Key, index: usize) -> Option<Value> {
        let mut choices: Vec<Option<Value>> = vec![None];
        if key.types.contains(&Type::Named) {
            return Some(self.named(way, name));
        }
        if key.types.contains(&Type::Table) {
            // Tables come before their absence: nothing in them is found without them.
            let tables = self.kinds(way, name).into_iter();
            choices =
                tables.map(|(below, kind)| Some(self.table(&below, kind.as_deref()))).collect();
        }
        if key.types.is_subset(&BTreeSet::from([Type::Text])) {
            // Its reader may take something else, too: it shows once there is one.
            let others = [Value::Text("any".into()), Value::List(Vec::new())];
            choices.extend(others.into_iter().chain([Value::Table(Vec::new())]).map(Some));
        }
        for kind in &key.types {
            match kind {
                Type::Word => {
                    choices.extend(key.words.iter().map(|it| Some(Value::Text(it.clone()))));
                }
                Type::Text if key.words.is_empty() => {
                    choices.extend(TEXTS.iter().map(|it| Some(Value::Text((*it).to_owned()))));
                }
                Type::Boolean => choices.extend([true, false].map(|it| Some(Value::Boolean(it)))),
                Type::Integer => {
                    let first = key.range.map_or(1, |(first, _)| first);
                    choices.push(i64::try_from(first).ok().map(Value::Integer));
                }
                Type::Duration => choices.push(Some(Value::Text("1s".into()))),
                Type::Size => choices.push(Some(Value::Text("1 KiB".into()))),
                Type::Text => {
                    choices.extend(key.words.iter().map(|it| Some(Value::Text(it.clone()))));
                }
                Type::Texts => {
                    let words: Vec<&str> = key.words.iter().map(String::as_str).collect();
                    let words = if words.is_empty() { TEXTS.to_vec() } else { words };
                    let item = words.get(self.turn % words.len()).copied().unwrap_or_default();
                    choices.push(Some(Value::List(vec![node(Value::Text(item.into()))])));
                }
                Type::Table | Type::Named | Type::Secret => {}
            }
        }
        let turn = if self.turn < IN_STEP { self.turn } else { scatter(self.turn, index) };
        choices.swap_remove(turn % choices.len().max(1))
    }

    /// Every kind of a table under `name`, with the way to it.
    fn kinds(&self, way: &[Step], name: &str) -> Vec<(Vec<Step>, Option<String>)> {
        let to = |kind: &str| {
            let step = Step { key: name.to_owned(), kind: kind.to_owned() };
            [way, &[step]].concat()
        };
        let mut kinds = vec![(to(""), None)];
        let words = self.asked.below(way, name).filter_map(|(_, table)| table.keys.get("kind"));
        for word in words.flat_map(|key| &key.words) {
            if !kinds.iter().any(|(_, kind)| kind.as_ref() == Some(word)) {
                kinds.push((to(word), Some(word.clone())));
            }
        }
        kinds
    }

    /// Tables by name, one of each kind.
    fn named(&self, way: &[Step], name: &str) -> Value {
        let step = Step { key: name.to_owned(), kind: String::new() };
        let kinds = self.kinds(&[way, &[step]].concat(), ANY).into_iter();
        let stand_in = STAND_INS.first().copied().unwrap_or_default();
        let table = |(below, kind): (Vec<Step>, Option<String>)| {
            let name = match &kind {
                Some(kind) => format!("{stand_in}.{kind}"),
                None => stand_in.to_owned(),
            };
            (name, node(self.table(&below, kind.as_deref())))
        };
        Value::Table(kinds.map(table).collect())
    }
}

/// A number that looks like chance and is the same every time.
fn scatter(turn: usize, index: usize) -> usize {
    let mixed = (turn * 64 + index).wrapping_mul(0x9e37_79b1);
    (mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca6b) >> 13
}

fn node(value: Value) -> Node {
    Node { place: Place { file: Arc::from("invented"), line: 0 }, value }
}

#[cfg(test)]
mod tests;
