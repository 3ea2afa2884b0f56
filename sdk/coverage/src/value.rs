//! Whether the right value stands at a target.

use serde_json::Value;

use crate::path::Node;

/// What is expected of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Anything at all: the row says in words what is written, or a map of its own says it.
    Filled,
    /// One of these texts, as it is in FHIR.
    One(Vec<String>),
    /// A point in time, to the precision that the source has.
    Time(String),
    /// A URI that is or names this: `HOSP` in `urn:x:HOSP`.
    Uri(Vec<String>),
}

/// What was found wrong with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// The plugin did not report the row.
    NotReported,
    /// Nothing stands there.
    Empty,
    /// Something else stands there.
    Value,
    /// A reference that the row sets is not there, or to something else.
    Reference,
}

impl Wrong {
    /// The word that is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotReported => "not reported",
            Self::Empty => "empty",
            Self::Value => "wrong value",
            Self::Reference => "reference missing",
        }
    }
}

/// Whether one of the nodes is what is expected.
pub fn judge(nodes: &[Node<'_>], expected: &Expected) -> Result<(), Wrong> {
    let filled: Vec<&Node<'_>> = nodes.iter().filter(|it| it.is_filled()).collect();
    if filled.is_empty() {
        return Err(Wrong::Empty);
    }
    let is_right = match expected {
        Expected::Filled => true,
        Expected::One(texts) => filled
            .iter()
            .any(|node| texts.iter().any(|text| holds(node.value, &|it| same(it, text)))),
        Expected::Uri(texts) => filled
            .iter()
            .any(|node| texts.iter().any(|text| holds(node.value, &|it| names(it, text)))),
        Expected::Time(text) => {
            filled.iter().any(|node| holds(node.value, &|it| same_time(it, text)))
        }
    };
    if is_right { Ok(()) } else { Err(Wrong::Value) }
}

/// Whether a text that fits stands in a value: it itself, or a leaf of an object such as a
/// CodeableConcept.
fn holds(value: &Value, fits: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => fits(text),
        Value::Number(number) => fits(&number.to_string()),
        Value::Bool(true) => fits("true"),
        Value::Bool(false) => fits("false"),
        Value::Array(items) => items.iter().any(|it| holds(it, fits)),
        Value::Object(members) => members.values().any(|it| holds(it, fits)),
        Value::Null => false,
    }
}

/// The same text, apart from blanks; or the same number.
fn same(found: &str, text: &str) -> bool {
    let plain = |it: &str| it.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain(found) == plain(text) {
        return true;
    }
    let number = |it: &str| it.trim().trim_start_matches('+').parse::<f64>().ok();
    number(found).is_some_and(|it| number(text) == Some(it))
}

/// Whether a URI is a text, or has it in it, with what a URI cannot have written otherwise.
fn names(found: &str, text: &str) -> bool {
    let plain = |it: &str| -> String {
        let decoded = decoded(it);
        decoded.chars().filter(char::is_ascii_alphanumeric).flat_map(char::to_lowercase).collect()
    };
    let text = plain(text);
    !text.is_empty() && plain(found).contains(&text)
}

/// The text behind percent signs.
fn decoded(uri: &str) -> String {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code =
            after.get(..2).filter(|_| first == b'%').and_then(|it| std::str::from_utf8(it).ok());
        match code.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `2020-02-01T10:30:00+01:00` is `20200201103000+0100`, and `202002011030` too: FHIR needs seconds where
/// there are minutes. An offset that the source does not have is the site's; one that it has is kept.
fn same_time(found: &str, text: &str) -> bool {
    if let Some((_, time)) = found.split_once('T')
        && let Some(offset) = offset(text.trim())
        && self::offset(time).is_some_and(|it| it != offset)
    {
        return false;
    }
    let digits = |it: &str| -> String {
        let day = it.split_once('T').map_or(it, |it| it.0);
        let time = it.split_once('T').map_or("", |it| it.1);
        let time = time.split(['+', '-', 'Z', '.']).next().unwrap_or_default();
        format!("{day}{time}").chars().filter(char::is_ascii_digit).collect()
    };
    let local = text.trim().split(['+', '-', '.']).next().unwrap_or_default();
    let source: String = local.chars().filter(char::is_ascii_digit).collect();
    let found = digits(found);
    // A day, or less: a date is what it says. A point in time may be kept as its day.
    let length = source.len().min(found.len());
    4 <= length
        && (8 <= length || length == source.len())
        && source[..length] == found[..length]
        && found[length..].chars().all(|it| it == '0')
        || is_time(&source, &found)
}

/// The offset from UTC at the end of a time: its sign and digits; `Z` is none from UTC.
fn offset(time: &str) -> Option<String> {
    if time.ends_with('Z') {
        return Some("+0000".to_owned());
    }
    let at = time.rfind(['+', '-'])?;
    let plain: String = time[at..].chars().filter(|it| *it != ':').collect();
    Some(if plain == "-0000" { "+0000".to_owned() } else { plain })
}

/// A time of day.
fn is_time(source: &str, found: &str) -> bool {
    matches!(source.len(), 4 | 6) && found.len() == 6 && found.starts_with(source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(value: Value, expected: Expected) -> Result<(), Wrong> {
        judge(&[Node::of(&value)], &expected)
    }

    fn one(text: &str) -> Expected {
        Expected::One(vec!["other".to_owned(), text.to_owned()])
    }

    #[test]
    fn an_empty_target_is_no_value() {
        assert_eq!(judge(&[], &Expected::Filled), Err(Wrong::Empty));
        for nothing in [json!(null), json!(""), json!({}), json!([])] {
            assert_eq!(check(nothing, Expected::Filled), Err(Wrong::Empty));
        }
    }

    #[test]
    fn another_value_is_wrong() {
        assert_eq!(check(json!("X"), one("Y")), Err(Wrong::Value));
        assert_eq!(check(json!("EVEX"), one("EVE")), Err(Wrong::Value));
        assert_eq!(check(json!({ "coding": [{ "code": "M" }] }), one("F")), Err(Wrong::Value));
        assert_eq!(check(json!(true), one("false")), Err(Wrong::Value));
        assert_eq!(check(json!(5.1), one("5.2")), Err(Wrong::Value));
        assert_eq!(check(json!("X"), one("X")), Ok(()));
        assert_eq!(check(json!({ "coding": [{ "code": "M" }] }), one("M")), Ok(()));
        assert_eq!(check(json!(5.10), one("+5.1")), Ok(()));
    }

    #[test]
    fn a_uri_names_what_it_is_made_of() {
        let uri = |text: &str| Expected::Uri(vec![text.to_owned()]);
        assert_eq!(check(json!("urn:oid:1.2.3"), uri("1.2.3")), Ok(()));
        assert_eq!(check(json!("urn:x:GOOD%20HOSPITAL"), uri("GOOD HOSPITAL")), Ok(()));
        assert_eq!(check(json!("urn:x:OTHER"), uri("GOOD HOSPITAL")), Err(Wrong::Value));
    }

    #[test]
    fn a_time_is_the_same_to_its_precision() {
        let time = |text: &str| Expected::Time(text.to_owned());
        for (found, source) in [
            ("2020-02-01", "20200201"),
            ("2020-02", "202002"),
            ("2020", "2020"),
            ("2020-02-01T10:30:00+01:00", "202002011030"),
            ("2020-02-01T10:30:15.5+01:00", "20200201103015.5+0100"),
            ("2020-02-01T10:30:00Z", "202002011030-0000"),
            ("2020-02-01", "20200201103015"),
            ("10:30:00", "1030"),
        ] {
            assert_eq!(check(json!(found), time(source)), Ok(()), "{found} {source}");
        }
        for (found, source) in [
            ("2020-02-02", "20200201"),
            ("2020", "20200201"),
            ("2020-02-01", "2020"),
            ("2020-02-01T10:31:00Z", "202002011030"),
            ("2020-02-01T10:30:00Z", "20200201"),
            ("2020-02-01T10:30:00+09:00", "202002011030+0100"),
            ("2020-02-01T10:30:00Z", "202002011030-0500"),
        ] {
            assert_eq!(check(json!(found), time(source)), Err(Wrong::Value), "{found} {source}");
        }
    }
}
