use expect_test::expect;
use hilum_words::Problems;
use hilum_words::config::Document;

use super::*;

/// A small configuration with one of everything.
fn read(document: &Document, problems: &Problems) {
    let mut root = document.root(problems);
    for (_, mut section) in root.sections("peer") {
        if section.word("kind", &["plain", "sealed"]).is_some_and(|it| it.value == 1) {
            section.required_secret("key");
            section.secret("next_key");
        }
        section.size_or("bytes_max", 1 << 20);
        section.integer("attempts", 1..=9);
        section.duration("timeout");
        if section.is_text("clearance") {
            section.text("clearance");
        } else if let Some(mut lists) = section.section("clearance") {
            lists.texts("open");
            lists.finish();
        }
        section.finish();
    }
    if let Some(mut settings) = root.section("settings") {
        for key in settings.keys() {
            settings.text(&key);
        }
    }
    root.finish();
}

#[test]
fn the_schema_says_what_the_readers_say() {
    let schema = of(&Asked::explore(read));
    expect![""].assert_eq(&serde_json::to_string_pretty(&schema).expect("JSON"));
}
