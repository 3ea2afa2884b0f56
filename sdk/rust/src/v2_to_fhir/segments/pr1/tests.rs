use super::procedure;
use crate::v2_to_fhir::people::tests::{Made, made};

const MAP: &str = "segments/PR1[Procedure]";

#[track_caller]
fn mapped(pr1: &str, settings: &[(&str, &str)]) -> Made {
    made(pr1, settings, |bundle, hl7| {
        for pr1 in hl7.all("PR1") {
            procedure(bundle, pr1);
        }
    })
}

#[test]
fn a_procedure_has_its_people_and_its_place() {
    let it = mapped(
        "PR1|1||7616^Biopsy^SCT|Biopsy of colon|202109071122|D^Diagnostic^HL70230||1210^ANES^MARK|||2210^SURGEON^BOB|3210^OTHER|||799^Ulcer^SCT||||PR1006^HOUSE||||OR^2||PR1001^HOUSE\r",
        &[],
    );
    let procedure = it.one("Procedure");
    for part in [
        r#""identifier":[{"system":"urn:hilum:namespace:HOUSE","value":"PR1006"}]"#,
        r#""partOf":[{"type":"Procedure","identifier":{"system":"urn:hilum:namespace:HOUSE","value":"PR1001"}}]"#,
        r#""status":"unknown""#,
        r#""performedDateTime":"2021-09-07T11:22"#,
        r##""code":"88189002","display":"Anesthesiologist"}]},"actor":{"reference":"#practitioner-1"}"##,
        r##""code":"304292004","display":"Surgeon"}]},"actor":{"reference":"#practitioner-2"}"##,
        r##"{"actor":{"reference":"#practitioner-3"}}"##,
        r##""location":{"reference":"#location-2"}"##,
        r#""reasonCode":[{"coding":[{"system":"http://snomed.info/sct","code":"799","display":"Ulcer"}]}]"#,
        r#""display":"Biopsy"}],"text":"Biopsy of colon"}"#,
    ]
    .map(String::from)
    {
        assert!(procedure.contains(&part), "{part}: {procedure}");
    }
    it.notes(MAP, &[1, 4, 5, 6, 9, 12, 13, 14, 17, 18, 19, 20, 23, 27, 31, 33]);
}

#[test]
fn a_duration_makes_a_period() {
    let it = mapped("PR1|1||A||200501251140+0100||2\r", &[]);
    it.has("Procedure", r#""performedPeriod":{"start":"2005-01-25T11:40"#);
    it.has("Procedure", r#""end":"2005-01-25T11:42"#);
    it.notes(MAP, &[1, 4, 8, 10]);
    // A day has no minutes to add to.
    let it = mapped("PR1|1||A||20050125||2\r", &[]);
    it.has("Procedure", r#""performedDateTime":"2005-01-25""#);
    it.notes(MAP, &[1, 4, 7]);
}

#[test]
fn modifiers_follow_the_code() {
    let it = mapped("PR1|1||12345^X^C4|||||||||||||25~59\r", &[]);
    it.has("Procedure", r#"{"system":"http://www.ama-assn.org/go/cpt","code":"12345:25:59"}"#);
    it.has("Procedure", r#""code":"12345","display":"X""#);
    it.notes(MAP, &[1, 4, 24]);
}

#[test]
fn the_description_gives_way_to_the_original_text() {
    let it = mapped("PR1|1||A^^^^^^^^original|described\r", &[]);
    it.has("Procedure", r#""text":"original""#);
    it.lacks("described");
}

#[test]
fn the_site_knows_the_status_and_a_deletion_is_an_error() {
    let site = [("procedure.status", "completed")];
    mapped("PR1|1||A\r", &site).has("Procedure", r#""status":"completed""#);
    mapped("PR1|1||A\r", &[("procedure.status", "done")]).has("Procedure", r#""status":"unknown""#);
    mapped("PR1|1||A|||||||||||||||||D\r", &site)
        .has("Procedure", r#""status":"entered-in-error""#);
}
