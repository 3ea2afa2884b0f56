use std::path::Path;

use serde_json::json;

use super::*;

fn guide() -> Guide {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Guide::read(&repository.join("tests/fixtures/v2-to-fhir"), &repository.join("tests/coverage"))
        .expect("the guide")
}

const MESSAGE: &str = "MSH|^~\\&|LAB|HOSP|||20260102030405||ADT^A01^ADT_A01|7|P|2.5.1\r\
                       PID|1||4711^^^HOSP^MR||EVE^ADAM||19700203|F|||STREET^^TOWN\r\
                       PV1|1|I|W1^2^3||||99^DOC||||||||||||V1^^^HOSP|||||||||||||||||||||||||202601020304";

/// What a good plugin makes of the message.
fn bundle() -> Value {
    json!({ "resourceType": "Bundle", "type": "message", "timestamp": "2026-01-02T03:04:05Z",
        "identifier": { "system": "urn:x:y", "value": "7" },
        "entry": [
            { "fullUrl": "urn:uuid:p", "resource": { "resourceType": "Patient",
                "identifier": [{ "value": "4711", "system": "urn:x:HOSP",
                    "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR" }] } }],
                "name": [{ "family": "EVE", "given": ["ADAM"] }],
                "birthDate": "1970-02-03", "gender": "female",
                "address": [{ "line": ["STREET"], "city": "TOWN" }] } },
            { "fullUrl": "urn:uuid:e", "resource": { "resourceType": "Encounter",
                "identifier": [{ "value": "V1", "system": "urn:x:HOSP" }],
                "status": "in-progress", "subject": { "reference": "urn:uuid:p" },
                "class": { "code": "IMP", "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode" },
                "participant": [{ "type": [{ "coding": [{ "code": "ATND", "display": "attender",
                        "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType" }] }],
                    "individual": { "reference": "urn:uuid:d" } }],
                "period": { "start": "2026-01-02T03:04:00Z" } } },
            { "fullUrl": "urn:uuid:d", "resource": { "resourceType": "Practitioner",
                "identifier": [{ "value": "99" }], "name": [{ "family": "DOC" }] } } ] })
}

/// What is found about a row in a Bundle that `change` has spoiled, when all rows are reported.
#[track_caller]
fn check(id: &str, change: impl FnOnce(&mut Value)) -> Vec<Result<(), Wrong>> {
    let guide = guide();
    let mut reported: BTreeSet<String> = BTreeSet::new();
    for map in [&guide.messages, &guide.segments, &guide.datatypes, &guide.tables] {
        reported.extend(map.values().flatten().map(|it| it.id.clone()));
    }
    check_reported(&guide, &reported, id, change)
}

#[track_caller]
fn check_reported(
    guide: &Guide,
    reported: &BTreeSet<String>,
    id: &str,
    change: impl FnOnce(&mut Value),
) -> Vec<Result<(), Wrong>> {
    let source = Source::read_all(MESSAGE.as_bytes()).expect("a message").remove(0);
    let mut bundle = bundle();
    change(&mut bundle);
    let case = Case { guide, source: &source, bundle: &bundle, reported };
    let found = evaluate(&case).expect("the guide can be read").expect("a map");
    let of_row = found.outcomes.into_iter().filter(|it| it.id == id).map(|it| it.found);
    of_row.collect()
}

fn well(_: &mut Value) {}

/// The row that makes an Encounter of PV1.
fn visit() -> String {
    let guide = guide();
    let found = guide.messages["ADT_A01"].iter().find(|it| it.uses == "PV1[Encounter]");
    found.expect("such a row").id.clone()
}

const NAME: &str = "segments/PID[Patient]#5";
const FAMILY: &str = "datatypes/FN[HumanName]#1";

#[test]
fn a_row_is_satisfied_where_target_and_value_are_right() {
    for id in [
        NAME,
        FAMILY,
        "messages/ADT_A01#11",
        &visit(),
        "segments/PID[Patient]#8",
        "segments/PID[Patient]#11",
        "segments/PV1[Encounter]#12",
        "segments/PV1[Encounter]#68",
        "segments/MSH[Bundle]#1",
        "datatypes/CX[Identifier]#1",
        "datatypes/CX[Identifier]#8",
        "datatypes/HD[uri]#1",
        "datatypes/XAD[Address]#3",
    ] {
        let found = check(id, well);
        assert!(!found.is_empty(), "{id} is not exercised");
        assert!(found.iter().all(Result::is_ok), "{id} {found:?}");
    }
}

#[test]
fn a_row_that_nothing_exercises_is_not_judged() {
    // No PID-6, no NK1; PV1-45 is not valued.
    for id in ["segments/PID[Patient]#7", "segments/NK1[Patient]#2", "segments/PV1[Encounter]#70"] {
        assert_eq!(check(id, well), []);
    }
}

#[test]
fn a_lie_is_caught_that_reports_a_row_and_leaves_its_target_empty() {
    let remove = |bundle: &mut Value| {
        bundle["entry"][0]["resource"].as_object_mut().expect("a Patient").remove("name");
    };
    assert_eq!(check(NAME, remove), [Err(Wrong::Empty)]);
    assert_eq!(check(FAMILY, remove)[0], Err(Wrong::Empty));
    let empty = |bundle: &mut Value| bundle["entry"][0]["resource"]["name"] = json!([{}]);
    assert_eq!(check(NAME, empty), [Err(Wrong::Empty)]);
    let no_patient = |bundle: &mut Value| {
        bundle["entry"].as_array_mut().expect("entries").remove(0);
    };
    assert_eq!(check("messages/ADT_A01#11", no_patient), [Err(Wrong::Empty)]);
}

#[test]
fn a_lie_is_caught_that_moves_another_value() {
    let patient = |key: &'static str, value: Value| {
        move |bundle: &mut Value| bundle["entry"][0]["resource"][key] = value
    };
    let other = patient("name", json!([{ "family": "OTHER", "given": ["ADAM"] }]));
    assert_eq!(check(FAMILY, other)[0], Err(Wrong::Value));
    // A part of the value, or more than it, is another one.
    assert_eq!(check(FAMILY, patient("name", json!([{ "family": "EV" }])))[0], Err(Wrong::Value));
    assert_eq!(check(FAMILY, patient("name", json!([{ "family": "EVES" }])))[0], Err(Wrong::Value));
    assert_eq!(
        check("segments/PID[Patient]#8", patient("birthDate", json!("1970-02-04"))),
        [Err(Wrong::Value)]
    );
    // The right value at another place.
    let elsewhere = patient("name", json!([{ "text": "EVE", "given": ["ADAM"] }]));
    assert_eq!(check(FAMILY, elsewhere)[0], Err(Wrong::Empty));
}

#[test]
fn a_lie_is_caught_about_a_constant_and_a_look_up() {
    let constant = |bundle: &mut Value| {
        bundle["entry"][1]["resource"]["participant"][0]["type"][0]["coding"][0]["code"] =
            json!("ADM");
    };
    assert_eq!(check("segments/PV1[Encounter]#12", constant), [Err(Wrong::Value)]);
    let looked_up = |bundle: &mut Value| bundle["entry"][0]["resource"]["gender"] = json!("male");
    let rows = guide();
    let female = rows.tables["administrativesex"].iter().find(|it| it.source == "F").expect("F");
    assert_eq!(check(&female.id, well), [Ok(())]);
    assert_eq!(check(&female.id, looked_up), [Err(Wrong::Value)]);
}

#[test]
fn a_lie_is_caught_about_references() {
    let visit = &visit();
    let to_nobody = |bundle: &mut Value| {
        bundle["entry"][1]["resource"]["subject"]["reference"] = json!("urn:uuid:gone");
    };
    assert_eq!(check(visit, to_nobody), [Err(Wrong::Reference)]);
    let to_another = |bundle: &mut Value| {
        bundle["entry"][1]["resource"]["subject"]["reference"] = json!("urn:uuid:d");
    };
    assert_eq!(check(visit, to_another), [Err(Wrong::Reference)]);
    let dangling = |bundle: &mut Value| {
        bundle["entry"].as_array_mut().expect("entries").remove(2);
    };
    assert_eq!(check("segments/PV1[Encounter]#11", dangling), [Err(Wrong::Empty)]);
}

#[test]
fn what_is_right_and_was_not_reported_does_not_count() {
    let guide = guide();
    let found = check_reported(&guide, &BTreeSet::new(), NAME, well);
    assert_eq!(found, [Err(Wrong::NotReported)]);
    let another = BTreeSet::from([FAMILY.to_owned()]);
    assert_eq!(check_reported(&guide, &another, NAME, well), [Err(Wrong::NotReported)]);
}

const RESULTS: &str = "MSH|^~\\&|LAB|HOSP|||20260102030405||ORU^R01^ORU_R01|8|P|2.5.1\r\
                       PID|1||4711^^^HOSP^MR||EVE^ADAM\r\
                       OBR|1|1|2|100^PANEL^LN\r\
                       OBX|1|ST|101^ONE^LN||FIRST||||||F\r\
                       OBX|2|ST|102^TWO^LN||SECOND||||||F";

/// Two results, each with its own code and value.
fn results() -> Value {
    let observation = |code: &str, display: &str, value: &str| {
        json!({ "resourceType": "Observation", "status": "final",
            "code": { "coding": [{ "system": "http://loinc.org", "code": code, "display": display }] },
            "subject": { "reference": "urn:uuid:p" }, "valueString": value })
    };
    json!({ "resourceType": "Bundle", "type": "message", "entry": [
        { "fullUrl": "urn:uuid:p", "resource": { "resourceType": "Patient",
            "name": [{ "family": "EVE", "given": ["ADAM"] }] } },
        { "fullUrl": "urn:uuid:1", "resource": observation("101", "ONE", "FIRST") },
        { "fullUrl": "urn:uuid:2", "resource": observation("102", "TWO", "SECOND") },
        { "fullUrl": "urn:uuid:r", "resource": { "resourceType": "DiagnosticReport",
            "result": [{ "reference": "urn:uuid:1" }, { "reference": "urn:uuid:2" }] } } ] })
}

#[track_caller]
fn check_results(id: &str, change: impl FnOnce(&mut Value)) -> Vec<Result<(), Wrong>> {
    let guide = guide();
    let maps = [&guide.messages, &guide.segments, &guide.datatypes, &guide.tables];
    let rows = maps.into_iter().flat_map(|it| it.values().flatten());
    let reported = rows.map(|it| it.id.clone()).collect();
    let source = Source::read_all(RESULTS.as_bytes()).expect("a message").remove(0);
    let mut bundle = results();
    change(&mut bundle);
    let case = Case { guide: &guide, source: &source, bundle: &bundle, reported: &reported };
    let found = evaluate(&case).expect("the guide can be read").expect("a map");
    found.outcomes.into_iter().filter(|it| it.id == id).map(|it| it.found).collect()
}

#[test]
fn a_lie_is_caught_that_moves_a_value_to_another_resource() {
    const VALUE: &str = "segments/OBX[Observation]#6";
    assert_eq!(check_results(VALUE, well), [Ok(()), Ok(())]);
    let swapped = |bundle: &mut Value| {
        bundle["entry"][1]["resource"]["valueString"] = json!("SECOND");
        bundle["entry"][2]["resource"]["valueString"] = json!("FIRST");
    };
    assert!(check_results(VALUE, swapped).contains(&Err(Wrong::Value)));
    let once = |bundle: &mut Value| {
        bundle["entry"][2]["resource"].as_object_mut().expect("one").remove("status");
    };
    const STATUS: &str = "segments/OBX[Observation]#40";
    assert_eq!(check_results(STATUS, well), [Ok(()), Ok(())]);
    assert_eq!(check_results(STATUS, once), [Ok(()), Err(Wrong::Empty)]);
}

#[test]
fn a_lie_is_caught_about_the_reference_of_one_of_several() {
    const RESULT: &str = "messages/ORU_R01#61";
    assert_eq!(check_results(RESULT, well), [Ok(()), Ok(())]);
    let no_subject = |bundle: &mut Value| {
        bundle["entry"][2]["resource"].as_object_mut().expect("one").remove("subject");
    };
    assert_eq!(check_results(RESULT, no_subject), [Ok(()), Err(Wrong::Reference)]);
    let not_in_report = |bundle: &mut Value| {
        bundle["entry"][3]["resource"]["result"].as_array_mut().expect("results").remove(0);
    };
    assert_eq!(check_results(RESULT, not_in_report), [Err(Wrong::Reference), Ok(())]);
    let of_nobody = |bundle: &mut Value| {
        bundle["entry"][1]["resource"]["subject"]["reference"] = json!("urn:uuid:gone");
    };
    assert_eq!(check_results(RESULT, of_nobody), [Err(Wrong::Reference), Ok(())]);
}

#[test]
fn a_contained_resource_refers_to_its_siblings() {
    let bundle = json!({ "entry": [{ "resource": { "resourceType": "Observation", "contained": [
        { "resourceType": "Practitioner", "id": "a", "name": [{ "family": "DOC" }] },
        { "resourceType": "PractitionerRole", "id": "b", "practitioner": { "reference": "#a" } } ] } }] });
    let role: Vec<Node<'_>> = resources(&bundle, "PractitionerRole").collect();
    let path = crate::path::Path::read("practitioner(Practitioner.name.family)").expect("a path");
    assert_eq!(path.select(&role, &bundle).len(), 1);
}
