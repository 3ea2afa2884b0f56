//! Words that FHIR itself has, DSTU2 to R5: names of elements, types of resources. What is none of
//! them was made up by the sender, and may be anything.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::{Json, Kind, NodeId};

/// A bound of the numbers of names.
pub const NAMES_MAX: usize = 2 * 4096;

/// No word of FHIR is longer, so a longer name is not even read.
const BYTES_MAX: usize = 64;

type ByWord = BuildHasherDefault<WordHasher>;

/// Each with its number.
static ELEMENTS: LazyLock<HashMap<&'static str, u16, ByWord>> =
    LazyLock::new(|| include_str!("elements.txt").lines().zip(0..).collect());

static TYPES: LazyLock<HashSet<&'static str, ByWord>> =
    LazyLock::new(|| include_str!("types.txt").lines().collect());

/// Hashes words that are looked up. What is in the tables is FHIR's, so nobody chooses what lies where.
#[derive(Clone, Copy, Default)]
struct WordHasher(u64);

impl WordHasher {
    fn add(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        // Tables look at the lowest bits and at the highest, and a product mixes upwards only.
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|it| self.add(u64::from_le_bytes(*it)));
        let last = rest.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        self.add(last);
    }
}

/// Whether FHIR has a resource of this type.
pub(super) fn is_type(text: &str) -> bool {
    TYPES.contains(text)
}

/// The number of a name that FHIR has for an element, with or without the `_` of what is said about a
/// primitive: below [`NAMES_MAX`], and the same for no other name.
pub fn number_of(name: &str) -> Option<usize> {
    let (element, is_about) = match name.strip_prefix('_') {
        Some(element) => (element, 1),
        None => (name, 0),
    };
    ELEMENTS.get(element).map(|number| 2 * usize::from(*number) + is_about)
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
        number_of(name).map(|_| name)
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
            && self.scalar_text(id).is_some_and(|it| is_type(&it))
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
