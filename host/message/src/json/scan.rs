//! The nodes of a document, in one walk over its bytes.

use std::ops::Range;

use hilum_fhir::{JsonError, Leaf, Limits, Nest, Visitor};

use super::{Kind, Node, NodeId, narrow};

/// Bytes of a document for each value that room is made for at once: a bundle has some 20.
const BYTES_PER_NODE: usize = 16;

/// The nodes of `bytes` in order, if they are JSON within the bounds.
pub(super) fn nodes(bytes: &[u8], limits: Limits) -> Result<Vec<Node>, JsonError> {
    let room = (bytes.len() / BYTES_PER_NODE).min(limits.values_max);
    let mut nodes = Nodes { nodes: Vec::with_capacity(room), open: Vec::new() };
    hilum_fhir::scan(bytes, limits, &mut nodes)?;
    Ok(nodes.nodes)
}

struct Nodes {
    nodes: Vec<Node>,
    /// The arrays and objects that have not ended, and how many children they have.
    open: Vec<(NodeId, u32)>,
}

impl Nodes {
    fn push(&mut self, kind: Kind, range: Range<usize>, name: Option<Range<usize>>) -> NodeId {
        let id = narrow(self.nodes.len());
        let (parent, number) = match self.open.last_mut() {
            Some((parent, children)) => {
                let number = *children;
                *children += 1;
                (Some(*parent), number)
            }
            None => (None, 0),
        };
        self.nodes.push(Node { kind, range, name, parent, number, after: id.0 + 1 });
        id
    }
}

impl Visitor for Nodes {
    fn open(&mut self, nest: Nest, at: usize, name: Option<Range<usize>>) {
        let kind = match nest {
            Nest::Array => Kind::Array,
            Nest::Object => Kind::Object,
        };
        let id = self.push(kind, at..at + 1, name);
        self.open.push((id, 0));
    }

    fn close(&mut self, end: usize) {
        let after = narrow(self.nodes.len()).0;
        let Some((id, _)) = self.open.pop() else { return };
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.range.end = end;
            node.after = after;
        }
    }

    fn leaf(&mut self, leaf: Leaf, range: Range<usize>, name: Option<Range<usize>>) {
        let kind = match leaf {
            Leaf::Null => Kind::Null,
            Leaf::Boolean => Kind::Boolean,
            Leaf::Number => Kind::Number,
            Leaf::Text => Kind::Text,
        };
        self.push(kind, range, name);
    }
}
