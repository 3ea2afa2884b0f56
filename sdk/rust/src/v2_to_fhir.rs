//! HL7's v2-to-FHIR guide 1.0.0 as a library: its segment, data type and code system maps.
//!
//! A map names the rows of the guide that it does: `row("segments/PID[Patient]#3", written)`.
//!
//! Promises: ids and references are the same whenever the same message is mapped; nothing depends on
//! a value that is sealed; what the guide would make an invalid resource is left out.
//! Not here: which maps a message runs (the plugins), what a plugin may see (the site's grant).

pub mod bundle;
pub mod codes;
pub mod context;
pub mod datatypes;
pub mod people;
pub mod results;
pub mod rows;
pub mod segments;

pub use bundle::{Bundle, Identifier, Identity, Refs, Urn};
pub use context::Context;
pub use rows::row;
