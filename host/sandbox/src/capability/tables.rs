use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hilum_contract::tables::{self, TableError};
use hilum_words::{Name, Problems, did_you_mean};
use wasmtime::component::{HasSelf, Linker};

use crate::guest::Guest;
use crate::{Allowed, Asks, Table};

/// The name that denials are counted under.
const NAME: &str = "tables";

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    tables::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

/// The tables that are both asked for and allowed.
pub(crate) fn grant(asks: &Asks, allowed: &Allowed, problems: &Problems) -> BTreeSet<Name> {
    let mut granted = BTreeSet::new();
    for table in &allowed.tables {
        if asks.tables.contains(&table.value) {
            granted.insert(table.value.clone());
        } else {
            let asked = asks.tables.iter().map(Name::as_str);
            let meant = did_you_mean(&table.value, asked)
                .map(|it| format!("; did you mean \"{it}\"?"))
                .unwrap_or_default();
            let text = format!("the plugin does not ask for the table \"{}\"{meant}", table.value);
            table.problem(problems, text);
        }
    }
    granted
}

/// The tables that are granted, and the names of all there are, so that a plugin's developer can
/// tell a misspelt name from a missing grant.
pub(crate) struct Loan {
    granted: Arc<BTreeMap<Name, Arc<Table>>>,
    known: Arc<Vec<Name>>,
}

pub(crate) fn lend(granted: Arc<BTreeMap<Name, Arc<Table>>>, known: Arc<Vec<Name>>) -> Loan {
    Loan { granted, known }
}

impl tables::Host for Guest {
    fn translate(
        &mut self,
        table: String,
        code: String,
    ) -> wasmtime::Result<Result<Option<String>, TableError>> {
        self.meter.call(table.len() + code.len())?;
        let found = self.tables.granted.get_key_value(table.as_str());
        let Some((name, found)) = found.map(|(name, found)| (name.clone(), Arc::clone(found))) else {
            if self.tables.known.iter().any(|it| it.as_str() == table) {
                self.denied(NAME);
                return Ok(Err(TableError::Ungranted));
            }
            return Ok(Err(TableError::UnknownTable));
        };
        let lookup = |code: &str| found.translate(code).map(str::to_owned);
        self.change(&code, |view| view.translate(&name, found.opens, &lookup, &code)).map(Ok)
    }
}
