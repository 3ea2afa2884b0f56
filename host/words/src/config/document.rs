use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::Section;
use crate::{Place, Problems};

/// A value of a document.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    /// Its digits: no key takes one.
    Float(String),
    Boolean(bool),
    /// As it is written: no key takes one.
    Time(String),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// Text from the environment, which has no types: it becomes what its reader asks for.
    Loose(String),
}

impl Value {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Loose(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a decimal number",
            Self::Boolean(_) => "true or false",
            Self::Time(_) => "a date or time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Value {
    /// The text of a string.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Loose(text) => Some(text),
            _ => None,
        }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

impl Node {
    /// The keys of a table in the order of the file; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Node)] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }
}

/// A whole configuration, parsed.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) root: Node,
}

impl Document {
    /// Parses `text`. What does not parse is noted with its line; what does can still be read.
    pub fn parse(file: &str, text: &str, problems: &Problems) -> Self {
        let source = Source { file: Arc::from(file), text };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let place = match error.span() {
                Some(span) => source.at(span.start),
                None => source.whole(),
            };
            problems.push(&place, "", format!("not TOML: {}", error.message()));
        }
        Self { root: Node { place: source.whole(), value: source.table(table.get_ref()) } }
    }

    /// The configuration as a whole, as a section without a name.
    pub fn root<'a>(&'a self, problems: &'a Problems) -> Section<'a> {
        Section::whole(&self.root, problems)
    }
}

/// The text of one file, so that offsets become lines.
struct Source<'a> {
    file: Arc<str>,
    text: &'a str,
}

impl Source<'_> {
    fn whole(&self) -> Place {
        Place { file: Arc::clone(&self.file), line: 0 }
    }

    fn at(&self, offset: usize) -> Place {
        let before = self.text.as_bytes().get(..offset.min(self.text.len())).unwrap_or_default();
        let breaks = before.iter().filter(|byte| **byte == b'\n').count();
        Place { file: Arc::clone(&self.file), line: u32::try_from(breaks + 1).unwrap_or(0) }
    }

    fn table(&self, table: &DeTable<'_>) -> Value {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let read = entries.into_iter().map(|(key, value)| {
            let mut node = self.node(value.get_ref(), value.span().start);
            // A list may begin below its key; everything else is where its key is.
            if !matches!(node.value, Value::List(_)) {
                node.place = self.at(key.span().start);
            }
            (key.get_ref().to_string(), node)
        });
        Value::Table(read.collect())
    }

    fn node(&self, value: &DeValue<'_>, start: usize) -> Node {
        let value = match value {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => {
                let digits = number.as_str().replace('_', "");
                let value = i64::from_str_radix(&digits, number.radix());
                value.map_or(Value::Float(digits), Value::Integer)
            }
            DeValue::Float(number) => Value::Float(number.as_str().to_owned()),
            DeValue::Boolean(is) => Value::Boolean(*is),
            DeValue::Datetime(time) => Value::Time(time.to_string()),
            DeValue::Array(items) => Value::List(
                items.iter().map(|it| self.node(it.get_ref(), it.span().start)).collect(),
            ),
            DeValue::Table(table) => self.table(table),
        };
        Node { place: self.at(start), value }
    }
}

/// The value of a TOML expression such as `["a", "b"]` or `{ first = "1s" }`; every part of it
/// stands at `place`.
pub(super) fn parse_value(text: &str, place: &Place) -> Option<Value> {
    let wrapped = format!("value = {text}");
    let parsed = DeTable::parse(&wrapped).ok()?;
    let source = Source { file: Arc::clone(&place.file), text: "" };
    let node = source.node(parsed.get_ref().get("value")?.get_ref(), 0);
    // One line cannot hold a second key, but a text with a line break in it could.
    (parsed.get_ref().len() == 1).then_some(moved(node, place).value)
}

/// The same, all of it at `place`.
fn moved(mut node: Node, place: &Place) -> Node {
    node.place = place.clone();
    node.value = match node.value {
        Value::List(items) => Value::List(items.into_iter().map(|it| moved(it, place)).collect()),
        Value::Table(entries) => {
            Value::Table(entries.into_iter().map(|(key, it)| (key, moved(it, place))).collect())
        }
        other => other,
    };
    node
}
