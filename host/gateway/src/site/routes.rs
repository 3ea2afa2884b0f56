use std::collections::BTreeMap;
use std::sync::Arc;

use hilum_message::Predicate;
use hilum_pipeline::{DestinationPlan, LanePlan, Route, Routes, StepPlan};
use hilum_policy::Clearance;
use hilum_words::config::{Placed, Section};
use hilum_words::{Name, meant};

use super::plugins::{PluginPlan, Plugins};
use super::{Tables, unknown_name};

/// What routes may name.
pub(super) struct Known<'a> {
    pub(super) listeners: Vec<&'a str>,
    pub(super) plugins: &'a Plugins,
    pub(super) destinations: Vec<(Name, Arc<Clearance>)>,
    pub(super) tables: &'a Tables,
}

/// Reads all `[route.NAME]` sections.
pub(super) fn read(root: &mut Section<'_>, known: &Known<'_>) -> Routes {
    let sections = root.sections("route");
    if sections.is_empty() {
        root.problem("needs at least one [route.NAME]");
    }
    let routes = sections.into_iter().filter_map(|(name, section)| read_one(name, section, known));
    Routes::new(routes.map(Arc::new).collect())
}

fn read_one(name: Placed<String>, mut section: Section<'_>, known: &Known<'_>) -> Option<Route> {
    let from = section.required_text("from").filter(|from| {
        let is_known = known.listeners.contains(&from.value.as_str());
        if !is_known {
            let text = unknown_name("listener", &from.value, known.listeners.iter().copied());
            from.problem(section.problems(), text);
        }
        is_known
    });
    let when = section.text("when");
    let predicate = when.as_ref().and_then(|when| match Predicate::parse(&when.value) {
        Ok(predicate) => Some(predicate),
        Err(fault) => {
            when.problem(section.problems(), fault.to_string());
            None
        }
    });
    let steps = section.texts("steps").unwrap_or_default();
    let plans: Vec<_> = steps.iter().map(|step| step_plan(step, &section, known)).collect();
    let to = section.texts("to");
    if to.as_ref().is_none_or(Vec::is_empty) {
        section.problem("needs at least one destination in \"to\"");
    }
    let mut destinations = Vec::new();
    for to in to.into_iter().flatten() {
        destinations.extend(destination_plan(&to, &section, known));
    }
    let lane = read_lane(&mut section);
    let owner = section.text("owner").map(|it| it.value);
    let purpose = section.text("purpose").map(|it| it.value);
    let settings = read_settings(&mut section);
    section.finish();
    Some(Route {
        name: Name::from(&name.value),
        from: Name::from(from?.value),
        when: predicate,
        steps: plans.into_iter().collect::<Option<_>>()?,
        to: destinations,
        lane,
        settings: Arc::new(settings),
        owner,
        purpose,
    })
}

/// `lane`: a word, a path, or a list of paths.
fn read_lane(section: &mut Section<'_>) -> LanePlan {
    const KEY: &str = "lane";
    section.default(KEY, "source");
    if !section.has(KEY) {
        return LanePlan::Source;
    }
    let words = match section.is_text(KEY) {
        true => section.text(KEY).map(|word| vec![word]),
        false => section.texts(KEY),
    };
    let Some(words) = words else { return LanePlan::Source };
    let words: Vec<&str> = words.iter().map(|it| it.value.as_str()).collect();
    LanePlan::parse(&words).unwrap_or_else(|what| {
        let meant = match words.as_slice() {
            [word] => meant(word, ["source", "none"]),
            _ => String::new(),
        };
        section.problem_at(KEY, format!("{what}{meant}"));
        LanePlan::Source
    })
}

fn step_plan(step: &Placed<String>, section: &Section<'_>, known: &Known<'_>) -> Option<StepPlan> {
    let Some(plan) = known.plugins.get(step.value.as_str()) else {
        let names = known.plugins.keys().map(Name::as_str);
        step.problem(section.problems(), unknown_name("plugin", &step.value, names));
        return None;
    };
    let PluginPlan { name, plugin, grant, budget, tables, .. } = plan;
    let lent = tables.iter().filter_map(|it| Some((it.clone(), known.tables.get(it)?.clone()?)));
    Some(StepPlan {
        name: name.clone(),
        plugin: plugin.clone()?,
        grant: grant.clone()?,
        budget: (*budget)?,
        tables: Arc::new(lent.collect()),
        tables_known: Arc::new(known.tables.keys().cloned().collect()),
    })
}

fn destination_plan(
    to: &Placed<String>,
    section: &Section<'_>,
    known: &Known<'_>,
) -> Option<DestinationPlan> {
    let found = known.destinations.iter().find(|(name, _)| name.as_str() == to.value);
    let Some((name, clearance)) = found else {
        let names = known.destinations.iter().map(|(name, _)| name.as_str());
        to.problem(section.problems(), unknown_name("destination", &to.value, names));
        return None;
    };
    Some(DestinationPlan { name: name.clone(), clearance: Arc::clone(clearance) })
}

/// How the names of settings begin that Hilum itself answers: `plugin run --coverage` asks a plugin for
/// its notes by one of them, and nobody else does.
const RESERVED: &str = "hilum.";

fn read_settings(section: &mut Section<'_>) -> BTreeMap<String, String> {
    let Some(mut settings) = section.section("settings") else { return BTreeMap::new() };
    let mut read = BTreeMap::new();
    for key in settings.keys() {
        let text = settings.text(&key);
        if key.starts_with(RESERVED) {
            settings.problem_at(
                &key,
                format!("settings whose names begin with \"{RESERVED}\" are Hilum's own"),
            );
            continue;
        }
        if let Some(text) = text {
            read.insert(key, text.value);
        }
    }
    read
}
