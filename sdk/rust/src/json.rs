//! JSON, written as it is told, without what is empty.
//!
//! FHIR forbids empty strings, objects and arrays, and a mapping has many values that may not be
//! there: so an absent or empty value leaves no trace, not even its key.
//!
//! ```
//! # use hilum_sdk::Object;
//! # let family = Some("Zedlitz");
//! Object::new()
//!     .set("resourceType", "Patient")
//!     .set("birthDate", None::<String>)                   // left out
//!     .set("name", [Object::new().set("family", family)]) // left out if `family` is none
//! # ;
//! ```

/// A value that can be written as JSON.
pub trait Json {
    /// Writes the value. False: it was empty, and nothing was written.
    fn write(&self, out: &mut String) -> bool;
}

impl Json for str {
    fn write(&self, out: &mut String) -> bool {
        if self.is_empty() {
            return false;
        }
        write_text(self, out);
        true
    }
}

/// A string with its quotes.
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    // Letters that stay as they are go over in one piece; all that need an escape are ASCII.
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|it| it < 0x20 || it == b'"' || it == b'\\') {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        escape(from.as_bytes()[0], out);
        rest = &from[1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// RFC 8259, section 7.
fn escape(byte: u8, out: &mut String) {
    out.push('\\');
    match byte {
        b'\n' => out.push('n'),
        b'\r' => out.push('r'),
        b'\t' => out.push('t'),
        b'"' | b'\\' => out.push(char::from(byte)),
        _ => {
            out.push_str("u00");
            for digit in [byte >> 4, byte & 0x0f] {
                out.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
    }
}

impl Json for String {
    fn write(&self, out: &mut String) -> bool {
        self.as_str().write(out)
    }
}

impl Json for bool {
    fn write(&self, out: &mut String) -> bool {
        out.push_str(if *self { "true" } else { "false" });
        true
    }
}

impl Json for i64 {
    fn write(&self, out: &mut String) -> bool {
        out.push_str(&self.to_string());
        true
    }
}

impl<T: Json + ?Sized> Json for &T {
    fn write(&self, out: &mut String) -> bool {
        (**self).write(out)
    }
}

impl<T: Json> Json for Option<T> {
    fn write(&self, out: &mut String) -> bool {
        self.as_ref().is_some_and(|value| value.write(out))
    }
}

impl<T: Json, const N: usize> Json for [T; N] {
    fn write(&self, out: &mut String) -> bool {
        self.iter().collect::<Array>().write(out)
    }
}

impl<T: Json> Json for Vec<T> {
    fn write(&self, out: &mut String) -> bool {
        self.iter().collect::<Array>().write(out)
    }
}

/// An object being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Object {
    /// The members, without the braces.
    members: String,
}

impl Object {
    /// An object without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a member, unless its value is empty. Each key is set once.
    pub fn set(mut self, key: &str, value: impl Json) -> Self {
        self.put(key, &value);
        self
    }

    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The object as JSON text.
    pub fn into_text(self) -> String {
        format!("{{{}}}", self.members)
    }

    // One copy of this, and not one for each member that a mapping sets: guests are small.
    #[inline(never)]
    fn put(&mut self, key: &str, value: &dyn Json) {
        let before = self.members.len();
        if before > 0 {
            self.members.push(',');
        }
        key.write(&mut self.members);
        self.members.push(':');
        if !value.write(&mut self.members) {
            self.members.truncate(before);
        }
    }
}

impl Json for Object {
    fn write(&self, out: &mut String) -> bool {
        if self.members.is_empty() {
            return false;
        }
        out.push('{');
        out.push_str(&self.members);
        out.push('}');
        true
    }
}

/// An array being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Array {
    /// The elements, without the brackets.
    elements: String,
}

impl Array {
    /// An array without elements.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an element, unless it is empty.
    pub fn push(&mut self, value: impl Json) {
        self.add(&value);
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    #[inline(never)]
    fn add(&mut self, value: &dyn Json) {
        let before = self.elements.len();
        if before > 0 {
            self.elements.push(',');
        }
        if !value.write(&mut self.elements) {
            self.elements.truncate(before);
        }
    }
}

impl<T: Json> FromIterator<T> for Array {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut array = Self::new();
        array.extend(values);
        array
    }
}

impl<T: Json> Extend<T> for Array {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        for value in values {
            self.push(value);
        }
    }
}

impl Json for Array {
    fn write(&self, out: &mut String) -> bool {
        if self.elements.is_empty() {
            return false;
        }
        out.push('[');
        out.push_str(&self.elements);
        out.push(']');
        true
    }
}

/// A number, in the sender's own digits; see [`number`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(String);

/// The text as a JSON number, digits unchanged; none if it is none. A token goes through as a
/// string: the host writes the number that it stands for.
pub fn number(text: &str) -> Option<Number> {
    (crate::is_token(text) || is_json_number(text)).then(|| Number(text.to_owned()))
}

impl Json for Number {
    fn write(&self, out: &mut String) -> bool {
        if crate::is_token(&self.0) {
            return self.0.write(out);
        }
        out.push_str(&self.0);
        true
    }
}

/// RFC 8259, section 6.
pub(crate) fn is_json_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|it| is_digits(it.strip_prefix(['+', '-']).unwrap_or(it)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(object: Object, expected: &str) {
        assert_eq!(object.into_text(), expected);
    }

    #[test]
    fn what_is_empty_leaves_no_trace() {
        check(Object::new(), "{}");
        check(
            Object::new()
                .set("a", "")
                .set("b", None::<String>)
                .set("c", Object::new())
                .set("d", Vec::<String>::new())
                .set("e", [Object::new().set("f", None::<&str>)])
                .set("g", "here")
                .set("h", Array::new()),
            r#"{"g":"here"}"#,
        );
    }

    #[test]
    fn values_stand_in_the_order_they_were_set() {
        check(
            Object::new()
                .set(
                    "name",
                    [Object::new().set("family", "Zedlitz").set("given", [Some("Q"), None])],
                )
                .set("active", true)
                .set("count", -7_i64)
                .set("list", vec!["a", "", "b"]),
            r#"{"name":[{"family":"Zedlitz","given":["Q"]}],"active":true,"count":-7,"list":["a","b"]}"#,
        );
    }

    #[test]
    fn strings_are_escaped() {
        check(
            Object::new().set("k\"", "a\"b\\c\nd\te\u{1}f\u{1f}ü€😀"),
            "{\"k\\\"\":\"a\\\"b\\\\c\\nd\\te\\u0001f\\u001fü€😀\"}",
        );
    }

    #[test]
    fn numbers_keep_their_digits() {
        for good in ["0", "2", "-1", "1.50", "10", "0.5", "1e3", "1.5E-7"] {
            check(Object::new().set("n", number(good)), &format!(r#"{{"n":{good}}}"#));
        }
        for bad in ["", "+1", "01", ".5", "1.", "1e", "--1", "1,5", "two", "0x1", "-", "1 "] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_token_for_a_number_is_written_as_a_string() {
        check(Object::new().set("n", number("ZQ7K3M9XA2WB4T")), r#"{"n":"ZQ7K3M9XA2WB4T"}"#);
    }
}
