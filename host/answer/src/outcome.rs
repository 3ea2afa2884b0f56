use hilum_fhir::Value;
use hilum_store::Stored;

use crate::refusal::Fault;
use crate::{IssueType, Refusal};

/// Refused messages of a batch that an answer lists at most.
const LISTED_MAX: usize = 100;

/// That a message is taken, as a FHIR OperationOutcome.
pub fn accepted_outcome(_stored: &Stored, is_processed: bool) -> Value {
    let said = if is_processed { "the message is processed" } else { "the message is stored" };
    outcome(vec![information(said.to_owned())])
}

/// A refusal as a FHIR OperationOutcome: an issue for each fault, places and codes but no content.
pub fn operation_outcome(refusal: &Refusal) -> Value {
    outcome(refusal.faults().into_iter().map(|it| issue(it, None)).collect())
}

/// What became of the messages of a batch, as a FHIR OperationOutcome: those that were refused, by
/// number from 1.
pub fn batch_outcome(stored: &[&Stored], refused: &[(usize, &Refusal)]) -> Value {
    let taken = format!("{} messages are stored, {} are refused", stored.len(), refused.len());
    let mut issues = vec![information(taken)];
    for (number, refusal) in refused.iter().take(LISTED_MAX) {
        issues.extend(refusal.faults().into_iter().map(|it| issue(it, Some(*number))));
    }
    outcome(issues)
}

/// That a message is taken, as a small JSON object.
pub fn receipt(stored: &Stored, is_processed: bool) -> Value {
    let state = if is_processed { "processed" } else { "stored" };
    Value::object([
        ("message", Value::from(stored.message().to_string())),
        ("state", Value::from(state)),
    ])
}

/// What became of the messages of a batch, as a small JSON object.
pub fn batch_receipt(stored: &[&Stored], refused: &[(usize, &Refusal)]) -> Value {
    let ids = stored.iter().take(LISTED_MAX).map(|it| Value::from(it.message().to_string()));
    let listed = refused.iter().take(LISTED_MAX).map(|(number, refusal)| {
        Value::object([
            ("number", Value::Number(number.to_string())),
            ("type", Value::from(crate::problem::type_of(refusal))),
            ("detail", Value::from(refusal.to_string())),
        ])
    });
    Value::object([
        ("stored", Value::Number(stored.len().to_string())),
        ("refused", Value::Number(refused.len().to_string())),
        ("messages", Value::Array(ids.collect())),
        ("refusals", Value::Array(listed.collect())),
    ])
}

fn outcome(issues: Vec<Value>) -> Value {
    Value::object([
        ("resourceType", Value::from("OperationOutcome")),
        ("issue", Value::Array(issues)),
    ])
}

fn information(said: String) -> Value {
    Value::object([
        ("severity", Value::from("information")),
        ("code", Value::from(IssueType::Informational.word())),
        ("diagnostics", Value::from(said)),
    ])
}

fn issue(fault: Fault, number: Option<usize>) -> Value {
    // `expression` is FHIRPath: a place in an HL7 message is none, and stands in the text.
    let (place, expression) = match fault.at {
        Some(at) if is_hl7_place(&at) => (fault.is_of_plugin.then_some(at), None),
        at => (None, at),
    };
    let text = match place {
        Some(place) => format!("{place}: {}", fault.text),
        None => fault.text,
    };
    let said = match number {
        Some(number) => format!("message {number}: {text}"),
        None => text,
    };
    let mut members = vec![
        ("severity", Value::from("error")),
        ("code", Value::from(fault.issue.word())),
        ("diagnostics", Value::from(said)),
    ];
    if let Some(at) = expression {
        members.push(("expression", Value::Array(vec![Value::from(at)])));
    }
    Value::object(members)
}

/// Whether this names a field of a segment, as `MSH-9` does. No path into a resource begins so.
fn is_hl7_place(at: &str) -> bool {
    let letter = |it: &u8| it.is_ascii_uppercase() || it.is_ascii_digit();
    matches!(at.as_bytes(), [a, b, c, b'-' | b'[', ..] if [a, b, c].into_iter().all(letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use hilum_words::{Reason, Rejection};

    #[test]
    fn a_place_in_an_hl7_message_is_no_expression() {
        for refusal in [Refusal::NoRoute, Refusal::Reused] {
            let said = operation_outcome(&refusal).to_pretty();
            assert!(!said.contains("expression") && !said.contains("MSH"), "{said}");
        }
        assert!(is_hl7_place("PID[1]-3") && !is_hl7_place("Patient.name[0]"));
    }

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
