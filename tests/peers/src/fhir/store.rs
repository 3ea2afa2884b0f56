use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// One resource.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) resource: Value,
}

/// All resources, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Resources {
    /// A removed one leaves its place empty.
    all: Vec<Option<Stored>>,
    /// Place by type and id.
    ids: BTreeMap<(String, String), usize>,
    /// Places by type and value of an identifier, whatever its system.
    values: BTreeMap<(String, String), BTreeSet<usize>>,
    ids_given: u64,
}

impl Resources {
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.stored(kind).map(|it| &it.resource)
    }

    fn stored(&self, kind: &str) -> impl Iterator<Item = &Stored> {
        self.all.iter().flatten().filter(move |it| it.kind == kind)
    }

    pub(super) fn read(&self, kind: &str, id: &str) -> Option<&Stored> {
        let place = self.ids.get(&(kind.to_owned(), id.to_owned()))?;
        self.all.get(*place)?.as_ref()
    }

    /// Those that all criteria fit.
    pub(super) fn search(
        &self,
        kind: &str,
        criteria: &[(String, String)],
    ) -> Result<Vec<&Stored>, String> {
        let known = |name: &str| name.starts_with('_') || name == "identifier";
        if let Some((name, _)) = criteria.iter().find(|(name, _)| !known(name)) {
            return Err(format!("the search parameter {name} is not known"));
        }
        let fits = |stored: &&Stored| {
            criteria.iter().all(|(name, value)| match name.as_str() {
                "identifier" => has_identifier(&stored.resource, value),
                "_id" => stored.id == *value,
                _ => true,
            })
        };
        let identifier = criteria.iter().find(|(name, _)| name == "identifier");
        let Some((_, wanted)) = identifier else {
            return Ok(self.stored(kind).filter(fits).collect());
        };
        let value = wanted.split_once('|').map_or(wanted.as_str(), |(_, value)| value);
        let places = self.values.get(&(kind.to_owned(), value.to_owned()));
        let places = places.into_iter().flatten().filter_map(|it| self.all.get(*it)?.as_ref());
        Ok(places.filter(fits).collect())
    }

    pub(super) fn next_id(&mut self) -> String {
        self.ids_given += 1;
        self.ids_given.to_string()
    }

    /// Makes or replaces a resource; its version.
    pub(super) fn put(&mut self, kind: &str, id: &str, mut resource: Value) -> u64 {
        let key = (kind.to_owned(), id.to_owned());
        let place = *self.ids.entry(key).or_insert(self.all.len());
        if place == self.all.len() {
            self.all.push(None);
        }
        let earlier = self.all.get_mut(place).and_then(Option::take);
        let version = earlier.as_ref().map_or(1, |it| it.version + 1);
        if let Some(earlier) = earlier {
            self.index(place, &earlier, false);
        }
        if let Some(members) = resource.as_object_mut() {
            members.insert("id".into(), id.into());
            members.insert("meta".into(), serde_json::json!({ "versionId": version.to_string() }));
        }
        let stored = Stored { kind: kind.into(), id: id.into(), version, resource };
        self.index(place, &stored, true);
        if let Some(slot) = self.all.get_mut(place) {
            *slot = Some(stored);
        }
        version
    }

    pub(super) fn remove(&mut self, kind: &str, id: &str) {
        let Some(place) = self.ids.remove(&(kind.to_owned(), id.to_owned())) else { return };
        if let Some(stored) = self.all.get_mut(place).and_then(Option::take) {
            self.index(place, &stored, false);
        }
    }

    fn index(&mut self, place: usize, stored: &Stored, is_there: bool) {
        let identifiers = stored.resource.get("identifier").and_then(Value::as_array);
        for value in identifiers.into_iter().flatten().filter_map(|it| it.get("value")?.as_str()) {
            let places = self.values.entry((stored.kind.clone(), value.to_owned())).or_default();
            if is_there {
                places.insert(place);
            } else {
                places.remove(&place);
            }
        }
    }
}

/// `system|value`, `|value` (no system) or `value` (any system).
fn has_identifier(resource: &Value, wanted: &str) -> bool {
    let identifiers = resource.get("identifier").and_then(Value::as_array);
    identifiers.into_iter().flatten().any(|it| {
        let text = |name: &str| it.get(name).and_then(Value::as_str);
        match wanted.split_once('|') {
            Some(("", value)) => text("system").is_none() && text("value") == Some(value),
            Some((system, value)) => text("system") == Some(system) && text("value") == Some(value),
            None => text("value") == Some(wanted),
        }
    })
}
