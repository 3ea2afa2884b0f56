//! Who may see and receive what: views, seals, clearance.
//!
//! A plugin works on a [`View`]: the message as its [`Grant`] lets it be seen, with a token in the
//! place of each value that it may carry and not read. What it makes is a [`Template`]: bytes with
//! tokens, and [`Seals`] that know what they stand for. [`Policy::clear`] puts the values in for one
//! destination, as its [`Clearance`] allows, and makes the only thing that may leave: [`Cleared`].
//!
//! Promises: everything is pure: same message, grant and seed, same tokens and same output; no
//! value that a grant seals or withholds is in anything that a view hands out; a token becomes a
//! value only where it cannot change an output's structure; `Debug` and errors hold no content.
//! Not here: what a plugin is (`hilum_sandbox`), where outputs go (`hilum_pipeline`).

mod class;
mod clear;
mod clearance;
mod cleared;
mod explain;
mod fault;
mod fhir;
#[cfg(test)]
mod fixtures;
mod grant;
mod input;
mod origin;
mod overrides;
mod policy;
#[cfg(test)]
mod property;
mod seals;
mod search;
mod seed;
mod shown;
mod sights;
mod table;
mod template;
mod token;
mod view;

pub use class::{Class, Classes};
pub use clearance::{Clear, Clearance};
pub use cleared::{Cleared, Mark, Part};
pub use explain::Explained;
pub use fault::{ClearFault, Leak, Misbehaved};
pub use grant::{Grant, Sight};
pub use input::{Input, Template};
pub use overrides::{Override, Overrides};
pub use policy::Policy;
pub use seals::Seals;
pub use seed::RunSeed;
pub use shown::shown_marked;
pub use sights::{Sights, Tally};
pub use view::{Access, Draft, Seen, View};

/// The tables that all classes follow from.
const TABLES: [&str; 3] = [
    include_str!("table/fields.txt"),
    include_str!("table/datatypes.txt"),
    include_str!("table/fhir.txt"),
];
