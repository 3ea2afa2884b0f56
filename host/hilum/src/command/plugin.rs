//! `hilum plugin`: write, build, inspect, try. None of it needs a gateway.

mod build;
mod inspect;
mod run;

use std::path::Path;

use bytes::Bytes;
use hilum_sandbox::{EngineLimits, Package};

use super::Context;
use crate::arguments::Plugin;
use crate::exit::{Exit, failed};

/// New, build, inspect, run.
pub fn run(context: &Context, command: Plugin) -> anyhow::Result<Exit> {
    match command {
        Plugin::New { folder, world } => build::new(context, &folder, world),
        Plugin::Build { folder, output } => build::build(context, &folder, output),
        Plugin::Inspect { file } => inspect::run(context, &file),
        Plugin::Run(arguments) => run::run(context, &arguments),
    }
}

/// A plugin's file, read but not compiled.
fn read_package(context: &Context, file: &Path) -> anyhow::Result<Package> {
    let bytes_max = EngineLimits::for_cores(1).component_bytes_max;
    let bytes = read_file(context, file, bytes_max)?;
    Package::read(bytes, bytes_max)
        .map_err(|problem| failed(Exit::Failure, format!("{}: {problem}", file.display())))
}

pub(super) fn read_file(context: &Context, file: &Path, bytes_max: u64) -> anyhow::Result<Bytes> {
    let read = context.doors.disk.read(file, bytes_max);
    let bytes = read.map_err(|fault| failed(Exit::Io, format!("{}: {fault}", file.display())))?;
    Ok(bytes.into())
}
