use std::rc::Rc;

use super::*;
use crate::hl7::Hl7;
use crate::native::{self, Desk};
use crate::{Body, Output};

const ADT: &str = "MSH|^~\\&|||||||ADT^A01\rPID|1||7";

/// The outputs of what `fill` puts into a bundle, on a desk with settings.
fn outputs(settings: &[(&str, &str)], fill: impl FnOnce(&mut Bundle<'_>)) -> Vec<Output> {
    let mut desk = Desk::new(ADT);
    for (key, value) in settings {
        desk = desk.setting(key, value);
    }
    native::call(Rc::new(desk), |message| {
        let hl7 = Hl7::read(message).expect("a message");
        let ctx = Context::new(message, &hl7);
        let mut bundle = Bundle::new(&ctx);
        fill(&mut bundle);
        bundle.outputs()
    })
}

/// The JSON of the transaction, with its ids numbered as they come.
fn transaction(fill: impl FnOnce(&mut Bundle<'_>)) -> String {
    let outputs = outputs(&[], fill);
    assert_eq!(outputs.len(), 1);
    short(text(&outputs[0]))
}

fn text(output: &Output) -> &str {
    match &output.body {
        Body::Text(text) => text,
        _ => panic!("a bundle is text"),
    }
}

/// With the ids numbered as they come.
fn short(text: &str) -> String {
    let mut ids: Vec<&str> = text.split("urn:uuid:").skip(1).map(|it| &it[..36]).collect();
    let mut seen = Vec::new();
    ids.retain(|id| {
        let is_new = !seen.contains(id);
        seen.push(id);
        is_new
    });
    let numbered = ids.iter().enumerate();
    let whole = text.replace("urn:uuid:", "urn:");
    numbered.fold(whole, |text, (at, id)| text.replace(*id, &(at + 1).to_string()))
}

#[track_caller]
fn check(fill: impl FnOnce(&mut Bundle<'_>), entries: &[&str]) {
    let expected = match entries.is_empty() {
        true => r#"{"resourceType":"Bundle","type":"transaction"}"#.to_owned(),
        false => format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
            entries.join(",")
        ),
    };
    assert_eq!(transaction(fill), expected);
}

fn patient(bundle: &mut Bundle<'_>) {
    bundle.patient(Identifier::new(Some("urn:oid:1.2"), "7"), |w, _| {
        w.text("gender", Some("female"));
    });
}

const PATIENT: &str = r#"{"fullUrl":"urn:1","resource":{"resourceType":"Patient","gender":"female"},"request":{"method":"PUT","url":"Patient?identifier=urn:oid:1.2|7"}}"#;

#[test]
fn a_patient_is_found_by_its_identifier() {
    check(patient, &[PATIENT]);
}

#[test]
fn what_stays_empty_is_no_entry() {
    check(
        |bundle| {
            let urn = bundle.add("Account", "Account[1]", Identity::derived("1"), |_, _| {});
            assert_eq!(urn, None);
            assert!(bundle.is_empty());
        },
        &[],
    );
}

#[test]
fn a_derived_identifier_is_written_and_searched_for() {
    check(
        |bundle| {
            patient(bundle);
            bundle.add("Condition", "Condition[1]", Identity::derived("I10"), |w, refs| {
                refs.to(w, "subject", "Patient");
                assert!(!refs.to(w, "encounter", "Encounter"));
            });
        },
        &[
            PATIENT,
            r#"{"fullUrl":"urn:2","resource":{"resourceType":"Condition","subject":{"reference":"urn:1"},"identifier":[{"system":"urn:3","value":"urn:oid:1.2/7-Condition-I10"}]},"request":{"method":"PUT","url":"Condition?identifier=urn:3|urn:oid:1.2/7-Condition-I10"}}"#,
        ],
    );
}

#[test]
fn a_map_with_identifiers_of_its_own_writes_the_derived_one_among_them() {
    let outputs = outputs(&[("system.derived", "https://x.example/d")], |bundle| {
        patient(bundle);
        bundle.add("Coverage", "Coverage[1]", Identity::derived("1"), |w, refs| {
            w.array("identifier", |w| {
                w.element(|w| {
                    w.text("value", Some("own"));
                });
                refs.derived_identifier(w);
            });
        });
    });
    let text = text(&outputs[0]);
    assert_eq!(text.matches("\"identifier\":").count(), 1, "{text}");
    assert!(text.contains(r#""identifier":[{"value":"own"},{"system":"https://x.example/d","value":"urn:oid:1.2/7-Coverage-1"}]"#), "{text}");
    assert!(
        text.contains(
            r#""url":"Coverage?identifier=https://x.example/d|urn:oid:1.2/7-Coverage-1""#
        ),
        "{text}"
    );
}

fn practitioner(w: &mut Writer, refs: &mut Refs<'_, '_>, key: &str, number: Option<&str>) -> bool {
    let identifier = number.map(|it| Identifier::new(Some("urn:oid:9"), it));
    refs.mention(w, key, "Practitioner", identifier, |w, _| {
        w.text("active", Some("name"));
    })
}

#[test]
fn who_is_mentioned_by_an_identifier_is_one_entry_whoever_mentions_it() {
    check(
        |bundle| {
            for name in ["Encounter[1]", "Encounter[2]"] {
                bundle.add("Encounter", name, Identity::Message, |w, refs| {
                    assert!(practitioner(w, refs, "a", Some("5")));
                });
            }
        },
        &[
            r#"{"fullUrl":"urn:1","resource":{"resourceType":"Practitioner","active":"name"},"request":{"method":"POST","url":"Practitioner","ifNoneExist":"identifier=urn:oid:9|5"}}"#,
            r#"{"fullUrl":"urn:2","resource":{"resourceType":"Encounter","a":{"reference":"urn:1"},"id":"2"},"request":{"method":"PUT","url":"Encounter/2"}}"#,
            r#"{"fullUrl":"urn:3","resource":{"resourceType":"Encounter","a":{"reference":"urn:1"},"id":"3"},"request":{"method":"PUT","url":"Encounter/3"}}"#,
        ],
    );
}

#[test]
fn who_has_none_is_contained_once() {
    check(
        |bundle| {
            bundle.add(
                "Encounter",
                "Encounter[1]",
                Identity::Identifier(Identifier::new(None, "1")),
                |w, refs| {
                    practitioner(w, refs, "a", None);
                    practitioner(w, refs, "b", None);
                    refs.mention(w, "c", "Practitioner", None, |w, _| {
                        w.text("active", Some("other"));
                    });
                    assert!(!refs.mention(w, "d", "Practitioner", None, |_, _| {}));
                },
            );
        },
        &[
            r##"{"fullUrl":"urn:1","resource":{"resourceType":"Encounter","a":{"reference":"#practitioner-1"},"b":{"reference":"#practitioner-1"},"c":{"reference":"#practitioner-2"},"contained":[{"resourceType":"Practitioner","active":"name","id":"practitioner-1"},{"resourceType":"Practitioner","active":"other","id":"practitioner-2"}]},"request":{"method":"PUT","url":"Encounter?identifier=|1"}}"##,
        ],
    );
}

#[test]
fn what_is_contained_may_mention_what_is_contained_beside_it() {
    check(
        |bundle| {
            let identity = Identity::Identifier(Identifier::new(None, "1"));
            bundle.add("Encounter", "Encounter[1]", identity, |w, refs| {
                refs.mention(w, "a", "PractitionerRole", None, |w, refs| {
                    practitioner(w, refs, "practitioner", None);
                    practitioner(w, refs, "known", Some("5"));
                });
            });
        },
        &[
            r#"{"fullUrl":"urn:1","resource":{"resourceType":"Practitioner","active":"name"},"request":{"method":"POST","url":"Practitioner","ifNoneExist":"identifier=urn:oid:9|5"}}"#,
            r##"{"fullUrl":"urn:2","resource":{"resourceType":"Encounter","a":{"reference":"#practitionerrole-1"},"contained":[{"resourceType":"Practitioner","active":"name","id":"practitioner-1"},{"resourceType":"PractitionerRole","practitioner":{"reference":"#practitioner-1"},"known":{"reference":"urn:1"},"id":"practitionerrole-1"}]},"request":{"method":"PUT","url":"Encounter?identifier=|1"}}"##,
        ],
    );
}

#[test]
fn what_is_left_out_takes_what_it_mentioned_with_it() {
    check(
        |bundle| {
            patient(bundle);
            let urn = bundle.add("Condition", "Condition[1]", Identity::derived("1"), |w, refs| {
                practitioner(w, refs, "a", Some("5"));
                practitioner(w, refs, "b", None);
                refs.leave_out();
            });
            assert_eq!(urn, None);
        },
        &[PATIENT],
    );
    check(
        |bundle| {
            let identity = Identity::Identifier(Identifier::new(None, "1"));
            bundle.add("Encounter", "Encounter[1]", identity, |w, refs| {
                w.text("status", Some("planned"));
                refs.mention(w, "a", "PractitionerRole", None, |w, refs| {
                    practitioner(w, refs, "practitioner", None);
                    practitioner(w, refs, "known", Some("5"));
                    refs.leave_out();
                });
            });
        },
        &[
            r#"{"fullUrl":"urn:1","resource":{"resourceType":"Encounter","status":"planned"},"request":{"method":"PUT","url":"Encounter?identifier=|1"}}"#,
        ],
    );
}

#[test]
fn settings_choose_the_types_of_bundle() {
    let fill = |bundle: &mut Bundle<'_>| {
        patient(bundle);
        bundle.head(|w| {
            w.text("timestamp", Some("t"));
        });
        bundle.add("Provenance", "Provenance[1]", Identity::None, |w, _| {
            w.text("recorded", Some("t"));
        });
        bundle.add("MessageHeader", "MessageHeader[1]", Identity::None, |w, _| {
            w.text("definition", Some("d"));
        });
    };
    let all = outputs(&[("transaction", "a, b"), ("collection", ""), ("message", "c")], fill);
    let destinations: Vec<_> = all.iter().map(|it| it.destinations.as_slice()).collect();
    // None for the collection: it would go to all.
    assert_eq!(destinations, [&["a".to_owned(), "b".to_owned()][..], &["c".to_owned()]]);
    assert!(all.iter().all(|it| it.format.as_deref() == Some("fhir-json")));
    let [transaction, message] = [0, 1].map(|it| short(text(&all[it])));
    assert!(
        transaction
            .starts_with(r#"{"resourceType":"Bundle","type":"transaction","timestamp":"t","#)
    );
    assert!(!transaction.contains("Provenance") && !transaction.contains("MessageHeader"));
    assert_eq!(
        message,
        r#"{"resourceType":"Bundle","type":"message","timestamp":"t","entry":[{"fullUrl":"urn:1","resource":{"resourceType":"MessageHeader","definition":"d"}},{"fullUrl":"urn:2","resource":{"resourceType":"Patient","gender":"female"}},{"fullUrl":"urn:3","resource":{"resourceType":"Provenance","recorded":"t"}}]}"#
    );
    let collection = outputs(&[("collection", "c")], fill);
    let collection = text(&collection[0]);
    assert!(collection.contains("Patient") && !collection.contains("request"));
    assert!(!collection.contains("Provenance"));
}

#[test]
fn urls_are_the_same_for_the_same_message() {
    let [a, b] = [0, 1].map(|_| outputs(&[], patient).remove(0));
    assert_eq!(text(&a), text(&b));
    check(
        |bundle| {
            let known = bundle.urn("Account[1]");
            let made = bundle.add("Account", "Account[1]", Identity::Message, |w, refs| {
                assert_eq!(refs.own(), known);
                w.text("name", Some("x"));
            });
            assert_eq!(made.as_ref(), Some(&known));
            assert_eq!(bundle.last("Account"), Some(known));
            assert_eq!(bundle.last("Patient"), None);
        },
        &[
            r#"{"fullUrl":"urn:1","resource":{"resourceType":"Account","name":"x","id":"1"},"request":{"method":"PUT","url":"Account/1"}}"#,
        ],
    );
}

#[test]
fn who_is_mentioned_by_a_number_that_cannot_be_read_is_contained() {
    // Each place has a token of its own, also where the number is the same: two entries would create one
    // practitioner twice, and a server may refuse the transaction for it.
    let outputs = outputs(&[], |bundle| {
        patient(bundle);
        bundle.add("Encounter", "Encounter[1]", Identity::derived("1"), |w, refs| {
            for (key, token) in [("a", "ZQ7K3M9XA2WB4T"), ("b", "ZQ7K3M9XA2WB4S")] {
                let number = Identifier::new(Some("urn:oid:1.3"), token);
                refs.mention(w, key, "Practitioner", Some(number), |w, _| {
                    w.text("gender", Some(token));
                });
            }
        });
    });
    let text = text(&outputs[0]);
    assert!(!text.contains("ifNoneExist"), "{text}");
    assert_eq!(text.matches(r##""reference":"#practitioner-"##).count(), 2, "{text}");
}

#[test]
fn without_a_patient_a_resource_is_the_messages_own() {
    // `-Observation-8867-4` would be the result of whoever else comes without a patient, too.
    let outputs = outputs(&[], |bundle| {
        bundle.add("Observation", "Observation[1]", Identity::derived("8867-4"), |w, _| {
            w.text("status", Some("final"));
        });
    });
    let text = text(&outputs[0]);
    assert!(text.contains(r#""method":"PUT","url":"Observation/"#), "{text}");
    assert!(!text.contains("8867-4"), "{text}");
}
