use std::time::Duration;

use expect_test::{Expect, expect};

use super::*;

/// A reader with everything in it that real ones do.
fn read(document: &Document, problems: &Problems) {
    let mut root = document.root(problems);
    if let Some(mut gateway) = root.section("gateway") {
        gateway.required_text("name");
        gateway.size_or("bytes_max", 64 << 10);
        gateway.finish();
    }
    for (_, mut section) in root.sections("listener") {
        read_listener(&mut section);
        section.finish();
    }
    for (_, mut section) in root.sections("table") {
        section.boolean_or("opens", false);
        section.finish();
    }
    root.finish();
}

fn read_listener(section: &mut Section<'_>) {
    let kind = section.word("kind", &["mllp", "http"]);
    section.required_text("bind");
    if section.has("lane") {
        section.texts("lane");
    }
    match kind.map(|it| it.value) {
        Some(0) => {
            section.duration_or("read_timeout", Duration::from_secs(30));
            if let Some(mut answers) = section.section("on_answer") {
                for key in answers.keys() {
                    // As the real one: numbers only.
                    if key.parse::<u16>().is_ok() {
                        answers.word("AE", &["park", "retry"]);
                        answers.word(&key, &["park", "retry"]);
                    }
                }
            }
        }
        Some(_) => {
            // Stops early where the URL is wrong, as it should not.
            let Some(url) = section.required_text("url") else { return };
            if !url.value.starts_with("http") {
                return;
            }
            if !section.has("auth") {
                section.required_text("auth");
            } else if section.is_text("auth") {
                section.text("auth");
            } else if let Some(mut auth) = section.section("auth") {
                match auth.word("kind", &["basic", "bearer"]).map(|it| it.value) {
                    Some(0) => drop(auth.required_secret("password")),
                    Some(_) => drop(auth.secret("token")),
                    None => {}
                }
            }
        }
        None => {}
    }
}

use super::super::Section;

fn print(asked: &Asked) -> String {
    let mut lines = Vec::new();
    for (way, table) in &asked.tables {
        let way: Vec<_> = way
            .iter()
            .map(|it| match it.kind.as_str() {
                "" => it.key.clone(),
                kind => format!("{}={kind}", it.key),
            })
            .collect();
        let open = if table.is_open { " open" } else { "" };
        lines.push(format!("[{}]{open}", way.join(".")));
        for (name, key) in &table.keys {
            let types: Vec<_> = key.types.iter().map(|it| format!("{it:?}")).collect();
            let mut line = format!("  {name}: {}", types.join("|"));
            if !key.words.is_empty() {
                line += &format!(" {:?}", key.words);
            }
            if let Some(default) = &key.default {
                line += &format!(" = {default}");
            }
            if key.is_required {
                line += " required";
            }
            lines.push(line);
        }
    }
    lines.join("\n")
}

fn check(expected: Expect) {
    expected.assert_eq(&print(&Asked::explore(read)));
}

#[test]
fn everything_that_a_reader_accepts_is_found() {
    check(expect![[r#"
        []
          gateway: Table
          listener: Named
          table: Named
        [gateway]
          bytes_max: Size = "64 KiB"
          name: Text required
        [listener]
        [listener.*]
          bind: Text required
          kind: Word ["mllp", "http"]
          lane: Texts
        [listener.*=http]
          auth: Text|Table required
          bind: Text required
          kind: Word ["mllp", "http"]
          lane: Texts
          url: Text required
        [listener.*=http.auth]
          kind: Word ["basic", "bearer"]
        [listener.*=http.auth=basic]
          kind: Word ["basic", "bearer"]
          password: Secret required
          password_credential: Text
          password_env: Text
          password_file: Text
        [listener.*=http.auth=bearer]
          kind: Word ["basic", "bearer"]
          token: Secret
          token_credential: Text
          token_env: Text
          token_file: Text
        [listener.*=mllp]
          bind: Text required
          kind: Word ["mllp", "http"]
          lane: Texts
          on_answer: Table
          read_timeout: Duration = "30s"
        [listener.*=mllp.on_answer] open
          *: Word ["park", "retry"]
          AE: Word ["park", "retry"]
        [table]
        [table.*]
          opens: Boolean = false"#]]);
}

#[test]
fn a_list_that_does_not_record_knows_nothing() {
    let problems = Problems::default();
    let document = Document::parse("x", "[gateway]\nname = \"a\"\n", &problems);
    read(&document, &problems);
    assert_eq!(problems.take_asked(), Asked::default());
}
