use expect_test::{Expect, expect};

use super::*;
use crate::http::{Transport, Url};

fn config(matching: Match, system: Option<&str>) -> FhirConfig {
    FhirConfig {
        url: Url::parse("http://x/fhir").expect("a URL"),
        transport: Transport::default(),
        matching,
        identifier_system: system.map(str::to_owned),
    }
}

#[track_caller]
fn check(config: &FhirConfig, body: &str, expected: Expect) {
    let said = match ask(config, body.as_bytes()) {
        Ok(asked) => {
            let condition = asked.if_none_exist.map(|it| format!(" if none exists: {it}"));
            let condition = condition.unwrap_or_default();
            format!("{} {}{condition} -> {:?}", asked.method, asked.target, asked.expected)
        }
        Err(why) => format!("no: {why}"),
    };
    expected.assert_eq(&said);
}

const PATIENT: &str = r#"{"resourceType":"Patient","identifier":[{"value":""},{"system":"urn:oid:1.2","value":"47|11"},{"system":"s","value":"7"}]}"#;

#[test]
fn bundles_of_work_go_to_the_base_and_others_are_resources() {
    let config = config(Match::Update, None);
    let bundle = |kind: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"{kind}","entry":[
                {{"request":{{"method":"POST","url":"A"}}}},
                {{"request":{{"method":"POST","url":"A","ifNoneExist":"identifier=1"}}}},
                {{"request":{{"method":"PUT","url":"A/1"}}}},{{}}]}}"#
        )
    };
    check(&config, &bundle("transaction"), expect!["POST /fhir -> Transaction"]);
    check(&config, &bundle("batch"), expect!["POST /fhir -> Batch([false, true, true, true])"]);
    check(
        &self::config(Match::No, None),
        &bundle("message"),
        expect!["POST /fhir/Bundle -> Resource"],
    );
}

#[test]
fn a_resource_with_an_id_is_updated_and_one_without_is_created() {
    let config = config(Match::No, None);
    check(&config, PATIENT, expect!["POST /fhir/Patient -> Resource"]);
    check(
        &config,
        r#"{"resourceType":"Patient","id":"a-1.B"}"#,
        expect!["PUT /fhir/Patient/a-1.B -> Resource"],
    );
}

#[test]
fn a_condition_is_the_identifier_encoded_and_escaped() {
    check(
        &config(Match::IfNoneExist, None),
        PATIENT,
        expect![
            "POST /fhir/Patient if none exists: identifier=urn%3Aoid%3A1.2%7C47%5C%7C11 -> Resource"
        ],
    );
    check(
        &config(Match::Update, Some("s")),
        PATIENT,
        expect!["PUT /fhir/Patient?identifier=s%7C7 -> Resource"],
    );
    check(
        &config(Match::Update, None),
        r#"{"resourceType":"Bundle","type":"document","identifier":{"value":"a b"}}"#,
        expect!["PUT /fhir/Bundle?identifier=%7Ca%20b -> Resource"],
    );
}

#[test]
fn what_cannot_be_asked_is_said_without_content() {
    let config = config(Match::Update, Some("urn:other"));
    check(
        &config,
        PATIENT,
        expect!["no: the resource has neither an id nor the identifier that it is matched by"],
    );
    check(&config, "{}", expect!["no: the body has no resourceType"]);
    check(&config, "[", expect!["no: not FHIR JSON: byte 1: the document ends too early"]);
    for kind in ["../Patient", "patient", "Pa/tient", ""] {
        let body = format!(r#"{{"resourceType":"{kind}"}}"#);
        check(&config, &body, expect!["no: resourceType is no name of a type"]);
    }
    for id in ["\"..\"", "\"a/b\"", "\"\"", "7"] {
        let body = format!(r#"{{"resourceType":"Patient","id":{id}}}"#);
        check(&config, &body, expect!["no: the id of the resource is no id"]);
    }
}
