//! Facts: what a record says beside who, what and when.
//!
//! A fact is a key and a value. Keys are words that programs search for, so the usual ones are
//! constants here. A fact holds places, names, counts and digests; never a field's content.

use std::borrow::Cow;
use std::fmt;

use hilum_words::Digest;

/// Digest of the plugin's component.
pub const PLUGIN: &str = "plugin";
/// The step's name in the configuration.
pub const STEP: &str = "step";
/// The route's name.
pub const ROUTE: &str = "route";
/// The listener's name.
pub const LISTENER: &str = "listener";
/// The destination's name.
pub const DESTINATION: &str = "destination";
/// Digest of what went in.
pub const INPUT: &str = "input";
/// Digest of what came out. May stand several times.
pub const OUTPUT: &str = "output";
/// Fuel burnt.
pub const FUEL: &str = "fuel";
/// Which attempt, counted from 1.
pub const ATTEMPT: &str = "attempt";
/// What a destination answered, as one word.
pub const CODE: &str = "code";
/// The word of a cause.
pub const CAUSE: &str = "cause";
/// A sentence for a person.
pub const DETAIL: &str = "detail";
/// What a person gave as the reason.
pub const REASON: &str = "reason";
/// The kind of message, such as `ADT^A01`.
pub const KIND: &str = "kind";
/// The policy's version: a digest of the tables of classes and what the site says about places.
pub const POLICY: &str = "policy";
/// How many bytes.
pub const BYTES: &str = "bytes";
/// An earlier message that this one repeats.
pub const EARLIER: &str = "earlier";
/// The run that this one was made from.
pub const PARENT: &str = "parent";
/// Before a class: how many values of it were read.
pub const OPENED: &str = "opened";
/// Before a class: how many values of it were handed over as tokens.
pub const SEALED: &str = "sealed";
/// Before a class: how many values of it were kept back.
pub const WITHHELD: &str = "withheld";
/// Before a capability: how often it was denied.
pub const DENIED: &str = "denied";
/// A place that was read. Stands at most [`PATHS_MAX`] times in a record.
pub const PATH: &str = "path";

/// Places that a record names at most.
pub const PATHS_MAX: usize = 256;
/// Facts that a record has at most.
pub const FACTS_MAX: usize = 1_024;
/// Bytes that a text has at most; longer ones are cut.
pub const TEXT_BYTES_MAX: usize = 4_096;
/// Bytes that a key has at most; longer ones are cut.
pub const KEY_BYTES_MAX: usize = 128;

/// The key of a fact.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactKey(Cow<'static, str>);

impl FactKey {
    /// A key with what it counts: `opened.name`.
    pub fn of(key: &'static str, counted: &str) -> Self {
        Self::from(format!("{key}.{counted}"))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for FactKey {
    fn from(key: &'static str) -> Self {
        Self(Cow::Borrowed(cut(key, KEY_BYTES_MAX)))
    }
}

impl From<String> for FactKey {
    fn from(mut key: String) -> Self {
        key.truncate(cut(&key, KEY_BYTES_MAX).len());
        Self(Cow::Owned(key))
    }
}

impl fmt::Display for FactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactValue {
    /// A word, a name, a path, a sentence without content.
    Text(String),
    /// A count.
    Number(u64),
    /// What stands for bytes.
    Digest(Digest),
}

impl fmt::Display for FactValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Digest(digest) => write!(f, "{digest}"),
        }
    }
}

/// The longest beginning of at most `bytes_max` bytes that ends between two characters.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
