//! The SDK's desk converts values as the gateway does: what a mapping's test shows is what a site gets.
//! The SDK is copied into plugin projects and can share no code with the gateway, so this holds both
//! to one word.

use hilum_message::{Conversion as Gateway, TimeZone};
use hilum_sdk::native::Conversion as Desk;
use proptest::prelude::*;

const BOTH: [(Gateway, Desk); 8] = [
    (Gateway::FhirDate, Desk::FhirDate),
    (Gateway::FhirDateTime, Desk::FhirDateTime),
    (Gateway::Hl7Date, Desk::Hl7Date),
    (Gateway::UpperCase, Desk::UpperCase),
    (Gateway::LowerCase, Desk::LowerCase),
    (Gateway::Trim, Desk::Trim),
    (Gateway::Digits, Desk::Digits),
    (Gateway::FirstLetter, Desk::FirstLetter),
];

/// A desk has no time zone: it takes a timestamp without an offset for UTC.
#[track_caller]
fn compare(value: &str) {
    for (gateway, desk) in BOTH {
        let [ours, theirs] = [gateway.apply(value, &TimeZone::UTC), desk.apply(value)];
        assert_eq!(theirs, ours, "{desk:?} of {value:?}: the desk's, the gateway's");
    }
}

#[test]
fn every_conversion_is_compared() {
    let all: Vec<_> = BOTH.iter().map(|it| it.0).collect();
    assert_eq!(all, Gateway::ALL);
}

#[test]
fn values_of_both_ways_of_writing_are_converted_alike() {
    for value in [
        "",
        "1980",
        "198003",
        "19800312",
        " 19800312 ",
        "198003121015",
        "20260912101500.1200-0330",
        "2026091210",
        "20260912+0200",
        "1980-0500",
        "1980-05",
        "1980-03-12",
        "1980-0312",
        "198003-12",
        "1980-03-12T",
        "1980-03-12T10",
        "1980-03-12 10:15",
        "2026-09-12T10:15:00Z",
        "2026-09-12T10:15:00.5+02:00",
        "2026-09-12T101500+0200",
        "19800312T1015",
        "1980031210:15",
        "T19800312",
        "1980-",
        "1980Z",
        "19801301",
        "19800230",
        "20000229",
        "19000229",
        "00000101",
        "20161231235960+0000",
        "20161231235961+0000",
        "19800312101500.",
        "19800312101500.1234567890",
        "19800312101500+1400",
        "19800312101500+1401",
        "19800312101500+0260",
        "19800312101500+02:00",
        "19800312101500+0:200",
        "19800312101500-ü000",
        "\u{661}\u{669}\u{668}\u{660}",
        "straße Ärzte ǆ",
        "+43 1/7",
        " 1 zed",
    ] {
        compare(value);
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_converted_alike(parts in proptest::collection::vec(
        prop_oneof![
            Just("19"), Just("80"), Just("02"), Just("29"), Just("12"), Just("24"), Just("60"), Just("0"), Just("00"),
            Just("-"), Just(":"), Just("T"), Just("."), Just("Z"), Just("+"), Just("+02"), Just(" "), Just("ü"),
        ],
        0..12,
    )) {
        compare(&parts.concat());
    }

    #[test]
    fn timestamps_are_converted_alike(
        year in 0_u32..3000, month in 0_u32..14, day in 0_u32..33, hour in 0_u32..26, minute in 0_u32..62,
        second in 0_u32..63, length in 0_usize..7, is_fhir in any::<bool>(),
        end in prop_oneof![Just(""), Just(".5"), Just("Z"), Just("+0200"), Just("-03:30"), Just("+1459"), Just(".25-0500")],
    ) {
        let marks = if is_fhir { ["", "-", "-", "T", ":", ":"] } else { [""; 6] };
        let numbers = [month, day, hour, minute, second].map(|it| format!("{it:02}"));
        let mut value = format!("{year:04}");
        for (mark, number) in marks.iter().skip(1).zip(&numbers).take(length) {
            value.push_str(mark);
            value.push_str(number);
        }
        compare(&[&value, end].concat());
    }
}
