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
            let (waits, due) = (member(delivery, "waits"), member(delivery, "due"));
            let state = match member(delivery, "state").as_str() {
                "queued" if !waits.is_empty() => waits,
                "queued" if !due.is_empty() => format!("waits until {due}"),
                "queued" => "waits for its turn".to_owned(),
                state => state.to_owned(),
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
    let all = |key: &str| record.get("facts").map(|it| words(it, key)).unwrap_or_default();
    let with = |sentence: String, key: &str| match all(key).join("; ") {
        text if text.is_empty() => sentence,
        text => format!("{sentence}: {text}"),
    };
    match member(record, "what").as_str() {
        "accepted" => {
            let runs = counted(count("runs"), "route takes it", "routes take it");
            let size = size(count("bytes"));
            format!("{who} stored {} of {size}{}; {runs}", fact("kind"), told(&fact("told")))
        }
        "known" => {
            let again = format!("{who} got the same message again and answered as before");
            match count("count") {
                0 | 1 => again,
                repeats => {
                    format!("{again}; {} repeats since the last note of one", thousands(repeats))
                }
            }
        }
        "conflict" => format!("{who} got another message under a control id that was used before"),
        "repeated" => {
            format!("{who} got it again after its first life had ended parked or refused")
        }
        "transformed" => step(record, "mapped it"),
        "routed" => step(record, "chose where it goes"),
        "validated" => step(record, "checked it"),
        "dispatched" => {
            let to = all("destination");
            if to.is_empty() {
                format!("route {} has nothing to send", fact("route"))
            } else {
                format!("route {} sends it to {}", fact("route"), to.join(", "))
            }
        }
        "refused" if actor.starts_with("uid:") => {
            with(format!("{who} refused what route {} held", fact("route")), "reason")
        }
        "refused" => {
            let told = match fact("told") {
                told if told.is_empty() => told,
                told => format!(" and its sender is told {told}"),
            };
            with(format!("route {} refused it{told}", fact("route")), "detail")
        }
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
        "released" => with(format!("{who} let it go on"), "reason"),
        "discarded" => with(format!("{who} gave it up"), "reason"),
        other => other.to_owned(),
    }
}

/// What its sender hears once a message is stored. A trail of before says nothing of it.
fn told(told: &str) -> String {
    match told.strip_suffix("after processing").map(str::trim_end) {
        None if told.is_empty() => String::new(),
        None if told == "nothing" => "; its sender wants no answer".to_owned(),
        None => format!(" and answers {told}"),
        Some("") => "; its sender is answered after processing".to_owned(),
        Some(now) => format!(" and answers {now}, and again after processing"),
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
    if let Some(cut) = facts.get("log-cut-bytes").and_then(Value::as_u64) {
        lines.push(format!("it logged {} bytes more than are kept", thousands(cut)));
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
    fn why_it_waits_is_said_where_it_is_known() {
        let runs = [json!({ "route": "adt", "state": "dispatched", "deliveries": [
            { "destination": "ehr", "state": "queued", "waits": "behind parked dlv_X" },
        ]})];
        assert_eq!(tell_now(&runs), "ehr now: behind parked dlv_X\n");
    }

    #[test]
    fn what_the_sender_hears_is_told_as_it_is() {
        let sentence = |told: &str| {
            let facts = json!({ "kind": "ADT^A01", "bytes": 7, "runs": 1, "told": told });
            sentence(&json!({ "what": "accepted", "actor": "system:listener/in", "facts": facts }))
        };
        let stored = "listener/in stored ADT^A01 of 7 B";
        for (told, said) in [
            ("", ""),
            ("CA AA", " and answers CA AA"),
            ("HTTP 202", " and answers HTTP 202"),
            ("nothing", "; its sender wants no answer"),
            ("after processing", "; its sender is answered after processing"),
            ("CA after processing", " and answers CA, and again after processing"),
        ] {
            assert_eq!(sentence(told), format!("{stored}{said}; 1 route takes it"));
        }
    }

    #[test]
    fn who_refused_is_told_and_each_thing_that_a_plugin_has_against_it() {
        let refused = |actor: &str, facts: Value| {
            sentence(&json!({ "what": "refused", "actor": actor, "facts": facts }))
        };
        let both = json!({ "route": "proc", "told": "AE", "detail": ["PID-3.1: a", "PID-5: b"] });
        assert_eq!(
            refused("system:worker", both),
            "route proc refused it and its sender is told AE: PID-3.1: a; PID-5: b"
        );
        assert_eq!(
            refused("uid:7", json!({ "route": "two", "reason": "moved" })),
            "local user 7 refused what route two held: moved"
        );
        let released =
            json!({ "what": "released", "actor": "uid:7", "facts": { "reason": "asked" } });
        assert_eq!(sentence(&released), "local user 7 let it go on: asked");
    }

    #[test]
    fn repeats_are_told_with_how_many_there_were() {
        let known = |count: u64| {
            let facts = json!({ "count": count });
            sentence(&json!({ "what": "known", "actor": "system:listener/in", "facts": facts }))
        };
        let again = "listener/in got the same message again and answered as before";
        assert_eq!(known(1), again);
        assert_eq!(known(1_200), format!("{again}; 1 200 repeats since the last note of one"));
    }

    #[test]
    fn a_trail_reads_like_a_story() {
        let records = [
            json!({
                "at": "2026-11-24T09:03:28.123Z", "at_micros": 1_000_000, "what": "accepted",
                "actor": "system:listener/adt-in",
                "facts": { "listener": "adt-in", "kind": "ADT^A01", "bytes": 742, "runs": 1, "told": "AA" },
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
            "2026-11-24T09:03:28.123Z             listener/adt-in stored ADT^A01 of 742 B and answers AA; 1 route takes it\n\
             2026-11-24T09:03:28.126Z      +3 ms  step adt-to-fhir mapped it, 1 203 443 fuel\n\
             \x20                                    sealed name 4, date 1\n\
             2026-11-24T09:05:30.000Z     +2 min  ehr took it at attempt 2: 200\n\
             2026-11-24T09:05:30.000Z      +0 ms  local user 1000 read it in the plain: call 17\n"
        );
    }
}
