//! `POST [base]`: a transaction (all or nothing) or a batch (each for itself).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::store::Resources;

/// Why something was not done: a status, an issue type, a sentence.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) text: String,
}

impl Failed {
    pub(super) fn new(status: u16, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into() }
    }

    pub(super) fn outcome(&self) -> Value {
        let issue = json!({ "severity": "error", "code": self.code, "diagnostics": self.text });
        json!({ "resourceType": "OperationOutcome", "issue": [issue] })
    }
}

fn invalid(text: impl Into<String>) -> Failed {
    Failed::new(400, "invalid", text)
}

/// Does what a Bundle asks for and answers the response Bundle.
pub(super) fn run(resources: &mut Resources, bundle: &Value) -> Result<Value, Failed> {
    if text(bundle, "resourceType") != Some("Bundle") {
        return Err(invalid("a Bundle is expected here"));
    }
    let none = Vec::new();
    let entries = bundle.get("entry").and_then(Value::as_array).unwrap_or(&none);
    match text(bundle, "type") {
        Some("transaction") => {
            let answers = apply(resources, entries)?;
            Ok(response("transaction-response", answers))
        }
        Some("batch") => {
            let each =
                entries.iter().map(|entry| match apply(resources, std::slice::from_ref(entry)) {
                    Ok(mut answers) => answers.pop().unwrap_or_default(),
                    Err(failed) => json!({
                        "status": failed.status.to_string(), "outcome": failed.outcome(),
                    }),
                });
            let answers = each.collect();
            Ok(response("batch-response", answers))
        }
        _ => Err(invalid("the type of the Bundle must be transaction or batch")),
    }
}

/// Does what one entry asks for and answers its response.
pub(super) fn one(resources: &mut Resources, entry: &Value) -> Result<Value, Failed> {
    let mut answers = apply(resources, std::slice::from_ref(entry))?;
    answers.pop().ok_or_else(|| invalid("nothing was asked"))
}

/// A response Bundle.
pub(super) fn response(kind: &str, answers: Vec<Value>) -> Value {
    let entries: Vec<Value> = answers.into_iter().map(|it| json!({ "response": it })).collect();
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

/// What one entry comes down to, before anything is changed.
enum Act {
    Put {
        kind: String,
        id: String,
        is_new: bool,
    },
    /// `ifNoneExist` found one.
    Nothing {
        kind: String,
        id: String,
    },
    Remove {
        kind: String,
        id: String,
    },
}

fn apply(resources: &mut Resources, entries: &[Value]) -> Result<Vec<Value>, Failed> {
    let mut acts = Vec::new();
    let mut identities = BTreeMap::new();
    let mut touched = Vec::new();
    for entry in entries {
        let act = decide(resources, entry)?;
        let (Act::Put { kind, id, .. } | Act::Nothing { kind, id } | Act::Remove { kind, id }) =
            &act;
        if touched.contains(&(kind.clone(), id.clone())) {
            return Err(invalid(format!("two entries are about {kind}/{id}")));
        }
        touched.push((kind.clone(), id.clone()));
        if let Some(full_url) = text(entry, "fullUrl") {
            identities.insert(full_url.to_owned(), format!("{kind}/{id}"));
        }
        acts.push(act);
    }
    // What can fail comes before what changes: all or nothing.
    let mut ready = Vec::new();
    for entry in entries {
        let mut resource = entry.get("resource").cloned().unwrap_or_default();
        resolve(&mut resource, &identities)?;
        ready.push(resource);
    }
    let mut answers = Vec::new();
    for (resource, act) in ready.into_iter().zip(acts) {
        answers.push(match act {
            Act::Put { kind, id, is_new } => {
                let version = resources.put(&kind, &id, resource);
                json!({
                    "status": if is_new { "201 Created" } else { "200 OK" },
                    "location": format!("{kind}/{id}/_history/{version}"),
                    "etag": format!("W/\"{version}\""),
                })
            }
            Act::Nothing { kind, id } => {
                json!({ "status": "200 OK", "location": format!("{kind}/{id}") })
            }
            Act::Remove { kind, id } => {
                resources.remove(&kind, &id);
                json!({ "status": "204 No Content" })
            }
        });
    }
    Ok(answers)
}

fn decide(resources: &mut Resources, entry: &Value) -> Result<Act, Failed> {
    let request = entry.get("request").ok_or_else(|| invalid("an entry has no request"))?;
    let method = text(request, "method").ok_or_else(|| invalid("a request has no method"))?;
    let url = text(request, "url").ok_or_else(|| invalid("a request has no url"))?;
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let (kind, id) = match path.split_once('/') {
        Some((kind, id)) => (kind, Some(id)),
        None => (path, None),
    };
    if method != "DELETE" {
        let resource = entry.get("resource").ok_or_else(|| invalid("an entry has no resource"))?;
        if text(resource, "resourceType") != Some(kind) {
            return Err(invalid("the resource is of another type than its request's url"));
        }
    }
    let kind = kind.to_owned();
    match (method, id, query) {
        ("POST", None, "") => {
            if let Some(condition) = text(request, "ifNoneExist") {
                let condition = condition.split_once('?').map_or(condition, |(_, query)| query);
                if let Some(id) = the_one(resources, &kind, condition)? {
                    return Ok(Act::Nothing { kind, id });
                }
            }
            let id = resources.next_id();
            Ok(Act::Put { kind, id, is_new: true })
        }
        ("PUT", Some(id), "") => {
            let is_new = resources.read(&kind, id).is_none();
            Ok(Act::Put { kind, id: id.to_owned(), is_new })
        }
        ("PUT", None, query) if !query.is_empty() => match the_one(resources, &kind, query)? {
            Some(id) => Ok(Act::Put { kind, id, is_new: false }),
            None => {
                let id = resources.next_id();
                Ok(Act::Put { kind, id, is_new: true })
            }
        },
        ("DELETE", Some(id), "") => Ok(Act::Remove { kind, id: id.to_owned() }),
        _ => Err(Failed::new(400, "not-supported", format!("{method} is not supported here"))),
    }
}

/// The resource that a condition means, if there is one; several are a fault.
fn the_one(resources: &Resources, kind: &str, query: &str) -> Result<Option<String>, Failed> {
    let criteria = criteria(query);
    if criteria.is_empty() {
        return Err(invalid("a condition is needed"));
    }
    let found = resources.search(kind, &criteria).map_err(invalid)?;
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.id.clone())),
        _ => Err(Failed::new(412, "multiple-matches", "the condition fits several resources")),
    }
}

/// `name=value&…`, percent-decoded.
pub(super) fn criteria(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|it| !it.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let pair = tail.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        match (first, pair.and_then(|it| u8::from_str_radix(it, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Replaces references to entries by what they have become.
fn resolve(value: &mut Value, identities: &BTreeMap<String, String>) -> Result<(), Failed> {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("reference") {
                match identities.get(reference.as_str()) {
                    Some(resolved) => resolved.clone_into(reference),
                    None if reference.starts_with("urn:") => {
                        return Err(invalid("a reference means no entry of the Bundle"));
                    }
                    None => {}
                }
            }
            members.values_mut().try_for_each(|it| resolve(it, identities))
        }
        Value::Array(items) => items.iter_mut().try_for_each(|it| resolve(it, identities)),
        _ => Ok(()),
    }
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member).and_then(Value::as_str)
}
