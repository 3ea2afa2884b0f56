//! Plugins are built with the real toolchain, as their developers build them.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "tests read and write their own folder, and a panic is how a test fails"
)]

use std::fs;
use std::path::{Path, PathBuf};

use hilum_componentize::{Kind, MANIFEST_SECTION, build, componentize, new_project};
use tempfile::TempDir;
use wasmparser::{Parser, Payload};

/// A new project that shares its target folder with the other tests: the SDK's own dependencies
/// take most of a build.
fn project() -> (TempDir, PathBuf) {
    project_of(Kind::Transformer)
}

fn project_of(kind: Kind) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let project = folder.path().join("my-mapping");
    new_project(&project, "my-mapping", kind).expect("a project");
    fs::create_dir_all(project.join(".cargo")).expect("a folder");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
    let config = format!("[build]\ntarget-dir = {target:?}\n");
    fs::write(project.join(".cargo/config.toml"), config).expect("written");
    (folder, project)
}

fn change(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("readable");
    assert!(text.contains(from), "{} has no {from:?}", path.display());
    fs::write(path, text.replace(from, to)).expect("written");
}

/// What the outermost component imports, and its custom sections.
fn anatomy(component: &[u8]) -> (Vec<String>, Vec<(String, Vec<u8>)>) {
    let (mut imports, mut sections, mut depth) = (Vec::new(), Vec::new(), 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("valid") {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                imports
                    .extend(section.into_iter().map(|it| it.expect("valid").name.name.to_owned()));
            }
            Payload::CustomSection(section) if depth == 1 => {
                sections.push((section.name().to_owned(), section.data().to_owned()));
            }
            _ => {}
        }
    }
    (imports, sections)
}

#[test]
fn a_new_router_and_a_new_validator_build_at_once() {
    for kind in [Kind::Router, Kind::Validator] {
        let (_keep, project) = project_of(kind);
        let built = build(&project, None).expect("built");
        assert!(built.warnings.is_empty(), "{:?}", built.warnings);
        let component = fs::read(&built.component).expect("readable");
        let (imports, _) = anatomy(&component);
        assert!(imports.iter().all(|it| it.starts_with("hilum:plugin/")), "{imports:?}");
    }
}

#[test]
fn a_new_project_builds_at_once_and_again_after_a_change() {
    let (_keep, project) = project();
    let built = build(&project, None).expect("built");
    assert_eq!(built.component, fs::canonicalize(&project).expect("there").join("my-mapping.wasm"));
    assert!(built.warnings.is_empty(), "{:?}", built.warnings);
    let first = fs::read(&built.component).expect("readable");
    assert_eq!(first.len(), built.bytes);
    assert!(first.len() < 100_000, "{} bytes", first.len());

    let (imports, sections) = anatomy(&first);
    assert!(imports.iter().all(|it| it.starts_with("hilum:plugin/")), "{imports:?}");
    let manifest = fs::read(project.join("plugin.toml")).expect("readable");
    let held = sections.into_iter().find(|(name, _)| name == MANIFEST_SECTION).expect("a manifest");
    assert_eq!(held.1, manifest);

    // The machine's folders are not the business of who gets the component.
    let text = String::from_utf8_lossy(&first);
    for place in [project.parent().expect("a folder"), Path::new(env!("CARGO_MANIFEST_DIR"))] {
        assert!(!text.contains(place.to_str().expect("text")), "{} is in it", place.display());
    }

    change(&project.join("src/lib.rs"), "\"female\"", "\"changed-here\"");
    let out = project.join("elsewhere/x.wasm");
    let built = build(&project, Some(&out)).expect("built");
    assert_eq!(built.component, out);
    let second = fs::read(&out).expect("readable");
    assert!(String::from_utf8_lossy(&second).contains("changed-here"));
    assert_ne!(first, second);
}

#[test]
fn a_mistake_in_the_source_is_shown_with_its_place() {
    let (_keep, project) = project();
    change(&project.join("src/lib.rs"), "message.urn(\"Patient\")", "message.urm(\"Patient\")");
    let error = build(&project, None).expect_err("no such method").to_string();
    assert!(error.starts_with("the plugin does not compile:\n\nerror[E0599]"), "{error}");
    assert!(error.contains("src/lib.rs:"), "{error}");
    assert!(!error.contains("aborting due to"), "{error}");
    assert!(!project.join("my-mapping.wasm").exists());
}

#[test]
fn a_warning_of_the_compiler_is_handed_on() {
    let (_keep, project) = project();
    change(&project.join("src/lib.rs"), "fn gender(", "fn unused() {}\n\nfn gender(");
    let built = build(&project, None).expect("built");
    assert_eq!(built.warnings.len(), 1, "{:?}", built.warnings);
    assert!(built.warnings[0].contains("function `unused` is never used"), "{:?}", built.warnings);
}

#[test]
fn code_and_manifest_must_agree() {
    let (_keep, project) = project();
    change(&project.join("plugin.toml"), "transformer@", "router@");
    let error = build(&project, None).expect_err("another world").to_string();
    assert_eq!(
        error,
        "plugin.toml says router, the code exports a transformer; change `contract` to \
         \"hilum:plugin/transformer@0.1.0\", or the code to `hilum_sdk::router!`"
    );
    change(&project.join("plugin.toml"), "router@", "transformer@");
    change(&project.join("src/lib.rs"), "hilum_sdk::transformer!(map);", "pub use map as mapping;");
    change(&project.join("src/lib.rs"), "\nfn map(", "\npub fn map(");
    let error = build(&project, None).expect_err("no export").to_string();
    assert_eq!(error, "the code exports no plugin; it needs `hilum_sdk::transformer!(function);`");
}

#[test]
fn a_folder_that_is_no_plugin_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |expected: &str| {
        let error = build(folder.path(), None).expect_err("no plugin").to_string();
        assert!(error.contains(expected), "{error}");
    };
    check("has no plugin.toml");
    fs::write(folder.path().join("plugin.toml"), "[plugin\n").expect("written");
    check("plugin.toml:1: ");
    let manifest = "[plugin]\nname = \"x\"\nversion = \"1.0.0\"\n\
        contract = \"hilum:plugin/router@0.1.0\"\n";
    fs::write(folder.path().join("plugin.toml"), manifest).expect("written");
    check("has no Cargo.toml");
    let missing = build(&folder.path().join("nowhere"), None).expect_err("no folder").to_string();
    assert!(missing.starts_with("there is no folder"), "{missing}");
}

#[test]
fn a_module_that_is_none_is_refused() {
    let manifest = b"[plugin]\nname = \"x\"\nversion = \"1.0.0\"\n\
        contract = \"hilum:plugin/router@0.1.0\"\n";
    let error = componentize(b"\0asm garbage", manifest).expect_err("garbage").to_string();
    assert_eq!(error, "this is no core WebAssembly module");
    let error = componentize(b"\0asm\x01\0\0\0", manifest).expect_err("empty").to_string();
    assert_eq!(error, "the code exports no plugin; it needs `hilum_sdk::router!(function);`");
}
