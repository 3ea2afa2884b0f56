use std::time::Duration;

use super::*;
use crate::Problem;
use expect_test::{Expect, expect};

fn check(text: &str, read: impl Fn(&mut Section<'_>), expected: Expect) {
    let problems = Problems::default();
    let document = Document::parse("hilum.toml", text, &problems);
    let mut root = document.root(&problems);
    read(&mut root);
    root.finish();
    let all: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
    expected.assert_eq(&all.join("\n"));
}

#[test]
fn an_unknown_key_is_a_problem_with_a_hint() {
    check(
        "[gateway]\nname = \"a\"\ntimezon = \"UTC\"\n",
        |root| {
            let mut gateway = root.section("gateway").expect("there");
            gateway.required_text("name");
            gateway.required_text("timezone");
            gateway.finish();
        },
        expect![[r#"
            hilum.toml:1  gateway  needs the key "timezone"
            hilum.toml:3  gateway.timezon  unknown key; did you mean "timezone"?"#]],
    );
}

#[test]
fn every_problem_has_its_line() {
    check(
        "a = 1\nb = \"x\"\nc = [\n  \"one\",\n  2,\n]\nd = \"5 parsecs\"\ne = 0\n",
        |root| {
            root.text("a");
            root.boolean("b");
            root.texts("c");
            root.duration("d");
            root.integer("e", 1..=u64::MAX);
        },
        expect![[r#"
            hilum.toml:1  a  must be a string, not an integer
            hilum.toml:2  b  must be true or false, not a string
            hilum.toml:5  c[1]  must be a string, not an integer
            hilum.toml:7  d  must be a span of time such as "200ms", "30s", "5m" or "72h"
            hilum.toml:8  e  must be at least 1"#]],
    );
}

#[test]
fn what_is_no_toml_is_a_problem_and_the_rest_is_read() {
    check(
        "a = \nb = 1\n",
        |root| {
            assert_eq!(root.integer("b", 0..=9).expect("there").value, 1);
            root.text("a");
        },
        expect!["hilum.toml:1  not TOML: string values must be quoted, expected literal string"],
    );
}

#[test]
fn named_sections_come_in_the_order_of_the_file() {
    check(
        "[listener.z]\n[listener.a]\nx = 1\n",
        |root| {
            let names: Vec<_> =
                root.sections("listener").into_iter().map(|(name, _)| name.key).collect();
            assert_eq!(names, ["listener.z", "listener.a"]);
        },
        expect![""],
    );
}

#[test]
fn sizes_and_durations() {
    assert_eq!(parse_size("16 MiB"), Some(16 << 20));
    assert_eq!(parse_size("16 apples"), None);
    assert_eq!(parse_duration("200ms"), Some(Duration::from_millis(200)));
    assert_eq!(parse_duration("72h"), Some(Duration::from_secs(259_200)));
    assert_eq!(parse_duration("99999999999999999999h"), None);
}

#[test]
fn a_default_counts_where_the_key_is_absent_and_is_noted() {
    let problems = Problems::recording();
    let document = Document::parse("hilum.toml", "there = \"2 KiB\"\n", &problems);
    let mut root = document.root(&problems);
    assert_eq!(root.size_or("there", 1), 2048);
    assert_eq!(root.size_or("size", 16 << 20), 16 << 20);
    assert_eq!(root.duration_or("timeout", Duration::from_secs(90)), Duration::from_secs(90));
    assert_eq!(root.word_or("ack", &["stored", "processed"], 0), 0);
    assert_eq!(root.integer_or("attempts", 1..=9, 3), 3);
    assert!(root.boolean_or("strict", true));
    assert_eq!(root.text_or("path", "/"), "/");
    root.finish();
    let asked = problems.take_asked();
    let keys = asked.tables.values().flat_map(|it| &it.keys);
    let defaults: Vec<_> = keys
        .map(|(name, key)| format!("{name} = {}", key.default.as_deref().unwrap_or("?")))
        .collect();
    expect![[r#"
        ack = "stored"
        attempts = 3
        path = "/"
        size = "16 MiB"
        strict = true
        there = "1 B"
        timeout = "90s""#]]
    .assert_eq(&defaults.join("\n"));
}

#[test]
fn what_is_written_of_a_size_or_a_duration_reads_back() {
    for bytes in [0, 1, 1000, 1024, 64 << 10, (1 << 20) + 1, 3 << 30] {
        assert_eq!(parse_size(&write_size(bytes)), Some(bytes));
    }
    for millis in [0, 1, 200, 1000, 90_000, 60_000, 86_400_000] {
        let duration = Duration::from_millis(millis);
        assert_eq!(parse_duration(&write_duration(duration)), Some(duration));
    }
}
