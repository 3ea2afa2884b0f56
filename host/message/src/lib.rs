//! One message, whatever its format.
//!
//! [`Message::parse`] reads HL7 v2, FHIR and other JSON, and keeps everything else as it is. A
//! [`Path`] names a place in the way of the format, [`Message::get`] and its companions read there,
//! a [`Predicate`] decides on it, and a [`Conversion`] re-writes a value.
//!
//! Promises: the bytes stay as they came; reading is linear; errors and `Debug` hold no content;
//! nothing here knows a clock, and time zones come from a bundled database.
//! Not here: who may see a value (`hilum_policy`).

mod conversion;
mod hl7;
mod json;
mod message;
mod path;
mod predicate;
mod zone;

pub use conversion::Conversion;
pub use json::known::{NAMES_MAX, number_of};
pub use json::{Json, Kind, Node, NodeId, json_string};
pub use message::{Message, Opaque, PLACES_MAX, ParseError, ReadError, is_structured};
pub use path::{At, Found, Path};
pub use predicate::{Predicate, PredicateError};
pub use zone::TimeZone;

/// HL7 v2 as this crate reads it, so that policy need not name the crate below.
pub use hilum_hl7 as hl7v2;
