//! What a FHIR endpoint's answer means.
//!
//! Texts of an `OperationOutcome` may quote content, so they go no further than the stored answer.
//! What a fault says is made of statuses, positions and the closed list of issue types.

use std::time::Duration;

use bytes::Bytes;
use hilum_fhir::Value;

use crate::SendFault;
use crate::http::status::fault_of;

/// Reads an answer. `body` is `None` if it was too long to read.
pub(super) fn read(
    status: u16,
    after: Option<Duration>,
    body: Option<&Bytes>,
) -> Result<(), SendFault> {
    if let Some(fault) = fault_of(status, after) {
        let outcome = body.and_then(|it| hilum_fhir::parse(it).ok());
        return Err(with_issues(fault, &outcome.as_ref().map(issues).unwrap_or_default()));
    }
    let Some(body) = body else {
        let what = format!("{status}, but the answer is longer than answer_bytes_max");
        return Err(SendFault::Ambiguous(what));
    };
    // 204, or an endpoint that takes `return=minimal` at its word.
    if body.trim_ascii().is_empty() {
        return Ok(());
    }
    // A proxy's page, a portal, another service: whoever said this took no transaction.
    let stranger = |what: &str| SendFault::Misconfigured { code: format!("{status}, but {what}") };
    let answer = hilum_fhir::parse(body).map_err(|_| stranger("the answer is not FHIR JSON"))?;
    match (answer.resource_type(), answer.member("type").and_then(Value::text)) {
        (Some("Bundle"), Some("transaction-response" | "batch-response")) => {
            entries(status, &answer)
        }
        (Some("OperationOutcome"), _) if has_error(&answer) => {
            let code = status.to_string();
            Err(with_issues(SendFault::Refused { code }, &issues(&answer)))
        }
        (Some("OperationOutcome"), _) => Ok(()),
        _ => Err(stranger("the answer is no transaction-response")),
    }
}

/// Every entry's outcome. The content's faults come first: with one of them, sending again cannot
/// help.
fn entries(status: u16, bundle: &Value) -> Result<(), SendFault> {
    let mut later = None;
    for (index, entry) in hilum_fhir::entries(bundle).iter().enumerate() {
        let place = format!("{status}, entry {}", index + 1);
        let outcome = entry.outcome.and_then(|it| it.outcome);
        let issues = outcome.map(issues).unwrap_or_default();
        match entry.outcome.and_then(|it| it.status) {
            Some(200..=299 | 304) if !outcome.is_some_and(has_error) => {}
            Some(code @ (408 | 423 | 425 | 429 | 500..=599)) => {
                let code = format!("{place}: {code}");
                let fault = SendFault::Busy { code, after: None, whole: false };
                later = later.or(Some(with_issues(fault, &issues)));
            }
            Some(code) => {
                let fault = SendFault::Refused { code: format!("{place}: {code}") };
                return Err(with_issues(fault, &issues));
            }
            None => later = later.or(Some(SendFault::Ambiguous(format!("{place} has no status")))),
        }
    }
    later.map_or(Ok(()), Err)
}

fn with_issues(fault: SendFault, issues: &[&'static str]) -> SendFault {
    if issues.is_empty() {
        return fault;
    }
    let more = |code: String| format!("{code} ({})", issues.join(", "));
    match fault {
        SendFault::Busy { code, after, whole } => {
            SendFault::Busy { code: more(code), after, whole }
        }
        SendFault::Refused { code } => SendFault::Refused { code: more(code) },
        SendFault::Misconfigured { code } => SendFault::Misconfigured { code: more(code) },
        other @ (SendFault::Unreachable(_)
        | SendFault::Ambiguous(_)
        | SendFault::Unconfirmed(_)) => other,
    }
}

fn has_error(outcome: &Value) -> bool {
    let severities = outcome.member("issue").map(Value::items).unwrap_or_default();
    severities
        .iter()
        .filter_map(|it| it.member("severity")?.text())
        .any(|severity| matches!(severity, "error" | "fatal"))
}

/// The types of the issues of an `OperationOutcome`, each once. What is not in the code system
/// `issue-type` is not printed: it could be anything.
fn issues(outcome: &Value) -> Vec<&'static str> {
    let all = outcome.member("issue").map(Value::items).unwrap_or_default();
    let mut found = Vec::new();
    for issue in all {
        let code = issue.member("code").and_then(Value::text);
        let known = ISSUE_TYPES.iter().copied().find(|it| Some(*it) == code);
        if let Some(known) = known.filter(|it| !found.contains(it)) {
            found.push(known);
        }
    }
    found
}

/// http://hl7.org/fhir/issue-type
const ISSUE_TYPES: &[&str] = &[
    "invalid",
    "structure",
    "required",
    "value",
    "invariant",
    "security",
    "login",
    "unknown",
    "expired",
    "forbidden",
    "suppressed",
    "processing",
    "not-supported",
    "duplicate",
    "multiple-matches",
    "not-found",
    "deleted",
    "too-long",
    "code-invalid",
    "extension",
    "too-costly",
    "business-rule",
    "conflict",
    "transient",
    "lock-error",
    "no-store",
    "exception",
    "timeout",
    "incomplete",
    "throttled",
    "informational",
    "success",
];

#[cfg(test)]
mod tests;
