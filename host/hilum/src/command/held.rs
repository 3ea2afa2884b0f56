//! `hilum held`: what validators hold until a person decides.

use serde_json::{Value, json};

use super::Context;
use super::message::word;
use crate::arguments::Held;
use crate::exit::Exit;
use crate::output::{list, member, text, thousands};

/// Lists, releases, refuses.
pub async fn run(context: &Context, command: Held) -> anyhow::Result<Exit> {
    match command {
        Held::List => list_all(context).await,
        Held::Release { ids, reason } => decide(context, &ids, "release", &reason).await,
        Held::Refuse { ids, reason } => decide(context, &ids, "refuse", &reason).await,
    }
}

async fn list_all(context: &Context) -> anyhow::Result<Exit> {
    let answer = context.client()?.get("/v1/held").await?;
    let output = &context.output;
    if output.is_json() {
        output.json(&answer)?;
        return Ok(Exit::Success);
    }
    let columns = [text("SINCE"), text("HELD"), text("ROUTE"), text("MESSAGE"), text("WHY")];
    let members = ["since", "id", "route", "message", "detail"];
    let row = |it: &Value| members.iter().map(|name| member(it, name)).collect();
    let rows = list(&answer, "held").iter().map(row).collect();
    output.table(&columns, rows, "Nothing is held.")?;
    let total = answer.get("total").and_then(Value::as_u64).unwrap_or_default();
    let more = total.saturating_sub(list(&answer, "held").len() as u64);
    if 0 < more {
        output.text(&format!("… and {} more", thousands(more)))?;
    }
    Ok(Exit::Success)
}

async fn decide(
    context: &Context,
    ids: &[String],
    action: &str,
    reason: &str,
) -> anyhow::Result<Exit> {
    let client = context.client()?;
    let mut answers = Vec::new();
    for id in ids {
        let path = format!("/v1/held/{}/{action}", word(id)?);
        let answer = client.post(&path, &json!({ "reason": reason })).await?;
        if !context.output.is_json() {
            context.output.text(&format!("{id}: {}", member(&answer, "done")))?;
        }
        answers.push(answer);
    }
    if context.output.is_json() {
        context.output.json(&json!({ "answers": answers }))?;
    }
    Ok(Exit::Success)
}
