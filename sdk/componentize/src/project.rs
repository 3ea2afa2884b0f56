//! A new plugin project in Rust that builds at once.
//!
//! The SDK with the contract is copied into the project, since it is on no registry yet; so is a
//! `Cargo.lock`, so that everybody builds the same.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::manifest::{NAME_RULE, is_name};

/// What a new plugin is for: the contract's worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It turns a message into others.
    Transformer,
    /// It chooses destinations.
    Router,
    /// It accepts, refuses or holds a message.
    Validator,
}

impl Kind {
    /// Its world's name.
    pub const fn world(self) -> &'static str {
        match self {
            Self::Transformer => "transformer",
            Self::Router => "router",
            Self::Validator => "validator",
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Transformer => include_str!("../template/lib.rs"),
            Self::Router => include_str!("../template/router.rs"),
            Self::Validator => include_str!("../template/validator.rs"),
        }
    }

    /// What stands in the templates for it.
    const fn words(self) -> [(&'static str, &'static str); 4] {
        let (summary, gives, does) = match self {
            Self::Transformer => {
                ("ADT to a FHIR Patient", "\"fhir-json:Bundle\"", "turns a message into others")
            }
            Self::Router => {
                ("Chooses destinations by the class of the visit", "", "chooses destinations")
            }
            Self::Validator => (
                "Refuses or holds patients that lack values",
                "",
                "accepts a message, refuses it, or holds it for a person",
            ),
        };
        [
            ("{{world}}", self.world()),
            ("{{summary}}", summary),
            ("{{gives}}", gives),
            ("{{does}}", does),
        ]
    }
}

/// Path in the project, content. `{{crate}}` and `{{name}}` stand for the names.
const TEMPLATE: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../template/Cargo.toml")),
    ("Cargo.lock", include_str!("../template/Cargo.lock")),
    ("plugin.toml", include_str!("../template/plugin.toml")),
    ("README.md", include_str!("../template/README.md")),
    ("example.hl7", include_str!("../template/example.hl7")),
    (".gitignore", include_str!("../template/gitignore")),
];

/// Path in `hilum-sdk/`, content: the SDK's own files, listed by `build.rs`.
const SDK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// Writes a Rust project into a new or empty folder. `name` is the plugin's, with or without an
/// owner before a slash (`st-anna/adt-to-fhir`).
pub fn new_project(folder: &Path, name: &str, kind: Kind) -> Result<()> {
    let parts: Vec<&str> = name.split('/').collect();
    ensure!(parts.len() <= 2 && parts.iter().all(|it| is_name(it)), "{name:?}: {NAME_RULE}");
    let crate_name = parts.last().copied().unwrap_or_default();
    match fs::read_dir(folder) {
        Ok(mut entries) => ensure!(
            entries.next().is_none(),
            "{} is not empty; nothing was written",
            folder.display()
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => bail!("{} cannot be used: {error}", folder.display()),
    }
    for (path, content) in TEMPLATE {
        let content = content.replace("{{crate}}", crate_name).replace("{{name}}", name);
        let words = kind.words().into_iter();
        let content = words.fold(content, |content, (place, word)| content.replace(place, word));
        write(&folder.join(path), &content)?;
    }
    write(&folder.join("src/lib.rs"), kind.code())?;
    for (path, content) in SDK {
        write(&folder.join("hilum-sdk").join(path), content)?;
    }
    Ok(())
}

fn write(path: &Path, content: &str) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(cannot)?;
    }
    fs::write(path, content).with_context(cannot)
}

#[cfg(test)]
mod tests;
