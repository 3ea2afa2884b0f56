use super::{condition, diagnosis};
use crate::v2_to_fhir::Identity;
use crate::v2_to_fhir::people::tests::{Made, made};

const CONDITION: &str = "segments/DG1[Condition]";
const ENCOUNTER: &str = "segments/DG1[Encounter]";

#[track_caller]
fn mapped(dg1: &str) -> Made {
    made(dg1, &[], |bundle, hl7| {
        bundle.add("Encounter", "Encounter[1]", Identity::None, |w, refs| {
            w.text("status", Some("planned"));
            w.array("diagnosis", |w| {
                for dg1 in hl7.all("DG1") {
                    diagnosis(w, refs, dg1);
                }
            });
        });
        for dg1 in hl7.all("DG1") {
            condition(bundle, dg1);
        }
    })
}

#[test]
fn a_diagnosis_is_a_condition_and_one_of_the_visit() {
    let it = mapped(
        "DG1|1|I9|422504002^Stroke^SCT|Ischemic stroke|200401251140|A^Admitting^HL70052|||||||||2|005454^DIAG^ROBIN|||20200501|DI20^HOUSE|A|DI19^HOUSE\r",
    );
    let condition = it.one("Condition");
    for part in [
        r#"condition-assertedDate","valueDateTime":"2020-05-01""#,
        r#"condition-dueTo","valueReference":{"type":"Condition","identifier":{"system":"urn:hilum:namespace:HOUSE","value":"DI19""#,
        r#""identifier":[{"system":"urn:hilum:namespace:HOUSE","value":"DI20"}]"#,
        r#""code":{"coding":[{"system":"http://snomed.info/sct","code":"422504002","display":"Stroke"}],"text":"Ischemic stroke"}"#,
        r#""subject":{"reference":"urn:uuid:"#,
        r#""encounter":{"reference":"urn:uuid:"#,
        r#""recordedDate":"2020-05-01""#,
        r##""asserter":{"reference":"#practitioner-1"}"##,
    ] {
        assert!(condition.contains(part), "{part}: {condition}");
    }
    it.has("Encounter", r#""rank":2"#);
    it.has("Encounter", r#""code":"AD""#);
    it.notes(CONDITION, &[3, 4, 5, 16, 19, 20, 21, 22, 25, 26]);
    it.notes(ENCOUNTER, &[3, 4, 5, 6, 15, 16, 19, 20, 21, 22, 25, 26]);
}

#[test]
fn a_diagnosis_of_the_visit_refers_to_its_condition() {
    let it = mapped("DG1|1||A\rDG1|2||\rDG1|3|||words\r");
    let urls: Vec<&str> = it
        .text
        .split("\"condition\":{\"reference\":\"")
        .skip(1)
        .filter_map(|it| it.split('"').next())
        .collect();
    assert_eq!(urls.len(), 2, "an empty DG1 is none");
    for url in urls {
        assert!(it.text.contains(&["\"fullUrl\":\"", url].concat()), "{url}");
    }
}

#[test]
fn a_deleted_diagnosis_was_none() {
    let it = mapped("DG1|1||A||||||||||||||||||D\r");
    it.has("Condition", r#""code":"entered-in-error""#);
    it.notes(CONDITION, &[3, 23, 24]);
    for action in ["A", "U", ""] {
        mapped(&["DG1|1||A||||||||||||||||||", action, "\r"].concat()).lacks("verificationStatus");
    }
}

#[test]
fn a_rank_is_a_positive_number_that_can_be_seen() {
    for rank in ["0", "first", "ZQ7K3M9XA2WB4T", "-1"] {
        mapped(&["DG1|1||A||||||||||||", rank, "\r"].concat()).lacks("\"rank\"");
    }
}

#[test]
fn the_same_diagnosis_of_another_visit_is_another_one() {
    let it = mapped("PV1|1|I|||||||||||||||||V1\rDG1|1||A\rDG1|2||A\r");
    it.has("Condition", "7-Condition-V1-A\"");
    it.has("Condition", "7-Condition-V1-A-2\"");
}
