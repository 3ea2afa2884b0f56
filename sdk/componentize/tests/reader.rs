//! The SDK reads HL7 v2 as the gateway does: a mapping that reads the message as text sees the same
//! values as one that asks for paths.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a test reads fixtures, and a panic is how it fails"
)]

use std::fs;
use std::path::{Path as FilePath, PathBuf};

use hilum_hl7::{Charset, Message, Path, SegmentName, Value};
use hilum_sdk::hl7::{Field, Hl7, Segment};
use proptest::prelude::*;

/// What the gateway has at a path; `""` as that.
fn host(message: &Message, path: &Path) -> Option<String> {
    match message.value(path) {
        Value::Absent => None,
        Value::Deleted => Some("\"\"".to_owned()),
        Value::Text(range) => message.text(range).ok(),
    }
}

/// What the SDK has there.
fn guest(field: Field<'_>) -> Option<String> {
    if field.is_deleted() { Some("\"\"".to_owned()) } else { field.text().map(Into::into) }
}

/// Compares every value of the fields, and asks a little further than they go.
fn compare_segment(message: &Message, segment: Segment<'_>) {
    let name = SegmentName::new(segment.name().as_bytes()).unwrap_or(SegmentName::UNNAMED);
    let occurrence = u32::try_from(segment.number()).expect("few segments");
    if name.is_unnamed() {
        return; // No path of the SDK's leads there.
    }
    for number in 1..=45_u32 {
        let wide = usize::try_from(number).expect("small");
        let at = Path { occurrence: Some(occurrence), ..Path::field_of(name, number) };
        assert_eq!(guest(segment.field(wide)), host(message, &at), "{at}");
        let is_declaration = name.is_header() && number <= 2;
        if is_declaration {
            continue;
        }
        // Empty repetitions are left out by the SDK; the gateway counts them.
        let count = u32::try_from(message.count(&at)).expect("few repetitions");
        let filled = |repetition: &u32| {
            let segment = message.segment(name, occurrence).expect("there");
            segment.repetition(number, *repetition).is_some_and(|it| !it.is_empty())
        };
        let numbers = (1..=count).filter(filled);
        let fields: Vec<_> = segment.repetitions(wide).collect();
        let numbers: Vec<_> = numbers.collect();
        assert_eq!(fields.len(), numbers.len(), "{at}");
        for (field, repetition) in fields.into_iter().zip(numbers) {
            for component in 1..=12_u32 {
                for subcomponent in 1..=4_u32 {
                    let [outer, inner] =
                        [component, subcomponent].map(|it| usize::try_from(it).expect("small"));
                    let value = field.component(outer).component(inner);
                    let path = Path {
                        repetition: Some(repetition),
                        component: Some(component),
                        subcomponent: Some(subcomponent),
                        ..at
                    };
                    assert_eq!(guest(value), host(message, &path), "{path}");
                }
            }
        }
    }
}

/// Compares a message, if both sides can read it. Answers whether they could.
fn compare(text: &str) -> bool {
    let message = Message::parse(text.as_bytes().to_vec().into());
    let hl7 = Hl7::parse(text.to_owned());
    let Ok(message) = message else {
        assert!(hl7.is_err(), "the SDK reads what the gateway refuses: {text:?}");
        return false;
    };
    let hl7 = hl7.expect("the SDK reads what the gateway reads");
    // The SDK's text is decoded already; and each message of a batch comes alone.
    let is_decoded = match message.charset() {
        Charset::Utf8 => true,
        // The gateway hands out no text that its own character set does not have.
        Charset::Ascii | Charset::Unknown => text.is_ascii(),
        _ => false,
    };
    if !is_decoded || message.count_messages() != 1 || message.is_batch() {
        return false;
    }
    for segment in hl7.segments() {
        compare_segment(&message, segment);
    }
    true
}

fn messages(folder: &FilePath, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the fixtures") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            messages(&path, found);
        } else if path.extension().is_some_and(|it| it == "hl7") {
            found.push(path);
        }
    }
}

#[test]
fn every_fixture_is_read_alike() {
    let repository = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut all = Vec::new();
    for folder in ["tests/fixtures", "examples"] {
        messages(&repository.join(folder), &mut all);
    }
    let mut compared = 0;
    for path in all {
        if let Ok(text) = String::from_utf8(fs::read(&path).expect("readable")) {
            compared += usize::from(compare(&text));
        }
    }
    assert!(100 < compared, "{compared} messages");
}

proptest! {
    #[test]
    fn whatever_comes_is_read_alike(
        head in prop_oneof![Just("MSH|^~\\&|"), Just("MSH|^~\\&#|A"), Just("MSH$@*!%$"), Just("MSH|^~\\|")],
        parts in proptest::collection::vec(
            prop_oneof![
                Just("|"), Just("^"), Just("~"), Just("\\"), Just("&"), Just("$"), Just("@"), Just("!"),
                Just("\r"), Just("\n"), Just("\rPID|"), Just("\nOBX|"), Just("\"\""), Just("x"), Just("ü"),
                Just("\\T\\"), Just("\\X41\\"), Just("\\XC3BC\\"), Just("\\.br\\"), Just("\\P\\"), Just("\\H\\"),
                Just(" "), Just("#"), Just("MSH"),
            ],
            0..60,
        ),
    ) {
        compare(&[head, &parts.concat()].concat());
    }
}
