//! A plugin as a file: a component with its manifest inside.
//!
//! Reading validates the bytes and compiles nothing, so that `hilum plugin inspect` can say what a
//! plugin can do before it may do anything.
//!
//! Promises: what is printed of a package is text without control characters; reading is linear in
//! a length that is bounded; nothing of it runs.
//! Not here: whether the gateway has what it imports (`fit`), compiling (`Sandbox::load`).

mod fit;
mod manifest;

use std::collections::BTreeSet;

use bytes::Bytes;
use hilum_words::{Digest, Problem, Problems};
use wasmparser::component_types::{ComponentEntityType, ComponentItem};
use wasmparser::types::TypesRef;
use wasmparser::{Chunk, Encoding, KnownCustom, Parser, Payload, Validator};

pub use fit::Misfit;
pub use manifest::{Asks, Manifest, PhiAsk};

/// The name of the custom section that holds the bytes of `plugin.toml`.
pub const MANIFEST_SECTION: &str = "hilum:manifest";

/// Bytes of a manifest.
const MANIFEST_BYTES_MAX: usize = 64 << 10;

/// Entries of the toolchain list that are kept.
const TOOLCHAIN_MAX: usize = 32;

/// Something that a component imports or exports: an interface with its functions, or one
/// function or type of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extern {
    /// Its name, such as `hilum:plugin/message@0.1.0`.
    pub name: String,
    /// The functions of an interface, such as `get-many`, in the component's order.
    pub functions: Vec<String>,
    /// Whether it is an interface.
    pub is_interface: bool,
}

/// A plugin as it came, read but not compiled.
#[derive(Clone)]
pub struct Package {
    /// What its `plugin.toml` says.
    pub manifest: Manifest,
    /// The digest of its bytes: what it is pinned by.
    pub digest: Digest,
    /// The component.
    pub bytes: Bytes,
    /// What it imports.
    pub imports: Vec<Extern>,
    /// What it exports.
    pub exports: Vec<Extern>,
    /// The tools that made it, as it says itself: `processed-by rustc 1.95.0`.
    pub toolchain: Vec<String>,
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Package")
            .field("name", &self.manifest.name)
            .field("version", &self.manifest.version)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// Why a file is no plugin. Written for the developer who made it.
#[derive(Debug, thiserror::Error)]
pub enum PackageProblem {
    /// The file is too long.
    #[error("the file has {bytes} bytes; a plugin may have {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        bytes_max: u64,
    },
    /// The file is not WebAssembly.
    #[error("the file is not WebAssembly; `hilum plugin build FOLDER` makes a plugin")]
    NotWasm,
    /// The file is a core module.
    #[error(
        "the file is a core WebAssembly module, not a component; `hilum plugin build FOLDER` makes \
         a component of it"
    )]
    CoreModule,
    /// The bytes do not validate.
    #[error("the component is not valid WebAssembly, at byte {offset}: {reason}")]
    Invalid {
        /// Where.
        offset: usize,
        /// What the validator says.
        reason: String,
    },
    /// There is no manifest, or not in the outermost component.
    #[error(
        "the component has no section `{MANIFEST_SECTION}`; `hilum plugin build FOLDER` puts \
         plugin.toml there"
    )]
    NoManifest,
    /// There are several manifests.
    #[error("the component has {0} sections `{MANIFEST_SECTION}`; it may have one")]
    SeveralManifests(usize),
    /// The manifest is too long or no text.
    #[error("the section `{MANIFEST_SECTION}` is not a plugin.toml: {0}")]
    NoToml(&'static str),
    /// The manifest has problems, each with its line.
    #[error("plugin.toml, as it is in the component, has problems:{}", list(.0))]
    Manifest(Vec<Problem>),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|it| format!("\n{it}")).collect()
}

impl Package {
    /// Reads a plugin of at most `bytes_max` bytes ([`EngineLimits::component_bytes_max`]).
    ///
    /// [`EngineLimits::component_bytes_max`]: crate::EngineLimits
    pub fn read(bytes: Bytes, bytes_max: u64) -> Result<Self, PackageProblem> {
        if bytes_max < u64::try_from(bytes.len()).unwrap_or(u64::MAX) {
            return Err(PackageProblem::TooLong { bytes: bytes.len(), bytes_max });
        }
        match encoding(&bytes) {
            Some(Encoding::Component) => {}
            Some(Encoding::Module) => return Err(PackageProblem::CoreModule),
            None => return Err(PackageProblem::NotWasm),
        }
        let types = Validator::new().validate_all(&bytes).map_err(invalid)?;
        let outline = Outline::read(&bytes).map_err(invalid)?;
        let manifest = match outline.manifests.as_slice() {
            [] => return Err(PackageProblem::NoManifest),
            [one] => read_manifest(one)?,
            several => return Err(PackageProblem::SeveralManifests(several.len())),
        };
        let types = types.as_ref();
        let import = |name: &&str| external(name, types.component_item_for_import(name), types);
        let export = |name: &&str| external(name, types.component_item_for_export(name), types);
        Ok(Self {
            manifest,
            digest: Digest::of(&bytes),
            imports: outline.imports.iter().map(import).collect(),
            exports: outline.exports.iter().map(export).collect(),
            toolchain: outline.toolchain.into_iter().collect(),
            bytes: bytes.clone(),
        })
    }
}

/// What the first eight bytes say the file is.
fn encoding(bytes: &[u8]) -> Option<Encoding> {
    match Parser::new(0).parse(bytes, true) {
        Ok(Chunk::Parsed { payload: Payload::Version { encoding, .. }, .. }) => Some(encoding),
        _ => None,
    }
}

fn invalid(error: wasmparser::BinaryReaderError) -> PackageProblem {
    let reason = printable(error.message());
    PackageProblem::Invalid { offset: error.offset(), reason }
}

fn read_manifest(bytes: &[u8]) -> Result<Manifest, PackageProblem> {
    if MANIFEST_BYTES_MAX < bytes.len() {
        return Err(PackageProblem::NoToml("it is longer than 64 KiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| PackageProblem::NoToml("it is not UTF-8"))?;
    let problems = Problems::default();
    match Manifest::read("plugin.toml", text, &problems) {
        Some(manifest) if problems.is_empty() => Ok(manifest),
        _ => Err(PackageProblem::Manifest(problems.into_sorted())),
    }
}

/// What stands in the outermost component.
#[derive(Default)]
struct Outline<'a> {
    manifests: Vec<&'a [u8]>,
    imports: Vec<&'a str>,
    exports: Vec<&'a str>,
    toolchain: BTreeSet<String>,
}

impl<'a> Outline<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, wasmparser::BinaryReaderError> {
        let mut outline = Self::default();
        let mut depth = 0usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        outline.imports.push(import?.name.name);
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        outline.exports.push(export?.name.name);
                    }
                }
                Payload::CustomSection(section) => {
                    if depth == 0 && section.name() == MANIFEST_SECTION {
                        outline.manifests.push(section.data());
                    }
                    // Who made it is said in the modules inside; a broken list is no list.
                    if let KnownCustom::Producers(fields) = section.as_known() {
                        outline.note_tools(fields);
                    }
                }
                _ => {}
            }
        }
        Ok(outline)
    }

    fn note_tools(&mut self, fields: wasmparser::ProducersSectionReader<'_>) {
        for field in fields.into_iter().flatten() {
            for value in field.values.into_iter().flatten() {
                if TOOLCHAIN_MAX <= self.toolchain.len() {
                    return;
                }
                let line = format!("{} {} {}", field.name, value.name, value.version);
                self.toolchain.insert(printable(&line).trim_end().to_owned());
            }
        }
    }
}

fn external(name: &str, item: Option<&ComponentItem>, types: TypesRef<'_>) -> Extern {
    let mut functions = Vec::new();
    let mut is_interface = false;
    if let Some(ComponentItem { ty: ComponentEntityType::Instance(id), .. }) = item {
        is_interface = true;
        for (name, item) in &types[*id].exports {
            if matches!(item.ty, ComponentEntityType::Func(_)) {
                functions.push(printable(name));
            }
        }
    }
    Extern { name: printable(name), functions, is_interface }
}

/// Text of a stranger, fit for a terminal and a log: no control characters, at most 200 letters.
fn printable(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).take(200).collect()
}

#[cfg(test)]
mod tests;
