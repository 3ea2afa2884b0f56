use hilum_contract::{outputs, types};
use wasmtime::component::{HasSelf, Linker};

use crate::guest::Guest;

/// Links the interfaces that have types alone: plugins import them all the same.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    outputs::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

impl types::Host for Guest {}
impl outputs::Host for Guest {}
