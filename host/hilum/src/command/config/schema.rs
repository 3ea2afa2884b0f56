//! The JSON Schema of a configuration, for editors: made of what the readers asked for.
//!
//! Promises: JSON Schema 2020-12; a key that no reader accepts is refused, as `hilum check` does.
//! Not here: what only the readers can tell, such as whether a route's listener exists.

use hilum_words::config::{ANY, Asked, Key, Step, Table, Type};
use serde_json::{Map, Value, json};

/// As `hilum_words::config::parse_duration` reads it.
const DURATION: &str = "^[0-9][0-9_]* *(ms|s|m|min|h|d)$";

/// As `hilum_words::config::parse_size` reads it.
const SIZE: &str = "^[0-9][0-9_]* *(B|kB|KB|MB|GB|KiB|MiB|GiB)?$";

/// The schema of all that was asked for.
pub fn of(asked: &Asked) -> Value {
    let mut writer = Writer { asked, definitions: Map::new() };
    let nothing = Table::default();
    let root = writer.object(&[], asked.tables.get(&[][..]).unwrap_or(&nothing), None);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A configuration of Hilum",
    });
    if let (Some(schema), Value::Object(root)) = (schema.as_object_mut(), root) {
        schema.extend(root);
        schema.insert("$defs".to_owned(), Value::Object(writer.definitions));
    }
    schema
}

struct Writer<'a> {
    asked: &'a Asked,
    /// The tables that have a kind.
    definitions: Map<String, Value>,
}

impl Writer<'_> {
    /// A table, and its `kind` if only one is meant.
    fn object(&mut self, way: &[Step], table: &Table, kind: Option<&str>) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut secrets = Vec::new();
        for (name, key) in &table.keys {
            if key.types.contains(&Type::Secret) {
                secrets.push((name, key.is_required));
                continue;
            }
            if name == ANY {
                continue;
            }
            if key.is_required || (name == "kind" && kind.is_some()) {
                required.push(name.clone());
            }
            let schema = match kind.filter(|_| name == "kind") {
                Some(kind) => json!({ "const": kind }),
                None => self.key(way, name, key),
            };
            properties.insert(name.clone(), schema);
        }
        let others = match table.keys.get(ANY) {
            Some(any) => self.key(way, ANY, any),
            None => json!(table.is_open),
        };
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": others,
        });
        let Some(members) = schema.as_object_mut() else { return schema };
        if !required.is_empty() {
            members.insert("required".to_owned(), json!(required));
        }
        if !secrets.is_empty() {
            let all: Vec<_> =
                secrets.iter().map(|(name, needed)| one_of_three(name, *needed)).collect();
            members.insert("allOf".to_owned(), json!(all));
        }
        schema
    }

    fn key(&mut self, way: &[Step], name: &str, key: &Key) -> Value {
        let mut choices: Vec<Value> = Vec::new();
        for kind in &key.types {
            choices.extend(match kind {
                // A word is a text, too: the words say more.
                Type::Text if key.types.contains(&Type::Word) => None,
                Type::Text => Some(text(&key.words)),
                Type::Word => Some(text(&key.words)),
                Type::Boolean => Some(json!({ "type": "boolean" })),
                Type::Integer => Some(integer(key)),
                Type::Duration => Some(json!({ "type": "string", "pattern": DURATION })),
                Type::Size => Some(json!({
                    "type": ["string", "integer"], "pattern": SIZE, "minimum": 1
                })),
                Type::Texts => Some(json!({ "type": "array", "items": text(&key.words) })),
                Type::Table => Some(self.tables(way, name)),
                Type::Named => {
                    let step = Step { key: name.to_owned(), kind: String::new() };
                    let way = [way, &[step]].concat();
                    Some(
                        json!({ "type": "object", "additionalProperties": self.tables(&way, ANY) }),
                    )
                }
                Type::Secret => None,
            });
        }
        let mut schema = match choices.len() {
            0 => json!(true),
            1 => choices.swap_remove(0),
            _ => json!({ "anyOf": choices }),
        };
        let default = key.default.as_ref().and_then(|it| serde_json::from_str::<Value>(it).ok());
        if let (Some(default), Some(members)) = (default, schema.as_object_mut()) {
            members.insert("default".to_owned(), default);
        }
        schema
    }

    /// The table under a key: one of several kinds, or of none.
    fn tables(&mut self, way: &[Step], name: &str) -> Value {
        let asked = self.asked;
        let all: Vec<_> = asked.below(way, name).collect();
        let kind = |way: &[Step]| way.last().map(|it| it.kind.clone()).unwrap_or_default();
        let kinds: Vec<String> =
            all.iter().map(|(way, _)| kind(way)).filter(|it| !it.is_empty()).collect();
        if kinds.is_empty() {
            return match all.first() {
                Some((way, table)) => self.object(way, table, None),
                None => json!({ "type": "object" }),
            };
        }
        let mut branches = Vec::new();
        for (way, table) in all {
            let kind = kind(way);
            if kind.is_empty() {
                continue;
            }
            let definition = definition_name(way);
            let mut object = self.object(way, table, Some(&kind));
            if let Some(members) = object.as_object_mut() {
                members.insert("title".to_owned(), json!(format!("kind = \"{kind}\"")));
            }
            self.definitions.insert(definition.clone(), object);
            branches.push(json!({
                "if": { "properties": { "kind": { "const": kind } }, "required": ["kind"] },
                "then": { "$ref": format!("#/$defs/{definition}") },
            }));
        }
        json!({
            "type": "object",
            "properties": { "kind": { "enum": kinds } },
            "required": ["kind"],
            "allOf": branches,
        })
    }
}

/// `listener-mllp`, `destination-http-auth-basic`.
fn definition_name(way: &[Step]) -> String {
    let parts = way.iter().flat_map(|it| [it.key.as_str(), it.kind.as_str()]);
    parts.filter(|it| !it.is_empty() && *it != ANY).collect::<Vec<_>>().join("-")
}

/// A string; one of these, if there are any.
fn text(words: &[String]) -> Value {
    match words {
        [] => json!({ "type": "string" }),
        words => json!({ "type": "string", "enum": words }),
    }
}

fn integer(key: &Key) -> Value {
    let (first, last) = key.range.unwrap_or((0, u64::MAX));
    let mut schema = json!({ "type": "integer", "minimum": first });
    if let Some(members) = schema.as_object_mut().filter(|_| last != u64::MAX) {
        members.insert("maximum".to_owned(), json!(last));
    }
    schema
}

/// One reference to a secret; none where it may be absent.
fn one_of_three(name: &str, is_required: bool) -> Value {
    let keys = ["_file", "_env", "_credential"].map(|ending| format!("{name}{ending}"));
    let mut choices: Vec<_> = keys.iter().map(|key| json!({ "required": [key] })).collect();
    if !is_required {
        choices.push(json!({ "not": { "anyOf": choices } }));
    }
    json!({ "oneOf": choices })
}

#[cfg(test)]
mod tests;
