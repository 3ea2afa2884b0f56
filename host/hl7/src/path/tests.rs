use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, numbers: [u32; 5]) {
    let path: Path = text.parse().unwrap();
    let read = [path.occurrence, path.field, path.repetition, path.component, path.subcomponent];
    assert_eq!(read.map(Option::unwrap_or_default), numbers, "{text}");
    assert_eq!(path.to_string(), text);
}

#[test]
fn every_form_is_read_and_printed_alike() {
    check("OBX", [0, 0, 0, 0, 0]);
    check("OBX[3]", [3, 0, 0, 0, 0]);
    check("PID-3", [0, 3, 0, 0, 0]);
    check("OBX[3]-5", [3, 5, 0, 0, 0]);
    check("PID-3[2]", [0, 3, 2, 0, 0]);
    check("PID-5.1", [0, 5, 0, 1, 0]);
    check("PID-3[2].4.1", [0, 3, 2, 4, 1]);
    check("ZA1[12]-3[4294967295].4.1", [12, 3, u32::MAX, 4, 1]);
    check("?[2]-1", [2, 1, 0, 0, 0]);
}

#[test]
fn what_is_no_path_says_how_far_it_was_understood() {
    for (text, offset) in [
        ("", 0),
        ("PI", 0),
        ("PI-3", 0),
        ("pid-3", 0),
        ("3ID-3", 0),
        ("PID.3.4", 3),
        ("PID-", 4),
        ("PID-0", 4),
        ("PID-03", 4),
        ("PID-+3", 4),
        ("PID--3", 4),
        ("PID-3.", 6),
        ("PID-3.4.", 8),
        ("PID-3.4.1.1", 9),
        ("PID[", 4),
        ("PID[]", 4),
        ("PID[2", 5),
        ("PID-3[2]x", 8),
        ("PID-4294967296", 4),
        ("PID 3", 3),
        (" PID-3", 0),
        ("PID-3 ", 5),
        ("PÄD-3", 0),
        ("Patient.name[0].family", 0),
    ] {
        assert_eq!(text.parse::<Path>(), Err(PathError { offset }), "{text:?}");
    }
}

#[test]
fn err_2_gets_every_number_up_to_the_last() {
    for (text, erl) in [
        ("MSH-10", "MSH^1^10"),
        ("PID-3[2].4", "PID^1^3^2^4"),
        ("PID-3.4.1", "PID^1^3^1^4^1"),
        ("OBX[3]-5", "OBX^3^5"),
        ("OBX[3]", "OBX^3"),
        ("OBX", "OBX^1"),
    ] {
        assert_eq!(text.parse::<Path>().unwrap().erl('^'), erl);
    }
    assert_eq!("MSH-10".parse::<Path>().unwrap().erl('$'), "MSH$1$10");
}

#[test]
fn a_place_prints_its_component_and_no_needless_number() {
    let first = Place {
        segment: SegmentName::new(b"PID").unwrap(),
        occurrence: 1,
        field: 5,
        repetition: 1,
        component: 1,
        subcomponent: 1,
    };
    assert_eq!(first.to_string(), "PID-5.1");
    assert_eq!(Path::from(first).to_string(), "PID[1]-5[1].1.1");
    let later = Place { occurrence: 2, repetition: 3, component: 4, subcomponent: 5, ..first };
    assert_eq!(later.to_string(), "PID[2]-5[3].4.5");
}

fn number() -> impl Strategy<Value = Option<u32>> {
    proptest::option::of(1..=u32::MAX)
}

proptest! {
    #[test]
    fn a_printed_path_is_read_as_itself_or_with_the_ones_it_implied(
        name in "[A-Z][A-Z0-9]{2}",
        numbers in [number(), number(), number(), number(), number()],
    ) {
        let [occurrence, field, repetition, component, subcomponent] = numbers;
        let segment = SegmentName::new(name.as_bytes()).unwrap();
        let path = Path { segment, occurrence, field, repetition, component, subcomponent };
        let read: Path = path.to_string().parse().unwrap();
        let field = field.or((repetition.or(component).or(subcomponent).is_some()).then_some(1));
        let component = component.or(subcomponent.is_some().then_some(1));
        prop_assert_eq!(read, Path { field, component, ..path });
    }

    #[test]
    fn any_text_is_a_path_that_prints_the_same_or_an_error_inside_it(text in "(PID|\\?)?[-.0-9\\[\\]A]{0,12}|.{0,12}") {
        match text.parse::<Path>() {
            Ok(path) => prop_assert_eq!(path.to_string(), text),
            Err(error) => prop_assert!(error.offset <= text.len()),
        }
    }
}
