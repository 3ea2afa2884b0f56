//! A message's trail, told as a person would: when, how long after, what, by whom.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::output::{Output, counted, list, member, printable, size, thousands};

/// One line for each record, and one more for what a step opened, sealed and was denied.
pub fn tell(output: &Output, records: &[Value]) -> String {
    let mut out = String::new();
    let mut before = None;
    for record in records {
        let at = record.get("at_micros").and_then(Value::as_i64).unwrap_or_default();
        let after = before.map(|before| elapsed(at - before)).unwrap_or_default();
        before = Some(at);
        let when = output.dim(&member(record, "at"));
        out.push_str(&format!("{when}  {after:>9}  {}\n", sentence(record)));
        for line in details(record) {
            out.push_str(&format!("{:37}{}\n", "", output.dim(&line)));
        }
    }
    out
}

/// Where each run and each of its outputs stands now.
pub fn tell_now(runs: &[Value]) -> String {
    let mut out = String::new();
    for run in runs.iter().filter(|run| member(run, "state") != "replayed") {
        let with = |sentence: String, value: &Value, key: &str| match member(value, key) {
            more if more.is_empty() => sentence,
            more => format!("{sentence}: {more}"),
        };
        let route = member(run, "route");
        let state = member(run, "state");
        let deliveries = list(run, "deliveries");
        if deliveries.is_empty() {
            out.push_str(&with(format!("route {route} now: {state}"), run, "cause"));
            out.push('\n');
        }
        for delivery in deliveries {
            let to = member(delivery, "destination");
            let state = match (member(delivery, "state").as_str(), member(delivery, "due")) {
                ("queued", due) if !due.is_empty() => format!("waits until {due}"),
                ("queued", _) => "waits for its turn".to_owned(),
                (state, _) => state.to_owned(),
            };
            out.push_str(&with(format!("{to} now: {state}"), delivery, "cause"));
            out.push('\n');
        }
    }
    if runs.is_empty() {
        out.push_str("no route takes it, so nothing is done with it\n");
    }
    out
}

fn elapsed(micros: i64) -> String {
    match micros {
        ..1_000 => "+0 ms".to_owned(),
        1_000..1_000_000 => format!("+{} ms", micros / 1_000),
        1_000_000..60_000_000 => format!("+{}.{} s", micros / 1_000_000, micros / 100_000 % 10),
        _ => format!("+{} min", micros / 60_000_000),
    }
}

fn sentence(record: &Value) -> String {
    let fact = |key: &str| record.get("facts").map(|facts| member(facts, key)).unwrap_or_default();
    let count = |key: &str| fact(key).parse::<u64>().unwrap_or_default();
    let actor = member(record, "actor");
    let who = match actor.strip_prefix("uid:") {
        Some(uid) => format!("local user {uid}"),
        None => actor.strip_prefix("system:").unwrap_or(&actor).to_owned(),
    };
    let with = |sentence: String, key: &str| match fact(key) {
        text if text.is_empty() => sentence,
        text => format!("{sentence}: {text}"),
    };
    match member(record, "what").as_str() {
        "accepted" => {
            let runs = counted(count("runs"), "route takes it", "routes take it");
            let size = size(count("bytes"));
            format!("{who} stored {} of {size} and acknowledged it; {runs}", fact("kind"))
        }
        "known" => format!("{who} got the same message again and gave the same answer"),
        "conflict" => format!("{who} got another message under a control id that was used before"),
        "repeated" => {
            format!("{who} got it again after its first life had ended parked or refused")
        }
        "transformed" => step(record, "mapped it"),
        "routed" => step(record, "chose where it goes"),
        "validated" => step(record, "checked it"),
        "dispatched" => {
            let to = record.get("facts").map(|it| words(it, "destination")).unwrap_or_default();
            if to.is_empty() {
                format!("route {} has nothing to send", fact("route"))
            } else {
                format!("route {} sends it to {}", fact("route"), to.join(", "))
            }
        }
        "refused" => with(format!("route {} refused it", fact("route")), "detail"),
        "held" => with(format!("route {} holds it for a person", fact("route")), "detail"),
        "parked" => with(format!("route {} parked it, {}", fact("route"), fact("cause")), "detail"),
        "delivered" => {
            let attempt = count("attempt");
            let tries = if attempt <= 1 { String::new() } else { format!(" at attempt {attempt}") };
            with(format!("{} took it{tries}", fact("destination")), "code")
        }
        "deferred" => with(
            format!(
                "{} did not take it at attempt {}; it is tried again",
                fact("destination"),
                fact("attempt")
            ),
            "detail",
        ),
        "delivery-parked" => {
            with(format!("parked for {}, {}", fact("destination"), fact("cause")), "detail")
        }
        "viewed" => format!("{who} looked at it, masked"),
        "revealed" => with(format!("{who} read it in the plain"), "reason"),
        "replayed" => format!("{who} had route {} run again", fact("route")),
        "requeued" => format!("{who} had it sent to {} again", fact("destination")),
        "released" => format!("{who} let it go on"),
        "discarded" => with(format!("{who} gave it up"), "reason"),
        other => other.to_owned(),
    }
}

/// `step adt-to-fhir (adt-to-fhir 1.0.0) mapped it, 1 203 443 fuel`.
fn step(record: &Value, did: &str) -> String {
    let Some(facts) = record.get("facts") else { return did.to_owned() };
    let fuel = facts.get("fuel").and_then(Value::as_u64).unwrap_or_default();
    let outcome = match (member(facts, "fault"), member(facts, "answered").as_str()) {
        (fault, _) if !fault.is_empty() => fault,
        (_, "refused") => "refused it".to_owned(),
        (_, "held") => "asked for a person".to_owned(),
        _ => did.to_owned(),
    };
    format!("step {} {outcome}, {} fuel", member(facts, "step"), thousands(fuel))
}

/// A fact that may stand several times.
fn words(facts: &Value, key: &str) -> Vec<String> {
    match facts.get(key) {
        Some(Value::Array(all)) => {
            all.iter().map(|it| it.as_str().map_or_else(|| it.to_string(), printable)).collect()
        }
        _ => Some(member(facts, key)).filter(|it| !it.is_empty()).into_iter().collect(),
    }
}

/// What a step saw, by class: `opened birth-date 1`, `sealed name 4, identifier 2`, `denied …`.
fn details(record: &Value) -> Vec<String> {
    let Some(facts) = record.get("facts").and_then(Value::as_object) else { return Vec::new() };
    let mut groups: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    const GROUPS: [&str; 4] = ["opened", "sealed", "withheld", "denied"];
    for (key, value) in facts {
        let Some((group, counted)) = key.split_once('.') else { continue };
        if let Some(place) = GROUPS.iter().position(|it| *it == group) {
            groups.entry(place).or_default().push(format!("{counted} {value}"));
        }
    }
    let line = |(place, all): (usize, Vec<String>)| {
        format!("{} {}", GROUPS.get(place).copied().unwrap_or_default(), all.join(", "))
    };
    let mut lines: Vec<String> = groups.into_iter().map(line).collect();
    for level in ["debug", "info", "warn", "error"] {
        let logged = words(&Value::Object(facts.clone()), &format!("log.{level}"));
        lines.extend(logged.iter().map(|text| format!("it logged {level}: {text}")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn where_it_stands_now_is_one_line_for_each_destination() {
        let runs = [
            json!({ "route": "old", "state": "replayed", "deliveries": [] }),
            json!({ "route": "adt", "state": "dispatched", "deliveries": [
                { "destination": "ehr", "state": "queued", "due": "2026-11-24T09:05:30.000Z", "cause": "not reached" },
                { "destination": "archive", "state": "delivered", "due": null, "cause": null },
                { "destination": "research", "state": "parked", "cause": "denied: identifier" },
            ]}),
            json!({ "route": "lab", "state": "held", "cause": "is it new?", "deliveries": [] }),
        ];
        assert_eq!(
            tell_now(&runs),
            "ehr now: waits until 2026-11-24T09:05:30.000Z: not reached\n\
             archive now: delivered\n\
             research now: parked: denied: identifier\n\
             route lab now: held: is it new?\n"
        );
    }

    #[test]
    fn a_trail_reads_like_a_story() {
        let records = [
            json!({
                "at": "2026-11-24T09:03:28.123Z", "at_micros": 1_000_000, "what": "accepted",
                "actor": "system:listener/adt-in",
                "facts": { "listener": "adt-in", "kind": "ADT^A01", "bytes": 742, "runs": 1 },
            }),
            json!({
                "at": "2026-11-24T09:03:28.126Z", "at_micros": 1_003_000, "what": "transformed",
                "actor": "system:worker",
                "facts": { "step": "adt-to-fhir", "fuel": 1_203_443, "sealed.name": 4, "sealed.date": 1 },
            }),
            json!({
                "at": "2026-11-24T09:05:30.000Z", "at_micros": 121_003_000, "what": "delivered",
                "actor": "system:courier/ehr",
                "facts": { "destination": "ehr", "attempt": 2, "code": "200" },
            }),
            json!({
                "at": "2026-11-24T09:05:30.000Z", "at_micros": 121_003_000, "what": "revealed",
                "actor": "uid:1000", "facts": { "reason": "call 17" },
            }),
        ];
        let output = Output::plain();
        assert_eq!(
            tell(&output, &records),
            "2026-11-24T09:03:28.123Z             listener/adt-in stored ADT^A01 of 742 B and acknowledged it; 1 route takes it\n\
             2026-11-24T09:03:28.126Z      +3 ms  step adt-to-fhir mapped it, 1 203 443 fuel\n\
             \x20                                    sealed name 4, date 1\n\
             2026-11-24T09:05:30.000Z     +2 min  ehr took it at attempt 2: 200\n\
             2026-11-24T09:05:30.000Z      +0 ms  local user 1000 read it in the plain: call 17\n"
        );
    }
}
