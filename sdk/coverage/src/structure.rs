//! Which place of its message structure each segment of a message is at.
//!
//! The same segment means different things after different ones: NTE after OBR and after OBX. The
//! structure is the order of the message map's rows, with its groups. A segment goes to the next place of
//! its name in the innermost group that it can continue or begin again; messages of the real world leave
//! out what is required, so nothing else is asked of them.

use crate::guide::Row;

/// A message structure.
pub struct Structure<'g> {
    slots: Vec<Slot<'g>>,
    groups: Vec<Group>,
}

/// A place for a segment.
pub struct Slot<'g> {
    /// The segment.
    pub name: &'g str,
    /// The rows of the map for it.
    pub rows: Vec<&'g Row>,
    group: usize,
}

struct Group {
    parent: Option<usize>,
    repeats: bool,
}

impl<'g> Structure<'g> {
    /// The structure that a message's map describes.
    pub fn of(rows: &'g [Row]) -> Self {
        let mut groups = vec![Group { parent: None, repeats: false }];
        let mut slots: Vec<Slot<'g>> = Vec::new();
        let mut group = 0;
        let mut source = "";
        for row in rows {
            if row.name.ends_with("begin") {
                groups.push(Group { parent: Some(group), repeats: row.source_type.contains('{') });
                group = groups.len() - 1;
                source = "";
            } else if row.source.starts_with('/') {
                group = groups[group].parent.unwrap_or(0);
                source = "";
            } else if row.source == source && !source.is_empty() {
                if let Some(slot) = slots.last_mut() {
                    slot.rows.push(row);
                }
            } else {
                source = &row.source;
                let name = row.source.rsplit(['.', ':']).next().unwrap_or_default();
                slots.push(Slot { name, rows: vec![row], group });
            }
        }
        Self { slots, groups }
    }

    /// The place of each segment, if it has one.
    pub fn places<'s>(&'s self, segments: &[&str]) -> Vec<Option<&'s Slot<'g>>> {
        let mut at: Option<usize> = None;
        let mut places = Vec::new();
        for name in segments {
            let next = self.next(at, name);
            at = next.or(at);
            places.push(next.map(|it| &self.slots[it]));
        }
        places
    }

    fn next(&self, at: Option<usize>, name: &str) -> Option<usize> {
        let mut group = Some(at.map_or(0, |it| self.slots[it].group));
        let from = at.unwrap_or(0);
        while let Some(inside) = group {
            let here = |it: &usize| self.slots[*it].name == name && self.is_in(*it, inside);
            let mut ahead = (from..self.slots.len()).filter(here);
            if let Some(slot) = ahead.next() {
                return Some(slot);
            }
            let is_root = self.groups[inside].parent.is_none();
            if (self.groups[inside].repeats || is_root)
                && let Some(slot) = (0..from).find(here)
            {
                return Some(slot);
            }
            group = self.groups[inside].parent;
        }
        None
    }

    fn is_in(&self, slot: usize, group: usize) -> bool {
        let mut inside = Some(self.slots[slot].group);
        while let Some(it) = inside {
            if it == group {
                return true;
            }
            inside = self.groups[it].parent;
        }
        false
    }
}

/// The map of the guide for an event, by HL7 table 0354. None if the guide has none: A03, for one.
pub fn structure_of(kind: &str, event: &str) -> Option<&'static str> {
    match (kind, event) {
        ("ADT", "A01" | "A04" | "A08" | "A13") => Some("ADT_A01"),
        ("ADT", "A02") => Some("ADT_A02"),
        ("ADT", "A05" | "A14" | "A28" | "A31") => Some("ADT_A05"),
        ("ADT", "A06" | "A07") => Some("ADT_A06"),
        ("ADT", "A09" | "A10" | "A12") => Some("ADT_A09"),
        ("ADT", "A11") => Some("ADT_A11"),
        ("ADT", "A17") => Some("ADT_A17"),
        ("ORU", "R01") => Some("ORU_R01"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let row = |source: &str, syntax: &str, name: &str| Row {
            source: source.to_owned(),
            source_type: syntax.to_owned(),
            name: name.to_owned(),
            ..Row::default()
        };
        vec![
            row("M.MSH", "MSH", "x"),
            row("M.PID", "PID", "x"),
            row("M.PID", "PID", "x"),
            row("M.NTE", "[{NTE}]", "x"),
            row("M.ORDER", "[{", "--- ORDER begin"),
            row("M.ORDER.OBR", "OBR", "x"),
            row("M.ORDER.NTE", "[{NTE}]", "x"),
            row("M.ORDER.OBSERVATION", "[{", "--- OBSERVATION begin"),
            row("M.ORDER.OBSERVATION.OBX", "OBX", "x"),
            row("M.ORDER.OBSERVATION.NTE", "[{NTE}]", "x"),
            row("/M.ORDER.OBSERVATION", "}]", "--- OBSERVATION end"),
            row("M.ORDER.SPM", "SPM", "x"),
            row("M.ORDER.OBX", "OBX", "x"),
            row("/M.ORDER", "}]", "--- ORDER end"),
        ]
    }

    #[test]
    fn a_segment_belongs_to_the_group_that_it_continues_or_begins_again() {
        let rows = rows();
        let structure = Structure::of(&rows);
        let segments = [
            "MSH", "PID", "NTE", "OBR", "NTE", "OBX", "NTE", "OBX", "OBX", "SPM", "OBX", "OBR",
            "ZZZ", "OBX",
        ];
        let places = structure.places(&segments);
        let sources: Vec<&str> =
            places.iter().map(|it| it.map_or("-", |it| it.rows[0].source.as_str())).collect();
        let expected = [
            "M.MSH",
            "M.PID",
            "M.NTE",
            "M.ORDER.OBR",
            "M.ORDER.NTE",
            "M.ORDER.OBSERVATION.OBX",
            "M.ORDER.OBSERVATION.NTE",
            "M.ORDER.OBSERVATION.OBX",
            "M.ORDER.OBSERVATION.OBX",
            "M.ORDER.SPM",
            "M.ORDER.OBX",
            "M.ORDER.OBR",
            "-",
            "M.ORDER.OBSERVATION.OBX",
        ];
        assert_eq!(sources, expected);
        assert_eq!(places[1].map(|it| it.rows.len()), Some(2));
    }
}
