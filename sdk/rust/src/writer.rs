//! JSON, written once and append only.
//!
//! What stays empty is taken back with its key and braces, and with the rows of the guide that were
//! noted for it: FHIR forbids empty strings, objects and
//! arrays, and a mapping has many values that may not be there.
//!
//! ```
//! # use hilum_sdk::Writer;
//! let mut w = Writer::new();
//! w.text("resourceType", Some("Patient"));
//! w.array("name", |w| {
//!     w.element(|w| {
//!         w.text("family", Some("Zedlitz"));
//!         w.array("given", |w| {
//!             w.item(Some("Q"));
//!         });
//!     });
//! });
//! w.array("telecom", |w| {
//!     // Kept only if the number is there: the closure answers.
//!     w.element_if(|w| {
//!         w.text("system", Some("phone"));
//!         w.text("value", None::<&str>)
//!     });
//! });
//! assert_eq!(
//!     w.into_text(),
//!     r#"{"resourceType":"Patient","name":[{"family":"Zedlitz","given":["Q"]}]}"#
//! );
//! ```
//!
//! Promises: what comes out is one JSON object whatever is told in whatever order, as long as
//! members are written in objects and items in arrays; a key that the caller writes twice stands
//! there twice.

mod string;

use crate::coverage;
use crate::json::is_json_number;
use string::quoted;

/// An object being written.
#[derive(Debug, PartialEq, Eq)]
pub struct Writer {
    /// Bytes, since a byte is cheaper to add than a letter; whole texts are all that is added.
    out: Vec<u8>,
}

/// Where a value began, with its key: to take it back, or to close it.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// The length before the comma and the key.
    before: usize,
    /// The length after the opening brace.
    inside: usize,
    /// How many rows of the guide were noted before.
    rows: usize,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(1_024)
    }

    /// An object without members, and room for some.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes);
        out.push(b'{');
        Self { out }
    }

    /// The object as JSON text.
    #[must_use]
    pub fn into_text(mut self) -> String {
        self.out.push(b'}');
        // It cannot fail: only whole texts were added.
        String::from_utf8(self.out).unwrap_or_default()
    }

    /// Whether nothing was written into the object or array at hand.
    pub fn is_empty(&self) -> bool {
        matches!(self.out.last(), Some(b'{' | b'['))
    }

    /// How much is written: to see whether something was.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// A string. None and the empty string are left out.
    #[inline]
    pub fn text(&mut self, key: &str, value: Option<impl AsRef<str>>) -> bool {
        match &value {
            Some(value) => self.put_text(key, value.as_ref()),
            None => false,
        }
    }

    /// A boolean.
    pub fn flag(&mut self, key: &str, value: Option<bool>) -> bool {
        let Some(value) = value else {
            return false;
        };
        self.key(key);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        true
    }

    /// A number in the sender's own digits. What is none is left out; a token goes through as a
    /// string, and the host writes the number that it stands for.
    #[inline]
    pub fn number(&mut self, key: &str, value: Option<impl AsRef<str>>) -> bool {
        match &value {
            Some(value) => self.put_number(key, value.as_ref()),
            None => false,
        }
    }

    /// An object.
    #[inline]
    pub fn object(&mut self, key: &str, fill: impl FnOnce(&mut Self)) -> bool {
        let mark = self.open(key, b'{');
        fill(self);
        self.close(mark, b'}', true)
    }

    /// An object that is kept only if `fill` says so.
    #[inline]
    pub fn object_if(&mut self, key: &str, fill: impl FnOnce(&mut Self) -> bool) -> bool {
        let mark = self.open(key, b'{');
        let is_kept = fill(self);
        self.close(mark, b'}', is_kept)
    }

    /// An array.
    #[inline]
    pub fn array(&mut self, key: &str, fill: impl FnOnce(&mut Self)) -> bool {
        let mark = self.open(key, b'[');
        fill(self);
        self.close(mark, b']', true)
    }

    /// An object in an array.
    #[inline]
    pub fn element(&mut self, fill: impl FnOnce(&mut Self)) -> bool {
        self.object("", fill)
    }

    /// An object in an array that is kept only if `fill` says so.
    #[inline]
    pub fn element_if(&mut self, fill: impl FnOnce(&mut Self) -> bool) -> bool {
        self.object_if("", fill)
    }

    /// A string in an array.
    #[inline]
    pub fn item(&mut self, text: Option<impl AsRef<str>>) -> bool {
        self.text("", text)
    }

    /// Runs `fill` where it is; what it wrote is taken back unless it says that it is to be kept.
    #[inline]
    pub fn only_if(&mut self, fill: impl FnOnce(&mut Self) -> bool) -> bool {
        let (before, rows) = (self.out.len(), coverage::rows());
        let is_kept = fill(self);
        if !is_kept {
            self.out.truncate(before);
            coverage::forget(rows);
        }
        is_kept
    }

    /// A member or item that another writer made.
    pub(crate) fn whole(&mut self, key: &str, other: &Self) {
        self.key(key);
        self.out.extend_from_slice(&other.out);
        self.out.push(b'}');
    }

    /// A member or item that is JSON already: a resource that another writer made.
    pub fn json(&mut self, key: &str, json: &str) -> bool {
        if json.is_empty() {
            return false;
        }
        self.key(key);
        self.out.extend_from_slice(json.as_bytes());
        true
    }

    /// The members of another object.
    pub fn append(&mut self, other: &Self) {
        let members = other.out.get(1..).unwrap_or_default();
        if members.is_empty() {
            return;
        }
        if !self.is_empty() {
            self.out.push(b',');
        }
        self.out.extend_from_slice(members);
    }

    #[inline(never)]
    fn put_text(&mut self, key: &str, value: &str) -> bool {
        if value.is_empty() {
            return false;
        }
        // Room for all of it, so that nothing below has to ask for more.
        self.out.reserve(key.len() + value.len() + 8);
        self.key(key);
        quoted(value.as_bytes(), &mut self.out);
        true
    }

    #[inline(never)]
    fn put_number(&mut self, key: &str, value: &str) -> bool {
        if crate::is_token(value) {
            return self.put_text(key, value);
        }
        if !is_json_number(value) {
            return false;
        }
        self.key(key);
        self.out.extend_from_slice(value.as_bytes());
        true
    }

    #[inline(never)]
    fn open(&mut self, key: &str, brace: u8) -> Mark {
        let before = self.out.len();
        self.key(key);
        self.out.push(brace);
        Mark { before, inside: self.out.len(), rows: coverage::rows() }
    }

    #[inline(never)]
    fn close(&mut self, mark: Mark, brace: u8, is_kept: bool) -> bool {
        if !is_kept || self.out.len() <= mark.inside {
            self.out.truncate(mark.before);
            coverage::forget(mark.rows);
            return false;
        }
        self.out.push(brace);
        true
    }

    /// The comma before a member or item, and the key of a member. Keys are FHIR's own names and
    /// need no escape.
    #[inline(never)]
    fn key(&mut self, key: &str) {
        let is_first = self.is_empty();
        if key.is_empty() {
            if !is_first {
                self.out.push(b',');
            }
            return;
        }
        // Two bytes of a constant are one store.
        if is_first {
            self.out.push(b'"');
        } else {
            self.out.extend_from_slice(b",\"");
        }
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

#[cfg(test)]
mod tests;
