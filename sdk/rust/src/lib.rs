//! Write a Hilum plugin in Rust.
//!
//! A plugin is one function over the message of this call. It may read what the site granted; a
//! value that it was not granted comes as a *token*, to be put where the value belongs:
//!
//! ```no_run
//! use hilum_sdk::{Message, Object, Output, Refusal, conversions};
//!
//! hilum_sdk::transformer!(map);
//!
//! fn map(message: &Message) -> Result<Vec<Output>, Refusal> {
//!     let [family, given, born] = message.values(["PID-5.1", "PID-5.2", "PID-7"]);
//!     let patient = Object::new()
//!         .set("resourceType", "Patient")
//!         .set("name", [Object::new().set("family", family).set("given", [given])])
//!         .set("birthDate", born.and_then(|it| conversions::fhir_date(&it)));
//!     Ok(vec![Output::fhir(patient)])
//! }
//! ```
//!
//! `hilum plugin build` makes the component; `hilum plugin run` tries it on a message.
//!
//! Promises: nothing here needs a file, a clock or a random number, so a repeat gives the same
//! output; a panic is written to the log, with its place, before the call ends.
//! Not here: what a plugin may see (the site's grant decides, in the gateway).

#[cfg(target_arch = "wasm32")]
mod alloc;
#[doc(hidden)]
pub mod bindings;
mod coverage;
mod draft;
#[doc(hidden)]
pub mod entry;
mod host;
mod json;
mod message;
mod name_based;
mod outcome;
#[cfg(test)]
mod random;
mod writer;

pub mod fhir;
pub mod hl7;
pub mod log;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
pub mod settings;
pub mod tables;
pub mod v2_to_fhir;

pub use bindings::hilum::plugin::message::{Facts, Sight};
pub use bindings::hilum::plugin::outputs::{Body, Output};
pub use bindings::hilum::plugin::types::{Reason, Refusal};
pub use bindings::validator::exports::hilum::plugin::check::Verdict;
pub use draft::{Draft, Unwritten};
pub use host::conversions;
pub use json::{Array, Json, Number, Object, number};
pub use message::{Message, Unread, is_token};
pub use outcome::{output, refuse};
pub use writer::Writer;
