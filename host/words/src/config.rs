//! The reader of configuration sections.
//!
//! A [`Document`] is what an operator wrote: one TOML file, others merged into it
//! ([`Document::merge`]), and overrides from the environment over them ([`Document::overlay`]).
//! A [`Section`] hands out its values by key and type; what is wrong goes to
//! [`Problems`](crate::Problems) with file, line and key, and reading goes on, so that an operator
//! sees all problems at once. [`Section::finish`] reports the keys that nobody asked for, with the
//! one that was probably meant. What must not be written inline is a [`SecretRef`].
//!
//! Promises: no key is ignored in silence; a value of the wrong type is a problem, never a default;
//! no secret's value is ever printed.
//! Not here: what the keys mean; every crate reads its own section.

mod asked;
mod document;
mod explore;
mod merge;
mod or;
mod overlay;
mod redact;
mod secret;
mod section;
mod show;
mod unit;

pub use asked::{ANY, Asked, Key, Step, Table, Type};
pub use document::Document;
pub use or::{InToml, Size};
pub use overlay::Overrides;
pub use redact::{names_secret, redacted, redacted_value, secret_in_url};
pub use secret::{SECRET_BYTES_MAX, Secret, SecretError, SecretRef, SecretSource};
pub use section::Section;
pub use show::{Origin, Shown, ShownTable};
pub use unit::{parse_duration, parse_size, write_duration, write_size};

use crate::{Place, Problems};

/// A value with the place and the whole key it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
    /// Its key, written out whole: `route.adt.to[1]`.
    pub key: String,
}

impl<T> Placed<T> {
    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Placed<U> {
        Placed { value: change(self.value), place: self.place, key: self.key }
    }

    /// Notes a problem about this value.
    pub fn problem(&self, problems: &Problems, text: impl Into<String>) {
        problems.push(&self.place, &self.key, text);
    }
}

#[cfg(test)]
mod tests;
