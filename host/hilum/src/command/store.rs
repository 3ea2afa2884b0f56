//! `hilum store`: the data folder of a gateway that is not running.

use super::Context;
use crate::arguments::Store;
use crate::exit::Exit;

/// Checks.
pub fn run(context: &Context, command: Store) -> anyhow::Result<Exit> {
    let Store::Check { folder } = command;
    let _ = (context, folder);
    anyhow::bail!("not built yet")
}
