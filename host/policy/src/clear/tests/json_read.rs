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
    let withheld = text_of(&carried(research()).expect("cleared"), &message);
    assert_eq!(withheld, r#"{"resourceType":"Basic"}"#);
    let fault = carried(Clearance::none()).expect_err("denied").to_string();
    assert!(!fault.contains("Everywoman"), "{fault}");
    // Or has written the name elsewhere.
    let moved = |_: &mut View| r#"{"note":"EverywomanEve"}"#.to_owned();
    let moved = cleared(&message, Grant::sealed_by_default(), "json", &moved, &research());
    assert!(moved.is_err());
}

#[test]
fn a_view_seals_the_names_that_fhir_does_not_have() {
    let message = parse("fhir-json", NAMED);
    let body = |grant: Grant| {
        let mut view = policy().view(Input::Message(Arc::clone(&message)), &grant, SEED, 0);
        let body = view.body();
        (String::from_utf8(body.to_vec()).expect("text"), view.finish().1)
    };
    let (sealed, sights) = body(Grant::sealed_by_default());
    assert!(!sealed.contains("people") && !sealed.contains("Everywoman") && sealed.contains("id"));
    // Three names, and the value in them.
    assert_eq!(sights.sealed.count(Class::Unknown), 4);
    let withheld = Grant::sealed_by_default().with(Class::Unknown, Sight::Withhold);
    let (withheld, _) = body(withheld);
    assert!(!withheld.contains("people") && !withheld.contains("Everywoman"), "{withheld}");
    assert!(withheld.contains(r#":"""#), "{withheld}");
    let unknown = Grant::sealed_by_default().with(Class::Unknown, Sight::Open);
    let (open, sights) = body(unknown);
    assert!(open.contains(r#"{"EverywomanEve":{"room":"101"}}"#), "{open}");
    assert_eq!(sights.opened.count(Class::Unknown), 4);
}

#[test]
fn a_sealed_name_is_a_name_again_and_nothing_else_becomes_one() {
    let message = parse("fhir-json", NAMED);
    let sealed = Grant::sealed_by_default;
    let of = |make: &dyn Fn(&mut View) -> String| {
        cleared(&message, sealed(), "fhir-json", make, &Clearance::treatment())
    };
    // Over two steps, of which the second sees what the first made.
    let twice = run(
        &message,
        &[
            Step { grant: sealed(), format: "fhir-json", make: &body_of },
            Step { grant: sealed(), format: "fhir-json", make: &body_of },
        ],
    );
    let cleared = policy().clear(&twice, &message, &Clearance::treatment()).expect("cleared");
    assert_eq!(text_of(&cleared, &message), NAMED);
    // The second may see what the first may not.
    let seen = |view: &mut View| {
        assert!(body_of(view).contains("EverywomanEve"));
        body_of(view)
    };
    let opened = run(
        &message,
        &[
            Step { grant: sealed(), format: "fhir-json", make: &body_of },
            Step { grant: opened(), format: "fhir-json", make: &seen },
        ],
    );
    let cleared = policy().clear(&opened, &message, &Clearance::treatment()).expect("cleared");
    assert_eq!(text_of(&cleared, &message), NAMED);

    let token_of = |view: &mut View, before: &str| {
        let body = body_of(view);
        let at = body.find(before).expect("there") + before.len();
        body[at..at + 14].to_owned()
    };
    // A value's token in a name, a part of a name, a name that another member has.
    let value = |view: &mut View| format!(r#"{{"{}":1}}"#, token_of(view, r#""id":""#));
    let part = |view: &mut View| format!(r#"{{"x{}":1}}"#, token_of(view, r#""Basic",""#));
    let twice =
        |view: &mut View| format!(r#"{{"{}":1,"people":2}}"#, token_of(view, r#""Basic",""#));
    for make in [&value as &dyn Fn(&mut View) -> String, &part] {
        assert!(matches!(of(make), Err(ClearFault::CannotUnseal { .. })));
    }
    assert!(of(&twice).is_err());
    // As a value a name is a text.
    let moved = |view: &mut View| format!(r#"{{"x":"{}"}}"#, token_of(view, r#""Basic",""#));
    assert_eq!(text_of(&of(&moved).expect("cleared"), &message), r#"{"x":"people"}"#);
}

#[test]
fn what_a_step_has_read_leaves_as_the_element_where_it_stands() {
    let message = parse(
        "fhir-json",
        r#"{"resourceType":"Patient","name":[{"family":"Li"}],"gender":"male"}"#,
    );
    let named = Grant::sealed_by_default().with(Class::Name, Sight::Open);
    let written = |_: &mut View| {
        r#"{"resourceType":"Patient","id":"x","name":[{"family":"Li"}],"gender":"male"}"#.to_owned()
    };
    let of = |grant: &Grant, clear| {
        let clearance = Clearance::treatment().with(Class::Name, clear);
        let cleared = cleared(&message, grant.clone(), "fhir-json", &written, &clearance);
        text_of(&cleared.expect("cleared"), &message)
    };
    // No search finds two letters.
    assert!(of(&named, Clear::Open).contains("Li"));
    assert!(of(&named, Clear::Mask).contains(r#""id":"x","name":[{"family":"***"}]"#));
    assert_eq!(
        of(&named, Clear::Withhold),
        r#"{"resourceType":"Patient","id":"x","gender":"male"}"#
    );
    // Who has read no name writes what it likes.
    assert!(of(&Grant::sealed_by_default(), Clear::Withhold).contains("Li"));
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
