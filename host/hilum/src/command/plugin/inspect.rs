//! `hilum plugin inspect`: what a plugin is, asks for and can do, before it may do anything.

use std::path::Path;

use hilum_sandbox::{BudgetAsk, Package};
use serde_json::{Map, Value, json};

use crate::command::Context;
use crate::exit::Exit;
use crate::output::{Output, size, thousands};

/// Prints it. Exits 1 if the gateway could not load it, and says why.
pub fn run(context: &Context, file: &Path) -> anyhow::Result<Exit> {
    let package = super::read_package(context, file)?;
    let misfits: Vec<String> = package.misfits().iter().map(ToString::to_string).collect();
    if context.output.is_json() {
        context.output.json(&document(&package, &misfits))?;
    } else {
        context.output.text(&describe(&context.output, &package, &misfits))?;
    }
    Ok(if misfits.is_empty() { Exit::Success } else { Exit::Failure })
}

fn document(package: &Package, misfits: &[String]) -> Value {
    let manifest = &package.manifest;
    let externs = |all: &[hilum_sandbox::Extern]| -> Vec<Value> {
        all.iter().map(|it| json!({ "name": it.name, "functions": it.functions })).collect()
    };
    let phi: Map<String, Value> = manifest
        .asks
        .phi
        .iter()
        .map(|(class, ask)| {
            (class.word().to_owned(), json!({ "sight": ask.sight.word(), "why": ask.why }))
        })
        .collect();
    let budget: Map<String, Value> = asked(&manifest.budget)
        .into_iter()
        .map(|(name, amount, _)| (name.to_owned(), amount.into()))
        .collect();
    json!({
        "name": manifest.name.as_str(),
        "version": manifest.version,
        "world": manifest.world.word(),
        "contract": manifest.contract,
        "summary": manifest.summary,
        "owner": manifest.owner,
        "takes": manifest.takes,
        "gives": manifest.gives,
        "digest": package.digest.to_string(),
        "bytes": package.bytes.len(),
        "asks": {
            "phi": phi,
            "big": manifest.asks.big,
            "tables": manifest.asks.tables.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
        },
        "budget": budget,
        "imports": externs(&package.imports),
        "exports": externs(&package.exports),
        "toolchain": package.toolchain,
        "signatures": [],
        "misfits": misfits,
    })
}

fn describe(output: &Output, package: &Package, misfits: &[String]) -> String {
    let manifest = &package.manifest;
    let mut out = format!(
        "{} {}, a {}\n{}\n\n",
        output.bold(&manifest.name),
        manifest.version,
        manifest.world.word(),
        manifest.summary
    );
    let mut line = |label: &str, value: &str| out.push_str(&format!("{label:<11}{value}\n"));
    line("owner", &manifest.owner);
    line("contract", &manifest.contract);
    line("takes", &or_anything(&manifest.takes));
    let gives = manifest.gives.join(", ");
    let own = "the message's format, hl7v2, fhir-json, json";
    line("gives", if manifest.gives.is_empty() { own } else { &gives });
    line("digest", &package.digest.to_string());
    line("size", &size(package.bytes.len() as u64));
    line("signatures", "none");

    out.push_str("\nasks for (a site grants it or not)\n");
    let asks = &manifest.asks;
    if asks.phi.is_empty() {
        out.push_str("  no patient data: every class is sealed, it maps blind\n");
    }
    for (class, ask) in &asks.phi {
        out.push_str(&format!("  {:<11} {:<9} {}\n", class.word(), ask.sight.word(), ask.why));
    }
    if asks.big {
        out.push_str("  big         open values of more than 64 KiB as they are\n");
    }
    for table in &asks.tables {
        out.push_str(&format!("  table       {table}\n"));
    }

    out.push_str("\nbudget for one call (a site may allow less)\n");
    let budget = asked(&manifest.budget);
    if budget.is_empty() {
        out.push_str("  what the site allows\n");
    }
    for (name, _, text) in budget {
        out.push_str(&format!("  {name:<11} {text}\n"));
    }

    out.push_str("\nimports (all that it can call at all; what is not granted is denied)\n");
    if package.imports.is_empty() {
        out.push_str("  nothing\n");
    }
    for import in package.imports.iter() {
        out.push_str(&format!("  {:<36} {}\n", import.name, import.functions.join(" ")));
    }
    out.push_str("\nexports\n");
    for export in &package.exports {
        out.push_str(&format!("  {:<36} {}\n", export.name, export.functions.join(" ")));
    }
    if !package.toolchain.is_empty() {
        out.push_str("\nmade with\n");
        for tool in &package.toolchain {
            out.push_str(&format!("  {tool}\n"));
        }
    }
    if !misfits.is_empty() {
        out.push_str("\nthis gateway cannot load it\n");
        for misfit in misfits {
            out.push_str(&format!("  {misfit}\n"));
        }
    }
    // Trailing blanks come from interfaces without functions.
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn or_anything(words: &[String]) -> String {
    if words.is_empty() { "anything".to_owned() } else { words.join(", ") }
}

/// What the manifest says about the budget: the key, the amount, and the amount for people.
fn asked(ask: &BudgetAsk) -> Vec<(&'static str, u64, String)> {
    let mut all = Vec::new();
    let mut note = |name, amount: Option<u64>, text: &dyn Fn(u64) -> String| {
        if let Some(amount) = amount {
            all.push((name, amount, text(amount)));
        }
    };
    let millis = ask.wall.map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX));
    note("fuel", ask.fuel, &thousands);
    note("memory", ask.memory_bytes, &size);
    note("wall_ms", millis, &|it| format!("{it} ms"));
    note("output", ask.output_bytes, &size);
    note("host_calls", ask.host_calls, &thousands);
    note("handles", ask.handles, &thousands);
    note("log", ask.log_bytes, &size);
    all
}
