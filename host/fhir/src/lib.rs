//! FHIR JSON as a lossless tree.
//!
//! [`scan`] walks over JSON and tells a [`Visitor`] where each value stands. [`parse`] reads it into a
//! [`Value`] that keeps what FHIR needs and general libraries lose: the digits of numbers (`1.10` stays
//! `1.10`), the order of members, and a refusal of members that stand twice. [`Value::to_bytes`] writes
//! it back without changing a digit or an order.
//!
//! ```
//! let value = hilum_fhir::parse(br#"{"resourceType":"Patient","x":1.10}"#)?;
//! assert_eq!(value.resource_type(), Some("Patient"));
//! assert_eq!(value.to_bytes(), br#"{"resourceType":"Patient","x":1.10}"#);
//! # Ok::<(), hilum_fhir::JsonError>(())
//! ```
//!
//! Promises: any bytes return, in linear time and bounded depth; numbers keep their text; errors
//! hold an offset and never content.
//! Not here: what elements mean, validation, who may see what (`hilum_policy`).

#![warn(clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;
mod parse;
mod path;
mod scan;
mod value;
mod write;

pub use bundle::{Entry, EntryOutcome, entries};
pub use parse::{BYTE_ORDER_MARK, JsonError, JsonFault, Limits, parse, parse_with};
pub use path::{Path, PathError, Step};
pub use scan::{Leaf, Nest, Visitor, scan, unescaped};
pub use value::{Member, Value};
