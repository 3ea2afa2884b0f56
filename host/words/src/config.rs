//! The reader of configuration sections.
//!
//! A [`Document`] is one TOML file with the line of every key. A [`Section`] hands out its values
//! by key and type; what is wrong goes to [`Problems`] with file, line and key, and reading goes
//! on, so that an operator sees all problems at once. [`Section::finish`] reports the keys that
//! nobody asked for, with the one that was probably meant.
//!
//! Promises: no key is ignored in silence; a value of the wrong type is a problem, never a default.
//! Not here: what the keys mean; every crate reads its own section.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use crate::{Place, Problems, did_you_mean};

/// A value with the place and the whole key it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
    /// Its key, written out whole: `route.adt.to[1]`.
    pub key: String,
}

impl<T> Placed<T> {
    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Placed<U> {
        Placed { value: change(self.value), place: self.place, key: self.key }
    }

    /// Notes a problem about this value.
    pub fn problem(&self, problems: &Problems, text: impl Into<String>) {
        problems.push(&self.place, &self.key, text);
    }
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Integer(i64),
    Float,
    Boolean(bool),
    Time,
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float => "a decimal number",
            Self::Boolean(_) => "true or false",
            Self::Time => "a date or time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

#[derive(Clone, Debug)]
struct Node {
    line: u32,
    value: Value,
}

/// One configuration file, parsed.
#[derive(Clone, Debug)]
pub struct Document {
    file: Arc<str>,
    root: Node,
}

impl Document {
    /// Parses `text`. What does not parse is noted with its line; what does can still be read.
    pub fn parse(file: &str, text: &str, problems: &Problems) -> Self {
        let file: Arc<str> = Arc::from(file);
        let line_at = |offset: usize| {
            let before = text.as_bytes().get(..offset.min(text.len())).unwrap_or_default();
            u32::try_from(before.iter().filter(|byte| **byte == b'\n').count() + 1).unwrap_or(0)
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let line = error.span().map_or(0, |span| line_at(span.start));
            let place = Place { file: Arc::clone(&file), line };
            problems.push(&place, "", format!("not TOML: {}", error.message()));
        }
        let root = Node { line: 0, value: read_table(table.get_ref(), &line_at) };
        Self { file, root }
    }

    /// The file as a whole, as a section without a name.
    pub fn root<'a>(&'a self, problems: &'a Problems) -> Section<'a> {
        Section {
            file: &self.file,
            node: &self.root,
            key: String::new(),
            seen: BTreeSet::new(),
            problems,
        }
    }
}

fn read_table(table: &DeTable<'_>, line_at: &impl Fn(usize) -> u32) -> Value {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let read = entries.into_iter().map(|(key, value)| {
        let mut node = read_value(value.get_ref(), value.span().start, line_at);
        if !matches!(node.value, Value::List(_)) || node.line == 0 {
            node.line = line_at(key.span().start);
        }
        (key.get_ref().to_string(), node)
    });
    Value::Table(read.collect())
}

fn read_value(value: &DeValue<'_>, start: usize, line_at: &impl Fn(usize) -> u32) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).map_or(Value::Float, Value::Integer)
        }
        DeValue::Float(_) => Value::Float,
        DeValue::Boolean(is) => Value::Boolean(*is),
        DeValue::Datetime(_) => Value::Time,
        DeValue::Array(items) => Value::List(
            items.iter().map(|it| read_value(it.get_ref(), it.span().start, line_at)).collect(),
        ),
        DeValue::Table(table) => read_table(table, line_at),
    };
    Node { line: line_at(start), value }
}

/// One table of a configuration file, being read. Ask for keys, then [`finish`](Self::finish).
#[derive(Debug)]
pub struct Section<'a> {
    file: &'a Arc<str>,
    node: &'a Node,
    key: String,
    seen: BTreeSet<String>,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    /// Where the section starts.
    pub fn place(&self) -> Place {
        Place { file: Arc::clone(self.file), line: self.node.line }
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
        self.problems.push(&self.place(), &self.key, text);
    }

    /// Notes a problem about one of its keys, at the key's line if it is there.
    pub fn problem_at(&self, key: &str, text: impl Into<String>) {
        let line = self.entry(key).map_or(self.node.line, |node| node.line);
        let place = Place { file: Arc::clone(self.file), line };
        self.problems.push(&place, self.full(key), text);
    }

    /// Whether the key is there.
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Whether the key is there and has a string: where a key takes a word or a table.
    pub fn is_text(&self, key: &str) -> bool {
        matches!(self.entry(key), Some(Node { value: Value::Text(_), .. }))
    }

    /// The keys in the order of the file.
    pub fn keys(&self) -> Vec<String> {
        self.entries().iter().map(|(key, _)| key.clone()).collect()
    }

    /// A string, if the key is there.
    pub fn text(&mut self, key: &str) -> Option<Placed<String>> {
        let node = self.take(key)?;
        let Value::Text(text) = &node.value else {
            return self.wrong(key, node, "a string");
        };
        Some(self.placed(key, node, text.clone()))
    }

    /// A string that has to be there.
    pub fn required_text(&mut self, key: &str) -> Option<Placed<String>> {
        self.require(key).then(|| self.text(key)).flatten()
    }

    /// A string that has to be one of `words`; the answer is its index.
    pub fn word(&mut self, key: &str, words: &[&str]) -> Option<Placed<usize>> {
        let text = self.text(key)?;
        if let Some(index) = words.iter().position(|word| *word == text.value) {
            return Some(text.map(|_| index));
        }
        let meant = did_you_mean(&text.value, words.iter().copied())
            .map(|word| format!("; did you mean \"{word}\"?"))
            .unwrap_or_default();
        let list = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        text.problem(self.problems, format!("must be one of {list}{meant}"));
        None
    }

    /// `true` or `false`, if the key is there.
    pub fn boolean(&mut self, key: &str) -> Option<Placed<bool>> {
        let node = self.take(key)?;
        let Value::Boolean(is) = node.value else {
            return self.wrong(key, node, "true or false");
        };
        Some(self.placed(key, node, is))
    }

    /// An integer within `range`, if the key is there.
    pub fn integer(
        &mut self,
        key: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<Placed<u64>> {
        let node = self.take(key)?;
        let Value::Integer(number) = node.value else {
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
        let text = self.text(key)?;
        let parsed = parse_duration(&text.value);
        self.parsed(
            text,
            parsed,
            "must be a span of time such as \"200ms\", \"30s\", \"5m\" or \"72h\"",
        )
    }

    /// A number of bytes such as `"64 KiB"`, `"16 MiB"` or `4096`.
    pub fn size(&mut self, key: &str) -> Option<Placed<u64>> {
        let hint = "must be a size such as \"64 KiB\", \"16 MiB\" or \"1 GiB\"";
        if let Some(Node { value: Value::Integer(_), .. }) = self.entry(key) {
            return self.integer(key, 1..=u64::MAX);
        }
        let text = self.text(key)?;
        let parsed = parse_size(&text.value);
        self.parsed(text, parsed, hint)
    }

    /// A list of strings, if the key is there; each has a place of its own.
    pub fn texts(&mut self, key: &str) -> Option<Vec<Placed<String>>> {
        let node = self.take(key)?;
        let Value::List(items) = &node.value else {
            return self.wrong(key, node, "a list of strings");
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
        let node = self.take(key)?;
        if !matches!(node.value, Value::Table(_)) {
            return self.wrong(key, node, "a table");
        }
        Some(self.below(key, node))
    }

    /// The tables under this key, by name: `[listener.adt-in]`, `[listener.lab-in]`.
    pub fn sections(&mut self, key: &str) -> Vec<(Placed<String>, Section<'a>)> {
        let Some(mut parent) = self.section(key) else { return Vec::new() };
        let mut all = Vec::new();
        for name in parent.keys() {
            let Some(node) = parent.entry(&name) else { continue };
            let placed = parent.placed(&name, node, name.clone());
            if let Some(section) = parent.section(&name) {
                all.push((placed, section));
            }
        }
        all
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        for (key, node) in self.entries() {
            if self.seen.contains(key) {
                continue;
            }
            let meant = did_you_mean(key, self.seen.iter().map(String::as_str))
                .map(|word| format!("; did you mean \"{word}\"?"))
                .unwrap_or_default();
            let place = Place { file: Arc::clone(self.file), line: node.line };
            self.problems.push(&place, self.full(key), format!("unknown key{meant}"));
        }
    }

    fn entries(&self) -> &'a [(String, Node)] {
        match &self.node.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    fn entry(&self, key: &str) -> Option<&'a Node> {
        self.entries().iter().find(|(it, _)| it == key).map(|(_, node)| node)
    }

    fn take(&mut self, key: &str) -> Option<&'a Node> {
        self.seen.insert(key.to_owned());
        self.entry(key)
    }

    fn require(&mut self, key: &str) -> bool {
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
        let place = Place { file: Arc::clone(self.file), line: node.line };
        Placed { value, place, key: self.full(key) }
    }

    fn below(&self, key: &str, node: &'a Node) -> Section<'a> {
        let key = self.full(key);
        Section { file: self.file, node, key, seen: BTreeSet::new(), problems: self.problems }
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

/// `"200ms"`, `"30s"`, `"5m"`, `"72h"`, `"7d"`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// `"64 KiB"`, `"16 MiB"`, `"1 GiB"`, `"10 MB"`, `"512 B"`.
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let bytes = match unit {
        "B" | "" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(bytes)
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end =
        text.find(|letter: char| !letter.is_ascii_digit() && letter != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.replace('_', "").parse().ok()?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Problem;
    use expect_test::{Expect, expect};

    fn check(text: &str, read: impl Fn(&mut Section<'_>), expected: Expect) {
        let problems = Problems::default();
        let document = Document::parse("hilum.toml", text, &problems);
        let mut root = document.root(&problems);
        read(&mut root);
        root.finish();
        let all: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
        expected.assert_eq(&all.join("\n"));
    }

    #[test]
    fn an_unknown_key_is_a_problem_with_a_hint() {
        check(
            "[gateway]\nname = \"a\"\ntimezon = \"UTC\"\n",
            |root| {
                let mut gateway = root.section("gateway").expect("there");
                gateway.required_text("name");
                gateway.required_text("timezone");
                gateway.finish();
            },
            expect![[r#"
                hilum.toml:1  gateway  needs the key "timezone"
                hilum.toml:3  gateway.timezon  unknown key; did you mean "timezone"?"#]],
        );
    }

    #[test]
    fn every_problem_has_its_line() {
        check(
            "a = 1\nb = \"x\"\nc = [\n  \"one\",\n  2,\n]\nd = \"5 parsecs\"\ne = 0\n",
            |root| {
                root.text("a");
                root.boolean("b");
                root.texts("c");
                root.duration("d");
                root.integer("e", 1..=u64::MAX);
            },
            expect![[r#"
                hilum.toml:1  a  must be a string, not an integer
                hilum.toml:2  b  must be true or false, not a string
                hilum.toml:5  c[1]  must be a string, not an integer
                hilum.toml:7  d  must be a span of time such as "200ms", "30s", "5m" or "72h"
                hilum.toml:8  e  must be at least 1"#]],
        );
    }

    #[test]
    fn what_is_no_toml_is_a_problem_and_the_rest_is_read() {
        check(
            "a = \nb = 1\n",
            |root| {
                assert_eq!(root.integer("b", 0..=9).expect("there").value, 1);
                root.text("a");
            },
            expect![
                "hilum.toml:1  not TOML: string values must be quoted, expected literal string"
            ],
        );
    }

    #[test]
    fn named_sections_come_in_the_order_of_the_file() {
        check(
            "[listener.z]\n[listener.a]\nx = 1\n",
            |root| {
                let names: Vec<_> =
                    root.sections("listener").into_iter().map(|(name, _)| name.key).collect();
                assert_eq!(names, ["listener.z", "listener.a"]);
            },
            expect![""],
        );
    }

    #[test]
    fn sizes_and_durations() {
        assert_eq!(parse_size("16 MiB"), Some(16 << 20));
        assert_eq!(parse_size("16 apples"), None);
        assert_eq!(parse_duration("200ms"), Some(Duration::from_millis(200)));
        assert_eq!(parse_duration("72h"), Some(Duration::from_secs(259_200)));
        assert_eq!(parse_duration("99999999999999999999h"), None);
    }
}
