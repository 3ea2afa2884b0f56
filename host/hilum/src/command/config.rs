//! `hilum config`: what the configuration says, and what it may say.
//!
//! Both come from the readers themselves: they note which keys they ask for, with types, words and
//! defaults. Nothing here knows a key.

mod schema;

use hilum_gateway::{Readers, read_document};
use hilum_words::Problems;
use hilum_words::config::{Asked, Document, Origin, ShownTable};
use serde_json::{Value, json};

use super::Context;
use super::check::complain;
use crate::arguments::Config;
use crate::exit::Exit;
use crate::output::Output;

/// Shows or describes the configuration.
pub fn run(context: &Context, command: &Config) -> anyhow::Result<Exit> {
    match command {
        Config::Show { effective } => show(context, *effective),
        Config::Schema => {
            let readers = Readers::new(&context.doors)?;
            let folder = std::path::Path::new(".");
            let asked = Asked::explore(|document, it| readers.read(document, folder, it));
            context.output.json(&schema::of(&asked))?;
            Ok(Exit::Success)
        }
    }
}

fn show(context: &Context, effective: bool) -> anyhow::Result<Exit> {
    let problems = Problems::default();
    let document = read_document(&context.common.config, &context.doors, &problems);
    // The readers know which values are secrets, whatever their keys are called.
    let mut asked = asked_for(context, &document)?;
    if !effective {
        for key in asked.tables.values_mut().flat_map(|it| it.keys.values_mut()) {
            key.default = None;
        }
    }
    let tables = document.show(Some(&asked));
    let problems = problems.into_sorted();
    if context.output.is_json() {
        context.output.json(&as_json(&tables))?;
    } else {
        context.output.text(&as_text(&context.output, &tables))?;
    }
    if problems.is_empty() {
        return Ok(Exit::Success);
    }
    complain(&problems);
    Ok(Exit::Configuration)
}

fn asked_for(context: &Context, document: &Document) -> anyhow::Result<Asked> {
    let folder = context.common.config.parent().unwrap_or(std::path::Path::new("."));
    let recording = Problems::recording();
    Readers::new(&context.doors)?.read(document, folder, &recording);
    Ok(recording.take_asked())
}

fn as_json(tables: &[ShownTable]) -> Value {
    let values = tables.iter().flat_map(|table| {
        table.values.iter().map(|it| {
            let mut value = json!({ "table": table.key, "key": it.key, "value": it.value });
            let origin = match &it.origin {
                Origin::Written(place) => json!({ "file": &*place.file, "line": place.line }),
                Origin::Default => json!("default"),
            };
            if let Some(members) = value.as_object_mut() {
                members.insert("origin".to_owned(), origin);
            }
            value
        })
    });
    json!({ "values": values.collect::<Vec<_>>() })
}

/// TOML, each value with where it is from.
fn as_text(output: &Output, tables: &[ShownTable]) -> String {
    let mut text = String::new();
    for table in tables {
        if !text.is_empty() {
            text.push('\n');
        }
        if !table.key.is_empty() {
            text.push_str(&output.bold(&format!("[{}]", table.key)));
            text.push('\n');
        }
        let lines: Vec<_> =
            table.values.iter().map(|it| (format!("{} = {}", it.key, it.value), it)).collect();
        // A long list does not push every origin to the right.
        let widths = lines.iter().map(|(line, _)| line.chars().count()).filter(|it| *it <= 60);
        let width = widths.max().unwrap_or_default();
        for (line, value) in lines {
            let origin = match &value.origin {
                Origin::Written(place) => place.to_string(),
                Origin::Default => "default".to_owned(),
            };
            text.push_str(&format!("{line:width$}  "));
            text.push_str(&output.dim(&format!("# {origin}")));
            text.push('\n');
        }
    }
    text
}
