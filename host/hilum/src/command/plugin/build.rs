//! `hilum plugin new` and `hilum plugin build`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hilum_componentize::Kind;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::json;

use crate::arguments::World;
use crate::command::Context;
use crate::exit::{Exit, failed};
use crate::output::size;

/// Writes a project that builds at once.
pub fn new(context: &Context, folder: &Path, world: World) -> anyhow::Result<Exit> {
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| failed(Exit::Usage, "the folder's name becomes the plugin's: name it"))?;
    let (kind, article) = match world {
        World::Transformer => (Kind::Transformer, "a mapping"),
        World::Router => (Kind::Router, "a router"),
        World::Validator => (Kind::Validator, "a validator"),
    };
    hilum_componentize::new_project(folder, name, kind)?;
    if context.output.is_json() {
        context.output.json(&json!({ "name": name, "folder": folder.display().to_string() }))?;
    } else if !context.output.is_quiet() {
        let folder = folder.display();
        context.output.text(&format!(
            "{folder}: {article} that builds. Change src/lib.rs, then:\n\
             \x20 hilum plugin build {folder}\n\
             \x20 hilum plugin run {folder}/{name}.wasm {folder}/example.hl7"
        ))?;
    }
    Ok(Exit::Success)
}

/// Builds a folder into one component.
pub fn build(context: &Context, folder: &Path, output: Option<PathBuf>) -> anyhow::Result<Exit> {
    let spinner = ProgressBar::with_draw_target(
        None,
        if context.output.is_quiet() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        },
    );
    let built = hilum_componentize::build_showing(folder, output.as_deref(), &mut |line| {
        spinner.set_message(line.trim().to_owned());
        spinner.tick();
    });
    spinner.finish_and_clear();
    let built = built.with_context(|| folder.display().to_string())?;
    for warning in &built.warnings {
        eprintln!("{}", warning.trim_end());
    }
    let component = built.component.display().to_string();
    if context.output.is_json() {
        context.output.json(&json!({
            "component": component,
            "bytes": built.bytes,
            "warnings": built.warnings,
        }))?;
    } else if !context.output.is_quiet() {
        context.output.text(&format!("{component}: {}", size(built.bytes as u64)))?;
    }
    Ok(Exit::Success)
}
