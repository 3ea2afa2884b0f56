use expect_test::{Expect, expect};

use super::*;
use crate::Whose;

#[track_caller]
fn check(status: u16, body: &str, expected: Expect) {
    check_for(&Expected::Transaction, status, body, expected);
}

#[track_caller]
fn check_for(asked: &Expected, status: u16, body: &str, expected: Expect) {
    let read = read(status, None, Some(&Bytes::copy_from_slice(body.as_bytes())), asked);
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
        expect!["Content: rejected: 200, entry 2: 422 Unprocessable Entity"],
    );
    check(200, &all(&["404"]), expect!["Content: rejected: 200, entry 1: 404 Not Found"]);
    check(
        200,
        &all(&["503", "200"]),
        expect!["Moment: busy: 200, entry 1: 503 Service Unavailable"],
    );
    check(
        200,
        &all(&["503", "400"]),
        expect![
            "Content: rejected: 200, entry 2: 400 Bad Request, entry 1: 503 Service Unavailable"
        ],
    );
    check(200, &all(&["429"]), expect!["Moment: busy: 200, entry 1: 429 Too Many Requests"]);
    check(200, &all(&["fine"]), expect!["Unknown: outcome unknown: 200, entry 1: no status"]);
    check(200, &response("{}"), expect!["Unknown: outcome unknown: 200, entry 1: no status"]);
    let hidden =
        format!(r#"{{"response":{{"status":"200","outcome":{}}}}}"#, outcome("error", "invariant"));
    check(200, &response(&hidden), expect!["Content: rejected: 200, entry 1: 200 OK (invariant)"]);
}

#[test]
fn an_answer_that_cannot_be_read_is_neither_success_nor_the_set_up() {
    check(200, "<html>", expect!["Unknown: outcome unknown: 200, but the answer is not FHIR JSON"]);
    for stranger in [
        r#"{"resourceType":"Patient"}"#,
        r#"{"resourceType":"Bundle","type":"transaction"}"#,
        r#"{"ok":true}"#,
    ] {
        check(
            201,
            stranger,
            expect!["Unknown: outcome unknown: 201, but the answer is no transaction-response"],
        );
    }
    check(200, &outcome("fatal", "processing"), expect!["Content: rejected: 200 (processing)"]);
}

#[test]
fn a_fault_names_issue_types_and_no_text() {
    check(
        422,
        &outcome("error", "invariant"),
        expect!["Content: rejected: 422 Unprocessable Entity (invariant)"],
    );
    check(
        422,
        &outcome("error", "Zwiebelfisch"),
        expect!["Content: rejected: 422 Unprocessable Entity"],
    );
    check(
        403,
        &outcome("error", "forbidden"),
        expect!["SetUp: the set-up is at fault: 403 Forbidden (forbidden)"],
    );
    check(503, "Zwiebelfisch", expect!["Destination: busy: 503 Service Unavailable"]);
}

#[test]
fn an_answer_too_long_to_read_is_unknown() {
    let fault = read(200, None, None, &Expected::Transaction).expect_err("a fault");
    assert_eq!(fault.whose(), Whose::Unknown);
    assert_eq!(
        read(422, None, None, &Expected::Transaction).expect_err("a fault").whose(),
        Whose::Content
    );
}

#[test]
fn a_batch_says_which_entries_failed() {
    let entry = |status: &str| format!(r#"{{"response":{{"status":"{status}"}}}}"#);
    let all = |statuses: &[&str]| {
        response(&statuses.iter().map(|it| entry(it)).collect::<Vec<_>>().join(","))
    };
    let batch = Expected::Batch(vec![true; 4]);
    check_for(&batch, 200, &all(&["201", "200", "204", "200"]), expect!["delivered"]);
    check_for(
        &batch,
        200,
        &all(&["201", "422", "503", "404"]),
        expect![
            "Content: rejected: 200, entry 2: 422 Unprocessable Entity, entry 4: 404 Not Found, entry 3: 503 Service Unavailable"
        ],
    );
    check_for(
        &batch,
        200,
        &all(&["201", "200", "503", "200"]),
        expect!["Moment: busy: 200, entry 3: 503 Service Unavailable"],
    );
    check_for(
        &Expected::Batch(vec![false, true, true, true]),
        200,
        &all(&["201", "200", "503", "200"]),
        expect![
            "Content: rejected: 200, entry 3: 503 Service Unavailable; others are done, and must not be done twice"
        ],
    );
    check_for(
        &batch,
        200,
        &all(&["201", "200"]),
        expect!["Unknown: outcome unknown: 200, but 2 of 4 entries are answered"],
    );
    for nothing in ["", &outcome("information", "informational")] {
        check_for(
            &batch,
            200,
            nothing,
            expect!["Unknown: outcome unknown: 200, but no entry of the batch is answered"],
        );
    }
    let many = all(&["404"; 20]);
    let said = read(200, None, Some(&Bytes::from(many)), &Expected::Batch(vec![true; 20]));
    let said = said.expect_err("a fault").to_string();
    assert!(said.ends_with("entry 8: 404 Not Found and 12 more"), "{said}");
}

#[test]
fn a_resource_is_answered_by_nothing_itself_or_an_outcome() {
    let resource = Expected::Resource;
    check_for(&resource, 201, "", expect!["delivered"]);
    check_for(&resource, 200, r#"{"resourceType":"Patient"}"#, expect!["delivered"]);
    check_for(&resource, 201, &outcome("information", "informational"), expect!["delivered"]);
    check_for(
        &resource,
        200,
        &outcome("error", "business-rule"),
        expect!["Content: rejected: 200 (business-rule)"],
    );
    check_for(
        &resource,
        412,
        &outcome("error", "multiple-matches"),
        expect!["Content: rejected: 412 Precondition Failed (multiple-matches)"],
    );
    check_for(
        &resource,
        200,
        "{}",
        expect!["Unknown: outcome unknown: 200, but the answer is no resource"],
    );
    check_for(
        &resource,
        200,
        "saved",
        expect!["Unknown: outcome unknown: 200, but the answer is not FHIR JSON"],
    );
    // The status says all of it.
    for body in ["{}", "saved", ""] {
        check_for(&resource, 201, body, expect!["delivered"]);
    }
    check_for(
        &resource,
        201,
        &outcome("error", "business-rule"),
        expect!["Content: rejected: 201 (business-rule)"],
    );
    assert!(read(201, None, None, &resource).is_ok(), "too long to read");
}
