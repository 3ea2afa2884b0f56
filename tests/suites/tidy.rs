//! What must stay true of the house itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use hilum_tests::repository;

/// Each crate of `host/` in its order, and the crates of the house that it may name. A crate may
/// depend only on crates above it. A new edge is a reviewable act: change it here.
const HOUSE: &[(&str, &[&str])] = &[
    ("env", &[]),
    ("words", &[]),
    ("hl7", &[]),
    ("mllp", &[]),
    ("fhir", &[]),
    ("message", &["words", "hl7", "fhir"]),
    ("policy", &["words", "message"]),
    ("audit", &["words"]),
    ("store", &["env", "words", "policy", "audit"]),
    ("answer", &["words", "hl7", "fhir", "store"]),
    ("contract", &["words"]),
    ("sandbox", &["env", "words", "message", "policy", "contract"]),
    ("pipeline", &["env", "words", "message", "policy", "audit", "store", "answer", "sandbox"]),
    ("destinations", &["env", "words", "hl7", "mllp", "fhir", "audit", "store"]),
    ("listeners", &["env", "words", "mllp", "pipeline"]),
    (
        "gateway",
        &[
            "env",
            "words",
            "hl7",
            "mllp",
            "fhir",
            "message",
            "policy",
            "audit",
            "store",
            "answer",
            "contract",
            "sandbox",
            "pipeline",
            "destinations",
            "listeners",
        ],
    ),
    ("admin", &["env", "words", "message", "policy", "audit", "store", "gateway"]),
];

/// All files below `folder` with this ending, without build output.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(files(&path, ending));
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).expect("the file can be read")).into_owned()
}

#[test]
fn crates_depend_one_way() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(repository())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name").to_owned();
        let needs = package["dependencies"].as_array().expect("dependencies");
        let normal = needs.iter().filter(|it| it["kind"].is_null());
        let named = normal.filter_map(|it| it["name"].as_str()?.strip_prefix("hilum-"));
        edges.insert(name, named.map(str::to_owned).collect());
    }
    let mut above: Vec<&str> = Vec::new();
    for (room, allowed) in HOUSE {
        let real = edges.get(&format!("hilum-{room}")).unwrap_or_else(|| panic!("no crate {room}"));
        for edge in real {
            assert!(allowed.contains(&edge.as_str()), "{room} may not depend on {edge}");
            assert!(above.contains(&edge.as_str()), "{edge} is not above {room}");
        }
        above.push(room);
    }
    let folders = std::fs::read_dir(repository().join("host")).expect("host/").count();
    assert_eq!(folders, HOUSE.len() + 2, "host/ holds the crates of HOUSE, the binary and adr/");
}

#[test]
fn only_the_sandbox_and_the_contract_name_wasmtime() {
    for path in files(&repository().join("host"), ".rs") {
        let room = path.strip_prefix(repository().join("host")).expect("in host/");
        if room.starts_with("sandbox") || room.starts_with("contract") {
            continue;
        }
        let named = text(&path)
            .lines()
            .any(|line| !line.trim_start().starts_with("//") && line.contains("wasmtime::"));
        assert!(!named, "{} names wasmtime", room.display());
    }
}

#[test]
fn only_the_binary_names_anyhow_and_prints() {
    for path in files(&repository().join("host"), ".rs") {
        let room = path.strip_prefix(repository().join("host")).expect("in host/");
        if room.starts_with("hilum") || room.ends_with("tests.rs") {
            continue;
        }
        for line in text(&path).lines().filter(|line| !line.trim_start().starts_with("//")) {
            for word in ["anyhow::", "println!", "print!(", "dbg!("] {
                assert!(!line.contains(word), "{} has {word}", room.display());
            }
        }
    }
}

#[test]
fn only_the_doors_name_the_operating_system() {
    let system = Path::new("env/src/system");
    for path in files(&repository().join("host"), ".rs") {
        let room = path.strip_prefix(repository().join("host")).expect("in host/");
        // What a crate's tests share: `#[cfg(test)] mod fixtures;`.
        let is_test = room.to_string_lossy().contains("tests")
            || room.ends_with("fixtures.rs")
            || room.starts_with("hilum")
            || room.starts_with(system)
            || room == Path::new("env/src/system.rs");
        if is_test {
            continue;
        }
        let product = text(&path);
        let product = product.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for line in product.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for word in [
                "std::fs::",
                "use std::fs;",
                "std::thread::spawn",
                "tokio::net::",
                "tokio::fs",
                "tokio::time",
                "SystemTime",
                "std::time::Instant",
                "tokio::spawn",
                "getrandom::",
            ] {
                assert!(!line.contains(word), "{}: {word} comes in by a door", room.display());
            }
        }
    }
}

#[test]
fn only_measurements_put_a_function_in_the_place_of_a_guest() {
    for folder in ["host", "plugins", "sdk", "tests"] {
        for path in files(&repository().join(folder), ".rs") {
            let is_its_home = path.ends_with("sandbox/src/engine.rs")
                || path.ends_with("sandbox/src/native.rs")
                || path.ends_with("suites/tidy.rs");
            assert!(
                is_its_home || !text(&path).contains("with_native"),
                "{} has a plugin without its sandbox",
                path.display()
            );
        }
    }
}

#[test]
fn every_allow_has_a_reason() {
    for folder in ["host", "plugins", "sdk", "tests", "benches"] {
        for path in files(&repository().join(folder), ".rs") {
            let text = text(&path);
            if path.ends_with("suites/tidy.rs") {
                continue; // It names the attributes.
            }
            for (at, _) in text.match_indices("#[allow(").chain(text.match_indices("#[expect(")) {
                let attribute = text[at..].split(")]").next().unwrap_or_default();
                assert!(attribute.contains("reason"), "{}: {attribute}", path.display());
            }
        }
    }
}

#[test]
fn unsafe_is_forbidden_and_nothing_lifts_the_ban() {
    for folder in ["host", "plugins", "tests", "benches"] {
        for path in files(&repository().join(folder), "Cargo.toml") {
            let manifest = text(&path);
            if !manifest.contains("[package]") || manifest.contains("libfuzzer-sys") {
                continue;
            }
            assert!(
                manifest.contains("[lints]\nworkspace = true")
                    || manifest.contains("unsafe_code = \"forbid\""),
                "{} does not take the workspace's lints",
                path.display()
            );
        }
    }
    let root = text(&repository().join("Cargo.toml"));
    assert!(root.contains("unsafe_code = \"forbid\""));
    assert!(text(&repository().join("plugins/Cargo.toml")).contains("unsafe_code = \"forbid\""));
}

#[test]
fn banned_crates_are_absent() {
    const BANNED: [&str; 4] = ["ring", "openssl-sys", "native-tls", "rsa"];
    // A lock file also names what no build could reach: `rustls-webpki` has the weak feature
    // `ring?/alloc`, so that `ring` stands in the lock of everybody who uses rustls. What counts is
    // what is built, for every target of deny.toml, tests included.
    for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"] {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "--workspace", "--locked", "--offline", "--target", target])
            .args(["--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}"])
            .current_dir(repository())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let built = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(built.lines().any(|line| line.starts_with("rustls v")), "the list is whole");
        for line in built.lines() {
            let name = line.split(' ').next().unwrap_or_default();
            assert!(!BANNED.contains(&name), "{name} is built for {target}");
        }
    }
    let lock = text(&repository().join("plugins/Cargo.lock"));
    for banned in BANNED {
        assert!(!lock.contains(&format!("name = \"{banned}\"\n")), "{banned} is in the lock");
    }
}

#[test]
fn no_file_outgrows_a_sitting() {
    for path in files(&repository().join("host"), ".rs") {
        let lines = text(&path).lines().count();
        assert!(lines <= 700, "{} has {lines} lines: cut it", path.display());
    }
}

#[test]
fn every_file_introduces_itself_or_is_a_leaf() {
    for path in files(&repository().join("host"), "lib.rs") {
        assert!(text(&path).starts_with("//! "), "{} has no header", path.display());
    }
}
