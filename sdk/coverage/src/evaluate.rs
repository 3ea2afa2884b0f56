//! Goes through a message by the guide's maps and judges each row that it exercises.

mod elements;
mod expected;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::Value;

use crate::condition::Condition;
use crate::guide::{Guide, Row, key};
use crate::path::{Node, Path};
use crate::source::{Element, Segment, Source};
use crate::structure::{Structure, structure_of};
use crate::value::{Expected, Wrong, judge};

use elements::Here;

const DETAIL_CHARACTERS_MAX: usize = 120;

/// What was found about one row at one place of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The row.
    pub id: String,
    /// Where in the message: `OBX[2]-5`.
    pub place: String,
    /// What is wrong, if anything is.
    pub found: Result<(), Wrong>,
    /// What was expected and what stands there instead. The messages are fixtures: nothing of a person.
    pub detail: String,
}

/// What was found about one message.
#[derive(Debug, Default)]
pub struct Found {
    /// Rows that are exercised.
    pub outcomes: Vec<Outcome>,
    /// Rows that would be if a person said so, and why.
    pub persons: BTreeMap<String, String>,
}

/// One message, what was made of it, and which rows the plugin reported.
pub struct Case<'a> {
    /// The guide.
    pub guide: &'a Guide,
    /// The message.
    pub source: &'a Source,
    /// The Bundle that was made of it.
    pub bundle: &'a Value,
    /// The rows that the plugin says it used.
    pub reported: &'a BTreeSet<String>,
}

/// Judges one message. None if the guide has no map for it.
pub fn evaluate(case: &Case<'_>) -> anyhow::Result<Option<Found>> {
    let (kind, event) = case.source.kind();
    let Some(name) = structure_of(&kind, &event) else { return Ok(None) };
    let rows = case.guide.messages.get(name).with_context(|| format!("no map {name}"))?;
    let structure = Structure::of(rows);
    let names: Vec<&str> = case.source.segments.iter().map(|it| it.name.as_str()).collect();
    let mut walk = Walk { case, found: Found::default(), made: BTreeMap::new() };
    for (at, slot) in structure.places(&names).into_iter().enumerate() {
        for row in slot.iter().flat_map(|it| &it.rows) {
            walk.message_row(at, row).with_context(|| row.id.clone())?;
        }
    }
    Ok(Some(walk.found))
}

struct Walk<'a> {
    case: &'a Case<'a>,
    found: Found,
    /// The resources that the last segment made of each type; several where they cannot be told apart.
    made: BTreeMap<&'a str, Vec<Node<'a>>>,
}

/// A map that is run on an element: where its targets are, and what its codes are looked up in.
struct Run<'b, 'c> {
    nodes: &'c [Node<'b>],
    /// The elements that these are in.
    around: &'c [Node<'b>],
    /// What these are called in those.
    name: Option<&'c str>,
    /// Rows of the table that the code of the element is in.
    translations: &'c [&'c Row],
    /// Whether there is such a table.
    is_looked_up: bool,
    place: &'c str,
}

impl<'a> Walk<'a> {
    fn segment(&self, at: usize) -> &'a Segment {
        &self.case.source.segments[at]
    }

    fn reported(&self, id: &str, found: Result<(), Wrong>) -> Result<(), Wrong> {
        found.and_then(|()| match self.case.reported.contains(id) {
            true => Ok(()),
            false => Err(Wrong::NotReported),
        })
    }

    /// Whether a row holds here; notes a row that only a person can decide on.
    fn holds(&mut self, row: &Row, here: &Here<'_>) -> bool {
        if let Some(why) = &row.person {
            self.found.persons.insert(row.id.clone(), why.clone());
            return false;
        }
        match Condition::read(&row.condition) {
            Ok(condition) => condition.holds(here),
            Err(fault) => {
                self.found.persons.insert(row.id.clone(), fault.to_string());
                false
            }
        }
    }

    fn message_row(&mut self, at: usize, row: &'a Row) -> anyhow::Result<()> {
        if row.target.is_empty() {
            return Ok(());
        }
        let here = Here::segment(self.case.source, at);
        if !self.holds(row, &here) {
            return Ok(());
        }
        let nodes = self.targets(&row.target)?;
        let segment = self.segment(at);
        let place = elements::name_of(segment);
        let map = match row.uses.is_empty() {
            true => None,
            false => {
                let map = self.case.guide.segments.get(&key(&row.uses));
                Some(map.with_context(|| format!("no segment map {}", row.uses))?.as_slice())
            }
        };
        let (outcomes, ours) = self.fitting(at, map, &nodes, &place)?;
        let kind = row.target.split(['[', '.']).next().unwrap_or_default();
        if !row.target.contains('.') {
            self.made.insert(kind, ours);
        }
        let found = judge(&nodes, &Expected::Filled).and_then(|()| self.references(row));
        let found = self.reported(&row.id, found);
        let detail = String::new();
        self.found.outcomes.push(Outcome { id: row.id.clone(), place, found, detail });
        self.found.outcomes.extend(outcomes);
        Ok(())
    }

    /// A segment's map judged by one resource alone: by that which it fits best, so that what another
    /// segment made of the same type does not stand in for it. All that fit as well are answered.
    fn fitting(
        &mut self,
        at: usize,
        map: Option<&[Row]>,
        nodes: &[Node<'a>],
        place: &str,
    ) -> anyhow::Result<(Vec<Outcome>, Vec<Node<'a>>)> {
        let Some(map) = map else { return Ok((Vec::new(), nodes.to_vec())) };
        let candidates = match nodes.len() {
            0 => vec![nodes],
            _ => nodes.chunks(1).collect(),
        };
        let mut best: Option<(usize, Vec<Outcome>, Vec<Node<'a>>)> = None;
        for candidate in candidates {
            let before = std::mem::take(&mut self.found.outcomes);
            let run = Run {
                nodes: candidate,
                around: &[],
                name: None,
                translations: &[],
                is_looked_up: false,
                place,
            };
            let mut rows = map.iter().filter(|it| !it.target.is_empty());
            let walked = rows.try_for_each(|row| {
                self.segment_row(at, map, row, &run).with_context(|| row.id.clone())
            });
            let outcomes = std::mem::replace(&mut self.found.outcomes, before);
            walked?;
            let failures = outcomes.iter().filter(|it| it.found.is_err()).count();
            match &mut best {
                Some((fewest, _, ours)) if *fewest == failures => ours.extend(candidate),
                Some((fewest, ..)) if *fewest < failures => {}
                _ => best = Some((failures, outcomes, candidate.to_vec())),
            }
        }
        Ok(best.map(|it| (it.1, it.2)).unwrap_or_default())
    }

    /// The resources that a message's row makes, or the elements in them.
    fn targets(&self, target: &str) -> anyhow::Result<Vec<Node<'a>>> {
        let bundle = self.case.bundle;
        let (kind, rest) = target.split_once('.').unwrap_or((target, ""));
        let kind = kind.split('[').next().unwrap_or_default();
        if kind == "Bundle" {
            return Ok(vec![Node::of(bundle)]);
        }
        let resources: Vec<Node<'a>> = resources(bundle, kind).collect();
        if rest.is_empty() {
            return Ok(resources);
        }
        Ok(Path::read(rest)?.select(&resources, bundle))
    }

    /// The same in the resources that the last segments made, where they made any.
    fn elements_of_ours(&self, target: &str) -> anyhow::Result<Vec<Node<'a>>> {
        let (kind, rest) = target.split_once('.').unwrap_or((target, ""));
        match self.made.get(kind.split('[').next().unwrap_or_default()) {
            Some(ours) => Ok(Path::read(rest)?.select(ours, self.case.bundle)),
            None => self.targets(target),
        }
    }

    /// Whether the references that a row sets are there: `Encounter[1].subject.reference=Patient[1].id`.
    fn references(&self, row: &Row) -> Result<(), Wrong> {
        let bundle = self.case.bundle;
        for line in row.references.split([';', '\n']).map(str::trim) {
            let Some((from, to)) = line.split_once('=') else { continue };
            // What is a constant, or not a reference, is no reference.
            let Some((from, to)) = from.strip_suffix(".reference").zip(to.strip_suffix(".id"))
            else {
                continue;
            };
            let kind = to.split('[').next().unwrap_or_default();
            // Nothing can refer to the Bundle that it is in.
            let Ok(nodes) = self.elements_of_ours(from) else { continue };
            if kind == "Bundle" {
                continue;
            }
            let ours = self.made.get(kind);
            let is_to = |node: &Node<'_>| {
                let found = node.target(bundle);
                found.is_some_and(|it| {
                    it.kind() == Some(kind)
                        && ours.is_none_or(|all| {
                            all.iter().any(|our| std::ptr::eq(our.value, it.value))
                        })
                })
            };
            // A message without the other segment has nothing to refer to.
            if resources(bundle, kind).next().is_some() && !nodes.iter().any(is_to) {
                return Err(Wrong::Reference);
            }
        }
        Ok(())
    }

    fn segment_row(
        &mut self,
        at: usize,
        map: &[Row],
        row: &Row,
        run: &Run<'_, '_>,
    ) -> anyhow::Result<()> {
        let segment = self.segment(at);
        let number = row.source.split_once('-').and_then(|it| it.1.parse::<u32>().ok());
        let Some(number) = number else {
            // A row of the segment as a whole.
            let here = Here::segment(self.case.source, at);
            let element = Element::of(&segment.name);
            return self.row(&here, map, row, &element, run);
        };
        let path = format!("{}-{number}", run.place);
        let mut all = Vec::new();
        for element in segment.field(number) {
            let here = Here::field(self.case.source, at, number, element);
            let place = Run { place: &path, ..*run };
            let before = std::mem::take(&mut self.found.outcomes);
            let walked = self.row(&here, map, row, element, &place);
            let outcomes = std::mem::replace(&mut self.found.outcomes, before);
            walked?;
            all.push(outcomes);
        }
        // Where FHIR takes one value and v2 has several, it is for the plugin to say which.
        if row.is_single && 1 < all.len() {
            let failures = |it: &Vec<Outcome>| it.iter().filter(|it| it.found.is_err()).count();
            let best = all.into_iter().filter(|it| !it.is_empty()).min_by_key(failures);
            all = best.into_iter().collect();
        }
        self.found.outcomes.extend(all.into_iter().flatten());
        Ok(())
    }

    /// A row of a segment or datatype with its element: itself, its table, its map.
    fn row(
        &mut self,
        here: &Here<'_>,
        map: &[Row],
        row: &Row,
        element: &Element,
        run: &Run<'_, '_>,
    ) -> anyhow::Result<()> {
        if !self.holds(row, here) {
            return Ok(());
        }
        let bundle = self.case.bundle;
        let path = told_apart(&row.target, map)?;
        // `[1].mode` in a map that ends at a PractitionerRole is of one of its Locations.
        let is_level = row.target.starts_with('[');
        let from = match is_level {
            true => run.nodes.iter().flat_map(|it| it.locations(bundle)).collect(),
            false => run.nodes.to_vec(),
        };
        let mut nodes = path.select(&from, bundle);
        let first = path.steps.first().map(|it| it.name.as_str());
        if !nodes.iter().any(Node::is_filled) && first == run.name {
            // XPN.1 is mapped to `family` by a map whose targets begin with `family` again.
            nodes = path.select(run.around, bundle);
        }
        let table = self.case.guide.tables.get(&key(&row.vocabulary));
        let is_looked_up = table.is_some() || run.is_looked_up;
        let translations: Vec<&Row> = match table {
            Some(table) => {
                let is_it = |it: &&Row| it.source == element.text() && !it.target.is_empty();
                table.iter().filter(is_it).collect()
            }
            None => run.translations.to_vec(),
        };
        // FHIR has no place for a code that its own required value set lacks.
        let is_strict = matches!(row.target_type.as_str(), "code" | "boolean");
        if table.is_some() && translations.is_empty() && is_strict {
            return Ok(());
        }
        let expected = expected::of(row, element, here, &translations, is_looked_up);
        let found = self.reported(&row.id, judge(&nodes, &expected));
        let detail = instead(found, &expected, &nodes);
        let place = run.place.to_owned();
        self.found.outcomes.push(Outcome { id: row.id.clone(), place, found, detail });
        if table.is_some() {
            for code in &translations {
                let expected = Expected::One(vec![code.target.clone()]);
                let found = self.reported(&code.id, judge(&nodes, &expected));
                let detail = instead(found, &expected, &nodes);
                let place = run.place.to_owned();
                self.found.outcomes.push(Outcome { id: code.id.clone(), place, found, detail });
            }
        }
        if row.uses.is_empty() {
            return Ok(());
        }
        let name = key(&row.uses);
        let map = self.case.guide.datatypes.get(&name);
        let map = map.with_context(|| format!("no map {} for {}", row.uses, row.id))?;
        // `CX[RelatedPerson-Mother]` makes a resource of its own.
        let kind = row.uses.split(['[', '-', ']', '.']).nth(1).unwrap_or_default();
        let is_other = |it: &Node<'_>| it.kind().is_some_and(|it| it != kind);
        // What an extension is in is no extension, and stays.
        if kind != "Extension" && path.is_self() && nodes.iter().all(is_other) {
            nodes = resources(bundle, kind).collect();
        }
        if is_resource(kind) {
            // A reference stands for the resource that its map fills.
            nodes = nodes.iter().map(|it| it.target(bundle).unwrap_or(*it)).collect();
        }
        if name == "pl[location]" {
            nodes = nodes.iter().flat_map(|it| it.levels(bundle)).collect();
        }
        let inner = Run {
            nodes: &nodes,
            around: run.nodes,
            name: path.steps.last().map(|it| it.name.as_str()),
            translations: &translations,
            is_looked_up,
            place: run.place,
        };
        self.datatype(here, map, element, &inner)
    }

    fn datatype(
        &mut self,
        here: &Here<'_>,
        map: &[Row],
        element: &Element,
        run: &Run<'_, '_>,
    ) -> anyhow::Result<()> {
        for row in map.iter().filter(|it| !it.target.is_empty()) {
            let number = row.source.split_once(['.', '-']).and_then(|it| it.1.parse::<u32>().ok());
            let part = match number {
                Some(number) => element.part(number),
                None => element.clone(),
            };
            if !part.is_valued() {
                continue;
            }
            let place = match number {
                Some(number) => format!("{}.{number}", run.place),
                None => run.place.to_owned(),
            };
            let inner = here.datatype(element, &part);
            let run = Run { place: &place, ..*run };
            self.row(&inner, map, row, &part, &run).with_context(|| row.id.clone())?;
        }
        Ok(())
    }
}

/// Types of resources that data types are mapped to.
fn is_resource(kind: &str) -> bool {
    [
        "Practitioner",
        "PractitionerRole",
        "Organization",
        "Location",
        "Device",
        "RelatedPerson",
        "Patient",
    ]
    .contains(&kind)
}

/// What was expected, and what stands there, both cut; nothing where all is well.
fn instead(judged: Result<(), Wrong>, expected: &Expected, nodes: &[Node<'_>]) -> String {
    if judged.is_ok() {
        return String::new();
    }
    let found = nodes.iter().map(|it| it.value.to_string()).collect::<Vec<_>>().join(" ");
    let cut = |text: String| text.chars().take(DETAIL_CHARACTERS_MAX).collect::<String>();
    format!("{} in {}", cut(format!("{expected:?}")), cut(found))
}

fn resources<'b>(bundle: &'b Value, kind: &str) -> impl Iterator<Item = Node<'b>> {
    let entries = bundle.get("entry").and_then(Value::as_array).into_iter().flatten();
    let all = entries.filter_map(|it| it.get("resource"));
    let contained =
        |it: &'b Value| it.get("contained").and_then(Value::as_array).into_iter().flatten();
    let all = all.flat_map(move |it| {
        let inside = contained(it).map(move |inner| Node::contained(inner, it));
        std::iter::once(Node::of(it)).chain(inside)
    });
    all.filter(move |it| it.kind() == Some(kind))
}

/// The target's path, with the `url` of each numbered extension that the map's own rows name.
fn told_apart(target: &str, map: &[Row]) -> anyhow::Result<Path> {
    let mut path = Path::read(target)?;
    for at in 0..path.steps.len() {
        if path.steps[at].name != "extension" {
            continue;
        }
        let prefix = path.prefix(at + 1);
        let mut urls = BTreeSet::new();
        for row in map {
            let other = Path::read(&row.target).ok();
            let other = other.filter(|it| it.steps.len() == at + 2 && it.prefix(at + 1) == prefix);
            let is_url = other.is_some_and(|it| it.steps[at + 1].name == "url");
            if is_url && let Some(url) = expected::constant(&row.assignment) {
                urls.insert(url);
            }
        }
        if urls.len() == 1 {
            path.steps[at].url = urls.into_iter().next();
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests;
