//! `hilum destination`: where results go, and whether they may.

use serde_json::{Value, json};

use super::Context;
use crate::arguments::Destination;
use crate::exit::Exit;
use crate::output::{list, member, number, text};

/// Lists, pauses, resumes.
pub async fn run(context: &Context, command: Destination) -> anyhow::Result<Exit> {
    match command {
        Destination::List => list_all(context).await,
        Destination::Pause { name, reason } => act(context, &name, "pause", &reason).await,
        Destination::Resume { name, reason } => act(context, &name, "resume", &reason).await,
    }
}

async fn list_all(context: &Context) -> anyhow::Result<Exit> {
    let answer = context.client()?.get("/v1/destinations").await?;
    if context.output.is_json() {
        context.output.json(&answer)?;
        return Ok(Exit::Success);
    }
    let columns = [
        text("DESTINATION"),
        text("KIND"),
        text("STATE"),
        text("BREAKER"),
        number("QUEUED"),
        number("PARKED"),
        text("NEXT ATTEMPT"),
        text("PAUSED"),
        text("LAST FAULT"),
    ];
    let fault = |it: &Value| it.get("last_fault").map(|it| member(it, "why")).unwrap_or_default();
    let row = |it: &Value| {
        let members =
            ["name", "kind", "state", "breaker", "queued", "parked", "next_attempt", "paused"];
        members.iter().map(|name| member(it, name)).chain([fault(it)]).collect()
    };
    let rows = list(&answer, "destinations").iter().map(row).collect();
    context.output.table(&columns, rows, "No destination is configured.")?;
    Ok(Exit::Success)
}

async fn act(context: &Context, name: &str, action: &str, reason: &str) -> anyhow::Result<Exit> {
    let path = format!("/v1/destinations/{}/{action}", encoded(name));
    let answer = context.client()?.post(&path, &json!({ "reason": reason })).await?;
    if context.output.is_json() {
        context.output.json(&answer)?;
    } else if !context.output.is_quiet() {
        context.output.text(&format!("{name}: {}", member(&answer, "done")))?;
    }
    Ok(Exit::Success)
}

/// A name may hold any letter; a path may not.
fn encoded(name: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    name.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_into_a_path() {
        assert_eq!(encoded("ehr-1.x_y"), "ehr-1.x_y");
        assert_eq!(encoded("a/b ä"), "a%2Fb%20%C3%A4");
    }
}
