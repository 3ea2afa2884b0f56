//! What the first-party mappings make of a message: `plugins/*/golden/*.hl7` beside its `.json`.
//! `UPDATE_EXPECT=1` writes what it is today.

use std::path::Path;
use std::process::{Command, Stdio};

use hilum_tests::{hilum, repository};
use serde_json::Value;

/// Runs one message through a first-party plugin: exit code, standard output.
fn run(plugin: &str, message: &Path, more: &[&str]) -> (i32, String) {
    let example = repository().join("examples/st-anna");
    let table = format!("admit-source={}", example.join("tables/admit-source.csv").display());
    let output = Command::new(hilum())
        .args(["plugin", "run"])
        .args([&example.join(format!("plugins/{plugin}.wasm")), message])
        .args(["--table", &table])
        .args(more)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("hilum runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap_or(-1), text)
}

fn check(plugin: &str) {
    let folder = repository().join("plugins").join(plugin).join("golden");
    let is_update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut checked = 0;
    for entry in std::fs::read_dir(&folder).expect("golden messages") {
        let message = entry.expect("an entry").path();
        if message.extension().is_none_or(|it| it != "hl7") {
            continue;
        }
        let (code, made) = run(plugin, &message, &["--output"]);
        assert_eq!(code, 0, "{}: {made}", message.display());
        let made: Value = serde_json::from_str(&made).expect("JSON");
        let made = format!("{made:#}\n");
        let golden = message.with_extension("json");
        if is_update {
            std::fs::write(&golden, &made).expect("written");
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert!(made == expected, "{} is not what it was; UPDATE_EXPECT=1", golden.display());
        checked += 1;
    }
    assert!(checked > 0, "{} has no messages", folder.display());
}

#[test]
fn adt_to_fhir_makes_what_it_made() {
    check("adt-to-fhir");
}

#[test]
fn adt_to_fhir_refuses_a_patient_without_an_identifier() {
    let folder = tempfile::tempdir().expect("a folder");
    let message = folder.path().join("message.hl7");
    for patient in ["PID|1", "PID|1||\"\"", "PID|1||^^^X^MR"] {
        let text = format!("MSH|^~\\&|A|B|||20260101||ADT^A01|1|P|2.5.1\r{patient}\rPV1|1|I\r");
        std::fs::write(&message, text).expect("written");
        let (code, said) = run("adt-to-fhir", &message, &[]);
        assert_eq!(code, 1, "{patient}");
        assert!(said.contains("refused: PID-3: required-missing"), "{patient}: {said}");
    }
}

#[test]
fn adt_to_fhir_opens_nothing() {
    let messages = repository().join("examples/st-anna/messages");
    for entry in std::fs::read_dir(messages).expect("the example's messages") {
        let message = entry.expect("an entry").path();
        let (code, said) = run("adt-to-fhir", &message, &[]);
        assert_eq!(code, 0, "{}", message.display());
        assert!(said.contains("\nopened     nothing\n"), "{}", message.display());
    }
}
