use std::collections::BTreeMap;
use std::sync::Arc;

use hilum_contract::settings;
use wasmtime::component::{HasSelf, Linker};

use crate::guest::Guest;

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    settings::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

/// The settings of the route.
pub(crate) struct Loan(Arc<BTreeMap<String, String>>);

/// Every plugin gets the settings of the route it works for, and no other's.
pub(crate) fn lend(settings: Arc<BTreeMap<String, String>>) -> Loan {
    Loan(settings)
}

impl settings::Host for Guest {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        self.meter.call(key.len())?;
        let value = self.settings.0.get(&key).cloned();
        self.meter.moved(value.as_ref().map_or(0, String::len))?;
        Ok(value)
    }
}
