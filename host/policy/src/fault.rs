use hilum_words::{Cause, CauseWord};

use crate::Classes;

/// Why an output may not leave to a destination. Holds places and classes, never content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClearFault {
    /// The destination is not cleared for what the output carries.
    #[error("{at}: the destination is not cleared for {classes}")]
    Denied {
        /// The classes.
        classes: Classes,
        /// Where in the output the first of them stands.
        at: String,
    },
    /// A token stands where no value can be put in its place.
    #[error("{at}: {why}")]
    CannotUnseal {
        /// Where in the output.
        at: String,
        /// What hinders.
        why: &'static str,
    },
    /// The output holds a value in the plain that no plugin of the run was granted to read.
    #[error(transparent)]
    Leak(#[from] Leak),
}

/// A sealed value was found in an output in the plain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: a sealed value of class {classes} stands here in the plain")]
pub struct Leak {
    /// What it is in the message.
    pub classes: Classes,
    /// Where in the output it stands.
    pub at: String,
}

impl From<ClearFault> for Cause {
    fn from(fault: ClearFault) -> Self {
        let word = match &fault {
            ClearFault::Denied { .. } => CauseWord::Denied,
            ClearFault::CannotUnseal { .. } => CauseWord::CannotUnseal,
            ClearFault::Leak(_) => CauseWord::Leak,
        };
        Self::new(word, fault.to_string())
    }
}

/// How an output of a plugin breaks the rules. A fault of the plugin; holds no content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misbehaved {
    /// The output is not of the format that the plugin says it is.
    #[error("an output is not {format}: {why}")]
    NotOfItsFormat {
        /// The format by name.
        format: String,
        /// Where it stops being one.
        why: String,
    },
    /// A word has the form of a token, and the view handed out no such token.
    #[error("{at}: this has the form of a token, and no such token was handed out")]
    Altered {
        /// Where in the output.
        at: String,
    },
    /// A word is a part of a token that the view handed out.
    #[error("{at}: this is a token that was cut")]
    Cut {
        /// Where in the output.
        at: String,
    },
}
