use expect_test::{Expect, expect};

use super::*;
use crate::{Charset, DecodeError, Value};

const LIMITS: EditLimits = EditLimits { bytes_max: 10_000, number_max: 1_000 };

fn parse(bytes: &(impl AsRef<[u8]> + ?Sized)) -> Message {
    Message::parse(Bytes::copy_from_slice(bytes.as_ref())).unwrap()
}

fn path(text: &str) -> Path {
    text.parse().unwrap()
}

fn shown(draft: &Draft) -> String {
    let message = draft.finish().unwrap();
    String::from_utf8_lossy(message.bytes()).replace('\r', "\n").replace('\u{1c}', "<FS>")
}

const PID: &str = "MSH|^~\\&|A\rPID|1||17^^^X&1.2&ISO^MR~18||Every^Nn||\rOBX|1|TX|||a~b\rOBX|2\r";

/// Edits [`PID`].
#[track_caller]
fn check(edit: impl FnOnce(&mut Draft) -> Result<(), EditError>, expected: Expect) {
    let mut draft = parse(PID).edit(LIMITS);
    match edit(&mut draft) {
        Ok(()) => expected.assert_eq(&shown(&draft)),
        Err(error) => {
            assert_eq!(shown(&draft), PID.replace('\r', "\n"), "a refused edit changes nothing");
            expected.assert_eq(&error.to_string());
        }
    }
}

#[test]
fn what_nobody_edits_is_the_same_message() {
    let odd = "\u{feff}\r MSH|^~\\&|A\r\r\nX\nPID|a\nb\\.sp\\|\"\"~^&||\n";
    assert_eq!(parse(odd).edit(LIMITS).finish().unwrap().bytes(), odd);
}

#[test]
fn a_value_is_set_where_it_is_read_and_its_neighbours_stay() {
    check(
        |draft| {
            draft.set(&path("PID-5"), "Zedlitz|Q")?;
            draft.set(&path("PID-3[2].4.2"), "1.3")?;
            draft.set(&path("PID-3.4.2"), "")?;
            draft.set(&path("PID-7"), "1980")?;
            draft.set(&path("OBX[2]-5[3]"), "c")?;
            draft.set(&path("MSH-5"), "to")
        },
        expect![[r#"
            MSH|^~\&|A||to
            PID|1||17^^^X&&ISO^MR~18^^^&1.3||Zedlitz\F\Q^Nn||1980
            OBX|1|TX|||a~b
            OBX|2||||~~c
        "#]],
    );
}

#[test]
fn an_empty_value_makes_nothing() {
    check(
        |draft| draft.set(&path("OBX[2]-9[4]"), ""),
        expect![[r#"
            MSH|^~\&|A
            PID|1||17^^^X&1.2&ISO^MR~18||Every^Nn||
            OBX|1|TX|||a~b
            OBX|2
        "#]],
    );
}

#[test]
fn deleted_stands_for_the_whole_part_and_is_no_text() {
    let mut draft = parse(PID).edit(LIMITS);
    draft.set_deleted(&path("PID-3")).unwrap();
    draft.set_deleted(&path("PID-5.2")).unwrap();
    draft.set(&path("OBX-5"), "\"\"").unwrap();
    let message = draft.finish().unwrap();
    assert_eq!(message.value(&path("PID-3")), Value::Deleted);
    assert_eq!(message.count(&path("PID-3")), 1);
    assert_eq!(message.value(&path("PID-5.2")), Value::Deleted);
    let Value::Text(range) = message.value(&path("OBX-5")) else { panic!("it is a text") };
    assert_eq!(message.text(range).unwrap(), "\"\"");
}

#[test]
fn removed_fields_keep_their_numbers_and_removed_repetitions_do_not() {
    check(
        |draft| {
            assert_eq!(draft.remove(&path("PID-3.4"))?, 1);
            assert_eq!(draft.remove(&path("PID-3.4"))?, 0);
            assert_eq!(draft.remove(&path("PID-5"))?, 1);
            assert_eq!(draft.remove(&path("OBX-5[1]"))?, 1);
            assert_eq!(draft.remove(&path("OBX[2]"))?, 1);
            assert_eq!(draft.remove(&path("OBX[2]"))?, 0);
            assert_eq!(draft.remove(&path("NTE-1"))?, 0);
            Ok(())
        },
        expect![[r#"
            MSH|^~\&|A
            PID|1||17^^^^MR~18||||
            OBX|1|TX|||b
        "#]],
    );
    check(
        |draft| {
            assert_eq!(draft.remove(&path("PID-3"))?, 2);
            assert_eq!(draft.remove(&path("OBX"))?, 2);
            assert_eq!(draft.remove(&path("PID-99"))?, 0);
            Ok(())
        },
        expect![[r#"
            MSH|^~\&|A
            PID|1||||Every^Nn||
        "#]],
    );
}

#[test]
fn what_is_taken_out_leaves_no_gap() {
    check(
        |draft| {
            assert!(draft.take_out(&path("PID-2"))?);
            assert!(draft.take_out(&path("PID-2.2"))?);
            assert!(draft.take_out(&path("PID-2.3.1"))?);
            assert!(!draft.take_out(&path("PID-3.1"))?);
            assert!(draft.take_out(&path("OBX"))?);
            assert!(!draft.take_out(&path("OBX-7"))?);
            Ok(())
        },
        expect![[r#"
            MSH|^~\&|A
            PID|1|17^^1.2&ISO^MR~18||Every^Nn||
            OBX|2
        "#]],
    );
}

#[test]
fn what_is_inserted_moves_the_others_on() {
    check(
        |draft| {
            draft.insert(&path("PID-3[1]"), "16")?;
            draft.insert(&path("PID-5.1"), "Dr")?;
            draft.insert(&path("PID-2"), "new")?;
            draft.insert(&path("PID-3[1]"), "first of none")?;
            draft.insert(&path("OBX-5[2]"), "&")?;
            draft.insert(&path("OBX[2]-3.2.2"), "x")
        },
        expect![[r#"
            MSH|^~\&|A
            PID|1|new|first of none|16~17^^^X&1.2&ISO^MR~18||Dr^Every^Nn||
            OBX|1|TX|||a~\T\~b
            OBX|2||^&x
        "#]],
    );
}

#[test]
fn segments_are_inserted_beside_others() {
    check(
        |draft| {
            let name = |name: &str| path(name).segment;
            assert_eq!(draft.insert_segment(name("OBX"), Position::Before(path("OBX[2]")))?, 2);
            draft.set(&path("OBX[2]-1"), "new")?;
            assert_eq!(draft.insert_segment(name("PV1"), Position::After(path("PID")))?, 1);
            assert_eq!(draft.insert_segment(name("ZZZ"), Position::Last)?, 1);
            draft.set(&path("OBX[3]-1"), "3")?;
            assert_eq!(draft.remove(&path("OBX[1]"))?, 1);
            Ok(())
        },
        expect![[r#"
            MSH|^~\&|A
            PID|1||17^^^X&1.2&ISO^MR~18||Every^Nn||
            PV1
            OBX|new
            OBX|3
            ZZZ
        "#]],
    );
}

#[test]
fn a_new_segment_ends_as_the_others_do() {
    let zzz = path("ZZZ").segment;
    for (end, last) in [("\r", ""), ("\n", "\n"), ("\r\n", ""), ("\r", "\n"), ("\n", "\r")] {
        let source = format!("MSH|^~\\&|A{end}PID|1{last}");
        let mut draft = parse(&source).edit(LIMITS);
        draft.insert_segment(zzz, Position::Last).unwrap();
        draft.set(&path("ZZZ-1"), "x").unwrap();
        let message = draft.finish().unwrap();
        assert_eq!(message.segments().count(), 3, "{end:?} {last:?}");
        assert!(message.bytes().ends_with(format!("ZZZ|x{end}").as_bytes()), "{end:?} {last:?}");
    }
}

#[test]
fn what_says_how_the_rest_is_read_is_refused() {
    for at in ["MSH-1", "MSH-2", "MSH-18", "MSH-18[2]", "?-1", "NTE-1"] {
        let mut draft = parse("MSH|^~\\&|A|B\rfree text|x\r").edit(LIMITS);
        let refused = draft.set(&path(at), "x").unwrap_err();
        assert!(!matches!(refused, EditError::TooLong { .. }), "{at}");
        assert!(draft.set_deleted(&path(at)).is_err(), "{at}");
        assert!(draft.insert(&path(at), "x").is_err(), "{at}");
    }
    let mut draft = parse("MSH|^~\\&|A|B\r").edit(LIMITS);
    assert!(matches!(draft.remove(&path("MSH")), Err(EditError::Declaration { .. })));
    assert!(matches!(draft.take_out(&path("MSH")), Err(EditError::Declaration { .. })));
    assert!(matches!(draft.take_out(&path("MSH-4")), Err(EditError::CharacterSet { .. })));
    assert!(matches!(draft.set_deleted(&path("MSH")), Err(EditError::WrongLevel { .. })));
    let before = Position::Before(path("MSH"));
    assert!(draft.insert_segment(path("PID").segment, before).is_err());
    assert!(draft.insert_segment(SegmentName::BHS, Position::Last).is_err());
    assert!(draft.insert_segment(SegmentName::UNNAMED, Position::Last).is_err());
    assert_eq!(shown(&draft), "MSH|^~\\&|A|B\n");
}

#[test]
fn limits_are_checked_before_anything_is_changed() {
    check(
        |draft| draft.set(&path("PID-1001"), "x"),
        expect!["PID-1001: only the first 1000 can be made"],
    );
    check(
        |draft| draft.set(&path("PID-1"), &"x".repeat(9_999)),
        expect!["the edited message would be longer than 10000 bytes"],
    );
    let mut draft = parse(PID).edit(EditLimits { bytes_max: 200, number_max: 9 });
    for round in 0..1_000 {
        draft.set(&path("PID-5"), &"x".repeat(round % 50)).unwrap();
        draft.insert(&path("OBX-5[1]"), "xyz").unwrap();
        assert!(draft.take_out(&path("OBX-5[1]")).unwrap());
    }
    let message = draft.finish().unwrap();
    assert_eq!(draft.bytes, message.bytes().len(), "the count is exact");
}

#[test]
fn a_text_must_be_of_the_character_set() {
    let ascii = format!("MSH|^~\\&|A{}ASCII\rPID|1\r", "|".repeat(15));
    let mut draft = parse(&ascii).edit(LIMITS);
    let refused = draft.set(&path("PID-5"), "Müller").unwrap_err();
    assert_eq!(refused.to_string(), "PID-5: the text cannot be written there");
    let mut draft = parse("MSH|^~\\|A\rPID|1\r").edit(LIMITS);
    let refused = draft.set(&path("PID-5.1.2"), "x").unwrap_err();
    assert_eq!(refused.to_string(), "PID-5.1.2: the message has no subcomponent character");
    draft.set(&path("PID-5.1.1"), "a&b").unwrap();
    assert_eq!(shown(&draft), "MSH|^~\\|A\nPID|1||||a&b\n");
}

/// Copies PID-1 of one message to a path of another, and shows that segment.
#[track_caller]
fn check_copy(from: &str, to: &str, at: &str, expected: Expect) {
    let from = parse(&format!("MSH{from}\r"));
    let range = from.part(&path("PID-1")).unwrap();
    let mut draft = parse(&format!("MSH{to}\r")).edit(LIMITS);
    let shown = match draft.copy_range(&path(at), &from, range) {
        Ok(()) => shown(&draft).lines().nth(1).unwrap().to_owned(),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn a_copy_says_the_same_with_other_delimiters() {
    let odd = "$%!@*$A\rPID$";
    let same = "|^~\\&|A\rPID|x|y";
    let from = format!("{odd}a%b*c!d@F@e^f|g@H@bold@N@@Z01@@.br@\\&~@X41@");
    check_copy(
        &from,
        same,
        "PID-2",
        expect![[r"PID|x|a^b&c~d$e\S\f\F\g\H\bold\N\\Z01\\.br\\E\\T\\R\\X41\"]],
    );
    check_copy(
        &from,
        same,
        "PID-2[1]",
        expect!["PID-2[1]: what is copied there is more than one such part"],
    );
    check_copy(
        "|^~\\&|A\rPID|a\nb\u{b}^c\\F\\",
        same,
        "PID-2",
        expect![r"PID|x|a\.br\b\X0B\^c\F\"],
    );
    check_copy(
        "|^~\\&|A\rPID|\"\"~\\X2222\\",
        "!$@;:!A\rPID!",
        "PID-1",
        expect![r#"PID!""@;X2222;"#],
    );
    check_copy(
        "|^~\\&|A\rPID|a&b",
        "|^~\\|A\rPID|",
        "PID-1",
        expect!["PID-1: the message has no subcomponent character"],
    );
    // `\P\` is text without a truncation character, and must not become one.
    check_copy("|^~\\&|A\rPID|\\P\\", "|^~\\&#|A\rPID|", "PID-1", expect![r"PID|\E\P\E\"]);
    check_copy(
        "|^~\\&|A\rPID|C:\\my dir\\x",
        "!^~@&!A\rPID!",
        "PID-1",
        expect![r"PID!C:\my dir\x"],
    );
    // `H` is a delimiter there, so `\H\` has no spelling.
    check_copy(
        "|^~\\&|A\rPID|\\H\\",
        "|H~\\&|A\rPID|",
        "PID-1",
        expect!["PID-1: the text cannot be written there"],
    );
}

#[test]
fn a_copy_says_the_same_in_another_character_set() {
    let tail = "|".repeat(15);
    let latin = format!("|^~\\&|A{tail}8859/1\rPID|\\XE9\\");
    check_copy(&latin, "|^~\\&|A\rPID|", "PID-1", expect!["PID|é"]);
    let utf8 = format!("|^~\\&|A{tail}UNICODE UTF-8\rPID|€");
    let to = format!("|^~\\&|A{tail}8859/1\rPID|");
    check_copy(&utf8, &to, "PID-1", expect!["PID-1: the text cannot be written there"]);
    // Bytes that are no text are copied only where they mean the same.
    let bytes = b"MSH|^~\\&|A\rPID|a\xff$b\r";
    let from = parse(bytes);
    let range = from.part(&path("PID-1")).unwrap();
    let mut same = parse("MSH$^~\\&$A\rPID$\r").edit(LIMITS);
    same.copy_range(&path("PID-1"), &from, range.clone()).unwrap();
    assert_eq!(same.finish().unwrap().bytes(), &b"MSH$^~\\&$A\rPID$a\xff\\F\\b\r"[..]);
    let mut other = parse(&format!("MSH{latin}\r")).edit(LIMITS);
    let refused = other.copy_range(&path("PID-1"), &from, range).unwrap_err();
    let why = DecodeError::NotInCharset { offset: 1 };
    assert_eq!(refused, EditError::NotText { at: path("PID-1"), why });
    assert_eq!(other.source.charset(), Charset::Latin1);
}

#[test]
fn a_segment_is_copied_with_all_its_fields() {
    let from = parse("MSH$%!@*$A\rZPI$a%b!c|$$\"\"\r");
    let mut draft = parse(PID).edit(LIMITS);
    let segment = from.segment(path("ZPI").segment, 1).unwrap();
    assert_eq!(draft.copy_segment(&segment, Position::After(path("PID"))).unwrap(), 1);
    draft.set(&path("ZPI-2"), "x").unwrap();
    assert_eq!(shown(&draft).lines().nth(2), Some(r#"ZPI|a^b~c\F\|x|"""#));
    let header = from.segment(SegmentName::MSH, 1).unwrap();
    assert!(draft.copy_segment(&header, Position::Last).is_err());
}

#[test]
fn a_line_feed_that_would_end_a_segment_is_refused() {
    let mut draft = parse("MSH|^~\\&|A\rNTE|1|x\nOBX^y|z\r").edit(LIMITS);
    assert!(draft.take_out(&path("NTE-2.2")).unwrap());
    assert_eq!(draft.finish().unwrap_err(), EditError::SegmentsMoved);
    // Set anew, the line feed is `\.br\`, and nothing is in doubt.
    draft.set(&path("NTE-2"), "x\nOBX").unwrap();
    assert_eq!(shown(&draft), "MSH|^~\\&|A\nNTE|1|x\\.br\\OBX|z\n");
}

#[test]
fn a_line_feed_before_a_segment_that_changes_still_ends_the_one_before() {
    let mut draft = parse("MSH|^~\\&|A\rPID|1\nPV1|2\nZZZ|3\r").edit(LIMITS);
    draft.take_out(&path("PV1-1")).unwrap();
    assert_eq!(draft.finish().unwrap().bytes(), "MSH|^~\\&|A\rPID|1\rPV1\nZZZ|3\r");
}

#[test]
fn debug_holds_no_content() {
    assert_eq!(format!("{:?}", parse(PID).edit(LIMITS)), "Draft { bytes: 72, segments: 4 }");
}
