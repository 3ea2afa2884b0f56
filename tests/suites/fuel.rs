//! Fuel is the same on every run of the same input, whatever engine, pool and neighbour: only so may
//! running out of it park a message for good. What each first-party plugin burns on each sample stands
//! in `benches/fuel.txt`, with the versions that it holds for.
//!
//! `UPDATE_EXPECT=1 cargo test -p hilum-tests fuel` writes the figures anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use hilum_env::Doors;
use hilum_message::{Message, TimeZone};
use hilum_policy::{Input, Policy, RunSeed};
use hilum_sandbox::{
    Budget, Call, Called, ENGINE, EngineLimits, Facts, Grants, Package, Plugin, Sandbox, Table,
};
use hilum_tests::repository;
use hilum_words::{MessageId, Name, Timestamp};

use crate::texts;

/// What the site says to each plugin, so that it has something to do.
fn settings(plugin: &str) -> BTreeMap<String, String> {
    let all: &[(&str, &str)] = match plugin {
        "required-values" => &[("refuse_without", "PID-3.1, PV1-2"), ("hold_without", "PID-7")],
        "route-by-facility" => &[("facility.ST-ANNA", "ehr, archive"), ("otherwise", "archive")],
        "site-codes" => &[("fields", "PV1-2, PV1-4, OBX-3.1"), ("unknown", "keep")],
        _ => &[],
    };
    all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The first-party plugins, as `make plugins` builds them.
fn plugins() -> Vec<String> {
    let folder = std::fs::read_dir(repository().join("plugins")).expect("plugins/");
    let mut names: Vec<_> = folder
        .flatten()
        .filter(|it| it.path().join("plugin.toml").exists())
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn hl7_in(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository().join(folder)).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|it| it.path()).collect();
    files.retain(|it| it.extension().is_some_and(|it| it == "hl7"));
    files.sort();
    files
}

/// What a plugin is measured with: its own golden messages, and those of the example or, if it takes
/// results, those of the fixtures.
fn samples(plugin: &str) -> Vec<PathBuf> {
    let mut samples = hl7_in(&format!("plugins/{plugin}/golden"));
    if plugin.starts_with("oru") {
        let results = ["ORU-R01-01.hl7", "ORU-R01-RMGEAD.hl7"];
        let fixtures = repository().join("tests/fixtures/hl7v2-messages/ms-fhir-converter");
        samples.extend(results.map(|it| fixtures.join(it)));
    } else {
        samples.extend(hl7_in("examples/st-anna/messages"));
    }
    samples
}

fn package(plugin: &str) -> Package {
    let file = repository().join(format!("examples/st-anna/plugins/{plugin}.wasm"));
    let bytes = std::fs::read(file).expect("`make plugins` builds it");
    Package::read(bytes.into(), EngineLimits::for_cores(1).component_bytes_max).expect("a package")
}

/// A plugin with all that it asks for.
struct Loaded {
    name: String,
    plugin: Plugin,
    tables: Arc<BTreeMap<Name, Arc<Table>>>,
}

impl Loaded {
    fn of(sandbox: &Sandbox, name: &str) -> Self {
        let plugin = sandbox.load(&package(name)).expect("a plugin");
        let rows = [("I", "IMP"), ("O", "AMB"), ("1", "outp"), ("7", "emd"), ("MEM", "M")];
        let rows = rows.map(|(from, to)| (from.to_owned(), to.to_owned()));
        let table = Arc::new(Table::new(false, rows));
        let asked = plugin.manifest().asks.tables.iter();
        let tables = asked.map(|it| (it.clone(), Arc::clone(&table))).collect();
        Self { name: name.to_owned(), plugin, tables: Arc::new(tables) }
    }

    fn call(&self, sample: &Path) -> Called {
        let bytes = Bytes::from(std::fs::read(sample).expect("a sample"));
        let message = Message::parse("hl7v2", bytes).expect("a message");
        let policy = Policy::new(TimeZone::named("Europe/Vienna").expect("a time zone"));
        let grants = Grants::as_asked(&self.plugin.manifest().asks);
        let budget = Budget { wall: Budget::GATEWAY_MAX.wall, ..Budget::DEFAULT };
        let call = Call {
            view: policy.view(
                Input::Message(Arc::new(message)),
                &grants.message,
                RunSeed([5; 16]),
                0,
            ),
            facts: Facts { id: MessageId::from_bits(9), received: Timestamp::from_micros(0) },
            settings: Arc::new(settings(&self.name)),
            tables: Arc::clone(&self.tables),
            tables_known: Arc::new(self.tables.keys().cloned().collect()),
        };
        self.plugin.call(call, &budget)
    }
}

/// Fuel, calls of the host, and how it ended: what has to be the same.
fn figures(called: &Called) -> (u64, u64, String) {
    let ended = match &called.result {
        Ok(answered) => answered.word().to_owned(),
        Err(fault) => fault.to_string(),
    };
    (called.report.fuel, called.report.host_calls, ended)
}

fn sandbox(doors: &Doors, calls_max: u32) -> Sandbox {
    let limits = EngineLimits { calls_max, ..EngineLimits::for_cores(1) };
    Sandbox::with_limits(doors, limits).expect("a sandbox")
}

/// Leaves the pool dirty, and traps.
fn neighbour(sandbox: &Sandbox) -> Plugin {
    let text = r#"(module
        (memory (export "memory") 20)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
        (func (export "hilum:plugin/route@0.1.0#run") (result i32)
            (memory.fill (i32.const 0) (i32.const 255) (i32.const 1310720))
            unreachable))"#;
    let world = hilum_contract::World::Router;
    let component = texts::component(text, Some(world));
    let bytes = texts::with_manifest(component, &texts::manifest(&world.id(), &[]));
    let package = Package::read(bytes.into(), 1 << 20).expect("a package");
    sandbox.load(&package).expect("a plugin")
}

#[test]
fn fuel_is_the_same_on_every_run_of_the_same_input() {
    const RUNS: usize = 1_000;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let doors = hilum_env::system::doors(runtime.handle().clone());
    // Two engines, whose pools have another size.
    let engines = [sandbox(&doors, 2), sandbox(&doors, 7)];
    let dirty = engines.each_ref().map(neighbour);
    for name in plugins() {
        let loaded = engines.each_ref().map(|it| Loaded::of(it, &name));
        let sample = samples(&name).into_iter().next_back().expect("a sample");
        // The first call of each has a pool that nobody used.
        let first = figures(&loaded[0].call(&sample));
        assert_eq!(figures(&loaded[1].call(&sample)), first, "{name}: in another engine");
        let run = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    loop {
                        let number = run.fetch_add(1, Ordering::Relaxed);
                        if RUNS <= number {
                            break;
                        }
                        if number.is_multiple_of(10) {
                            let trapped = Loaded {
                                name: String::new(),
                                plugin: dirty[number % 2].clone(),
                                tables: Arc::default(),
                            };
                            assert!(trapped.call(&sample).result.is_err());
                        }
                        let again = figures(&loaded[number % 2].call(&sample));
                        assert_eq!(again, first, "{name}: run {number}");
                    }
                });
            }
        });
    }
}

/// The compiler that guests are built with: it moves fuel.
fn compiler() -> String {
    if let Ok(other) = std::env::var("HILUM_GUEST_TOOLCHAIN") {
        return other;
    }
    let said = Command::new("rustc").arg("--version").output().expect("rustc runs");
    String::from_utf8_lossy(&said.stdout).split(' ').nth(1).unwrap_or("unknown").to_owned()
}

#[test]
fn fuel_of_each_plugin_and_sample_is_as_noted() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let doors = hilum_env::system::doors(runtime.handle().clone());
    let sandbox = sandbox(&doors, 2);
    let mut noted = format!(
        "# What one call of each first-party plugin burns on each sample, and how it answers. A budget of ten\n\
         # times the largest is generous. `UPDATE_EXPECT=1 cargo test -p hilum-tests fuel` writes this anew.\n\
         engine {ENGINE}\n\
         rustc {}\n",
        compiler()
    );
    for name in plugins() {
        let loaded = Loaded::of(&sandbox, &name);
        let _ = writeln!(noted, "\n{name}");
        for sample in samples(&name) {
            let (fuel, host_calls, ended) = figures(&loaded.call(&sample));
            let file = sample.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let _ = writeln!(noted, "{fuel:>10} {host_calls:>5} calls  {ended:<9} {file}");
        }
    }
    let ledger = repository().join("benches/fuel.txt");
    let recorded = std::fs::read_to_string(&ledger).unwrap_or_default();
    let of = |text: &str, key: &str| {
        text.lines().find_map(|it| it.strip_prefix(key).map(str::to_owned)).unwrap_or_default()
    };
    let is_update = std::env::var_os("UPDATE_EXPECT").is_some();
    if !is_update && of(&recorded, "rustc ") != of(&noted, "rustc ") {
        // Another compiler makes other code. The engine is pinned, and must be the one that is noted.
        assert_eq!(of(&recorded, "engine "), ENGINE);
        eprintln!("not compared: noted for rustc {}", of(&recorded, "rustc "));
        return;
    }
    expect_test::expect_file![ledger].assert_eq(&noted);
}
