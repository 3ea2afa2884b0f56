//! What is asked of the endpoint for one output: a Bundle of work goes to the base, anything else
//! is a resource that is created or updated.

use hilum_fhir::Value;
use hyper::Method;

use super::FhirConfig;
use crate::http::percent_encode;

/// How a resource without an id is matched against those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Match {
    /// Not at all: it is created.
    #[default]
    No,
    /// It is created unless one with its identifier is there (`If-None-Exist`).
    IfNoneExist,
    /// The one with its identifier is updated, or it is created.
    Update,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// Path and query. A condition in it holds an identifier: it is content.
    pub(super) target: String,
    /// The value of `If-None-Exist`.
    pub(super) if_none_exist: Option<String>,
    /// What is to be answered.
    pub(super) expected: Expected,
}

/// What is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// One outcome for all entries.
    Transaction,
    /// An outcome for each entry; whether doing the entry twice is as good as once.
    Batch(Vec<bool>),
    /// An outcome for the resource.
    Resource,
}

/// What to ask. The error is a sentence without content.
pub(super) fn ask(config: &FhirConfig, body: &[u8]) -> Result<Asked, String> {
    let resource = hilum_fhir::parse(body).map_err(|fault| format!("not FHIR JSON: {fault}"))?;
    let kind = resource.resource_type().ok_or("the body has no resourceType")?;
    if !is_type(kind) {
        return Err("resourceType is no name of a type".into());
    }
    let post = |target: String, expected: Expected| Asked {
        method: Method::POST,
        target,
        if_none_exist: None,
        expected,
    };
    let base = || config.url.path().to_owned();
    match (kind, resource.member("type").and_then(Value::text)) {
        ("Bundle", Some("transaction")) => return Ok(post(base(), Expected::Transaction)),
        ("Bundle", Some("batch")) => {
            return Ok(post(base(), Expected::Batch(repeatable(&resource))));
        }
        _ => {}
    }
    if let Some(id) = resource.member("id") {
        let id = id.text().filter(|it| is_id(it)).ok_or("the id of the resource is no id")?;
        return Ok(Asked {
            method: Method::PUT,
            ..post(config.url.below(&format!("{kind}/{id}")), Expected::Resource)
        });
    }
    let create = post(config.url.below(kind), Expected::Resource);
    let condition = || {
        let found = identifier(&resource, config.identifier_system.as_deref());
        found.ok_or("the resource has neither an id nor the identifier that it is matched by")
    };
    match config.matching {
        Match::No => Ok(create),
        Match::IfNoneExist => Ok(Asked { if_none_exist: Some(condition()?), ..create }),
        Match::Update => Ok(Asked {
            method: Method::PUT,
            target: format!("{}?{}", create.target, condition()?),
            ..create
        }),
    }
}

/// `PascalCase`, as all types are written: it becomes part of a path.
fn is_type(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|it: char| it.is_ascii_uppercase())
        && text.bytes().all(|it| it.is_ascii_alphanumeric())
}

/// FHIR R4, datatypes: `[A-Za-z0-9\-\.]{1,64}`.
fn is_id(text: &str) -> bool {
    let is_in = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(is_in) && !matches!(text, "." | "..")
}

/// `identifier=system|value` of the first identifier that has a value, in this system if the site
/// names one. An identifier without a system is matched as one without.
fn identifier(resource: &Value, system: Option<&str>) -> Option<String> {
    let identifier = resource.member("identifier")?;
    // Some types have one, most have several.
    let one = std::slice::from_ref(identifier);
    let all = if identifier.items().is_empty() { one } else { identifier.items() };
    let part = |of: &Value, name: &str| of.member(name).and_then(Value::text).map(str::to_owned);
    let found = all.iter().find_map(|it| {
        let value = part(it, "value").filter(|it| !it.is_empty())?;
        let of = part(it, "system").unwrap_or_default();
        system.is_none_or(|it| it == of).then_some((of, value))
    });
    found.map(|(system, value)| {
        format!(
            "identifier={}%7C{}",
            percent_encode(&escape(&system)),
            percent_encode(&escape(&value))
        )
    })
}

/// FHIR R4 search, 3.1.1.4.0: `,`, `$` and `|` in a value are escaped.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, ',' | '$' | '|' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// Whether doing an entry of a batch twice is as good as once.
fn repeatable(bundle: &Value) -> Vec<bool> {
    let entries = bundle.member("entry").map(Value::items).unwrap_or_default();
    let is_repeatable = |entry: &Value| {
        let request = entry.member("request");
        let part = |name: &str| request.and_then(|it| it.member(name)).and_then(Value::text);
        match part("method") {
            Some("POST") => part("ifNoneExist").is_some_and(|it| !it.is_empty()),
            Some("PATCH") => false,
            _ => true,
        }
    };
    entries.iter().map(is_repeatable).collect()
}

#[cfg(test)]
mod tests;
