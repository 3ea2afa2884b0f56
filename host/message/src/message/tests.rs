use super::*;

const ORU: &str = "MSH|^~\\&|LAB||||||ORU^R01|7|P|2.5.1\rPID|||17^^^A~^^^B~\"\"||EVERY\\T\\WOMAN&OWN^EVE\r\
    OBR|1\rOBX|1|ST|||one~two\rOBX|2|ST\rNTE|1||x\r";

fn oru() -> Message {
    Message::parse("hl7v2", Bytes::from_static(ORU.as_bytes())).expect("parses")
}

#[track_caller]
fn check(path: &str, expected: &[Option<&str>]) {
    let all = oru().all(path).expect("a path");
    assert_eq!(all.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{path}");
}

#[test]
fn the_first_value_is_read_unescaped() {
    let message = oru();
    assert_eq!(message.get("PID-5").expect("a path").as_deref(), Some("EVERY&WOMAN"));
    assert_eq!(message.get("PID-5.1.2").expect("a path").as_deref(), Some("OWN"));
    assert_eq!(message.get("PID-3[3]").expect("a path"), None);
    assert_eq!(message.get("PID-9").expect("a path"), None);
    assert!(matches!(message.get("PID.3"), Err(ReadError::MalformedPath(_))));
}

#[test]
fn lists_of_one_field_line_up() {
    check("PID-3.1", &[Some("17"), None, None]);
    check("PID-3.4", &[Some("A"), Some("B"), None]);
    check("OBX-5", &[Some("one"), Some("two"), None]);
    check("OBX[1]-5[2]", &[Some("two")]);
    check("ZPI-1", &[]);
}

#[test]
fn all_agrees_with_the_reader_of_hl7() {
    let message = oru();
    let hl7 = message.as_hl7().expect("HL7");
    for text in [
        "PID-3",
        "PID-3.4",
        "PID-5.1.2",
        "OBX-5",
        "OBX-5[2]",
        "OBX[2]-2",
        "MSH-1",
        "MSH-2",
        "OBX",
        "ZZZ-1",
    ] {
        let path: hilum_hl7::Path = text.parse().expect("a path");
        let ours: Vec<_> =
            crate::hl7::find_all(hl7, &path).into_iter().map(|it| it.map(|it| it.range)).collect();
        assert_eq!(ours, hl7.find_all(&path), "{text}");
    }
}

#[test]
fn parts_are_named_and_counted() {
    let message = oru();
    assert_eq!(message.outline(), ["MSH", "PID", "OBR", "OBX", "OBX", "NTE"]);
    assert_eq!(message.count("OBX").expect("a path"), 2);
    assert_eq!(message.count("PID-3").expect("a path"), 3);
    assert_eq!(message.kind(), "ORU^R01");
}

#[test]
fn a_body_without_a_reader_is_one_value() {
    let message = Message::parse("text", Bytes::from_static(b"EVE")).expect("any bytes");
    assert_eq!(message.format(), "text");
    assert_eq!(message.get("PID-5"), Err(ReadError::Unstructured));
    assert_eq!(message.values().count(), 1);
    assert_eq!(format!("{message:?}"), "Message(text, 3 bytes)");
}
