//! The Rust toolchain that can build guests: rustup's, or Debian's packages where rustup cannot
//! fetch the target.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// What the developer types when the target is missing.
const INSTALL: &str = "rustup target add wasm32-unknown-unknown";
const INSTALL_DEBIAN: &str = "sudo apt-get install rustc-web cargo-web rust-web-src";

/// How guests are compiled here.
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The `cargo` of the developer's PATH, whose toolchain has the target.
    Rustup { cargo: PathBuf },
    /// Debian's compiler, which builds the standard library too, with rustup's linker.
    Debian { linker: PathBuf },
}

impl Toolchain {
    /// Looks for a toolchain, as seen from a plugin's folder (it may pin one).
    /// `HILUM_GUEST_TOOLCHAIN=debian` asks for Debian's.
    pub(crate) fn find(folder: &Path) -> Result<Self> {
        match env::var("HILUM_GUEST_TOOLCHAIN").as_deref() {
            Ok("debian") => return Self::debian(folder),
            Ok("rustup" | "") | Err(_) => {}
            Ok(other) => {
                bail!("HILUM_GUEST_TOOLCHAIN is {other:?}; it may be \"rustup\" or \"debian\"")
            }
        }
        let cargo = tool("cargo").context(
            "cargo is neither on the PATH nor in ~/.cargo/bin; Rust comes from https://rustup.rs",
        )?;
        let target = sysroot(folder)?.join("lib/rustlib").join(TARGET);
        if target.join("lib").is_dir() {
            return Ok(Self::Rustup { cargo });
        }
        Self::debian(folder).map_err(|_| {
            anyhow::anyhow!(
                "the Rust toolchain has no target {TARGET}; install it and try again:\n    \
                 {INSTALL}\nor, where rustup cannot reach its server:\n    {INSTALL_DEBIAN}"
            )
        })
    }

    fn debian(folder: &Path) -> Result<Self> {
        let has_source =
            ["/usr/lib/rustlib/src/rust/library", "/usr/lib/rust-web/lib/rustlib/src/rust/library"]
                .iter()
                .any(|it| Path::new(it).is_dir());
        ensure!(
            Path::new("/usr/bin/rustc").exists()
                && Path::new("/usr/bin/cargo").exists()
                && has_source,
            "Debian's Rust is not installed; install it and try again:\n    {INSTALL_DEBIAN}"
        );
        // Debian's packages bring no linker for wasm; rustup's toolchain has one.
        let linker = sysroot(folder)?.join("lib/rustlib").join(host_triple()).join("bin/rust-lld");
        ensure!(linker.exists(), "no linker at {}: rustup's toolchain has one", linker.display());
        Ok(Self::Debian { linker })
    }

    /// A cargo that compiles for the target, up to and including `--target`.
    pub(crate) fn cargo_build(&self) -> Command {
        match self {
            Self::Rustup { cargo } => {
                let mut command = Command::new(cargo);
                command.args(["build", "--target", TARGET]);
                command
            }
            Self::Debian { linker } => {
                let mut command = Command::new("/usr/bin/cargo");
                command
                    .args(["build", "--target", TARGET, "-Zbuild-std=std,panic_abort"])
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                command
            }
        }
    }
}

/// Rustup's Rust has one host here; another one would be another package of Debian's too.
fn host_triple() -> String {
    format!("{}-unknown-linux-gnu", env::consts::ARCH)
}

/// The folder of the toolchain that `rustc` is.
fn sysroot(folder: &Path) -> Result<PathBuf> {
    let rustc = tool("rustc").context("rustc is neither on the PATH nor in ~/.cargo/bin")?;
    let output = Command::new(&rustc)
        .args(["--print", "sysroot"])
        .current_dir(folder)
        .output()
        .with_context(|| format!("{} does not run", rustc.display()))?;
    ensure!(
        output.status.success(),
        "rustc does not run here:\n{}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(PathBuf::from(path))
}

/// A tool on the PATH, or where rustup puts it.
fn tool(name: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> =
        env::var_os("PATH").map(|it| env::split_paths(&it).collect()).unwrap_or_default();
    folders.extend(cargo_home().map(|it| it.join("bin")));
    folders.into_iter().map(|it| it.join(name)).find(|it| it.is_file())
}

/// Where cargo keeps what it downloaded.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    let home = |name: &str| env::var_os(name).filter(|it: &OsString| it != OsStr::new(""));
    home("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(home("HOME")?).join(".cargo")))
}
