use super::*;

/// Every file below a folder, as a path from it.
fn files(folder: &Path, below: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.join(below)).expect("readable").map(|it| it.expect("entry")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.path().is_dir() {
            found.extend(files(folder, &path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn the_whole_sdk_goes_into_a_project() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rust");
    let mut real = vec!["Cargo.toml".to_owned()];
    real.extend(files(&sdk, "src"));
    real.extend(files(&sdk, "wit"));
    let mut copied: Vec<String> = SDK.iter().map(|(path, _)| (*path).to_owned()).collect();
    copied.sort();
    real.sort();
    assert_eq!(copied, real);
}

#[test]
fn a_project_names_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("made/deep");
    new_project(&folder, "st-anna/my-mapping", Kind::Transformer).expect("written");
    let read = |path: &str| fs::read_to_string(folder.join(path)).expect(path);
    assert!(read("Cargo.toml").contains("name = \"my-mapping\""));
    assert!(read("Cargo.lock").contains("name = \"my-mapping\""));
    assert!(read("plugin.toml").contains("name = \"st-anna/my-mapping\""));
    for (path, _) in TEMPLATE {
        assert!(!read(path).contains("{{"), "{path} has a place that was not filled");
    }
}

#[test]
fn a_project_is_of_its_world() {
    for kind in [Kind::Transformer, Kind::Router, Kind::Validator] {
        let folder = tempfile::tempdir().expect("a folder");
        new_project(folder.path(), "mine", kind).expect("written");
        let read = |path: &str| fs::read_to_string(folder.path().join(path)).expect(path);
        let world = kind.world();
        let contract = format!("contract = \"hilum:plugin/{world}@0.1.0\"");
        assert!(read("plugin.toml").contains(&contract), "{world}");
        assert!(read("src/lib.rs").contains(&format!("hilum_sdk::{world}!(")), "{world}");
        for path in files(folder.path(), "") {
            if !path.starts_with("hilum-sdk/") {
                assert!(!read(&path).contains("{{"), "{path} has a place that was not filled");
            }
        }
    }
}

#[test]
fn nothing_is_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("mine"), "x").expect("written");
    let error = new_project(folder.path(), "x", Kind::Router).expect_err("refused").to_string();
    assert!(error.ends_with("is not empty; nothing was written"), "{error}");
    assert_eq!(files(folder.path(), ""), ["mine"]);
}

#[test]
fn a_name_must_name_a_crate() {
    let folder = tempfile::tempdir().expect("a folder");
    for bad in ["", "X", "a b", "a/b/c", "/a", "1a", "../a", "a_b"] {
        assert!(new_project(folder.path(), bad, Kind::Transformer).is_err(), "{bad}");
    }
    assert!(files(folder.path(), "").is_empty());
}

#[test]
fn the_lock_names_the_version_that_the_sdk_asks_for() {
    let lock = include_str!("../../template/Cargo.lock");
    assert!(lock.contains("name = \"wit-bindgen\"\nversion = \"0.61.1\""));
    assert!(include_str!("../../../rust/Cargo.toml").contains("\"=0.61.1\""));
}
