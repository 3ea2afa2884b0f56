//! A number of HL7 v2 as a JSON number.

use std::borrow::Cow;

use crate::is_token;
use crate::json::is_json_number;

/// A number, with what stands before it: `<0.10`.
#[derive(Debug, PartialEq, Eq)]
pub struct Measured<'a> {
    /// `<`, `<=`, `>=` or `>`: all that FHIR's Quantity has.
    pub comparator: Option<&'static str>,
    /// The digits, as JSON has them; or a token.
    pub value: Cow<'a, str>,
}

/// The number that a text is, in the sender's own precision. NM may have a plus sign, leading zeros
/// and a bare point, which JSON has not. A token is taken for a number: the host knows.
pub fn decimal(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    if is_token(text) || is_json_number(text) {
        return Some(Cow::Borrowed(text));
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let number = [sign, whole, point, fraction].concat();
    is_json_number(&number).then_some(Cow::Owned(number))
}

/// A number that may have a comparator before it: laboratories write `<0.10` where a number should
/// stand.
pub fn measured(text: &str) -> Option<Measured<'_>> {
    let text = text.trim();
    let comparator = ["<=", ">=", "<", ">"].into_iter().find(|it| text.starts_with(it));
    let rest = text.get(comparator.map_or(0, str::len)..)?;
    Some(Measured { comparator, value: decimal(rest)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(decimal(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_number_keeps_its_precision() {
        check("4.0", Some("4.0"));
        check("0", Some("0"));
        check("-12.50", Some("-12.50"));
    }

    #[test]
    fn what_json_has_not_is_written_as_json_has_it() {
        check("+5", Some("5"));
        check(" 007.50 ", Some("7.50"));
        check(".5", Some("0.5"));
        check("-.5", Some("-0.5"));
        check("5.", Some("5"));
        check("000", Some("0"));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", ".", "-", "+", "1,5", "positive", "1.2.3", "--1", "1 2", "0x10"] {
            check(text, None);
        }
    }

    #[test]
    fn a_token_is_taken_for_a_number() {
        check("ZQ7K3M9XA2WB4T", Some("ZQ7K3M9XA2WB4T"));
    }

    #[test]
    fn a_comparator_is_told_from_the_number() {
        let it = measured("<= 0.10").expect("a number");
        assert_eq!((it.comparator, it.value.as_ref()), (Some("<="), "0.10"));
        let it = measured("12").expect("a number");
        assert_eq!((it.comparator, it.value.as_ref()), (None, "12"));
        assert_eq!(measured("<>5"), None);
        assert_eq!(measured("="), None);
    }
}
