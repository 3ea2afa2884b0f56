use expect_test::{Expect, expect};
use hilum_words::Problems;

use super::*;

/// Reads a map with these groups, and shows what it answers or what is wrong with it.
#[track_caller]
fn check(groups: &str, expected: Expect) {
    let map = format!(
        "{{\"resourceType\": \"ConceptMap\", \"status\": \"active\", \"group\": [\n{groups}\n]}}"
    );
    expected.assert_eq(&shown(&map, false));
}

fn shown(map: &str, opens: bool) -> String {
    let problems = Problems::default();
    match Table::read("m.json", map.as_bytes(), opens, &problems) {
        Some(table) => {
            let answers = ["A", "B", "C", "other"].map(|it| table.translate(it).unwrap_or("-"));
            format!(
                "{} codes; A {}, B {}, C {}, other {}",
                table.len(),
                answers[0],
                answers[1],
                answers[2],
                answers[3]
            )
        }
        None => {
            let all = problems.into_sorted();
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
    }
}

#[test]
fn elements_of_all_groups_are_rows() {
    check(
        r#"{"source": "urn:s", "target": "urn:t", "element": [
            {"code": "A", "display": "ay", "target": [{"code": "1", "equivalence": "equivalent"}]},
            {"code": "B", "target": [{"code": "2"}]}]},
        {"source": "urn:u", "element": [{"code": "C", "target": [{"code": "3", "equivalence": "wider"}]}]}"#,
        expect!["3 codes; A 1, B 2, C 3, other -"],
    );
}

#[test]
fn the_target_that_is_the_same_wins_and_what_does_not_fit_is_none() {
    check(
        r#"{"element": [
            {"code": "A", "target": [{"code": "near", "equivalence": "narrower"}, {"code": "same", "equivalence": "equal"}]},
            {"code": "B", "target": [{"code": "x", "equivalence": "unmatched"}, {"equivalence": "disjoint"}]},
            {"code": "C"}]}"#,
        expect!["3 codes; A same, B -, C -, other -"],
    );
}

#[test]
fn what_is_not_in_the_map_has_the_answer_that_it_says() {
    let group = |unmapped: &str| {
        format!(
            r#"{{"element": [{{"code": "A", "target": [{{"code": "1"}}]}}, {{"code": "B", "target": [{{"equivalence": "unmatched"}}]}}],
            "unmapped": {unmapped}}}"#
        )
    };
    check(&group(r#"{"mode": "provided"}"#), expect!["2 codes; A 1, B -, C C, other other"]);
    check(&group(r#"{"mode": "fixed", "code": "?"}"#), expect!["2 codes; A 1, B -, C ?, other ?"]);
    check(
        &group(r#"{"mode": "other-map", "url": "urn:m"}"#),
        expect!["m.json:3  a table has no other map to look in: put its rows in here"],
    );
    check(
        &group(r#"{"mode": "fixed"}"#),
        expect![[r#"m.json:3  the mode "fixed" needs a "code""#]],
    );
    check(
        &group(r#"{"mode": "guess"}"#),
        expect![[r#"m.json:3  "mode" has to be "provided", "fixed" or "other-map""#]],
    );
    check(&group("{}"), expect![[r#"m.json:3  needs a "mode""#]]);
}

#[test]
fn r5_is_understood() {
    check(
        r#"{"element": [{"code": "A", "target": [{"code": "1", "relationship": "equivalent"}, {"code": "2", "relationship": "related-to"}]},
            {"code": "B", "noMap": true}, {"code": "C", "target": [{"code": "3", "relationship": "not-related-to"}]}],
            "unmapped": {"mode": "use-source-code"}}"#,
        expect!["3 codes; A 1, B -, C -, other other"],
    );
}

#[test]
fn every_problem_has_its_line_and_no_code() {
    check(
        r#"{"element": [
{"code": "A", "target": [{"code": "1"}, {"code": "2"}]},
{"display": "no code"},
{"code": 7},
{"code": "B", "target": [{"equivalence": "equal"}]},
{"code": "C", "target": [{"code": "3",
  "dependsOn": [{"property": "sex", "value": "F"}]}]},
{"code": "D", "target": [{"code": "4", "product": [{"property": "x", "value": "y"}]}]},
{"code": "E", "target": {"code": "5"}},
{"code": "F", "target": [{"code": ""}]}
]}, {"element": [{"code": "E", "target": [{"code": "6"}]}], "unmapped": {"mode": "provided"}},
{"element": "none", "unmapped": {"mode": "fixed", "code": "x"}}"#,
        expect![[r#"
            m.json:3  has 2 targets that fit as well; a table needs one: make it the only one that is "equivalent"
            m.json:4  an element without a "code" (a "valueSet", say) is nothing to look up
            m.json:5  "code" has to be a text that is not empty
            m.json:6  a target that fits needs a "code"
            m.json:8  "dependsOn" is about other values, which a table does not know
            m.json:9  "product" is about other values, which a table does not know
            m.json:10  "target" has to be a list of objects
            m.json:11  "code" has to be a text that is not empty
            m.json:12  this code stands in an earlier element with another target; a table looks up by the code alone, whatever its system
            m.json:13  "element" has to be a list of objects
            m.json:13  another group says otherwise about codes that are not in the map, and a table has one answer"#]],
    );
}

#[test]
fn what_is_no_map_is_told_with_its_line() {
    expect!["m.json:2  is not JSON: this is not JSON"]
        .assert_eq(&shown("{\n\"resourceType\": ConceptMap}", false));
    expect![[r#"m.json:1  is no ConceptMap: a table in JSON has "resourceType": "ConceptMap""#]]
        .assert_eq(&shown("{\"resourceType\": \"ValueSet\"}", false));
    expect!["m.json:1  has no group, and so no code"]
        .assert_eq(&shown("{\"resourceType\": \"ConceptMap\"}", false));
    expect!["m.json:3  is not JSON: the document ends too early"]
        .assert_eq(&shown("{\n\"a\": [\n", false));
    let deep = format!("{{\"resourceType\": \"ConceptMap\", \"group\": {}", "[".repeat(1_000));
    assert!(shown(&deep, false).contains("more than 128 deep"), "{}", shown(&deep, false));
}

/// It would say what stands in any sealed value.
#[test]
fn a_table_that_opens_cannot_answer_with_the_code_itself() {
    let map = |mode: &str| {
        format!(
            r#"{{"resourceType": "ConceptMap", "group": [{{"element": [{{"code": "A", "target": [{{"code": "1"}}]}}],
"unmapped": {{"mode": "{mode}", "code": "?"}}}}]}}"#
        )
    };
    expect!["m.json:2  a table with opens = true cannot answer with the code itself: it would open whatever it is asked about"]
        .assert_eq(&shown(&map("provided"), true));
    expect!["1 codes; A 1, B ?, C ?, other ?"].assert_eq(&shown(&map("fixed"), true));
}

#[test]
fn a_code_has_a_longest_length() {
    let map = format!(
        r#"{{"resourceType": "ConceptMap", "group": [{{"element": [{{"code": "{}"}}]}}]}}"#,
        "x".repeat(CODE_BYTES_MAX + 1)
    );
    expect!["m.json:1  a code has at most 1024 bytes"].assert_eq(&shown(&map, false));
}
