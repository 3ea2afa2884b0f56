//! `hilum policy`: who sees and gets what, and why. Read from the site's folder; nothing runs.
//!
//! `explain` prints the values of a message that somebody has at hand, as they would be seen; it asks the same
//! judge as a running gateway. `matrix` is the whole site on one page.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use hilum_gateway::Checked;
use hilum_message::Message;
use hilum_policy::{Class, Clearance, Explained, Grant, Input, Overrides, Policy, RunSeed};
use serde_json::{Value, json};

use super::Context;
use super::check::complain;
use crate::arguments::{Policy as Arguments, PolicyExplain};
use crate::exit::{Exit, failed};
use crate::output::{lines, printable, text};

/// The longest message that is explained at a desk.
const MESSAGE_BYTES_MAX: u64 = 16 << 20;

/// Letters of a value that a table shows.
const SEEN_MAX: usize = 60;

/// The word for a class that a clearance does not name.
const PARKS: &str = "park";

/// Explains a message, or lists the site.
pub fn run(context: &Context, command: &Arguments) -> anyhow::Result<Exit> {
    // Certificates and passwords decide nothing here, and need not be there.
    let checked = match hilum_gateway::check_mapping(&context.common.config, &context.doors) {
        Ok(checked) => checked,
        Err(problems) => {
            complain(&problems);
            return Ok(Exit::Configuration);
        }
    };
    match command {
        Arguments::Explain(arguments) => explain(context, arguments, &checked),
        Arguments::Matrix => matrix(context, &checked),
    }
}

fn explain(
    context: &Context,
    arguments: &PolicyExplain,
    checked: &Checked,
) -> anyhow::Result<Exit> {
    let message = read(context, &arguments.message)?;
    let policy = &checked.generation.policy;
    let site = Site::of(checked);
    let (asked, values, body) = match (&arguments.plugin, &arguments.destination) {
        (Some(name), _) => {
            let grant = site.plugins.get(name.as_str());
            let (grant, _) = grant.ok_or_else(|| unknown("step", name, site.plugins.keys()))?;
            // What `plugin run` shows has the same tokens.
            let seed = RunSeed([0; 16]);
            let message = message.joined();
            let input = Input::Message(Arc::clone(&message));
            let body = policy.view(input, grant, seed, 0).body();
            (format!("plugin {name}"), policy.explain(&message, grant, seed), Ok(body))
        }
        (None, Some(name)) => {
            let clearance = site.destinations.get(name.as_str());
            let (clearance, _) =
                clearance.ok_or_else(|| unknown("destination", name, site.destinations.keys()))?;
            let input = Input::Message(Arc::clone(&message));
            let body = policy.clear(&input, &message, clearance).map_err(|it| it.to_string());
            let body = body.map(|it| it.assemble(message.bytes()).unwrap_or_default());
            let values = policy.explain_cleared(&message, clearance);
            (format!("destination {name}"), values, body)
        }
        (None, None) => return Err(failed(Exit::Usage, "--plugin or --destination is needed")),
    };
    let body = body.map(|it| String::from_utf8_lossy(&it).into_owned());
    if context.output.is_json() {
        context.output.json(&json!({
            "seen_by": asked,
            "format": message.format(),
            "policy": policy.version().to_string(),
            "body": body.as_ref().ok(),
            "parks": body.as_ref().err(),
            "values": values.iter().map(document).collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Success);
    }
    if !context.output.is_quiet() {
        let head = format!("As {asked} sees it:");
        context.output.text(&context.output.bold(&head))?;
        match &body {
            Ok(body) => context.output.text(&lines(body))?,
            Err(why) => context.output.text(&format!("it would be parked: {why}"))?,
        }
        context.output.text("")?;
    }
    let columns = [text("PLACE"), text("CLASS"), text("VERDICT"), text("SEEN"), text("RULE")];
    let row = |it: &Explained| {
        let seen = it.seen.chars().take(SEEN_MAX).collect::<String>();
        let more = if seen.len() < it.seen.len() { "…" } else { "" };
        vec![
            it.place.clone(),
            it.classes.to_string(),
            it.verdict.to_owned(),
            printable(&format!("{seen}{more}")).replace('\n', "␊"),
            it.rule.clone(),
        ]
    };
    let rows = values.iter().map(row).collect();
    context.output.table(&columns, rows, "The message has no values.")?;
    Ok(Exit::Success)
}

fn document(it: &Explained) -> Value {
    json!({
        "place": it.place,
        "classes": words(it.classes.iter()),
        "verdict": it.verdict,
        "seen": it.seen,
        "rule": it.rule,
    })
}

fn matrix(context: &Context, checked: &Checked) -> anyhow::Result<Exit> {
    let site = Site::of(checked);
    let policy = &checked.generation.policy;
    if context.output.is_json() {
        context.output.json(&as_json(&site, policy))?;
        return Ok(Exit::Success);
    }
    let classes = || Class::ALL.iter().map(|it| text(it.word()));
    let plugins: Vec<_> = [text("PLUGIN")].into_iter().chain(classes()).collect();
    let of_plugin = |(name, (grant, _)): (&&str, &(&Grant, Routes<'_>))| {
        let sights = Class::ALL.iter().map(|it| grant.sight(*it).word().to_owned());
        [(*name).to_owned()].into_iter().chain(sights).collect()
    };
    let rows = site.plugins.iter().map(of_plugin).collect();
    context.output.table(&plugins, rows, "No route has a step.")?;
    context.output.text("")?;
    let destinations: Vec<_> = [text("DESTINATION")].into_iter().chain(classes()).collect();
    let of_destination = |(name, (clearance, _)): (&&str, &(&Clearance, Routes<'_>))| {
        let clears = Class::ALL.iter().map(|it| cleared(clearance, *it).to_owned());
        [(*name).to_owned()].into_iter().chain(clears).collect()
    };
    let rows = site.destinations.iter().map(of_destination).collect();
    context.output.table(&destinations, rows, "No route has a destination.")?;
    if !policy.overrides().is_empty() {
        context.output.text("")?;
        let columns = [text("[PHI]"), text("CLASS"), text("BEFORE")];
        let row = |it: &hilum_policy::Override| {
            let before = it.before().map_or("by what is in it".to_owned(), |it| it.to_string());
            vec![it.path.clone(), it.classes.to_string(), before]
        };
        context.output.table(&columns, policy.overrides().iter().map(row).collect(), "")?;
    }
    if !site.unused.is_empty() && !context.output.is_quiet() {
        let unused = site.unused.join(", ");
        context.output.text(&format!("\nIn no route, so nothing is seen or sent: {unused}"))?;
    }
    Ok(Exit::Success)
}

fn as_json(site: &Site<'_>, policy: &Policy) -> Value {
    let by_class = |word: &dyn Fn(Class) -> &'static str| {
        let all = Class::ALL.iter().map(|it| (it.word().to_owned(), json!(word(*it))));
        Value::Object(all.collect())
    };
    let plugin = |(name, (grant, routes)): (&&str, &(&Grant, Routes<'_>))| {
        let sights = by_class(&|class| grant.sight(class).word());
        json!({ "name": name, "routes": routes, "big": grant.big(), "sights": sights })
    };
    let destination = |(name, (clearance, routes)): (&&str, &(&Clearance, Routes<'_>))| {
        let clears = by_class(&|class| cleared(clearance, class));
        json!({ "name": name, "routes": routes, "clearance": clears })
    };
    json!({
        "policy": policy.version().to_string(),
        "plugins": site.plugins.iter().map(plugin).collect::<Vec<_>>(),
        "destinations": site.destinations.iter().map(destination).collect::<Vec<_>>(),
        "phi": phi(policy.overrides()),
        "unused": site.unused,
    })
}

fn phi(overrides: &Overrides) -> Vec<Value> {
    let line = |it: &hilum_policy::Override| {
        let before = it.before().map(|it| words(it.iter()));
        json!({ "place": it.path, "classes": words(it.classes.iter()), "before": before })
    };
    overrides.iter().map(line).collect()
}

fn words(classes: impl Iterator<Item = Class>) -> Vec<&'static str> {
    classes.map(Class::word).collect()
}

fn cleared(clearance: &Clearance, class: Class) -> &'static str {
    clearance.clear(class).map_or(PARKS, |it| it.word())
}

type Routes<'a> = Vec<&'a str>;

/// Who sees and gets what, by the names of the configuration.
struct Site<'a> {
    plugins: BTreeMap<&'a str, (&'a Grant, Routes<'a>)>,
    destinations: BTreeMap<&'a str, (&'a Clearance, Routes<'a>)>,
    unused: Routes<'a>,
}

impl<'a> Site<'a> {
    fn of(checked: &'a Checked) -> Self {
        let mut site =
            Self { plugins: BTreeMap::new(), destinations: BTreeMap::new(), unused: Vec::new() };
        for route in checked.generation.routes.iter() {
            let name = route.name.as_str();
            for step in &route.steps {
                let all = site.plugins.entry(step.name.as_str());
                all.or_insert((&step.grant, Vec::new())).1.push(name);
            }
            for to in &route.to {
                let all = site.destinations.entry(to.name.as_str());
                all.or_insert((&to.clearance, Vec::new())).1.push(name);
            }
        }
        let plugins = checked.site.plugins.iter().map(|it| it.name.as_str());
        let is_unused = |name: &&str| !site.plugins.contains_key(name);
        let mut unused: Vec<_> = plugins.filter(is_unused).collect();
        let destinations = checked.site.destinations.iter().map(|it| it.name.as_str());
        unused.extend(destinations.filter(|name| !site.destinations.contains_key(name)));
        Self { unused, ..site }
    }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a &'a str>) -> anyhow::Error {
    let meant = hilum_words::meant(name, known.copied());
    failed(Exit::Failure, format!("no route has a {what} of the name \"{name}\"{meant}"))
}

/// The message as HL7 v2 or as FHIR, whichever it is.
fn read(context: &Context, file: &Path) -> anyhow::Result<Arc<Message>> {
    let bytes: Bytes = super::plugin::read_file(context, file, MESSAGE_BYTES_MAX)?;
    let message = Message::parse("hl7v2", bytes.clone())
        .or_else(|fault| Message::parse("fhir-json", bytes).map_err(|_| fault));
    let message =
        message.map_err(|fault| failed(Exit::Failure, format!("{}: {fault}", file.display())))?;
    Ok(Arc::new(message))
}
