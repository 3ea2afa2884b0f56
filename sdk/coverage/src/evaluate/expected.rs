//! What a row writes to its target, where that can be told.

use super::elements::Here;
use crate::condition::{Elements, Reference};
use crate::guide::Row;
use crate::path::Path;
use crate::source::Element;
use crate::value::Expected;

/// Code systems that v2 has a short name for (HL7 table 0396), by what their URIs are known by.
const SYSTEMS: &[(&str, &str)] = &[
    ("LN", "loinc.org"),
    ("LOINC", "loinc.org"),
    ("SCT", "snomed.info"),
    ("SNM", "snomed"),
    ("UCUM", "unitsofmeasure.org"),
    ("CVX", "sid/cvx"),
    ("NDC", "sid/ndc"),
    ("C4", "ama-assn.org"),
    ("I9", "icd-9"),
    ("I9C", "icd-9"),
    ("I9CDX", "icd-9"),
    ("I10", "icd-10"),
    ("I10C", "icd-10"),
    ("ICD10", "icd-10"),
    ("ISO3166", "3166"),
    ("ISO3166_1", "3166"),
    ("RXNORM", "rxnorm"),
];

/// Data types of more than one value.
const COMPLEX: &[&str] = &["EI", "EIP", "CX", "XCN", "XON", "PL", "HD"];

/// What is expected of the target of a row for an element.
pub fn of(
    row: &Row,
    element: &Element,
    here: &Here<'_>,
    translations: &[&Row],
    is_looked_up: bool,
) -> Expected {
    if !row.assignment.is_empty() {
        return assigned(&row.assignment, here)
            .map_or(Expected::Filled, |it| Expected::One(vec![it]));
    }
    let text = element.text().to_owned();
    // `partOf(Location[6])`: the other Location is made by other rows.
    let refers =
        row.target.ends_with(')') && Path::read(&row.target).is_ok_and(|it| it.ends_in_reference());
    // A row of a segment as a whole, without a constant, says in words what it writes.
    let is_whole = !row.source.contains(['-', '.']);
    // So does one that makes a system, a type or an extension's URL of a value that is none.
    let is_made = row.target.ends_with(".url") && !matches!(row.target_type.as_str(), "url");
    let is_of_many = COMPLEX.contains(&row.source_type.as_str()) && row.target.contains("coding");
    let is_system_of = row.target.ends_with("system") && row.source.contains('-');
    // Beside a code that was looked up stand the words of its own code system.
    let is_display = row.target.ends_with("display") && !translations.is_empty();
    let is_free = is_whole || is_made || is_of_many || is_system_of || is_display;
    if !row.uses.is_empty() || text.is_empty() || refers || is_free {
        return Expected::Filled;
    }
    let kind = row.target_type.to_lowercase();
    let is_time = |it: &str| matches!(it, "date" | "datetime" | "instant" | "time");
    if is_time(&kind) || matches!(row.source_type.as_str(), "DTM" | "TS" | "DT" | "TM") {
        return Expected::Time(text);
    }
    let is_system = row.target.ends_with("system") || row.target.ends_with("sytem");
    if is_system && row.source_type != "HD" {
        return system(&text, translations);
    }
    if matches!(kind.as_str(), "uri" | "url") || is_system || row.target.ends_with("endpoint") {
        return Expected::Uri(vec![text]);
    }
    // A universal id is the value of an identifier of `urn:ietf:rfc:3986`, so it is a URI.
    if ["HD.2", "EI.3"].contains(&row.source.as_str()) {
        let uris = ["urn:oid:", "urn:uuid:"].map(|it| format!("{it}{}", text.to_lowercase()));
        return Expected::One([vec![text], uris.to_vec()].concat());
    }
    if !is_looked_up {
        return Expected::One(vec![text]);
    }
    // A table was looked up: its code and words are as right as the sender's.
    let mut all = vec![text];
    for code in translations {
        all.extend([code.target.clone(), code.name.clone()]);
    }
    all.retain(|it| !it.is_empty());
    Expected::One(all)
}

fn system(text: &str, translations: &[&Row]) -> Expected {
    let known = SYSTEMS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    let table = text.to_uppercase();
    let table = table.strip_prefix("HL7").and_then(|it| it.parse::<u32>().ok());
    let mut all = vec![match (known, table) {
        (Some((_, uri)), _) => (*uri).to_owned(),
        (None, Some(number)) => format!("v2-{number:04}"),
        (None, None) => text.to_owned(),
    }];
    all.extend(translations.iter().map(|it| it.system.clone()).filter(|it| !it.is_empty()));
    Expected::Uri(all)
}

/// The constant that an assignment is, if it is one.
pub fn constant(assignment: &str) -> Option<String> {
    let inside = assignment.trim().strip_prefix('"')?;
    // Some are not closed.
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    (!inside.contains('"')).then(|| inside.trim().to_owned())
}

/// The text that an assignment makes: a constant, or `"urn:oid:"+HD.2`. None if it is said in words.
fn assigned(assignment: &str, here: &Here<'_>) -> Option<String> {
    if let Some(constant) = constant(assignment) {
        return Some(constant);
    }
    if assignment.starts_with('/') {
        return None;
    }
    let mut text = String::new();
    let mut rest = assignment.trim();
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let length = rest[1..].find('"')?;
            text.push_str(&rest[1..=length]);
            rest = &rest[length + 2..];
        } else if first == '+' || first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else {
            let length = rest.find(['+', '"', ' ']).unwrap_or(rest.len());
            let reference = Reference::read(&rest[..length])?;
            text.push_str(here.texts(&reference).first().map_or("", String::as_str));
            rest = &rest[length..];
        }
    }
    // `ADT^A01^` where the message has no structure.
    Some(text.trim_end_matches('^').to_owned())
}
