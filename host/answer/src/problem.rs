use hilum_fhir::Value;

use crate::Refusal;

/// Before the word of each kind of problem: a name that says nothing about where it is explained.
const TYPE: &str = "urn:hilum:problem:";

/// A refusal as a problem of RFC 9457: places and codes, no content. The member `errors` has an entry
/// for each fault.
pub fn problem(refusal: &Refusal) -> Value {
    let errors = refusal.faults().into_iter().map(|fault| {
        let mut members =
            vec![("code", Value::from(fault.issue.word())), ("detail", Value::from(fault.text))];
        if let Some(at) = fault.at {
            members.push(("at", Value::from(at)));
        }
        Value::object(members)
    });
    let errors = errors.collect();
    let (status, _) = refusal.status();
    Value::object([
        ("type", Value::from(type_of(refusal))),
        ("title", Value::from(title(status))),
        ("status", Value::Number(status.to_string())),
        ("detail", Value::from(refusal.to_string())),
        ("errors", Value::Array(errors)),
    ])
}

pub(crate) fn type_of(refusal: &Refusal) -> String {
    format!("{TYPE}{}", refusal.word())
}

/// RFC 9110's phrase for a status.
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Error",
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use hilum_words::{Reason, Rejection};

    use super::*;
    use crate::{IssueType, RequestFault};

    #[test]
    fn a_refusal_is_a_problem_with_its_faults() {
        let refusal = Refusal::Rejected(vec![Rejection {
            reason: Reason::RequiredMissing,
            at: Some("PID-3".to_owned()),
            text: "a patient needs an identifier".to_owned(),
        }]);
        expect![[r#"
            {
              "type": "urn:hilum:problem:rejected",
              "title": "Unprocessable Content",
              "status": 422,
              "detail": "PID-3: required-missing: a patient needs an identifier",
              "errors": [
                {
                  "code": "required",
                  "detail": "a patient needs an identifier",
                  "at": "PID-3"
                }
              ]
            }"#]]
        .assert_eq(&problem(&refusal).to_pretty());
    }

    #[test]
    fn what_is_too_long_is_told_the_limit() {
        let json = |text: &str, limits| {
            Refusal::NotJson(hilum_fhir::parse_with(text.as_bytes(), limits).expect_err("too much"))
        };
        let limits = hilum_fhir::Limits { depth_max: 2, bytes_max: 10, values_max: 4 };
        let all = [
            (Refusal::TooLong { bytes_max: 4711 }, 413, "4711 bytes"),
            (
                Refusal::HeadTooLong { bytes_max: 4711, headers_max: 100 },
                431,
                "4711 bytes, or more than 100",
            ),
            (Refusal::TooManyValues { places_max: 4711 }, 413, "4711 fields"),
            (json("[[[1]]]", limits), 413, "byte 2: arrays and objects lie more than 2 deep"),
            (json("[1,2,3,4]", limits), 413, "byte 7: the document has more than 4 values"),
            (json("[1,2,3,4,5]", limits), 413, "byte 10: the document is longer than 10 bytes"),
        ];
        for (refusal, status, says) in all {
            assert_eq!(refusal.status(), (status, IssueType::TooLong));
            let said = problem(&refusal).to_pretty();
            assert!(said.contains(says), "{said}");
            assert!(!said.contains("\"Error\""), "{said}");
        }
    }

    #[test]
    fn each_status_has_its_phrase() {
        for fault in RequestFault::ALL {
            let (status, _) = Refusal::Request(fault).status();
            assert_ne!(title(status), "Error", "{status}");
            assert!((400..500).contains(&status) || status == 501);
        }
    }
}
