//! `hilum status`: what the running gateway is doing.

use serde_json::Value;

use super::Context;
use crate::exit::Exit;
use crate::output::{Output, list, member, number, printable, text};

/// Prints the gateway's own account of itself.
pub async fn run(context: &Context, value: Option<&str>) -> anyhow::Result<Exit> {
    let status = context.client()?.get("/v1/status").await?;
    if let Some(path) = value {
        return print_value(context, &status, path);
    }
    if context.output.is_json() {
        context.output.json(&status)?;
    } else {
        print(&context.output, &status)?;
    }
    Ok(Exit::Success)
}

/// Prints one value alone, for scripts: `counts.queued`, `listeners.adt-in.address`.
fn print_value(context: &Context, status: &Value, path: &str) -> anyhow::Result<Exit> {
    let mut here = Some(status);
    for name in path.split('.') {
        here = here.and_then(|it| match it {
            // Of a list, the one with this name.
            Value::Array(all) => all.iter().find(|it| member(it, "name") == name),
            other => other.get(name),
        });
    }
    let Some(found) = here else { anyhow::bail!("the status has no value \"{path}\"") };
    context.output.text(&found.as_str().map_or_else(|| found.to_string(), str::to_owned))?;
    Ok(Exit::Success)
}

fn print(output: &Output, status: &Value) -> anyhow::Result<()> {
    let ready = status.get("ready").and_then(Value::as_bool).unwrap_or_default();
    output.text(&format!(
        "{} {}, {}, since {}",
        output.bold(&member(status, "name")),
        member(status, "version"),
        if ready { "ready" } else { "not ready" },
        member(status, "started"),
    ))?;
    for component in list(status, "components") {
        if component.get("ok").and_then(Value::as_bool) == Some(false) {
            output.text(&format!(
                "  {}: {}",
                member(component, "name"),
                member(component, "why")
            ))?;
        }
    }
    output.text(&format!(
        "generation {} since {}",
        member(status, "generation"),
        member(status, "generation_since")
    ))?;
    if status.get("folder_differs").and_then(Value::as_bool) == Some(true) {
        output.text(
            "the site's folder holds another configuration: `hilum apply --dry-run` shows it, and a \
             restart starts with it",
        )?;
    }
    if let Some(admin) = status.get("admin").and_then(Value::as_str) {
        output.text(&format!("health and metrics at http://{admin}/readyz, /metrics"))?;
    }
    if let Some(counts) = status.get("counts").and_then(Value::as_object) {
        let words = counts.iter().map(|(name, count)| format!("{name} {count}"));
        output.text(&words.collect::<Vec<_>>().join("   "))?;
    }
    let columns = [text("LISTENER"), text("KIND"), text("ADDRESS"), number("CONNECTIONS")];
    section(output, status, "listeners", &columns, &["name", "kind", "address", "connections"])?;
    let columns = [
        text("DESTINATION"),
        text("KIND"),
        text("STATE"),
        text("BREAKER"),
        number("QUEUED"),
        number("PARKED"),
        text("LAST FAULT"),
    ];
    let members = ["name", "kind", "state", "breaker", "queued", "parked", "last_fault/why"];
    section(output, status, "destinations", &columns, &members)?;
    let columns = [text("PLUGIN"), text("PACKAGE"), text("DIGEST"), text("FILE")];
    section(output, status, "plugins", &columns, &["name", "version", "digest", "file"])?;
    let columns =
        [text("ROUTE"), text("FROM"), text("STEPS"), text("TO"), text("OWNER"), text("PURPOSE")];
    let members = ["name", "from", "steps", "to", "owner", "purpose"];
    section(output, status, "routes", &columns, &members)
}

fn section(
    output: &Output,
    status: &Value,
    name: &str,
    columns: &[crate::output::Column],
    members: &[&str],
) -> anyhow::Result<()> {
    let rows: Vec<Vec<String>> = list(status, name)
        .iter()
        .map(|it| members.iter().map(|name| cell(it, name)).collect())
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    output.text("")?;
    output.table(columns, rows, "")
}

/// A member for a cell; `a/b` is a member of a member.
fn cell(value: &Value, name: &str) -> String {
    if let Some((outer, inner)) = name.split_once('/') {
        return value.get(outer).map(|it| cell(it, inner)).unwrap_or_default();
    }
    match value.get(name) {
        Some(Value::Array(all)) => {
            printable(&all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
        }
        _ => short(&member(value, name)),
    }
}

/// A digest by its first twelve digits; anything else as it is.
fn short(text: &str) -> String {
    match text.strip_prefix("sha256:") {
        Some(hex) => hex.chars().take(12).collect(),
        None => text.to_owned(),
    }
}
