use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn json(text: &str) -> Json {
    Json::parse("fhir-json", Bytes::copy_from_slice(text.as_bytes())).expect("JSON")
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) {
    let json = json(text);
    let leaves: Vec<_> = json
        .nodes()
        .filter(|(_, node)| node.kind.is_leaf())
        .map(|(id, node)| (json.path_of(id), text[node.range.clone()].to_owned()))
        .collect();
    let expected: Vec<_> =
        expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    assert_eq!(leaves, expected);
}

#[test]
fn every_value_has_its_path_and_range() {
    check(
        " {\"a\" : [ 1.10,\"x\\\"]\" , {\"b\":true,\"c\":null}],\"d\":{ },\"e\":-0}\n",
        &[("a[0]", "1.10"), ("a[1]", "\"x\\\"]\""), ("a[2].b", "true"), ("e", "-0")],
    );
    check("\u{feff}{\"a\":1}", &[("a", "1")]);
    check("\"x\"", &[("", "\"x\"")]);
    check("[]", &[]);
}

#[test]
fn names_and_strings_are_unescaped() {
    let json = json(r#"{"\u0061b":"\u00e4\n\ud83d\ude00"}"#);
    let id = json.member(Json::ROOT, "ab").expect("there");
    assert_eq!(json.scalar(id).as_deref(), Some("ä\n😀"));
}

#[test]
fn a_bundle_has_an_outline() {
    let json = json(
        r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}},{"x":1}]}"#,
    );
    assert_eq!(json.outline(), ["Patient", ""]);
    assert_eq!(json.children(Json::ROOT).count(), 2);
}

#[test]
fn a_type_that_is_none_is_not_shown() {
    let json = json(r#"{"resourceType":"EVERYWOMAN, EVE"}"#);
    assert_eq!(json.resource_type(Json::ROOT), None);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        any::<i32>().prop_map(|it| Value::Number(it.to_string())),
        "[a-z\"\\\\{}\\[\\], é]{0,6}".prop_map(Value::Text),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            proptest::collection::btree_map("[a-z\"\\\\:é]{0,4}", inner, 0..5)
                .prop_map(Value::object),
        ]
    })
}

fn leaves(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|it| leaves(it, out)),
        Value::Object(members) => members.iter().for_each(|it| leaves(&it.value, out)),
        scalar => out.extend(scalar.scalar().map(str::to_owned)),
    }
}

proptest! {
    #[test]
    fn the_index_agrees_with_the_tree(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { value.to_pretty().into_bytes() } else { value.to_bytes() };
        let json = Json::parse("json", Bytes::from(text)).expect("JSON");
        let mut expected = Vec::new();
        leaves(&value, &mut expected);
        let found: Vec<_> = json.nodes().filter_map(|(id, _)| json.scalar(id)).collect();
        prop_assert_eq!(found, expected);
        for (id, node) in json.nodes() {
            prop_assert!(id < node.after());
            prop_assert_eq!(json.children(id).all(|child| json.node(child).and_then(|it| it.parent) == Some(id)), true);
        }
    }

    #[test]
    fn any_bytes_return(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Json::parse("json", Bytes::from(bytes));
    }

    /// Nodes are the same that a second walk over the bytes finds.
    #[test]
    fn one_walk_finds_what_two_found(
        value in any_json(),
        pretty in any::<bool>(),
        edit in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut text = if pretty { value.to_pretty().into_bytes() } else { value.to_bytes() };
        if let Some((at, byte)) = edit {
            let at = at.index(text.len());
            text[at] = byte;
        }
        let tree = hilum_fhir::parse_with(&text, LIMITS);
        let nodes = scan::nodes(&text, LIMITS);
        prop_assert_eq!(nodes.as_ref().err(), tree.as_ref().err());
        if let Ok(nodes) = nodes {
            prop_assert_eq!(format!("{nodes:?}"), format!("{:?}", oracle::nodes(&text)));
        }
    }
}

#[test]
fn as_many_values_as_places_are_read_and_no_more() {
    let of = |count: usize| Bytes::from(format!("[{}0]", "0,".repeat(count - 2)));
    assert!(Json::parse("json", of(crate::PLACES_MAX)).is_ok());
    let fault = Json::parse("json", of(crate::PLACES_MAX + 1)).expect_err("too many").fault;
    assert_eq!(fault, hilum_fhir::JsonFault::TooMany { values_max: crate::PLACES_MAX });
}

#[test]
fn each_name_of_fhir_has_a_number_of_its_own() {
    let names = include_str!("elements.txt").lines();
    let names: Vec<_> = names.flat_map(|it| [it.to_owned(), format!("_{it}")]).collect();
    let numbers: std::collections::BTreeSet<_> =
        names.iter().map(|it| known::number_of(it).expect("known")).collect();
    assert_eq!(numbers.len(), names.len());
    assert!(numbers.iter().all(|it| *it < known::NAMES_MAX));
    assert_eq!(known::number_of("EverywomanEve"), None);
}

#[test]
fn a_document_of_too_many_values_is_none() {
    let of = |values: usize| {
        let items = vec!["1"; values - 1].join(",");
        crate::Message::parse("fhir-json", Bytes::from(format!("[{items}]")))
    };
    assert!(of(crate::PLACES_MAX).is_ok());
    let fault = of(crate::PLACES_MAX + 1).expect_err("too many");
    assert!(matches!(fault, crate::ParseError::Json(it) if it.fault
            == hilum_fhir::JsonFault::TooMany { values_max: crate::PLACES_MAX }));
}

#[test]
fn a_shown_path_is_short_however_deep_the_value_and_however_long_the_names() {
    let long = "valueCodeableConcept";
    let deep = format!("{}1{}", format!("{{\"{long}\":").repeat(100), "}".repeat(100));
    let secret = format!("{{\"{}\":[{{\"a.b\":1}}]}}", "x".repeat(100_000));
    let shown = |text: &str| {
        let json = json(text);
        let (id, _) = json.nodes().last().expect("a value");
        json.shown_path_of(id)
    };
    let path = shown(&deep);
    assert!(path.len() < 300 && path.starts_with("\u{2026}.value"), "{path}");
    assert_eq!(shown(&secret), "?[0].?");
    assert_eq!(shown("{\"name\":{\"given\":[1,2]}}"), "name.given[1]");
}

#[test]
fn a_name_that_fhir_has_for_nothing_is_not_shown() {
    for (text, expected) in [
        (r#"{"people":{"EverywomanEve":{"room":1}}}"#, "?.?.?"),
        (r#"{"contact":[{"EverywomanEve":1}]}"#, "contact[0].?"),
        (r#"{"_birthDate":{"extension":[{"valueDate":1}]}}"#, "_birthDate.extension[0].valueDate"),
        (r#"{"__birthDate":1}"#, "?"),
        (r#"{"n\u0061me":1}"#, "?"),
        (r#"{"":1}"#, "?"),
    ] {
        let json = json(text);
        let (id, _) = json.nodes().last().expect("a value");
        assert_eq!(json.shown_path_of(id), expected, "{text}");
    }
}

#[test]
fn a_resource_is_one_where_fhir_has_one_and_has_a_type_that_fhir_has() {
    let types = |text: &str| {
        let json = json(text);
        let all = json.nodes().filter(|(id, _)| json.is_resource_type(*id));
        all.filter_map(|(id, _)| json.scalar(id)).collect::<Vec<_>>()
    };
    let bundle = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient",
        "contained":[{"resourceType":"Group"}]},"response":{"outcome":{"resourceType":"OperationOutcome"}}}]}"#;
    assert_eq!(types(bundle), ["Bundle", "Patient", "Group", "OperationOutcome"]);
    assert_eq!(
        types(r#"{"resourceType":"Patient","name":[{"resourceType":"Group"}]}"#),
        ["Patient"]
    );
    assert_eq!(types(r#"{"contact":{"resourceType":"Patient"}}"#), [""; 0]);
    assert_eq!(types(r#"{"resourceType":"EverywomanEve"}"#), [""; 0]);
    assert_eq!(json(r#"{"resourceType":"EverywomanEve"}"#).resource_type(Json::ROOT), None);
}
