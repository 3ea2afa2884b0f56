//! What finds a resource again on a server.

use crate::fhir;

/// A business identifier: a value in a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// A URI, or none: then the search is for an identifier that has none.
    pub system: Option<String>,
    /// The value; may be a token, or have tokens in it.
    pub value: String,
}

impl Identifier {
    /// A value in a system.
    pub fn new(system: Option<&str>, value: &str) -> Self {
        Self { system: system.map(str::to_owned), value: value.to_owned() }
    }
}

/// What finds a resource again when the message is repeated, corrected or followed by others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// It is created, or replaced: `PUT Type?identifier=system|value`.
    Identifier(Identifier),
    /// It is created unless it is there: `POST` with `ifNoneExist`.
    Mentioned(Identifier),
    /// It has no identifier of its own. One is made of the patient's identifier, the kind and this
    /// key, and written into the resource: `PUT Type?identifier=<system.derived>|<authority>/<patient>-<kind>-<key>`.
    /// In a message without a patient it is as [`Self::Message`].
    Derived {
        /// A code or the set id.
        key: String,
    },
    /// The type has no identifier at all: `PUT Type/<id>`, the same for the same message and name.
    Message,
    /// It stands in bundles of type collection and message alone.
    None,
}

impl Identity {
    /// [`Identity::Derived`].
    pub fn derived(key: &str) -> Self {
        Self::Derived { key: key.to_owned() }
    }
}

/// What a transaction asks for.
#[derive(Debug)]
pub(super) enum Request {
    Put(String),
    PostUnless {
        kind: &'static str,
        query: String,
    },
    /// It is in no transaction.
    Nothing,
}

impl Request {
    pub(super) fn replace(kind: &str, identifier: &Identifier) -> Self {
        Self::Put(fhir::by_identifier(kind, identifier.system.as_deref(), &identifier.value))
    }

    pub(super) fn unless(kind: &'static str, identifier: &Identifier) -> Self {
        let url = fhir::by_identifier(kind, identifier.system.as_deref(), &identifier.value);
        let query = url.get(kind.len() + 1..).unwrap_or_default().to_owned();
        Self::PostUnless { kind, query }
    }
}
