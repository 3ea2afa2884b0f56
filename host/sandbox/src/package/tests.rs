use expect_test::{Expect, expect};
use hilum_policy::{Class, Sight};

use super::*;

const GOOD: &str = r#"[plugin]
name = "st-anna/adt-to-fhir"
version = "1.4.0"
contract = "hilum:plugin/transformer@0.1.0"
summary = "ADT A01 to a FHIR R4 transaction"
owner = "interfaces@st-anna.example"
takes = ["hl7v2:ADT^A01", "hl7v2"]
gives = ["fhir-json:Bundle"]

[asks]
phi.birth-date = { sight = "open", why = "derives the age band" }
tables = ["admit-source"]

[budget]
fuel = 20_000_000
memory = "16 MiB"
"#;

/// Reads a manifest that must have problems.
#[track_caller]
fn check(manifest: &str, expected: Expect) {
    let problems = Problems::default();
    let _ = Manifest::read("plugin.toml", manifest, &problems);
    let all: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
    expected.assert_eq(&all.join("\n"));
}

/// A component with these sections, as bytes.
fn component(sections: &[(&str, &[u8])]) -> Bytes {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    for (name, data) in sections {
        let mut section = vec![u8::try_from(name.len()).expect("short")];
        section.extend_from_slice(name.as_bytes());
        section.extend_from_slice(data);
        bytes.push(0);
        let mut length = section.len();
        while 0x7f < length {
            bytes.push(u8::try_from(length & 0x7f).expect("fits") | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).expect("fits"));
        bytes.extend_from_slice(&section);
    }
    Bytes::from(bytes)
}

#[test]
fn a_good_manifest_says_everything() {
    let package = Package::read(component(&[(MANIFEST_SECTION, GOOD.as_bytes())]), 1 << 20);
    let package = package.expect("a package");
    let manifest = &package.manifest;
    assert_eq!(manifest.name.as_str(), "st-anna/adt-to-fhir");
    assert_eq!(manifest.world, hilum_contract::World::Transformer);
    assert_eq!(manifest.asks.phi[&Class::BirthDate].sight, Sight::Open);
    assert_eq!(manifest.asks.phi[&Class::BirthDate].why, "derives the age band");
    assert_eq!(manifest.asks.tables[0].as_str(), "admit-source");
    assert_eq!(manifest.budget.fuel, Some(20_000_000));
    assert_eq!(manifest.takes, ["hl7v2:ADT^A01", "hl7v2"]);
    assert_eq!(package.digest, Digest::of(&package.bytes));
    assert!(package.imports.is_empty());
}

#[test]
fn what_sites_look_for_may_be_missing() {
    check(&GOOD.replace("summary", "# ").replace("owner", "# "), expect![""]);
}

#[test]
fn every_problem_of_a_manifest_has_its_line() {
    check(
        &GOOD
            .replace("st-anna/adt", "St Anna/adt")
            .replace("1.4.0", "1.4")
            .replace("hl7v2:ADT^A01", "HL7")
            .replace("birth-date", "birthdate")
            .replace("16 MiB", "16 apples"),
        expect![[r#"
            plugin.toml:2  plugin.name  must be lower-case letters, digits and hyphens, with a publisher before a slash if you like: "st-anna/adt-to-fhir"
            plugin.toml:3  plugin.version  must be three numbers, such as "1.4.0"
            plugin.toml:7  plugin.takes[0]  must be a format, or a format and a kind, such as "hl7v2:ADT^A01"
            plugin.toml:11  asks.phi.birthdate  there is no such class of patient data; did you mean "birth-date"?
            plugin.toml:16  budget.memory  must be a size such as "64 KiB", "16 MiB" or "1 GiB""#]],
    );
    check(
        &GOOD
            .replace("sight = \"open\", why", "sight = \"opened\", reason")
            .replace("[asks]", "[ask]"),
        expect![[r#"plugin.toml:10  ask  unknown key; did you mean "asks"?"#]],
    );
    check(
        &GOOD.replace("sight = \"open\", why", "sight = \"opened\", reason"),
        expect![[r#"
            plugin.toml:11  asks.phi.birth-date  needs the key "why"
            plugin.toml:11  asks.phi.birth-date.reason  unknown key
            plugin.toml:11  asks.phi.birth-date.sight  must be one of "open", "seal", "withhold"; did you mean "open"?"#]],
    );
}

#[test]
fn text_of_a_stranger_cannot_move_the_cursor() {
    check(
        &GOOD.replace("ADT A01 to", "\\u001b[2J"),
        expect!["plugin.toml:5  plugin.summary  must not have control characters"],
    );
}

#[test]
fn a_later_patch_of_the_contract_is_taken_and_a_later_minor_is_not() {
    check(&GOOD.replace("@0.1.0", "@0.1.9"), expect![""]);
    check(
        &GOOD.replace("@0.1.0", "@0.2.0"),
        expect![
            "plugin.toml:4  plugin.contract  this gateway speaks version 0.1.0 of the contract, not 0.2.0: build the plugin against 0.1.0, or use a gateway that speaks 0.2.0"
        ],
    );
    check(
        &GOOD.replace("hilum:plugin/", "acme:plugin/"),
        expect![[
            r#"plugin.toml:4  plugin.contract  must be one of "hilum:plugin/transformer@0.1.0", "hilum:plugin/router@0.1.0", "hilum:plugin/validator@0.1.0""#
        ]],
    );
}

#[test]
fn a_file_that_is_too_long_is_not_looked_at() {
    let bytes = component(&[(MANIFEST_SECTION, GOOD.as_bytes())]);
    let bytes_max = bytes.len() as u64;
    assert!(Package::read(bytes.clone(), bytes_max).is_ok());
    assert!(matches!(Package::read(bytes, bytes_max - 1), Err(PackageProblem::TooLong { .. })));
}

#[test]
fn a_manifest_has_a_longest_length_and_is_text() {
    let long = format!("{GOOD}#{}", "x".repeat(MANIFEST_BYTES_MAX));
    let read = |manifest: &[u8]| {
        let bytes = component(&[(MANIFEST_SECTION, manifest)]);
        Package::read(bytes, 1 << 20).err().map(|it| it.to_string())
    };
    let expected = "the section `hilum:manifest` is not a plugin.toml: it is longer than 64 KiB";
    assert_eq!(read(long.as_bytes()).as_deref(), Some(expected));
    let expected = "the section `hilum:manifest` is not a plugin.toml: it is not UTF-8";
    assert_eq!(read(b"\xff").as_deref(), Some(expected));
}

#[test]
fn what_is_not_webassembly_is_said_to_be_none() {
    for bytes in [&b""[..], b"\0asm", b"<html>", b"PK\x03\x04 and more than eight bytes"] {
        let read = Package::read(Bytes::copy_from_slice(bytes), 1 << 20);
        assert!(matches!(read, Err(PackageProblem::NotWasm)), "{read:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_to_an_end(noise: Vec<u8>, at in 0usize..400) {
        let mut bytes = component(&[(MANIFEST_SECTION, GOOD.as_bytes())]).to_vec();
        let at = at.min(bytes.len());
        bytes.splice(at..at, noise);
        let _ = Package::read(Bytes::from(bytes), 1 << 20);
    }
}
