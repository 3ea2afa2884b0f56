use super::allergy_intolerance;
use crate::v2_to_fhir::people::tests::{Made, made};

const MAP: &str = "segments/AL1[AllergyIntolerance]";

#[track_caller]
fn mapped(al1: &str, settings: &[(&str, &str)]) -> Made {
    made(al1, settings, |bundle, hl7| {
        for al1 in hl7.all("AL1") {
            allergy_intolerance(bundle, al1);
        }
    })
}

#[test]
fn an_allergy_is_active_and_of_the_patient() {
    let it = mapped(
        "AL1|1|DA^Drug allergy^HL70127|P^Penicillin^HOUSE|SV^Severe^HL70128|Rash~Cough|20210824\r",
        &[],
    );
    let allergy = it.one("AllergyIntolerance");
    for part in [
        r#""clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]}"#,
        r#""type":"allergy","category":["medication"]"#,
        r#""criticality":"high""#,
        r#""patient":{"reference":"urn:uuid:"#,
        r#""onsetDateTime":"2021-08-24""#,
        r#""reaction":[{"manifestation":[{"text":"Rash"},{"text":"Cough"}]}]"#,
        r#""value":"urn:oid:1.2/7-AllergyIntolerance-P""#,
    ] {
        assert!(allergy.contains(part), "{part}: {allergy}");
    }
    it.notes(MAP, &[1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14]);
}

#[test]
fn a_severity_is_of_the_reaction_where_the_site_says_so() {
    let site = [("allergy.severity", "reaction")];
    let it = mapped("AL1|1||P|MO|Rash\r", &site);
    it.has(
        "AllergyIntolerance",
        r#""reaction":[{"manifestation":[{"text":"Rash"}],"severity":"moderate"}]"#,
    );
    it.lacks("criticality");
    it.notes(MAP, &[1, 2, 8, 12, 13]);
    // FHIR knows no reaction without a manifestation.
    mapped("AL1|1||P|MO\r", &site).lacks("reaction");
}

#[test]
fn the_senders_code_stands_beside_the_one_of_fhir_and_never_alone() {
    let it = mapped("AL1|1|DA^Drug^HL70127|P|SV\r", &[]);
    it.has("AllergyIntolerance", r#""_category":[{"extension":[{"url":"#);
    it.has("AllergyIntolerance", r#""_criticality":{"extension":[{"url":"#);
    let it = mapped("AL1|1|MC^Contraindication^HL70127|P|U\r", &[]);
    it.lacks("category");
    it.lacks("criticality");
    it.notes(MAP, &[1, 2, 8]);
}

#[test]
fn a_moderate_severity_is_of_the_reaction() {
    let it = mapped("AL1|1||P|MO|Rash\r", &[]);
    it.lacks("criticality");
    it.has("AllergyIntolerance", r#""severity":"moderate""#);
    it.notes(MAP, &[1, 2, 8, 12, 13]);
}

#[test]
fn two_of_the_same_substance_are_two() {
    let it = mapped("AL1|1||P\rAL1|2||P\rAL1|3||Q\r", &[]);
    for key in ["Intolerance-P\"", "Intolerance-P-2\"", "Intolerance-Q\""] {
        it.has("AllergyIntolerance", key);
    }
}

#[test]
fn an_allergy_of_nothing_is_none() {
    mapped("AL1|1|||SV||20210824\r", &[]).lacks("AllergyIntolerance");
}

#[test]
fn sealed_values_are_moved() {
    let it = mapped(
        "AL1|1|ZQ7K3M9XA2WB4T|ZQ7K3M9XA2WB4S^ZQ7K3M9XA2WB4R|ZQ7K3M9XA2WB4U|ZQ7K3M9XA2WB4V\r",
        &[],
    );
    it.lacks(r#""type":"ZQ"#);
    it.lacks(r#""category":"#);
    it.has("AllergyIntolerance", r#"{"text":"ZQ7K3M9XA2WB4V"}"#);
}
