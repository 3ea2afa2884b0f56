//! The condition of a route: `when = "MSH-9.1 == 'ADT' and PV1-2 in ('I', 'E')"`.
//!
//! ```text
//! condition  = either { "or" either }
//! either     = single { "and" single }
//! single     = "not" single | "(" condition ")" | test
//! test       = "exists" path | "exists" "(" path ")" | path "exists"
//!            | value ( "==" | "!=" ) value
//!            | value [ "not" ] "in" ( "(" | "[" ) text { "," text } ( ")" | "]" )
//! value      = path | text
//! text       = "'" … "'" | '"' … '"'      the quote itself is written twice
//! ```
//!
//! Text is compared as it is, escapes resolved. A path stands for each repetition of each
//! occurrence, and a comparison holds if it does for any of them. What is absent, empty or deleted
//! (`""`) compares as the empty text: `PV1-2 != 'O'` holds for a message without PV1-2, and
//! `PV1-2 == ''` too. A path of another format than the message's is absent.
//!
//! Promises: reads true values and keeps none; depth and length are bounded.

use std::fmt;

use crate::{Message, Path};

mod parse;

/// A condition over the values of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicate {
    text: String,
    condition: Condition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Exists(Operand),
    Equal(Operand, Operand),
    NotEqual(Operand, Operand),
    In(Operand, Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operand {
    Text(String),
    /// The place in each format in which the text names one.
    Place(Vec<Path>),
}

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {text}")]
pub struct PredicateError {
    /// The character where it stops making sense, from 1.
    pub column: usize,
    /// What was expected there.
    pub text: String,
}

impl Predicate {
    /// Reads a condition.
    pub fn parse(text: &str) -> Result<Self, PredicateError> {
        let condition = parse::condition(text)?;
        Ok(Self { text: text.to_owned(), condition })
    }

    /// Whether it holds for a message.
    pub fn holds(&self, message: &Message) -> bool {
        self.condition.holds(message)
    }

    /// The paths it reads, as they are printed in the trail.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.condition.collect(&mut paths);
        paths
    }
}

/// As it was written.
impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Condition {
    fn holds(&self, message: &Message) -> bool {
        match self {
            Self::All(all) => all.iter().all(|it| it.holds(message)),
            Self::Any(any) => any.iter().any(|it| it.holds(message)),
            Self::Not(condition) => !condition.holds(message),
            Self::Exists(operand) => operand.exists(message),
            Self::Equal(left, right) => {
                let right = right.texts(message);
                left.texts(message).iter().any(|it| right.contains(it))
            }
            Self::NotEqual(left, right) => {
                let right = right.texts(message);
                left.texts(message).iter().any(|it| right.iter().any(|other| other != it))
            }
            Self::In(operand, list) => operand.texts(message).iter().any(|it| list.contains(it)),
        }
    }

    fn collect(&self, paths: &mut Vec<String>) {
        let mut add = |operand: &Operand| {
            if let Operand::Place(places) = operand {
                paths.extend(places.first().map(Path::to_string));
            }
        };
        match self {
            Self::All(list) | Self::Any(list) => list.iter().for_each(|it| it.collect(paths)),
            Self::Not(condition) => condition.collect(paths),
            Self::Exists(operand) | Self::In(operand, _) => add(operand),
            Self::Equal(left, right) | Self::NotEqual(left, right) => {
                add(left);
                add(right);
            }
        }
    }
}

impl Operand {
    /// What it stands for; always at least one text.
    fn texts(&self, message: &Message) -> Vec<String> {
        let places = match self {
            Self::Text(text) => return vec![text.clone()],
            Self::Place(places) => places,
        };
        let found = places.iter().flat_map(|path| message.find_all(path));
        // A value that is not text equals no text: it reads as empty.
        let text = |found: Option<_>| message.text_of(&found?).ok().flatten();
        let mut texts: Vec<_> = found.map(|it| text(it).unwrap_or_default()).collect();
        if texts.is_empty() {
            texts.push(String::new());
        }
        texts
    }

    fn exists(&self, message: &Message) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Place(places) => places.iter().any(|path| message.exists(path)),
        }
    }
}

#[cfg(test)]
mod tests;
