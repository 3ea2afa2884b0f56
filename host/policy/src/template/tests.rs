use expect_test::{Expect, expect};
use hilum_message::TimeZone;

use super::*;
use crate::{Grant, Input, Policy, RunSeed};

const ADT: &str = "MSH|^~\\&|LAB\rPID|||17|||19800312\r";

/// What policy says to an output in which `@` stands for a token.
#[track_caller]
fn check(format: &str, template: &str, change: impl Fn(&str) -> String, expected: Expect) {
    let message = Message::parse("hl7v2", Bytes::from_static(ADT.as_bytes())).expect("parses");
    let policy = Policy::new(TimeZone::UTC);
    let input = Input::Message(Arc::new(message));
    let mut view = policy.view(input, &Grant::sealed_by_default(), RunSeed([7; 16]), 0);
    let token = view.get("PID-3").expect("a path").expect("there");
    let (seals, _) = view.finish();
    let body = Bytes::from(template.replace('@', &change(&token)));
    let said = match policy.output(&seals, format, body) {
        Ok(template) => format!("{template:?}"),
        Err(fault) => fault.to_string(),
    };
    expected.assert_eq(&said);
}

#[test]
fn tokens_come_back_in_any_casing_and_company() {
    let whole = |token: &str| format!("DR{token}{}x-{token}", token.to_lowercase());
    check("json", r#"{"a":"@"}"#, whole, expect!["Template(Message(json, 54 bytes), Seals(1))"]);
    check("hl7v2", "MSH|^~\\&|@\r", whole, expect!["Template(Message(hl7v2, 56 bytes), Seals(1))"]);
    check("text", "@", whole, expect!["Template(Message(text, 46 bytes), Seals(1))"]);
}

#[test]
fn an_altered_token_is_the_plugins_fault() {
    let altered =
        |token: &str| format!("{}{}", &token[..13], if token.ends_with('0') { '1' } else { '0' });
    check(
        "json",
        r#"{"a":["@"]}"#,
        altered,
        expect!["?[0]: this has the form of a token, and no such token was handed out"],
    );
    check(
        "hl7v2",
        "MSH|^~\\&|LAB\rPID|||x^@\r",
        altered,
        expect!["PID-3.2: this has the form of a token, and no such token was handed out"],
    );
    check(
        "text",
        "x @",
        altered,
        expect!["byte 2: this has the form of a token, and no such token was handed out"],
    );
    check(
        "text",
        "zq0000000000aa",
        str::to_owned,
        expect!["byte 0: this has the form of a token, and no such token was handed out"],
    );
}

#[test]
fn a_cut_token_is_the_plugins_fault() {
    check(
        "text",
        "@",
        |token| token[..6].to_lowercase(),
        expect!["byte 0: this is a token that was cut"],
    );
    check(
        "text",
        "@",
        |token| token[..13].to_owned(),
        expect!["byte 0: this is a token that was cut"],
    );
    check(
        "text",
        "@",
        |token| token[6..].to_owned(),
        expect!["byte 0: this is a token that was cut"],
    );
    // Less than that could be anything.
    check(
        "text",
        "@",
        |token| token[..5].to_owned(),
        expect!["Template(Message(text, 5 bytes), Seals(1))"],
    );
    check(
        "text",
        "@",
        |token| token[7..].to_owned(),
        expect!["Template(Message(text, 7 bytes), Seals(1))"],
    );
    check(
        "text",
        "ZQF-5972 ZQUIDDITY",
        str::to_owned,
        expect!["Template(Message(text, 18 bytes), Seals(1))"],
    );
}

#[test]
fn a_token_that_is_escaped_by_halves_is_altered() {
    let hex = |token: &str, at: usize| format!("\\X{:02X}\\", token.as_bytes()[at]);
    let escaped = |token: &str| {
        format!("{}{}{}{}{}", &token[..4], hex(token, 4), &token[5..9], hex(token, 9), &token[10..])
    };
    check(
        "hl7v2",
        "MSH|^~\\&|@\r",
        escaped,
        expect!["MSH-3.1: this has the form of a token, and no such token was handed out"],
    );
}

#[test]
fn a_cut_or_altered_token_is_found_behind_escapes() {
    let cut = || expect!["?[0]: this is a token that was cut"];
    check("json", r#"{"a":["\u005a@"]}"#, |token| token[1..9].to_owned(), cut());
    check("json", r#"{"a":["x\n@"]}"#, |token| token[..9].to_owned(), cut());
    check("json", r#"{"a":["x\n@"]}"#, |token| token[5..].to_owned(), cut());
    check(
        "json",
        r#"{"a":["\u005A@"]}"#,
        |token| format!("{}{}", &token[1..13], if token.ends_with('0') { '1' } else { '0' }),
        expect!["?[0]: this has the form of a token, and no such token was handed out"],
    );
    check(
        "json",
        r#"{"\u005a@":1}"#,
        |token| token[1..9].to_owned(),
        expect!["byte 1: this is a token that was cut"],
    );
    check(
        "hl7v2",
        "MSH|^~\\&|\\X5A\\@\r",
        |token| token[1..9].to_owned(),
        expect!["MSH-3.1: this is a token that was cut"],
    );
    // A whole one is put in from JSON all the same.
    let whole = expect!["Template(Message(json, 29 bytes), Seals(1))"];
    check("json", r#"{"a":["\u005a@"]}"#, |token| token[1..].to_owned(), whole);
}

#[test]
fn an_output_has_to_be_of_its_format() {
    check(
        "json",
        "{\"a\":1,\"a\":2}",
        str::to_owned,
        expect!["an output is not json: byte 7: a member stands twice in its object"],
    );
    check(
        "hl7v2",
        "PID|1\r",
        str::to_owned,
        expect!["an output is not hl7v2: the message does not begin with MSH"],
    );
}

/// What [`Ends::has`] says is what comparing with each token says.
#[test]
fn a_word_is_a_part_of_a_token_if_one_begins_or_ends_so() {
    let fields = (0..200).map(|it| format!("|X{it}Y")).collect::<String>();
    let message = Bytes::from(format!("MSH|^~\\&|LAB\rZZZ{fields}\r"));
    let message = Message::parse("hl7v2", message).expect("parses");
    let policy = Policy::new(TimeZone::UTC);
    let input = Input::Message(Arc::new(message));
    let mut view = policy.view(input, &Grant::sealed_by_default(), RunSeed([7; 16]), 0);
    let _ = view.body();
    let (seals, _) = view.finish();
    let tokens: Vec<_> = seals.tokens().map(|it| *it.bytes()).collect();
    assert!(100 < tokens.len());
    let ends = Ends::of(&seals);
    let is_part = |word: &[u8]| {
        let word = word.to_ascii_uppercase();
        let is_end = |it: &[u8; TOKEN_LEN]| END_LEN_MIN <= word.len() && it.ends_with(&word);
        let is_start = |it: &[u8; TOKEN_LEN]| PART_LEN_MIN <= word.len() && it.starts_with(&word);
        tokens.iter().any(|it| is_end(it) || is_start(it))
    };
    for (index, token) in tokens.iter().enumerate() {
        let other = tokens[(index + 1) % tokens.len()];
        for length in 1..TOKEN_LEN {
            let (start, end) = (&token[..length], &token[TOKEN_LEN - length..]);
            let mut wrong = end.to_vec();
            wrong[0] ^= 1;
            // The end of one after the middle of another has the letters of both filters.
            let joined = [&other[2..TOKEN_LEN - 3], &token[TOKEN_LEN - 3..]].concat();
            let small = end.to_ascii_lowercase();
            for word in [start, end, &wrong, &joined, &small] {
                assert_eq!(ends.has(word), is_part(word), "{}", String::from_utf8_lossy(word));
            }
        }
    }
}
