//! `hilum apply` and `hilum rollback`: what would change, a question, and the change.
//!
//! Exits 0 when it is done or there is nothing to do, 1 when the person says no, 78 when the
//! configuration has problems; then the running one goes on.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Context, generation};
use crate::arguments::Change;
use crate::exit::{Exit, failed};
use crate::output::member;

/// Makes the site's folder the running configuration.
pub async fn run(context: &Context, change: &Change) -> anyhow::Result<Exit> {
    is_the_same(context).await?;
    make(context, "/v1/apply", Map::new(), change).await
}

/// The gateway reads its own configuration. Another one that names the same data folder is easily
/// taken for it.
async fn is_the_same(context: &Context) -> anyhow::Result<()> {
    let status = context.client()?.get("/v1/status").await?;
    let its = member(&status, "configuration");
    let ours = &context.common.config;
    // Where one of them cannot be followed, the paths decide.
    let real = |path: &Path| std::fs::canonicalize(path).or_else(|_| std::path::absolute(path));
    if real(Path::new(&its)).ok() == real(ours).ok() {
        return Ok(());
    }
    let sentence = format!("the running gateway reads {its}, not {}", ours.display());
    Err(failed(Exit::Usage, sentence))
}

/// Makes a generation that ran before the running configuration.
pub async fn roll_back(
    context: &Context,
    generation: Option<&str>,
    change: &Change,
) -> anyhow::Result<Exit> {
    let mut order = Map::new();
    if let Some(generation) = generation {
        order.insert("generation".to_owned(), generation.into());
    }
    make(context, "/v1/rollback", order, change).await
}

async fn make(
    context: &Context,
    path: &str,
    mut order: Map<String, Value>,
    change: &Change,
) -> anyhow::Result<Exit> {
    let (client, output) = (context.client()?, &context.output);
    if let Some(reason) = &change.reason {
        order.insert("reason".to_owned(), reason.as_str().into());
    }
    if !change.yes {
        order.insert("dry_run".to_owned(), true.into());
        let planned = client.post(path, &Value::Object(order.clone())).await?;
        if change.dry_run && output.is_json() {
            output.json(&planned)?;
            return Ok(Exit::Success);
        }
        show(context, &planned)?;
        if change.dry_run {
            if !is_other(&planned) {
                output.text(NOTHING)?;
            }
            return Ok(Exit::Success);
        }
        // Certificates and secrets are no part of it: they are read again even where nothing differs.
        if is_other(&planned) && !agreed()? {
            return Err(failed(Exit::Failure, "nothing was changed"));
        }
        order.insert("dry_run".to_owned(), false.into());
        order.insert("expect".to_owned(), json!(member(&planned, "generation")));
    }
    let applied = client.post(path, &Value::Object(order)).await?;
    if output.is_json() {
        output.json(&applied)?;
    } else if !output.is_quiet() {
        if change.yes {
            show(context, &applied)?;
        }
        let new = generation::short(&member(&applied, "generation"));
        let done = if is_other(&applied) {
            format!("generation {new} has taken over")
        } else {
            format!("{NOTHING} Certificates and secrets were read again.")
        };
        output.text(&done)?;
    }
    if path == "/v1/rollback" {
        note_folder(context).await?;
    }
    Ok(Exit::Success)
}

/// What would change, or did. To standard error where a program reads the result.
fn show(context: &Context, applied: &Value) -> anyhow::Result<()> {
    let output = &context.output;
    if !is_other(applied) {
        return Ok(());
    }
    let digest = |name: &str| generation::short(&member(applied, name));
    let (old, new) = (digest("parent"), digest("generation"));
    let changes = generation::tell(output, applied.get("changes").unwrap_or(&Value::Null));
    let told = format!("generation {old} → {}\n{changes}", output.bold(&new));
    if output.is_json() {
        eprint!("{told}");
        return Ok(());
    }
    output.text(&told)
}

fn is_other(applied: &Value) -> bool {
    applied.get("is_other").and_then(Value::as_bool).unwrap_or_default()
}

const NOTHING: &str = "Nothing to do: this configuration runs already.";

/// After a rollback the folder holds something else, and a restart would start with that.
async fn note_folder(context: &Context) -> anyhow::Result<()> {
    let status = context.client()?.get("/v1/status").await?;
    let differs = status.get("folder_differs").and_then(Value::as_bool).unwrap_or_default();
    if differs && !context.output.is_json() && !context.output.is_quiet() {
        context.output.text(
            "The site's folder holds another configuration: a restart starts with that one. \
             Bring the folder back, too.",
        )?;
    }
    Ok(())
}

/// Asks the person at the terminal.
fn agreed() -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(failed(
            Exit::Usage,
            "nobody is there to be asked; --yes applies without a question",
        ));
    }
    let mut err = std::io::stderr().lock();
    err.write_all(b"Apply? [y/N] ")?;
    err.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
