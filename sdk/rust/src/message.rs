//! The message of this call, as the site's grant shows it.

use std::fmt;

use crate::bindings::hilum::plugin::types::AccessError;
use crate::host::message as host;
use crate::name_based;
use crate::{Facts, Sight};

/// The message of this call.
///
/// Paths are as HL7 people write them: `PID-5.1`, `PID-3[2].4.1`, `OBX[3]-5`. A path that does not
/// parse is a bug of the plugin: it panics, and the log says where.
#[derive(Debug)]
pub struct Message(());

/// Why a value was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unread {
    /// The site withholds it from this plugin.
    Withheld {
        /// Where it stands.
        path: String,
    },
    /// The body has no structure that paths could name, or is no text.
    Unstructured,
    /// A later gateway's reason.
    Other(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Withheld { path } => write!(f, "the site withholds {path} from this plugin"),
            Self::Unstructured => f.write_str("the message has no structure that could be read"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Unread {}

impl Message {
    pub(crate) fn current() -> Self {
        Self(())
    }

    /// Id, format, kind and time of the message.
    pub fn about(&self) -> Facts {
        host::about()
    }

    /// The first value at a path; none if it is absent, empty or deleted.
    #[track_caller]
    pub fn get(&self, path: &str) -> Result<Option<String>, Unread> {
        checked(path, host::get(path))
    }

    /// The first value at each path, in one call to the host: cheaper than one by one.
    #[track_caller]
    pub fn get_many(&self, paths: &[&str]) -> Vec<Result<Option<String>, Unread>> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mut read = Vec::with_capacity(paths.len());
        for (path, it) in paths.iter().zip(host::get_many(&paths)) {
            read.push(checked(path, it));
        }
        read
    }

    /// Like [`Self::get`] for what a mapping can do without: a withheld value counts as absent.
    #[track_caller]
    pub fn value(&self, path: &str) -> Option<String> {
        self.get(path).ok().flatten()
    }

    /// Like [`Self::value`] for many paths in one call to the host.
    ///
    /// ```no_run
    /// # fn example(message: &hilum_sdk::Message) {
    /// let [family, given] = message.values(["PID-5.1", "PID-5.2"]);
    /// # }
    /// ```
    #[track_caller]
    pub fn values<const N: usize>(&self, paths: [&str; N]) -> [Option<String>; N] {
        let mut read = self.get_many(&paths).into_iter();
        std::array::from_fn(|_| read.next().and_then(Result::ok).flatten())
    }

    /// These parts of each repetition of a field, or of each segment of a name; what has none of
    /// them is left out.
    ///
    /// ```no_run
    /// # fn example(message: &hilum_sdk::Message) {
    /// for [number, kind] in message.each("PID-3", [".1", ".5"]) { /* … */ }
    /// for [kind, value] in message.each("OBX", ["-2", "-5"]) { /* … */ }
    /// # }
    /// ```
    #[track_caller]
    pub fn each<const N: usize>(&self, path: &str, parts: [&str; N]) -> Vec<[Option<String>; N]> {
        let mut read = self.parts(path, &parts).into_iter();
        let mut all = Vec::new();
        while read.len() > 0 {
            all.push(std::array::from_fn(|_| read.next().flatten()));
        }
        all
    }

    /// The parts of each repetition that has any, one repetition after the other.
    #[track_caller]
    fn parts(&self, path: &str, parts: &[&str]) -> Vec<Option<String>> {
        let count = self.count(path).unwrap_or(0);
        let mut paths = Vec::new();
        for index in 1..=count {
            let repetition = format!("{path}[{index}]");
            // Put together by hand: a mapping has hundreds of these, and `format!` costs fuel.
            paths.extend(parts.iter().map(|part| [repetition.as_str(), part].concat()));
        }
        if paths.is_empty() {
            return Vec::new();
        }
        let mut read = Vec::with_capacity(paths.len());
        for (path, it) in paths.iter().zip(host::get_many(&paths)) {
            read.push(checked(path, it).ok().flatten());
        }
        let mut all = Vec::with_capacity(read.len());
        for repetition in read.chunks_mut(parts.len()) {
            if repetition.iter().any(Option::is_some) {
                all.extend(repetition.iter_mut().map(Option::take));
            }
        }
        all
    }

    /// Every value at a path: an entry for each repetition of each occurrence, in order, and none
    /// where one has nothing.
    #[track_caller]
    pub fn all(&self, path: &str) -> Result<Vec<Option<String>>, Unread> {
        checked(path, host::all(path))
    }

    /// How many segments (`OBX`) or repetitions (`PID-3`) there are.
    #[track_caller]
    pub fn count(&self, path: &str) -> Result<u32, Unread> {
        checked(path, host::count(path))
    }

    /// The names of the segments in their order.
    pub fn outline(&self) -> Vec<String> {
        host::outline()
    }

    /// Whether a value is open, sealed, withheld, absent, or deleted (`""`).
    #[track_caller]
    pub fn sight_of(&self, path: &str) -> Sight {
        // A place that cannot be asked about has nothing that this plugin could see.
        checked(path, host::sight_of(path)).unwrap_or(Sight::Withheld)
    }

    /// The whole body, with tokens in the places of sealed values.
    pub fn body(&self) -> Vec<u8> {
        host::body()
    }

    /// The whole body as text, with tokens in the places of sealed values.
    pub fn text(&self) -> Result<String, Unread> {
        checked("", host::text())
    }

    /// A URN that this message always has for this name: `urn:uuid:…`, for `fullUrl`s and the
    /// references to them.
    pub fn urn(&self, name: &str) -> String {
        name_based::urn(&self.about().id, name)
    }
}

/// Whether a text is one token: `ZQ` and twelve letters or digits. What it stands for is unknown
/// here, so a code that is a token cannot be looked up but by the host.
pub fn is_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 14
        && bytes[..2].eq_ignore_ascii_case(b"ZQ")
        && bytes[2..].iter().all(u8::is_ascii_alphanumeric)
}

/// No closure in here, nor around its calls: a panic names the plugin's line only through functions
/// that are marked.
#[track_caller]
fn checked<T>(path: &str, read: Result<T, AccessError>) -> Result<T, Unread> {
    match read {
        Ok(value) => Ok(value),
        Err(AccessError::Withheld) => Err(Unread::Withheld { path: path.to_owned() }),
        Err(AccessError::Unstructured) => Err(Unread::Unstructured),
        Err(AccessError::Unfit(why) | AccessError::Other(why)) => Err(Unread::Other(why)),
        Err(AccessError::MalformedPath(why)) => panic!("{path:?} is no path here: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::is_token;

    #[test]
    fn a_token_is_known_in_any_casing_and_nothing_else_is_one() {
        assert!(is_token("ZQ7K3M9XA2WB4T"));
        assert!(is_token("zq7k3m9xa2wb4t"));
        for text in
            ["", "ZQ", "ZQ7K3M9XA2WB4", "ZQ7K3M9XA2WB4TT", "QZ7K3M9XA2WB4T", "ZQ7K3M9XA2WB4-"]
        {
            assert!(!is_token(text), "{text}");
        }
        assert!(!is_token("Zü7K3M9XA2WB4"));
    }
}
