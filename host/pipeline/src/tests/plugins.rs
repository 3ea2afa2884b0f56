//! Plugins of the plainest kind, written as component text: each answers the same whatever it is
//! given.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use hilum_policy::Grant;
use hilum_sandbox::{Budget, MANIFEST_SECTION, Package, Sandbox, World};
use hilum_words::Name;
use wasm_encoder::{ComponentSection, CustomSection, Section};

use crate::StepPlan;

/// The text of a validator's answer lies at 64, `PID-3` at 48.
fn validator(answer: &str, text: &str) -> String {
    format!(
        r#"(module
          (memory (export "memory") 1)
          (data (i32.const 0) "{answer}")
          (data (i32.const 48) "PID-3")
          (data (i32.const 64) "{text}")
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
          (func (export "hilum:plugin/check@0.1.0#run") (result i32) (i32.const 0)))"#
    )
}

/// Accepts.
pub(super) fn accepts() -> (World, String) {
    (World::Validator, validator("\\00", ""))
}

/// Holds the message for a person.
pub(super) fn holds() -> (World, String) {
    (World::Validator, validator("\\02\\00\\00\\00\\40\\00\\00\\00\\05\\00\\00\\00", "sure?"))
}

/// Refuses the message: PID-3 is missing.
pub(super) fn refuses() -> (World, String) {
    let list = "\\01\\00\\00\\00\\10\\00\\00\\00\\01\\00\\00\\00\\00\\00\\00\\00";
    let one = "\\00\\00\\00\\00\\40\\00\\00\\00\\07\\00\\00\\00\\01\\00\\00\\00\\30\\00\\00\\00\\05\\00\\00\\00";
    (World::Validator, validator(&format!("{list}{one}"), "missing"))
}

/// Hands on the body that it was given, as one output for everybody.
pub(super) fn passes_on() -> (World, String) {
    let text = r#"(module
        (import "hilum:plugin/message@0.1.0" "body" (func $body (param i32)))
        (memory (export "memory") 4)
        (global $free (mut i32) (i32.const 4096))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $free)
            (global.set $free (i32.add (global.get $free) (local.get 3))))
        (func (export "hilum:plugin/transform@0.1.0#run") (result i32)
            (call $body (i32.const 1024))
            (i32.store (i32.const 2052) (i32.const 2064))
            (i32.store (i32.const 2056) (i32.const 1))
            (i32.store (i32.const 2088) (i32.load (i32.const 1024)))
            (i32.store (i32.const 2092) (i32.load (i32.const 1028)))
            (i32.const 2048)))"#;
    (World::Transformer, text.to_owned())
}

/// A step with this plugin, under this name and grant.
pub(super) fn step(
    sandbox: &Sandbox,
    name: &str,
    (world, text): (World, String),
    grant: Grant,
) -> StepPlan {
    let mut wasm = wat::parse_str(text).expect("WebAssembly");
    let data = Cow::Borrowed(world.component_type());
    Section::append_to(&CustomSection { name: "component-type".into(), data }, &mut wasm);
    let encoder = wit_component::ComponentEncoder::default().validate(true);
    let mut component = encoder.module(&wasm).expect("fits").encode().expect("a component");
    let manifest = format!(
        "[plugin]\nname = \"test/{name}\"\nversion = \"1.0.0\"\ncontract = \"{}\"\n",
        world.id()
    );
    let data = Cow::Borrowed(manifest.as_bytes());
    CustomSection { name: MANIFEST_SECTION.into(), data }.append_to_component(&mut component);
    let package = Package::read(Bytes::from(component), 1 << 20).expect("a package");
    StepPlan {
        name: Name::from(name),
        plugin: Arc::new(sandbox.load(&package).expect("a plugin")),
        grant,
        budget: Budget::DEFAULT,
        tables: Arc::default(),
        tables_known: Arc::default(),
    }
}
