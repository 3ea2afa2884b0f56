//! A site, read and checked as a whole.
//!
//! [`read`] takes the files of a site, reads every section with the crate that owns it, compiles
//! the plugins, compares the names, and answers either a [`Site`] or all problems at once.
//!
//! Promises: nothing is started, bound or written here; code past this line never checks again.
//! Not here: what a section's keys mean (`hilum_listeners`, `hilum_destinations`,
//! `hilum_sandbox`, `hilum_policy`).

mod plugins;
mod routes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hilum_destinations::DestinationConfig;
use hilum_listeners::mllp::MllpConfig;
use hilum_message::TimeZone;
use hilum_pipeline::{Generation, IntakeOptions, Routes};
use hilum_policy::{Clearance, Policy};
use hilum_sandbox::Table;
use hilum_words::config::{Document, Placed, Section};
use hilum_words::{Digest, Name, Problem, Problems, did_you_mean};

use crate::files::Files;
use crate::shelf::Shelf;

/// The default of `[gateway] bytes_in_flight_max`.
const BYTES_IN_FLIGHT_MAX: u64 = 256 << 20;

/// One listener, checked.
#[derive(Clone, Debug)]
pub struct ListenerPlan {
    /// Its name in the configuration.
    pub name: Name,
    /// Where and how it listens.
    pub config: MllpConfig,
    /// What it does with messages.
    pub intake: Arc<IntakeOptions>,
}

impl ListenerPlan {
    /// The address of the configuration.
    pub fn bind(&self) -> &str {
        &self.config.bind
    }

    /// Whether a listener of this plan can go on as one of `next`, with the socket that it has.
    pub(crate) fn keeps_socket_of(&self, next: &Self) -> bool {
        self.bind() == next.bind()
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

/// The `[gateway]` and `[admin]` sections.
struct Basics {
    name: Name,
    data: PathBuf,
    timezone: TimeZone,
    bytes_in_flight_max: u64,
    admin: Option<String>,
}

/// Reads the site whose configuration is `root`. Relative paths of destinations are below `folder`.
pub(crate) fn read(
    files: &dyn Files,
    root: &str,
    folder: &Path,
    shelf: &Shelf,
) -> Result<(Site, GenerationParts), Vec<Problem>> {
    let problems = Problems::default();
    let text = match files.read(root).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => return Err(whole_file(problems, root, "is not UTF-8")),
        Err(fault) => return Err(whole_file(problems, root, &format!("cannot be read: {fault}"))),
    };
    let document = Document::parse(root, &text, &problems);
    if !problems.is_empty() {
        // A file that does not parse has lost sections; what is said about the rest would mislead.
        return Err(problems.into_sorted());
    }
    let site = resolve(files, document.root(&problems), folder, shelf);
    match site {
        Some(site) if problems.is_empty() => Ok(site),
        _ => Err(problems.into_sorted()),
    }
}

fn whole_file(problems: Problems, file: &str, text: &str) -> Vec<Problem> {
    problems.push(&hilum_words::Place { file: Arc::from(file), line: 0 }, "", text);
    problems.into_sorted()
}

fn resolve(
    files: &dyn Files,
    mut root: Section<'_>,
    folder: &Path,
    shelf: &Shelf,
) -> Option<(Site, GenerationParts)> {
    let basics = read_basics(&mut root);
    let in_flight_max = basics.as_ref().map_or(u64::MAX, |it| it.bytes_in_flight_max);
    let listeners: Vec<_> = root
        .sections("listener")
        .into_iter()
        .map(|section| read_listener(section, in_flight_max))
        .collect();
    let tables = read_tables(files, &mut root);
    let plugins = plugins::read(files, &mut root, shelf, &tables);
    let destinations: Vec<_> = root
        .sections("destination")
        .into_iter()
        .map(|section| read_destination(section, folder))
        .collect();
    let read: Vec<_> = destinations.iter().filter_map(|(_, config, _)| config.as_ref()).collect();
    let data = basics.as_ref().map(|it| folder.join(&it.data));
    hilum_destinations::check_together(&read, data.as_deref(), root.problems());
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
    if listeners.is_empty() {
        root.problem("needs at least one [listener.NAME]");
    }
    root.finish();

    let basics = basics?;
    let plugin_list: Vec<PluginSite> = plugins.values().filter_map(|it| it.listed()).collect();
    let generation = GenerationParts {
        routes,
        policy: Policy::new(basics.timezone),
        plugins: plugin_list.iter().map(|it| (it.name.clone(), it.digest)).collect(),
        intakes: listeners
            .iter()
            .filter_map(|(_, plan)| plan.as_ref())
            .map(|plan| (plan.name.clone(), Arc::clone(&plan.intake)))
            .collect(),
    };
    let site = Site {
        name: basics.name,
        data: basics.data,
        admin: basics.admin,
        bytes_in_flight_max: basics.bytes_in_flight_max,
        listeners: listeners.into_iter().filter_map(|(_, plan)| plan).collect(),
        destinations: destinations
            .into_iter()
            .filter_map(|(name, config, _)| Some(DestinationSite { name, config: config? }))
            .collect(),
        plugins: plugin_list,
    };
    Some((site, generation))
}

fn read_basics(root: &mut Section<'_>) -> Option<Basics> {
    let admin = root.section("admin").and_then(|mut admin| {
        let bind = admin.required_text("bind").filter(|it| check_bind(it, admin.problems()));
        admin.finish();
        bind.map(|it| it.value)
    });
    let Some(mut gateway) = root.section("gateway") else {
        root.problem("needs a section [gateway] with name, data and timezone");
        return None;
    };
    let name = gateway.required_text("name");
    let data = gateway.required_text("data");
    let timezone = gateway.required_text("timezone").and_then(|text| {
        let zone = TimeZone::named(&text.value);
        if zone.is_none() {
            text.problem(
                gateway.problems(),
                "is no time zone of the IANA database, such as \"Europe/Vienna\" or \"UTC\"",
            );
        }
        zone
    });
    let bytes_in_flight_max =
        gateway.size("bytes_in_flight_max").map_or(BYTES_IN_FLIGHT_MAX, |it| it.value);
    gateway.finish();
    Some(Basics {
        name: Name::from(name?.value),
        data: PathBuf::from(data?.value),
        timezone: timezone?,
        bytes_in_flight_max,
        admin,
    })
}

/// Whether `host:port` has a port, and a host that is an address.
fn check_bind(bind: &Placed<String>, problems: &Problems) -> bool {
    let address = bind.value.parse::<std::net::SocketAddr>();
    match &address {
        Err(_) => {
            bind.problem(problems, "must be an address and a port, such as \"127.0.0.1:9464\"");
        }
        // It has no sign-on and no TLS: a proxy on this machine has both.
        Ok(address) if !address.ip().is_loopback() => {
            bind.problem(problems, "must be a loopback address, such as \"127.0.0.1:9464\"");
        }
        Ok(_) => {}
    }
    address.is_ok()
}

fn read_listener(
    (name, mut section): (Placed<String>, Section<'_>),
    in_flight_max: u64,
) -> (String, Option<ListenerPlan>) {
    section.word("kind", &["mllp"]);
    if !section.has("kind") {
        section.problem("needs the key \"kind\"; this version has \"mllp\"");
    }
    let intake = Arc::new(IntakeOptions::read(&mut section));
    let config = MllpConfig::read(&mut section);
    let longest = config.as_ref().map_or(0, |it| it.frame_bytes_max as u64);
    if in_flight_max < longest {
        // Such a frame could only ever time out.
        section
            .problem_at("frame_bytes_max", "must not be more than [gateway] bytes_in_flight_max");
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
        let opens = section.boolean("opens").is_some_and(|it| it.value);
        let file = section.required_text("file");
        let table = file.and_then(|file| match files.read(&file.value) {
            Ok(content) => Table::read_csv(&file.value, &content, opens, section.problems()),
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
    let meant =
        did_you_mean(name, known).map(|it| format!("; did you mean \"{it}\"?")).unwrap_or_default();
    format!("no {what} is named \"{name}\"{meant}")
}
