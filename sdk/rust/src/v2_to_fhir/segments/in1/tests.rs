use super::{coverage, coverage_of_class};
use crate::v2_to_fhir::people::tests::{Made, made};

const MAP: &str = "segments/IN1[Coverage]";

#[track_caller]
fn mapped(segments: &str) -> Made {
    made(segments, &[], |bundle, hl7| {
        let mut pv1 = hl7.first("PV1");
        for in1 in hl7.all("IN1") {
            coverage(bundle, in1, hl7.first("IN2"), pv1.take());
        }
        if let Some(pv1) = pv1 {
            coverage_of_class(bundle, pv1);
        }
    })
}

#[test]
fn a_coverage_names_who_pays_for_whom() {
    let it = mapped(
        "IN1|1|BAV^Blue HMO^HOUSE|Org-1^^^&1.2.3&ISO^NIIP|Blue Cross|1979 MILKY WAY^^VERONA^WI||(555)1^^PH|Grp-1|Staff|125189^^^Plan&1.4&ISO^SN|Acme|20150101|20151231||HMO^Health^HL70086|Doe^Jo|SPO^Spouse^HL70063|19750228|1 Lane|||2||||||||||||||P-36|||||||F||||||125190^^^Plan&1.4&ISO^SN\r",
    );
    let coverage = it.one("Coverage");
    for part in [
        r#""identifier":[{"system":"urn:uuid:"#,
        r#"7-Coverage-BAV-Org-1"},{"value":"BAV"},{"value":"P-36"}]"#,
        r#""status":"active""#,
        r#""type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0086","code":"HMO""#,
        r##""policyHolder":{"reference":"#organization-"##,
        r##""subscriber":{"reference":"#relatedperson-1"}"##,
        r#""beneficiary":{"reference":"urn:uuid:"#,
        r#""code":"SPS""#,
        r#""period":{"start":"2015-01-01","end":"2015-12-31"}"#,
        r#""payor":[{"reference":"urn:uuid:"#,
        r#""value":"BAV","name":"Blue HMO"}"#,
        r#""value":"Grp-1","name":"Staff"}"#,
        r#""order":2"#,
        r#""subscriberId":"125190""#,
        r#"extension-Coverage.subscriberId","valueIdentifier":{"type":"#,
    ] {
        assert!(coverage.contains(part), "{part}: {coverage}");
    }
    it.has("Organization", r#""name":"Blue Cross""#);
    it.has("Organization", r#""city":"VERONA""#);
    it.has("RelatedPerson", r#""birthDate":"1975-02-28""#);
    it.has("RelatedPerson", r#""gender":"female""#);
    it.notes(MAP, &[2, 4, 5, 10, 11, 12, 13, 14, 15, 17, 18, 20, 52, 53]);
}

#[test]
fn the_patient_may_be_the_insured() {
    let it = mapped("IN1|1||||||||||||||| Doe^Jo|SEL\r");
    it.has("Coverage", r#""subscriber":{"reference":"urn:uuid:"#);
    it.lacks("RelatedPerson");
    it.notes(MAP, &[19, 20]);
}

#[test]
fn a_number_of_another_kind_is_no_subscriber_id() {
    let it = mapped("IN1|1|||||||||7^^^^EN\r");
    it.lacks("subscriberId");
    it.has("Organization", r#""value":"7""#);
    it.notes(MAP, &[12]);
}

#[test]
fn a_payor_that_nobody_names_is_unknown() {
    let it = mapped("IN1|1|A\r");
    it.has("Coverage", r#""payor":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}]"#);
}

#[test]
fn the_financial_class_is_of_the_first_coverage_or_makes_one() {
    let it = mapped("PV1|1|I||||||||||||||||||C1\rIN1|1|A\rIN1|2|B\r");
    assert_eq!(it.all("Coverage").iter().filter(|it| it.contains("C1")).count(), 1);
    it.notes("segments/PV1[Coverage]", &[20]);
    let it = mapped("PV1|1|I||||||||||||||||||C1\r");
    it.has("Coverage", r#""type":{"coding":[{"code":"C1"}]}"#);
    it.has("Coverage", r#""payor":"#);
    mapped("PV1|1|I\r").lacks("Coverage");
}

#[test]
fn sealed_values_are_moved() {
    let it = mapped(
        "IN1|1|ZQ7K3M9XA2WB4T|C1|Insurer||||ZQ7K3M9XA2WB4S||||ZQ7K3M9XA2WB4R||||ZQ7K3M9XA2WB4U^ZQ7K3M9XA2WB4V||ZQ7K3M9XA2WB4W\r",
    );
    it.has("Coverage", r#""value":"urn:oid:1.2/7-Coverage-ZQ7K3M9XA2WB4T-C1""#);
    it.has("RelatedPerson", r#""family":"ZQ7K3M9XA2WB4U""#);
}
