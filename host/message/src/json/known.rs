//! Words that FHIR itself has, DSTU2 to R5: names of elements, types of resources. What is none of
//! them was made up by the sender, and may be anything.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{Json, Kind, NodeId};

/// No word of FHIR is longer, so a longer name is not even read.
const BYTES_MAX: usize = 64;

static ELEMENTS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("elements.txt").lines().collect());

static TYPES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("types.txt").lines().collect());

/// Whether FHIR has a resource of this type.
pub(super) fn is_type(text: &str) -> bool {
    TYPES.contains(text)
}

impl Json {
    /// Whether a node has no name, or one that FHIR has for an element, with or without the `_` of
    /// what is said about a primitive. A name spelled with escapes is none. Costs the same whatever
    /// the name.
    pub fn has_known_name(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|it| it.name.is_none()) || self.known_name(id).is_some()
    }

    /// The name of a member, if it is one that FHIR has.
    pub(super) fn known_name(&self, id: NodeId) -> Option<&str> {
        let name = self.plain_name(id)?;
        ELEMENTS.contains(name.strip_prefix('_').unwrap_or(name)).then_some(name)
    }

    /// Whether a node stands where FHIR has a resource: the document, `resource` and `outcome` of an
    /// entry, an item of `contained`. Looks at no more than the node and what it stands in.
    pub fn is_resource(&self, id: NodeId) -> bool {
        let Some(node) = self.node(id).filter(|it| it.kind == Kind::Object) else { return false };
        let Some(parent) = node.parent else { return true };
        match self.plain_name(id) {
            Some(name) => matches!(name, "resource" | "outcome"),
            None => node.name.is_none() && self.plain_name(parent) == Some("contained"),
        }
    }

    /// Whether the value of a `resourceType` is one.
    pub fn is_resource_type(&self, id: NodeId) -> bool {
        let parent = self.node(id).filter(|it| it.kind == Kind::Text).and_then(|it| it.parent);
        parent.is_some_and(|it| self.is_resource(it))
            && self.plain_name(id) == Some("resourceType")
            && self.node(id).is_some_and(|it| it.range.len() <= BYTES_MAX)
            && self.scalar(id).is_some_and(|it| is_type(&it))
    }

    /// A name as it is spelled; none if there is none, or it is long, or has an escape.
    pub fn plain_name(&self, id: NodeId) -> Option<&str> {
        let range = self.node(id)?.name.clone()?;
        if BYTES_MAX < range.len() {
            return None;
        }
        let raw = self.bytes().get(range.start + 1..range.end.checked_sub(1)?)?;
        std::str::from_utf8(raw).ok().filter(|it| !it.contains('\\'))
    }
}
