use std::path::Path;

use super::*;

#[expect(clippy::disallowed_methods, reason = "a test reads the guide's file")]
/// The guide's own table: v2 code, FHIR code, display, system, of each row that maps something.
fn guide(name: &str) -> Vec<[String; 4]> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/v2-to-fhir");
    let text = std::fs::read_to_string(folder.join("codesystems").join(format!("{name}.csv")))
        .expect("the guide's table");
    let rows =
        text.lines().skip(2).map(fields).filter(|row| !row[0].is_empty() && !row[6].is_empty());
    rows.map(|row| {
        // The display stands in one of two columns.
        let display = if row[8].is_empty() { &row[7] } else { &row[8] };
        [&row[0], &row[6], display, &row[9]].map(Clone::clone)
    })
    .collect()
}

/// One line of a CSV file without quotes inside quotes.
fn fields(line: &str) -> Vec<String> {
    let (mut all, mut field, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in line.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => all.push(std::mem::take(&mut field)),
            _ => field.push(letter),
        }
    }
    all.push(field);
    all.resize(12, String::new());
    all
}

#[track_caller]
fn check(table: &Table, name: &str) {
    let ours: Vec<[String; 4]> = table
        .rows
        .iter()
        .map(|row| [row.v2, row.code, row.display, row.system].map(str::to_owned))
        .collect();
    assert!(!ours.is_empty());
    assert_eq!(ours, guide(name), "{name}");
}

#[test]
fn the_tables_are_the_guides() {
    check(ADMINISTRATIVE_SEX, "AdministrativeSex");
    check(MARITAL_STATUS, "MaritalStatus");
    check(NAME_USE, "NameType");
    check(ADDRESS_TYPE, "AddressType[Type]");
    check(ADDRESS_USE, "AddressType[Use]");
    check(EQUIPMENT, "TelecommunicationEquipmentType");
    check(TELECOM_USE, "TelecommunicationUseCode");
    check(ENCOUNTER_CLASS, "PatientClass[EncounterClass]");
    check(ENCOUNTER_STATUS, "PatientClass[EncounterStatus]");
    check(HOSPITAL_SERVICE, "HospitalService");
}

#[test]
fn a_code_that_is_not_there_is_none() {
    assert_eq!(value(ADMINISTRATIVE_SEX, "F"), Some("female"));
    for unknown in ["", "f", "X", "ZQ7K3M9XA2WB4T"] {
        assert_eq!(value(ADMINISTRATIVE_SEX, unknown), None);
        assert!(coding(MARITAL_STATUS, unknown).is_none());
    }
}
