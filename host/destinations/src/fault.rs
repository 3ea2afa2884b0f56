use std::time::Duration;

/// Why a delivery did not arrive. Holds codes and places, never content, neither ours nor the
/// destination's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendFault {
    /// Nothing was sent: no connection, no folder, no space.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// The destination asks for patience.
    #[error("busy: {code}")]
    Busy {
        /// What it answered.
        code: String,
        /// How long it asks us to wait.
        after: Option<Duration>,
        /// Whether it speaks for everything that we would send, not for this delivery alone.
        whole: bool,
    },
    /// The destination says that the content is wrong.
    #[error("rejected: {code}")]
    Refused {
        /// What it answered.
        code: String,
    },
    /// The destination's set-up is at fault: credentials, address, permission. An operator is
    /// needed; the message is not at fault.
    #[error("the set-up is at fault: {code}")]
    Misconfigured {
        /// What it answered.
        code: String,
    },
    /// It was sent, wholly or in part, and no answer came: the destination may have it or not.
    #[error("outcome unknown: {0}")]
    Ambiguous(String),
    /// The destination has stored it, and has not said what became of it there.
    #[error("stored there, outcome unknown: {0}")]
    Unconfirmed(String),
}

/// What a destination answered: a word, and what it says about parts of the message.
///
/// `AE (207 at PID-5)`, `entry 3: 404`, `422 (invariant)`: a place before a colon, the word, details
/// in parentheses.
#[derive(Clone, Copy, Debug)]
pub struct Code<'a> {
    text: &'a str,
}

impl<'a> Code<'a> {
    /// The word: `AE`, `404`.
    pub fn word(self) -> &'a str {
        leading_word(self.text)
    }

    /// The word of each detail: `207`.
    pub fn details(self) -> impl Iterator<Item = &'a str> {
        let inside = self.text.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')'));
        inside.into_iter().flat_map(|(inside, _)| inside.split(", ").map(leading_word))
    }
}

fn leading_word(text: &str) -> &str {
    let end = text.find(|it: char| !it.is_ascii_alphanumeric()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Whose a send fault is, which decides what the courier does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The content's: sending it again cannot help. Park.
    Content,
    /// This moment's: try this delivery again, with patience. Others may pass.
    Moment,
    /// The destination's as a whole, for now: pause all that goes there, then try one.
    Destination,
    /// The set-up's: as before, and slowly, since a person has to act.
    SetUp,
    /// Nobody can say: the destination may have it. The configuration decides.
    Unknown,
    /// Nobody's yet: the destination has it, so sending it again could only double it. Park.
    Stored,
}

impl SendFault {
    /// Whose fault it is. Nothing else decides between parking, waiting and pausing.
    pub fn whose(&self) -> Whose {
        match self {
            Self::Refused { .. } => Whose::Content,
            Self::Busy { whole: false, .. } => Whose::Moment,
            Self::Busy { whole: true, .. } | Self::Unreachable(_) => Whose::Destination,
            Self::Misconfigured { .. } => Whose::SetUp,
            Self::Ambiguous(_) => Whose::Unknown,
            Self::Unconfirmed(_) => Whose::Stored,
        }
    }

    /// What the destination answered, if it answered something that has a code.
    pub fn code(&self) -> Option<Code<'_>> {
        match self {
            Self::Busy { code, .. } | Self::Refused { code } | Self::Misconfigured { code } => {
                // The place, if there is one, is before the word.
                let head = code.split('(').next().unwrap_or_default();
                let start = head.find(": ").map_or(0, |at| at + 2);
                Some(Code { text: code.get(start..).unwrap_or_default() })
            }
            Self::Unreachable(_) | Self::Ambiguous(_) | Self::Unconfirmed(_) => None,
        }
    }

    /// How long the destination asks us to wait.
    pub fn after(&self) -> Option<Duration> {
        match self {
            Self::Busy { after, .. } => *after,
            _ => None,
        }
    }

    /// What is said behind the word `rejected`, which must not be said twice.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Refused { code } => code.clone(),
            other => other.to_string(),
        }
    }

    /// The fault of the disk, without the path.
    pub(crate) fn of_disk(error: &std::io::Error, what: &str) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory => {
                Self::Misconfigured { code: format!("{what}: {}", hilum_env::words(error)) }
            }
            _ => Self::Unreachable(format!("{what}: {}", hilum_env::words(error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Error;

    use super::*;

    #[test]
    fn a_fault_of_the_disk_says_what_the_system_says() {
        let said = |number| SendFault::of_disk(&Error::from_raw_os_error(number), "it").to_string();
        assert_eq!(said(28), "not reached: it: no storage space");
        assert_eq!(said(5), "not reached: it: Input/output error (os error 5)");
        assert_eq!(said(24), "not reached: it: Too many open files (os error 24)");
        assert_eq!(said(13), "the set-up is at fault: it: permission denied");
    }
}
