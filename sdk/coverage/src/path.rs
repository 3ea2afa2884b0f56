//! Targets of the guide, and what stands at them in a Bundle.
//!
//! ```text
//! path = step { "." step }
//! step = name [ "[" numbers "]" ] [ "(" Type { "|" Type } [ "." path ] ")" ] [ "[" numbers "]" ]
//! ```
//!
//! `identifier[2]` is not the second: the number tells instances of a map apart, so it is left out here,
//! but for extensions, which the map's own row for `url` tells apart. `assigner(Organization.name)` is
//! `name` of the Organization that `assigner` refers to, contained or an entry of its own. `$this` and
//! `$value` are the element itself; a number before the path (`[1].name`) is the instance of the element.

use anyhow::bail;
use serde_json::Value;

/// A way into a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Its steps; none at all is the element itself.
    pub steps: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The element's name.
    pub name: String,
    /// The number behind it, as written.
    pub number: String,
    /// The types that it may refer to.
    pub types: Vec<String>,
    /// The `url` of the extension that is meant.
    pub url: Option<String>,
}

/// An element of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Node<'b> {
    /// It; null where only an extension of it is there.
    pub value: &'b Value,
    /// What JSON calls `_name`: id and extensions of a primitive.
    beside: Option<&'b Value>,
    /// The resource that it is in, the outermost one: it has the contained resources.
    root: &'b Value,
}

impl Path {
    /// Reads a target.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        let mut reader = Reader { rest: text.trim() };
        let mut steps = Vec::new();
        reader.steps(&mut steps)?;
        if !reader.rest.trim_matches(')').is_empty() {
            bail!("\"{text}\" cannot be read at \"{}\"", reader.rest);
        }
        Ok(Self { steps })
    }

    /// The nodes at this path from these.
    pub fn select<'b>(&self, from: &[Node<'b>], bundle: &'b Value) -> Vec<Node<'b>> {
        let mut nodes = from.to_vec();
        for step in &self.steps {
            let mut next = Vec::new();
            for node in &nodes {
                node.step(step, bundle, &mut next);
            }
            nodes = next;
        }
        nodes
    }

    /// Whether it is the element itself.
    pub fn is_self(&self) -> bool {
        self.steps.iter().all(|it| it.name.is_empty())
    }

    /// Whether the last step is a reference to a resource, of which nothing more is asked.
    pub fn ends_in_reference(&self) -> bool {
        self.steps.last().is_some_and(|it| !it.types.is_empty() && it.types != ["Annotation"])
    }

    /// The path in letters, for those that tell extensions apart.
    pub fn prefix(&self, length: usize) -> String {
        let name = |it: &Step| format!("{}[{}]({})", it.name, it.number, it.types.join("|"));
        self.steps[..length].iter().map(name).collect::<Vec<_>>().join(".")
    }
}

impl<'b> Node<'b> {
    /// A resource of a Bundle.
    pub fn of(resource: &'b Value) -> Self {
        Self { value: resource, beside: None, root: resource }
    }

    /// A resource that is contained in another one.
    pub fn contained(resource: &'b Value, root: &'b Value) -> Self {
        Self { value: resource, beside: None, root }
    }

    /// The type of the resource that it is, if it is one.
    pub fn kind(&self) -> Option<&'b str> {
        self.value.get("resourceType").and_then(Value::as_str)
    }

    /// The resource that it refers to, if it is a reference to one that is here.
    pub fn target(&self, bundle: &'b Value) -> Option<Self> {
        resolve(self.value.get("reference")?.as_str()?, self.root, bundle)
    }

    /// The Locations of a PractitionerRole, with those that they are parts of; anything else is itself.
    pub fn locations(&self, bundle: &'b Value) -> Vec<Self> {
        if self.kind() != Some("PractitionerRole") {
            return vec![*self];
        }
        let locations = self.value.get("location").and_then(Value::as_array).into_iter().flatten();
        let all = locations.map(|value| Self { value, beside: None, root: self.root });
        all.filter_map(|it| it.target(bundle)).flat_map(|it| it.levels(bundle)).collect()
    }

    /// The Locations that it is a part of, itself first: where HL7 v2 has one PL, FHIR has one Location for
    /// each of its levels.
    pub fn levels(&self, bundle: &'b Value) -> Vec<Self> {
        let mut levels = vec![*self];
        let parent = |it: &Node<'b>| {
            let reference = it.value.get("partOf")?.get("reference")?.as_str()?;
            resolve(reference, it.root, bundle)
        };
        // As many as PL has: a circle ends.
        while levels.len() < 8
            && let Some(next) = levels.last().and_then(parent)
        {
            levels.push(next);
        }
        levels
    }

    /// Whether anything is there: a value, or an extension in its place.
    pub fn is_filled(&self) -> bool {
        let is_empty = |it: &Value| match it {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        };
        !is_empty(self.value) || self.beside.is_some_and(|it| !is_empty(it))
    }

    fn step(&self, step: &Step, bundle: &'b Value, into: &mut Vec<Node<'b>>) {
        if step.name.is_empty() {
            into.push(*self);
            return;
        }
        let mut found = Vec::new();
        let beside = self.value.get(format!("_{}", step.name));
        match (self.value.get(&step.name), beside) {
            (Some(Value::Array(items)), beside) => {
                for (number, value) in items.iter().enumerate() {
                    let beside = beside.and_then(|it| it.get(number));
                    found.push(Node { value, beside, root: self.root });
                }
            }
            (Some(value), beside) => found.push(Node { value, beside, root: self.root }),
            (None, Some(beside)) => {
                found.push(Node { value: &Value::Null, beside: Some(beside), root: self.root });
            }
            (None, None) => {}
        }
        // An extension of a primitive.
        if let Some(Value::Array(items)) = self.beside.and_then(|it| it.get(&step.name)) {
            found.extend(items.iter().map(|value| Node { value, beside: None, root: self.root }));
        }
        if let Some(url) = &step.url {
            found.retain(|it| it.value.get("url").and_then(Value::as_str) == Some(url));
        }
        if step.types.is_empty() {
            into.extend(found);
        } else {
            into.extend(found.into_iter().filter_map(|it| it.referred(&step.types, bundle)));
        }
    }

    /// The resource that this reference is to, if it is of one of these types. A reference by identifier
    /// alone stands for a resource of which nothing else is known.
    fn referred(&self, types: &[String], bundle: &'b Value) -> Option<Node<'b>> {
        // An element that is no reference, such as `note(Annotation.text)`.
        if types.iter().any(|it| it == "Annotation") {
            return Some(*self);
        }
        let resource = match self.value.get("reference").and_then(Value::as_str) {
            Some(text) => resolve(text, self.root, bundle)?,
            None if self.value.get("identifier").is_some() => {
                return Some(*self);
            }
            None => return None,
        };
        let kind = resource.value.get("resourceType")?.as_str()?;
        types.iter().any(|it| it == kind).then_some(resource)
    }
}

/// The resource that a reference names: contained, or an entry.
pub fn resolve<'b>(reference: &str, root: &'b Value, bundle: &'b Value) -> Option<Node<'b>> {
    if let Some(id) = reference.strip_prefix('#') {
        let contained = root.get("contained")?.as_array()?;
        let found = contained.iter().find(|it| it.get("id").and_then(Value::as_str) == Some(id))?;
        return Some(Node { value: found, beside: None, root });
    }
    let is_it = |it: &&Value| it.get("fullUrl").and_then(Value::as_str) == Some(reference);
    let entry = bundle.get("entry")?.as_array()?.iter().find(is_it)?;
    entry.get("resource").map(Node::of)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn steps(&mut self, steps: &mut Vec<Step>) -> anyhow::Result<()> {
        loop {
            let mut step = Step { name: self.name().to_owned(), ..Step::default() };
            step.number = self.number();
            if self.take(':') {
                // A slice's name.
                self.name();
            }
            if step.name.starts_with('$') {
                step.name.clear();
            }
            // `organization.(Organization)`
            if self.rest.starts_with(".(") {
                self.take('.');
            }
            let has_types = self.take('(');
            let mut inner = Vec::new();
            if has_types {
                // `policyHolder([1]Organization.identifier)`
                self.number();
                step.types.push(self.name().to_owned());
                while self.take('|') {
                    step.types.push(self.name().to_owned());
                }
                self.number();
                if self.take('.') {
                    self.steps(&mut inner)?;
                }
                // Some brackets are never closed.
                self.take(')');
                step.number.push_str(&self.number());
            }
            match steps.last_mut() {
                // `partOf.reference(Location[6])` is `partOf(Location)`.
                Some(before) if step.name == "reference" && has_types => before.types = step.types,
                _ => steps.push(step),
            }
            steps.append(&mut inner);
            if !self.take('.') {
                return Ok(());
            }
        }
    }

    fn name(&mut self) -> &'a str {
        let is_end =
            |it: char| !(it.is_ascii_alphanumeric() || it == '$' || it == '-' || it == '_');
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name
    }

    fn number(&mut self) -> String {
        let Some(inside) = self.rest.strip_prefix('[') else { return String::new() };
        // `[3.version`, `[2}`: typing errors.
        let end = inside.find([']', '}', '.']).unwrap_or(inside.len());
        let (number, rest) = inside.split_at(end);
        self.rest = rest.strip_prefix([']', '}']).unwrap_or(rest);
        number.to_owned()
    }

    fn take(&mut self, sign: char) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bundle() -> Value {
        json!({ "entry": [
            { "fullUrl": "urn:uuid:p", "resource": { "resourceType": "Patient",
                "contained": [{ "resourceType": "Organization", "id": "o", "name": "HOSP" }],
                "birthDate": "1970", "_birthDate": { "extension": [{ "url": "time", "valueDateTime": "x" }] },
                "identifier": [
                    { "value": "1", "assigner": { "reference": "#o" } },
                    { "value": "2", "assigner": { "reference": "#gone" } } ],
                "_gender": { "extension": [{ "url": "absent", "valueCode": "unknown" }] },
                "extension": [{ "url": "a", "valueString": "A" }, { "url": "b", "valueString": "B" }] } },
            { "fullUrl": "urn:uuid:e", "resource": { "resourceType": "Encounter",
                "participant": [{ "individual": { "reference": "urn:uuid:d" } }],
                "subject": { "reference": "urn:uuid:p" } } },
            { "fullUrl": "urn:uuid:d", "resource": { "resourceType": "Practitioner",
                "name": [{ "family": "X", "given": ["Y", "Z"] }] } } ] })
    }

    fn check(entry: usize, path: &str) -> Vec<String> {
        let bundle = bundle();
        let path = Path::read(path).expect("a path");
        let found = path.select(&[Node::of(&bundle["entry"][entry]["resource"])], &bundle);
        found
            .iter()
            .map(|it| it.value.as_str().map_or_else(|| it.value.to_string(), str::to_owned))
            .collect()
    }

    #[test]
    fn every_instance_is_found_whatever_its_number() {
        assert_eq!(check(0, "identifier[3].value"), ["1", "2"]);
        assert_eq!(check(0, "identifier[1-6].value"), ["1", "2"]);
        assert_eq!(check(0, "extension[1].valueString"), ["A", "B"]);
        assert_eq!(check(0, "nothing").len(), 0);
    }

    #[test]
    fn references_are_followed_to_resources_of_their_type() {
        assert_eq!(check(0, "identifier.assigner(Organization.name)"), ["HOSP"]);
        assert_eq!(check(1, "participant[1].individual(Practitioner.name.given)"), ["Y", "Z"]);
        assert_eq!(check(1, "participant[1].individual(Organization.name)").len(), 0);
        assert_eq!(check(1, "subject(Practitioner|Patient).birthDate"), ["1970"]);
        // As the guide has it: a bracket that is never closed, a point too many.
        assert_eq!(check(1, "participant.individual(Practitioner.name.family"), ["X"]);
        assert_eq!(check(1, "participant.individual.(Practitioner).name.family"), ["X"]);
    }

    #[test]
    fn extensions_of_primitives_are_beside_them() {
        assert_eq!(check(0, "birthDate.extension[1].valueDateTime"), ["x"]);
        assert_eq!(check(0, "gender.extension.valueCode"), ["unknown"]);
        let bundle = bundle();
        let gender = Path::read("gender").expect("a path");
        let found = gender.select(&[Node::of(&bundle["entry"][0]["resource"])], &bundle);
        assert!(found[0].is_filled() && found[0].value.is_null());
    }

    #[test]
    fn an_extension_is_told_by_its_url() {
        let bundle = bundle();
        let mut path = Path::read("extension[2].valueString").expect("a path");
        path.steps[0].url = Some("b".to_owned());
        let found = path.select(&[Node::of(&bundle["entry"][0]["resource"])], &bundle);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].value, "B");
    }
}
