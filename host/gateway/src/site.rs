//! A site, read and checked as a whole.
//!
//! [`read`] takes the files of a site, reads every section with the crate that owns it, compiles
//! the plugins, compares the names, and answers either a [`Site`] or all problems at once.
//!
//! Promises: nothing is started, bound or written here; code past this line never checks again.
//! Not here: what a section's keys mean (`hilum_listeners`, `hilum_destinations`,
//! `hilum_sandbox`, `hilum_policy`).

mod ack_listeners;
mod addresses;
mod basics;
pub(crate) mod document;
mod plugins;
mod routes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hilum_destinations::DestinationConfig;
use hilum_listeners::ListenerConfig;
use hilum_pipeline::{Generation, IntakeOptions, Routes};
use hilum_policy::{Clearance, Overrides, Policy};
use hilum_sandbox::Table;
use hilum_words::config::{Placed, Section};
use hilum_words::{Digest, Name, Problem, Problems, meant};

use crate::files::Files;
use crate::outline::PluginOutline;
use crate::shelf::Shelf;
use basics::Fixed;

/// One listener, checked.
#[derive(Clone, Debug)]
pub struct ListenerPlan {
    /// Its name in the configuration.
    pub name: Name,
    /// Where and how it listens.
    pub config: ListenerConfig,
    /// What it does with messages.
    pub intake: Arc<IntakeOptions>,
}

impl ListenerPlan {
    /// Something that is wrong with its address.
    pub(crate) fn problem(&self, text: String) -> Problem {
        let place = self.config.place.clone();
        Problem { place, key: format!("{}.bind", self.config.key), text }
    }
}

/// One destination, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationSite {
    /// Its name in the configuration.
    pub name: Name,
    /// Where and how it is reached.
    pub config: DestinationConfig,
}

/// A plugin of the site, for the operator's list.
#[derive(Clone, Debug)]
pub struct PluginSite {
    /// Its name in the configuration.
    pub name: Name,
    /// Its own name and version.
    pub title: String,
    /// The digest of its component.
    pub digest: Digest,
    /// The file, as the configuration writes it.
    pub file: String,
    /// The same, and what it asks for, for comparing.
    pub(crate) outline: PluginOutline,
}

/// A whole site, checked. Starting it cannot find another problem in the configuration.
pub struct Site {
    /// The gateway's name.
    pub name: Name,
    /// The data folder, as the configuration writes it: relative to the configuration's folder.
    pub data: PathBuf,
    /// Where health and metrics are served.
    pub admin: Option<String>,
    /// Bytes of unfinished frames in the whole process.
    pub bytes_in_flight_max: u64,
    /// The listeners.
    pub listeners: Vec<ListenerPlan>,
    /// The destinations.
    pub destinations: Vec<DestinationSite>,
    /// The plugins.
    pub plugins: Vec<PluginSite>,
    /// What a running gateway cannot change.
    fixed: Vec<Fixed>,
}

impl Site {
    /// A problem for each key of `next` that a gateway which runs this site cannot change.
    pub(crate) fn fixed_that_differ(&self, next: &Self) -> Vec<Problem> {
        basics::that_differ(&self.fixed, &next.fixed)
    }
}

/// A generation that has no digest yet: that is known once all its files are read.
pub(crate) struct GenerationParts {
    routes: Routes,
    policy: Policy,
    plugins: BTreeMap<Name, Digest>,
    intakes: BTreeMap<Name, Arc<IntakeOptions>>,
}

impl GenerationParts {
    /// The generation of this digest.
    pub fn named(self, digest: Digest) -> Generation {
        let Self { routes, policy, plugins, intakes } = self;
        Generation { digest, routes, policy, plugins, intakes }
    }
}

/// A site with problems, and what of it could be read all the same: that may refer to files that
/// are missing, and the operator wants to know at once.
#[derive(Default)]
pub(crate) struct Wrong {
    pub(crate) problems: Vec<Problem>,
    pub(crate) listeners: Vec<ListenerPlan>,
    pub(crate) destinations: Vec<DestinationSite>,
}

/// Reads the site whose configuration is `root`. Relative paths of destinations are below `folder`.
pub(crate) fn read(
    files: &dyn Files,
    root: &str,
    folder: &Path,
    shelf: &Shelf,
) -> Result<(Site, GenerationParts), Wrong> {
    let problems = Problems::default();
    let document = document::read(files, root, &problems);
    if !problems.is_empty() {
        // A file that does not parse has lost sections; what is said about the rest would mislead.
        return Err(Wrong { problems: problems.into_sorted(), ..Wrong::default() });
    }
    let site = resolve(files, document.root(&problems), folder, shelf);
    let problems = problems.into_sorted();
    match site {
        Ok(site) if problems.is_empty() => Ok(site),
        Ok((Site { listeners, destinations, .. }, _)) => {
            Err(Wrong { problems, listeners, destinations })
        }
        Err(wrong) => Err(Wrong { problems, ..wrong }),
    }
}

pub(crate) fn resolve(
    files: &dyn Files,
    mut root: Section<'_>,
    folder: &Path,
    shelf: &Shelf,
) -> Result<(Site, GenerationParts), Wrong> {
    let admin = basics::read_admin(&mut root);
    let mut binds: Vec<_> = admin.iter().cloned().collect();
    let basics = basics::read(&mut root, admin);
    let in_flight_max = basics.as_ref().map_or(u64::MAX, |it| it.bytes_in_flight_max);
    let listeners: Vec<_> = root
        .sections("listener")
        .into_iter()
        .map(|section| read_listener(section, in_flight_max, &mut binds))
        .collect();
    addresses::check(&binds, root.problems());
    let tables = read_tables(files, &mut root);
    let overrides = root.section("phi").map(Overrides::read).unwrap_or_default();
    let plugins = plugins::read(files, &mut root, shelf, &tables);
    let destinations: Vec<_> = root
        .sections("destination")
        .into_iter()
        .map(|section| read_destination(section, folder))
        .collect();
    let read: Vec<_> = destinations.iter().filter_map(|(_, config, _)| config.as_ref()).collect();
    let data = basics.as_ref().map(|it| folder.join(&it.data));
    hilum_destinations::check_together(&read, data.as_deref(), root.problems());
    // One that is not right is there all the same.
    let is_mllp = |plan: &Option<ListenerPlan>| {
        plan.as_ref().is_none_or(|it| it.config.kind.word() == "mllp")
    };
    let mllp_listeners: Vec<_> =
        listeners.iter().filter(|(_, it)| is_mllp(it)).map(|(name, _)| name.as_str()).collect();
    read.iter().for_each(|it| it.check_ack_listener(&mllp_listeners, root.problems()));
    ack_listeners::check(&read, &listeners, root.problems());
    let names = routes::Known {
        listeners: listeners.iter().map(|(name, _)| name.as_str()).collect(),
        plugins: &plugins,
        destinations: destinations
            .iter()
            .map(|(name, _, clearance)| (name.clone(), clearance.clone()))
            .collect(),
        tables: &tables,
    };
    let routes = routes::read(&mut root, &names);
    let named: Vec<_> =
        destinations.iter().filter_map(|(name, it, _)| Some((name, it.as_ref()?))).collect();
    ack_listeners::check_shared(&named, &routes, root.problems());
    if listeners.is_empty() {
        root.problem("needs at least one [listener.NAME]");
    }
    root.finish();

    let intakes = listeners
        .iter()
        .filter_map(|(_, plan)| plan.as_ref())
        .map(|plan| (plan.name.clone(), Arc::clone(&plan.intake)))
        .collect();
    let listeners = listeners.into_iter().filter_map(|(_, plan)| plan).collect();
    let destinations = destinations
        .into_iter()
        .filter_map(|(name, config, _)| Some(DestinationSite { name, config: config? }))
        .collect();
    let Some(basics) = basics else {
        return Err(Wrong { problems: Vec::new(), listeners, destinations });
    };
    let plugin_list: Vec<PluginSite> = plugins.values().filter_map(|it| it.listed()).collect();
    let generation = GenerationParts {
        routes,
        policy: Policy::new(basics.timezone).with_overrides(overrides),
        plugins: plugin_list.iter().map(|it| (it.name.clone(), it.digest)).collect(),
        intakes,
    };
    let site = Site {
        name: basics.name,
        data: basics.data,
        admin: basics.admin,
        bytes_in_flight_max: basics.bytes_in_flight_max,
        fixed: basics.fixed,
        listeners,
        destinations,
        plugins: plugin_list,
    };
    Ok((site, generation))
}

fn read_listener(
    (name, mut section): (Placed<String>, Section<'_>),
    in_flight_max: u64,
    binds: &mut Vec<Placed<String>>,
) -> (String, Option<ListenerPlan>) {
    let intake = Arc::new(IntakeOptions::read(&mut section));
    let config = ListenerConfig::read(&mut section);
    // Other keys may be wrong; the address is wanted all the same.
    binds.extend(section.text("bind"));
    if let Some(config) = config.as_ref().filter(|it| in_flight_max < it.longest() as u64) {
        // Such a message could only ever time out.
        let text = "must not be more than [gateway] bytes_in_flight_max";
        section.problem_at(config.longest_key(), text);
    }
    section.finish();
    let plan = config.map(|config| ListenerPlan { name: Name::from(&name.value), config, intake });
    (name.value, plan)
}

type ReadDestination = (Name, Option<DestinationConfig>, Arc<Clearance>);

fn read_destination(
    (name, mut section): (Placed<String>, Section<'_>),
    folder: &Path,
) -> ReadDestination {
    let clearance = Clearance::read(&mut section);
    let config = DestinationConfig::read(&mut section, folder);
    section.finish();
    (Name::from(&name.value), config, Arc::new(clearance.unwrap_or_else(Clearance::none)))
}

/// The site's tables by name; none where one could not be read, so that its name is still known.
type Tables = BTreeMap<Name, Option<Arc<Table>>>;

fn read_tables(files: &dyn Files, root: &mut Section<'_>) -> Tables {
    let mut tables = Tables::new();
    for (name, mut section) in root.sections("table") {
        let opens = section.boolean_or("opens", false);
        let file = section.required_text("file");
        let table = file.and_then(|file| match files.read(&file.value) {
            Ok(content) => Table::read(&file.value, &content, opens, section.problems()),
            Err(fault) => {
                file.problem(section.problems(), format!("cannot be read: {fault}"));
                None
            }
        });
        section.finish();
        tables.insert(Name::from(&name.value), table.map(Arc::new));
    }
    tables
}

/// A sentence for a name that nothing has: "no … is named …; did you mean …?".
fn unknown_name<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    format!("no {what} is named \"{name}\"{}", meant(name, known))
}
