//! Small plugins from text.

use std::borrow::Cow;

use anyhow::{Context, Result};
use hilum_contract::World;
use hilum_sandbox::MANIFEST_SECTION;
use wasm_encoder::{ComponentSection, CustomSection};

/// A validator that does this and accepts.
fn validator(imports: &str, body: &str) -> String {
    format!(
        r#"(module
            {imports}
            (memory (export "memory") 1)
            (data (i32.const 64) "PID-5.1")
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
            (func (export "hilum:plugin/check@0.1.0#run") (result i32)
                (local $left i32)
                {body}
                (i32.const 0)))"#
    )
}

/// How often [`reads`] and [`copies`] do what they do.
pub const TIMES: u32 = 100;

/// Accepts at once.
pub fn empty() -> Result<Vec<u8>> {
    component(&validator("", ""))
}

/// Reads a field [`TIMES`] times.
pub fn reads() -> Result<Vec<u8>> {
    let import = r#"(import "hilum:plugin/message@0.1.0" "get" (func $it (param i32 i32 i32)))"#;
    component(&validator(import, &again("(call $it (i32.const 64) (i32.const 7) (i32.const 16))")))
}

/// Has the body copied into its memory [`TIMES`] times.
pub fn copies() -> Result<Vec<u8>> {
    let import = r#"(import "hilum:plugin/message@0.1.0" "body" (func $it (param i32)))"#;
    component(&validator(import, &again("(call $it (i32.const 16))")))
}

/// Never ends.
pub fn endless() -> Result<Vec<u8>> {
    component(&validator("", "(loop $again (br $again))"))
}

fn again(what: &str) -> String {
    format!(
        "(local.set $left (i32.const {TIMES}))
        (loop $again
            {what}
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        ;; What was written stands where the verdict is read.
        (i32.store (i32.const 0) (i32.const 0))"
    )
}

fn component(text: &str) -> Result<Vec<u8>> {
    let mut wasm = wat::parse_str(text).context("the text is WebAssembly")?;
    let data = Cow::Borrowed(World::Validator.component_type());
    let section = CustomSection { name: "component-type".into(), data };
    wasm_encoder::Section::append_to(&section, &mut wasm);
    let encoder = wit_component::ComponentEncoder::default().validate(true);
    let mut component = encoder.module(&wasm)?.encode()?;
    let manifest = format!(
        "[plugin]\nname = \"bench/guest\"\nversion = \"1.0.0\"\ncontract = \"{}\"\n",
        World::Validator.id()
    );
    let data = Cow::Borrowed(manifest.as_bytes());
    CustomSection { name: MANIFEST_SECTION.into(), data }.append_to_component(&mut component);
    Ok(component)
}
