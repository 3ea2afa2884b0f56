//! The schema for editors: it refuses what `hilum check` refuses for its keys and types, and takes
//! every configuration of this repository that is right.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hilum_tests::{Site, repository};
use hilum_words::config::{ANY, Asked, Step, Type};
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use crate::foreign::installed;

fn as_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(it) => it.as_str().replace('_', "").parse().expect("a number"),
        DeValue::Float(it) => it.as_str().parse().expect("a number"),
        DeValue::Boolean(it) => Value::Bool(*it),
        DeValue::Datetime(it) => Value::String(it.to_string()),
        DeValue::Array(items) => items.iter().map(|it| as_json(it.get_ref())).collect(),
        DeValue::Table(table) => table_as_json(table),
    }
}

fn table_as_json(table: &DeTable<'_>) -> Value {
    let entries = table.iter().map(|(key, it)| (key.get_ref().to_string(), as_json(it.get_ref())));
    Value::Object(entries.collect::<Map<_, _>>())
}

/// What is wrong with each of these configurations, in the words of a validator that nobody here
/// wrote.
fn validate(configurations: &[PathBuf]) -> Vec<Vec<String>> {
    let site = Site::new("").expect("a site");
    let (code, schema, err) = site.run(&["config", "schema"]).expect("hilum runs");
    assert_eq!(code, 0, "{err}");
    site.write("schema.json", schema).expect("written");
    let mut command = Command::new(installed("python/bin/node"));
    command.arg(installed("node/validate.mjs")).arg(site.path().join("schema.json"));
    for (index, path) in configurations.iter().enumerate() {
        let text = std::fs::read_to_string(path).expect("the configuration");
        let (table, _) = DeTable::parse_recoverable(&text);
        let name = format!("{index}.json");
        site.write(&name, table_as_json(table.get_ref()).to_string()).expect("written");
        command.arg(site.path().join(name));
    }
    let output = command.stdin(Stdio::null()).output().expect("the validator runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("text");
    let errors = |line: &str| {
        let said: Value = serde_json::from_str(line).expect("JSON");
        let errors = said["errors"].as_array().expect("errors").iter();
        errors.map(|it| it.as_str().expect("a text").to_owned()).collect()
    };
    printed.lines().map(errors).collect()
}

/// The configurations in a folder of the repository, sorted.
fn configurations(folder: &str, name: impl Fn(&Path) -> Option<PathBuf>) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository().join(folder)).expect("the folder");
    let mut all: Vec<_> = entries.filter_map(|it| name(&it.expect("an entry").path())).collect();
    all.sort();
    assert!(!all.is_empty(), "{folder} has configurations");
    all
}

#[test]
fn what_is_right_is_right_by_the_schema() {
    let mut right =
        configurations("examples", |it| Some(it.join("hilum.toml")).filter(|it| it.exists()));
    right.extend(configurations("tests/config/good", |it| {
        it.extension().is_some_and(|it| it == "toml").then(|| it.to_owned())
    }));
    for (path, errors) in right.iter().zip(validate(&right)) {
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}

#[test]
fn wrong_keys_types_words_and_ranges_are_wrong_by_the_schema() {
    let bad = |name: &str| repository().join(format!("tests/config/bad/{name}.toml"));
    let all = validate(&[bad("typos"), bad("values"), bad("plugin")]);
    let expected = [
        vec!["/gateway must NOT have additional properties (bytes_in_fligt_max)", "adt-in/kind"],
        vec![
            "/destination/other must have required property 'clearance'",
            "/gateway/name must be string",
            "/gateway/bytes_in_flight_max must match pattern",
            "/listener/adt-in must have required property 'bind'",
            "/listener/adt-in/connections_max must be >= 1",
        ],
        vec![
            "/plugin/adt-to-fhir/budget/fuel must be >= 1",
            "/plugin/adt-to-fhir/grant/phi must NOT have additional properties (birthdate)",
            "/plugin/adt-to-fhir/grant/phi/name must be equal to one of the allowed values",
        ],
    ];
    for (errors, expected) in all.iter().zip(expected) {
        for text in expected {
            assert!(errors.iter().any(|it| it.contains(text)), "{text} in {errors:#?}");
        }
    }
}

#[test]
fn words_of_every_key_are_in_the_schema() {
    let site = Site::new(
        r#"
[gateway]
name = "words"
data = "data"
timezone = "UTC"

[listener.in]
kind = "mllp"
bind = "127.0.0.1:0"
ack = "sotred"

[destination.one]
kind = "file"
folder = "one"
clearance = "treatmnt"

[destination.two]
kind = "file"
folder = "two"
clearance = { open = ["adress"] }

[destination.three]
kind = "file"
folder = "three"
clearance = { open = ["address"] }

[route.through]
from = "in"
to = ["one"]
"#,
    )
    .expect("a site");
    let errors = validate(&[site.path().join("hilum.toml")]).remove(0);
    for place in ["/listener/in/ack", "/destination/one/clearance", "/destination/two/clearance"] {
        let is_told = |it: &String| it.contains(place) && it.contains("allowed values");
        assert!(errors.iter().any(is_told), "{place} in {errors:#?}");
    }
    assert!(!errors.iter().any(|it| it.contains("three")), "{errors:#?}");
}

/// What the readers ask for although nothing but a problem comes of it: there is no pseudonym yet, a
/// positive answer always means delivered, and the one plugin does not ask for all classes.
const ALWAYS_WRONG: [&str; 5] = [
    "destination.*.clearance pseudonym",
    "destination.*.on_answer AA",
    "destination.*.on_answer CA",
    "plugin.*.grant.phi date",
    "plugin.*.grant.phi identifier",
];

/// The keys of a table that a configuration writes, each with the way of its table.
fn written(
    table: &Map<String, Value>,
    way: &[Step],
    explored: &Asked,
    all: &mut BTreeSet<(Vec<Step>, String)>,
) {
    let known = explored.tables.get(way);
    for (key, value) in table {
        let known_key = known.and_then(|it| it.keys.get(key));
        let any = known.filter(|it| known_key.is_none() && it.is_open);
        let key = if any.is_some() { ANY } else { key };
        all.insert((way.to_vec(), key.to_owned()));
        let Some(below) = value.as_object() else { continue };
        let step = |key: &str, of: Option<&Map<String, Value>>| {
            let kind = of.and_then(|it| it.get("kind")).and_then(Value::as_str);
            Step { key: key.to_owned(), kind: kind.unwrap_or_default().to_owned() }
        };
        if known_key.is_some_and(|it| it.types.contains(&Type::Named)) {
            for named in below.values().filter_map(Value::as_object) {
                let steps = [step(key, None), step(ANY, Some(named))];
                written(named, &[way, &steps].concat(), explored, all);
            }
        } else {
            written(below, &[way, &[step(key, Some(below))]].concat(), explored, all);
        }
    }
}

#[test]
fn the_configuration_with_everything_has_every_key_that_a_reader_takes() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let doors = hilum_env::system::doors(runtime.handle().clone());
    let readers = hilum_gateway::Readers::new(&doors).expect("readers");
    let explored = Asked::explore(|document, it| readers.read(document, Path::new("."), it));
    let path = repository().join("tests/config/good/everything.toml");
    let text = std::fs::read_to_string(path).expect("the configuration");
    let (table, _) = DeTable::parse_recoverable(&text);
    let everything = table_as_json(table.get_ref());
    let mut all = BTreeSet::new();
    written(everything.as_object().expect("a table"), &[], &explored, &mut all);

    // What all kinds of a table take is read by the same reader: once is enough.
    let plain = |way: &[Step]| way.iter().map(|it| it.key.as_str()).collect::<Vec<_>>().join(".");
    let all: BTreeSet<_> = all.iter().map(|(way, key)| (plain(way), key.as_str())).collect();
    let mut missing = BTreeSet::new();
    let mut compared = 0;
    for (way, table) in &explored.tables {
        let way = plain(way);
        let has = |key: &str| all.contains(&(way.clone(), key));
        for (key, asked) in &table.keys {
            let is_secret = asked.types.contains(&Type::Secret);
            let endings = ["_file", "_env", "_credential"];
            let of_secret = endings.iter().find_map(|it| key.strip_suffix(it)).filter(|it| {
                table.keys.get(*it).is_some_and(|it| it.types.contains(&Type::Secret))
            });
            // One of the three ways to a secret is enough, and it never is here itself.
            let secret = of_secret.or(is_secret.then_some(key.as_str()));
            let is_there = match secret {
                Some(secret) => endings.iter().any(|it| has(&format!("{secret}{it}"))),
                None => has(key),
            };
            compared += 1;
            let key = format!("{way} {key}");
            if !is_there && !ALWAYS_WRONG.contains(&key.as_str()) {
                missing.insert(key);
            }
        }
    }
    assert!(150 < compared, "keys were compared: {compared}");
    assert!(missing.is_empty(), "not in everything.toml: {missing:#?}");
}

/// The keys that the readers ask for while they read real configurations are all in what was
/// found by exploring them.
#[test]
fn every_key_that_a_reader_asks_for_is_in_the_schema() {
    use hilum_words::Problems;
    use hilum_words::config::Document;

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let doors = hilum_env::system::doors(runtime.handle().clone());
    let readers = hilum_gateway::Readers::new(&doors).expect("readers");
    let folder = Path::new(".");
    let explored = Asked::explore(|document, problems| readers.read(document, folder, problems));

    let toml = |it: &Path| it.extension().is_some_and(|it| it == "toml").then(|| it.to_owned());
    let mut real = configurations("tests/config/good", toml);
    real.extend(configurations("tests/config/bad", toml));
    real.push(repository().join("examples/st-anna/hilum.toml"));
    let mut compared = 0;
    for path in real {
        let text = std::fs::read_to_string(&path).expect("the configuration");
        let problems = Problems::recording();
        readers.read(&Document::parse("x", &text, &problems), folder, &problems);
        for (way, table) in problems.take_asked().tables {
            // The second step is a name, in every configuration: `listener.adt-in`.
            let mut way = way;
            if let Some(name) = way.get_mut(1)
                && name.key != "grant"
            {
                name.key = ANY.to_owned();
            }
            let Some(known) = explored.tables.get(&way) else {
                // A kind that does not exist.
                assert!(path.to_string_lossy().contains("/bad/"), "{way:?} is unknown");
                continue;
            };
            for (key, asked) in table.keys {
                let is_known = known.keys.contains_key(&key)
                    || (table.is_open && known.keys.contains_key(ANY));
                assert!(is_known, "{}: {way:?} {key}", path.display());
                let types = known.keys.get(&key).or(known.keys.get(ANY)).map(|it| &it.types);
                assert!(types.is_some_and(|it| asked.types.is_subset(it)), "{way:?} {key}");
                compared += 1;
            }
        }
    }
    assert!(100 < compared, "keys were compared: {compared}");
}
