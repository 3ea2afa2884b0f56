use std::collections::BTreeMap;

use bytes::Bytes;
use expect_test::{Expect, expect};
use hilum_message::{Conversion, TimeZone};
use hilum_words::Name;

use super::*;
use crate::{Class, Clear, Grant, Leak, Policy, RunSeed, Sight, View, shown_marked};

mod bodies;
mod json_read;

const SEED: RunSeed = RunSeed(*b"sixteen bytes ok");

const ADT: &str = "MSH|^~\\&|LAB|ANNA|||20260912101500||ADT^A01|7|P|2.5.1\r\
EVN|A01|202609121014\r\
PID|1||17,18^^^ANNA&1.2.3&ISO^MR||EVERY\\T\\WOMAN^EVE^\"\"||19800312|F|||1 MAIN ST\\.br\\^^VIENNA^W^1010^AUT\r\
OBX|1|TX|NOTE||SEEN \\H\\AND\\N\\ SENT\r\
ZPI|SECRET\r";

fn policy() -> Policy {
    Policy::new(TimeZone::UTC)
}

fn parse(format: &str, text: &str) -> Arc<Message> {
    Arc::new(Message::parse(format, Bytes::copy_from_slice(text.as_bytes())).expect("parses"))
}

fn research() -> Clearance {
    let rest = [
        Class::Name,
        Class::Address,
        Class::Contact,
        Class::Identifier,
        Class::Text,
        Class::Image,
        Class::Body,
        Class::Unknown,
    ];
    let open = Clearance::none().with(Class::Date, Clear::Open).with(Class::BirthDate, Clear::Mask);
    rest.iter().fold(open, |clearance, class| clearance.with(*class, Clear::Withhold))
}

/// One step of a route: what a plugin makes of its view.
struct Step<'a> {
    grant: Grant,
    format: &'a str,
    make: &'a dyn Fn(&mut View) -> String,
}

/// Runs steps over a message, and answers what came of the last one.
fn run(message: &Arc<Message>, steps: &[Step<'_>]) -> Input {
    let mut input = Input::Message(Arc::clone(message));
    for (number, step) in steps.iter().enumerate() {
        let mut view = policy().view(input, &step.grant, SEED, number);
        let made = (step.make)(&mut view);
        let (seals, _) = view.finish();
        let template = policy().output(&seals, step.format, Bytes::from(made)).expect("behaves");
        input = Input::Template(Arc::new(template));
    }
    input
}

fn text_of(cleared: &Cleared, message: &Message) -> String {
    let body = cleared.assemble(message.bytes()).expect("within the input");
    assert_eq!(body.len(), cleared.len());
    String::from_utf8(body.to_vec()).expect("text")
}

fn body_of(view: &mut View) -> String {
    String::from_utf8(view.body().to_vec()).expect("text")
}

fn sealed(view: &mut View, path: &str) -> String {
    view.get(path).expect("a path").expect("there")
}

/// What one step with the default grant makes, cleared.
#[track_caller]
fn check(
    clearance: &Clearance,
    format: &str,
    make: impl Fn(&mut View) -> String,
    expected: Expect,
) {
    check_steps(clearance, &[Step { grant: Grant::default(), format, make: &make }], expected);
}

#[track_caller]
fn check_steps(clearance: &Clearance, steps: &[Step<'_>], expected: Expect) {
    let message = parse("hl7v2", ADT);
    let said = match policy().clear(&run(&message, steps), &message, clearance) {
        Ok(cleared) => text_of(&cleared, &message).replace('\r', "\n"),
        Err(fault) => format!("{}: {fault}", hilum_words::Cause::from(fault.clone()).word),
    };
    expected.assert_eq(&said);
}

#[test]
fn an_untouched_message_goes_to_treatment_as_one_range() {
    let message = parse("hl7v2", ADT);
    let input = Input::Message(Arc::clone(&message));
    let cleared = policy().clear(&input, &message, &Clearance::treatment()).expect("cleared");
    assert_eq!(text_of(&cleared, &message), ADT);
    expect![[r#"
        MSH|^~\&|LAB|ANNA|||20260912101500||ADT^A01|7|P|2.5.1
        EVN|A01|[phi:date]
        PID|1||[phi:identifier]^^^ANNA&1.2.3&ISO^MR||[phi:name]^[phi:name]^""||[phi:birth-date]|F|||[phi:address]^^[phi:address]^W^[phi:address]^AUT
        OBX|1|TX|NOTE||[phi:text]
        ZPI|[phi:unknown]
    "#]].assert_eq(&shown_marked(message.bytes(), cleared.marks()));
    assert_eq!(cleared.format().as_str(), "hl7v2");
    let long = parse("hl7v2", &ADT.replace("SENT", &"x".repeat(512)));
    let input = Input::Message(Arc::clone(&long));
    let cleared = policy().clear(&input, &long, &Clearance::treatment()).expect("cleared");
    assert_eq!(cleared.parts(), [crate::Part::OfInput(0..long.bytes().len())]);
}

#[test]
fn an_untouched_message_is_cleared_by_place() {
    check_steps(
        &research(),
        &[],
        expect![[r#"
        MSH|^~\&|LAB|ANNA|||20260912101500||ADT^A01|7|P|2.5.1
        EVN|A01|202609121014
        PID|1||^^^ANNA&1.2.3&ISO^MR||^^""||***|F|||^^^W^^AUT
        OBX|1|TX|NOTE||
        ZPI|
    "#]],
    );
    let clearance = Clearance::treatment().with(Class::Unknown, Clear::Mask);
    check_steps(
        &clearance,
        &[],
        expect![[r#"
        MSH|^~\&|LAB|ANNA|||20260912101500||ADT^A01|7|P|2.5.1
        EVN|A01|202609121014
        PID|1||17,18^^^ANNA&1.2.3&ISO^MR||EVERY\T\WOMAN^EVE^""||19800312|F|||1 MAIN ST\.br\^^VIENNA^W^1010^AUT
        OBX|1|TX|NOTE||SEEN \H\AND\N\ SENT
        ZPI|***
    "#]],
    );
    check_steps(
        &Clearance::none().with(Class::Date, Clear::Open),
        &[],
        expect!["denied: PID-3.1: the destination is not cleared for identifier"],
    );
}

#[test]
fn an_untouched_view_unseals_to_the_very_bytes() {
    check(
        &Clearance::treatment(),
        "hl7v2",
        body_of,
        expect![[r#"
        MSH|^~\&|LAB|ANNA|||20260912101500||ADT^A01|7|P|2.5.1
        EVN|A01|202609121014
        PID|1||17,18^^^ANNA&1.2.3&ISO^MR||EVERY\T\WOMAN^EVE^""||19800312|F|||1 MAIN ST\.br\^^VIENNA^W^1010^AUT
        OBX|1|TX|NOTE||SEEN \H\AND\N\ SENT
        ZPI|SECRET
    "#]],
    );
    check(
        &research(),
        "hl7v2",
        body_of,
        expect![[r#"
        MSH|^~\&|LAB|ANNA|||20260912101500||ADT^A01|7|P|2.5.1
        EVN|A01|202609121014
        PID|1||^^^ANNA&1.2.3&ISO^MR||^^""||***|F|||^^^W^^AUT
        OBX|1|TX|NOTE||
        ZPI|
    "#]],
    );
}

#[test]
fn values_are_escaped_with_the_outputs_delimiters() {
    check(
        &Clearance::treatment(),
        "hl7v2",
        |view| {
            let (name, street) = (sealed(view, "PID-5"), sealed(view, "PID-11"));
            let upper = view.convert(Conversion::LowerCase, &name).expect("always");
            format!("MSH!$%?*!\rPID!!!{name}${}$DR {upper}!{street}\r", name.to_lowercase())
        },
        expect![[r#"
            MSH!$%?*!
            PID!!!EVERY&WOMAN$EVERY&WOMAN$DR every&woman!1 MAIN ST?.br?
        "#]],
    );
}

#[test]
fn a_value_that_the_output_cannot_hold_parks() {
    let message = parse("hl7v2", &ADT.replace("VIENNA", "ZÜRICH"));
    let make = |view: &mut View| {
        format!("MSH|^~\\&||||||||||||||||ASCII\rPID|{}\r", sealed(view, "PID-11.3"))
    };
    let input = run(&message, &[Step { grant: Grant::default(), format: "hl7v2", make: &make }]);
    let fault = policy().clear(&input, &message, &Clearance::treatment()).expect_err("not ASCII");
    expect!["PID-1.1: the output's character set or delimiters cannot hold the value"]
        .assert_eq(&fault.to_string());
}

#[test]
fn a_line_feed_in_a_value_ends_no_segment_of_the_output() {
    let message = parse("hl7v2", &ADT.replace("SEEN", "SEEN\nPID"));
    let cleared = |make: &dyn Fn(&mut View) -> String| {
        let input = run(&message, &[Step { grant: Grant::default(), format: "hl7v2", make }]);
        let cleared = policy().clear(&input, &message, &Clearance::treatment()).expect("cleared");
        text_of(&cleared, &message)
    };
    assert_eq!(cleared(&body_of).as_bytes(), message.bytes());
    let moved = cleared(&|view| format!("MSH|^~\\&|\nNTE|{}\n", sealed(view, "OBX-5")));
    assert_eq!(moved, "MSH|^~\\&|\nNTE|SEEN\\.br\\PID \\E\\H\\E\\AND\\E\\N\\E\\ SENT\n");
}

#[test]
fn a_value_never_becomes_the_name_of_a_segment() {
    // EVE is three letters, and so is the name of a segment.
    let make = |view: &mut View| format!("MSH|^~\\&|LAB\r{}|x\r", sealed(view, "PID-5.2"));
    check(
        &Clearance::treatment(),
        "hl7v2",
        make,
        expect![
            "cannot-unseal: hl7v2: with its values put in, the body would fall into other segments"
        ],
    );
    let make = |view: &mut View| format!("MSH|^~\\&|LAB\rX{}|x\r", sealed(view, "PID-5.2"));
    check(
        &Clearance::treatment(),
        "hl7v2",
        make,
        expect![[r#"
        MSH|^~\&|LAB
        XEVE|x
    "#]],
    );
}

#[test]
fn a_line_that_is_withheld_does_not_change_what_ends_the_others() {
    // Without `x` the first segment would end with CRLF, and then a bare LF ends one too.
    let odd = parse("hl7v2", "MSH|^~\\&|LAB\rx\nOBX|1|TX|||a\nb|\r");
    let input = Input::Message(Arc::clone(&odd));
    let clearance = Clearance::treatment().with(Class::Unknown, Clear::Withhold);
    let fault = policy().clear(&input, &odd, &clearance).expect_err("other segments");
    expect!["hl7v2: with its values put in, the body would fall into other segments"]
        .assert_eq(&fault.to_string());
}

#[test]
fn json_gets_values_in_strings() {
    let make = |view: &mut View| {
        let name = sealed(view, "PID-5");
        let born = sealed(view, "PID-7");
        let born = view.convert(Conversion::FhirDate, &born).expect("a date");
        let street = sealed(view, "PID-11");
        format!(
            "{{ \"resourceType\": \"Patient\",\n  \"name\": [ {{ \"family\": \"{name}\", \
             \"text\": \"Dr. {}, {name}\" }} ],\n  \"birthDate\": \"{born}\", \"gender\": \"female\", \
             \"address\": [ {{ \"line\": [ \"{street}\" ] }} ] }}",
            name.to_lowercase(),
        )
    };
    check(
        &Clearance::treatment(),
        "fhir-json",
        make,
        expect![[r#"
        { "resourceType": "Patient",
          "name": [ { "family": "EVERY&WOMAN", "text": "Dr. EVERY&WOMAN, EVERY&WOMAN" } ],
          "birthDate": "1980-03-12", "gender": "female", "address": [ { "line": [ "1 MAIN ST\n" ] } ] }"#]],
    );
    check(
        &research(),
        "fhir-json",
        make,
        expect![[r#"
        { "resourceType": "Patient",
          "birthDate": "***", "gender": "female" }"#]],
    );
    let masked = Clearance::treatment().with(Class::Name, Clear::Mask);
    check(
        &masked,
        "fhir-json",
        make,
        expect![[r#"
        { "resourceType": "Patient",
          "name": [ { "family": "***", "text": "Dr. ***, ***" } ],
          "birthDate": "1980-03-12", "gender": "female", "address": [ { "line": [ "1 MAIN ST\n" ] } ] }"#]],
    );
    check(
        &Clearance::none(),
        "fhir-json",
        make,
        expect!["denied: name[0].family: the destination is not cleared for name"],
    );
}

#[test]
fn what_is_withheld_takes_its_commas_along() {
    let with = |template: &'static str| {
        move |view: &mut View| {
            template.replace('@', &sealed(view, "PID-5")).replace('#', &sealed(view, "EVN-2"))
        }
    };
    for (template, expected) in [
        (r##"{"a":"@","b":1}"##, r#"{"b":1}"#),
        (r##"{"b":1,"a":"@"}"##, r#"{"b":1}"#),
        (r##"{"a":"@","b":"@","c":1,"d":"@","e":2,"f":"@"}"##, r#"{"c":1,"e":2}"#),
        (r##"{ "a" : [ "@" , "#" , "@" ] }"##, r#"{ "a" : [ "202609121014" ] }"#),
        (r##"{"a":{"b":[{"c":"@"}]},"d":{"e":{}}}"##, r#"{"d":{"e":{}}}"#),
        (r##"{"a":{"b":["@"]}}"##, r#"{}"#),
        (r##"["@","@"]"##, "[]"),
        (r##""@""##, "null"),
    ] {
        let message = parse("hl7v2", ADT);
        let make = with(template);
        let input = run(&message, &[Step { grant: Grant::default(), format: "json", make: &make }]);
        let cleared = policy().clear(&input, &message, &research()).expect("cleared");
        assert_eq!(text_of(&cleared, &message), expected, "{template}");
    }
}

#[test]
fn urls_are_percent_encoded_and_searches_escaped() {
    let make = |view: &mut View| {
        let id = sealed(view, "PID-3");
        let name = sealed(view, "PID-5");
        format!(
            r#"{{"resourceType":"Bundle","entry":[{{"fullUrl":"http://x/{id}","resource":{{"id":"{id}"}},
            "request":{{"method":"PUT","url":"Patient?identifier=urn:x|{id}","ifNoneExist":"identifier={id}"}}}},
            {{"request":{{"url":"Patient/{name}"}}}}]}}"#
        )
    };
    check(
        &Clearance::treatment(),
        "fhir-json",
        make,
        expect![[r#"
        {"resourceType":"Bundle","entry":[{"fullUrl":"http://x/17%2C18","resource":{"id":"17,18"},
                    "request":{"method":"PUT","url":"Patient?identifier=urn:x|17%5C%2C18","ifNoneExist":"identifier=17%5C%2C18"}},
                    {"request":{"url":"Patient/EVERY%26WOMAN"}}]}"#]],
    );
    check(
        &research(),
        "fhir-json",
        make,
        expect!["denied: entry[0].fullUrl: the destination is not cleared for identifier"],
    );
    let masked = Clearance::treatment().with(Class::Identifier, Clear::Mask);
    check(
        &masked,
        "fhir-json",
        make,
        expect!["denied: entry[0].fullUrl: the destination is not cleared for identifier"],
    );
}

#[test]
fn a_token_never_becomes_the_name_of_a_member() {
    let make = |view: &mut View| format!(r#"{{"a":{{"{}":1}}}}"#, sealed(view, "PID-5"));
    check(
        &Clearance::treatment(),
        "json",
        make,
        expect!["cannot-unseal: ?: a token stands in the name of a member"],
    );
}

#[test]
fn another_format_takes_text_without_tokens_alone() {
    check(&Clearance::treatment(), "text", |_| "seen".to_owned(), expect!["seen"]);
    check(
        &Clearance::treatment(),
        "text",
        |view| format!("a {}", sealed(view, "PID-5")),
        expect![
            "cannot-unseal: byte 2: a token stands here, and no value can be put into this format yet"
        ],
    );
    let message = parse("text", "EVE");
    let input = Input::Message(Arc::clone(&message));
    assert!(policy().clear(&input, &message, &Clearance::treatment()).is_ok());
    assert!(policy().clear(&input, &message, &research()).is_err());
}

#[test]
fn numbers_and_booleans_keep_their_shape() {
    let message = parse("json", r#"{"n":1.50,"b":true,"s":"1","x":"y"}"#);
    let make = |view: &mut View| {
        let [n, b, s] = ["n", "b", "s"].map(|path| sealed(view, path));
        format!(r#"{{"n":"{n}","b":"{b}","s":"{s}","mixed":"{n}!"}}"#)
    };
    let input = run(&message, &[Step { grant: Grant::default(), format: "json", make: &make }]);
    let clear = |clearance| policy().clear(&input, &message, &clearance).expect("cleared");
    let open = clear(Clearance::treatment());
    assert_eq!(text_of(&open, &message), r#"{"n":1.50,"b":true,"s":"1","mixed":"1.50!"}"#);
    let masked = clear(Clearance::none().with(Class::Unknown, Clear::Mask));
    assert_eq!(text_of(&masked, &message), r#"{"s":"***","mixed":"***!"}"#);
}

#[test]
fn an_untouched_view_of_json_unseals_to_the_very_bytes() {
    let text = " {\"resourceType\":\"Observation\", \"value\" :\t1.50,\"a\":[true,null,\"\\u00e4\\/\"] }\n";
    let message = parse("fhir-json", text);
    let steps = [Step { grant: Grant::default(), format: "fhir-json", make: &body_of }];
    let cleared =
        policy().clear(&run(&message, &steps), &message, &Clearance::treatment()).expect("cleared");
    assert_eq!(text_of(&cleared, &message), text);
}

#[test]
fn a_token_keeps_its_class_wherever_it_was_moved() {
    let first = |view: &mut View| {
        let name = sealed(view, "PID-5");
        format!(
            "MSH|^~\\&|LAB\rZXX|{name}|{name} of ANNA|LITERAL|{}\rPID|||X{name}\r",
            sealed(view, "EVN-2")
        )
    };
    let second = |view: &mut View| {
        let seen: BTreeMap<_, _> = ["ZXX-1", "ZXX-2", "ZXX-3", "ZXX-4", "PID-3"]
            .map(|path| (path, view.sight_of(path).expect("a path")))
            .into();
        use crate::Seen::{Open, Sealed, Withheld};
        let expected = [
            ("PID-3", Sealed),
            ("ZXX-1", Sealed),
            ("ZXX-2", Withheld),
            ("ZXX-3", Withheld),
            ("ZXX-4", Open),
        ];
        assert_eq!(seen, expected.into());
        assert_eq!(view.get("ZXX-4").expect("a path").as_deref(), Some("202609121014"));
        body_of(view)
    };
    let grant =
        Grant::default().with(Class::Unknown, Sight::Withhold).with(Class::Date, Sight::Open);
    let steps = [
        Step { grant: Grant::default(), format: "hl7v2", make: &first },
        Step { grant, format: "hl7v2", make: &second },
    ];
    check_steps(
        &Clearance::treatment(),
        &steps,
        expect![[r#"
        MSH|^~\&|LAB
        ZXX|EVERY\T\WOMAN|||202609121014
        PID|||XEVERY\T\WOMAN
    "#]],
    );
    check_steps(
        &Clearance::treatment().with(Class::Name, Clear::Withhold),
        &steps,
        expect![[r#"
        MSH|^~\&|LAB
        ZXX||||202609121014
        PID|||
    "#]],
    );
}

#[test]
fn what_a_step_was_granted_to_read_keeps_its_class_too() {
    let open = Grant::default().with(Class::Name, Sight::Open);
    let first = |view: &mut View| {
        format!(r#"{{"a":"{}","b":"x"}}"#, sealed(view, "PID-5.2").replace("EVE", "EVERY&WOMAN"))
    };
    let second = |view: &mut View| {
        let token = sealed(view, "a");
        format!(r#"{{"a":"{token}"}}"#)
    };
    let steps = [
        Step { grant: open, format: "json", make: &first },
        Step { grant: Grant::default(), format: "json", make: &second },
    ];
    let clearance = Clearance::treatment().with(Class::Name, Clear::Mask);
    check_steps(&clearance, &steps, expect![[r#"{"a":"***"}"#]]);
}

#[test]
fn a_sealed_value_in_the_plain_is_a_leak() {
    let leak = |_: &mut View| r#"{"note":"about EVERY&WOMAN's stay"}"#.to_owned();
    check(
        &Clearance::treatment(),
        "json",
        leak,
        expect!["leak: note: a sealed value of class name stands here in the plain"],
    );
    check(
        &Clearance::treatment(),
        "json",
        |_| r#"{"EVERY&WOMAN":1}"#.to_owned(),
        expect!["leak: the document: a sealed value of class name stands here in the plain"],
    );
    check(
        &Clearance::treatment(),
        "text",
        |_| "SECRET".to_owned(),
        expect!["leak: the body: a sealed value of class unknown stands here in the plain"],
    );
    check(
        &Clearance::treatment(),
        "hl7v2",
        |_| "MSH|^~\\&|EVERY\\T\\WOMAN\r".to_owned(),
        expect!["leak: MSH-3.1: a sealed value of class name stands here in the plain"],
    );
    // Part of a word, a short value, and what stands openly elsewhere in the message are none.
    let none = |_: &mut View| r#"{"a":"SECRETS","b":"EVE","c":20260912101500}"#.to_owned();
    check(
        &Clearance::treatment(),
        "json",
        none,
        expect![[r#"{"a":"SECRETS","b":"EVE","c":20260912101500}"#]],
    );
}

#[test]
fn an_opened_value_goes_where_its_class_is_cleared() {
    let open = || Grant::default().with(Class::Name, Sight::Open);
    let json = |view: &mut View| format!(r#"{{"name":"{}"}}"#, sealed(view, "PID-5"));
    let steps = [Step { grant: open(), format: "json", make: &json }];
    check_steps(&Clearance::treatment(), &steps, expect![[r#"{"name":"EVERY&WOMAN"}"#]]);
    check_steps(
        &research(),
        &steps,
        expect!["denied: name: the destination is not cleared for name"],
    );
    // By its place even a short one is known.
    let hl7 = |view: &mut View| format!("MSH|^~\\&|LAB\rPID|||||{}\r", sealed(view, "PID-5.2"));
    let steps = [Step { grant: open(), format: "hl7v2", make: &hl7 }];
    check_steps(
        &Clearance::treatment(),
        &steps,
        expect![[r#"
        MSH|^~\&|LAB
        PID|||||EVE
    "#]],
    );
    check_steps(
        &research(),
        &steps,
        expect![[r#"
        MSH|^~\&|LAB
        PID|||||
    "#]],
    );
    check_steps(
        &Clearance::none(),
        &steps,
        expect!["denied: PID-5.1: the destination is not cleared for name"],
    );
}

#[test]
fn a_leak_names_the_place_and_never_the_value() {
    let leak = Leak { classes: Class::Name.into(), at: "note".to_owned() };
    assert_eq!(leak.to_string(), "note: a sealed value of class name stands here in the plain");
}

#[test]
fn marks_show_an_output_masked() {
    let message = parse("hl7v2", ADT);
    let make = |view: &mut View| {
        let (name, born) = (sealed(view, "PID-5"), sealed(view, "PID-7"));
        format!(r#"{{"name":"{name} {born}","gender":"female"}}"#)
    };
    let input = run(&message, &[Step { grant: Grant::default(), format: "json", make: &make }]);
    let cleared = policy().clear(&input, &message, &Clearance::treatment()).expect("cleared");
    let body = cleared.assemble(message.bytes()).expect("whole");
    expect![[r#"{"name":"[phi:name+birth-date]","gender":"female"}"#]]
        .assert_eq(&shown_marked(&body, cleared.marks()));
    assert_eq!(cleared.classes().to_string(), "name+birth-date");
    expect![[r#"
        MSH|^~\&|LAB|ANNA|||20260912101500||ADT^A01|7|P|2.5.1
        EVN|A01|[phi:date]
        PID|1||[phi:identifier]^^^ANNA&1.2.3&ISO^MR||[phi:name]^[phi:name]^""||[phi:birth-date]|F|||[phi:address]^^[phi:address]^W^[phi:address]^AUT
        OBX|1|TX|NOTE||[phi:text]
        ZPI|[phi:unknown]
    "#]].assert_eq(&policy().shown(&message));
}

#[test]
fn a_document_is_carried_as_a_range_of_the_input() {
    let document = "QUJD".repeat(50_000);
    let message = parse("hl7v2", &format!("MSH|^~\\&|LAB\rOBX|1|ED|||^AP^PDF^Base64^{document}\r"));
    for format in ["hl7v2", "fhir-json"] {
        let make = |view: &mut View| {
            let token = sealed(view, "OBX-5.5");
            if format == "hl7v2" { body_of(view) } else { format!(r#"{{"data":"{token}"}}"#) }
        };
        let grant = Grant::open_to_all().with_big(false);
        let input = run(&message, &[Step { grant, format, make: &make }]);
        let cleared = policy().clear(&input, &message, &Clearance::treatment()).expect("cleared");
        assert!(text_of(&cleared, &message).contains(&document));
        let own: usize = cleared
            .parts()
            .iter()
            .map(|part| match part {
                crate::Part::Bytes(bytes) => bytes.len(),
                crate::Part::OfInput(_) => 0,
            })
            .sum();
        assert!(own < 100, "{format}: {own}");
    }
}

#[test]
fn a_table_answers_a_token_of_the_same_class() {
    let make = |view: &mut View| {
        let name = sealed(view, "PID-5");
        let lookup = |code: &str| (code == "EVERY&WOMAN").then(|| "W-1".to_owned());
        let code = view.translate(&Name::from("t"), false, &lookup, &name).expect("there");
        format!(r#"{{"code":"{code}"}}"#)
    };
    check(&Clearance::treatment(), "json", make, expect![[r#"{"code":"W-1"}"#]]);
    check(
        &Clearance::treatment().with(Class::Name, Clear::Mask),
        "json",
        make,
        expect![[r#"{"code":"***"}"#]],
    );
}

#[test]
fn a_word_that_the_plugin_brought_along_is_no_leak_but_a_name_always_is() {
    let adt = ADT.replace("ZPI|SECRET", "ZPI|family|4711").replace("EVE", "given");
    let message = parse("hl7v2", &adt);
    let component = Bytes::from_static(b"\0asm..familygivenZPI4711..");
    let written = |body: &'static str| {
        let grant = Grant::sealed_by_default();
        let view = policy().view(Input::Message(Arc::clone(&message)), &grant, SEED, 0);
        let (seals, _) = view.with_constants([component.clone()]).finish();
        let body = Bytes::from_static(body.as_bytes());
        let template = policy().output(&seals, "fhir-json", body).expect("behaves");
        let input = Input::Template(Arc::new(template));
        policy().clear(&input, &message, &Clearance::treatment()).map(drop)
    };
    assert_eq!(written(r#"{"url":"http://example.org/family"}"#), Ok(()));
    let is_leak = |body| matches!(written(body), Err(ClearFault::Leak(_)));
    assert!(is_leak(r#"{"x":"given"}"#), "the patient's own name, though the plugin has the word");
    assert!(is_leak(r#"{"x":"4711"}"#), "digits are never a constant");
}

#[test]
fn a_word_of_a_z_segment_that_the_plugin_did_not_bring_along_is_a_leak() {
    let message = parse("hl7v2", &ADT.replace("ZPI|SECRET", "ZPI|family"));
    let grant = Grant::sealed_by_default();
    let view = policy().view(Input::Message(Arc::clone(&message)), &grant, SEED, 0);
    let (seals, _) = view.with_constants([Bytes::from_static(b"something else")]).finish();
    let body = Bytes::from_static(br#"{"x":"family"}"#);
    let template = policy().output(&seals, "fhir-json", body).expect("behaves");
    let cleared =
        policy().clear(&Input::Template(Arc::new(template)), &message, &Clearance::treatment());
    assert!(matches!(cleared, Err(ClearFault::Leak(_))));
}

#[test]
fn a_table_opens_no_value_that_a_step_before_has_converted() {
    let message = parse("hl7v2", ADT);
    let table = Name::from("t");
    let spell = |code: &str| Some(format!("spelt {code}"));
    let first = |view: &mut View| {
        let name = sealed(view, "PID-5.1");
        let letter = view.convert(Conversion::FirstLetter, &name).expect("a letter");
        format!("MSH|^~\\&|LAB\rPID|||{letter}||{name}\r")
    };
    let second = |view: &mut View| {
        let (letter, name) = (sealed(view, "PID-3"), sealed(view, "PID-5"));
        let letter = view.translate(&table, true, &spell, &letter).expect("in the table");
        assert!(!letter.starts_with("spelt"), "{letter}");
        // What nothing was made of is opened by such a table.
        view.translate(&table, true, &spell, &name).expect("in the table")
    };
    let step = |make| Step { grant: Grant::sealed_by_default(), format: "text", make };
    let made = run(&message, &[Step { format: "hl7v2", ..step(&first) }, step(&second)]);
    let Input::Template(made) = made else { panic!("no step has made it") };
    assert_eq!(made.body.bytes().as_ref(), b"spelt EVERY&WOMAN");
}
