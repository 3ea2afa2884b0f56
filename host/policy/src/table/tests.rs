use hilum_message::hl7v2::{Path, SegmentName};
use hilum_message::{Json, Message};

use super::*;

const FIELDS: &str = include_str!("fields.txt");
const TYPES: &str = include_str!("datatypes.txt");
const PHI: &str = include_str!("../../../../tests/fixtures/phi/safe-harbor/hl7v2_fields.csv");
const DICTIONARY: &[u8] =
    include_bytes!("../../../../tests/fixtures/hl7v2-dictionary/hl7v2-2.8.2.json");

const SEGMENTS: [&str; 13] =
    ["MSH", "EVN", "PID", "PD1", "NK1", "PV1", "PV2", "AL1", "DG1", "IN1", "GT1", "OBX", "NTE"];

fn place(segment: &str, field: u32, component: u32) -> Place {
    let segment = SegmentName::new(segment.as_bytes()).expect("a name");
    Place { segment, occurrence: 1, field, repetition: 1, component, subcomponent: 1 }
}

#[track_caller]
fn check(path: &str, value_type: Option<&str>, expected: &str) {
    let path: Path = path.parse().expect("a path");
    let (field, component) = (path.field.unwrap_or(1), path.component.unwrap_or(1));
    let place = Place { component, field, ..place(path.segment.as_str(), 1, 1) };
    assert_eq!(hl7().entry(&place, value_type).classes.to_string(), expected, "{path}");
}

#[test]
fn every_line_of_the_tables_is_read() {
    let count = |text: &'static str| lines(text).count();
    assert_eq!(hl7().segments.values().map(Vec::len).sum::<usize>(), count(FIELDS));
    assert_eq!(hl7().types.len(), count(TYPES));
    assert_eq!(hl7().segments.len(), SEGMENTS.len());
    for field in hl7().segments.values().flatten() {
        if let Field::Of { data_type, .. } = field {
            assert!(hl7().types.contains_key(data_type), "{data_type}");
        }
    }
}

#[test]
fn every_row_of_the_phi_table_but_keep_is_phi() {
    let mut rows = 0;
    for row in PHI.lines().skip(1) {
        let columns: Vec<_> = row.split(',').collect();
        let (segment, field) = columns[0].split_once('-').expect("a field");
        let field: u32 = field.parse().expect("a number");
        // MSH-7 and MSH-10 are the message's own; OBX-5 is by OBX-2.
        let own = ["MSH-7", "MSH-10", "OBX-5"].contains(&columns[0]);
        if !SEGMENTS.contains(&segment) || own {
            continue;
        }
        rows += 1;
        let is_phi = !hl7().entry(&place(segment, field, 1), None).classes.is_empty();
        assert_eq!(is_phi, !row.contains(",keep,"), "{row}");
    }
    assert_eq!(rows, 115);
}

#[test]
fn every_field_and_component_of_the_dictionary_is_known() {
    let message = Message::parse("json", DICTIONARY.into()).expect("JSON");
    let json = message.as_json().expect("JSON");
    let below = |of, name: &str| json.member(of, name);
    let text = |of, name: &str| below(of, name).and_then(|it| json.scalar(it)).unwrap_or_default();
    let segments = below(Json::ROOT, "segments").expect("segments");
    let types = below(Json::ROOT, "datatypes").expect("datatypes");
    let mut fields = 0;
    for segment in SEGMENTS {
        let list = below(below(segments, segment).expect("there"), "fields").expect("fields");
        for field in json.children(list) {
            let id = text(field, "id");
            let number: u32 = id.split_once('_').expect("a field").1.parse().expect("a number");
            let data_type = text(field, "dt");
            let components = below(types, &data_type).and_then(|it| below(it, "components"));
            let components = components.map_or(1, |it| json.children(it).count());
            fields += 1;
            if (segment, number) == ("OBX", 5) {
                continue;
            }
            for component in 1..=u32::try_from(components).expect("few") {
                let classes = hl7().entry(&place(segment, number, component), None).classes;
                assert!(!classes.has(Class::Unknown), "{id}.{component}");
            }
        }
    }
    assert!(400 < fields, "{fields}");
}

#[test]
fn components_narrow_a_field() {
    check("PID-5.1", None, "name");
    check("PID-5.7", None, "open");
    check("PID-3.1", None, "identifier");
    check("PID-3.4", None, "open");
    check("PID-3.5", None, "open");
    check("PID-3.7", None, "date");
    check("PID-7", None, "birth-date");
    check("PID-8", None, "open");
    check("PID-11.1", None, "address");
    check("PID-11.4", None, "open");
    check("PID-13.1", None, "contact");
    check("PID-13.2", None, "open");
    check("PID-29", None, "date");
    check("PID-40.4", None, "contact");
    check("PV1-7.1", None, "identifier");
    check("PV1-7.2", None, "name");
    check("PV1-7.9", None, "open");
    check("PV1-44", None, "date");
    check("MSH-7", None, "open");
    check("MSH-10", None, "open");
    check("NTE-3", None, "text");
    check("IN1-7", None, "open");
    check("DG1-3.2", None, "open");
    check("DG1-3.9", None, "text");
}

#[test]
fn an_observation_is_classed_by_its_type() {
    for (value_type, expected) in [
        ("NM", "open"),
        ("SN", "open"),
        ("CE", "open"),
        ("CWE", "open"),
        ("CNE", "open"),
        ("ST", "text"),
        ("TX", "text"),
        ("FT", "text"),
        ("DT", "date"),
        ("TS", "date"),
        ("XPN", "name"),
        ("CX", "identifier"),
        ("RP", "image"),
        ("XXX", "unknown"),
        ("FC", "unknown"),
    ] {
        check("OBX-5", Some(value_type), expected);
    }
    check("OBX-5", None, "unknown");
    check("OBX-5.5", Some("ED"), "image");
    check("OBX-5.3", Some("ED"), "open");
    check("OBX-5.2", Some("NM"), "unknown");
    check("OBX-5.5", Some("CX"), "open");
}

#[test]
fn what_no_table_has_is_unknown() {
    check("ZPI-1", None, "unknown");
    check("OBR-4", None, "unknown");
    check("PID-41", None, "unknown");
    check("PID-5.16", None, "unknown");
    check("PID-8.23", None, "unknown");
}
