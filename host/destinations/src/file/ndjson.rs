//! One JSON document as one line.

use std::borrow::Cow;

/// The document on one line. Only space between tokens is removed, and a raw line end inside a
/// string (which JSON forbids, and some write) is escaped: every value, every digit and the order
/// of members stay. A document that is one line already is not touched.
pub(super) fn line(document: &[u8]) -> Cow<'_, [u8]> {
    let document = document.trim_ascii();
    if !document.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
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
}
