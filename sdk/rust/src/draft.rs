//! An HL7 v2 message being written.

use std::fmt;

use crate::bindings::hilum::plugin::drafts as host;
use crate::bindings::hilum::plugin::outputs::Body;
use crate::bindings::hilum::plugin::types::AccessError;
use crate::{Output, Reason, Refusal, refuse};

/// An HL7 v2 message being written. What is not edited stays as it came, byte for byte, and a value
/// that is copied is never opened:
///
/// ```no_run
/// # use hilum_sdk::{Draft, Message, Output, Refusal};
/// fn map(message: &Message) -> Result<Vec<Output>, Refusal> {
///     let mut draft = Draft::copy_of_message()?;
///     draft.set("MSH-5", "REGISTRY")?;
///     draft.copy("PID-18", "PID-3[2]")?;
///     draft.remove("NTE")?;
///     Ok(vec![draft.into()])
/// }
/// ```
///
/// A path that does not parse is a bug of the plugin: it panics, and the log says where.
#[derive(Debug)]
pub struct Draft(host::Draft);

/// Why a draft was not written to. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unwritten {
    /// The site withholds from this plugin what should be copied.
    Withheld {
        /// Where it stands.
        path: String,
    },
    /// It cannot stand there: a letter that the character set lacks, a place of the gateway's own.
    Unfit(String),
    /// The message is of a format that cannot be edited, or a later gateway's reason.
    Other(String),
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Withheld { path } => write!(f, "the site withholds {path} from this plugin"),
            Self::Unfit(why) | Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Unwritten {}

/// With `?`, what cannot be written refuses the message.
impl From<Unwritten> for Refusal {
    fn from(unwritten: Unwritten) -> Self {
        let reason = match &unwritten {
            Unwritten::Unfit(_) => Reason::ValueInvalid,
            Unwritten::Withheld { .. } => Reason::Application,
            Unwritten::Other(_) => Reason::Unsupported,
        };
        refuse(reason, unwritten.to_string())
    }
}

impl Draft {
    /// A copy of the message of this call, with tokens in the places of sealed values.
    #[track_caller]
    pub fn copy_of_message() -> Result<Self, Unwritten> {
        checked("", host::Draft::copy_of_message()).map(Self)
    }

    /// A head alone: `blank("ADT^A08")`.
    #[track_caller]
    pub fn blank(kind: &str) -> Result<Self, Unwritten> {
        checked(kind, host::Draft::blank("hl7v2", kind)).map(Self)
    }

    /// Writes a value, escaped. A token writes what it stands for. A segment that is not there is made
    /// at the end, if it is the next of its name.
    #[track_caller]
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), Unwritten> {
        checked(path, self.0.set(path, value))
    }

    /// Copies what stands at a place of the message, whole. False if nothing does.
    #[track_caller]
    pub fn copy(&mut self, origin: &str, target: &str) -> Result<bool, Unwritten> {
        checked(origin, self.0.copy(origin, target))
    }

    /// Makes absent what a path names, and answers how many values, repetitions or segments went.
    #[track_caller]
    pub fn remove(&mut self, path: &str) -> Result<u32, Unwritten> {
        checked(path, self.0.remove(path))
    }
}

/// For all destinations of the route.
impl From<Draft> for Output {
    fn from(draft: Draft) -> Self {
        Self { format: None, destinations: Vec::new(), body: Body::Draft(draft.0) }
    }
}

/// No closure in here: a panic names the plugin's line only through functions that are marked.
#[track_caller]
fn checked<T>(path: &str, written: Result<T, AccessError>) -> Result<T, Unwritten> {
    match written {
        Ok(written) => Ok(written),
        Err(AccessError::Withheld) => Err(Unwritten::Withheld { path: path.to_owned() }),
        Err(AccessError::Unfit(why)) => Err(Unwritten::Unfit(why)),
        Err(AccessError::Other(why)) => Err(Unwritten::Other(why)),
        Err(AccessError::Unstructured) => {
            Err(Unwritten::Other("the message has no structure that could be edited".to_owned()))
        }
        Err(AccessError::MalformedPath(why)) => panic!("{path:?} is no path here: {why}"),
    }
}
