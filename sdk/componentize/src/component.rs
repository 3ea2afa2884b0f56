//! The last step: a core module becomes a component with its manifest.

use std::borrow::Cow;

use anyhow::{Context, Result, bail, ensure};
use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Encoding, Parser, Payload, Validator};
use wit_component::ComponentEncoder;

use crate::manifest::{Manifest, World};

/// The custom section that holds the bytes of `plugin.toml`, in the outermost component.
pub const MANIFEST_SECTION: &str = "hilum:manifest";

/// Turns a core module that was compiled against the contract into a component, and puts the
/// manifest into it.
pub fn componentize(core_wasm: &[u8], manifest_toml: &[u8]) -> Result<Vec<u8>> {
    let manifest = Manifest::read(manifest_toml)?;
    ensure!(Parser::is_core_wasm(core_wasm), "this is no core WebAssembly module");
    let mut component = ComponentEncoder::default()
        .validate(true)
        .module(core_wasm)
        .context("the module's description of the contract cannot be read")?
        .encode()
        .context("the module does not fit the contract")?;
    check(&component, manifest.world)?;
    CustomSection { name: MANIFEST_SECTION.into(), data: Cow::Borrowed(manifest_toml) }
        .append_to_component(&mut component);
    Validator::new().validate_all(&component).context("the component is not valid")?;
    Ok(component)
}

/// Imports nothing but the contract, and exports what the manifest says.
fn check(component: &[u8], world: World) -> Result<()> {
    let (imports, exports) = interfaces(component)?;
    if let Some(foreign) = imports.iter().find(|it| !it.starts_with("hilum:plugin/")) {
        bail!(
            "the plugin imports {foreign}; a plugin has nothing but the contract (hilum:plugin). \
             A clock, a file or a random number, also one inside a library, brings such an import"
        );
    }
    if exports.iter().any(|it| it == world.exported()) {
        return Ok(());
    }
    match exports.iter().find_map(|it| World::of_export(it)) {
        Some(real) => bail!(
            "plugin.toml says {}, the code exports a {}; change `contract` to \"{}\", or the code \
             to `hilum_sdk::{}!`",
            world.word(),
            real.word(),
            real.contract(),
            world.word()
        ),
        None => {
            bail!("the code exports no plugin; it needs `hilum_sdk::{}!(function);`", world.word())
        }
    }
}

/// The names of what a component imports and exports.
fn interfaces(component: &[u8]) -> Result<(Vec<String>, Vec<String>)> {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { encoding: Encoding::Component, .. } => depth += 1,
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}
