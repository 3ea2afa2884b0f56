//! Tables from a FHIR R4 ConceptMap in JSON.
//!
//! A table looks up a code and answers a code, so a map has to say one thing for each code: the target
//! that is equal or equivalent where there are several, else the only one. Targets that are *unmatched*
//! or *disjoint* are no translation. What a table cannot do is a problem, since a map that is read
//! halfway translates wrongly: targets that depend on other values, products, another map for what is
//! not in this one. R5's `relationship`, `noMap` and `use-source-code` are understood, too.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bytes::Bytes;
use hilum_message::{Json, Kind, Message, NodeId, ParseError};

use super::{CODE_BYTES_MAX, Notes, Table, Unmapped};

/// Reads it; none if nothing can be said about its rows.
pub(super) fn read(bytes: &[u8], opens: bool, notes: &mut Notes<'_>) -> Option<Table> {
    let lines = Lines::of(bytes);
    let message = match Message::parse("fhir-json", Bytes::copy_from_slice(bytes)) {
        Ok(message) => message,
        Err(ParseError::Json(fault)) => {
            notes.problem(lines.line(fault.offset), format!("is not JSON: {}", fault.fault));
            return None;
        }
        Err(fault) => {
            notes.problem(0, fault.to_string());
            return None;
        }
    };
    let json = message.as_json()?;
    if json.resource_type(Json::ROOT).as_deref() != Some("ConceptMap") {
        let text = "is no ConceptMap: a table in JSON has \"resourceType\": \"ConceptMap\"";
        notes.problem(lines.line(0), text);
        return None;
    }
    let mut reader = Reader { json, lines, notes, rows: BTreeMap::new(), unmapped: None };
    let groups = reader.items(Json::ROOT, "group");
    if groups.is_empty() {
        reader.problem(Json::ROOT, "has no group, and so no code");
    }
    for group in groups {
        reader.group(group, opens);
    }
    let unmapped = reader.unmapped.unwrap_or(Unmapped::None);
    Some(Table { opens, rows: reader.rows, unmapped })
}

struct Reader<'a, 'b> {
    json: &'a Json,
    lines: Lines,
    notes: &'a mut Notes<'b>,
    rows: BTreeMap<String, Option<String>>,
    unmapped: Option<Unmapped>,
}

impl Reader<'_, '_> {
    fn problem(&mut self, at: NodeId, text: impl Into<String>) {
        let offset = self.json.node(at).map_or(0, |it| it.start());
        let line = self.lines.line(offset);
        self.notes.problem(line, text);
    }

    /// The objects of a list.
    fn items(&mut self, of: NodeId, name: &str) -> Vec<NodeId> {
        let Some(list) = self.json.member(of, name) else { return Vec::new() };
        let kind = |id| self.json.node(id).map(|it| it.kind);
        let items: Vec<NodeId> = self.json.children(list).collect();
        if kind(list) == Some(Kind::Array) && items.iter().all(|it| kind(*it) == Some(Kind::Object))
        {
            return items;
        }
        self.problem(list, format!("\"{name}\" has to be a list of objects"));
        Vec::new()
    }

    /// The text of a member. A number or a list there is a problem.
    fn text(&mut self, of: NodeId, name: &str) -> Option<String> {
        let member = self.json.member(of, name)?;
        let is_text = self.json.node(member).is_some_and(|it| it.kind == Kind::Text);
        let text = self.json.scalar(member).filter(|it| is_text && !it.is_empty());
        match text {
            None => self.problem(member, format!("\"{name}\" has to be a text that is not empty")),
            Some(text) if CODE_BYTES_MAX < text.len() => {
                self.problem(member, format!("a code has at most {CODE_BYTES_MAX} bytes"));
                return None;
            }
            Some(_) => {}
        }
        text
    }

    fn is_true(&self, of: NodeId, name: &str) -> bool {
        let member = self.json.member(of, name);
        member.and_then(|it| self.json.scalar(it)).is_some_and(|it| it == "true")
    }

    fn group(&mut self, group: NodeId, opens: bool) {
        for element in self.items(group, "element") {
            self.element(element);
        }
        let Some(unmapped) = self.json.member(group, "unmapped") else { return };
        let Some(answer) = self.unmapped_of(unmapped) else { return };
        if opens && answer == Unmapped::Itself {
            let text = "a table with opens = true cannot answer with the code itself: it would open \
                        whatever it is asked about";
            self.problem(unmapped, text);
        }
        match &self.unmapped {
            Some(other) if *other != answer => {
                let text = "another group says otherwise about codes that are not in the map, and a \
                            table has one answer";
                self.problem(unmapped, text);
            }
            _ => self.unmapped = Some(answer),
        }
    }

    fn unmapped_of(&mut self, unmapped: NodeId) -> Option<Unmapped> {
        match self.text(unmapped, "mode").as_deref() {
            Some("provided" | "use-source-code") => Some(Unmapped::Itself),
            Some("fixed") => match self.json.member(unmapped, "code") {
                Some(_) => self.text(unmapped, "code").map(Unmapped::Fixed),
                None => {
                    self.problem(unmapped, "the mode \"fixed\" needs a \"code\"");
                    None
                }
            },
            Some("other-map") => {
                self.problem(unmapped, "a table has no other map to look in: put its rows in here");
                None
            }
            Some(_) => {
                self.problem(
                    unmapped,
                    "\"mode\" has to be \"provided\", \"fixed\" or \"other-map\"",
                );
                None
            }
            None => {
                if self.json.member(unmapped, "mode").is_none() {
                    self.problem(unmapped, "needs a \"mode\"");
                }
                None
            }
        }
    }

    fn element(&mut self, element: NodeId) {
        if self.json.member(element, "code").is_none() {
            let text = "an element without a \"code\" (a \"valueSet\", say) is nothing to look up";
            return self.problem(element, text);
        }
        let Some(code) = self.text(element, "code") else { return };
        let Ok(to) = self.target(element) else { return };
        match self.rows.entry(code) {
            Entry::Vacant(free) => {
                free.insert(to);
            }
            Entry::Occupied(taken) if *taken.get() == to => {}
            Entry::Occupied(_) => {
                let text = "this code stands in an earlier element with another target; a table looks \
                            up by the code alone, whatever its system";
                self.problem(element, text);
            }
        }
    }

    /// The target of an element; none if nothing fits.
    fn target(&mut self, element: NodeId) -> Result<Option<String>, ()> {
        let targets = self.items(element, "target");
        if self.is_true(element, "noMap") {
            return Ok(None);
        }
        let (mut same, mut near) = (Vec::new(), Vec::new());
        for target in targets {
            for beyond in ["dependsOn", "product"] {
                if let Some(at) = self.json.member(target, beyond) {
                    let text =
                        format!("\"{beyond}\" is about other values, which a table does not know");
                    self.problem(at, text);
                    return Err(());
                }
            }
            let closeness = match self.json.member(target, "relationship") {
                Some(_) => self.text(target, "relationship"),
                None => self.text(target, "equivalence"),
            };
            let among = match closeness.as_deref() {
                Some("equal" | "equivalent") => &mut same,
                Some("unmatched" | "disjoint" | "not-related-to") => continue,
                _ => &mut near,
            };
            if self.json.member(target, "code").is_none() {
                self.problem(target, "a target that fits needs a \"code\"");
                return Err(());
            }
            among.push(self.text(target, "code").ok_or(())?);
        }
        let mut fitting = if same.is_empty() { near } else { same };
        fitting.dedup();
        match <[String; 1]>::try_from(fitting) {
            Ok([only]) => Ok(Some(only)),
            Err(none) if none.is_empty() => Ok(None),
            Err(several) => {
                let count = several.len();
                let text = format!(
                    "has {count} targets that fit as well; a table needs one: make it the only one \
                     that is \"equivalent\""
                );
                self.problem(element, text);
                Err(())
            }
        }
    }
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(bytes: &[u8]) -> Self {
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        Self(ends.map(|(at, _)| at + 1).collect())
    }

    /// The line of an offset, from 1.
    fn line(&self, offset: usize) -> u32 {
        let before = self.0.partition_point(|begins| *begins <= offset);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
