use std::fmt::Write as _;

use super::Document;
use super::document::{Node, Value};
use crate::Problems;

impl Document {
    /// Adds the sections of another file, as `conf.d/*.toml` beside `hilum.toml` has them.
    ///
    /// Named sections (`[listener.x]`) come together by kind. A section that stands in two files is
    /// a problem: which of them counts would depend on the files' names.
    pub fn merge(&mut self, other: Self, problems: &Problems) {
        let Value::Table(added) = other.root.value else { return };
        let Value::Table(entries) = &mut self.root.value else { return };
        for (key, node) in added {
            match entries.iter_mut().find(|(it, _)| *it == key) {
                None => entries.push((key, node)),
                Some((_, own)) => merge_kind(own, &key, node, problems),
            }
        }
    }
}

/// Merges `[listener.a]` of one file with `[listener.b]` of another.
fn merge_kind(own: &mut Node, kind: &str, added: Node, problems: &Problems) {
    let holds_sections = |node: &Node| {
        !node.entries().is_empty()
            && node.entries().iter().all(|(_, it)| matches!(it.value, Value::Table(_)))
    };
    if !holds_sections(own) || !holds_sections(&added) {
        return twice(own, kind, &added, problems);
    }
    let (Value::Table(entries), Value::Table(added)) = (&mut own.value, added.value) else {
        return;
    };
    for (name, node) in added {
        match entries.iter().find(|(it, _)| *it == name) {
            None => entries.push((name, node)),
            Some((_, own)) => twice(own, &format!("{kind}.{name}"), &node, problems),
        }
    }
}

fn twice(own: &Node, key: &str, added: &Node, problems: &Problems) {
    let mut text = format!("stands in {} already", own.place);
    if matches!(own.value, Value::Table(_)) {
        // Writing to a string cannot fail.
        let _ = write!(text, "; a section belongs into one file");
    }
    problems.push(&added.place, key, text);
}

#[cfg(test)]
mod tests;
