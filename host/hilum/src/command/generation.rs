//! `hilum generation`: what ran when, and what was different.

use serde_json::Value;

use super::Context;
use crate::arguments::Generation;
use crate::exit::Exit;
use crate::output::{Output, lines, list, member, printable, text};

/// Lists, shows, compares.
pub async fn run(context: &Context, command: Generation) -> anyhow::Result<Exit> {
    match command {
        Generation::List { limit } => list_all(context, limit).await,
        Generation::Show { generation } => show(context, &generation).await,
        Generation::Diff { old, new } => diff(context, &old, &new).await,
    }
}

async fn list_all(context: &Context, limit: u32) -> anyhow::Result<Exit> {
    let answer = context.client()?.get(&format!("/v1/generations?limit={limit}")).await?;
    if context.output.is_json() {
        context.output.json(&answer)?;
        return Ok(Exit::Success);
    }
    let columns =
        [text("SINCE"), text("GENERATION"), text(""), text("BY"), text("CHANGED"), text("REASON")];
    let row = |it: &Value| {
        let is_current = it.get("current").and_then(Value::as_bool).unwrap_or_default();
        vec![
            member(it, "since"),
            short(&member(it, "digest")),
            if is_current { "runs".to_owned() } else { String::new() },
            member(it, "actor"),
            changed(it),
            member(it, "reason"),
        ]
    };
    let rows = list(&answer, "generations").iter().map(row).collect();
    context.output.table(&columns, rows, "No generation yet.")?;
    Ok(Exit::Success)
}

/// What a generation changed, and whether it had run before.
fn changed(it: &Value) -> String {
    let summary = member(it, "summary");
    match it.get("rollback").and_then(Value::as_bool) {
        Some(true) => format!("rolled back: {summary}"),
        _ => summary,
    }
}

async fn show(context: &Context, name: &str) -> anyhow::Result<Exit> {
    let it = context.client()?.get(&format!("/v1/generations/{name}")).await?;
    let output = &context.output;
    if output.is_json() {
        output.json(&it)?;
        return Ok(Exit::Success);
    }
    output.text(&output.bold(&member(&it, "digest")))?;
    let is_current = it.get("current").and_then(Value::as_bool).unwrap_or_default();
    let runs = if is_current { ", runs now" } else { "" };
    output.text(&format!("since {} by {}{runs}", member(&it, "since"), member(&it, "actor")))?;
    output.text(&format!("changed {}", changed(&it)))?;
    if !member(&it, "reason").is_empty() {
        output.text(&format!("reason {}", member(&it, "reason")))?;
    }
    if !member(&it, "parent").is_empty() {
        output.text(&format!("after {}", member(&it, "parent")))?;
    }
    output.text("")?;
    let rows = list(&it, "files").iter();
    let rows = rows.map(|it| vec![member(it, "name"), short(&member(it, "digest"))]).collect();
    output.table(&[text("FILE"), text("DIGEST")], rows, "Its files are lost.")?;
    let plugins = list(&it, "plugins");
    if !plugins.is_empty() {
        output.text("")?;
        let asks = |it: &Value| {
            let all: Vec<_> = list(it, "asks").iter().filter_map(Value::as_str).collect();
            printable(&all.join(", "))
        };
        let row = |it: &Value| vec![member(it, "name"), member(it, "version"), asks(it)];
        let rows = plugins.iter().map(row).collect();
        output.table(&[text("PLUGIN"), text("PACKAGE"), text("ASKS FOR")], rows, "")?;
    }
    for part in list(&it, "configuration") {
        output.text(&format!("\n{}", output.dim(&format!("# {}", member(part, "name")))))?;
        output.text(&lines(&member(part, "text")))?;
    }
    Ok(Exit::Success)
}

async fn diff(context: &Context, old: &str, new: &str) -> anyhow::Result<Exit> {
    let path = format!("/v1/generations/{old}/diff/{new}");
    let changes = context.client()?.get(&path).await?;
    if context.output.is_json() {
        context.output.json(&changes)?;
    } else {
        let digest = |name: &str| short(&member(&changes, name));
        context.output.text(&format!("generation {} → {}", digest("old"), digest("new")))?;
        context.output.text(&tell(&context.output, &changes))?;
    }
    Ok(Exit::Success)
}

/// What is different, for a person who decides about it.
pub fn tell(output: &Output, changes: &Value) -> String {
    let mut told = String::new();
    for section in list(changes, "sections") {
        let change = member(section, "change");
        told += &format!("{} [{}]\n", mark(&change), output.bold(&member(section, "section")));
        for key in list(section, "keys") {
            let (old, new) = (member(key, "old"), member(key, "new"));
            let key = member(key, "key");
            told += &match (old.is_empty(), new.is_empty()) {
                (true, _) => format!("    + {key} = {new}\n"),
                (_, true) => format!("    - {key} = {old}\n"),
                _ => format!("    ~ {key} = {old} → {new}\n"),
            };
        }
    }
    for plugin in list(changes, "plugins") {
        told += &format!("~ plugin {}\n", output.bold(&member(plugin, "name")));
        for (sign, side) in [("-", "old"), ("+", "new")] {
            if let Some(package) = plugin.get(side).filter(|it| !it.is_null()) {
                let digest = short(&member(package, "digest"));
                told += &format!("    {sign} {} ({digest})\n", member(package, "version"));
            }
        }
        for (label, name) in [("asks for", "more_asks"), ("imports", "more_imports")] {
            for more in list(plugin, name).iter().filter_map(Value::as_str) {
                told += &format!("    ! {label} {}, and did not before\n", printable(more));
            }
        }
    }
    for file in list(changes, "files") {
        told += &format!("{} {}\n", mark(&member(file, "change")), member(file, "name"));
    }
    if told.is_empty() { "nothing is different\n".to_owned() } else { told }
}

fn mark(change: &str) -> &'static str {
    match change {
        "added" => "+",
        "removed" => "-",
        _ => "~",
    }
}

/// A digest by its first twelve digits.
pub fn short(digest: &str) -> String {
    digest.strip_prefix("sha256:").unwrap_or(digest).chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rollback_is_named_as_one() {
        let it = json!({ "summary": "route.adt changed", "rollback": true });
        assert_eq!(changed(&it), "rolled back: route.adt changed");
        assert_eq!(changed(&json!({ "summary": "route.adt changed" })), "route.adt changed");
    }

    #[test]
    fn a_change_is_told_key_by_key_and_what_a_plugin_wants_more_is_marked() {
        let changes = json!({
            "sections": [
                { "section": "listener.in", "change": "changed", "keys": [
                    { "key": "bind", "old": "\"a\"", "new": "\"b\"" },
                    { "key": "strict", "old": null, "new": "true" },
                ] },
                { "section": "route.old", "change": "removed", "keys": [
                    { "key": "from", "old": "\"in\"", "new": null },
                ] },
            ],
            "plugins": [{
                "name": "map",
                "old": { "version": "map 1.0.0", "digest": "sha256:00112233445566" },
                "new": { "version": "map 1.1.0", "digest": "sha256:aabbccddeeff00" },
                "more_asks": ["phi.name open"],
                "more_imports": [],
            }],
            "files": [{ "name": "tables/t.csv", "change": "changed" }],
        });
        assert_eq!(
            tell(&Output::plain(), &changes),
            "~ [listener.in]\n    ~ bind = \"a\" → \"b\"\n    + strict = true\n\
             - [route.old]\n    - from = \"in\"\n\
             ~ plugin map\n    - map 1.0.0 (001122334455)\n    + map 1.1.0 (aabbccddeeff)\n    \
             ! asks for phi.name open, and did not before\n\
             ~ tables/t.csv\n"
        );
        assert_eq!(tell(&Output::plain(), &json!({})), "nothing is different\n");
    }
}
