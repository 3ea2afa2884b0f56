//! `hilum plugin run`: one message through one plugin, in the sandbox that the gateway has.
//!
//! Without a site the plugin gets everything that its manifest asks for, and the run seed is zero:
//! the same file gives the same tokens, output and fuel each time. With `--site` grant, budget,
//! tables, settings and clearances are those of the first route that has a plugin of this name.

mod coverage;
mod loss;
mod show;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use hilum_message::{Message, ParseError, TimeZone, is_structured};
use hilum_pipeline::{DestinationPlan, LanePlan, Rehearsal, Route, Run, StepPlan, rehearse};
use hilum_policy::{Clearance, Policy, RunSeed};
use hilum_sandbox::{Budget, Grants, Plugin, Sandbox, TABLE_BYTES_MAX, Table};
use hilum_words::config::Document;
use hilum_words::{MessageId, Name, Problems, RunId, Timestamp};

use crate::arguments::PluginRun;
use crate::command::{Context, check};
use crate::exit::{Exit, failed};

/// The longest message that is tried at a desk.
const MESSAGE_BYTES_MAX: u64 = 256 << 20;

/// When a rehearsed message was received: always the same moment (2026-01-01T00:00:00Z), or two
/// rehearsals would differ.
const RECEIVED: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// Runs it and shows what happened. Exits 1 if nothing would be delivered as the plugin meant it.
pub fn run(context: &Context, arguments: &PluginRun) -> anyhow::Result<Exit> {
    let package = super::read_package(context, &arguments.file)?;
    let takes = package.manifest.takes.clone();
    // A message that cannot be read is said before anything is compiled.
    let message = match arguments.coverage {
        true => None,
        false => Some(Arc::new(read_message(context, &arguments.message, &takes)?)),
    };
    let sandbox = Sandbox::new(&context.doors)?;
    let plugin = sandbox
        .load(&package)
        .map_err(|fault| failed(Exit::Failure, format!("{}: {fault}", arguments.file.display())))?;
    let plugin = Arc::new(plugin);
    let (policy, route) = match &arguments.site {
        Some(site) => match of_site(context, site, arguments, plugin)? {
            Some(found) => found,
            None => return Ok(Exit::Configuration),
        },
        None => at_desk(context, arguments, plugin)?,
    };
    let Some(message) = message else {
        return coverage::run(context, arguments, &policy, route, &takes);
    };
    let run = rehearsed(&Arc::new(route));
    let rehearsal: Rehearsal = rehearse(&policy, &run, &message);
    show::show(context, arguments, &run, &message, &rehearsal)
}

/// A run that is the same each time.
fn rehearsed(route: &Arc<Route>) -> Run {
    Run {
        id: RunId::from_bits(0),
        message: MessageId::from_bits(0),
        received: RECEIVED,
        seed: RunSeed([0; 16]),
        route: Arc::clone(route),
        from_step: 0,
    }
}

/// Everything that the manifest asks for, and what the command line says.
fn at_desk(
    context: &Context,
    arguments: &PluginRun,
    plugin: Arc<Plugin>,
) -> anyhow::Result<(Policy, Route)> {
    let manifest = plugin.manifest();
    let grants = Grants::as_asked(&manifest.asks);
    let mut tables = BTreeMap::new();
    for (name, file) in &arguments.tables {
        tables.insert(Name::from(name), Arc::new(read_table(context, Path::new(file))?));
    }
    for missing in grants.tables.iter().filter(|it| !tables.contains_key(*it)) {
        eprintln!(
            "hilum: the plugin asks for the table \"{missing}\"; give it one with --table {missing}=FILE"
        );
    }
    let known = tables.keys().cloned().collect();
    tables.retain(|name, _| grants.tables.contains(name));
    let clearance =
        Arc::new(read_clearance(arguments.clearance.as_deref().unwrap_or("treatment"))?);
    let names =
        if arguments.to.is_empty() { vec!["output".to_owned()] } else { arguments.to.clone() };
    let step = StepPlan {
        name: manifest.name.clone(),
        grant: grants.message,
        budget: Budget::smaller(&manifest.budget, &manifest.budget, &Budget::GATEWAY_MAX),
        tables: Arc::new(tables),
        tables_known: Arc::new(known),
        plugin,
    };
    let to = names
        .iter()
        .map(|name| DestinationPlan { name: Name::from(name), clearance: Arc::clone(&clearance) });
    let route = Route {
        name: Name::from("rehearsal"),
        from: Name::from("desk"),
        when: None,
        steps: vec![step],
        to: to.collect(),
        lane: LanePlan::None,
        settings: Arc::new(arguments.settings.iter().cloned().collect()),
        owner: None,
        purpose: None,
    };
    let utc = TimeZone::named("UTC").ok_or_else(|| anyhow::anyhow!("there is no time zone UTC"))?;
    Ok((Policy::new(utc), route))
}

/// What the site gives to the plugin of this name. None if the site has problems, which are then
/// printed.
fn of_site(
    context: &Context,
    site: &Path,
    arguments: &PluginRun,
    plugin: Arc<Plugin>,
) -> anyhow::Result<Option<(Policy, Route)>> {
    let checked = match hilum_gateway::check_mapping(site, &context.doors) {
        Ok(checked) => checked,
        Err(problems) => {
            check::complain(&problems);
            return Ok(None);
        }
    };
    let name = plugin.name().clone();
    let generation = checked.generation;
    let is_it = |step: &&StepPlan| *step.plugin.name() == name;
    let found = generation
        .routes
        .iter()
        .find_map(|route| route.steps.iter().find(is_it).map(|step| (route, step)));
    let Some((route, step)) = found else {
        let sentence = format!("{}: no route has the plugin {name} as a step", site.display());
        return Err(failed(Exit::Failure, sentence));
    };
    let mut to = route.to.clone();
    if !arguments.to.is_empty() {
        to.retain(|it| arguments.to.iter().any(|name| *name == *it.name));
    }
    if let Some(clearance) = &arguments.clearance {
        let clearance = Arc::new(read_clearance(clearance)?);
        to.iter_mut().for_each(|it| it.clearance = Arc::clone(&clearance));
    }
    let mut settings = BTreeMap::clone(&route.settings);
    settings.extend(arguments.settings.iter().cloned());
    let rehearsed = Route {
        name: route.name.clone(),
        from: route.from.clone(),
        when: None,
        steps: vec![StepPlan {
            name: step.name.clone(),
            plugin,
            grant: step.grant.clone(),
            budget: step.budget,
            tables: Arc::clone(&step.tables),
            tables_known: Arc::clone(&step.tables_known),
        }],
        to,
        lane: LanePlan::None,
        settings: Arc::new(settings),
        owner: None,
        purpose: None,
    };
    Ok(Some((generation.policy.clone(), rehearsed)))
}

/// The message as what it is; as the first format without a reader that the plugin takes (`csv`), if
/// it is nothing else.
fn read_message(context: &Context, file: &Path, takes: &[String]) -> anyhow::Result<Message> {
    let bytes = super::read_file(context, file, MESSAGE_BYTES_MAX)?;
    read_as(bytes, takes)
        .map_err(|fault| failed(Exit::Failure, format!("{}: {fault}", file.display())))
}

fn read_as(bytes: Bytes, takes: &[String]) -> Result<Message, ParseError> {
    let formats: Vec<&str> =
        takes.iter().map(|it| it.split_once(':').map_or(it.as_str(), |(it, _)| it)).collect();
    let takes_structured = formats.is_empty() || formats.iter().any(|it| is_structured(it));
    let unread = formats.iter().find(|it| !is_structured(it));
    let mut wrong = None;
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    for format in ["hl7v2", "fhir-json"].into_iter().filter(|_| takes_structured) {
        match Message::parse(format, bytes.clone()) {
            Ok(message) => return Ok(message),
            // What begins like JSON was meant to be it.
            Err(fault) if wrong.is_none() || is_json => wrong = Some(fault),
            Err(_) => {}
        }
    }
    match (unread, wrong) {
        (Some(format), _) => Message::parse(format, bytes),
        (None, Some(wrong)) => Err(wrong),
        (None, None) => Message::parse("hl7v2", bytes),
    }
}

fn read_table(context: &Context, file: &Path) -> anyhow::Result<Table> {
    let bytes = super::read_file(context, file, TABLE_BYTES_MAX)?;
    let problems = Problems::default();
    let table = Table::read(&file.display().to_string(), &bytes, false, &problems);
    table.ok_or_else(|| told(problems))
}

/// A word, or a table as in `hilum.toml`: `{ open = ["date"], withhold = ["name"] }`.
fn read_clearance(text: &str) -> anyhow::Result<Clearance> {
    let value = if text.starts_with('{') { text.to_owned() } else { format!("{text:?}") };
    let problems = Problems::default();
    let document = Document::parse("--clearance", &format!("clearance = {value}"), &problems);
    let clearance = Clearance::read(&mut document.root(&problems));
    match clearance {
        Some(clearance) if problems.is_empty() => Ok(clearance),
        _ => Err(told(problems)),
    }
}

fn told(problems: Problems) -> anyhow::Error {
    let all: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
    failed(Exit::Failure, all.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hilum_policy::{Class, Clear};

    #[test]
    fn a_message_is_read_as_what_it_is_or_else_as_what_the_plugin_takes() {
        let format = |text: &'static str, takes: &[&str]| {
            let takes: Vec<String> = takes.iter().map(|it| (*it).to_owned()).collect();
            let message = read_as(Bytes::from_static(text.as_bytes()), &takes);
            message.map(|it| it.format().to_owned()).map_err(|it| it.to_string())
        };
        let (hl7, json, csv) = ("MSH|^~\\&|LAB\r", "{\"resourceType\":\"Patient\"}", "a;b\n1;2\n");
        for takes in [&[][..], &["hl7v2:ADT^A01"], &["hl7v2", "csv"]] {
            assert_eq!(format(hl7, takes).as_deref(), Ok("hl7v2"));
            assert_eq!(format(json, takes).as_deref(), Ok("fhir-json"));
        }
        assert_eq!(format(csv, &["hl7v2", "csv:labs"]).as_deref(), Ok("csv"));
        assert_eq!(format("17", &["csv"]).as_deref(), Ok("csv"), "though it is JSON");
        assert_eq!(format(csv, &["hl7v2"]), Err("not HL7 v2".to_owned()));
        assert_eq!(format(csv, &[]), Err("not HL7 v2".to_owned()));
        let broken = format("{\"resourceType\":\"Patient\"", &["hl7v2", "fhir-json"]);
        assert!(broken.is_err_and(|it| it.contains("JSON")));
    }

    #[test]
    fn a_clearance_is_a_word_or_a_table() {
        assert!(read_clearance("treatment").expect("a preset").is_open());
        let table = read_clearance(r#"{ open = ["date"], mask = ["name"] }"#).expect("a table");
        assert_eq!(table.clear(Class::Name), Some(Clear::Mask));
        assert_eq!(table.clear(Class::Text), None);
        assert!(read_clearance("everything").is_err());
        assert!(read_clearance(r#"{ open = ["dates"] }"#).is_err());
    }
}
