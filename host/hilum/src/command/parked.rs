//! `hilum parked`: what waits for a person, and what the person decides.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::message::word;
use super::{Context, trail};
use crate::arguments::Parked;
use crate::exit::{self, Exit};
use crate::output::{counted, list, member, text, thousands};

/// Lists, shows, replays, discards.
pub async fn run(context: &Context, command: Parked) -> anyhow::Result<Exit> {
    match command {
        Parked::List => list_all(context).await,
        Parked::Show { id } => show(context, &id).await,
        Parked::Replay { ids, all } => {
            if all {
                return replay_all(context).await;
            }
            act(context, &ids, "replay", &json!({})).await
        }
        Parked::Discard { ids, reason } => {
            act(context, &ids, "discard", &json!({ "reason": reason })).await
        }
    }
}

async fn list_all(context: &Context) -> anyhow::Result<Exit> {
    let answer = context.client()?.get("/v1/parked").await?;
    if context.output.is_json() {
        context.output.json(&answer)?;
        return Ok(Exit::Success);
    }
    let columns = [
        text("SINCE"),
        text("PARKED"),
        text("ROUTE"),
        text("DESTINATION"),
        text("CAUSE"),
        text("DETAIL"),
    ];
    let members = ["since", "id", "route", "destination", "cause", "detail"];
    let row = |it: &Value| members.iter().map(|name| member(it, name)).collect();
    let rows = list(&answer, "parked").iter().map(row).collect();
    context.output.table(&columns, rows, "Nothing is parked.")?;
    let total = answer.get("total").and_then(Value::as_u64).unwrap_or_default();
    let more = total.saturating_sub(list(&answer, "parked").len() as u64);
    if 0 < more {
        context.output.text(&format!("… and {} more", thousands(more)))?;
    }
    Ok(Exit::Success)
}

/// Replays what is listed. What cannot be replayed is named with the reason, and does not keep the others
/// from it.
async fn replay_all(context: &Context) -> anyhow::Result<Exit> {
    let client = context.client()?;
    let answer = client.get("/v1/parked").await?;
    let listed = list(&answer, "parked");
    let total = answer.get("total").and_then(Value::as_u64).unwrap_or_default();
    let (mut answers, mut faults) = (Vec::new(), Vec::new());
    // Runs that were made again, and as what: nothing of them waits any more.
    let mut again: BTreeMap<String, String> = BTreeMap::new();
    for it in listed {
        let (id, run) = (member(it, "id"), member(it, "run"));
        if let Some(new) = again.get(&run) {
            let done = format!("is replayed with its run, as {new}");
            if !context.output.is_json() {
                context.output.text(&format!("{id}: {done}"))?;
            }
            answers.push(json!({ "id": id, "new": new, "done": done }));
            continue;
        }
        match client.post(&format!("/v1/parked/{}/replay", word(&id)?), &json!({})).await {
            Ok(answer) => {
                let new = member(&answer, "new");
                if new.starts_with("run_") {
                    again.insert(run, new);
                }
                if !context.output.is_json() {
                    context.output.text(&format!("{id}: {}", member(&answer, "done")))?;
                }
                answers.push(answer);
            }
            Err(fault) if exit::of(&fault) == Exit::Failure => {
                if !context.output.is_json() {
                    context.output.text(&format!("{id}: is not replayed: {fault}"))?;
                }
                faults.push(json!({ "id": id, "why": fault.to_string() }));
            }
            // The gateway is gone, or does not let us: so it is with the others.
            Err(fault) => return Err(fault),
        }
    }
    let beyond = total.saturating_sub(listed.len() as u64);
    let remain = beyond.saturating_add(faults.len() as u64);
    if context.output.is_json() {
        context.output.json(&json!({ "answers": answers, "faults": faults, "remain": remain }))?;
    } else if listed.is_empty() && !context.output.is_quiet() {
        context.output.text("Nothing is parked.")?;
    } else if !context.output.is_quiet() {
        let replayed = counted(answers.len() as u64, "item", "items");
        let remain = match remain {
            0 => String::new(),
            remain => format!("; {} not replayed", thousands(remain)),
        };
        context.output.text(&format!("{replayed}{remain}"))?;
    }
    Ok(if remain == 0 { Exit::Success } else { Exit::Failure })
}

async fn show(context: &Context, id: &str) -> anyhow::Result<Exit> {
    let item = context.client()?.get(&format!("/v1/parked/{}", word(id)?)).await?;
    let output = &context.output;
    if output.is_json() {
        output.json(&item)?;
        return Ok(Exit::Success);
    }
    output.text(&format!(
        "{}  {} {} since {}",
        output.bold(&member(&item, "id")),
        member(&item, "state"),
        member(&item, "kind"),
        member(&item, "since"),
    ))?;
    for (label, name) in
        [("message", "message"), ("route", "route"), ("destination", "destination")]
    {
        let value = member(&item, name);
        if !value.is_empty() {
            output.text(&format!("{label:<12} {value}"))?;
        }
    }
    output.text(&format!(
        "{:<12} {}: {}",
        "cause",
        member(&item, "cause"),
        member(&item, "detail")
    ))?;
    output.text("")?;
    output.text(&trail::tell(output, list(&item, "trail")))?;
    Ok(Exit::Success)
}

async fn act(
    context: &Context,
    ids: &[String],
    action: &str,
    body: &Value,
) -> anyhow::Result<Exit> {
    let client = context.client()?;
    let mut answers = Vec::new();
    for id in ids {
        let answer = client.post(&format!("/v1/parked/{}/{action}", word(id)?), body).await?;
        if !context.output.is_json() {
            context.output.text(&format!("{id}: {}", member(&answer, "done")))?;
        }
        answers.push(answer);
    }
    if context.output.is_json() {
        context.output.json(&json!({ "answers": answers }))?;
    } else if ids.is_empty() && !context.output.is_quiet() {
        context.output.text("Nothing is parked.")?;
    } else if 1 < ids.len() && !context.output.is_quiet() {
        context.output.text(&counted(ids.len() as u64, "item", "items"))?;
    }
    Ok(Exit::Success)
}
