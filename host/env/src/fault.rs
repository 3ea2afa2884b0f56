//! What an error of a door says to people: the system's own words, which hold no content.
//!
//! Promises: what an operator could act on has words of its own, a name that cannot be resolved
//! among it; what somebody else wrote into an error is not printed.

use std::fmt;
use std::io::{self, ErrorKind};

use crate::tls::TlsFault;

/// Why a name gives no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotResolved {
    /// What the resolver said.
    why: String,
}

impl NotResolved {
    /// What the resolver's error means. Its texts are the C library's own.
    pub(crate) fn of(error: &io::Error) -> Self {
        let text = error.to_string();
        let why = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
        Self { why: why.to_owned() }
    }

    /// The resolver knows the name, and no address.
    pub(crate) fn without_address() -> Self {
        Self { why: "it has no address".to_owned() }
    }
}

impl fmt::Display for NotResolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot be resolved: {}", self.why)
    }
}

impl std::error::Error for NotResolved {}

/// What stands in an error if a name was not resolved.
pub fn not_resolved(error: &io::Error) -> Option<&NotResolved> {
    error.get_ref()?.downcast_ref()
}

/// An error in words: TLS's, the resolver's, the kind's, and where the kind says nothing, the
/// system's text with its number.
pub fn words(error: &io::Error) -> String {
    if let Some(fault) = TlsFault::of(error) {
        return fault.to_string();
    }
    if let Some(fault) = not_resolved(error) {
        return format!("the name {fault}");
    }
    let kind = error.kind();
    match (error.raw_os_error(), kind) {
        (Some(number), kind) if says_nothing(kind) => {
            io::Error::from_raw_os_error(number).to_string()
        }
        // Nobody's number: a library ended, or was ended.
        (None, kind) if says_nothing(kind) => "failed inside, without a reason".to_owned(),
        _ => kind.to_string(),
    }
}

/// Whether the kind's own words are a shrug. `Uncategorized` cannot be named.
fn says_nothing(kind: ErrorKind) -> bool {
    kind == ErrorKind::Other || kind.to_string() == "uncategorized error"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_words() {
        for number in 1..=133 {
            let said = words(&io::Error::from_raw_os_error(number));
            assert!(!said.contains("uncategorized") && !said.contains("other"), "{number}: {said}");
            assert!(!said.contains("Unknown error") || [41, 58].contains(&number), "{said}");
        }
        let many = words(&io::Error::from_raw_os_error(24));
        assert_eq!(many, "Too many open files (os error 24)");
        assert_eq!(words(&ErrorKind::ConnectionRefused.into()), "connection refused");
        assert_eq!(words(&ErrorKind::Other.into()), "failed inside, without a reason");
    }

    #[test]
    fn what_somebody_wrote_into_an_error_is_not_said() {
        let said = words(&io::Error::other("Zwiebelfisch"));
        assert_eq!(said, "failed inside, without a reason");
        let said = words(&io::Error::new(ErrorKind::InvalidData, "Zwiebelfisch"));
        assert_eq!(said, "invalid data");
    }
}
