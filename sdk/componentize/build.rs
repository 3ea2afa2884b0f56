//! Lists the files of the Rust SDK, so that a new project gets all of them (`src/project.rs`).

#![expect(clippy::disallowed_methods, reason = "a build script: it reads the SDK's files")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let sdk = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../rust");
    let sdk = fs::canonicalize(sdk)?;
    let mut paths = vec!["Cargo.toml".to_owned()];
    for folder in ["src", "wit"] {
        files(&sdk, folder, &mut paths)?;
        println!("cargo::rerun-if-changed={}", sdk.join(folder).display());
    }
    println!("cargo::rerun-if-changed={}", sdk.join("Cargo.toml").display());
    paths.sort();

    let mut list = String::from("&[\n");
    for path in paths {
        let _ = writeln!(list, "    ({path:?}, include_str!({:?})),", sdk.join(&path));
    }
    list.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    fs::write(out.join("sdk.rs"), list)
}

/// Every file below a folder, as a path from the SDK.
fn files(sdk: &Path, folder: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(sdk.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            files(sdk, &path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
