//! What operators are shown, as JSON. Bodies are masked.

mod generations;

use hilum_audit::{FactValue, Record, fact};
use hilum_env::Address;
use hilum_gateway::{DestinationStatus, Gateway, Status};
use hilum_message::Message;
use hilum_store::{
    DeliveryRecord, DeliveryState, MessageRecord, MessageSummary, Parked, ParkedItem, RunRecord,
    RunState,
};
use hilum_words::{Cause, MessageId, Name};
use serde_json::{Map, Value, json};

pub use generations::{applied, changes, generation, generations};

use crate::reply::Fault;
use crate::target::LIST_MAX;

/// Bytes of a masked body that are shown.
const BODY_BYTES_MAX: usize = 1 << 20;

/// `GET /v1/status`
pub fn status(gateway: &Gateway, health: Option<&Address>) -> Value {
    let status = gateway.status();
    let components = gateway.ready();
    let counts = &status.counts;
    json!({
        "name": status.name.as_str(),
        "version": status.version,
        "ready": components.iter().all(|it| it.ok),
        "components": components.iter()
            .map(|it| json!({ "name": it.name, "ok": it.ok, "why": it.why }))
            .collect::<Vec<_>>(),
        "started": status.started.to_string(),
        "configuration": status.configuration.to_string_lossy(),
        "generation": status.generation.to_string(),
        "generation_since": status.generation_since.to_string(),
        "folder_differs": gateway.folder_differs(),
        "admin": health.map(ToString::to_string),
        "listeners": status.listeners.iter()
            .map(|it| json!({
                "name": it.name.as_str(),
                "kind": it.kind,
                "address": it.address,
                "connections": it.connections,
            }))
            .collect::<Vec<_>>(),
        "destinations": status.destinations.iter().map(destination).collect::<Vec<_>>(),
        "plugins": status.plugins.iter()
            .map(|it| json!({
                "name": it.name.as_str(),
                "version": it.version,
                "digest": it.digest.to_string(),
                "file": it.file,
            }))
            .collect::<Vec<_>>(),
        "routes": status.routes.iter()
            .map(|it| json!({
                "name": it.name.as_str(),
                "from": it.from.as_str(),
                "steps": names(&it.steps),
                "to": names(&it.to),
                "owner": it.owner,
                "purpose": it.purpose,
            }))
            .collect::<Vec<_>>(),
        "counts": {
            "accepted": counts.accepted,
            "known": counts.known,
            "reused": counts.reused,
            "undecided": counts.undecided,
            "queued": counts.queued,
            "parked": counts.parked,
            "held": counts.held,
        },
    })
}

/// `GET /v1/destinations`
pub fn destinations(status: &Status) -> Value {
    json!({ "destinations": status.destinations.iter().map(destination).collect::<Vec<_>>() })
}

fn destination(it: &DestinationStatus) -> Value {
    json!({
        "name": it.name.as_str(),
        "kind": it.kind,
        "state": it.state,
        "paused": it.paused,
        "breaker": it.breaker,
        "queued": it.queued,
        "in_flight": it.in_flight,
        "parked": it.parked,
        "last_success": it.last_success.map(|at| at.to_string()),
        "last_fault": it.last_fault.as_ref()
            .map(|(at, why)| json!({ "at": at.to_string(), "why": why })),
        "next_attempt": it.next_attempt.map(|at| at.to_string()),
    })
}

fn names(all: &[Name]) -> Vec<&str> {
    all.iter().map(Name::as_str).collect()
}

/// `GET /v1/messages`
pub fn summaries(gateway: &Gateway, recent: &[MessageSummary]) -> Value {
    let is_paused = gateway.paused();
    let summary = |it: &MessageSummary| {
        let waiting = it.deliveries.iter().filter(|(_, state)| *state == DeliveryState::Queued);
        let queued = queued(waiting.map(|(to, _)| to), &is_paused, it.is_retried);
        let runs: Vec<&RunState> = it.runs.iter().map(|(_, state)| state).collect();
        let deliveries: Vec<&DeliveryState> =
            it.deliveries.iter().map(|(_, state)| state).collect();
        json!({
            "id": it.message.to_string(),
            "received": it.received.to_string(),
            "listener": it.listener.as_str(),
            "kind": it.kind,
            "bytes": it.bytes,
            "findings": it.findings,
            "state": state(&runs, &deliveries, queued),
            "runs": it.runs.iter()
                .map(|(route, state)| json!({ "route": route.as_str(), "state": state.word() }))
                .collect::<Vec<_>>(),
            "deliveries": it.deliveries.iter()
                .map(|(to, state)| json!({ "destination": to.as_str(), "state": state.word() }))
                .collect::<Vec<_>>(),
        })
    };
    json!({ "messages": recent.iter().map(summary).collect::<Vec<_>>() })
}

/// One word for what is queued: whether a person stopped it, or it did not go at once.
fn queued<'a>(
    mut to: impl Iterator<Item = &'a Name>,
    is_paused: &impl Fn(&str) -> bool,
    is_retried: bool,
) -> &'static str {
    match () {
        () if to.any(|it| is_paused(it)) => "paused",
        () if is_retried => "retrying",
        () => "dispatched",
    }
}

/// One word for a whole message: the worst of what it consists of, `queued` for what is queued. What
/// was replayed is over; the new run counts in its place.
fn state(runs: &[&RunState], deliveries: &[&DeliveryState], queued: &'static str) -> &'static str {
    let run = |word: &str| runs.iter().any(|it| it.word() == word);
    let delivery = |word: &str| deliveries.iter().any(|it| it.word() == word);
    match () {
        () if run("parked") || delivery("parked") => "parked",
        () if run("held") => "held",
        () if run("undecided") => "undecided",
        () if delivery("queued") => queued,
        () if run("refused") => "refused",
        () if run("discarded") || delivery("discarded") => "discarded",
        () if runs.is_empty() => "unrouted",
        () => "settled",
    }
}

/// `GET /v1/messages/{id}`
pub fn message(gateway: &Gateway, id: MessageId) -> Result<Value, Fault> {
    let (record, runs) = load(gateway, id)?;
    let body = gateway.store().body(id)?;
    let mut document = head(gateway, &record, &runs);
    document.insert("digest".to_owned(), record.digest.to_string().into());
    document.insert("generation".to_owned(), record.generation.to_string().into());
    document.insert("findings".to_owned(), record.findings.clone().into());
    let (body, is_cut) = cut(masked(gateway, &record.format, body));
    document.insert("body".to_owned(), body.into());
    document.insert("body_is_cut".to_owned(), is_cut.into());
    let runs =
        runs.iter().map(|(run, deliveries)| run_document(run, deliveries)).collect::<Vec<_>>();
    document.insert("runs".to_owned(), runs.into());
    Ok(Value::Object(document))
}

/// `GET /v1/messages/{id}/trace`
pub fn trace(gateway: &Gateway, id: MessageId) -> Result<Value, Fault> {
    let (record, runs) = load(gateway, id)?;
    let trail = gateway.store().trail(id)?;
    let mut document = head(gateway, &record, &runs);
    document.insert("findings".to_owned(), record.findings.clone().into());
    document.insert("trail".to_owned(), trail.iter().map(record_document).collect());
    // Where it stands now, which the trail alone does not say: bodies are not part of a way.
    let now: Vec<Value> = runs
        .iter()
        .map(|(run, deliveries)| {
            let mut run = object(run_document(run, deliveries));
            if let Some(Value::Array(all)) = run.get_mut("deliveries") {
                let all = all.iter_mut().filter_map(Value::as_object_mut);
                for (document, delivery) in all.zip(deliveries) {
                    document.remove("body");
                    document.insert("waits".to_owned(), gateway.waits(delivery).into());
                }
            }
            Value::Object(run)
        })
        .collect();
    document.insert("runs".to_owned(), now.into());
    Ok(Value::Object(document))
}

/// `GET /v1/parked`, `GET /v1/held`: the oldest, and how many there are.
pub fn parked_list(what: &str, items: &[ParkedItem]) -> Value {
    let listed = items.iter().take(LIST_MAX).map(item).map(Value::Object);
    json!({ what: listed.collect::<Vec<_>>(), "total": items.len() })
}

/// `GET /v1/parked/{id}`
pub fn parked(gateway: &Gateway, one: &ParkedItem) -> Result<Value, Fault> {
    let trail = gateway.store().trail(one.message)?;
    let mut document = item(one);
    document.insert("trail".to_owned(), trail.iter().map(record_document).collect());
    Ok(Value::Object(document))
}

fn item(one: &ParkedItem) -> Map<String, Value> {
    let (id, kind) = match one.item {
        Parked::Run(run) => (run.to_string(), "run"),
        Parked::Delivery(delivery) => (delivery.to_string(), "delivery"),
    };
    let (state, cause, detail) = match (&one.cause, &one.held) {
        (Some(cause), _) => ("parked", cause.word.word(), cause.detail.as_str()),
        (None, held) => ("held", "held", held.as_deref().unwrap_or_default()),
    };
    object(json!({
        "id": id,
        "kind": kind,
        "state": state,
        "since": one.since.to_string(),
        "message": one.message.to_string(),
        "run": one.run.to_string(),
        "route": one.route.as_str(),
        "destination": one.destination.as_ref().map(Name::as_str),
        "cause": cause,
        "detail": detail,
    }))
}

type Run = (RunRecord, Vec<DeliveryRecord>);

fn load(gateway: &Gateway, id: MessageId) -> Result<(MessageRecord, Vec<Run>), Fault> {
    let store = gateway.store();
    let record = store.message(id).ok_or(hilum_store::StoreError::NoMessage(id))?;
    let mut runs = Vec::new();
    for run in record.runs.iter().filter_map(|run| store.run(*run)) {
        let deliveries: Result<Vec<_>, _> =
            run.deliveries.iter().map(|it| store.delivery(*it)).collect();
        runs.push((run, deliveries?));
    }
    Ok((record, runs))
}

fn head(gateway: &Gateway, record: &MessageRecord, runs: &[Run]) -> Map<String, Value> {
    let run_states: Vec<&RunState> = runs.iter().map(|(run, _)| &run.state).collect();
    let delivery_states: Vec<&DeliveryState> =
        runs.iter().flat_map(|(_, all)| all.iter().map(|it| &it.state)).collect();
    let all = || runs.iter().flat_map(|(_, all)| all);
    let waiting = || all().filter(|it| it.state == DeliveryState::Queued);
    let is_retried = waiting().any(|it| 0 < it.attempts);
    let queued = queued(waiting().map(|it| &it.destination), &gateway.paused(), is_retried);
    object(json!({
        "id": record.envelope.message.to_string(),
        "received": record.envelope.received.to_string(),
        "listener": record.envelope.listener.as_str(),
        "peer": record.envelope.peer,
        "origin": record.envelope.origin.word(),
        "kind": record.kind,
        "format": record.format.as_str(),
        "bytes": record.bytes,
        "state": state(&run_states, &delivery_states, queued),
    }))
}

fn run_document(run: &RunRecord, deliveries: &[DeliveryRecord]) -> Value {
    let cause = match &run.state {
        RunState::Refused(all) => {
            Some(all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
        RunState::Held { why, .. } => Some(why.clone()),
        RunState::Parked(cause) => Some(cause.to_string()),
        _ => None,
    };
    json!({
        "id": run.run.to_string(),
        "route": run.route.as_str(),
        "state": run.state.word(),
        "cause": cause,
        "since": run.since.to_string(),
        "starts": run.starts,
        "generation": run.generation.to_string(),
        "parent": run.parent.map(|it| it.to_string()),
        "deliveries": deliveries.iter().map(delivery_document).collect::<Vec<_>>(),
    })
}

fn delivery_document(delivery: &DeliveryRecord) -> Value {
    let cause = match &delivery.state {
        DeliveryState::Parked(cause) => Some(Cause::to_string(cause)),
        DeliveryState::Queued => delivery.why.clone(),
        _ => None,
    };
    let (body, is_cut) = cut(hilum_policy::shown_marked(&delivery.body, &delivery.marks));
    json!({
        "id": delivery.delivery.to_string(),
        "destination": delivery.destination.as_str(),
        "ordinal": delivery.ordinal,
        "state": delivery.state.word(),
        "cause": cause,
        "since": delivery.since.to_string(),
        "attempts": delivery.attempts,
        "due": delivery.due.map(|it| it.to_string()),
        "format": delivery.format.as_str(),
        "bytes": delivery.body.len(),
        "body": body,
        "body_is_cut": is_cut,
    })
}

/// A stored message with its patient data masked; nothing of one that cannot be read by pieces.
fn masked(gateway: &Gateway, format: &str, body: bytes::Bytes) -> String {
    match Message::parse(format, body) {
        Ok(message) => gateway.shown(&message),
        Err(_) => "[phi:body]".to_owned(),
    }
}

/// The beginning of a long body, and whether it was cut. Revealing gives all of it.
fn cut(mut body: String) -> (String, bool) {
    if body.len() <= BODY_BYTES_MAX {
        return (body, false);
    }
    let mut end = BODY_BYTES_MAX;
    while !body.is_char_boundary(end) {
        end -= 1;
    }
    body.truncate(end);
    (body, true)
}

/// A record of the trail. A fact that stands several times is a list; what may, always is.
fn record_document(record: &Record) -> Value {
    let mut facts = Map::new();
    for (key, value) in &record.facts {
        let value = match value {
            FactValue::Text(text) => Value::from(text.as_str()),
            FactValue::Number(number) => Value::from(*number),
            FactValue::Digest(digest) => Value::from(digest.to_string()),
        };
        let key = key.as_str();
        let is_list = [fact::OUTPUT, fact::PATH].contains(&key) || key.starts_with("log.");
        match facts.get_mut(key) {
            Some(Value::Array(all)) => all.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
            None if is_list => drop(facts.insert(key.to_owned(), Value::Array(vec![value]))),
            None => drop(facts.insert(key.to_owned(), value)),
        }
    }
    json!({
        "at": record.at.to_string(),
        "at_micros": record.at.micros(),
        "what": record.what.word(),
        "actor": record.actor.to_string(),
        "run": record.run.map(|it| it.to_string()),
        "delivery": record.delivery.map(|it| it.to_string()),
        "generation": record.generation.map(|it| it.to_string()),
        "facts": facts,
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hilum_words::CauseWord;

    #[test]
    fn a_long_body_is_cut_between_two_letters() {
        let body = format!("x{}", "ä".repeat(BODY_BYTES_MAX / 2));
        let (shown, is_cut) = cut(body.clone());
        assert!(is_cut && shown.len() < BODY_BYTES_MAX && body.starts_with(&shown));
        assert!(!cut("x".repeat(BODY_BYTES_MAX)).1);
    }

    #[test]
    fn the_list_of_what_is_parked_is_bounded() {
        let item = ParkedItem {
            item: Parked::Run(hilum_words::RunId::from_bits(1)),
            message: MessageId::from_bits(1),
            run: hilum_words::RunId::from_bits(1),
            route: Name::from("adt"),
            destination: None,
            cause: Some(Cause::new(CauseWord::Leak, "")),
            held: None,
            since: hilum_words::Timestamp::from_micros(0),
        };
        let listed = parked_list("parked", &vec![item; LIST_MAX + 1]);
        assert_eq!(listed["parked"].as_array().map(Vec::len), Some(LIST_MAX));
        assert_eq!(listed["total"], LIST_MAX + 1);
    }

    #[test]
    fn a_message_is_as_well_as_the_worst_of_its_parts() {
        let of = |runs: &[&RunState], all: &[&DeliveryState]| state(runs, all, "retrying");
        let parked = RunState::Parked(Cause::new(CauseWord::Leak, ""));
        let delivery_parked = DeliveryState::Parked(Cause::new(CauseWord::Denied, ""));
        let (sent, queued, arrived) =
            (RunState::Dispatched, DeliveryState::Queued, DeliveryState::Delivered);
        assert_eq!(of(&[], &[]), "unrouted");
        assert_eq!(of(&[&RunState::Undecided], &[]), "undecided");
        assert_eq!(of(&[&sent], &[&queued, &arrived]), "retrying");
        assert_eq!(of(&[&sent], &[&arrived, &arrived]), "settled");
        assert_eq!(of(&[&sent], &[&arrived, &delivery_parked]), "parked");
        assert_eq!(of(&[&parked, &sent], &[&arrived]), "parked");
        assert_eq!(of(&[&RunState::Replayed, &sent], &[&arrived]), "settled");
        assert_eq!(of(&[&sent], &[&DeliveryState::Discarded]), "discarded");
    }

    #[test]
    fn what_is_queued_is_as_stuck_as_its_worst() {
        let (ehr, lab) = (Name::from("ehr"), Name::from("lab"));
        let word = |to: &[&Name], is_retried: bool| {
            queued(to.iter().copied(), &|name: &str| name == "lab", is_retried)
        };
        assert_eq!(word(&[&ehr, &lab], true), "paused");
        assert_eq!(word(&[&ehr], true), "retrying");
        assert_eq!(word(&[&ehr], false), "dispatched");
    }
}
