//! The guide is understood as a whole: its ids, its maps' names, its conditions, its targets.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a test reads the guide's files, and may fail"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hilum_coverage::condition::Condition;
use hilum_coverage::guide::{Guide, Row, key};
use hilum_coverage::path;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn guide() -> Guide {
    let repository = repository();
    Guide::read(&repository.join("tests/fixtures/v2-to-fhir"), &repository.join("tests/coverage"))
        .expect("the guide")
}

/// The mapped rows of the messages, and of all maps that they lead to.
fn reached(guide: &Guide) -> Vec<&Row> {
    let mut rows: Vec<&Row> = guide.messages.values().flatten().collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut at = 0;
    while at < rows.len() {
        let row = rows[at];
        at += 1;
        if row.target.is_empty() || row.uses.is_empty() {
            continue;
        }
        let name = key(&row.uses);
        let is_message = row.id.starts_with("messages/");
        let maps = if is_message { &guide.segments } else { &guide.datatypes };
        let map = maps.get(&name).unwrap_or_else(|| panic!("{}: no map {}", row.id, row.uses));
        if seen.insert(format!("{is_message} {name}")) {
            rows.extend(map);
        }
    }
    rows.retain(|it| !it.target.is_empty());
    rows
}

#[test]
fn ids_are_those_of_the_list() {
    let list = std::fs::read_to_string(repository().join("tests/fixtures/v2-to-fhir/rows.jsonl"));
    let list = list.expect("rows.jsonl");
    let mut listed: BTreeSet<String> = BTreeSet::new();
    for line in list.lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        listed.insert(row["id"].as_str().expect("an id").to_owned());
    }
    let guide = guide();
    let rows = reached(&guide);
    assert!(1_500 < rows.len(), "{} rows", rows.len());
    // The list leaves out rows without an element of v2.
    for row in rows.into_iter().filter(|it| !it.source.is_empty()) {
        assert!(listed.contains(&row.id), "{} is not in the list", row.id);
    }
}

#[test]
fn every_condition_and_target_is_read() {
    let guide = guide();
    let mut unread = Vec::new();
    for row in reached(&guide) {
        if row.person.is_none()
            && let Err(fault) = Condition::read(&row.condition)
        {
            unread.push(format!("{}: {fault:#}", row.id));
        }
        if !row.id.starts_with("messages/")
            && let Err(fault) = path::Path::read(&row.target)
        {
            unread.push(format!("{}: {fault:#}", row.id));
        }
        if !row.vocabulary.is_empty() && !guide.tables.contains_key(&key(&row.vocabulary)) {
            unread.push(format!("{}: no table {}", row.id, row.vocabulary));
        }
    }
    assert!(unread.is_empty(), "{}", unread.join("\n"));
}

#[test]
fn every_narrative_has_a_reading() {
    let guide = guide();
    for row in reached(&guide) {
        let unread = row.person.as_deref().filter(|it| it.starts_with('"'));
        assert_eq!(unread, None, "{}", row.id);
    }
}
