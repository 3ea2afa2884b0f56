use expect_test::{Expect, expect};

use super::*;
use crate::{FindingKind, Role, Value};

fn parse(bytes: &(impl AsRef<[u8]> + ?Sized)) -> Message {
    Message::parse(Bytes::copy_from_slice(bytes.as_ref())).unwrap()
}

fn error(bytes: &[u8]) -> ParseError {
    Message::parse(Bytes::copy_from_slice(bytes)).unwrap_err()
}

fn path(text: &str) -> Path {
    text.parse().unwrap()
}

/// The text at a path, `""` for deleted, `-` for absent.
fn read(message: &Message, at: &str) -> String {
    match message.value(&path(at)) {
        Value::Absent => "-".into(),
        Value::Deleted => "\"\"".into(),
        Value::Text(range) => message.text(range).unwrap(),
    }
}

#[track_caller]
fn check_findings(bytes: &[u8], expected: Expect) {
    let message = parse(bytes);
    let lines: Vec<_> = message.findings().iter().map(|finding| format!("{finding}\n")).collect();
    expected.assert_eq(&lines.concat());
}

/// Each segment's name and content.
fn outline(message: &Message) -> Vec<(String, String)> {
    let content = |range| String::from_utf8_lossy(&message.bytes()[range]).into_owned();
    message.segments().map(|it| (it.name().to_owned(), content(it.range()))).collect()
}

const PID: &str = "MSH|^~\\&|A\rPID|1||17^^^X&1.2&ISO^MR~18||Every&Nn^\"\"||\"\"|F||\r";

#[test]
fn all_levels_are_read() {
    let message = parse(PID);
    for (at, text) in [
        ("PID-1", "1"),
        ("PID-2", "-"),
        ("PID-3", "17"),
        ("PID-3[2]", "18"),
        ("PID-3[2].1.1", "18"),
        ("PID-3[3]", "-"),
        ("PID-3.4", "X"),
        ("PID-3.4.2", "1.2"),
        ("PID-3.4.4", "-"),
        ("PID-3.5", "MR"),
        ("PID-5", "Every"),
        ("PID-5.1.2", "Nn"),
        ("PID-5.2", "\"\""),
        ("PID-7", "\"\""),
        ("PID-8", "F"),
        ("PID-9", "-"),
        ("PID-99", "-"),
        ("PID[2]-1", "-"),
        ("ZZZ-1", "-"),
        ("PID", "1"),
    ] {
        assert_eq!(read(&message, at), text, "{at}");
    }
}

#[test]
fn msh_1_is_the_separator_and_msh_2_is_not_split() {
    let message = parse("MSH|^~\\&|A^B|C\r");
    assert_eq!(read(&message, "MSH-1"), "|");
    assert_eq!(read(&message, "MSH-2"), "^~\\&");
    assert_eq!(read(&message, "MSH-2.2"), "-");
    assert_eq!(read(&message, "MSH-2[2]"), "-");
    assert_eq!(read(&message, "MSH-3.2"), "B");
    assert_eq!(read(&message, "MSH-4"), "C");
    assert_eq!(message.count(&path("MSH-2")), 1);
    assert_eq!(message.segments().next().unwrap().fields(), 4);
}

#[test]
fn any_characters_can_be_delimiters() {
    let message = parse("MSH!$r?@!A$B@Crx?F?y!\rPID!ara\r");
    assert_eq!(read(&message, "MSH-3.2.2"), "C");
    assert_eq!(read(&message, "MSH-3[2]"), "x!y");
    assert_eq!(message.count(&path("PID-1")), 2);
    let three = parse("MSH|^~\\|a&b\\T\\\r");
    assert_eq!(three.delimiters().subcomponent, None);
    assert_eq!(read(&three, "MSH-3"), "a&b\\T\\");
    assert_eq!(three.delimiters().encoding_characters().unwrap(), b"^~\\");
    assert_eq!(parse("MSH|^&&^|").delimiters().encoding_characters(), None);
    let five = parse("MSH|^~\\&#|a\\P\\\r");
    assert_eq!(read(&five, "MSH-3"), "a#");
    assert_eq!(five.delimiters().encoding_characters().unwrap(), b"^~\\&#");
}

#[test]
fn delimiters_that_cannot_be_used_are_refused() {
    for bytes in [
        "MSH",
        "MSH|",
        "MSH|^~|A",
        "MSH|^~\r\\&|A",
        "MSH|^^\\&|A",
        "MSH|^~\\&#A|A",
        "MSH|^~\\&#!!!!!!!!!!!!!|A",
        "MSH|^~\\&NO SEPARATOR",
        "MSHell is a place",
        "MSH|^\u{b}\\&|",
        "MSH\u{e4}^~\\&|",
        "MSH|^~\\\u{e4}|",
    ] {
        assert_eq!(error(bytes.as_bytes()), ParseError::BadDelimiters, "{bytes:?}");
    }
}

#[test]
fn what_is_no_message_is_refused_by_its_kind() {
    assert_eq!(error(b""), ParseError::Empty);
    assert_eq!(error(b" \r\n\xef\xbb\xbf"), ParseError::Empty);
    assert_eq!(error(b"PID|1"), ParseError::NoMsh);
    assert_eq!(error(b"msh|^~\\&|"), ParseError::NoMsh);
    assert_eq!(error(b"{\"resourceType\":\"Patient\"}"), ParseError::NoMsh);
    assert_eq!(error(b"\xff\xfeM\0S\0H\0|\0"), ParseError::WideCharset);
    assert_eq!(error(b"M\0S\0H\0|\0"), ParseError::WideCharset);
    assert_eq!(error(b"\0M\0S\0H\0|"), ParseError::WideCharset);
    assert_eq!(error(b"M\0\0\0S\0\0\0H\0\0\0|\0\0\0"), ParseError::WideCharset);
}

#[test]
fn four_gibibytes_are_too_long() {
    let four_gibibytes = 1usize << 32;
    assert!(!too_long(four_gibibytes - 1));
    assert!(too_long(four_gibibytes));
}

#[test]
fn cr_lf_and_crlf_end_segments() {
    let names = |bytes: &str| outline(&parse(bytes)).into_iter().map(|it| it.0).collect::<Vec<_>>();
    for end in ["\r", "\n", "\r\n", "\r\r", "\r\n\r\n", "\n\n"] {
        let bytes = format!("MSH|^~\\&|A{end}PID|1{end}PV1|2");
        assert_eq!(names(&bytes), ["MSH", "PID", "PV1"], "{end:?}");
        assert_eq!(names(&format!("{bytes}{end}")), ["MSH", "PID", "PV1"], "{end:?}");
    }
    assert_eq!(names("MSH|^~\\&|A\r\nPID|1\nPV1|2\r"), ["MSH", "PID", "PV1"]);
    assert_eq!(names("MSH|^~\\&|A\rPID|1\nPV1|2\r\nPV2\r"), ["MSH", "PID", "PV1", "PV2"]);
}

#[test]
fn a_line_feed_in_free_text_survives_where_segments_end_with_cr() {
    let message = parse("MSH|^~\\&|A\rOBX|1|TX|||one\ntwo\n\nthree|F\rNTE|1|\nend\n");
    assert_eq!(read(&message, "OBX-5"), "one\ntwo\n\nthree");
    assert_eq!(read(&message, "OBX-6"), "F");
    assert_eq!(read(&message, "NTE-2"), "\nend");
    // In a message of lines it cannot: there it is a segment that is none, with a finding.
    let lines = parse("MSH|^~\\&|A\nOBX|1|TX|||one\ntwo|F\n");
    assert_eq!(read(&lines, "OBX-5"), "one");
    assert_eq!(read(&lines, "?-1"), "two");
    assert_eq!(read(&lines, "?-2"), "F");
}

#[test]
fn z_segments_are_segments() {
    let message = parse("MSH|^~\\&|A\rZPI|x^y\rPID|1\rZPI|z\r");
    assert_eq!(read(&message, "ZPI-1.2"), "y");
    assert_eq!(read(&message, "ZPI[2]-1"), "z");
    let occurrences: Vec<_> = message.segments().map(|it| it.occurrence()).collect();
    assert_eq!(occurrences, [1, 1, 1, 2]);
}

#[test]
fn a_segment_without_a_name_begins_with_field_1() {
    let message = parse("MSH|^~\\&|A\rJohn^Doe|x\rPID\r");
    let leaves: Vec<_> = message.leaves().map(|leaf| leaf.place.to_string()).collect();
    assert_eq!(leaves, ["MSH-3.1", "?-1.1", "?-1.2", "?-2.1"]);
    assert_eq!(read(&message, "?-1.2"), "Doe");
}

#[test]
fn all_values_line_up_by_repetition() {
    let message = parse("MSH|^~\\&|A\rOBX|1||||a~b^c\rOBX|2\rOBX|3||||~d\r");
    let texts = |at: &str| -> Vec<String> {
        let found = message.find_all(&path(at));
        found.into_iter().map(|it| it.map_or("-".into(), |it| message.text(it).unwrap())).collect()
    };
    assert_eq!(texts("OBX-5"), ["a", "b", "-", "-", "d"]);
    assert_eq!(texts("OBX-5.2"), ["-", "c", "-", "-", "-"]);
    assert_eq!(texts("OBX[1]-5"), ["a", "b"]);
    assert_eq!(texts("OBX-5[2]"), ["b", "-", "d"]);
    assert_eq!(texts("OBX"), ["1", "2", "3"]);
    assert_eq!(texts("OBX[4]-5"), [""; 0]);
    assert_eq!(texts("NTE-1"), [""; 0]);
    assert_eq!(texts("MSH-2"), ["^~\\&"]);
}

#[test]
fn things_are_counted() {
    let message = parse("MSH|^~\\&|A\rOBX|1||||a~b^c\rOBX|2\rOBX|3||||~d\r");
    for (at, count) in [
        ("OBX", 3),
        ("OBX[3]", 1),
        ("OBX[4]", 0),
        ("OBX-5", 2),
        ("OBX[2]-5", 0),
        ("OBX[3]-5", 2),
        ("OBX-5[2]", 1),
        ("OBX-5[3]", 0),
        ("OBX[3]-5[1]", 0),
        ("OBX-5[2].2", 1),
        ("OBX-5.2", 0),
        ("NTE", 0),
        ("MSH-1", 1),
    ] {
        let path = path(at);
        let counted = match path.occurrence {
            Some(occurrence) if path.field.is_none() => {
                usize::from(message.segment(path.segment, occurrence).is_some())
            }
            _ => message.count(&path),
        };
        assert_eq!(counted, count, "{at}");
        assert_eq!(message.count(&path), count, "{at}");
    }
}

#[test]
fn character_sets_come_from_msh_18() {
    let charset = |field: &str| parse(&format!("MSH|^~\\&{}{field}", "|".repeat(16))).charset();
    assert_eq!(charset(""), Charset::Utf8);
    assert_eq!(charset("\"\""), Charset::Utf8);
    assert_eq!(charset("ASCII"), Charset::Ascii);
    assert_eq!(charset("8859/1"), Charset::Latin1);
    assert_eq!(charset("8859/1~UNICODE UTF-8"), Charset::Latin1);
    assert_eq!(charset("UNICODE UTF-8"), Charset::Utf8);
    assert_eq!(charset("utf-8"), Charset::Utf8);
    assert_eq!(charset("ISO IR14"), Charset::Unknown);
    let options = Options { default_charset: Charset::Latin1 };
    let latin = |bytes: &'static [u8]| Message::parse_with(Bytes::from_static(bytes), &options);
    assert_eq!(latin(b"MSH|^~\\&|M\xfcller").unwrap().charset(), Charset::Latin1);
    let marked = latin(b"\xef\xbb\xbfMSH|^~\\&|M").unwrap();
    assert_eq!(marked.charset(), Charset::Utf8, "a byte order mark says so");
}

#[test]
fn hexadecimal_bytes_are_of_the_character_set() {
    let message = parse("MSH|^~\\&|\\XC3A9\\|\\XC3\\|");
    assert_eq!(read(&message, "MSH-3"), "é");
    let range = message.find(&path("MSH-4")).unwrap();
    assert_eq!(message.text(range), Err(DecodeError::NotInCharset { offset: 0 }));
}

#[test]
fn a_range_outside_of_the_message_has_no_text() {
    assert_eq!(parse(PID).text(5..5_000), Err(DecodeError::NoSuchRange));
    #[expect(clippy::reversed_empty_ranges, reason = "that is what must not panic")]
    let reversed = 7..5;
    assert_eq!(parse(PID).text(reversed), Err(DecodeError::NoSuchRange));
}

#[test]
fn each_message_of_a_batch_has_its_own_delimiters() {
    let message =
        parse("FHS|^~\\&|F\rBHS|^~\\&|B\rMSH|^~\\&|a^b\rMSH$%~\\&$c%d$e|\\F\\\rPID$x%y\rBTS|1\r");
    assert!(message.is_batch());
    assert_eq!(message.count_messages(), 2);
    assert_eq!(read(&message, "MSH[1]-3.2"), "b");
    assert_eq!(read(&message, "MSH[2]-3.2"), "d");
    assert_eq!(read(&message, "MSH[2]-4"), "e|$");
    assert_eq!(read(&message, "PID-1.2"), "y");
    // Nothing but a header changes the separator, so the trailer after `$` messages is unnamed.
    assert_eq!(read(&message, "?-1"), "BTS|1");
    let names: Vec<_> = outline(&message).into_iter().map(|it| it.0).collect();
    assert_eq!(names, ["FHS", "BHS", "MSH", "MSH", "PID", "?"]);
}

#[test]
fn one_message_is_no_batch_and_everything_else_is() {
    assert!(!parse("MSH|^~\\&|A\rPID|1\r").is_batch());
    assert!(parse("MSH|^~\\&|A\rMSH|^~\\&|B\r").is_batch());
    assert!(parse("BHS|^~\\&|A\rMSH|^~\\&|B\rBTS|1").is_batch());
    assert!(parse("MSH|^~\\&|A\rFHS|^~\\&|B\r").is_batch());
    assert!(parse("FHS|^~\\&|A\rFTS|0").is_batch());
}

#[test]
fn a_later_header_that_declares_nothing_usable_is_read_as_it_stands() {
    let message = parse("MSH|^~\\&|A\rMSH|Johnny|B\r");
    assert_eq!(read(&message, "MSH[2]-2"), "Johnny");
    assert_eq!(read(&message, "MSH[2]-3"), "B");
    let leaves: Vec<_> = message.leaves().map(|leaf| leaf.place.to_string()).collect();
    assert_eq!(leaves, ["MSH-3.1", "MSH[2]-2.1", "MSH[2]-3.1"]);
}

#[test]
fn leaves_are_all_values_in_order() {
    let message = parse(PID);
    let leaves: Vec<_> = message
        .leaves()
        .map(|leaf| format!("{}={}", leaf.place, message.text(leaf.range).unwrap()))
        .collect();
    let expected = "MSH-3.1=A PID-1.1=1 PID-3.1=17 PID-3.4=X PID-3.4.2=1.2 PID-3.4.3=ISO PID-3.5=MR \
                    PID-3[2].1=18 PID-5.1=Every PID-5.1.2=Nn PID-5.2=\"\" PID-7.1=\"\" PID-8.1=F";
    assert_eq!(leaves.join(" "), expected);
}

#[test]
fn the_header_is_what_stands_there() {
    let message = parse(
        "MSH|^~\\&|APP^1.2^ISO|FAC|TO\\T\\|TOFAC|20260101||ADT^A01^ADT_A01|ID\\T\\7|P^T|2.5.1^USA|||AL|NE||8859/1~ASCII|||PROF^X\r",
    );
    let header = message.header();
    let fields = [
        &header.sending_application,
        &header.sending_facility,
        &header.receiving_application,
        &header.receiving_facility,
        &header.message_type,
        &header.control_id,
        &header.processing_id,
        &header.version,
        &header.accept_acknowledgement,
        &header.application_acknowledgement,
        &header.character_set,
        &header.profile,
    ];
    let fields = fields.map(|field| std::str::from_utf8(field).unwrap());
    let expected = "APP^1.2^ISO FAC TO\\T\\ TOFAC ADT^A01^ADT_A01 ID\\T\\7 P^T 2.5.1^USA AL NE 8859/1~ASCII PROF^X";
    assert_eq!(fields.join(" "), expected);
    assert_eq!(header.charset, Charset::Latin1);
    assert_eq!(header.delimiters.component_of(&header.message_type, 2), Some(b"A01".as_slice()));
    assert_eq!(header.delimiters.component_of(&header.message_type, 4), None);
    assert_eq!(
        header.delimiters.repetition_of(&header.character_set, 2),
        Some(b"ASCII".as_slice())
    );
}

#[test]
fn the_header_of_a_batch_is_its_first_message() {
    let batch = parse("FHS|^~\\&|F\rMSH$^~\\&$M$$$$$$$7\r").header();
    assert_eq!((&*batch.sending_application, &*batch.control_id), (&b"M"[..], &b"7"[..]));
    assert_eq!(batch.delimiters.field, b'$');
    let empty = parse("BHS|^~\\&|B||||||||9|8\r").header();
    assert_eq!((&*empty.sending_application, &*empty.control_id), (&b"B"[..], &b"9"[..]));
    assert_eq!(&*empty.processing_id, b"");
}

#[test]
fn the_kind_is_type_and_event_or_says_nothing_of_the_content() {
    let kind = |field: &str| parse(&format!("MSH|^~\\&|||||||{field}\r")).kind();
    assert_eq!(kind("ADT^A01^ADT_A01"), "ADT^A01");
    assert_eq!(kind("ACK"), "ACK");
    assert_eq!(kind(""), "");
    assert_eq!(kind("^A01"), "^A01");
    assert_eq!(kind("Zedlitz, Quirina^A01"), "?^A01");
}

#[test]
fn findings_say_where_and_not_what() {
    check_findings(b"MSH|^~\\&|A\rPID|1", expect![""]);
    check_findings(
        b"\x0b\xef\xbb\xbfMSH|^~\\&|A\n",
        expect![[r#"
            segment 0, byte 0: blank bytes stand before the first segment
            segment 0, byte 1: a byte order mark stands before the first segment
            segment 1, byte 14: segments end with a line feed
        "#]],
    );
    check_findings(
        b"MSH|^&&^#!|A\r",
        expect![[r#"
            segment 1, byte 0: MSH-2 has more than five characters
            segment 1, byte 0: the escape character of MSH-2 has another role too, so nothing is read as escape
            segment 1, byte 0: the subcomponent character of MSH-2 has another role too, so nothing is read as subcomponent
        "#]],
    );
    check_findings(
        b"MSH|^~\\&|A\rsecret|x\r\nPID|\nsecret|\r\rMSH|secret|\r",
        expect![[r#"
            segment 2, byte 11: a segment's name is not three capital letters or digits
            segment 2, byte 19: segments end in different ways
            segment 3, byte 25: a line feed stands inside a field
            segment 3, byte 34: a line is blank
            segment 4, byte 35: a later header segment declares no usable delimiters
        "#]],
    );
    check_findings(
        b"\xef\xbb\xbfMSH|^~\\&||||||||||||||||ISO IR14~ASCII\r",
        expect![[r#"
            segment 0, byte 0: a byte order mark stands before the first segment
            segment 1, byte 27: MSH-18 names further character sets
            segment 1, byte 27: MSH-18 names a character set that is not known here
            segment 1, byte 27: MSH-18 contradicts the byte order mark
        "#]],
    );
    check_findings(
        b"MSH|^~\\&||||||||||||||||utf8\rPID|\xfc\r",
        expect![[r#"
            segment 1, byte 24: MSH-18 spells the character set in a way of its own
            segment 2, byte 33: a byte is not of the message's character set
        "#]],
    );
}

#[test]
fn findings_are_bounded() {
    let message = parse(&["MSH|^~\\&|A\r", &"x\r".repeat(1_000)].concat());
    assert_eq!(message.findings().len(), 65);
    assert_eq!(message.findings()[64].kind, FindingKind::More);
    assert_eq!(message.findings()[0].kind, FindingKind::SegmentName);
    let shared = parse("MSH|^~~&|A\r").findings()[0];
    assert_eq!(shared.kind, FindingKind::SharedDelimiter(Role::Escape));
}

#[test]
fn debug_holds_no_content() {
    let message = parse(PID);
    assert_eq!(format!("{message:?}"), "Message { bytes: 60, segments: 2, findings: 0 }");
    assert_eq!(format!("{:?}", message.header()), "Header { charset: Utf8, .. }");
}
