use expect_test::{Expect, expect};

use super::*;
use crate::Whose;

#[track_caller]
fn check(status: u16, body: &str, expected: Expect) {
    let read = read(status, None, Some(&Bytes::copy_from_slice(body.as_bytes())));
    let said = match &read {
        Ok(()) => "delivered".to_owned(),
        Err(fault) => format!("{:?}: {fault}", fault.whose()),
    };
    expected.assert_eq(&said);
}

fn response(entries: &str) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"transaction-response","entry":[{entries}]}}"#)
}

fn outcome(severity: &str, code: &str) -> String {
    format!(
        r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"{severity}","code":"{code}","diagnostics":"Zwiebelfisch"}}]}}"#
    )
}

#[test]
fn a_transaction_whose_entries_succeeded_is_delivered() {
    let good = r#"{"response":{"status":"201 Created"}},{"response":{"status":"200"}},{"response":{"status":"304"}}"#;
    check(200, &response(good), expect!["delivered"]);
    check(200, &response(""), expect!["delivered"]);
    check(204, "", expect!["delivered"]);
    check(200, &outcome("warning", "informational"), expect!["delivered"]);
}

#[test]
fn an_entry_that_failed_is_not_hidden_by_a_positive_status() {
    let entry = |status: &str| format!(r#"{{"response":{{"status":"{status}"}}}}"#);
    let all = |statuses: &[&str]| {
        response(&statuses.iter().map(|it| entry(it)).collect::<Vec<_>>().join(","))
    };
    check(
        200,
        &all(&["201", "422 Unprocessable"]),
        expect!["Content: rejected: 200, entry 2: 422"],
    );
    check(200, &all(&["404"]), expect!["Content: rejected: 200, entry 1: 404"]);
    check(200, &all(&["503", "200"]), expect!["Moment: busy: 200, entry 1: 503"]);
    check(200, &all(&["503", "400"]), expect!["Content: rejected: 200, entry 2: 400"]);
    check(200, &all(&["429"]), expect!["Moment: busy: 200, entry 1: 429"]);
    check(200, &all(&["fine"]), expect!["Unknown: outcome unknown: 200, entry 1 has no status"]);
    check(200, &response("{}"), expect!["Unknown: outcome unknown: 200, entry 1 has no status"]);
    let hidden =
        format!(r#"{{"response":{{"status":"200","outcome":{}}}}}"#, outcome("error", "invariant"));
    check(200, &response(&hidden), expect!["Content: rejected: 200, entry 1: 200 (invariant)"]);
}

#[test]
fn an_answer_of_somebody_else_is_no_success() {
    check(
        200,
        "<html>",
        expect!["SetUp: the set-up is at fault: 200, but the answer is not FHIR JSON"],
    );
    for stranger in [
        r#"{"resourceType":"Patient"}"#,
        r#"{"resourceType":"Bundle","type":"transaction"}"#,
        r#"{"ok":true}"#,
    ] {
        check(
            201,
            stranger,
            expect![
                "SetUp: the set-up is at fault: 201, but the answer is no transaction-response"
            ],
        );
    }
    check(200, &outcome("fatal", "processing"), expect!["Content: rejected: 200 (processing)"]);
}

#[test]
fn a_fault_names_issue_types_and_no_text() {
    check(422, &outcome("error", "invariant"), expect!["Content: rejected: 422 (invariant)"]);
    check(422, &outcome("error", "Zwiebelfisch"), expect!["Content: rejected: 422"]);
    check(
        403,
        &outcome("error", "forbidden"),
        expect!["SetUp: the set-up is at fault: 403 (forbidden)"],
    );
    check(503, "Zwiebelfisch", expect!["Destination: busy: 503"]);
}

#[test]
fn an_answer_too_long_to_read_is_unknown() {
    let fault = read(200, None, None).expect_err("a fault");
    assert_eq!(fault.whose(), Whose::Unknown);
    assert_eq!(read(422, None, None).expect_err("a fault").whose(), Whose::Content);
}
