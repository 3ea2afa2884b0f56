//! One JSON document as one line.

use std::borrow::Cow;

/// The document on one line. Only space between tokens is removed, and a raw line end inside a
/// string (which JSON forbids, and some write) is escaped: every value, every digit and the order
/// of members stay. A document that is one line already is not touched.
pub(super) fn line(document: &[u8]) -> Cow<'_, [u8]> {
    let document = document.trim_ascii();
    if !document.contains(&b'\n') && !document.contains(&b'\r') {
        return Cow::Borrowed(document);
    }
    let mut line = Vec::with_capacity(document.len());
    let (mut in_string, mut escaped) = (false, false);
    for &byte in document {
        match byte {
            b'\n' if in_string => line.extend_from_slice(if escaped { b"n" } else { b"\\n" }),
            b'\r' if in_string => line.extend_from_slice(if escaped { b"r" } else { b"\\r" }),
            b' ' | b'\t' | b'\n' | b'\r' if !in_string => {}
            _ => line.push(byte),
        }
        in_string ^= byte == b'"' && !escaped;
        escaped = in_string && byte == b'\\' && !escaped;
    }
    Cow::Owned(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[track_caller]
    fn check(document: &str, expected: &str) {
        assert_eq!(line(document.as_bytes()), expected.as_bytes());
    }

    #[test]
    fn a_line_is_not_touched() {
        check("{ \"a\" : 1.50 }", "{ \"a\" : 1.50 }");
        check("{\"a\":1}\n", "{\"a\":1}");
    }

    #[test]
    fn space_between_tokens_goes_and_values_stay() {
        check(
            "{\r\n  \"b\": [1.50,\n\t\"x  y\"],\n  \"a\": null\n}\n",
            "{\"b\":[1.50,\"x  y\"],\"a\":null}",
        );
    }

    #[test]
    fn quotes_and_backslashes_inside_strings_are_understood() {
        check("{\n\"a\": \"\\\" , \\\\\",\n \"b\": 1}", "{\"a\":\"\\\" , \\\\\",\"b\":1}");
        check("[\"one\ntwo\",\n3]", "[\"one\\ntwo\",3]");
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}|[\\x00-\\x1f\\\\\"]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let members = proptest::collection::vec(("[a-z\"\\\\ ]{0,6}", inner.clone()), 0..5);
            prop_oneof![
                proptest::collection::vec(inner, 0..5).prop_map(Value::from),
                members.prop_map(|it| Value::Object(it.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_document_is_one_line_with_the_same_values(value in json()) {
            let pretty = serde_json::to_string_pretty(&value).expect("JSON").replace('\n', "\r\n");
            let line = line(pretty.as_bytes());
            prop_assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
            prop_assert_eq!(serde_json::from_slice::<Value>(&line).expect("JSON"), value);
        }

        #[test]
        fn any_bytes_are_one_line(bytes: Vec<u8>) {
            let line = line(&bytes);
            prop_assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
        }
    }
}
