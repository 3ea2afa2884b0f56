//! What results become, on the desk: every value open, one message for each promise.

#![expect(clippy::expect_used, reason = "a test says what it expects")]

use std::rc::Rc;

use hilum_sdk::native::{self, Desk};
use hilum_sdk::{Body, Refusal};
use oru_to_fhir::map;

const HEAD: &str = "MSH|^~\\&|LAB|A|B|C|20260912101500+0200||ORU^R01^ORU_R01|1|P|2.5.1\r\
                    PID|1||4711^^^ANNA||DOE^EVE\r";

/// The Bundle of these segments.
fn mapped(segments: &str, settings: &[(&str, &str)]) -> Result<String, Refusal> {
    mapped_after(HEAD, segments, settings)
}

fn mapped_after(head: &str, segments: &str, settings: &[(&str, &str)]) -> Result<String, Refusal> {
    let text = [head, &segments.replace('\n', "\r")].concat();
    let mut desk = Desk::new(&text);
    for (key, value) in settings {
        desk = desk.setting(key, value);
    }
    let mut outputs = native::call(Rc::new(desk), map)?;
    match outputs.pop().map(|it| it.body) {
        Some(Body::Text(json)) if outputs.is_empty() => Ok(json),
        _ => panic!("one output, as text"),
    }
}

/// What the Bundle of these segments has in it.
#[track_caller]
fn check(segments: &str, expected: &[&str]) {
    let json = mapped(segments, &[]).expect("mapped");
    for part in expected {
        assert!(json.contains(part), "{part}\nis not in\n{json}");
    }
}

/// What it has not.
#[track_caller]
fn check_not(segments: &str, unexpected: &[&str]) {
    let json = mapped(segments, &[]).expect("mapped");
    for part in unexpected {
        assert!(!json.contains(part), "{part}\nis in\n{json}");
    }
}

/// `value[x]` of an OBX: type, value, unit.
#[track_caller]
fn check_value(kind: &str, value: &str, unit: &str, expected: &str) {
    check(&format!("OBR|1||F1|P^Panel\nOBX|1|{kind}|C^Code||{value}|{unit}|||||F"), &[expected]);
}

#[test]
fn a_number_has_its_unit_and_a_comparator_that_stands_before_it() {
    check_value(
        "NM",
        "4.10",
        "10*6/uL^million^UCUM",
        r#""valueQuantity":{"value":4.10,"unit":"million","system":"http://unitsofmeasure.org","code":"10*6/uL"}"#,
    );
    check_value(
        "NM",
        "<0.5",
        "mg",
        r#""valueQuantity":{"value":0.5,"comparator":"<","unit":"mg"}"#,
    );
    check_value("NM", "+.5", "", r#""valueQuantity":{"value":0.5}"#);
    // What is no number is not lost.
    check_value("NM", "positive", "", r#""valueString":"positive""#);
}

#[test]
fn a_structured_number_is_what_its_separator_says() {
    check_value("SN", ">^10", "mg", r#""valueQuantity":{"comparator":">","value":10,"unit":"mg"}"#);
    check_value("SN", "=^10", "", r#""valueQuantity":{"value":10}"#);
    check_value(
        "SN",
        "^1^:^128",
        "",
        r#""valueRatio":{"numerator":{"value":1},"denominator":{"value":128}}"#,
    );
    check_value(
        "SN",
        "^2^-^4",
        "g",
        r#""valueRange":{"low":{"value":2,"unit":"g"},"high":{"value":4,"unit":"g"}}"#,
    );
    check_value("SN", "^2^+", "", r#""valueString":"2 +""#);
    check_value("SN", "<>^5", "mg", r#""valueString":"<> 5 mg""#);
    // A ratio needs both.
    check_value("SN", "^1^:", "", r#""valueString":"1 :""#);
}

#[test]
fn other_types_have_elements_of_their_own() {
    check_value(
        "CWE",
        "27268008^Salmonella^SCT",
        "",
        r#""valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"27268008","display":"Salmonella"}]}"#,
    );
    check_value("DT", "20260912", "", r#""valueDateTime":"2026-09-12""#);
    check_value("DT", "soon", "", r#""valueString":"soon""#);
    check_value("TM", "1130", "", r#""valueTime":"11:30:00""#);
    check_value(
        "DR",
        "20260901^20260902",
        "",
        r#""valuePeriod":{"start":"2026-09-01","end":"2026-09-02"}"#,
    );
    check_value("NR", "1^2", "", r#""valueRange":{"low":{"value":1},"high":{"value":2}}"#);
    check_value("VR", "a^b", "", r#""valueString":"a-b""#);
    check_value("TX", "line\\.br\\two", "", r#""valueString":"line\ntwo""#);
    // A type that the guide does not have, with delimiters in it.
    check_value("XYZ", "a^b&c", "", r#""valueString":"a^b&c""#);
}

#[test]
fn an_array_is_a_vector_or_a_table() {
    check_value("NA", "125^34^-22", "", r#""dimensions":1,"data":"125 34 -22""#);
    // The guide's own example: what is not there is E.
    check_value("NA", "^2^3~5^^", "", r#""dimensions":3,"data":"E 2 3 5 E E""#);
}

#[test]
fn several_values_are_components_of_one_observation() {
    check(
        "OBR|1||F1|P^Panel\nOBX|1|NM|C^Code||27~25|mg|20-30||||F",
        &[
            r#""component":[{"code":{"coding":[{"code":"C","display":"Code"}]},"valueQuantity":{"value":27,"unit":"mg"},"referenceRange":[{"text":"20-30"}]},{"#,
            r#""value":25"#,
        ],
    );
}

#[test]
fn a_document_is_an_attachment_with_a_whole_media_type() {
    let json = r#""valueAttachment":{"contentType":"application/pdf","data":"JVBERi0="}"#;
    check("OBR|1||F1|P^Panel\nOBX|1|ED|C^Code||^AP^PDF^Base64^JVBERi0=||||||F", &[json]);
    check(
        "OBR|1||F1|P^Panel\nOBX|1|RP|C^Code||https://pacs.example/1^^image^jpeg||||||F",
        &[r#""valueAttachment":{"contentType":"image/jpeg","url":"https://pacs.example/1"}"#],
    );
    check_not(
        "OBR|1||F1|P^Panel\nOBX|1|RP|C^Code||https://pacs.example/1^^image^jpeg||||||F",
        &["dataAbsentReason"],
    );
}

#[test]
fn a_correction_replaces_what_it_corrects() {
    let of = |status: &str| {
        let segments = format!(
            "ORC|RE|P1|F1\nOBR|1|P1|F1|P^Panel|||202609120800|||||||||||||||202609121000|||{status}\nOBX|1|NM|C^Code||4|mg|||||{status}"
        );
        mapped(&segments, &[]).expect("mapped")
    };
    let [last, corrected] = ["F", "C"].map(of);
    for expected in [
        r#""resourceType":"DiagnosticReport""#,
        r#""url":"Observation?identifier=urn:uuid:6f1a4f0e-9d2b-5c1e-8a57-3a1b0f6c2d94|urn:hilum:namespace:ANNA/4711-Observation-F1-P-C""#,
        r#""url":"DiagnosticReport?identifier=urn:uuid:6f1a4f0e-9d2b-5c1e-8a57-3a1b0f6c2d94|urn:hilum:namespace:ANNA/4711-DiagnosticReport-F1-P""#,
    ] {
        assert!(last.contains(expected) && corrected.contains(expected), "{expected}\n{corrected}");
    }
    assert_eq!(last.matches(r#""status":"final""#).count(), 2, "{last}");
    assert_eq!(corrected.matches(r#""status":"corrected""#).count(), 2, "{corrected}");
}

#[test]
fn what_was_cancelled_or_not_asked_says_so() {
    check(
        "OBR|1||F1|P^Panel|||||||||||||||||||||X\nOBX|1|NM|C^Code|||||||X|X",
        &[
            r#""status":"cancelled","_status":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/alternate-codes""#,
            r#""dataAbsentReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"not-performed"}]}"#,
        ],
    );
    check("OBR|1||F1|P^Panel\nOBX|1|NM|C^Code||||||||N", &[r#""code":"not-asked""#]);
    check("OBR|1||F1|P^Panel\nOBX|1|NM|C^Code||5||||||D", &[r#""status":"entered-in-error""#]);
    // Results are awaited.
    check("OBR|1||F1|P^Panel\nOBX|1|NM|C^Code||||||||I", &[r#""status":"registered""#]);
    check("OBR|1||F1|P^Panel\nOBX|1|NM|C^Code||5", &[r#""status":"unknown""#]);
}

#[test]
fn notes_stand_where_they_belong() {
    let json = mapped(
        "ORC|RE|P1|F1\nOBR|1|P1|F1|P^Panel\nNTE|1||on the order\nOBX|1|NM|C^Code||5||||||F\nNTE|1||first\nNTE|2||second",
        &[],
    )
    .expect("mapped");
    for (kind, note) in [
        ("Observation", r#""note":[{"text":"first"},{"text":"second"}]"#),
        ("ServiceRequest", r#""note":[{"text":"on the order"}]"#),
    ] {
        let start = json.find(&format!(r#"{{"resourceType":"{kind}""#)).expect("it is there");
        let end = json[start..].find(r#""request":"#).expect("it ends");
        assert!(json[start..start + end].contains(note), "{note}\n{json}");
    }
}

#[test]
fn a_susceptibility_is_derived_from_its_organism() {
    let json = mapped(
        "OBR|1||F1|CULT^Culture\nOBX|1|CWE|ORG^Organism|1|A^Alpha^L||||||F\nOBX|2|CWE|ORG^Organism|2|B^Beta^L||||||F\n\
         OBR|2||F2|SUSC^Susceptibility||||||||||||||||||||||ORG&Organism^2\nOBX|1|NM|MIC^MIC||2||||||F",
        &[],
    )
    .expect("mapped");
    let urns: Vec<&str> = json.split(r#""fullUrl":""#).skip(1).map(|it| &it[..45]).collect();
    let beta = json.split(r#""fullUrl":""#).skip(1).position(|it| it.contains("Beta"));
    let expected =
        format!(r#""derivedFrom":[{{"reference":"{}"}}]"#, urns[beta.expect("it is there")]);
    assert_eq!(json.matches("derivedFrom").count(), 1, "{json}");
    assert!(json.contains(&expected), "{expected}\n{json}");
}

#[test]
fn two_results_of_the_same_code_are_two() {
    check(
        "OBR|1||F1|P^Panel\nOBX|1|NM|C^Code||1||||||F\nOBX|2|NM|C^Code||2||||||F\nOBR|2||F2|P^Panel\nOBX|1|NM|C^Code||3||||||F",
        &["-Observation-F1-P-C\"", "-Observation-F1-P-C-2\"", "-DiagnosticReport-F1-P\""],
    );
}

#[test]
fn a_specimen_is_of_the_patient_and_its_observations_are_about_it() {
    check(
        "OBR|1||F1|P^Panel|||202609120800\nOBX|1|NM|C^Code||5||||||F\nSPM|1|^S9||BLD^^HL70487|||||||||||||202609120755\nOBX|1|ST|V^Volume||low||||||F",
        &[
            r#""collectedDateTime":"2026-09-12T07:55:00"#,
            r#""code":"BLD""#,
            r#""value":"S9""#,
            r#""focus":[{"reference":"urn:uuid:"#,
        ],
    );
    // An X-ray has no specimen.
    check_not(
        "OBR|1||F1|X^Chest|||202609120800|||||||||||||||||RAD|F\nOBX|1|TX|C^Code||clear||||||F",
        &[r#""resourceType":"Specimen""#],
    );
}

#[test]
fn a_vital_sign_has_what_fhir_asks_of_one() {
    check(
        "OBR|1||F1|P^Panel\nOBX|1|NM|8867-4^Heart rate^LN||72|/min^^UCUM|||||F",
        &[r#""code":"vital-signs""#, r#""_effectiveDateTime""#],
    );
}

#[test]
fn a_patient_that_is_there_stays_unless_the_site_says_otherwise() {
    let segments = "OBR|1||F1|P^Panel\nOBX|1|NM|C^Code||5||||||F";
    let kept = mapped(segments, &[]).expect("mapped");
    assert!(kept.contains(r#""method":"POST","url":"Patient","ifNoneExist""#), "{kept}");
    let updated = mapped(segments, &[("demographics", "update")]).expect("mapped");
    assert!(updated.contains(r#""method":"PUT","url":"Patient?identifier="#), "{updated}");
}

#[test]
fn a_receiver_that_has_the_orders_gets_none() {
    let segments = "ORC|RE|P1|F1\nOBR|1|P1|F1|P^Panel\nOBX|1|NM|C^Code||5||||||F";
    let all = mapped(segments, &[]).expect("mapped");
    assert!(all.contains(r#""basedOn":[{"reference""#), "{all}");
    let none = mapped(segments, &[("orders", "none")]).expect("mapped");
    assert!(!none.contains("ServiceRequest") && !none.contains("basedOn"), "{none}");
}

#[test]
fn the_number_of_a_group_is_a_pair_in_2_8_2_alone() {
    let mapped = |version: &str, group: &str| {
        let segments = format!("ORC|RE|P1|F1|{group}\nOBR|1|P1|F1|P^Panel");
        mapped_after(&HEAD.replace("2.5.1", version), &segments, &[]).expect("mapped")
    };
    let pair = mapped("2.8.2", "G1&A^G2&A");
    assert!(pair.contains(r#""value":"G1"}"#) && pair.contains(r#""value":"G2"}"#), "{pair}");
    for (version, group) in [("2.5.1", "G1^A"), ("2.9", "G1^A"), ("2.8.2", "G1^A^1.2^ISO")] {
        let one = mapped(version, group);
        assert!(one.contains(r#""value":"G1"}"#), "{version}: {one}");
        assert!(!one.contains(r#""value":"A"}"#), "{version}: the authority is no number: {one}");
    }
}

#[test]
fn a_message_without_a_result_or_of_another_kind_is_refused() {
    let refused =
        |text: &str| native::call(Rc::new(Desk::new(text)), map).expect_err("refused").path;
    let head = "MSH|^~\\&|LAB|A|B|C|20260912101500+0200||ORU^R01|1|P|2.5.1\r";
    assert_eq!(refused(head).as_deref(), Some("OBR"));
    assert_eq!(refused(&head.replace("R01", "R30")).as_deref(), Some("MSH-9"));
    assert_eq!(refused(&[head, "PID|1\r"].concat()).as_deref(), Some("PID-3"));
}
