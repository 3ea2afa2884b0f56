use super::allergy_intolerance;
use crate::v2_to_fhir::people::tests::{Made, made};

const MAP: &str = "segments/IAM[AllergyIntolerance]";

#[track_caller]
fn mapped(iam: &str) -> Made {
    made(iam, &[], |bundle, hl7| {
        for iam in hl7.all("IAM") {
            allergy_intolerance(bundle, iam);
        }
    })
}

#[test]
fn an_allergy_has_its_number_and_who_reported_it() {
    let it = mapped(
        "IAM|1|FA^Food allergy^HL70127|12345^Peanut^L||Rash|A|56789^^1.3.6^ISO||||201805||20201005|Doe^Jo|SPO^Spouse^HL70063||C^Confirmed^HL70438||||||||||9193^Allergy^SCT\r",
    );
    let allergy = it.one("AllergyIntolerance");
    for part in [
        r#""identifier":[{"system":"urn:oid:1.3.6","value":"56789"}]"#,
        r#""code":"active"},{"system":"http://terminology.hl7.org/CodeSystem/v2-0438","code":"C""#,
        r#"allergyintolerance-verification","code":"confirmed""#,
        r#""onsetDateTime":"2018-05""#,
        r#""recordedDate":"2020-10-05""#,
        r##""recorder":{"reference":"#relatedperson-1"}"##,
        r#"{"system":"http://snomed.info/sct","code":"9193","display":"Allergy"}"#,
        r#""code":"12345","display":"Peanut""#,
    ] {
        assert!(allergy.contains(part), "{part}: {allergy}");
    }
    it.has("RelatedPerson", r#""patient":{"reference":"urn:uuid:"#);
    it.has("RelatedPerson", r#""code":"SPS""#);
    it.notes(MAP, &[4, 5, 6, 7, 8, 13, 16, 20, 22, 25, 26, 28, 38]);
}

#[test]
fn who_reported_depends_on_the_relation() {
    let it = mapped("IAM|1||P|||||||||since childhood||Doe^Jo\r");
    it.has("AllergyIntolerance", r##""recorder":{"reference":"#practitioner-1"}"##);
    it.has("AllergyIntolerance", r#""onsetString":"since childhood""#);
    it.notes(MAP, &[8, 21, 23]);

    let it = mapped("IAM|1||P|||||||||||Doe^Jo|SEL\r");
    it.has("AllergyIntolerance", r#""recorder":{"reference":"urn:uuid:"#);
    it.notes(MAP, &[8, 24]);

    // A sealed relation is one, whatever it is.
    let it = mapped("IAM|1||P|||||||||||Doe^Jo|ZQ7K3M9XA2WB4T\r");
    it.has("AllergyIntolerance", r##""recorder":{"reference":"#relatedperson-1"}"##);
}

#[test]
fn what_was_entered_in_error_has_no_clinical_status() {
    for iam in ["IAM|1||P|||D\r", "IAM|1||P||||||||||||||E\r"] {
        let it = mapped(iam);
        it.has("AllergyIntolerance", r#""code":"entered-in-error""#);
        it.lacks("clinicalStatus");
    }
}

#[test]
fn an_allergy_that_is_over_is_inactive() {
    let it = mapped("IAM|1||P||||||||||||||I\r");
    it.has("AllergyIntolerance", r#""code":"inactive""#);
}
