use std::sync::Arc;

use expect_test::{Expect, expect};
use hilum_message::TimeZone;

use super::*;
use crate::{Class, Clear, ClearFault, Clearance, Grant, Input, Policy, RunSeed, Sight};

const ADT: &str = "MSH|^~\\&|LAB|ANNA|||20260912||ADT^A01|7|P|2.5.1\r\
EVN|A01|202609121014\r\
PID|1||17^^^ANNA^MR~18^^^BEDA^PI||EVERY\\T\\WOMAN^EVE^\"\"||19800312|F\r\
OBX|1|TX|NOTE||SEEN \\H\\AND\\N\\ SENT\r\
OBX|2|NM|WEIGHT||70.50|kg\r";

const LIMITS: EditLimits = EditLimits { bytes_max: 1 << 20, number_max: 1_000 };

fn policy() -> Policy {
    Policy::new(TimeZone::UTC)
}

fn message(format: &str, bytes: &[u8]) -> Arc<Message> {
    Arc::new(Message::parse(format, Bytes::copy_from_slice(bytes)).expect("parses"))
}

fn view_of(message: &Arc<Message>, grant: &Grant) -> View {
    policy().view(Input::Message(Arc::clone(message)), grant, RunSeed([7; 16]), 0)
}

/// What a draft becomes at a destination that is cleared so.
fn cleared(
    message: &Arc<Message>,
    grant: &Grant,
    clearance: &Clearance,
    write: impl FnOnce(&mut View) -> Draft,
) -> Result<Bytes, ClearFault> {
    let mut view = view_of(message, grant);
    let draft = write(&mut view);
    let body = draft.finish().expect("finished");
    let (seals, _) = view.finish();
    let template = policy().output(&seals, draft.format(), body).expect("behaves");
    let input = Input::Template(Arc::new(template));
    let cleared = policy().clear(&input, message, clearance)?;
    Ok(cleared.assemble(message.bytes()).expect("whole"))
}

#[track_caller]
fn check(write: impl FnOnce(&mut View) -> Draft, expected: Expect) {
    let adt = message("hl7v2", ADT.as_bytes());
    let body = cleared(&adt, &Grant::sealed_by_default(), &Clearance::treatment(), write);
    let body = String::from_utf8(body.expect("cleared").to_vec()).expect("text");
    expected.assert_eq(&body.replace('\r', "\n"));
}

fn copy(view: &mut View) -> Draft {
    view.draft_of_message(LIMITS).expect("HL7 v2")
}

fn blank(view: &View) -> Draft {
    view.blank_draft("hl7v2", "ADT^A08", LIMITS).expect("a head")
}

#[test]
fn a_copy_that_nobody_edits_is_the_message_byte_for_byte() {
    let odd = b"\xef\xbb\xbfMSH|^~\\&|LAB||||||ADT^A01|7\r\n\nPID|1||17~||EVE^\\Zx\\|\"\"||\r\n";
    for bytes in [ADT.as_bytes(), odd] {
        let message = message("hl7v2", bytes);
        for grant in [Grant::sealed_by_default(), Grant::open_to_all()] {
            let body = cleared(&message, &grant, &Clearance::treatment(), copy);
            assert_eq!(body.expect("cleared"), bytes);
        }
    }
}

#[test]
fn a_value_is_set_escaped_and_a_token_writes_what_it_stands_for() {
    check(
        |view| {
            let mut draft = copy(view);
            let name = view.get("PID-5.1").expect("a path").expect("there");
            assert!(name.starts_with("ZQ"), "{name}");
            draft.set("PID-9.1", &name).expect("set");
            draft.set("PID-10", "A&B|C").expect("set");
            draft.set("MSH-3", "").expect("set");
            draft.set("ZPI-2", &format!("of {name}!")).expect("a new segment");
            draft
        },
        expect![[r#"
            MSH|^~\&||ANNA|||20260912||ADT^A01|7|P|2.5.1
            EVN|A01|202609121014
            PID|1||17^^^ANNA^MR~18^^^BEDA^PI||EVERY\T\WOMAN^EVE^""||19800312|F|EVERY\T\WOMAN|A\T\B\F\C
            OBX|1|TX|NOTE||SEEN \H\AND\N\ SENT
            OBX|2|NM|WEIGHT||70.50|kg
            ZPI||of EVERY\T\WOMAN!
        "#]],
    );
}

#[test]
fn parts_are_copied_whole_and_never_opened() {
    check(
        |view| {
            let mut draft = blank(view);
            let copied = |view: &mut View, draft: &mut Draft, origin: &str, target: &str| {
                view.copy_into(draft, origin, target).expect("copied").is_some()
            };
            assert!(copied(view, &mut draft, "PID-3", "PID-3"), "with its repetitions");
            assert!(copied(view, &mut draft, "PID-3[2]", "PID-2"));
            assert!(
                copied(view, &mut draft, "PID-5", "PID-5"),
                "with escapes, and what is deleted"
            );
            assert!(copied(view, &mut draft, "OBX[2]", "OBX"));
            assert!(copied(view, &mut draft, "OBX-5", "NTE[1]-3"));
            assert!(!copied(view, &mut draft, "PID-30", "PID-30"));
            assert!(!copied(view, &mut draft, "OBX[3]", "OBX[2]"));
            draft
        },
        expect![[r#"
            MSH|^~\&|||||||ADT^A08|||||||||UNICODE UTF-8
            PID||18^^^BEDA^PI|17^^^ANNA^MR~18^^^BEDA^PI||EVERY\T\WOMAN^EVE^""
            OBX|2|NM|WEIGHT||70.50|kg
            NTE|||SEEN \H\AND\N\ SENT
        "#]],
    );
    let adt = message("hl7v2", ADT.as_bytes());
    let mut view = view_of(&adt, &Grant::sealed_by_default());
    let mut draft = blank(&view);
    view.copy_into(&mut draft, "PID-5", "PID-5").expect("copied");
    assert!(view.finish().1.opened.is_empty());
}

#[test]
fn removing_counts_what_went() {
    check(
        |view| {
            let mut draft = copy(view);
            assert_eq!(draft.remove("OBX"), Ok(2));
            assert_eq!(draft.remove("PID-3"), Ok(2));
            assert_eq!(draft.remove("PID-5.2"), Ok(1));
            assert_eq!(draft.remove("NK1"), Ok(0));
            draft
        },
        expect![[r#"
            MSH|^~\&|LAB|ANNA|||20260912||ADT^A01|7|P|2.5.1
            EVN|A01|202609121014
            PID|1||||EVERY\T\WOMAN^^""||19800312|F
        "#]],
    );
}

#[test]
fn what_is_withheld_never_comes_out() {
    let adt = message("hl7v2", ADT.as_bytes());
    let grant = Grant::sealed_by_default().with(Class::Name, Sight::Withhold);
    let body = cleared(&adt, &grant, &Clearance::treatment(), |view| {
        let mut draft = copy(view);
        let mut copies = |origin, target| view.copy_into(&mut draft, origin, target);
        assert_eq!(copies("PID-5.1", "PID-9.1"), Err(Access::Withheld));
        assert_eq!(copies("PID-5", "PID-9"), Err(Access::Withheld), "not in part either");
        assert_eq!(copies("PID", "PID[2]"), Err(Access::Withheld));
        assert_eq!(copies("PID-3", "PID-2").map(|it| it.is_some()), Ok(true));
        draft
    });
    let body = String::from_utf8(body.expect("cleared").to_vec()).expect("text");
    assert!(!body.contains("WOMAN") && !body.contains("EVE"), "{body}");
    assert!(body.contains("PID|1|17^^^ANNA^MR~18^^^BEDA^PI|"), "{body}");
}

#[test]
fn a_drafts_values_keep_their_class_on_the_way_out() {
    let adt = message("hl7v2", ADT.as_bytes());
    let names_alone = Clearance::none().with(Class::Name, Clear::Withhold);
    let rest = Class::ALL.iter().filter(|it| **it != Class::Name);
    let clearance = rest.fold(names_alone, |it, class| it.with(*class, Clear::Open));
    let body = cleared(&adt, &Grant::sealed_by_default(), &clearance, |view| {
        let mut draft = blank(view);
        // Moved to where codes stand, a name is still a name.
        view.copy_into(&mut draft, "PID-5.1", "PID-8").expect("copied");
        draft.set("PID-1", "1").expect("set");
        draft
    });
    let body = String::from_utf8(body.expect("cleared").to_vec()).expect("text");
    assert!(body.ends_with("PID|1|||||||\r"), "{body}");
    // One that was opened and written in the plain is found.
    let open = Grant::sealed_by_default().with(Class::Identifier, Sight::Open);
    let leak = cleared(&adt, &open, &Clearance::treatment(), |view| {
        let mut draft = blank(view);
        draft.set("ZPI-1", "EVERY&WOMAN").expect("set");
        draft
    });
    assert!(matches!(leak, Err(ClearFault::Leak(_))), "{leak:?}");
}

#[test]
fn what_cannot_stand_there_is_a_typed_answer() {
    let adt = message("hl7v2", ADT.as_bytes());
    let mut view = view_of(&adt, &Grant::open_to_all());
    let mut draft = copy(&mut view);
    let before = draft.finish().expect("finished");
    for (path, value) in [
        ("MSH-2", "^~"),
        ("MSH-18", "8859/1"),
        ("OBX[4]-5", "not the next one"),
        ("MSH[2]-3", "a second head"),
        ("PID-1001", "too far"),
        ("PID-3[1001]", "too far"),
        ("ZPI-1001", "too far, and the segment is not left behind"),
    ] {
        assert!(matches!(draft.set(path, value), Err(Access::Unfit(_))), "{path}");
    }
    for path in ["PID", "PID-", "Patient.name", ""] {
        assert!(matches!(draft.set(path, "x"), Err(Access::MalformedPath(_))), "{path}");
    }
    assert_eq!(draft.finish().expect("finished"), before, "nothing was changed");
    assert!(matches!(view.copy_into(&mut draft, "PID-", "PID-1"), Err(Access::MalformedPath(_))));
    assert!(matches!(view.copy_into(&mut draft, "PID", "PV1"), Err(Access::Unfit(_))));
    let long = "x".repeat(1 << 20);
    assert!(matches!(draft.set("PID-9", &long), Err(Access::Unfit(_))), "over the limit");
    for kind in ["ADT|A01", "ADT^A01^B^C", "a\rPID", "ADT^A\u{e4}"] {
        assert!(view.blank_draft("hl7v2", kind, LIMITS).is_err(), "{kind}");
    }
    assert!(matches!(view.blank_draft("fhir-json", "Patient", LIMITS), Err(Access::Other(_))));
}

#[test]
fn a_draft_is_written_in_the_messages_own_character_set() {
    // Declared, and by the site's default where MSH-18 is empty.
    let declared = b"MSH|^~\\&|LAB||||||ADT^A01|7|P|2.5.1||||||8859/1\rPID|1||17||M\xfcller\r";
    let undeclared = b"MSH|^~\\&|LAB||||||ADT^A01|7|P|2.5.1\rPID|1||17||M\xfcller\r";
    let latin = Options { default_charset: Charset::Latin1 };
    for bytes in [&declared[..], &undeclared[..]] {
        let bytes = Bytes::copy_from_slice(bytes);
        let message = Message::parse_with("hl7v2", bytes.clone(), &latin).expect("parses");
        let message = Arc::new(message);
        let body =
            cleared(&message, &Grant::sealed_by_default(), &Clearance::treatment(), |view| {
                let mut draft = copy(view);
                draft.set("PID-9", "Gr\u{fc}n").expect("a letter that it has");
                assert!(matches!(draft.set("PID-9", "\u{4e00}"), Err(Access::Unfit(_))));
                draft
            });
        let expected = [&bytes[..bytes.len() - 1], b"||||Gr\xfcn\r"].concat();
        assert_eq!(body.expect("cleared"), expected);
        // A text that a plugin hands back is written so too.
        let mut view = view_of(&message, &Grant::sealed_by_default());
        let text = view.text().expect("text");
        let text = text.replace("LAB", "L\u{e4}B");
        let body = view.encoded("hl7v2", text).expect("it has all letters");
        assert!(body.windows(3).any(|it| it == b"L\xe4B"));
        assert_eq!(view.encoded("hl7v2", "MSH|^~\\&|\u{4e00}\r".to_owned()).is_none(), {
            message.bytes() == &undeclared[..]
        });
    }
}

#[test]
fn from_fhir_a_first_value_is_copied_and_other_formats_have_no_draft() {
    let patient = br#"{"resourceType":"Patient","name":[{"family":"EVERYWOMAN"}],"x":1.50}"#;
    let patient = message("fhir-json", patient);
    let body = cleared(&patient, &Grant::sealed_by_default(), &Clearance::treatment(), |view| {
        let mut draft = blank(view);
        let mut copied = |origin, target| view.copy_into(&mut draft, origin, target);
        assert_eq!(copied("Patient.name[0].family", "PID-5.1").map(|it| it.is_some()), Ok(true));
        assert_eq!(copied("x", "OBX-5").map(|it| it.is_some()), Ok(true));
        assert_eq!(copied("birthDate", "PID-7"), Ok(None));
        assert!(matches!(view.draft_of_message(LIMITS), Err(Access::Other(_))));
        draft
    });
    let body = String::from_utf8(body.expect("cleared").to_vec()).expect("text");
    assert!(body.contains("\rPID|||||EVERYWOMAN\rOBX|||||1.50\r"), "{body}");
    let csv = message("csv", b"a;b");
    let mut view = view_of(&csv, &Grant::open_to_all());
    assert_eq!(view.draft_of_message(LIMITS).err(), Some(Access::Unstructured));
}
