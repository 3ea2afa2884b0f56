use proptest::prelude::*;

use super::*;

#[track_caller]
fn round(text: &str) {
    let value = parse(text.as_bytes()).expect("parses");
    assert_eq!(String::from_utf8_lossy(&value.to_bytes()), text);
}

#[track_caller]
fn refused(text: &str, offset: usize, fault: JsonFault) {
    assert_eq!(parse(text.as_bytes()), Err(JsonError { offset, fault }), "{text}");
}

#[test]
fn digits_and_order_stay() {
    round(r#"{"b":1.10,"a":-0.0,"c":1e3,"d":123456789012345678901234567890.123}"#);
    round(r#"[null,true,false,"",[],{}]"#);
}

#[test]
fn strings_are_unescaped_and_escaped() {
    let value = parse(br#""a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00""#).expect("parses");
    assert_eq!(value.text(), Some("a\"\\/\u{8}\u{c}\n\r\tä😀"));
    let again = parse(&value.to_bytes()).expect("parses");
    assert_eq!(again, value);
}

#[test]
fn each_fault_has_its_offset() {
    refused("", 0, JsonFault::End);
    refused("{\"a\":1,\"a\":2}", 7, JsonFault::Duplicate);
    refused("{\"a\":1,\"\\u0061\":2}", 7, JsonFault::Duplicate);
    refused("[1,]", 3, JsonFault::Unexpected);
    refused("01", 1, JsonFault::Number);
    refused("1.", 2, JsonFault::Number);
    refused("-", 1, JsonFault::Number);
    refused("\"\\ud800x\"", 1, JsonFault::Text);
    refused("\"\\udc00\"", 1, JsonFault::Text);
    refused("\"a\nb\"", 2, JsonFault::Text);
    refused("\"abc", 4, JsonFault::End);
    refused("true false", 5, JsonFault::Trailing);
    refused("nul", 0, JsonFault::Unexpected);
}

#[test]
fn a_byte_order_mark_is_passed_over_once_and_only_at_the_start() {
    let value = parse("\u{feff} {\"a\":\"\u{feff}\"}".as_bytes()).expect("parses");
    assert_eq!(value.to_bytes(), "{\"a\":\"\u{feff}\"}".as_bytes());
    refused("\u{feff}", 3, JsonFault::End);
    refused("\u{feff}\u{feff}1", 3, JsonFault::Unexpected);
    refused(" \u{feff}1", 1, JsonFault::Unexpected);
    refused("1\u{feff}", 1, JsonFault::Trailing);
    refused("\u{feff}[1,]", 6, JsonFault::Unexpected);
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(parse(deep(128).as_bytes()).is_ok());
    let fault = parse(deep(129).as_bytes()).expect_err("too deep").fault;
    assert_eq!(fault, JsonFault::TooDeep { depth_max: 128 });
    let limits = Limits { depth_max: 1, bytes_max: 8, values_max: 3 };
    let long = parse_with(b"123456789", limits).expect_err("long").fault;
    assert_eq!(long, JsonFault::TooLong { bytes_max: 8 });
    assert!(parse_with(b"[1,2]", limits).is_ok());
    let many = JsonError { offset: 5, fault: JsonFault::TooMany { values_max: 3 } };
    assert_eq!(parse_with(b"[1,2,3]", limits), Err(many));
}

#[test]
fn a_debug_print_holds_no_content() {
    let value = parse(br#"{"Eve":["Everywoman",17]}"#).expect("parses");
    let printed = format!("{value:?} {:?} {:?}", value.members(), value.member("Eve"));
    assert!(!printed.contains("Eve") && !printed.contains("17"), "{printed}");
}

/// Any document: numbers as texts that JSON has, names that differ.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?".prop_map(Value::Number),
        any::<String>().prop_map(Value::Text),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        let members = proptest::collection::btree_map(any::<String>(), inner.clone(), 0..6);
        // Not in the order of their names.
        let backwards = members.prop_map(|it| Value::object(it.into_iter().rev()));
        prop_oneof![proptest::collection::vec(inner, 0..6).prop_map(Value::Array), backwards]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_to_the_same_digits_and_order(value in document()) {
        let bytes = value.to_bytes();
        prop_assert_eq!(&parse(&bytes).expect("JSON"), &value);
        prop_assert_eq!(parse(value.to_pretty().as_bytes()).expect("JSON"), value.clone());
        // Written once, it is written the same for ever.
        prop_assert_eq!(parse(&bytes).expect("JSON").to_bytes(), bytes);
    }

    #[test]
    fn any_bytes_return(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn what_looks_like_json_returns_and_writes_back(text in "[\\[\\]{}:,\"a0-9.eE\\\\u \\-]{0,60}") {
        if let Ok(value) = parse(text.as_bytes()) {
            prop_assert_eq!(parse(&value.to_bytes()).expect("writes JSON"), value);
        }
    }
}

/// Pieces that JSON is made of, and that it is not.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"", " ", "\n", "\"a\"", "\"b\":", "\"a\":1", "\"\\u0061\"",
            "\\", "\\u", "\\ud83d\\ude00", "\\ud83d", "\\ude00", "\\n", "\\x", "true", "false", "null",
            "nul", "-", "0", "01", "1.5", "1e", "E+7", ".", "\u{feff}", "\u{1f}", "é😀", "\"longer text\"",
        ]).prop_map(|it| it.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|it| vec![it]),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|it| it.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_walk_agrees_with_the_naive_reader(bytes in pieces()) {
        let limits = Limits { depth_max: 3, bytes_max: 90, values_max: 7 };
        prop_assert_eq!(parse_with(&bytes, limits), oracle::parse_with(&bytes, limits));
        prop_assert_eq!(parse(&bytes), oracle::parse_with(&bytes, Limits::RESOURCE));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn of_a_document_that_was_changed_it_says_the_same(
        value in document(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = value.to_bytes();
        prop_assert_eq!(parse(&bytes), oracle::parse_with(&bytes, Limits::RESOURCE));
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert_eq!(parse(&bytes), oracle::parse_with(&bytes, Limits::RESOURCE));
        bytes.truncate(at);
        prop_assert_eq!(parse(&bytes), oracle::parse_with(&bytes, Limits::RESOURCE));
    }

    /// Names that are few are compared, and many are in a set; some are spelled with escapes.
    #[test]
    fn a_name_that_stands_twice_is_found_wherever_it_is(
        numbers in prop::collection::vec((0u8..60, any::<bool>()), 0..40),
    ) {
        let name = |(number, is_escaped): &(u8, bool)| match is_escaped {
            true => format!("\"\\u00{:02x}\":{{\"x\":1}}", 0x30 + number),
            false => format!("{}:[]", Value::from(char::from(0x30 + number).to_string().as_str()).to_pretty()),
        };
        let text = format!("[{{{}}}]", numbers.iter().map(name).collect::<Vec<_>>().join(","));
        let read = oracle::parse_with(text.as_bytes(), Limits::RESOURCE);
        prop_assert_eq!(parse(text.as_bytes()), read);
    }
}
