use std::ops::RangeInclusive;
use std::time::Duration;

use super::show::quoted;
use super::{Section, write_duration, write_size};

/// A value as a configuration would write it.
pub trait InToml {
    /// The value in TOML.
    fn in_toml(&self) -> String;
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl InToml for &str {
    fn in_toml(&self) -> String {
        quoted(self)
    }
}

impl InToml for bool {
    fn in_toml(&self) -> String {
        self.to_string()
    }
}

impl InToml for u64 {
    fn in_toml(&self) -> String {
        self.to_string()
    }
}

impl InToml for usize {
    fn in_toml(&self) -> String {
        self.to_string()
    }
}

impl InToml for Duration {
    fn in_toml(&self) -> String {
        quoted(&write_duration(*self))
    }
}

impl InToml for Size {
    fn in_toml(&self) -> String {
        quoted(&write_size(self.0))
    }
}

/// Keys that have a default. It is noted where the key is read, so that
/// `hilum config show --effective` and the schema for editors can tell it.
impl Section<'_> {
    /// A string, or this one.
    pub fn text_or(&mut self, key: &str, default: &str) -> String {
        self.default(key, default);
        self.text(key).map_or_else(|| default.to_owned(), |it| it.value)
    }

    /// The index of one of `words`, or this index.
    pub fn word_or(&mut self, key: &str, words: &[&str], default: usize) -> usize {
        if let Some(word) = words.get(default) {
            self.default(key, *word);
        }
        self.word(key, words).map_or(default, |it| it.value)
    }

    /// `true` or `false`, or this.
    pub fn boolean_or(&mut self, key: &str, default: bool) -> bool {
        self.default(key, default);
        self.boolean(key).map_or(default, |it| it.value)
    }

    /// An integer within `range`, or this one.
    pub fn integer_or(&mut self, key: &str, range: RangeInclusive<u64>, default: u64) -> u64 {
        self.default(key, default);
        self.integer(key, range).map_or(default, |it| it.value)
    }

    /// A span of time, or this one.
    pub fn duration_or(&mut self, key: &str, default: Duration) -> Duration {
        self.default(key, default);
        self.duration(key).map_or(default, |it| it.value)
    }

    /// A number of bytes, or this one.
    pub fn size_or(&mut self, key: &str, default: u64) -> u64 {
        self.default(key, Size(default));
        self.size(key).map_or(default, |it| it.value)
    }
}
