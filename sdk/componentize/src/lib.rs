//! Makes plugin projects, builds them, and turns core modules into components.
//!
//! [`new_project`] writes a Rust project that builds at once; [`build`] finds the toolchain,
//! compiles a plugin's folder and writes one file: a component with its manifest; [`componentize`]
//! is the last step alone, for other languages.
//!
//! Promises: a component that comes out of here is valid, exports what its manifest says, and
//! imports nothing but the contract. What goes wrong is said in a sentence for the plugin's
//! developer.
//! Not here: whether a gateway takes the plugin (`hilum_sandbox`), what it may see (`hilum_policy`).

#![expect(
    clippy::disallowed_methods,
    reason = "a build tool: it reads and writes the developer's files and runs no part of a gateway"
)]

mod build;
mod component;
mod manifest;
mod project;
mod toolchain;

pub use build::{Built, build, build_showing};
pub use component::{MANIFEST_SECTION, componentize};
pub use project::{Kind, new_project};
