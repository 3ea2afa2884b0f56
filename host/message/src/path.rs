use std::fmt;
use std::ops::Range;

use hilum_hl7::Place;

use crate::{NodeId, ReadError};

/// A place to ask for, in the way of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// `PID-3[2].4`
    Hl7(hilum_hl7::Path),
    /// `Patient.name[0].family`
    Json(hilum_fhir::Path),
}

impl Path {
    /// A path of HL7 v2. The error tells where the text stops being one; it does not repeat it.
    pub fn hl7(text: &str) -> Result<Self, ReadError> {
        text.parse()
            .map(Self::Hl7)
            .map_err(|fault: hilum_hl7::PathError| ReadError::MalformedPath(fault.to_string()))
    }

    /// A path of FHIR, or of other JSON.
    pub fn json(text: &str) -> Result<Self, ReadError> {
        text.parse()
            .map(Self::Json)
            .map_err(|fault: hilum_fhir::PathError| ReadError::MalformedPath(fault.to_string()))
    }

    /// A path of either: whichever the text is. No text is both, since HL7 puts `-` before a field
    /// and a name of three capitals is no element of FHIR.
    pub fn any(text: &str) -> Result<Self, ReadError> {
        Self::hl7(text).or_else(|fault| Self::json(text).map_err(|_| fault))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hl7(path) => path.fmt(f),
            Self::Json(path) => path.fmt(f),
        }
    }
}

/// Where a value stands in the structure of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum At {
    /// A subcomponent.
    Hl7(Place),
    /// A string, number or boolean.
    Json(NodeId),
    /// The body as a whole.
    Body,
}

/// A value that stands somewhere: where in the structure, and where in the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where in the structure.
    pub at: At,
    /// Where in the bytes, as it stands there: with its escapes, and a JSON string with its quotes.
    pub range: Range<usize>,
}
