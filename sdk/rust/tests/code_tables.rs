//! The code tables of the library are the guide's own: made again from its files, and compared.
//!
//! After a change of the guide or of this generator: `UPDATE_EXPECT=1 cargo test --test code_tables`.

#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test on the desk: it reads the guide and says why it cannot go on"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const HEADER: &str = "\
//! Generated from the guide's `codesystems/`: `UPDATE_EXPECT=1 cargo test --test code_tables`.
#![cfg_attr(rustfmt, rustfmt_skip)]

use super::{Row, Table};

const fn r(v2: &'static str, code: &'static str, display: &'static str, system: u8, number: u16) -> Row {
    Row { v2, code, display, system, number }
}
";

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A CSV file as rows of cells (RFC 4180).
fn csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut is_quoted = false;
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(letter) = letters.next() {
        let row = rows.last_mut().expect("a row");
        let cell = row.last_mut().expect("a cell");
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(String::new()),
            '\r' if !is_quoted => {}
            '\n' if !is_quoted => rows.push(vec![String::new()]),
            _ => cell.push(letter),
        }
    }
    rows
}

/// `PatientClass[EncounterStatus]` to `PATIENT_CLASS_ENCOUNTER_STATUS`.
fn constant(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|it| letters[it]);
        let after = letters.get(at + 1);
        if !letter.is_ascii_alphanumeric() {
            if !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        let is_word = letter.is_ascii_uppercase()
            && (before.is_some_and(|it| it.is_ascii_lowercase())
                || before.is_some_and(|it| it.is_ascii_uppercase())
                    && after.is_some_and(|it| it.is_ascii_lowercase()));
        if is_word && !out.ends_with('_') {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out.trim_matches('_').to_owned()
}

struct Row<'a> {
    v2: &'a str,
    code: &'a str,
    display: &'a str,
    system: &'a str,
    number: usize,
}

/// One table as Rust. The second header row names the columns; spelling differs between files.
fn table(name: &str, rows: &[Vec<String>]) -> String {
    let header = rows.get(1).expect("a second header row");
    let column = |name: &str, from: usize| {
        header.iter().skip(from).position(|it| it.trim() == name).map(|it| it + from)
    };
    let fhir_code = column("Code", 1).expect("the column of FHIR codes");
    let display = column("Display", fhir_code).expect("the column of displays");
    let system = column("Code System", display).expect("the column of systems");
    let mut v2_system = String::new();
    let mut all: Vec<Row<'_>> = Vec::new();
    for (index, cells) in rows.iter().enumerate().skip(2) {
        let cell = |at: usize| cells.get(at).map_or("", |it| it.trim());
        if let Some(table) = cell(2).strip_prefix("HL7") {
            v2_system = format!("http://terminology.hl7.org/CodeSystem/v2-{table}");
        }
        if cell(0).is_empty() || cell(fhir_code).is_empty() {
            continue;
        }
        // Some files have the display one column early.
        let names = [cell(display), if fhir_code + 1 < display { cell(fhir_code + 1) } else { "" }];
        all.push(Row {
            v2: cell(0),
            code: cell(fhir_code),
            display: names.into_iter().find(|it| !it.is_empty()).unwrap_or_default(),
            system: cell(system),
            number: index - 1,
        });
    }
    all.sort_by_key(|it| (it.v2, it.number));
    let mut systems: Vec<&str> = all.iter().map(|it| it.system).collect();
    systems.sort_unstable();
    systems.dedup();
    let place = |system: &str| systems.iter().position(|it| *it == system).expect("known");

    let mut out = String::new();
    let _ = write!(
        out,
        "\n/// `codesystems/{name}`.\npub static {}: Table = Table {{\n    id: \"codesystems/{name}\",\n    \
         v2_system: {v2_system:?},\n    systems: &{systems:?},\n    rows: &[\n",
        constant(name)
    );
    for row in &all {
        let Row { v2, code, display, system, number } = row;
        let _ =
            writeln!(out, "        r({v2:?}, {code:?}, {display:?}, {}, {number}),", place(system));
    }
    out.push_str("    ],\n};\n");
    out
}

fn generated() -> String {
    let folder = here().join("../../tests/fixtures/v2-to-fhir/codesystems");
    let entries = fs::read_dir(folder).expect("the guide's tables");
    let files: BTreeMap<String, PathBuf> = entries
        .map(|it| it.expect("an entry").path())
        .filter(|it| it.extension().is_some_and(|it| it == "csv"))
        .map(|it| (it.file_stem().expect("a name").to_string_lossy().into_owned(), it))
        .collect();
    assert!(files.len() > 90, "the guide has 99 tables");
    let mut out = HEADER.to_owned();
    for (name, path) in files {
        out.push_str(&table(&name, &csv(&fs::read_to_string(path).expect("readable"))));
    }
    out
}

#[test]
fn the_tables_are_the_guides_own() {
    let path = here().join("src/v2_to_fhir/codes/tables.rs");
    let generated = generated();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &generated).expect("written");
    }
    let written = fs::read_to_string(&path).expect("the generated file");
    let first_other = written.lines().zip(generated.lines()).position(|(a, b)| a != b);
    assert_eq!(first_other, None, "tables.rs differs from the guide; make it again");
    assert_eq!(written.len(), generated.len(), "tables.rs is shorter or longer than the guide");
}

#[test]
fn names_become_constants() {
    for (name, expected) in [
        ("MaritalStatus", "MARITAL_STATUS"),
        ("PatientClass[EncounterStatus]", "PATIENT_CLASS_ENCOUNTER_STATUS"),
        ("UniversalIDType", "UNIVERSAL_ID_TYPE"),
        ("ResultStatus[Non-Queries]", "RESULT_STATUS_NON_QUERIES"),
        ("VIPIndicator", "VIP_INDICATOR"),
        ("DiagnosticServiceSectionID", "DIAGNOSTIC_SERVICE_SECTION_ID"),
    ] {
        assert_eq!(constant(name), expected);
    }
}
