use hilum_fhir::Value;
use hilum_store::Stored;

use crate::{IssueType, Refusal};

/// That a message is taken, as a FHIR OperationOutcome.
pub fn accepted_outcome(_stored: &Stored, is_processed: bool) -> Value {
    let said = if is_processed { "the message is processed" } else { "the message is stored" };
    let issue = Value::object([
        ("severity", Value::from("information")),
        ("code", Value::from(IssueType::Informational.word())),
        ("diagnostics", Value::from(said)),
    ]);
    Value::object([
        ("resourceType", Value::from("OperationOutcome")),
        ("issue", Value::Array(vec![issue])),
    ])
}

/// A refusal as a FHIR OperationOutcome: an issue for each fault, places and codes but no content.
pub fn operation_outcome(refusal: &Refusal) -> Value {
    let issues = refusal.faults().into_iter().map(|fault| {
        let mut members = vec![
            ("severity", Value::from("error")),
            ("code", Value::from(fault.issue.word())),
            ("diagnostics", Value::from(fault.text)),
        ];
        if let Some(at) = fault.at {
            members.push(("expression", Value::Array(vec![Value::from(at)])));
        }
        Value::object(members)
    });
    Value::object([
        ("resourceType", Value::from("OperationOutcome")),
        ("issue", Value::Array(issues.collect())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use hilum_words::{Reason, Rejection};

    #[test]
    fn each_fault_is_an_issue() {
        let rejected = |reason, at: Option<&str>, text: &str| Rejection {
            reason,
            at: at.map(str::to_owned),
            text: text.to_owned(),
        };
        let refusal = Refusal::Rejected(vec![
            rejected(Reason::RequiredMissing, Some("Patient.birthDate"), "needed for the age band"),
            rejected(Reason::Application, None, "not today"),
        ]);
        assert_eq!(refusal.status().0, 422);
        expect![[r#"
            {
              "resourceType": "OperationOutcome",
              "issue": [
                {
                  "severity": "error",
                  "code": "required",
                  "diagnostics": "needed for the age band",
                  "expression": [
                    "Patient.birthDate"
                  ]
                },
                {
                  "severity": "error",
                  "code": "processing",
                  "diagnostics": "not today"
                }
              ]
            }"#]]
        .assert_eq(&operation_outcome(&refusal).to_pretty());
    }
}
