//! JSON whose values a step has read, and names of members that FHIR does not have.

use super::*;

const PATIENT: &str = r#"{"resourceType":"Patient","extension":[{"url":"a","valueBoolean":true},
{"url":"b","valueCode":"female"},{"url":"c","valueUri":"http://st-anna.example/mrn/everywoman"},
{"url":"d","valueString":"zwiebel"},{"url":"e","valueInteger":2}]}"#;

const NAMED: &str =
    r#"{"resourceType":"Basic","people":{"EverywomanEve":{"room":"101"}},"id":"x1"}"#;

fn opened() -> Grant {
    Grant::sealed_by_default().with(Class::Unknown, Sight::Open)
}

/// What one step with this grant makes of a message, cleared.
fn cleared(
    message: &Arc<Message>,
    grant: Grant,
    format: &str,
    make: &dyn Fn(&mut View) -> String,
    clearance: &Clearance,
) -> Result<Cleared, ClearFault> {
    policy().clear(&run(message, &[Step { grant, format, make }]), message, clearance)
}

#[test]
fn what_a_plugin_writes_that_has_read_json_goes_where_the_unknown_may_go() {
    let message = parse("fhir-json", PATIENT);
    let outputs = [
        ("json", r#"{"value":"zwiebel"}"#),
        ("json", r#"{"system":"http://st-anna.example/mrn/everywoman"}"#),
        ("json", r#"{"gender":"f"}"#),
        ("json", "[true,false]"),
        ("json", "[2]"),
        ("hl7v2", "MSH|^~\\&|zwiebel\r"),
        ("text", "2"),
    ];
    for (format, output) in outputs {
        let make = |_: &mut View| output.to_owned();
        let of = |clearance| cleared(&message, opened(), format, &make, &clearance);
        let masked = Clearance::treatment().with(Class::Unknown, Clear::Mask);
        for clearance in [research(), masked, Clearance::none()] {
            let fault = of(clearance).expect_err(output);
            let is_denied =
                matches!(fault, ClearFault::Denied { classes, .. } if classes.has(Class::Unknown));
            assert!(is_denied, "{output}");
        }
        let cleared = of(Clearance::treatment()).expect(output);
        assert_eq!(text_of(&cleared, &message), output);
        assert!(cleared.classes().has(Class::Unknown), "{output} is shown masked");
    }
}

#[test]
fn a_code_that_the_plugin_did_not_bring_along_is_a_leak() {
    let message = parse("fhir-json", PATIENT);
    let written = |body: &'static str, component: &'static [u8]| {
        let grant = Grant::sealed_by_default();
        let view = policy().view(Input::Message(Arc::clone(&message)), &grant, SEED, 0);
        let (seals, _) = view.with_constants([Bytes::from_static(component)]).finish();
        let template = policy().output(&seals, "fhir-json", Bytes::from_static(body.as_bytes()));
        let input = Input::Template(Arc::new(template.expect("behaves")));
        policy().clear(&input, &message, &Clearance::treatment()).map(drop)
    };
    for body in [
        r#"{"gender":"female"}"#,
        r#"{"value":"zwiebel"}"#,
        r#"{"system":"http://st-anna.example/mrn/everywoman"}"#,
    ] {
        assert!(matches!(written(body, b"nothing"), Err(ClearFault::Leak(_))), "{body}");
        let held = b"..female..zwiebel..http://st-anna.example/mrn/everywoman..";
        assert_eq!(written(body, held), Ok(()), "{body}");
    }
}

#[test]
fn a_name_that_fhir_does_not_have_goes_where_the_unknown_may_go() {
    let message = parse("fhir-json", NAMED);
    let untouched =
        |clearance| policy().clear(&Input::Message(Arc::clone(&message)), &message, &clearance);
    let treated = untouched(Clearance::treatment()).expect("cleared");
    assert_eq!(text_of(&treated, &message), NAMED);
    let withheld = text_of(&untouched(research()).expect("cleared"), &message);
    assert_eq!(withheld, r#"{"resourceType":"Basic"}"#);
    let masked = Clearance::treatment().with(Class::Unknown, Clear::Mask);
    let masked = text_of(&untouched(masked).expect("cleared"), &message);
    assert_eq!(masked, r#"{"resourceType":"Basic","id":"x1"}"#);
    let fault = untouched(Clearance::none()).expect_err("denied").to_string();
    assert!(fault.starts_with("?: ") && !fault.contains("Everywoman"), "{fault}");

    // A plugin that has carried it unseen.
    let carried = |clearance| {
        let grant = Grant::sealed_by_default();
        cleared(&message, grant, "fhir-json", &body_of, &clearance)
    };
    assert_eq!(text_of(&carried(Clearance::treatment()).expect("cleared"), &message), NAMED);
    for clearance in [research(), Clearance::none()] {
        let fault = carried(clearance).expect_err("denied").to_string();
        assert!(!fault.contains("Everywoman"), "{fault}");
    }
    // Or has written the name elsewhere.
    let moved = |_: &mut View| r#"{"note":"EverywomanEve"}"#.to_owned();
    let moved = cleared(&message, Grant::sealed_by_default(), "json", &moved, &research());
    assert!(moved.is_err());
}

#[test]
fn a_name_that_fhir_does_not_have_is_shown_to_nobody() {
    let message = parse("fhir-json", NAMED);
    let shown = policy().shown(&message);
    assert!(!shown.contains("Everywoman") && shown.contains("resourceType"), "{shown}");
    let cleared =
        policy().clear(&Input::Message(Arc::clone(&message)), &message, &Clearance::treatment());
    let shown = shown_marked(message.bytes(), cleared.expect("cleared").marks());
    assert!(!shown.contains("Everywoman"), "{shown}");
    let mut view = policy().view(Input::Message(message), &opened(), SEED, 0);
    assert_eq!(view.scrub("of everywomaneve"), "of [phi:unknown]");
    drop(view.body());
    let (_, sights) = view.finish();
    assert!(sights.paths.contains_key("?.?.?"), "{:?}", sights.paths);
    assert!(sights.paths.keys().all(|it| !it.contains("Everywoman")));
}

#[test]
fn a_type_that_is_none_of_a_resource_is_a_value() {
    let message = parse(
        "fhir-json",
        r#"{"resourceType":"Patient","contact":[{"resourceType":"EverywomanEve"}],"text":{"resourceType":"Group"}}"#,
    );
    let input = Input::Message(Arc::clone(&message));
    let cleared = policy().clear(&input, &message, &research()).expect("cleared");
    assert_eq!(text_of(&cleared, &message), r#"{"resourceType":"Patient"}"#);
    let other = parse("fhir-json", r#"{"resourceType":"EverywomanEve","id":"x"}"#);
    assert_eq!(other.kind(), "");
    let input = Input::Message(Arc::clone(&other));
    let fault = policy().clear(&input, &other, &Clearance::none()).expect_err("denied");
    assert!(!fault.to_string().contains("Everywoman"), "{fault}");
}
