use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::asked::{self, Key, Step, Type};
use super::document::{Node, Value};
use super::overlay::is_override;
use super::{InToml, Placed, parse_duration, parse_size};
use crate::{Place, Problems, meant};

/// One table of a configuration, being read. Ask for keys, then [`finish`](Self::finish).
#[derive(Debug)]
pub struct Section<'a> {
    entries: &'a [(String, Node)],
    place: Place,
    key: String,
    seen: BTreeSet<String>,
    problems: &'a Problems,
    /// The way to it, for those who want to know what was asked for.
    way: Vec<Step>,
}

impl<'a> Section<'a> {
    /// A whole document.
    pub(super) fn whole(node: &'a Node, problems: &'a Problems) -> Self {
        Self {
            entries: node.entries(),
            place: node.place.clone(),
            key: String::new(),
            seen: BTreeSet::new(),
            problems,
            way: Vec::new(),
        }
    }

    /// A table under `key`; without entries where there is none.
    fn below(&self, key: &str, node: Option<&'a Node>) -> Self {
        let entries = node.map(Node::entries).unwrap_or_default();
        let way = [self.way.as_slice(), &[asked::step(key, entries)]].concat();
        self.problems.ask(|it| {
            it.table(&way);
        });
        Self {
            entries,
            place: node.map_or(&self.place, |it| &it.place).clone(),
            key: self.full(key),
            seen: BTreeSet::new(),
            problems: self.problems,
            way,
        }
    }

    /// Where the section starts.
    pub fn place(&self) -> Place {
        self.place.clone()
    }

    /// The section's own key, written out whole: `listener.adt-in`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The list that problems go to.
    pub fn problems(&self) -> &'a Problems {
        self.problems
    }

    /// Notes a problem about the section as a whole.
    pub fn problem(&self, text: impl Into<String>) {
        self.problems.push(&self.place, &self.key, text);
    }

    /// Notes a problem about one of its keys, at the key's line if it is there.
    pub fn problem_at(&self, key: &str, text: impl Into<String>) {
        let place = self.entry(key).map_or(&self.place, |it| &it.place);
        self.problems.push(place, self.full(key), text);
    }

    /// Whether the key is there.
    pub fn has(&self, key: &str) -> bool {
        self.note(key, |_| {});
        self.entry(key).is_some()
    }

    /// Whether the key is there and has a string: where a key takes a word or a table.
    pub fn is_text(&self, key: &str) -> bool {
        self.ask(key, Type::Text);
        self.entry(key).is_some_and(|it| matches!(it.value, Value::Text(_) | Value::Loose(_)))
    }

    /// The keys in the order of the file.
    pub fn keys(&self) -> Vec<String> {
        self.problems.ask(|it| it.table(&self.way).is_open = true);
        self.names()
    }

    fn names(&self) -> Vec<String> {
        self.entries.iter().map(|(key, _)| key.clone()).collect()
    }

    /// A string, if the key is there.
    pub fn text(&mut self, key: &str) -> Option<Placed<String>> {
        self.ask(key, Type::Text);
        self.read_text(key)
    }

    fn read_text(&mut self, key: &str) -> Option<Placed<String>> {
        let node = self.take(key)?;
        let (Value::Text(text) | Value::Loose(text)) = &node.value else {
            return self.wrong(key, node, "a string");
        };
        Some(self.placed(key, node, text.clone()))
    }

    /// A string that has to be there.
    pub fn required_text(&mut self, key: &str) -> Option<Placed<String>> {
        let is_there = self.require(key);
        self.text(key).filter(|_| is_there)
    }

    /// A string that has to be one of `words`; the answer is its index.
    pub fn word(&mut self, key: &str, words: &[&str]) -> Option<Placed<usize>> {
        self.ask(key, Type::Word);
        self.note(key, |it| it.words = words.iter().map(|it| (*it).to_owned()).collect());
        let text = self.read_text(key)?;
        if let Some(index) = words.iter().position(|word| *word == text.value) {
            return Some(text.map(|_| index));
        }
        let meant = meant(&text.value, words.iter().copied());
        let list = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        text.problem(self.problems, format!("must be one of {list}{meant}"));
        None
    }

    /// Notes the words that a key takes, for the schema: where the reader compares them itself.
    pub fn takes_words<'w>(&self, key: &str, words: impl IntoIterator<Item = &'w str>) {
        self.note(key, |it| it.words = words.into_iter().map(str::to_owned).collect());
    }

    /// `true` or `false`, if the key is there.
    pub fn boolean(&mut self, key: &str) -> Option<Placed<bool>> {
        self.ask(key, Type::Boolean);
        let node = self.take(key)?;
        let is = match &node.value {
            Value::Boolean(is) => Some(*is),
            Value::Loose(text) => text.parse().ok(),
            _ => None,
        };
        match is {
            Some(is) => Some(self.placed(key, node, is)),
            None => self.wrong(key, node, "true or false"),
        }
    }

    /// An integer within `range`, if the key is there.
    pub fn integer(&mut self, key: &str, range: RangeInclusive<u64>) -> Option<Placed<u64>> {
        self.ask(key, Type::Integer);
        self.note(key, |it| it.range = Some((*range.start(), *range.end())));
        self.read_integer(key, range)
    }

    fn read_integer(&mut self, key: &str, range: RangeInclusive<u64>) -> Option<Placed<u64>> {
        let node = self.take(key)?;
        let number = match &node.value {
            Value::Integer(number) => Some(*number),
            Value::Loose(text) => text.replace('_', "").parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            return self.wrong(key, node, "an integer");
        };
        match u64::try_from(number).ok().filter(|number| range.contains(number)) {
            Some(number) => Some(self.placed(key, node, number)),
            None if *range.end() == u64::MAX => {
                self.problem_at(key, format!("must be at least {}", range.start()));
                None
            }
            None => {
                let (from, to) = range.into_inner();
                self.problem_at(key, format!("must be from {from} to {to}"));
                None
            }
        }
    }

    /// A span of time such as `"200ms"`, `"30s"`, `"5m"`, `"72h"`, `"7d"`.
    pub fn duration(&mut self, key: &str) -> Option<Placed<Duration>> {
        self.ask(key, Type::Duration);
        let text = self.read_text(key)?;
        let parsed = parse_duration(&text.value);
        self.parsed(
            text,
            parsed,
            "must be a span of time such as \"200ms\", \"30s\", \"5m\" or \"72h\"",
        )
    }

    /// A number of bytes such as `"64 KiB"`, `"16 MiB"` or `4096`.
    pub fn size(&mut self, key: &str) -> Option<Placed<u64>> {
        self.ask(key, Type::Size);
        let hint = "must be a size such as \"64 KiB\", \"16 MiB\" or \"1 GiB\"";
        if let Some(Node { value: Value::Integer(_), .. }) = self.entry(key) {
            return self.read_integer(key, 1..=u64::MAX);
        }
        let text = self.read_text(key)?;
        let parsed = parse_size(&text.value);
        self.parsed(text, parsed, hint)
    }

    /// A list of strings, if the key is there; each has a place of its own.
    pub fn texts(&mut self, key: &str) -> Option<Vec<Placed<String>>> {
        self.ask(key, Type::Texts);
        let node = self.take(key)?;
        let items = match &node.value {
            Value::List(items) => items,
            // The environment has no lists: `a,b`.
            Value::Loose(text) => return Some(self.split(key, node, text)),
            _ => return self.wrong(key, node, "a list of strings"),
        };
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let key = format!("{key}[{index}]");
            let placed = self.placed(&key, item, ());
            match &item.value {
                Value::Text(text) => texts.push(placed.map(|()| text.clone())),
                other => {
                    placed.problem(self.problems, format!("must be a string, not {}", other.kind()))
                }
            }
        }
        Some(texts)
    }

    /// A table under this key, if the key is there.
    pub fn section(&mut self, key: &str) -> Option<Section<'a>> {
        self.ask(key, Type::Table);
        self.read_section(key)
    }

    /// A table whose keys all have defaults: where it is absent it reads like an empty one.
    pub fn section_or_empty(&mut self, key: &str) -> Section<'a> {
        match self.has(key) {
            true => self.section(key).unwrap_or_else(|| self.below(key, None)),
            false => {
                self.ask(key, Type::Table);
                self.take(key);
                self.below(key, None)
            }
        }
    }

    fn read_section(&mut self, key: &str) -> Option<Section<'a>> {
        let node = self.take(key)?;
        if !matches!(node.value, Value::Table(_)) {
            return self.wrong(key, node, "a table");
        }
        Some(self.below(key, Some(node)))
    }

    /// The tables under this key, by name: `[listener.adt-in]`, `[listener.lab-in]`.
    pub fn sections(&mut self, key: &str) -> Vec<(Placed<String>, Section<'a>)> {
        self.ask(key, Type::Named);
        let Some(mut parent) = self.read_section(key) else { return Vec::new() };
        let mut all = Vec::new();
        for name in parent.names() {
            let Some(node) = parent.entry(&name) else { continue };
            let placed = parent.placed(&name, node, name.clone());
            if let Some(section) = parent.read_section(&name) {
                all.push((placed, section));
            }
        }
        all
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        for entry in self.entries {
            let (key, node) = entry;
            if self.seen.contains(key) || self.seen.iter().any(|it| is_override(entry, it)) {
                continue;
            }
            let meant = meant(key, self.seen.iter().map(String::as_str));
            self.problems.push(&node.place, self.full(key), format!("unknown key{meant}"));
        }
    }

    /// What counts where the key is absent. It is only for those who want to see it
    /// (`hilum config show --effective`, and the schema); methods such as
    /// [`size_or`](Self::size_or) call it.
    pub fn default(&self, key: &str, value: impl InToml) {
        self.note(key, |it| it.default = Some(value.in_toml()));
    }

    /// Counts a key as asked for without looking at its value: it is a secret.
    pub(super) fn pass_secret(&mut self, key: &str) {
        self.ask(key, Type::Secret);
        self.take(key);
    }

    pub(super) fn require_secret(&self, key: &str) {
        self.note(key, |it| it.is_required = true);
    }

    fn ask(&self, key: &str, kind: Type) {
        self.note(key, |it| {
            it.types.insert(kind);
        });
    }

    fn note(&self, key: &str, note: impl FnOnce(&mut Key)) {
        self.problems.ask(|it| note(it.key(&self.way, key)));
    }

    fn entry(&self, key: &str) -> Option<&'a Node> {
        let entries = self.entries;
        let exact = entries.iter().find(|(it, _)| it == key);
        exact.or_else(|| entries.iter().find(|entry| is_override(entry, key))).map(|(_, node)| node)
    }

    fn take(&mut self, key: &str) -> Option<&'a Node> {
        self.seen.insert(key.to_owned());
        self.entry(key)
    }

    fn require(&mut self, key: &str) -> bool {
        self.note(key, |it| it.is_required = true);
        self.seen.insert(key.to_owned());
        if !self.has(key) {
            self.problem(format!("needs the key \"{key}\""));
        }
        self.has(key)
    }

    fn full(&self, key: &str) -> String {
        if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) }
    }

    fn placed<T>(&self, key: &str, node: &Node, value: T) -> Placed<T> {
        Placed { value, place: node.place.clone(), key: self.full(key) }
    }

    fn split(&self, key: &str, node: &Node, text: &str) -> Vec<Placed<String>> {
        let items = text.split(',').map(str::trim).filter(|it| !it.is_empty()).enumerate();
        let placed = |(index, item): (usize, &str)| {
            self.placed(&format!("{key}[{index}]"), node, item.to_owned())
        };
        items.map(placed).collect()
    }

    fn wrong<T>(&self, key: &str, node: &Node, wanted: &str) -> Option<T> {
        self.problem_at(key, format!("must be {wanted}, not {}", node.value.kind()));
        None
    }

    fn parsed<T>(&self, text: Placed<String>, parsed: Option<T>, hint: &str) -> Option<Placed<T>> {
        if parsed.is_none() {
            text.problem(self.problems, hint);
        }
        parsed.map(|value| text.map(|_| value))
    }
}
