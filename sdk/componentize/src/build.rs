//! A plugin's folder becomes one file.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::componentize;
use crate::manifest::Manifest;
use crate::toolchain::{self, Toolchain};

/// How much of what cargo said is kept for an error.
const ERRORS_SHOWN_MAX: usize = 5;

/// A plugin that was built.
#[derive(Debug)]
pub struct Built {
    /// Where the component is.
    pub component: PathBuf,
    /// How large it is.
    pub bytes: usize,
    /// What its developer should know: the compiler's warnings, and the manifest's.
    pub warnings: Vec<String>,
}

/// Builds the plugin in `folder` into one component with its manifest, at `out` or in the folder
/// under the plugin's own name.
///
/// It finds the toolchain by itself. An error says what is wrong with the source, the manifest or
/// the machine.
pub fn build(folder: &Path, out: Option<&Path>) -> Result<Built> {
    build_showing(folder, out, &mut |_| ())
}

/// Like [`build`], with cargo's progress handed on line by line.
pub fn build_showing(
    folder: &Path,
    out: Option<&Path>,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<Built> {
    let folder = fs::canonicalize(folder)
        .with_context(|| format!("there is no folder {}", folder.display()))?;
    let manifest_toml = fs::read(folder.join("plugin.toml"))
        .with_context(|| format!("{} has no plugin.toml; is it a plugin?", folder.display()))?;
    let manifest = Manifest::read(&manifest_toml)?;
    ensure!(
        folder.join("Cargo.toml").is_file(),
        "{} has no Cargo.toml; only Rust plugins are built here",
        folder.display()
    );

    let toolchain = Toolchain::find(&folder)?;
    let Compiled { wasm, mut warnings } = compile(&folder, &toolchain, progress)?;
    let core = fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let component = componentize(&core, &manifest_toml)?;

    let out = match out {
        Some(out) => out.to_owned(),
        None => folder.join(format!("{}.wasm", manifest.short_name)),
    };
    write_whole(&out, &component)?;
    warnings.extend(manifest.warnings);
    Ok(Built { component: out, bytes: component.len(), warnings })
}

struct Compiled {
    wasm: PathBuf,
    warnings: Vec<String>,
}

fn compile(
    folder: &Path,
    toolchain: &Toolchain,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<Compiled> {
    let mut child = toolchain
        .cargo_build()
        .args(["--release", "--lib", "--message-format", "json"])
        .current_dir(folder)
        // A profile or flags for the host's own programs are not meant for guests.
        .env("CARGO_ENCODED_RUSTFLAGS", flags(folder).join("\u{1f}"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cargo does not start")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let stderr = child.stderr.take().context("cargo has no error output")?;

    let (messages, said) = thread::scope(|threads| {
        // Both pipes are read at once, or a full one would stop cargo.
        let said = threads.spawn(|| {
            let mut said = Vec::new();
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                progress(&line);
                said.push(line);
            }
            said
        });
        let messages = Messages::read(stdout, &folder.join("Cargo.toml"));
        (messages, said.join().unwrap_or_default())
    });
    let status = child.wait().context("cargo was lost")?;
    if !status.success() {
        ensure!(messages.errors.is_empty(), "{}", does_not_compile(&messages.errors));
        bail!("cargo could not build the plugin:\n{}", said.join("\n"));
    }
    let wasm = messages.wasm.with_context(
        || "the crate makes no module; Cargo.toml needs:\n    [lib]\n    crate-type = [\"cdylib\"]",
    )?;
    Ok(Compiled { wasm, warnings: messages.warnings })
}

/// Keeps the machine's folders out of the component: a panic's place is in it as text.
fn flags(folder: &Path) -> Vec<String> {
    let mut flags = Vec::new();
    let mut forget = |path: &Path, name: &str| {
        if let Some(path) = path.to_str() {
            flags.push(format!("--remap-path-prefix={path}={name}"));
        }
    };
    // Cargo names a workspace's own files from the workspace; only what lies beside it is absolute.
    for beside in folder.ancestors().skip(1).take(2).filter(|it| it.parent().is_some()) {
        forget(beside, ".");
    }
    forget(folder, ".");
    if let Some(home) = toolchain::cargo_home() {
        forget(&home, "cargo");
    }
    flags
}

fn does_not_compile(errors: &[String]) -> String {
    let mut text = String::from("the plugin does not compile:\n");
    for error in errors.iter().take(ERRORS_SHOWN_MAX) {
        text.push('\n');
        text.push_str(error.trim_end());
        text.push('\n');
    }
    if let Some(more) = errors.len().checked_sub(ERRORS_SHOWN_MAX).filter(|it| *it > 0) {
        text.push_str(&format!("\nand {more} more"));
    }
    text.trim_end().to_owned()
}

/// What cargo says as JSON, one object a line.
#[derive(Default)]
struct Messages {
    wasm: Option<PathBuf>,
    errors: Vec<String>,
    warnings: Vec<String>,
}

impl Messages {
    fn read(stdout: ChildStdout, cargo_toml: &Path) -> Self {
        let mut messages = Self::default();
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
            if let Ok(message) = serde_json::from_str(&line) {
                messages.take(&message, cargo_toml);
            }
            line.clear();
        }
        // After bytes that are no text, read on: a pipe that nobody reads would stop cargo.
        let _ = lines.read_to_end(&mut Vec::new());
        messages
    }

    fn take(&mut self, message: &Value, cargo_toml: &Path) {
        let is_own = message["manifest_path"].as_str().map(Path::new) == Some(cargo_toml);
        match message["reason"].as_str() {
            Some("compiler-artifact") if is_own => {
                let files = message["filenames"].as_array().into_iter().flatten();
                let wasm = files.filter_map(Value::as_str).find(|it| it.ends_with(".wasm"));
                self.wasm = wasm.map(PathBuf::from).or(self.wasm.take());
            }
            Some("compiler-message") => {
                let text = message["message"]["rendered"].as_str().unwrap_or_default().to_owned();
                let has_place =
                    message["message"]["spans"].as_array().is_some_and(|it| !it.is_empty());
                match message["message"]["level"].as_str() {
                    Some("warning") if is_own && has_place => self.warnings.push(text),
                    // "aborting due to 2 previous errors" has no place and says nothing.
                    Some("error") if has_place || !text.starts_with("error: aborting") => {
                        self.errors.push(text);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// Writes beside the file and renames, so that nobody loads half a component.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(cannot)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    fs::write(&beside, bytes).with_context(cannot)?;
    fs::rename(&beside, path).with_context(cannot)
}
