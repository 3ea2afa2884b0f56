//! What senders over HTTP are told.

use expect_test::{Expect, expect};

use super::*;

const PATIENT: &str = r#"{"resourceType":"Patient","multipleBirthInteger":1.10,"x-own":[{}]}"#;

fn ask(middle: &Middle, format: BodyFormat, wish: Wish, body: &str) -> HttpAnswer {
    ask_with(middle, format, wish, body, None)
}

fn ask_with(
    middle: &Middle,
    format: BodyFormat,
    wish: Wish,
    body: &str,
    key: Option<&str>,
) -> HttpAnswer {
    let inbound = HttpInbound {
        format,
        content: Bytes::copy_from_slice(body.as_bytes()),
        charset: None,
        resource: None,
        wish,
        peer: peer(),
        received: Timestamp::from_micros(middle.twin.doors().clock.now_micros()),
        idempotency_key: key.map(str::to_owned),
        request_id: "0d6e5a7c-9f0b-4c1e-8a51-2f6f7b1c9d3e".to_owned(),
        trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    };
    let intake = Arc::clone(&middle.intake);
    middle.twin.block_on(async move { intake.receive_http(inbound).await })
}

/// Status, type and body, without ids and times.
fn shown(answer: &HttpAnswer) -> String {
    let body = String::from_utf8_lossy(&answer.body).replace('\r', "\n");
    let body = match answer.message {
        Some(id) => body.replace(&id.to_string(), "ID"),
        None => body,
    };
    let body = body
        .lines()
        .filter(|it| !it.starts_with("MSH|") && !it.starts_with("BHS|"))
        .collect::<Vec<_>>()
        .join("\n");
    format!("{} {} {body}", answer.status, answer.content_type)
}

#[track_caller]
fn check(middle: &Middle, format: BodyFormat, wish: Wish, body: &str, expected: Expect) {
    expected.assert_eq(&shown(&ask(middle, format, wish, body)));
}

fn open() -> Middle {
    with(&[], |it| it.unrouted = Unrouted::Accept)
}

fn body_of_last(middle: &Middle) -> Bytes {
    let id = middle.store.recent(1, None)[0].message;
    middle.store.body(id).expect("there")
}

#[test]
fn what_is_stored_is_202_in_the_senders_words() {
    use BodyFormat::{FhirJson, Hl7v2};
    let middle = open();
    check(&middle, Hl7v2, Wish::Hl7v2, ADT, expect!["202 application/hl7-v2 MSA|AA|7"]);
    check(
        &middle,
        Hl7v2,
        Wish::Problem,
        ADT,
        expect![[r#"202 application/json {"message":"ID","state":"stored"}"#]],
    );
    check(
        &middle,
        FhirJson,
        Wish::Fhir,
        PATIENT,
        expect![[
            r#"202 application/fhir+json {"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational","diagnostics":"the message is stored"}]}"#
        ]],
    );
    assert_eq!(body_of_last(&middle), PATIENT, "decimals, unknown members: byte for byte");
    let id = middle.store.recent(1, None)[0].message;
    let envelope = middle.store.message(id).expect("known").envelope;
    assert!(envelope.trace.is_some_and(|it| it.starts_with("00-0af7")));
    let record = &middle.store.trail(id).expect("a trail")[0];
    assert!(record.facts.iter().any(|(key, _)| key.to_string() == "request"));
}

#[test]
fn what_is_wrong_is_said_by_place_and_code() {
    use BodyFormat::{FhirJson, Hl7v2};
    let middle = open();
    let twice = r#"{"resourceType":"Patient","id":"1","id":"2"}"#;
    check(
        &middle,
        FhirJson,
        Wish::Fhir,
        twice,
        expect![[
            r#"400 application/fhir+json {"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"structure","diagnostics":"the body is not taken as JSON: byte 35: a member stands twice in its object"}]}"#
        ]],
    );
    for no_resource in ["[]", "1", "{}", r#"{"resourceType":"Zwiebel Fisch"}"#] {
        let answer = ask(&middle, FhirJson, Wish::Problem, no_resource);
        assert_eq!((answer.status, answer.content_type), (400, "application/problem+json"));
        assert!(!shown(&answer).contains("Zwiebel"), "{}", shown(&answer));
    }
    check(
        &middle,
        Hl7v2,
        Wish::Problem,
        &ADT.replace("ADT^A01^ADT_A01", ""),
        expect![[
            r#"422 application/problem+json {"type":"urn:hilum:problem:required-field-missing","title":"Unprocessable Content","status":422,"detail":"MSH-9: required field is missing","errors":[{"code":"required","detail":"MSH-9: required field is missing","at":"MSH-9"}]}"#
        ]],
    );
    check(
        &middle,
        Hl7v2,
        Wish::Hl7v2,
        "nothing",
        expect![[r#"
        400 application/hl7-v2 MSA|AR
        ERR|||100^Segment sequence error^HL70357|E||||this is no HL7 v2 message: no usable MSH"#]],
    );
    assert_eq!(middle.store.recent(10, None).len(), 0);
    let method = hilum_answer::Refusal::Request(hilum_answer::RequestFault::Method);
    assert_eq!(middle.intake.refuse_http(&method, Wish::Fhir).status, 405);
    let busy = middle.intake.refuse_http(&hilum_answer::Refusal::Busy, Wish::Problem);
    assert_eq!((busy.status, busy.retry_after.is_some()), (503, true));
}

#[test]
fn what_is_processed_is_200_and_what_a_plugin_refuses_is_422() {
    use BodyFormat::Hl7v2;
    let middle = processed(&[]);
    middle.start_worker();
    check(&middle, Hl7v2, Wish::Hl7v2, ADT, expect!["200 application/hl7-v2 MSA|AA|7"]);
    // In the enhanced mode there is one answer all the same: the one that says most.
    let enhanced = adt("8", "AL", "AL");
    check(&middle, Hl7v2, Wish::Hl7v2, &enhanced, expect!["200 application/hl7-v2 MSA|AA|8"]);
    let commit = adt("9", "AL", "NE");
    check(&middle, Hl7v2, Wish::Hl7v2, &commit, expect!["202 application/hl7-v2 MSA|CA|9"]);

    let middle = processed(&[refuses()]);
    middle.start_worker();
    check(
        &middle,
        Hl7v2,
        Wish::Hl7v2,
        ADT,
        expect![[r#"
            422 application/hl7-v2 MSA|AE|7
            ERR||PID^1^3|101^Required field missing^HL70357|E||||missing"#]],
    );
    let answer = ask(&middle, Hl7v2, Wish::Fhir, &ADT.replace("|7|", "|8|"));
    assert!(answer.message.is_some(), "it is stored");
    let said = shown(&answer);
    assert!(said.contains(r#""diagnostics":"PID-3: missing""#), "{said}");
    assert!(!said.contains("expression"), "no FHIRPath names a field: {said}");

    let slow = with(&[], |it| it.ack = AckPoint::Processed);
    let answer = ask(&slow, Hl7v2, Wish::Problem, ADT);
    assert_eq!((answer.status, answer.retry_after.is_some()), (503, true));
}

#[test]
fn an_acknowledgement_that_nobody_waits_for_is_not_taken_and_the_sender_hears_so() {
    use BodyFormat::Hl7v2;
    const ACK: &str = "MSH|^~\\&|A|B|C|D|2026||ACK|9|P|2.5\rMSA|AA|1\r";
    let mut middle = open();
    for wish in [Wish::Hl7v2, Wish::Problem] {
        let answer = ask(&middle, Hl7v2, wish, ACK);
        assert_eq!((answer.status, answer.content_type), (409, "application/problem+json"));
        let said = shown(&answer);
        assert!(said.contains("no message here waits for this acknowledgement"), "{said}");
    }
    let answer = ask(&middle, Hl7v2, Wish::Fhir, ACK);
    assert_eq!((answer.status, answer.content_type), (409, "application/fhir+json"));
    let batch = format!("{ACK}{}", ACK.replace("|9|", "|8|"));
    let answer = ask(&middle, Hl7v2, Wish::Problem, &batch);
    assert_eq!(answer.status, 409, "{}", shown(&answer));
    assert!(!shown(&ask(&middle, Hl7v2, Wish::Hl7v2, &batch)).contains("MSA|"));
    assert_eq!(middle.store.recent(10, None).len(), 0);
    let intake = Arc::into_inner(middle.intake).expect("nobody else has it");
    middle.intake = Arc::new(intake.with_replies(Arc::new(|id: &[u8], _, _| id == b"1")));
    check(&middle, Hl7v2, Wish::Hl7v2, ACK, expect!["200 application/hl7-v2 "]);
    // A response with content is a message.
    let result = ACK.replace("||ACK|", "||ORF^R04|") + "OBX|1\r";
    assert_eq!(ask(&middle, Hl7v2, Wish::Hl7v2, &result).status, 202);
}

#[test]
fn an_idempotency_key_makes_a_repeat_known() {
    let middle = with(&[], |it| {
        it.unrouted = Unrouted::Accept;
        it.on_reused = OnReused::Refuse;
    });
    let count = |middle: &Middle| middle.store.recent(10, None).len();
    let send = |key, body| ask_with(&middle, BodyFormat::FhirJson, Wish::Problem, body, key);
    let first = send(Some("k1"), PATIENT);
    let again = send(Some("k1"), PATIENT);
    assert_eq!((again.status, again.message), (202, first.message));
    assert_eq!(count(&middle), 1);
    send(Some("k2"), PATIENT);
    assert_eq!(count(&middle), 2);
    send(None, PATIENT);
    send(None, PATIENT);
    assert_eq!(count(&middle), 4, "nothing says that they are the same");
    let other = send(Some("k1"), r#"{"resourceType":"Patient"}"#);
    assert_eq!(other.status, 409);
    assert!(shown(&other).contains("reused-idempotency-key"), "{}", shown(&other));
    // The same bytes may mean something else as another format, and a key is its sender's own.
    let text = |key| {
        let plain = BodyFormat::Opaque(Name::from("text/plain"));
        ask_with(&middle, plain, Wish::Problem, PATIENT, Some(key)).message
    };
    assert_eq!(text("k1"), text("k1"));
    assert_ne!(text("k1"), first.message);
    // HL7 v2 has its own.
    let hl7 = |key| ask_with(&middle, BodyFormat::Hl7v2, Wish::Problem, ADT, Some(key)).message;
    assert_eq!(hl7("k1"), hl7("k2"));
}

#[test]
fn any_other_body_is_taken_as_it_is_and_under_no_false_name() {
    let middle = open();
    let format = |name: &str| {
        let body = "\u{0}MSH|anything";
        let answer = ask(&middle, BodyFormat::Opaque(Name::from(name)), Wish::Problem, body);
        assert_eq!(answer.status, 202);
        assert_eq!(body_of_last(&middle), body);
        middle.store.message(answer.message.expect("an id")).expect("known").format.to_string()
    };
    assert_eq!(format("application/pdf"), "application/pdf");
    assert_eq!(format("hl7v2"), "opaque");
    assert_eq!(format("json"), "opaque");
    assert_eq!(format("Zwiebel Fisch"), "opaque");
    assert_eq!(format("application/zwiebelfisch"), "opaque", "a sender may write anything there");
    assert_eq!(format("text/csv"), "text/csv");
    assert_eq!(format(""), "opaque");
}

#[test]
fn a_batch_has_one_answer_in_any_words() {
    use BodyFormat::Hl7v2;
    let middle = with(&[], |it| it.batch_answer = BatchAnswer::Singly);
    let wrong = ADT.replace("ADT^A01^ADT_A01", "").replace("|7|", "|8|");
    let batch = format!("{ADT}{wrong}");
    check(
        &middle,
        Hl7v2,
        Wish::Hl7v2,
        &batch,
        expect![[r#"
            202 application/hl7-v2 MSA|AA|7
            MSA|AE|8
            ERR||MSH^1^9|101^Required field missing^HL70357|E||||MSH-9: required field is missing
            BTS|2"#]],
    );
    let answer = ask(&middle, Hl7v2, Wish::Problem, &batch);
    let said = shown(&answer);
    assert!(said.contains(r#""stored":1,"refused":1"#), "{said}");
    assert!(said.contains(r#""number":2,"type":"urn:hilum:problem:required-field-missing""#));
    let said = shown(&ask(&middle, Hl7v2, Wish::Fhir, &batch));
    assert!(said.contains("message 2: MSH-9: required field is missing"), "{said}");
    let all_wrong = ask(&middle, Hl7v2, Wish::Problem, &format!("{wrong}{wrong}"));
    assert_eq!(all_wrong.status, 422);
}

#[test]
fn only_what_can_be_nothing_else_goes_into_the_trail() {
    let middle = open();
    let inbound = |request: &str, trace: &str| HttpInbound {
        format: BodyFormat::Opaque(Name::from("text/plain")),
        content: Bytes::from_static(b"x"),
        charset: None,
        resource: None,
        wish: Wish::Problem,
        peer: peer(),
        received: Timestamp::from_micros(0),
        idempotency_key: None,
        request_id: request.to_owned(),
        trace: Some(trace.to_owned()),
    };
    for (request, trace) in [("Zwiebelfisch", "Zwiebelfisch"), ("4711-0815", "00-1-2-3"), ("", "")]
    {
        let intake = Arc::clone(&middle.intake);
        let inbound = inbound(request, trace);
        let answer = middle.twin.block_on(async move { intake.receive_http(inbound).await });
        let id = answer.message.expect("stored");
        assert_eq!(middle.store.message(id).expect("known").envelope.trace, None);
        let records = middle.store.trail(id).expect("a trail");
        assert!(records[0].facts.iter().all(|(key, _)| key.to_string() != "request"));
    }
}

#[test]
fn a_character_set_that_only_the_request_names_has_to_be_the_listeners() {
    let ask = |text: &str, charset: &str, own: Option<&str>| {
        let middle = with(&[], |it| {
            it.charset =
                own.and_then(|own| hilum_message::hl7v2::Charset::from_any_name(own.as_bytes()));
        });
        let inbound = HttpInbound {
            format: BodyFormat::Hl7v2,
            content: Bytes::copy_from_slice(text.as_bytes()),
            charset: Some(charset.to_owned()),
            resource: None,
            wish: Wish::Problem,
            peer: peer(),
            received: Timestamp::from_micros(0),
            idempotency_key: None,
            request_id: String::new(),
            trace: None,
        };
        let intake = Arc::clone(&middle.intake);
        middle.twin.block_on(async move { intake.receive_http(inbound).await }).status
    };
    let umlaut = ADT.replace("EVERYWOMAN", "JÄGER");
    assert_eq!(ask(&umlaut, "utf-8", None), 202);
    assert_eq!(ask(&umlaut, "iso-8859-1", None), 415);
    assert_eq!(ask(&umlaut, "iso-8859-1", Some("8859/1")), 202);
    assert_eq!(ask(&umlaut, "Zwiebelfisch", None), 415);
    assert_eq!(ask(ADT, "iso-8859-1", None), 202, "ASCII is the same in all");
    let named = umlaut.replace("2.5.1", "2.5.1||||||8859/1");
    assert_eq!(ask(&named, "windows-1252", None), 202, "MSH-18 says it");
}

#[test]
fn a_url_that_names_a_resource_has_to_name_that_of_the_body() {
    let middle = open();
    let ask = |resource_type: &str, id: Option<&str>, body: &'static str| {
        let inbound = HttpInbound {
            format: BodyFormat::FhirJson,
            content: Bytes::from_static(body.as_bytes()),
            charset: None,
            resource: Some(ResourceUrl {
                resource_type: resource_type.to_owned(),
                id: id.map(str::to_owned),
            }),
            wish: Wish::Fhir,
            peer: peer(),
            received: Timestamp::from_micros(0),
            idempotency_key: None,
            request_id: String::new(),
            trace: None,
        };
        let intake = Arc::clone(&middle.intake);
        middle.twin.block_on(async move { intake.receive_http(inbound).await })
    };
    let named = r#"{"resourceType":"Patient","id":"p1"}"#;
    assert_eq!(ask("Patient", None, named).status, 202);
    assert_eq!(ask("Patient", Some("p1"), named).status, 202);
    assert_eq!(ask("Patient", None, PATIENT).status, 202);
    for other in [
        ask("Person", None, named),
        ask("Patient", Some("p2"), named),
        ask("Patient", Some("p1"), PATIENT),
        ask("Patient", Some("p1"), r#"{"resourceType":"Patient","id":["p1"]}"#),
    ] {
        expect![[r#"400 application/fhir+json {"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"value","diagnostics":"the URL names another type or id than the resource in the body"}]}"#]]
            .assert_eq(&shown(&other));
    }
}

#[test]
fn the_record_of_an_arrival_says_what_was_answered_over_http() {
    for (ack, told) in [(AckPoint::Stored, "HTTP 202"), (AckPoint::Processed, "after processing")] {
        let middle = with(&[], |it| (it.ack, it.unrouted) = (ack, Unrouted::Accept));
        drop(ask(&middle, BodyFormat::FhirJson, Wish::Fhir, PATIENT));
        let id = middle.store.recent(1, None)[0].message;
        let trail = middle.store.trail(id).expect("a trail");
        assert_eq!(trail[0].find("told").map(ToString::to_string).as_deref(), Some(told));
    }
}
