//! Bodies as a whole: those that nothing here can read, and those that nobody has touched.

use super::*;

fn opened_body() -> Grant {
    Grant::sealed_by_default().with(Class::Body, Sight::Open)
}

#[test]
fn what_a_plugin_makes_of_an_opened_body_goes_where_bodies_may_go() {
    let message = parse("text", "patient EVE EVERYWOMAN, born 1980");
    let make = |view: &mut View| {
        let text = view.text().expect("open");
        format!(r#"{{"resourceType":"Basic","year":"{}"}}"#, &text[text.len() - 2..])
    };
    let steps = [Step { grant: opened_body(), format: "fhir-json", make: &make }];
    let input = run(&message, &steps);
    let cleared = policy().clear(&input, &message, &Clearance::treatment()).expect("cleared");
    assert_eq!(text_of(&cleared, &message), r#"{"resourceType":"Basic","year":"80"}"#);
    assert!(cleared.classes().has(Class::Body), "it is shown masked");
    // Two digits are in no search; that the body was read is enough.
    let fault = policy().clear(&input, &message, &research()).expect_err("denied");
    assert!(matches!(fault, ClearFault::Denied { classes, .. } if classes.has(Class::Body)));
}

#[test]
fn a_plugin_that_has_not_read_a_body_may_write_what_it_likes() {
    let message = parse("text", "patient EVE EVERYWOMAN, born 1980");
    let make = |view: &mut View| {
        assert_eq!(view.body().len(), 0);
        "seen".to_owned()
    };
    let steps = [Step { grant: Grant::default(), format: "text", make: &make }];
    let input = run(&message, &steps);
    let cleared = policy().clear(&input, &message, &research()).expect("cleared");
    assert_eq!(text_of(&cleared, &message), "seen");
}

#[test]
fn words_of_a_body_are_taken_out_of_what_people_read() {
    let message = parse("csv", "id;name\n4711;\u{c4}nne Every-Woman\n");
    let view = policy().view(Input::Message(message), &opened_body(), SEED, 0);
    let said = view.scrub("row of \u{e4}NNE, 4711: every");
    assert_eq!(said, "row of [phi:body], [phi:body]: [phi:body]");
}

#[test]
fn of_a_body_with_too_many_words_nothing_is_told_to_people() {
    let many: String = (0..20_001).map(|it| format!("word{it} ")).collect();
    for body in [many, " x".repeat(1 << 20)] {
        let view = policy().view(Input::Message(parse("text", &body)), &opened_body(), SEED, 0);
        assert_eq!(view.scrub("anything, 17"), "[phi:body]");
        assert_eq!(view.scrub("…"), "…");
    }
    let fits: String = (0..20_000).map(|it| format!("word{it} ")).collect();
    let view = policy().view(Input::Message(parse("text", &fits)), &opened_body(), SEED, 0);
    assert_eq!(view.scrub("anything but word17"), "anything but [phi:body]");
}

#[test]
fn a_document_too_big_to_be_handed_over_is_handed_on_byte_for_byte() {
    let mut bytes = vec![0xff; 100_000];
    bytes.extend_from_slice(b"ZQ7K3M9XA2WB4T\0");
    let message =
        Arc::new(Message::parse("binary", Bytes::from(bytes.clone())).expect("any bytes"));
    let steps = [Step { grant: opened_body(), format: "binary", make: &body_of }];
    let input = run(&message, &steps);
    let clear = |clearance| policy().clear(&input, &message, &clearance);
    let cleared = clear(Clearance::treatment()).expect("cleared");
    assert_eq!(cleared.assemble(message.bytes()).expect("within the input"), bytes);
    assert!(matches!(cleared.parts(), [crate::Part::OfInput(_)]), "it is on disk once");
    assert!(clear(research()).is_err());
}

#[test]
fn a_message_that_no_plugin_touched_goes_byte_for_byte() {
    let fhir = "\n{ \"resourceType\" : \"Observation\",\r\n\t\"value\":1.500e-3 , \"a\":[ ],\"o\":{ },\
                \"n\":null,\"\\u0061b\":\"\\u00e4\\/\u{e4}\",\"ext\":[{\"url\":\"http://x\"}] }  ";
    let binary = [&b"%PDF \0\xff\xfe\r\n"[..], &[b'x'; 5_000], b"\r"].concat();
    for (format, body) in [
        ("fhir-json", fhir.as_bytes()),
        ("json", b" 1.0 "),
        ("binary", binary.as_slice()),
        ("text", b""),
        ("hl7v2", b"\xef\xbb\xbf\r\nMSH|^~\\&|LAB|\xff|\\X\\\n\nPID|||\"\"~\r\r"),
    ] {
        let bytes = Bytes::copy_from_slice(body);
        let message = Arc::new(Message::parse(format, bytes).expect("parses"));
        let input = Input::Message(Arc::clone(&message));
        let cleared = policy().clear(&input, &message, &Clearance::treatment()).expect("cleared");
        assert_eq!(cleared.assemble(message.bytes()).expect("whole"), body, "{format}");
    }
}

/// A message that a plugin has carried unseen.
fn carried(message: &Arc<Message>) -> Bytes {
    let mut view = policy().view(Input::Message(Arc::clone(message)), &Grant::default(), SEED, 0);
    let body = view.body();
    let (seals, _) = view.finish();
    let template = policy().output(&seals, "hl7v2", body).expect("nothing was touched");
    let input = Input::Template(Arc::new(template));
    let cleared = policy().clear(&input, message, &Clearance::treatment()).expect("cleared");
    cleared.assemble(message.bytes()).expect("whole")
}

#[test]
fn a_line_feed_beside_a_letter_that_holds_a_delimiters_byte_stays() {
    use hilum_message::hl7v2::{Charset, Options};

    let bytes = Bytes::from_static(b"MSH|^~\\&|LAB\r|\n|\xa4|");
    let big5 = Options { default_charset: Charset::Big5 };
    let message = Message::parse_with("hl7v2", bytes.clone(), &big5).expect("parses");
    assert_eq!(carried(&Arc::new(message)), bytes);
}

#[test]
fn a_word_that_stands_openly_among_bytes_that_are_no_text_is_no_leak() {
    let bytes = Bytes::from_static(b"MSH|^~\\&|LAB\rPID|\xfcMARIA|||MARIA\r");
    let message = Message::parse("hl7v2", bytes.clone()).expect("parses");
    assert_eq!(carried(&Arc::new(message)), bytes);
}

#[test]
fn a_long_name_above_many_values_is_not_read_for_each() {
    // 5,000 values below a name of a megabyte, and as many requests behind as many members: read for
    // each of them, this would take hours.
    let name = "\\u0061".repeat(200_000);
    let values = vec![r#"{"url":"x","method":"PUT"}"#; 5_000].join(",");
    let deep = format!("{}{values}{}", "[".repeat(100), "]".repeat(100));
    let members: String = (0..5_000).map(|it| format!("\"m{it}\":{{\"type\":1}},")).collect();
    let text = format!("{{{members}\"{name}\":{deep},\"resourceType\":\"Bundle\"}}");
    let message = parse("fhir-json", &text);
    let steps = [Step { grant: Grant::default(), format: "fhir-json", make: &body_of }];
    let cleared = policy().clear(&run(&message, &steps), &message, &Clearance::treatment());
    assert_eq!(text_of(&cleared.expect("cleared"), &message), text);
}
