//! `hilum check`: reads and checks everything, starts nothing.

use hilum_words::Problem;
use serde_json::{Value, json};

use super::Context;
use crate::exit::Exit;
use crate::output::counted;

/// Checks the configuration, its plugins and its tables.
pub fn run(context: &Context) -> anyhow::Result<Exit> {
    let problems =
        hilum_gateway::check(&context.common.config, &context.doors).err().unwrap_or_default();
    if context.output.is_json() {
        context
            .output
            .json(&json!({ "ok": problems.is_empty(), "problems": documents(&problems) }))?;
    } else if problems.is_empty() {
        if !context.output.is_quiet() {
            context.output.text(&format!("{}: no problems", context.common.config.display()))?;
        }
    } else {
        complain(&problems);
    }
    Ok(if problems.is_empty() { Exit::Success } else { Exit::Configuration })
}

/// Prints problems as STYLE §9 shows them, to standard error.
pub fn complain(problems: &[Problem]) {
    for problem in problems {
        eprintln!("{problem}");
    }
    let count = counted(problems.len() as u64, "problem", "problems");
    eprintln!("{count}. Nothing was started.");
}

fn documents(problems: &[Problem]) -> Vec<Value> {
    let document = |it: &Problem| json!({ "file": &*it.place.file, "line": it.place.line, "key": it.key, "text": it.text });
    problems.iter().map(document).collect()
}
