//! Plugins from text, for the sandbox's own suite and the system's.

use std::borrow::Cow;

use hilum_contract::World;
use hilum_sandbox::MANIFEST_SECTION;
use wasm_encoder::{ComponentSection, CustomSection};

/// What stands in the lines `;; key: value` at the top of a text.
pub fn headers<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let lines = text.lines().take_while(|line| line.starts_with(";;"));
    lines
        .filter_map(|line| line.strip_prefix(";; ")?.strip_prefix(key)?.strip_prefix(": "))
        .collect()
}

/// A text whose lines `;; repeat 300: (local i64)` stand there so many times, with the number of each
/// in place of `{i}`: what is hostile by its size alone stays readable.
pub fn expanded(text: &str) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        let repeated =
            line.trim_start().strip_prefix(";; repeat ").and_then(|it| it.split_once(": "));
        match repeated {
            Some((times, repeated)) => {
                for number in 0..times.parse::<u32>().expect("a number of times") {
                    whole += &repeated.replace("{i}", &number.to_string());
                    whole.push('\n');
                }
            }
            None => {
                whole += line;
                whole.push('\n');
            }
        }
    }
    whole
}

/// The component of a text, without a manifest. A core module is made into a component of `world`.
pub fn component(text: &str, world: Option<World>) -> Vec<u8> {
    let mut wasm = wat::parse_str(expanded(text)).unwrap_or_else(|fault| panic!("{fault}"));
    let is_component = wasmparser::Parser::is_component(&wasm);
    let Some(world) = world.filter(|_| !is_component) else { return wasm };
    let section = CustomSection {
        name: "component-type".into(),
        data: Cow::Borrowed(world.component_type()),
    };
    wasm_encoder::Section::append_to(&section, &mut wasm);
    let encoder = wit_component::ComponentEncoder::default().validate(true);
    encoder.module(&wasm).expect("the module fits").encode().expect("a component")
}

/// Puts a manifest into a component.
pub fn with_manifest(mut component: Vec<u8>, manifest: &str) -> Vec<u8> {
    let data = Cow::Borrowed(manifest.as_bytes());
    CustomSection { name: MANIFEST_SECTION.into(), data }.append_to_component(&mut component);
    component
}

/// A manifest of this contract with these lines of `[budget]`.
pub fn manifest(contract: &str, budget: &[&str]) -> String {
    format!(
        "[plugin]\nname = \"test/hostile\"\nversion = \"1.0.0\"\ncontract = \"{contract}\"\n\
         [budget]\n{}\n",
        budget.join("\n")
    )
}
