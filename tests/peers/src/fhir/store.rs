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
#[derive(Clone, Debug, Default)]
pub(super) struct Resources {
    all: Vec<Stored>,
    ids_given: u64,
}

impl Resources {
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.all.iter().filter(move |it| it.kind == kind).map(|it| &it.resource)
    }

    pub(super) fn read(&self, kind: &str, id: &str) -> Option<&Stored> {
        self.all.iter().find(|it| it.kind == kind && it.id == id)
    }

    /// Those that all criteria fit.
    pub(super) fn search(
        &self,
        kind: &str,
        criteria: &[(String, String)],
    ) -> Result<Vec<&Stored>, String> {
        let mut found = Vec::new();
        for stored in self.all.iter().filter(|it| it.kind == kind) {
            let mut fits = true;
            for (name, value) in criteria {
                fits &= match name.as_str() {
                    "identifier" => has_identifier(&stored.resource, value),
                    "_id" => stored.id == *value,
                    _ if name.starts_with('_') => true,
                    _ => return Err(format!("the search parameter {name} is not known")),
                };
            }
            if fits {
                found.push(stored);
            }
        }
        Ok(found)
    }

    pub(super) fn next_id(&mut self) -> String {
        self.ids_given += 1;
        self.ids_given.to_string()
    }

    /// Makes or replaces a resource; its version.
    pub(super) fn put(&mut self, kind: &str, id: &str, mut resource: Value) -> u64 {
        let there = self.all.iter().position(|it| it.kind == kind && it.id == id);
        let version = there.and_then(|it| self.all.get(it)).map_or(1, |it| it.version + 1);
        if let Some(members) = resource.as_object_mut() {
            members.insert("id".into(), id.into());
            members.insert("meta".into(), serde_json::json!({ "versionId": version.to_string() }));
        }
        let stored = Stored { kind: kind.into(), id: id.into(), version, resource };
        match there.and_then(|it| self.all.get_mut(it)) {
            Some(slot) => *slot = stored,
            None => self.all.push(stored),
        }
        version
    }

    pub(super) fn remove(&mut self, kind: &str, id: &str) {
        self.all.retain(|it| it.kind != kind || it.id != id);
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
