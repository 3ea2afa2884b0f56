use std::collections::BTreeMap;
use std::sync::Arc;

use hilum_policy::Grant;
use hilum_sandbox::{Allowed, Budget, BudgetAsk, Grants, Package, Plugin};
use hilum_words::Name;
use hilum_words::config::{Placed, Section};

use super::{PluginSite, Tables, unknown_name};
use crate::files::Files;
use crate::outline::PluginOutline;
use crate::shelf::Shelf;

/// One `[plugin.NAME]`, as far as it could be read.
pub(super) struct PluginPlan {
    pub(super) name: Name,
    pub(super) file: Option<String>,
    pub(super) plugin: Option<Arc<Plugin>>,
    pub(super) grant: Option<Grant>,
    pub(super) budget: Option<Budget>,
    pub(super) outline: Option<PluginOutline>,
    /// Tables that it asks for and the site grants.
    pub(super) tables: Vec<Name>,
}

impl PluginPlan {
    pub(super) fn listed(&self) -> Option<PluginSite> {
        let plugin = self.plugin.as_ref()?;
        let manifest = plugin.manifest();
        Some(PluginSite {
            name: self.name.clone(),
            title: format!("{} {}", manifest.name, manifest.version),
            digest: plugin.digest(),
            file: self.file.clone().unwrap_or_default(),
            outline: self.outline.clone()?,
        })
    }
}

/// All plugins of a site by the name of the configuration.
pub(super) type Plugins = BTreeMap<Name, PluginPlan>;

/// Reads all `[plugin.NAME]` sections and compiles what they name.
pub(super) fn read(
    files: &dyn Files,
    root: &mut Section<'_>,
    shelf: &Shelf,
    tables: &Tables,
) -> Plugins {
    let sections = root.sections("plugin");
    let read = sections.into_iter().map(|(name, section)| {
        let plan = read_one(files, &name, section, shelf, tables);
        (plan.name.clone(), plan)
    });
    read.collect()
}

fn read_one(
    files: &dyn Files,
    name: &Placed<String>,
    mut section: Section<'_>,
    shelf: &Shelf,
    tables: &Tables,
) -> PluginPlan {
    let problems = section.problems();
    let file = section.required_text("file");
    let package = file.as_ref().and_then(|file| load_package(files, file, shelf, &section));
    let budget = section.section("budget").map(BudgetAsk::read).unwrap_or_default();
    let allowed = match section.section("grant") {
        Some(grant) => Allowed::read(grant),
        None => Allowed::nothing(section.place(), format!("{}.grant", section.key())),
    };
    for table in &allowed.tables {
        if !tables.contains_key(&table.value) {
            let known = tables.keys().map(Name::as_str);
            table.problem(problems, unknown_name("table", &table.value, known));
        }
    }
    section.finish();
    let mut plan = PluginPlan {
        name: Name::from(&name.value),
        file: file.as_ref().map(|it| it.value.clone()),
        plugin: None,
        grant: None,
        budget: None,
        outline: None,
        tables: Vec::new(),
    };
    let (Some(file), Some(package)) = (file, package) else { return plan };
    let grants = Grants::resolve(&package.manifest.asks, &allowed, problems);
    plan.budget = Some(Budget::smaller(&package.manifest.budget, &budget, &Budget::GATEWAY_MAX));
    plan.outline = Some(PluginOutline::of(&package));
    plan.grant = Some(grants.message);
    plan.tables = grants.tables.into_iter().collect();
    match shelf.load(&package) {
        Ok(plugin) => plan.plugin = Some(plugin),
        Err(fault) => file.problem(problems, fault.to_string()),
    }
    plan
}

fn load_package(
    files: &dyn Files,
    file: &Placed<String>,
    shelf: &Shelf,
    section: &Section<'_>,
) -> Option<Package> {
    let content = match files.read(&file.value) {
        Ok(content) => content,
        Err(fault) => {
            file.problem(section.problems(), format!("cannot be read: {fault}"));
            return None;
        }
    };
    match Package::read(content.into(), shelf.sandbox().limits().component_bytes_max) {
        Ok(package) => Some(package),
        Err(fault) => {
            file.problem(section.problems(), fault.to_string());
            None
        }
    }
}
