//! Why a value has its class, and what becomes of it: for people who set up a site.
//!
//! Promises: asks the same judge as a view and the same tables as clearing; what a sight or clearance hides
//! is not in the answer.
//! Not here: what a plugin makes of it, and what a leak search finds.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use hilum_message::hl7v2::Place;
use hilum_message::{At, Found, Json, Kind, Message, NodeId};

use crate::fhir::Standing;
use crate::origin::Classer;
use crate::{Class, Classes, Clear, Clearance, Grant, Input, Policy, RunSeed, Sight};

/// One value of a message, as somebody sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Explained {
    /// Where it stands: `PID-5.1`, `name[0].family`.
    pub place: String,
    /// Its classes; none is open to everybody.
    pub classes: Classes,
    /// `open`, `seal`, `withhold`, `mask`, or `park`.
    pub verdict: &'static str,
    /// What is seen there: the value, a token, `***`, or nothing.
    pub seen: String,
    /// The line of a table, or of the site's `[phi]`, that decides.
    pub rule: String,
}

/// The place and its classes: what is seen may be PHI.
impl fmt::Debug for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Explained({}, {}, {})", self.place, self.classes, self.verdict)
    }
}

/// A line of `fields.txt`.
struct Line {
    class: &'static str,
    why: &'static str,
    types: &'static str,
    name: String,
}

static LINES: LazyLock<BTreeMap<&'static str, Line>> = LazyLock::new(|| {
    let lines = include_str!("table/fields.txt").lines().filter(|it| !it.starts_with('#'));
    let line = |text: &'static str| {
        let mut words = text.split_whitespace();
        let (field, class, why, types) =
            (words.next()?, words.next()?, words.next()?, words.next()?);
        let name = words.collect::<Vec<_>>().join(" ");
        Some((field, Line { class, why, types, name }))
    };
    lines.filter_map(line).collect()
});

impl Policy {
    /// Each value of a message as a plugin with this grant sees it.
    pub fn explain(&self, message: &Arc<Message>, grant: &Grant, seed: RunSeed) -> Vec<Explained> {
        let why = Why::new(message, self);
        let mut view = self.view(Input::Message(Arc::clone(message)), grant, seed, 0);
        let mut all = Vec::new();
        for (id, name) in why.unknown_names() {
            let json = message.as_json();
            let seen = json.and_then(|json| view.shown_name(json, id)).unwrap_or(name);
            let sight = grant.sight(Class::Unknown);
            all.push((id.index(), why.of_name(id, sight.word(), seen)));
        }
        for found in message.values() {
            let (sight, seen) = view.seen(&found);
            all.push((index_of(&found), why.of(&found, sight.word(), seen)));
        }
        in_order(all)
    }

    /// Each value of a message as a destination with this clearance gets it, if no plugin has touched
    /// it.
    pub fn explain_cleared(&self, message: &Arc<Message>, clearance: &Clearance) -> Vec<Explained> {
        let why = Why::new(message, self);
        let mut all = Vec::new();
        for (id, name) in why.unknown_names() {
            let (verdict, seen) = match clearance.clear_of(Class::Unknown.into()) {
                Ok(Clear::Open) => ("open", name),
                // A name cannot be masked.
                Ok(Clear::Mask | Clear::Withhold) => ("withhold", String::new()),
                Err(_) => ("park", String::new()),
            };
            all.push((id.index(), why.of_name(id, verdict, seen)));
        }
        for found in message.values() {
            let (verdict, seen) = match clearance.clear_of(why.classer.classes(found.at)) {
                Ok(Clear::Open) => ("open", text_of(message, &found)),
                Ok(Clear::Mask) if is_gone(message, &found) => ("withhold", String::new()),
                Ok(Clear::Mask) => ("mask", "***".to_owned()),
                Ok(Clear::Withhold) => ("withhold", String::new()),
                Err(_) => ("park", String::new()),
            };
            all.push((index_of(&found), why.of(&found, verdict, seen)));
        }
        in_order(all)
    }
}

/// Nodes in the order of the document; values of other formats come in order.
fn in_order(mut all: Vec<(usize, Explained)>) -> Vec<Explained> {
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, it)| it).collect()
}

fn index_of(found: &Found) -> usize {
    match found.at {
        At::Json(node) => node.index(),
        At::Hl7(_) | At::Body => 0,
    }
}

/// A number or boolean of JSON cannot be masked.
fn is_gone(message: &Message, found: &Found) -> bool {
    matches!(message.json_kind(found.at), Some(Kind::Number | Kind::Boolean))
}

fn text_of(message: &Message, found: &Found) -> String {
    match found.at {
        At::Body => {
            let raw = message.bytes().get(found.range.clone()).unwrap_or_default();
            String::from_utf8_lossy(raw).into_owned()
        }
        _ => message.text_of(found).ok().flatten().unwrap_or_default(),
    }
}

/// The rules behind one message's values.
struct Why {
    classer: Classer,
    standings: Vec<Standing>,
}

impl Why {
    fn new(message: &Arc<Message>, policy: &Policy) -> Self {
        let rules = policy.rules();
        let json = message.as_json();
        let standings = json.map(|it| rules.fhir().standings(it)).unwrap_or_default();
        Self { classer: Classer::new(Arc::clone(message), Arc::clone(rules)), standings }
    }

    fn unknown_names(&self) -> Vec<(NodeId, String)> {
        let Some(json) = self.classer.message().as_json() else { return Vec::new() };
        let is_unknown = |id: &NodeId| !self.classer.name_classes(json, *id).is_empty();
        let ids = json.nodes().map(|(id, _)| id).filter(is_unknown);
        ids.filter_map(|id| Some((id, json.name(id)?))).collect()
    }

    fn of(&self, found: &Found, verdict: &'static str, seen: String) -> Explained {
        let rule = match (found.at, self.classer.message().as_json()) {
            (At::Hl7(place), _) => self.of_hl7(&place),
            (At::Json(id), Some(json)) => self.of_json(json, id),
            (At::Json(_) | At::Body, _) => "a body without a reader is one value".to_owned(),
        };
        let place = self.classer.message().place_name(found.at);
        Explained { place, classes: self.classer.classes(found.at), verdict, seen, rule }
    }

    fn of_name(&self, id: NodeId, verdict: &'static str, seen: String) -> Explained {
        Explained {
            place: self.classer.message().place_name(At::Json(id)),
            classes: Class::Unknown.into(),
            verdict,
            seen,
            rule: "a name that no element of FHIR has".to_owned(),
        }
    }

    fn of_hl7(&self, place: &Place) -> String {
        let Place { segment, field, component, .. } = place;
        if let Some(it) = self.classer.rules().line_of(place) {
            return format!("[phi] \"{}\" = \"{}\"", it.path, it.classes);
        }
        let Some(line) = LINES.get(format!("{segment}-{field}").as_str()) else {
            return format!("no version of HL7 v2 has {segment}-{field}");
        };
        let Line { class, why, types, name } = line;
        let because = match *why {
            "phi" => "named by the PHI table",
            "keep" => "kept by the PHI table",
            "decided" => "decided",
            _ => "by its type",
        };
        if *class == "varies" {
            let of = self.classer.value_type(place).unwrap_or("nothing");
            return format!("{name}: by OBX-2, which is {of}");
        }
        let entry = self.classer.classes(At::Hl7(*place));
        if entry.to_string() == *class {
            return format!("{name}: {class}, {because} ({types})");
        }
        format!("{name}: {class}, {because}; component {component} of {types} is {entry}")
    }

    fn of_json(&self, json: &Json, id: NodeId) -> String {
        let standing = self.standings.get(id.index());
        let line = standing.and_then(Standing::line).map(usize::from);
        let overrides = &self.classer.rules().overrides;
        if let Some(it) = line.and_then(|line| overrides.iter().nth(line)) {
            return format!("[phi] \"{}\" = \"{}\"", it.path, it.classes);
        }
        let element = standing.and_then(|it| self.classer.rules().fhir().element(json, id, it));
        let classes = self.classer.classes(At::Json(id));
        match element {
            _ if json.plain_name(id) == Some("resourceType") && classes.is_empty() => {
                "the type of a resource".to_owned()
            }
            Some(element) if classes.has(Class::Unknown) && !element.starts_with("Extension.") => {
                format!("{element}, but not a value that it may have")
            }
            Some(element) => element,
            None => "no element of FHIR R4 stands here".to_owned(),
        }
    }
}

/// What a view shows of a value.
impl crate::View {
    fn seen(&mut self, found: &Found) -> (Sight, String) {
        use crate::view::Shown;

        match self.show(found) {
            Shown::Plain => (Sight::Open, text_of(self.message(), found)),
            Shown::Text(text, _) => (Sight::Open, text),
            Shown::Sealed(token) => (Sight::Seal, token.to_string()),
            Shown::Withheld => (Sight::Withhold, String::new()),
        }
    }
}

#[cfg(test)]
mod tests;
