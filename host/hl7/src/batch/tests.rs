use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::Value;

fn parse(text: &str) -> Message {
    Message::parse(text.to_owned().into()).unwrap()
}

/// Each message with what it is under, then the findings.
#[track_caller]
fn check(text: &str, expected: Expect) {
    let message = parse(text);
    let batch = message.batch();
    let mut shown = String::new();
    for it in &batch.messages {
        let under = |it: Option<usize>| it.map_or("-".to_owned(), |it| it.to_string());
        let bytes = &text[it.range.clone()].replace('\r', "/").replace('\n', "\\");
        let (file, batch, segments) = (under(it.file), under(it.batch), &it.segments);
        shown.push_str(&format!("{file} {batch} {segments:?} {bytes}\n"));
        assert!(!Message::parse(message.bytes().slice(it.range.clone())).unwrap().is_batch());
    }
    batch.findings.iter().for_each(|finding| shown.push_str(&format!("{finding}\n")));
    expected.assert_eq(&shown);
}

#[test]
fn each_way_of_packing_is_unpacked() {
    check(
        "FHS|^~\\&|F\rBHS|^~\\&|B\rMSH|^~\\&|1\rPID|1\rMSH|^~\\&|2\rBTS|2\rFTS|1\r",
        expect![[r#"
            1 2 3..5 MSH|^~\&|1/PID|1/
            1 2 5..6 MSH|^~\&|2/
        "#]],
    );
    check(
        "BHS|^~\\&|B\rMSH|^~\\&|1\rBTS|1\rBHS|^~\\&|B\rMSH|^~\\&|2\rBTS\r",
        expect![[r#"
            - 1 2..3 MSH|^~\&|1/
            - 4 5..6 MSH|^~\&|2/
        "#]],
    );
    check(
        "MSH|^~\\&|1\rPID|1\rMSH|^~\\&|2\rPID|2",
        expect![[r#"
            - - 1..3 MSH|^~\&|1/PID|1/
            - - 3..5 MSH|^~\&|2/PID|2
        "#]],
    );
    check(
        "MSH|^~\\&|1\nPID|1\n",
        expect![[r#"
        - - 1..3 MSH|^~\&|1\PID|1\
    "#]],
    );
    check(
        "FHS|^~\\&|F\rMSH|^~\\&|1\rMSH|^~\\&|2\rFTS|2\r",
        expect![[r#"
            1 - 2..3 MSH|^~\&|1/
            1 - 3..4 MSH|^~\&|2/
        "#]],
    );
    check("FHS|^~\\&|F\rBHS|^~\\&|B\rBTS|0\rFTS|1\r", expect![""]);
}

#[test]
fn what_does_not_add_up_is_found() {
    check(
        "FHS|^~\\&|F\rBHS|^~\\&|B\rMSH|^~\\&|1\rBTS|2\rNTE|1\rFTS|one\r",
        expect![[r#"
            1 2 3..4 MSH|^~\&|1/
            segment 4, byte 33: BTS-1 is not the number of messages in the batch
            segment 5, byte 39: a segment stands outside of all messages
            segment 6, byte 45: FTS-1 is not the number of batches in the file
        "#]],
    );
    check(
        "FHS|^~\\&|F\rBHS|^~\\&|B\rMSH|^~\\&|1\rBHS|^~\\&|B\rMSH|^~\\&|2\r",
        expect![[r#"
            1 2 3..4 MSH|^~\&|1/
            1 4 5..6 MSH|^~\&|2/
            segment 1, byte 0: a batch or file has no trailer
            segment 2, byte 11: a batch or file has no trailer
            segment 4, byte 33: a batch or file has no trailer
        "#]],
    );
    check(
        "MSH|^~\\&|1\rBTS|1\rFTS|1\r",
        expect![[r#"
            - - 1..2 MSH|^~\&|1/
            segment 2, byte 11: a trailer closes nothing
            segment 3, byte 17: a trailer closes nothing
        "#]],
    );
}

#[test]
fn a_trailer_is_one_whatever_the_messages_before_it_declare() {
    check(
        "FHS|^~\\&|F\rBHS|^~\\&|B\rMSH$%~\\&$1\rPID$x\rBTS|3\rFTS|1\r",
        expect![[r#"
            1 2 3..5 MSH$%~\&$1/PID$x/
            segment 5, byte 39: BTS-1 is not the number of messages in the batch
        "#]],
    );
}

#[test]
fn the_text_of_a_message_inside_of_a_field_splits_nothing() {
    check(
        "MSH|^~\\&|1\rOBX|1|TX|||MSH\\F\\^~\\E\\&\\F\\x\\X0D\\MSH\\F\\y\rOBX|2|TX|||see:\nMSH is a segment~BTS\\F\\1\r",
        expect![[r#"
            - - 1..4 MSH|^~\&|1/OBX|1|TX|||MSH\F\^~\E\&\F\x\X0D\MSH\F\y/OBX|2|TX|||see:\MSH is a segment~BTS\F\1/
        "#]],
    );
    check(
        "MSH|^~\\&|1\rOBX|1|TX||||MSH|^~\\&|x\r",
        expect![[r#"
        - - 1..3 MSH|^~\&|1/OBX|1|TX||||MSH|^~\&|x/
    "#]],
    );
}

#[track_caller]
fn check_joined(text: &str, expected: Expect) {
    let joined = parse(text).joined().unwrap();
    let shown = String::from_utf8_lossy(joined.bytes()).replace('\r', "\n");
    let found: String = parse(text).findings().iter().map(|it| format!("{it}\n")).collect();
    expected.assert_eq(&(shown + &found));
}

#[test]
fn a_continued_segment_is_joined() {
    check_joined(
        "MSH|^~\\&|A\rOBX|1|FT|||a long te\rADD|xt^b\rADD|c|||F\rNTE|1\r",
        expect![[r#"
            MSH|^~\&|A
            OBX|1|FT|||a long text^bc|||F
            NTE|1
        "#]],
    );
    check_joined(
        "MSH|^~\\&|A\rOBX|1|\rADD|TX\rADD\rADD|",
        expect![[r#"
            MSH|^~\&|A
            OBX|1|TX
            ADD
            ADD|segment 4, byte 25: the message is continued by another
            segment 5, byte 29: an ADD segment continues none of this message
        "#]],
    );
    let message = parse("MSH|^~\\&|A\rOBX|1|FT|||one\\.b\rADD|r\\two\r").joined().unwrap();
    let Value::Text(range) = message.value(&"OBX-5".parse().unwrap()) else { panic!("a text") };
    assert_eq!(message.text(range).unwrap(), "one\ntwo");
}

#[test]
fn what_continues_another_message_is_found_and_stays() {
    check_joined(
        "MSH|^~\\&|A\rADD|xt|||F\rDSC|pointer|F\r",
        expect![[r#"
            MSH|^~\&|A
            ADD|xt|||F
            DSC|pointer|F
            segment 2, byte 11: an ADD segment continues none of this message
            segment 3, byte 22: the message is continued by another
        "#]],
    );
}

proptest! {
    #[test]
    fn every_byte_of_any_packing_is_in_at_most_one_message(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "FHS|^~\\&|F\r", "BHS|^~\\&|B\r", "MSH|^~\\&|1\r", "MSH$^~\\&$2\r", "BTS|1\r", "FTS|1\r",
            "PID|1\r", "ADD|x\r", "DSC|1\r", "junk\r", "BTS\r", "MSH|x\r",
        ]), 0..20),
    ) {
        let text = format!("FHS|^~\\&|F\r{}", pieces.concat());
        let message = parse(&text);
        let batch = message.batch();
        prop_assert_eq!(batch.messages.len(), message.count_messages());
        prop_assert!(batch.findings.len() <= 65);
        let mut end = 0;
        for it in &batch.messages {
            prop_assert!(end <= it.range.start && it.range.start < it.range.end);
            prop_assert!(text[it.range.clone()].starts_with("MSH"));
            end = it.range.end;
        }
        let joined = message.joined().unwrap();
        prop_assert!(joined.bytes().len() <= text.len());
        let again = joined.joined().unwrap();
        prop_assert_eq!(again.bytes(), joined.bytes(), "nothing is left to join");
    }
}

#[test]
fn each_header_says_whether_its_trailer_counts_right() {
    let wrappers = |text: &str| {
        let batch = parse(text).batch();
        let shown = batch.wrappers.iter().map(|it| {
            let kind = if it.is_file { "file" } else { "batch" };
            let under = it.file.map(|file| format!(" of {file}")).unwrap_or_default();
            let counted = if it.is_miscounted { " miscounted" } else { "" };
            format!("{kind} {}{under}{counted}", it.segment)
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    let text = "FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|1\rBTS|2\rBHS|^~\\&\rMSH|^~\\&|2\rBTS|1\rFTS|2\r";
    assert_eq!(wrappers(text), "file 1, batch 2 of 1 miscounted, batch 5 of 1");
    assert_eq!(
        wrappers(&text.replace("FTS|2", "FTS|x")),
        "file 1 miscounted, batch 2 of 1 miscounted, batch 5 of 1"
    );
    assert_eq!(wrappers("BHS|^~\\&\rBTS|5\r"), "batch 1 miscounted");
    assert_eq!(wrappers("MSH|^~\\&|1\rMSH|^~\\&|2\rBTS|9\r"), "");
}

#[test]
fn a_part_of_a_message_is_told_from_a_whole_one() {
    let fragment = |text: &str| parse(text).fragment().map(|it| it.to_string());
    let whole = [
        "MSH|^~\\&|A\rOBX|1|FT|||te\rADD|xt\rADD|!\rOBX|2\r",
        "MSH|^~\\&|A||||||QBP^Q22|7\rQPD|x\rRCP|I\rDSC|4711\r",
        "MSH|^~\\&|A||||||ORU^R01|7\rOBX|1\rDSC|7|I\r",
        "MSH|^~\\&|A||||||ORU^R01|7|P|2.5||\"\"\rOBX|1\r",
        // As the last segment it is part of the one before, whatever the sender meant by it.
        "MSH|^~\\&|A\rPID|1\rADD|xt\r",
        "MSH|^~\\&|A\rPID|1\rADD|\r",
        "MSH|^~\\&|A\rPID|1\rADD|xt\rDSC|7|I\r",
        "MSH|^~\\&|A||||||RSP^K22|7\rQAK|x\rDSC|7|?\r",
    ];
    for text in whole {
        assert_eq!(fragment(text), None, "{text}");
    }
    let parts = [
        ("MSH|^~\\&|A\rOBX|1\rDSC|7|F\r", "DSC-1"),
        ("MSH|^~\\&|A\rOBX|1\rDSC|7\r", "DSC-1"),
        ("MSH|^~\\&|A\rOBX|1\rADD\rDSC|7|F\r", "ADD-1"),
        ("MSH|^~\\&|A\rADD|xt\rOBX|2\r", "ADD-1"),
        ("MSH|^~\\&|A\rPID|1\rADD\r", "ADD-1"),
        ("MSH|^~\\&|A\rPID|1\rDSC|7|I\rADD|xt\r", "ADD-1"),
        ("MSH|^~\\&|A\rPID|1\rADD|xt\rDSC|7|F\r", "DSC-1"),
        ("MSH|^~\\&|A\rPID|1\rDSC|7|?\r", "DSC-1"),
        ("MSH|^~\\&|A||||||ORU^R01|8|P|2.5||7\rOBX|2\r", "MSH-14"),
        ("MSH|^~\\&|A||||||QBP^Q22|7\rQPD|x\rDSC|7|F\r", "DSC-1"),
    ];
    for (text, at) in parts {
        assert_eq!(fragment(text).as_deref(), Some(at), "{text}");
    }
}

#[test]
fn a_header_of_a_batch_is_read_as_its_own() {
    let message = parse("FHS|^~\\&|F|G|||||||F1\rBHS$%~\\&$B$C$D$E$$$$$B1\rMSH|^~\\&|A|||||||7\r");
    let headers: Vec<_> = (1..4).map(|number| message.header_at(number)).collect();
    let shown = headers.iter().map(|it| {
        let text = |field: &bytes::Bytes| String::from_utf8_lossy(field).into_owned();
        let separator = char::from(it.delimiters.field);
        format!("{separator} {} {}", text(&it.sending_application), text(&it.control_id))
    });
    assert_eq!(shown.collect::<Vec<_>>(), ["| F F1", "$ B B1", "| A 7"]);
    let ends = headers.get(1).map(|it| it.receiving_facility.clone());
    assert_eq!(ends.as_deref(), Some(&b"E"[..]));
}

#[test]
fn segments_of_no_message_are_told_and_what_they_cut_off() {
    let strays = |text: &str| {
        let batch = parse(text).batch();
        let under = |it: Option<usize>| it.map_or("nothing".to_owned(), |it| it.to_string());
        let strays =
            batch.strays.iter().map(|it| format!("{} under {}", it.segment, under(it.under)));
        let cut = batch.messages.iter().filter(|it| it.is_cut).count();
        format!("{}; {cut} cut", strays.collect::<Vec<_>>().join(", "))
    };
    assert_eq!(strays("BHS|^~\\&|B\rMSH|^~\\&|1\rPID|1\rBTS|1\r"), "; 0 cut");
    assert_eq!(strays("BHS|^~\\&|B\rEVN|1\rPID|1\rBTS|1\r"), "2 under 1; 0 cut");
    assert_eq!(
        strays("BHS|^~\\&|B\rMSH|^~\\&|1\rEVN|1\rBHS|^~\\&|C\rPID|1\rPV1|1\rBTS|1\r"),
        "5 under 4; 1 cut"
    );
    assert_eq!(
        strays("FHS|^~\\&|F\rPID|1\rBHS|^~\\&|B\rMSH|^~\\&|1\rBTS|1\rPID|1\rFTS|1\rZZ1\r"),
        "2 under 1, 6 under 1, 8 under nothing; 0 cut"
    );
}
