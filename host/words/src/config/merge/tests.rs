use expect_test::{Expect, expect};

use crate::config::Document;
use crate::{Problem, Problems};

/// Merges the files and prints every text of every section, then the problems.
fn check(files: &[(&str, &str)], expected: Expect) {
    let problems = Problems::default();
    let mut parsed = files.iter().map(|(name, text)| Document::parse(name, text, &problems));
    let mut document = parsed.next().expect("a file");
    for other in parsed {
        document.merge(other, &problems);
    }
    let mut lines = Vec::new();
    let mut root = document.root(&problems);
    for kind in root.keys() {
        for (name, mut section) in root.sections(&kind) {
            for key in section.keys() {
                let text = section.text(&key).expect("a text");
                lines.push(format!("{} = {} ({})", text.key, text.value, name.place));
            }
        }
    }
    lines.extend(problems.into_sorted().iter().map(Problem::to_string));
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn named_sections_of_several_files_come_together() {
    check(
        &[
            ("hilum.toml", "[listener.a]\nx = \"1\"\n"),
            ("conf.d/lab.toml", "[listener.b]\nx = \"2\"\n[route.lab]\nto = \"b\"\n"),
        ],
        expect![[r#"
            listener.a.x = 1 (hilum.toml:1)
            listener.b.x = 2 (conf.d/lab.toml:1)
            route.lab.to = b (conf.d/lab.toml:3)"#]],
    );
}

#[test]
fn a_section_in_two_files_is_a_problem_and_the_first_stays() {
    check(
        &[
            ("hilum.toml", "[listener.a]\nx = \"1\"\n"),
            ("conf.d/lab.toml", "\n[listener.a]\nx = \"2\"\n[listener.b]\nx = \"3\"\n"),
        ],
        expect![[r#"
            listener.a.x = 1 (hilum.toml:1)
            listener.b.x = 3 (conf.d/lab.toml:4)
            conf.d/lab.toml:2  listener.a  stands in hilum.toml:1 already; a section belongs into one file"#]],
    );
}

#[test]
fn a_section_with_values_of_its_own_is_never_merged() {
    let problems = Problems::default();
    let mut one = Document::parse("hilum.toml", "[gateway]\nname = \"a\"\n", &problems);
    let two = Document::parse("conf.d/b.toml", "[gateway]\ndata = \"d\"\n", &problems);
    one.merge(two, &problems);
    let mut root = one.root(&problems);
    let gateway = root.section("gateway").expect("there");
    assert_eq!(gateway.keys(), ["name"]);
    let all: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
    expect![
        "conf.d/b.toml:1  gateway  stands in hilum.toml:1 already; a section belongs into one file"
    ]
    .assert_eq(&all.join("\n"));
}
