use bytes::Bytes;
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

const ADT: &str = "MSH|^~\\&|LAB|ST ANNA|||||ADT^A01|7|P|2.5\r\
    PID|||17^^^A^MR~18^^^B^SS||EVERY\\T\\WOMAN^EVE||\"\"|F\rPV1||I|\rOBX|1|NM|||1\rOBX|2|NM|||7\r";

#[track_caller]
fn check(text: &str, holds: bool) {
    let message = Message::parse("hl7v2", Bytes::from_static(ADT.as_bytes())).expect("parses");
    let predicate = Predicate::parse(text).expect("a condition");
    assert_eq!(predicate.holds(&message), holds, "{text}");
}

#[track_caller]
fn refused(text: &str, expected: Expect) {
    let fault = Predicate::parse(text).expect_err("no condition");
    expected.assert_eq(&fault.to_string());
}

#[test]
fn texts_are_compared() {
    check("MSH-9.1 == 'ADT'", true);
    check("MSH-9.1 == \"ADT\" and MSH-9.2 == 'A01'", true);
    check("MSH-9 != 'ADT'", false);
    check("'ADT' == MSH-9.1", true);
    check("PID-5 == 'EVERY&WOMAN'", true);
    check("MSH-4 == MSH-4 and not MSH-4 == MSH-3", true);
    check("PV1-2 in ('E', 'I')", true);
    check("PV1-2 in ['E', 'O']", false);
    check("PV1-2 not in ('E', 'O')", true);
    check("'it''s' == 'it''s'", true);
}

#[test]
fn any_repetition_and_occurrence_counts() {
    check("PID-3.5 == 'SS'", true);
    check("PID-3[1].5 == 'SS'", false);
    check("PID-3.5 != 'SS'", true);
    check("OBX-5 == '7'", true);
    check("OBX[1]-5 == '7'", false);
}

#[test]
fn what_is_absent_or_deleted_is_empty() {
    check("PV1-3 != 'WARD'", true);
    check("PV1-3 == ''", true);
    check("ZPI-1 == ''", true);
    check("PID-7 == ''", true);
    check("PID-7 == '\"\"'", false);
    check("Patient.gender == ''", true);
}

#[test]
fn existence_is_asked_in_three_ways() {
    check("exists PID-8 and exists(PID) and PID-5 exists", true);
    check("exists PID-7 or exists PV1-2[2] or exists ZPI or exists OBX[3]", false);
    check("exists PID-5.2", true);
    check("exists OBX[2]-5", true);
    check("not exists PV1-3", true);
}

#[test]
fn and_binds_closer_than_or() {
    check("PID-8 == 'F' or PID-8 == 'M' and PID-8 == 'X'", true);
    check("(PID-8 == 'F' or PID-8 == 'M') and PID-8 == 'X'", false);
    check("not PID-8 == 'M' and PID-8 == 'F'", true);
}

#[test]
fn json_is_read_by_its_own_paths() {
    let json = br#"{"resourceType":"Patient","name":[{"given":["A","B"]}],"active":true}"#;
    let patient = Message::parse("fhir-json", Bytes::from_static(json)).expect("parses");
    for (text, holds) in [
        ("Patient.name.given == 'B'", true),
        ("name[0].given[0] == 'B'", false),
        ("active == 'true' and exists Patient.name and not exists Patient.photo", true),
        ("PID-8 == ''", true),
    ] {
        assert_eq!(Predicate::parse(text).expect("a condition").holds(&patient), holds, "{text}");
    }
}

#[test]
fn a_slip_has_a_column_and_a_hint() {
    refused("", expect!["column 1: expected a path such as PID-3.1, or a text in quotes"]);
    refused(
        "MSH-9.1 = 'ADT'",
        expect![[r#"column 9: expected "==", "!=", "in" or "exists"; equality is written "==""#]],
    );
    refused(
        "MSH-9.1 == ADT'",
        expect!["column 12: a segment has no value; a text stands in quotes"],
    );
    refused(
        "MSH-9.1 == ADT",
        expect!["column 12: a segment has no value; a text stands in quotes"],
    );
    refused("PID == 'X'", expect!["column 1: a segment has no value; a text stands in quotes"]);
    refused(
        "MSH9.1 == 'X'",
        expect![
            "column 1: not a path like PID-3[2].4.1: byte 3 is not what may stand there; a text stands in quotes"
        ],
    );
    refused(
        "MSH-9.1.2.3 == 'A'",
        expect![
            "column 1: not a path like PID-3[2].4.1: byte 9 is not what may stand there; a text stands in quotes"
        ],
    );
    refused("PV1-2 in ('E' 'I')", expect![[r#"column 14: expected "," or ")""#]]);
    refused("PV1-2 in E", expect!["column 10: expected a list such as ('A', 'B')"]);
    refused("(PV1-2 == 'E'", expect![[r#"column 14: expected ")""#]]);
    refused(
        "PV1-2 == 'E' xor PV1-3 == 'F'",
        expect![[r#"column 14: expected "and", "or" or the end"#]],
    );
    refused("PV1-2 not 'E'", expect![[r#"column 11: expected "in" after "not""#]]);
    refused("PV1-2 == 'é' ; 1", expect!["column 14: this is not part of a condition"]);
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = |depth: usize| format!("{}PID-8 == 'F'{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Predicate::parse(&deep(32)).is_ok());
    assert!(Predicate::parse(&deep(33)).is_err());
    let long = |words: usize| format!("PID-8 == '{}'", "x".repeat(words));
    assert!(Predicate::parse(&long((16 << 10) - 11)).is_ok());
    assert!(Predicate::parse(&long((16 << 10) - 10)).is_err());
}

#[test]
fn paths_are_told_without_values() {
    let predicate =
        Predicate::parse("PID-8 == 'F' and (exists PV1 or MSH-4 in ('A'))").expect("one");
    assert_eq!(predicate.paths(), ["PID-8", "PV1", "MSH-4"]);
}

proptest! {
    #[test]
    fn any_text_returns(text in "\\PC{0,40}") {
        let _ = Predicate::parse(&text);
    }

    #[test]
    fn any_words_return(words in proptest::collection::vec(
        proptest::sample::select(vec!["not", "(", ")", "PID-8", "'F'", "in", "==", "exists", "or", "["]),
        0..12,
    )) {
        let _ = Predicate::parse(&words.join(" "));
    }
}
