//! For tests alone: finds the nodes of a document that is known to be JSON, to compare
//! [`super::scan`] with. It shares no scanner with it.

use std::ops::Range;

use hilum_fhir::BYTE_ORDER_MARK;

use super::{Kind, Node, NodeId, narrow};

/// The nodes of `bytes` in order. Bytes that are not JSON give some nodes, all of them within the
/// bytes.
pub(super) fn nodes(bytes: &[u8]) -> Vec<Node> {
    let at = if bytes.starts_with(BYTE_ORDER_MARK.as_bytes()) { BYTE_ORDER_MARK.len() } else { 0 };
    let mut scanner = Scanner { bytes, at, nodes: Vec::new(), open: Vec::new(), name: None };
    while scanner.step() {}
    scanner.nodes
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    /// The arrays and objects that have not ended, and how many children they have.
    open: Vec<(NodeId, u32)>,
    /// The name that was read and has no value yet.
    name: Option<Range<usize>>,
}

impl Scanner<'_> {
    fn step(&mut self) -> bool {
        let Some(byte) = self.bytes.get(self.at) else { return false };
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => self.at += 1,
            b'{' => self.enter(Kind::Object),
            b'[' => self.enter(Kind::Array),
            b'}' | b']' => self.leave(),
            b'"' => {
                let range = self.string();
                if self.wants_name() {
                    self.name = Some(range);
                } else {
                    self.leaf(Kind::Text, range);
                }
            }
            b't' | b'f' => self.word(Kind::Boolean),
            b'n' => self.word(Kind::Null),
            _ => self.word(Kind::Number),
        }
        true
    }

    fn wants_name(&self) -> bool {
        let parent = self.open.last().and_then(|(id, _)| self.nodes.get(id.0 as usize));
        parent.is_some_and(|it| it.kind == Kind::Object) && self.name.is_none()
    }

    fn push(&mut self, kind: Kind, range: Range<usize>) -> NodeId {
        let id = narrow(self.nodes.len());
        let (parent, number) = match self.open.last_mut() {
            Some((parent, children)) => {
                let number = *children;
                *children += 1;
                (Some(*parent), number)
            }
            None => (None, 0),
        };
        let name = self.name.take();
        self.nodes.push(Node { kind, range, name, parent, number, after: id.0 + 1 });
        id
    }

    fn leaf(&mut self, kind: Kind, range: Range<usize>) {
        self.push(kind, range);
    }

    fn enter(&mut self, kind: Kind) {
        let id = self.push(kind, self.at..self.at + 1);
        self.open.push((id, 0));
        self.at += 1;
    }

    fn leave(&mut self) {
        self.at += 1;
        let after = narrow(self.nodes.len()).0;
        let Some((id, _)) = self.open.pop() else { return };
        if let Some(node) = self.nodes.get_mut(id.0 as usize) {
            node.range.end = self.at;
            node.after = after;
        }
    }

    fn string(&mut self) -> Range<usize> {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => self.at += 1,
                _ => {}
            }
        }
        self.at = self.at.min(self.bytes.len());
        start..self.at
    }

    fn word(&mut self, kind: Kind) {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
        let length = rest.iter().position(ends).unwrap_or(rest.len()).max(1);
        self.at += length;
        self.leaf(kind, start..self.at);
    }
}
