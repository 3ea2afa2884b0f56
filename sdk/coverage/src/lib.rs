//! Judges what a plugin made of a message by the rows of HL7's v2-to-FHIR guide.
//!
//! A row is *exercised* by a message if the segment is there, the source has a value and the condition
//! holds. It is *satisfied* if, wherever it is exercised, the plugin reported its id **and** the target
//! is filled in what it made **and**, where the row is a plain move, a constant or a look-up, the right
//! value stands there. The plugin's word alone never counts, and nothing is shared with it: the maps are
//! read from the guide's own files, the message by the gateway's parser, the output as JSON.
//!
//! Not here: running the plugin (`main`), why a row fails (`reasons.toml`).

#![expect(
    clippy::disallowed_methods,
    reason = "a tool of the house reads files without a gateway's doors"
)]

pub mod condition;
mod csv;
pub mod evaluate;
pub mod guide;
pub mod notes;
pub mod path;
pub mod report;
pub mod source;
pub mod structure;
pub mod value;
