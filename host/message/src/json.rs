//! JSON by offsets: where each value stands, so that one can be read or exchanged and all other
//! bytes stay as they came.
//!
//! [`hilum_fhir::scan`] decides what is JSON; what is kept here is one flat list of nodes in the order of
//! the bytes.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use hilum_fhir::{JsonError, Limits, Value};

use crate::path::{At, Found};

pub(crate) mod known;
mod scan;

/// As many values as places in HL7 v2: each costs memory and work of whoever looks at it.
const LIMITS: Limits = Limits { values_max: crate::PLACES_MAX, ..Limits::RESOURCE };

/// Bytes after which a shown path goes no further up: one is kept for each sealed value.
const SHOWN_BYTES_MAX: usize = 200;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number.
    Number,
    /// A string.
    Text,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// Whether it is a value of its own: a string, a number or a boolean.
    pub fn is_leaf(self) -> bool {
        matches!(self, Self::Boolean | Self::Number | Self::Text)
    }
}

/// Which node: its place in the order of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// Its number among all nodes, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The node after it in the order of the bytes: its first child, if it has any.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One value of a document.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, a string with its quotes.
    pub range: Range<usize>,
    /// Where its name stands with its quotes, if it is a member of an object.
    pub name: Option<Range<usize>>,
    /// What it stands in.
    pub parent: Option<NodeId>,
    /// Which of its parent's children it is, from 0.
    pub number: u32,
    /// The first node after it and all below it.
    pub(crate) after: u32,
}

impl Node {
    /// The first node after it and all that is in it.
    pub fn after(&self) -> NodeId {
        NodeId(self.after)
    }

    /// Where it begins, with its name if it has one.
    pub fn start(&self) -> usize {
        self.name.as_ref().map_or(self.range.start, |name| name.start)
    }
}

/// A JSON document and the index of its values.
#[derive(Clone)]
pub struct Json {
    inner: Arc<Inner>,
}

struct Inner {
    format: Box<str>,
    bytes: Bytes,
    nodes: Vec<Node>,
}

impl Json {
    /// The document as a whole.
    pub const ROOT: NodeId = NodeId(0);

    pub(crate) fn parse(format: &str, bytes: Bytes) -> Result<Self, JsonError> {
        let nodes = scan::nodes(&bytes, LIMITS)?;
        Ok(Self { inner: Arc::new(Inner { format: format.into(), bytes, nodes }) })
    }

    pub(crate) fn format(&self) -> &str {
        &self.inner.format
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &Bytes {
        &self.inner.bytes
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.inner.nodes.get(id.0 as usize)
    }

    /// All nodes in the order of the bytes: a parent before its children.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> + ExactSizeIterator {
        self.inner.nodes.iter().enumerate().map(|(index, node)| (narrow(index), node))
    }

    /// The children of a node, in order.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.node(id).map_or(0, |it| it.after);
        let mut next = id.0.saturating_add(1);
        std::iter::from_fn(move || {
            let child = NodeId(next);
            let node = self.node(child).filter(|_| next < end)?;
            next = node.after;
            Some(child)
        })
    }

    /// The name of a member.
    pub fn name(&self, id: NodeId) -> Option<String> {
        self.string(self.node(id)?.name.clone()?).map(Cow::into_owned)
    }

    /// The text of a string, number or boolean.
    pub fn scalar(&self, id: NodeId) -> Option<String> {
        self.scalar_text(id).map(Cow::into_owned)
    }

    /// The same; it stands in the document, if it has no escapes.
    pub fn scalar_text(&self, id: NodeId) -> Option<Cow<'_, str>> {
        let node = self.node(id)?;
        match node.kind {
            Kind::Text => self.string(node.range.clone()),
            Kind::Number | Kind::Boolean => {
                let raw = self.bytes().get(node.range.clone())?;
                std::str::from_utf8(raw).ok().map(Cow::Borrowed)
            }
            Kind::Null | Kind::Array | Kind::Object => None,
        }
    }

    fn string(&self, range: Range<usize>) -> Option<Cow<'_, str>> {
        let raw = self.bytes().get(range)?;
        let inside = raw.get(1..raw.len().checked_sub(1)?)?;
        std::str::from_utf8(inside).ok().map(hilum_fhir::unescaped)
    }

    /// The member of this name.
    pub fn member(&self, id: NodeId, name: &str) -> Option<NodeId> {
        if self.node(id)?.kind != Kind::Object {
            return None;
        }
        self.children(id).find(|child| self.is_named(*child, name))
    }

    fn is_named(&self, id: NodeId, name: &str) -> bool {
        let Some(range) = self.node(id).and_then(|it| it.name.clone()) else { return false };
        let raw = self.bytes().get(range.clone()).unwrap_or_default();
        match raw.get(1..raw.len().saturating_sub(1)) {
            Some(inside) if !inside.contains(&b'\\') => inside == name.as_bytes(),
            _ => self.string(range).as_deref() == Some(name),
        }
    }

    /// The type of the resource that a node is.
    pub fn resource_type(&self, id: NodeId) -> Option<String> {
        let member = self.member(id, "resourceType")?;
        self.node(member).filter(|it| it.kind == Kind::Text)?;
        // It is shown and logged, so it has to be one that FHIR has.
        self.scalar_text(member).filter(|it| known::is_type(it)).map(Cow::into_owned)
    }

    pub(crate) fn outline(&self) -> Vec<String> {
        let own = self.resource_type(Self::ROOT);
        if own.as_deref() != Some("Bundle") {
            return own.into_iter().collect();
        }
        let Some(entries) = self.member(Self::ROOT, "entry") else { return Vec::new() };
        let name = |entry| {
            let resource = self.member(entry, "resource")?;
            self.resource_type(resource)
        };
        self.children(entries).map(|entry| name(entry).unwrap_or_default()).collect()
    }

    /// Everything that stands at a path. An index that is left out means each item.
    pub fn nodes_at(&self, path: &hilum_fhir::Path) -> Vec<NodeId> {
        let mut steps = path.steps.as_slice();
        if let Some((head, rest)) = steps.split_first() {
            let own = self.resource_type(Self::ROOT);
            if head.index.is_none() && own.as_deref() == Some(head.name.as_str()) {
                steps = rest;
            }
        }
        let mut here = vec![Self::ROOT];
        for step in steps {
            let mut below = Vec::new();
            for member in here.iter().filter_map(|node| self.member(*node, &step.name)) {
                let is_array = self.node(member).is_some_and(|it| it.kind == Kind::Array);
                match step.index {
                    None if is_array => below.extend(self.children(member)),
                    Some(index) if is_array => below.extend(self.children(member).nth(index)),
                    None | Some(0) => below.push(member),
                    Some(_) => {}
                }
            }
            here = below;
        }
        here
    }

    pub(crate) fn first(&self, path: &hilum_fhir::Path) -> Option<Found> {
        self.nodes_at(path).into_iter().find_map(|node| self.leaf_below(node))
    }

    pub(crate) fn all(&self, path: &hilum_fhir::Path) -> Vec<Option<Found>> {
        self.nodes_at(path).into_iter().map(|node| self.leaf_below(node)).collect()
    }

    /// The first value at or below a node that is not an empty string.
    pub(crate) fn leaf_below(&self, id: NodeId) -> Option<Found> {
        let end = self.node(id)?.after;
        (id.0..end).find_map(|index| self.leaf(NodeId(index)))
    }

    /// The value that a node is: a boolean, a number, or a string that is not empty.
    pub fn leaf(&self, id: NodeId) -> Option<Found> {
        let node = self.node(id)?;
        let is_empty = node.kind == Kind::Text && node.range.len() <= 2;
        (node.kind.is_leaf() && !is_empty)
            .then(|| Found { at: At::Json(id), range: node.range.clone() })
    }

    pub(crate) fn leaves(&self) -> impl Iterator<Item = Found> + '_ {
        self.nodes().filter_map(|(id, _)| self.leaf(id))
    }

    /// The path of a node, `name[0].family`; empty for the document itself. Names stand as they are,
    /// with `.`, `[` and `\` escaped, so that no two nodes have the same. It may be as long as the
    /// document.
    #[cfg(test)]
    pub(crate) fn path_of(&self, id: NodeId) -> String {
        let spelt = |name: String| {
            let escape =
                |it| matches!(it, '.' | '[' | '\\').then_some('\\').into_iter().chain([it]);
            name.chars().flat_map(escape).collect()
        };
        self.path_by(id, usize::MAX, |node| self.name(node).map(spelt))
    }

    /// The path of a node for people and logs: a name that FHIR has for no element is `?`, and of a
    /// long path the end is shown.
    pub(crate) fn shown_path_of(&self, id: NodeId) -> String {
        self.path_by(id, SHOWN_BYTES_MAX, |node| {
            self.node(node)?.name.as_ref()?;
            Some(self.known_name(node).unwrap_or("?").to_owned())
        })
    }

    fn path_by(
        &self,
        id: NodeId,
        bytes_max: usize,
        name: impl Fn(NodeId) -> Option<String>,
    ) -> String {
        let mut steps = Vec::new();
        let mut here = id;
        let mut bytes = 0;
        while let Some(node) = self.node(here) {
            let Some(parent) = node.parent else { break };
            if bytes_max < bytes {
                steps.push(Step::Name("\u{2026}".to_owned()));
                break;
            }
            steps.push(match name(here) {
                Some(name) => {
                    bytes += name.len();
                    Step::Name(name)
                }
                None => Step::Index(node.number),
            });
            bytes += 1;
            here = parent;
        }
        let mut path = String::new();
        for step in steps.into_iter().rev() {
            match step {
                Step::Name(name) if path.is_empty() => path.push_str(&name),
                Step::Name(name) => {
                    path.push('.');
                    path.push_str(&name);
                }
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }
}

/// A text as a string of JSON, with its quotes.
pub fn json_string(text: &str) -> Vec<u8> {
    Value::from(text).to_bytes()
}

enum Step {
    Name(String),
    Index(u32),
}

/// Counts only: the bytes are PHI.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes, {} values)", self.bytes().len(), self.inner.nodes.len())
    }
}

/// Documents are at most 64 MiB, and a node takes a byte or more.
fn narrow(index: usize) -> NodeId {
    NodeId(u32::try_from(index).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
