//! What the host offers a plugin: one module for each interface of the contract.
//!
//! A capability is a module with up to three functions and no trait object:
//!
//! ```text
//! link(linker)                      once per process
//! grant(asks, allowed, problems)    pure: what the manifest asks and the site allows
//! lend(..)                          what one call may touch; dropped with it
//! ```
//!
//! `message`, `conversions`, `log` and `settings` are lent to every plugin and have nothing to
//! grant but the message's classes; `tables` denies what is not granted. A denial is a result,
//! never a trap, and is counted.
//!
//! Price: each call of the host counts as one, and one more for each 4 KiB that it moves; each path
//! of `get-many` counts.

use wasmtime::component::Linker;

use crate::guest::Guest;

macro_rules! all {
    ($($name:ident)*) => {
        $(pub(crate) mod $name;)*

        /// Links every interface of the contract.
        pub(crate) fn link_all(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
            $($name::link(linker)?;)*
            Ok(())
        }
    };
}

all! { message conversions drafts tables settings log types }
