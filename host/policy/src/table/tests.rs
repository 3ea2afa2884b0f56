use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::expect_file;
use hilum_message::hl7v2::Path;
use hilum_message::{Json, Message};

use super::*;

const FIELDS: &str = include_str!("fields.txt");
const TYPES: &str = include_str!("datatypes.txt");
const DECISIONS: &str = include_str!("decisions.txt");
const PHI: &str = include_str!("../../../../tests/fixtures/phi/safe-harbor/hl7v2_fields.csv");

macro_rules! dictionary {
    ($version:literal) => {
        (
            $version,
            include_bytes!(concat!(
                "../../../../tests/fixtures/hl7v2-dictionary/hl7v2-",
                $version,
                ".json"
            )),
        )
    };
}

/// Every version, the oldest first.
const DICTIONARIES: &[(&str, &[u8])] = &[
    dictionary!("2.1"),
    dictionary!("2.2"),
    dictionary!("2.3"),
    dictionary!("2.3.1"),
    dictionary!("2.4"),
    dictionary!("2.5"),
    dictionary!("2.5.1"),
    dictionary!("2.6"),
    dictionary!("2.7"),
    dictionary!("2.8"),
    dictionary!("2.8.1"),
    dictionary!("2.8.2"),
];

/// What stands above the fields.
const HEAD: &str = "\
# Every field of HL7 v2.1 to v2.8.2 with its class, and why it has that.
#
#   phi      the PHI table (tests/fixtures/phi/safe-harbor) names it
#   keep     the PHI table says that it is none
#   type     by its data type (datatypes.txt)
#   decided  by a person (decisions.txt)
#
# The types are those of all versions, the oldest first. Made by the test
# `fields_are_what_the_dictionaries_and_the_phi_table_say`, with UPDATE_EXPECT=1; not by hand.
#
# field    class       why      types  name
";

/// A field in all versions: its types in the order in which they came, and its newest name.
#[derive(Default)]
struct Known {
    types: Vec<String>,
    name: String,
}

type Fields = BTreeMap<(String, u32), Known>;

fn text(json: &Json, of: hilum_message::NodeId, name: &str) -> String {
    json.member(of, name).and_then(|it| json.scalar(it)).unwrap_or_default()
}

fn known_fields() -> Fields {
    let mut fields = Fields::new();
    for (version, bytes) in DICTIONARIES {
        let message = Message::parse("json", (*bytes).into()).expect(version);
        let json = message.as_json().expect("JSON");
        let segments = json.member(Json::ROOT, "segments").expect("segments");
        for segment in json.children(segments) {
            let Some(list) = json.member(segment, "fields") else { continue };
            for field in json.children(list) {
                let id = text(json, field, "id");
                let (segment, number) = id.split_once('_').expect("a field");
                let key = (segment.to_owned(), number.parse().expect("a number"));
                let known = fields.entry(key).or_default();
                let data_type = text(json, field, "dt");
                // A field without a type, and one that was withdrawn, says nothing about its class.
                let is_one = !matches!(data_type.as_str(), "" | "WD" | "wd");
                if is_one && !known.types.contains(&data_type) {
                    known.types.push(data_type);
                }
                known.name = text(json, field, "name");
            }
        }
    }
    fields
}

fn types() -> DataTypes {
    lines(TYPES).filter_map(type_of).collect()
}

type PhiTable = BTreeMap<&'static str, (Vec<&'static str>, bool)>;

/// The PHI table: field, categories, whether it is kept.
fn phi() -> PhiTable {
    let row = |row: &'static str| {
        let columns: Vec<_> = row.split(',').collect();
        let categories = columns.iter().find(|it| it.starts_with(|it: char| it.is_ascii_digit()));
        // The fourth column may hold a table's number, and is the only other one with digits first.
        let categories = columns.get(4).filter(|it| !it.is_empty()).or(categories);
        let categories = categories.copied().unwrap_or_default().split(' ').collect();
        (columns[0], (categories, row.contains(",keep,")))
    };
    PHI.lines().skip(1).filter(|it| !it.is_empty()).map(row).collect()
}

/// The class of HIPAA's categories.
fn class_of_categories(categories: &[&str]) -> Class {
    let has = |wanted: &[&str]| wanted.iter().any(|it| categories.contains(it));
    if has(&["1"]) && has(&["2"]) {
        return Class::Text;
    }
    if has(&["16", "17"]) {
        return Class::Image;
    }
    [("1", Class::Name), ("2", Class::Address), ("3", Class::Date)]
        .into_iter()
        .find_map(|(category, class)| has(&[category]).then_some(class))
        .unwrap_or(if has(&["4", "5", "6", "14", "15"]) {
            Class::Contact
        } else {
            Class::Identifier
        })
}

/// What a field is by the rules alone, without decisions.
fn by_rule(
    key: &(String, u32),
    known: &Known,
    types: &DataTypes,
    phi: &PhiTable,
) -> (Classes, &'static str) {
    let row = phi.get(format!("{}-{}", key.0, key.1).as_str()).cloned();
    if row.as_ref().is_some_and(|(_, is_kept)| *is_kept) {
        return (Classes::NONE, "keep");
    }
    // In 2.1 a composite has no components; later versions say what was in it.
    let has_more = known.types.iter().any(|it| it != "CM");
    let named = known.types.iter().filter(|it| !has_more || *it != "CM");
    let of_types: Vec<Classes> = named.map(|it| types.get(it.as_str()).expect(it).field).collect();
    let text = Classes::of(Class::Text);
    let newest = of_types.iter().rev().find(|it| !it.is_empty() && **it != text);
    match (row, newest) {
        (Some((categories, _)), newest) => {
            let class = class_of_categories(&categories);
            // An organisation is a name; where the PHI table has it for a place, it is one.
            let is_place = known.types.iter().any(|it| it == "XON")
                && matches!(class, Class::Address | Class::Name);
            let by_type = newest.filter(|_| !is_place).copied();
            (by_type.unwrap_or(class.into()), "phi")
        }
        (None, Some(newest)) => (*newest, "type"),
        // Text in one version and a code in another is text.
        (None, None) if of_types.is_empty() => (Class::Unknown.into(), "type"),
        (None, None) => (of_types.into_iter().fold(Classes::NONE, Classes::and), "type"),
    }
}

fn decisions() -> BTreeMap<&'static str, &'static str> {
    lines(DECISIONS).map(|it| (it[0], it[1])).collect()
}

/// A field's name as people write it.
fn spelt(name: &str) -> String {
    let small = name.to_lowercase().replace('_', " ");
    let mut letters = small.chars();
    letters.next().map(|it| it.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[test]
fn fields_are_what_the_dictionaries_and_the_phi_table_say() {
    let (types, decisions, phi) = (types(), decisions(), phi());
    let mut used = 0;
    let mut needless = Vec::new();
    let mut made = HEAD.to_owned();
    let mut last = String::new();
    for (key, known) in known_fields() {
        if key.0 != last {
            made.push('\n');
            last.clone_from(&key.0);
        }
        let place = format!("{}-{}", key.0, key.1);
        let (by_rule, why) = by_rule(&key, &known, &types, &phi);
        let by_rule = by_rule.to_string();
        let (class, why) = match decisions.get(place.as_str()) {
            None => (by_rule.as_str(), why),
            Some(decided) => {
                used += 1;
                if *decided == by_rule {
                    needless.push(place.clone());
                }
                (*decided, "decided")
            }
        };
        let of = if known.types.is_empty() { "-".to_owned() } else { known.types.join(",") };
        let name = spelt(&known.name);
        let line = format!("{place:<8} {class:<11} {why:<8} {of:<12} {name}");
        writeln!(made, "{}", line.trim_end()).expect("written");
    }
    assert!(needless.is_empty(), "no decision is needed about {needless:?}");
    assert_eq!(used, decisions.len(), "a decision is about a field that no version has");
    expect_file!["./fields.txt"].assert_eq(&made);
}

/// All that a plugin may read without a grant: each open place of each field, with the reason.
#[test]
fn what_is_open_is_listed_with_the_reason() {
    let mut open = String::from(
        "# Every place of HL7 v2.1 to v2.8.2 that is open, and why: what fields.txt has, by component\n\
         # (`*`: all of the field). Made by the test `what_is_open_is_listed_with_the_reason`.\n",
    );
    let reasons: BTreeMap<_, _> = lines(DECISIONS).map(|it| (it[0], it[2..].join(" "))).collect();
    let types = types();
    let mut count = 0;
    for words in lines(FIELDS) {
        let (segment, field, class, of) = field_of(&words).expect("a line");
        if class == "varies" {
            continue;
        }
        let longest = of.split(',').filter_map(|it| types.get(it).map(|it| it.components.len()));
        let longest = u32::try_from(longest.max().unwrap_or_default()).expect("few");
        let is_open = |component: &u32| {
            let place = place(segment, u32::try_from(field).expect("few"), *component);
            hl7().entry(&place, None).classes.is_empty()
        };
        let all: Vec<u32> = (1..=longest).filter(is_open).collect();
        count += all.len();
        let places = match all.len() {
            0 => continue,
            length if length == longest as usize => "*".to_owned(),
            _ => ranges(&all),
        };
        let why = match words[2] {
            "keep" => "the PHI table keeps it".to_owned(),
            "decided" if class == "open" => reasons[words[0]].clone(),
            _ if class == "open" => format!("{of} says nothing about a person"),
            _ => format!("the field is {class}; {of} says nothing about a person there"),
        };
        writeln!(open, "{:<8} {places:<20} {why}", words[0]).expect("written");
    }
    assert!(1_000 < count, "{count}");
    expect_file!["./open.txt"].assert_eq(&open);
}

/// `1-8,10`.
fn ranges(numbers: &[u32]) -> String {
    let mut text = String::new();
    for (index, number) in numbers.iter().enumerate() {
        let follows = index != 0 && numbers[index - 1] + 1 == *number;
        let goes_on = numbers.get(index + 1) == Some(&(number + 1));
        match (follows, goes_on) {
            (true, true) => {}
            (true, false) => write!(text, "-{number}").expect("written"),
            (false, _) if index == 0 => write!(text, "{number}").expect("written"),
            (false, _) => write!(text, ",{number}").expect("written"),
        }
    }
    text
}

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
    assert_eq!(hl7().segments.iter().map(|it| it.fields.len()).sum::<usize>(), count(FIELDS));
    let types = types();
    assert_eq!(types.len(), count(TYPES));
    assert_eq!(hl7().segments.len(), 190);
    for words in lines(FIELDS) {
        let (_, _, class, of) = field_of(&words).expect("a line");
        assert!(
            ["open", "varies"].contains(&class) || Class::from_word(class).is_some(),
            "{class}"
        );
        assert!(of == "-" || of.split(',').all(|it| types.contains_key(it)), "{of}");
    }
    for words in lines(TYPES) {
        assert!(words[1] == "open" || Class::from_word(words[1]).is_some(), "{words:?}");
        assert!(["yes", "no"].contains(&words[2]), "{words:?}");
    }
}

#[test]
fn every_row_of_the_phi_table_but_keep_is_phi() {
    let mut rows = 0;
    for (name, (_, is_kept)) in phi() {
        let (segment, field) = name.split_once('-').expect("a field");
        let field: u32 = field.parse().expect("a number");
        // MSH-7 and MSH-10 are the message's own; OBX-5 is by OBX-2.
        if ["MSH-7", "MSH-10", "OBX-5"].contains(&name) {
            continue;
        }
        rows += 1;
        let is_phi = !hl7().entry(&place(segment, field, 1), None).classes.is_empty();
        assert_eq!(is_phi, !is_kept, "{name}");
    }
    assert_eq!(rows, 246);
}

/// Each component of each version's dictionary, of each field: it is known, and as a part that is a
/// name, an address, a contact, an identifier or a date it has that class wherever it stands.
#[test]
fn components_have_their_class_inside_any_field_of_any_version() {
    let decisions = decisions();
    let mut places = 0;
    for (version, bytes) in DICTIONARIES {
        let message = Message::parse("json", (*bytes).into()).expect(version);
        let json = message.as_json().expect("JSON");
        let of_types = json.member(Json::ROOT, "datatypes").expect("data types");
        let segments = json.member(Json::ROOT, "segments").expect("segments");
        for segment in json.children(segments) {
            for field in json.member(segment, "fields").into_iter().flat_map(|it| json.children(it))
            {
                let id = text(json, field, "id");
                let (name, number) = id.split_once('_').expect("a field");
                let of = text(json, field, "dt");
                let components = json
                    .member(of_types, &of)
                    .and_then(|it| json.member(it, "components"))
                    .map(|it| json.children(it).map(|it| text(json, it, "dt")).collect::<Vec<_>>())
                    .unwrap_or_default();
                let field: u32 = number.parse().expect("a number");
                let is_known = !matches!(of.as_str(), "" | "WD" | "wd" | "CM" | "varies");
                if !is_known || (name, field) == ("OBX", 5) {
                    continue;
                }
                for component in 1..=u32::try_from(components.len().max(1)).expect("few") {
                    let classes = hl7().entry(&place(name, field, component), None).classes;
                    let place = format!("{version} {name}-{field}.{component} {of}");
                    places += 1;
                    let is_unknown = ["QIP", "QSC"].contains(&of.as_str())
                        || decisions.get(format!("{name}-{field}").as_str()) == Some(&"unknown");
                    // What is newer than the type of this version may be anything.
                    let varies = ["MFE-4", "MFA-5"].contains(&format!("{name}-{field}").as_str());
                    assert!(!classes.has(Class::Unknown) || is_unknown || varies, "{place}");
                    let part = components.get(component as usize - 1).unwrap_or(&of);
                    let must = match part.as_str() {
                        "FN" | "PN" | "XPN" | "CN" | "CNN" | "CN_SIMPLE" => Class::Name,
                        "SAD" | "AD" => Class::Address,
                        "XTN" | "TN" => Class::Contact,
                        "CX" | "EIP" => Class::Identifier,
                        "TS" | "DT" | "DTM" | "DR" => Class::Date,
                        _ => continue,
                    };
                    // A component that is no date of a person's: when a set of codes was made.
                    let is_version = ["CWE", "CNE", "CF", "CSU"].contains(&of.as_str());
                    let is_open = OPEN_ALL_THE_SAME.contains(&format!("{name}-{field}").as_str());
                    // Another class is as hidden: the PHI table has the field for that.
                    let has = !classes.is_empty();
                    assert!(has || is_version || is_open, "{place} is {classes}, not {must}");
                }
            }
        }
    }
    assert!(20_000 < places, "{places}");
}

/// Fields that a decision, or the PHI table's `keep`, opens whole, though they are of such a type.
const OPEN_ALL_THE_SAME: &[&str] =
    &["MSH-7", "FHS-7", "BHS-7", "SFT-6", "QRD-1", "OBX-12", "IN1-3", "IN1-5", "IN1-7"];

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
    check("OBR-4", None, "open");
    check("OBR-7", None, "date");
    check("OBR-16.2", None, "name");
    check("ORC-12.1", None, "identifier");
    check("SPM-2.1", None, "identifier");
    check("RXA-10.2", None, "name");
    check("MSA-2", None, "open");
    check("ERR-7", None, "text");
}

/// A field of which a version made something else is as hidden as in any of them.
#[test]
fn a_field_is_as_hidden_as_in_any_version() {
    // ST in 2.1, XCN since 2.3.1.
    check("QRD-8.1", None, "name+identifier");
    check("QRD-8.2", None, "name");
    // TX in 2.1, CE later.
    check("OM1-33.1", None, "text");
    // CE in 2.2, anything later.
    check("MFE-4.1", None, "unknown");
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
        ("NA", "image"),
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
fn a_number_is_what_is_a_number_and_nothing_more() {
    let is_number = |segment, field| hl7().entry(&place(segment, field, 1), None).is_number;
    assert!(is_number("PID", 25));
    // A surgeon (XCN) until 2.8, minutes (NM) since: the surgeon's id `2210` is a text.
    assert!(!is_number("PR1", 11));
    assert!(!is_number("PR1", 12));
}

#[test]
fn what_no_table_has_is_unknown() {
    check("ZPI-1", None, "unknown");
    check("OBR-400", None, "unknown");
    check("PID-41", None, "unknown");
    check("PID-5.16", None, "unknown");
    check("PID-8.23", None, "unknown");
    check("RX1-9", None, "unknown");
}

#[test]
fn a_field_that_may_be_of_any_type_is_unknown_whole() {
    for path in ["MFE-4.1", "MFE-4.3", "MFE-4.6", "MFA-5.3", "QPD-3.1", "RDT-1.2"] {
        let path: Path = path.parse().expect("a path");
        let place = Place {
            segment: path.segment,
            occurrence: 1,
            field: path.field.expect("a field"),
            repetition: 1,
            component: path.component.expect("a component"),
            subcomponent: 1,
        };
        assert_eq!(hl7().entry(&place, None), Entry::UNKNOWN, "{path}");
    }
}
