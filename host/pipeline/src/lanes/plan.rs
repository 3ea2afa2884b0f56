//! Which lanes a message is in.
//!
//! ```text
//! lane key = listener                                  lane = "source"
//!          | listener NUL SHA-256(path NUL value)      lane = "PID-3.1"
//! ```
//!
//! A message has a lane for every value at every path, so that an identifier that a patient has
//! beside others keeps its order too. A merge (MRG is there) is in the lanes of both patients: what
//! a path finds in PID-3 counts in MRG-1 as well.
//!
//! Promises: a value is never in a key, and so never on disk; at most [`LANES_MAX`] keys.
//! Not here: who waits for whom ([`Lanes`](crate::Lanes)).

use std::collections::BTreeSet;

use hilum_message::hl7v2::SegmentName;
use hilum_message::{Found, Message, Path};
use hilum_words::{Digest, Name};

/// Lanes that one message may have. One with more is in its listener's own lane.
pub const LANES_MAX: usize = 64;

/// How a route keeps messages in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LanePlan {
    /// All messages of the route's listener in the order in which they were accepted.
    Source,
    /// No order.
    None,
    /// Messages that have a value in common at one of these paths.
    Paths(Vec<Path>),
}

impl LanePlan {
    /// Reads what a route's `lane` says: `source`, `none`, or one path or several. The error is what
    /// must be written instead.
    pub fn parse<T: AsRef<str>>(words: &[T]) -> Result<Self, String> {
        match words.iter().map(AsRef::as_ref).collect::<Vec<_>>().as_slice() {
            ["source"] => Some(Self::Source),
            ["none"] => Some(Self::None),
            [] => None,
            words => words.iter().map(|it| path_of(it)).collect::<Option<_>>().map(Self::Paths),
        }
        .ok_or_else(|| "must be \"source\", \"none\", or paths such as \"PID-3.1\"".to_owned())
    }

    /// The keys of a message of this listener.
    pub fn keys(&self, listener: &Name, message: &Message) -> Vec<Vec<u8>> {
        let source = || vec![listener.as_bytes().to_vec()];
        let paths = match self {
            Self::Source => return source(),
            Self::None => return Vec::new(),
            Self::Paths(paths) => paths,
        };
        let mut keys = BTreeSet::new();
        for path in paths {
            let places = std::iter::once(path.clone()).chain(of_merged(path));
            for found in places.flat_map(|it| message.find_all(&it)).flatten() {
                let value = value_of(message, &found);
                if !value.is_empty() {
                    keys.insert(key(listener, path, &value));
                }
                if LANES_MAX < keys.len() {
                    return source();
                }
            }
        }
        if keys.is_empty() { source() } else { keys.into_iter().collect() }
    }
}

/// A path of HL7 v2, or one of JSON that begins with a resource's type: most words are elements of
/// some JSON, `sourse` and `PID-3,1` too.
fn path_of(text: &str) -> Option<Path> {
    let (first, _) = text.split_once('.').unwrap_or((text, ""));
    let begins_with_type = first.starts_with(|it: char| it.is_ascii_uppercase())
        && first.bytes().all(|it| it.is_ascii_alphabetic())
        && first.bytes().any(|it| it.is_ascii_lowercase());
    let json = || Path::json(text).ok().filter(|_| begins_with_type && text != first);
    Path::hl7(text).ok().or_else(json)
}

/// Where a merge has for the patient who goes what a path of PID-3 has for the one who stays.
// HL7 v2.5.1 ch. 3: MRG-1 is the prior patient identifier list, of the same data type as PID-3.
fn of_merged(path: &Path) -> Option<Path> {
    let Path::Hl7(path) = path else { return None };
    let is_identifier = path.segment.as_str() == "PID" && path.field == Some(3);
    let segment = SegmentName::new(b"MRG").filter(|_| is_identifier)?;
    Some(Path::Hl7(hilum_message::hl7v2::Path { segment, field: Some(1), ..*path }))
}

fn value_of(message: &Message, found: &Found) -> Vec<u8> {
    match message.text_of(found) {
        Ok(text) => text.unwrap_or_default().into_bytes(),
        // What is not text is still the same value as itself.
        Err(_) => message.bytes().get(found.range.clone()).unwrap_or_default().to_vec(),
    }
}

fn key(listener: &Name, path: &Path, value: &[u8]) -> Vec<u8> {
    let named = [path.to_string().as_bytes(), value].join(&0);
    [listener.as_bytes(), Digest::of(&named).bytes()].join(&0)
}

#[cfg(test)]
mod tests;
