//! What a FHIR endpoint's answer means.
//!
//! Texts of an `OperationOutcome` may quote content, so they go no further than the stored answer.
//! What a fault says is made of statuses, positions and the closed list of issue types.

use std::time::Duration;

use bytes::Bytes;
use hilum_fhir::Value;

use super::asked::Expected;
use crate::SendFault;
use crate::http::status::{fault_of, in_words};

/// Reads an answer. `body` is `None` if it was too long to read.
pub(super) fn read(
    status: u16,
    after: Option<Duration>,
    body: Option<&Bytes>,
    expected: &Expected,
) -> Result<(), SendFault> {
    if let Some(fault) = fault_of(status, after) {
        let outcome = body.and_then(|it| hilum_fhir::parse(it).ok());
        return Err(with_issues(fault, &outcome.as_ref().map(issues).unwrap_or_default()));
    }
    // A resource was created, or there is nothing to say: the body adds nothing but a refusal, if it is one.
    if *expected == Expected::Resource && matches!(status, 201 | 204) {
        return body.map_or(Ok(()), |body| said_no(status, body));
    }
    let Some(body) = body else {
        let what = format!("{status}, but the answer is longer than answer_bytes_max");
        return Err(SendFault::Ambiguous(what));
    };
    // 204, or an endpoint that takes `return=minimal` at its word.
    if body.trim_ascii().is_empty() {
        return match expected {
            Expected::Batch(entries) if !entries.is_empty() => Err(SendFault::Ambiguous(format!(
                "{status}, but no entry of the batch is answered"
            ))),
            _ => Ok(()),
        };
    }
    // A proxy's page or another service, or an endpoint that took it and says so in its own words: nobody
    // knows, and what is sent again may be there twice.
    let unclear = |what: &str| SendFault::Ambiguous(format!("{status}, but {what}"));
    let answer = hilum_fhir::parse(body).map_err(|_| unclear("the answer is not FHIR JSON"))?;
    let kind = answer.member("type").and_then(Value::text);
    match (answer.resource_type(), expected) {
        (Some("OperationOutcome"), Expected::Batch(entries))
            if !entries.is_empty() && !has_error(&answer) =>
        {
            Err(SendFault::Ambiguous(format!("{status}, but no entry of the batch is answered")))
        }
        (Some("OperationOutcome"), _) => said_no_in(status, &answer),
        (Some(_), Expected::Resource) => Ok(()),
        (Some("Bundle"), _) if matches!(kind, Some("transaction-response" | "batch-response")) => {
            entries(status, &answer, expected)
        }
        (_, Expected::Resource) => Err(unclear("the answer is no resource")),
        _ => Err(unclear("the answer is no transaction-response")),
    }
}

/// Whether an `OperationOutcome` behind a positive status says no.
pub(super) fn said_no(status: u16, body: &Bytes) -> Result<(), SendFault> {
    match hilum_fhir::parse(body) {
        Ok(answer) => said_no_in(status, &answer),
        Err(_) => Ok(()),
    }
}

fn said_no_in(status: u16, answer: &Value) -> Result<(), SendFault> {
    if answer.resource_type() == Some("OperationOutcome") && has_error(answer) {
        let fault = SendFault::Refused { code: status.to_string() };
        return Err(with_issues(fault, &issues(answer)));
    }
    Ok(())
}

/// How many entries are named.
const NAMED_MAX: usize = 8;

/// Entries that failed: `entry 2: 422 (invariant)`.
#[derive(Default)]
struct Failed {
    /// What is wrong with these is the content, so they are named first.
    refused: Vec<String>,
    others: Vec<String>,
    is_unknown: bool,
}

impl Failed {
    fn count(&self) -> usize {
        self.refused.len() + self.others.len()
    }

    fn text(&self, status: u16) -> String {
        let named: Vec<_> = self.refused.iter().chain(&self.others).take(NAMED_MAX).collect();
        let named = named.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = match self.count().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{status}, {named}{more}")
    }
}

/// Every entry's outcome. One fault of the content is enough: sending again cannot help.
fn entries(status: u16, bundle: &Value, expected: &Expected) -> Result<(), SendFault> {
    let answered = hilum_fhir::entries(bundle);
    let mut failed = Failed::default();
    let mut done = Vec::new();
    for (index, entry) in answered.iter().enumerate() {
        let outcome = entry.outcome.and_then(|it| it.outcome);
        let issues = outcome.map(issues).unwrap_or_default().join(", ");
        let issues = if issues.is_empty() { issues } else { format!(" ({issues})") };
        let named = |what: &str| format!("entry {}: {what}{issues}", index + 1);
        match entry.outcome.and_then(|it| it.status) {
            Some(200..=299 | 304) if !outcome.is_some_and(has_error) => done.push(index),
            Some(code @ (408 | 423 | 425 | 429 | 500..=599)) => {
                failed.others.push(named(&in_words(code)));
            }
            Some(code) => failed.refused.push(named(&in_words(code))),
            None => {
                failed.is_unknown = true;
                failed.others.push(named("no status"));
            }
        }
    }
    let is_refused = !failed.refused.is_empty();
    let Expected::Batch(asked) = expected else {
        return fault_of_entries(status, &failed);
    };
    if failed.count() == 0 && answered.len() < asked.len() {
        let (answered, asked) = (answered.len(), asked.len());
        let what = format!("{status}, but {answered} of {asked} entries are answered");
        return Err(SendFault::Ambiguous(what));
    }
    // Sent again, the whole batch is done again.
    let is_doubled = done.iter().any(|it| asked.get(*it) == Some(&false));
    if 0 < failed.count() && !is_refused && is_doubled {
        let text = failed.text(status);
        let code = format!("{text}; others are done, and must not be done twice");
        return Err(SendFault::Refused { code });
    }
    fault_of_entries(status, &failed)
}

fn fault_of_entries(status: u16, failed: &Failed) -> Result<(), SendFault> {
    if failed.count() == 0 {
        return Ok(());
    }
    let code = failed.text(status);
    Err(match (failed.refused.is_empty(), failed.is_unknown) {
        (false, _) => SendFault::Refused { code },
        (true, true) => SendFault::Ambiguous(code),
        (true, false) => SendFault::Busy { code, after: None, whole: false },
    })
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
