//! Code tables of the site. `plugin.toml` asks for them by name, and the site grants them.

use crate::host::tables as host;

/// Why a table gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoTable {
    /// The site has no table of this name.
    Unknown,
    /// The manifest does not ask for it, or the site does not grant it.
    Ungranted,
    /// A later gateway's reason.
    Other(String),
}

/// What the table has for `code`; none if it has no such code. A token is translated inside the
/// host, and the answer is a token.
pub fn translate(table: &str, code: &str) -> Result<Option<String>, NoTable> {
    host::translate(table, code).map_err(|error| match error {
        host::TableError::UnknownTable => NoTable::Unknown,
        host::TableError::Ungranted => NoTable::Ungranted,
        host::TableError::Other(why) => NoTable::Other(why),
    })
}
