//! What should not be in a configuration, found by its name: for what is printed of one.
//!
//! Promises: a value under a key that sounds like a secret is `***`, and so is what stands before the
//! `@` of a URL and the value of a query key that sounds like one.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// What is printed in place of a secret.
pub(super) const REDACTED: &str = "\"***\"";

/// Words in a key that say that its value should not be here.
const SECRET_WORDS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "subscriptionkey",
    "functionskey",
    "sharedkey",
    "authorization",
    "cookie",
];

/// Whole names of headers and query keys that say the same.
const SECRET_NAMES: [&str; 7] = ["key", "sig", "auth", "pwd", "pass", "xauth", "xkey"];

/// Endings of keys that hold a reference and no secret.
const REFERENCES: [&str; 5] = ["_file", "_env", "_credential", "_url", "_timeout"];

/// Whether a header or a key of a query sounds as if its value were a secret.
pub fn names_secret(name: &str) -> bool {
    let letters = letters(name);
    SECRET_WORDS.iter().chain(&["credential"]).any(|it| letters.contains(it))
        || SECRET_NAMES.contains(&letters.as_str())
}

/// The first key of a URL's query, or parameter of its path, that sounds as if its value were a
/// secret.
pub fn secret_in_url(url: &str) -> Option<String> {
    let pieces = url.split(['?', '&', ';']).skip(1);
    let keys = pieces.filter_map(|it| it.split_once('=')).map(|(key, _)| decoded(key));
    keys.into_iter().find(|it| names_secret(it))
}

/// A value as it may be printed, spelled as TOML spells it.
pub fn redacted_value(key: &str, value: &str) -> String {
    if sounds_secret(key) { REDACTED.to_owned() } else { without_secrets(value) }
}

/// A configuration as it may be printed: the same text, but for its secrets.
pub fn redacted(text: &str) -> String {
    let mut found = Vec::new();
    let (table, _) = DeTable::parse_recoverable(text);
    for (key, value) in table.get_ref() {
        collect(text, key.get_ref(), value.get_ref(), value.span(), &mut found);
    }
    found.sort_by_key(|(range, _)| range.start);
    let mut out = String::new();
    let mut from = 0;
    for (range, value) in found.into_iter().filter(|(range, _)| !range.is_empty()) {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(&value);
        from = range.end.max(from);
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Adds each value that must not be printed as it is, with what is printed.
fn collect(
    text: &str,
    key: &str,
    value: &DeValue<'_>,
    span: Range<usize>,
    found: &mut Vec<(Range<usize>, String)>,
) {
    match value {
        DeValue::Table(table) => {
            for (key, value) in table {
                collect(text, key.get_ref(), value.get_ref(), value.span(), found);
            }
        }
        DeValue::Array(items) if !sounds_secret(key) => {
            for item in items {
                collect(text, key, item.get_ref(), item.span(), found);
            }
        }
        _ => {
            let written = text.get(span.clone()).unwrap_or_default();
            let shown = redacted_value(key, written);
            if shown != written {
                found.push((span, shown));
            }
        }
    }
}

pub(super) fn sounds_secret(name: &str) -> bool {
    let folded = name.to_ascii_lowercase().replace('-', "_");
    let is_reference = REFERENCES.iter().any(|it| folded.ends_with(it));
    let letters = letters(name);
    !is_reference && SECRET_WORDS.iter().any(|it| letters.contains(it))
}

/// Small letters and digits alone.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect()
}

/// `http://***@host/?key=***` for `http://user:password@host/?key=secret`; any other text as it is.
pub(super) fn without_secrets(text: &str) -> String {
    const ENDS: [char; 4] = ['"', '\'', ' ', '\n'];
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at + 3);
        out.push_str(before);
        let end = url.find(['/', '?', '#']).unwrap_or(url.len());
        let end = end.min(url.find(ENDS).unwrap_or(url.len()));
        let (authority, behind) = url.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => out.push_str(&format!("***@{host}")),
            None => out.push_str(authority),
        }
        let (target, after) = behind.split_at(behind.find(ENDS).unwrap_or(behind.len()));
        for piece in target.split_inclusive(['?', '&', ';']) {
            match piece.split_once('=') {
                Some((key, value)) if names_secret(&decoded(key)) => {
                    let separator = value.chars().last().filter(|it| matches!(it, '?' | '&' | ';'));
                    out.push_str(&format!("{key}=***"));
                    out.extend(separator);
                }
                _ => out.push_str(piece),
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A key without its percent-encoding.
fn decoded(key: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = key.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits.and_then(|it| u8::from_str_radix(it, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_sounds_like_a_secret_is_known() {
        for name in
            ["X-Api-Key", "api_key", "apikey", "x-auth-token", "Key", "sig", "Cookie", "X.Api.Key"]
        {
            assert!(names_secret(name), "{name}");
        }
        for name in ["X-Source", "partition-key", "monkey", "author", "design", "passage"] {
            assert!(!names_secret(name), "{name}");
        }
    }

    #[test]
    fn a_secret_in_a_url_is_found_and_not_printed() {
        for (url, key) in [
            ("https://x/a?b=c&api_key=hunter2", Some("api_key")),
            ("https://x/a?api%5Fkey=hunter2#f", Some("api_key")),
            ("https://x/a;token=hunter2/b", Some("token")),
            ("https://x/a?key=hunter2", Some("key")),
            ("https://x/key/token?b=c", None),
        ] {
            assert_eq!(secret_in_url(url).as_deref(), key, "{url}");
            let shown = without_secrets(url);
            assert_eq!(shown.contains("***"), key.is_some(), "{shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        assert_eq!(
            without_secrets("[\"http://u:hunter2@a/?sig=hunter2&x=1\", \"http://b/@?c=d\"]"),
            "[\"http://***@a/?sig=***&x=1\", \"http://b/@?c=d\"]"
        );
    }

    #[test]
    fn a_configuration_is_printed_as_it_is_but_for_its_secrets() {
        let text = "# a site\n[destination.x]\nurl = 'http://u:hunter2@a/?token=hunter2'\n\
                    headers = { \"X-Api-Key\" = \"hunter2\", X-Source = \"a\" } # kept\n\
                    password_file = \"secrets/x\"\npasswords = [ \"hunter2\" ]\n\
                    [route.y.settings]\n\"partner.token\" = \"\"\"\nhunter2\"\"\"\n";
        let expected = "# a site\n[destination.x]\nurl = 'http://***@a/?token=***'\n\
                        headers = { \"X-Api-Key\" = \"***\", X-Source = \"a\" } # kept\n\
                        password_file = \"secrets/x\"\npasswords = \"***\"\n\
                        [route.y.settings]\n\"partner.token\" = \"***\"\n";
        assert_eq!(redacted(text), expected);
    }
}
