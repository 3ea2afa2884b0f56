//! `hilum message`: the messages that the gateway took, one by one.

use serde_json::{Value, json};

use super::{Context, trail};
use crate::arguments::Message;
use crate::exit::{Exit, failed};
use crate::output::{
    Output, counted, lines, list, member, number, printable, readable, size, text,
};

/// Lists, shows, traces.
pub async fn run(context: &Context, command: Message) -> anyhow::Result<Exit> {
    match command {
        Message::List { limit, before } => self::list_all(context, limit, before).await,
        Message::Show { id, reveal: true, reason } => reveal(context, &id, reason).await,
        Message::Show { id, .. } => show(context, &id).await,
        Message::Trace { id } => trace(context, &id).await,
    }
}

async fn list_all(context: &Context, limit: u32, before: Option<String>) -> anyhow::Result<Exit> {
    let before = before.map(|id| format!("&before={id}")).unwrap_or_default();
    let answer = context.client()?.get(&format!("/v1/messages?limit={limit}{before}")).await?;
    if context.output.is_json() {
        context.output.json(&answer)?;
        return Ok(Exit::Success);
    }
    let columns = [
        text("RECEIVED"),
        text("MESSAGE"),
        text("LISTENER"),
        text("KIND"),
        number("SIZE"),
        text("STATE"),
    ];
    let row = |it: &Value| {
        vec![
            member(it, "received"),
            member(it, "id"),
            member(it, "listener"),
            member(it, "kind"),
            size(it.get("bytes").and_then(Value::as_u64).unwrap_or_default()),
            member(it, "state"),
        ]
    };
    let rows = list(&answer, "messages").iter().map(row).collect();
    context.output.table(&columns, rows, "No message yet.")?;
    Ok(Exit::Success)
}

async fn show(context: &Context, id: &str) -> anyhow::Result<Exit> {
    let message = context.client()?.get(&format!("/v1/messages/{}", word(id)?)).await?;
    let output = &context.output;
    if output.is_json() {
        output.json(&message)?;
        return Ok(Exit::Success);
    }
    output.text(&headline(output, &message))?;
    tell_findings(output, &message)?;
    output.text("")?;
    output.text(&lines(&member(&message, "body")))?;
    note_cut(output, &message)?;
    for run in list(&message, "runs") {
        show_run(output, run)?;
    }
    Ok(Exit::Success)
}

/// What was odd about a message that was taken.
fn tell_findings(output: &Output, message: &Value) -> anyhow::Result<()> {
    for finding in list(message, "findings") {
        output.text(&format!("finding: {}", printable(finding.as_str().unwrap_or_default())))?;
    }
    Ok(())
}

/// `msg_… ADT^A01 of 742 B from adt-in (127.0.0.1:50000), 2026-…: settled`.
pub fn headline(output: &Output, message: &Value) -> String {
    let bytes = message.get("bytes").and_then(Value::as_u64).unwrap_or_default();
    format!(
        "{}  {} of {} from {} ({}), {}: {}",
        output.bold(&member(message, "id")),
        member(message, "kind"),
        size(bytes),
        member(message, "listener"),
        member(message, "peer"),
        member(message, "received"),
        member(message, "state"),
    )
}

fn show_run(output: &Output, run: &Value) -> anyhow::Result<()> {
    let cause = match member(run, "cause") {
        cause if cause.is_empty() => cause,
        cause => format!(": {cause}"),
    };
    output.text(&format!(
        "\nroute {}  {}  {}{cause}",
        output.bold(&member(run, "route")),
        member(run, "state"),
        output.dim(&member(run, "id")),
    ))?;
    let mut shown: Vec<(String, String)> = Vec::new();
    for delivery in list(run, "deliveries") {
        let destination = member(delivery, "destination");
        let state = match member(delivery, "cause") {
            cause if cause.is_empty() => member(delivery, "state"),
            cause => format!("{}: {cause}", member(delivery, "state")),
        };
        output.text(&format!(
            "\n→ {}  output {}  {state}  {}",
            output.bold(&destination),
            member(delivery, "ordinal"),
            output.dim(&member(delivery, "id")),
        ))?;
        let body = member(delivery, "body");
        if body.is_empty() {
            continue;
        }
        match shown.iter().find(|(_, earlier)| *earlier == body) {
            Some((earlier, _)) => output.text(&format!("the same as for {earlier}"))?,
            None => {
                output.text(&readable(&member(delivery, "format"), &body))?;
                note_cut(output, delivery)?;
                shown.push((destination, body));
            }
        }
    }
    Ok(())
}

fn note_cut(output: &Output, shown: &Value) -> anyhow::Result<()> {
    if shown.get("body_is_cut").and_then(Value::as_bool) == Some(true) {
        output.text(&output.dim("… the rest is not shown"))?;
    }
    Ok(())
}

async fn reveal(context: &Context, id: &str, reason: Option<String>) -> anyhow::Result<Exit> {
    let Some(reason) = reason.filter(|it| !it.trim().is_empty()) else {
        return Err(failed(Exit::Usage, "--reveal needs a --reason, which the trail keeps"));
    };
    let path = format!("/v1/messages/{}/reveal", word(id)?);
    let answer = context.client()?.post_for_bytes(&path, &json!({ "reason": reason })).await?;
    if context.output.is_json() {
        let body = String::from_utf8_lossy(&answer.body);
        context
            .output
            .json(&json!({ "id": id, "content_type": answer.content_type, "body": body }))?;
    } else if std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        context.output.text(&lines(&String::from_utf8_lossy(&answer.body)))?;
    } else {
        // Into a file or a pipe it goes byte for byte, so that it can be sent again.
        context.output.bytes(&answer.body)?;
    }
    Ok(Exit::Success)
}

async fn trace(context: &Context, id: &str) -> anyhow::Result<Exit> {
    let trace = context.client()?.get(&format!("/v1/messages/{}/trace", word(id)?)).await?;
    let output = &context.output;
    if output.is_json() {
        output.json(&trace)?;
        return Ok(Exit::Success);
    }
    output.text(&headline(output, &trace))?;
    tell_findings(output, &trace)?;
    output.text("")?;
    let records = list(&trace, "trail");
    output.text(&trail::tell(output, records))?;
    output.text(&format!("\n{}", trail::tell_now(list(&trace, "runs"))))?;
    let count = counted(records.len() as u64, "record", "records");
    output.text(&output.dim(&format!("{count} in the trail")))?;
    Ok(Exit::Success)
}

/// An id goes into a path: nothing else may.
pub fn word(id: &str) -> anyhow::Result<&str> {
    if !id.is_empty() && id.chars().all(|it| it.is_ascii_alphanumeric() || it == '_') {
        Ok(id)
    } else {
        Err(failed(Exit::Usage, "an id is msg_, run_ or dlv_ and 26 letters and digits"))
    }
}
