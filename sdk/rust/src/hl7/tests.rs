use super::*;

const ADT: &str = "MSH|^~\\&|A|B|C|D|20260101||ADT^A01^ADT_A01|7|P|2.5.1\r\
    PID|1||11^^^X&1.2.3&ISO^MR~22^^^Y||Zed\\T\\litz^Q&R^\"\"||\"\"|F\r\
    OBX|1|TX|a||one\r\
    NTE|1\r\
    OBX|2|TX|b||two~three||||||F\r";

fn read(text: &str) -> Hl7 {
    Hl7::parse(text.to_owned()).expect("a message")
}

#[track_caller]
fn check(field: Field<'_>, expected: &str) {
    assert_eq!(field.text().as_deref().unwrap_or("-"), expected);
}

#[test]
fn segments_are_found_by_name_and_place() {
    let hl7 = read(ADT);
    let names: Vec<_> = hl7.segments().map(Segment::name).collect();
    assert_eq!(names, ["MSH", "PID", "OBX", "NTE", "OBX"]);
    assert_eq!(hl7.all("OBX").map(Segment::number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(hl7.all("OBX").map(Segment::position).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(hl7.between(3, 9).named("OBX").count(), 1);
    assert!(hl7.first("ZZZ").is_none());
    assert!(hl7.segment(5).is_none());
}

#[test]
fn parts_are_counted_from_1() {
    let hl7 = read(ADT);
    let pid = hl7.first("PID").expect("a PID");
    check(pid.field(3), "11");
    check(pid.field(3).component(1).component(1), "11");
    check(pid.field(3).component(4), "X");
    check(pid.field(3).component(4).component(2), "1.2.3");
    check(pid.field(3).component(5), "MR");
    check(pid.field(3).component(4).component(4), "-");
    check(pid.field(3).component(9), "-");
    check(pid.field(3).component(0), "-");
    check(pid.field(0), "-");
    check(pid.field(99), "-");
    let all: Vec<_> = pid.repetitions(3).map(|it| it.component(4).text()).collect();
    assert_eq!(all, [Some("X".into()), Some("Y".into())]);
    assert_eq!(pid.repetitions(2).count(), 0);
    check(pid.field(5).component(2).component(2), "R");
    // A subcomponent has no parts but itself.
    check(pid.field(5).component(2).component(2).component(1), "R");
    check(pid.field(5).component(2).component(2).component(2), "-");
}

#[test]
fn what_follows_a_part_is_a_field_of_its_own() {
    let hl7 = read("MSH|^~\\&|\rORC|7^NS^1.2^ISO|8&NS&1.2&ISO^9|x");
    let orc = hl7.first("ORC").expect("an ORC");
    let authority = orc.field(1).after(1);
    check(authority, "NS");
    check(authority.component(3), "ISO");
    check(orc.field(2).component(1).after(1).component(2), "1.2");
    check(orc.field(1).after(4), "-");
    check(orc.field(3).after(1), "-");
    check(Field::EMPTY.after(1), "-");
}

#[test]
fn the_header_counts_its_separator() {
    let hl7 = read(ADT);
    let msh = hl7.first("MSH").expect("a header");
    check(msh.field(1), "|");
    check(msh.field(2), "^~\\&");
    check(msh.field(2).component(2), "-");
    assert!(msh.is_valued(2));
    check(msh.field(3), "A");
    check(msh.field(9).component(3), "ADT_A01");
    check(msh.field(12), "2.5.1");
    check(msh.field(13), "-");
}

#[test]
fn absent_empty_and_deleted_are_told_apart() {
    let hl7 = read(ADT);
    let pid = hl7.first("PID").expect("a PID");
    assert!(!pid.field(2).is_deleted() && !pid.is_valued(2));
    assert!(pid.field(7).is_deleted() && !pid.is_valued(7));
    check(pid.field(7), "-");
    assert!(pid.field(5).component(3).is_deleted());
    assert!(pid.is_valued(5) && !pid.is_valued(40));
    let hl7 = read("MSH|^~\\&|\rPV1|^^|~^~|&|^\"\"|^\"\"~x");
    let pv1 = hl7.first("PV1").expect("a PV1");
    let valued: Vec<_> = (1..6).map(|it| pv1.is_valued(it)).collect();
    assert_eq!(valued, [false, false, false, false, true]);
}

#[test]
fn escapes_are_the_gateways() {
    for (raw, expected) in [
        ("Zed\\T\\litz", "Zed&litz"),
        ("\\F\\\\S\\\\R\\\\E\\", "|^~\\"),
        ("a\\.br\\b", "a\nb"),
        ("\\X414f\\", "AO"),
        ("\\XC3BC\\", "ü"),
        // Kept: no digits, an odd number of them, no text, unknown, local, formatting, no partner.
        ("\\X\\", "\\X\\"),
        ("\\X4\\", "\\X4\\"),
        ("\\XFF\\", "\\XFF\\"),
        ("\\Q\\", "\\Q\\"),
        ("\\Z01\\", "\\Z01\\"),
        ("\\H\\x\\N\\", "\\H\\x\\N\\"),
        ("\\P\\", "\\P\\"),
        ("a\\b", "a\\b"),
        ("\\", "\\"),
        ("\\T", "\\T"),
    ] {
        let hl7 = read(&["MSH|^~\\&|\rNTE|", raw].concat());
        check(hl7.first("NTE").expect("a note").field(1), expected);
    }
    let hl7 = read("MSH|^~\\&#|\rNTE|\\P\\");
    check(hl7.first("NTE").expect("a note").field(1), "#");
    // `code` is for what has no escapes.
    let hl7 = read("MSH|^~\\&|\rNTE|a\\T\\b");
    assert_eq!(hl7.first("NTE").and_then(|it| it.field(1).code()), Some("a\\T\\b"));
}

#[test]
fn delimiters_are_the_messages_own() {
    let hl7 = read("MSH$@*!%$A\rPID$1$$5@6%7*8$a!T!b");
    let pid = hl7.first("PID").expect("a PID");
    check(pid.field(3).component(2).component(2), "7");
    assert_eq!(pid.repetitions(3).count(), 2);
    check(pid.field(4), "a%b");
    // Without a character for it, there are no subcomponents.
    let hl7 = read("MSH|^~\\|A\rPID|5^6&7");
    check(hl7.first("PID").expect("a PID").field(1).component(2), "6&7");
}

#[test]
fn what_is_no_message_is_refused() {
    for text in [
        "",
        " ",
        "\u{feff}",
        "PID|1",
        "MSH",
        "MSH|",
        "MSH|^",
        "MSH|^~|A",
        "MSH|^^\\&|A",
        "MSHA^~\\&A",
        "MSH|^é\\&|",
        "{}",
    ] {
        assert!(Hl7::parse(text.to_owned()).is_err(), "{text}");
    }
    assert!(Hl7::parse("\u{feff}\r\n MSH|^~\\&".to_owned()).is_ok());
}

#[test]
fn segments_end_as_the_gateway_ends_them() {
    for (text, expected) in [
        ("MSH|^~\\&|\nPID|1\nPV1|", "MSH PID PV1"),
        ("MSH|^~\\&|\r\nPID|1\r\n\r\nPV1|", "MSH PID PV1"),
        ("MSH|^~\\&|\r\rPID|1\r", "MSH PID"),
        // A bare LF in the free text of a message that ends segments with CR.
        ("MSH|^~\\&|\rNTE|a\nb\rPID|1", "MSH NTE PID"),
        ("MSH|^~\\&|\rNTE|a\nOBX|1", "MSH NTE OBX"),
        ("MSH|^~\\&|\rNTE|a\n", "MSH NTE"),
        ("MSH|^~\\&|\rnote|a\rP|1", "MSH ? ?"),
    ] {
        let hl7 = read(text);
        let names: Vec<_> = hl7.segments().map(Segment::name).collect();
        assert_eq!(names.join(" "), expected, "{text:?}");
    }
    let hl7 = read("MSH|^~\\&|\rNTE|a\nb\rPID|1");
    check(hl7.first("NTE").expect("a note").field(1), "a\nb");
}

#[test]
fn nothing_is_printed_of_a_message() {
    let hl7 = read(ADT);
    let pid = hl7.first("PID").expect("a PID");
    let printed = format!("{hl7:?} {pid:?} {:?} {:?}", pid.field(3), pid.repetitions(3));
    assert!(!printed.contains("11") && !printed.contains("MR"), "{printed}");
    assert!(printed.contains("PID[1]"), "{printed}");
}

#[test]
fn a_place_has_a_path() {
    let path = |value: &str| paths_at(ADT, vec![ADT.find(value).expect("it is there")]);
    for (value, expected) in [
        ("11^", "PID-3[1].1"),
        ("X&", "PID-3[1].4.1"),
        ("1.2.3&", "PID-3[1].4.2"),
        ("22^", "PID-3[2].1"),
        ("Zed", "PID-5.1"),
        ("R^", "PID-5.2.2"),
        ("one", "OBX[1]-5.1"),
        ("three", "OBX[2]-5[2].1"),
        ("ADT^", "MSH-9.1"),
        ("A01^", "MSH-9.2"),
        ("^~", "MSH-2"),
    ] {
        assert_eq!(path(value), [expected], "{value}");
    }
    assert!(paths_at(ADT, vec![0, ADT.len() + 5]).is_empty());
    let both = ["three", "two"].map(|it| ADT.find(it).expect("it is there"));
    assert_eq!(paths_at(ADT, both.to_vec()), ["OBX[2]-5[1].1", "OBX[2]-5[2].1"]);
}

mod properties {
    use super::*;
    use crate::random::Random;

    /// The parts of a text as the standard library splits them.
    fn nth(text: &str, separator: char, number: usize) -> Option<&str> {
        text.split(separator).nth(number.checked_sub(1)?)
    }

    #[test]
    fn whatever_comes_is_read_or_refused() {
        let mut random = Random::new(1);
        let alphabet = [
            "|", "^", "~", "\\", "&", "\r", "\n", "\"\"", "MSH", "PID", "x", "é", "\u{0}", "X41",
            ".br", "",
        ];
        for _ in 0..20_000 {
            let head = random.pick(&["MSH|^~\\&", "MSH|^~\\&|", "MSH$@*!", "FHS|^~", ""]);
            let length = random.below(40);
            let mut text = head.to_owned();
            for _ in 0..length {
                text.push_str(random.pick(&alphabet));
            }
            let Ok(hl7) = Hl7::parse(text.clone()) else {
                continue;
            };
            for segment in hl7.segments() {
                let _ = (segment.name(), segment.number());
                for number in 0..6 {
                    let field = segment.field(number);
                    let whole = (field.text(), field.is_valued(), field.is_deleted());
                    assert!(whole.0.is_none() || whole.1, "{text:?}: a text that is not valued");
                    for repetition in segment.repetitions(number) {
                        let part = repetition.component(2).component(2);
                        assert!(repetition.raw().contains(part.raw()), "{text:?}");
                        let _ = (part.text(), part.after(1).text(), repetition.after(1).text());
                    }
                }
            }
            let paths = paths_at(&text, (0..text.len()).collect());
            assert!(paths.len() <= text.len());
        }
    }

    #[test]
    fn parts_are_those_between_the_separators() {
        let mut random = Random::new(2);
        for _ in 0..5_000 {
            let mut line = String::from("PID");
            for _ in 0..random.below(30) {
                line.push_str(random.pick(&["|", "^", "~", "&", "a", "bc", "é"]));
            }
            let hl7 = read(&["MSH|^~\\&|\r", &line].concat());
            let Some(pid) = hl7.first("PID") else {
                continue;
            };
            for (field, component, part) in [(1, 1, 1), (1, 2, 2), (2, 1, 2), (3, 3, 1)] {
                let raw = nth(&line, '|', field + 1).unwrap_or_default();
                let first = nth(raw, '~', 1).unwrap_or_default();
                let expected = nth(first, '^', component).and_then(|it| nth(it, '&', part));
                let read = pid.field(field).component(component).component(part);
                assert_eq!(read.raw(), expected.unwrap_or_default(), "{line}");
                let each: Vec<_> = pid.repetitions(field).map(Field::raw).collect();
                let split: Vec<_> = raw.split('~').filter(|it| !it.is_empty()).collect();
                assert_eq!(each, split, "{line}");
            }
        }
    }

    #[test]
    fn a_value_that_is_escaped_comes_back() {
        let mut random = Random::new(3);
        for _ in 0..5_000 {
            let mut value = String::new();
            let mut raw = String::new();
            for _ in 0..=random.below(12) {
                let (plain, escaped) = random.pick(&[
                    ("|", "\\F\\"),
                    ("^", "\\S\\"),
                    ("~", "\\R\\"),
                    ("&", "\\T\\"),
                    ("\\", "\\E\\"),
                    ("\n", "\\.br\\"),
                    ("ü", "\\XC3bc\\"),
                    ("x", "x"),
                    ("é", "é"),
                ]);
                value.push_str(plain);
                raw.push_str(escaped);
            }
            let hl7 = read(&["MSH|^~\\&|\rNTE|", &raw].concat());
            check(hl7.first("NTE").expect("a note").field(1), &value);
        }
    }
}
