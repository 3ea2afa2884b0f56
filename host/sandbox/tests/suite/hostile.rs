//! Every `.wat` of `tests/hostile` does what its `.fault` says. `README.md` there explains them.
#![expect(clippy::disallowed_methods, reason = "a test reads its texts from the repository")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use hilum_contract::World;
use hilum_policy::Grant;
use hilum_sandbox::{Answered, Called};

use crate::{offered, support};

fn texts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile");
    let entries = std::fs::read_dir(folder).expect("tests/hostile").flatten();
    let mut texts: Vec<_> = entries.map(|it| it.path()).collect();
    texts.retain(|it| it.extension().is_some_and(|it| it == "wat"));
    texts.sort();
    texts
}

/// What an operator or developer reads about a plugin: why it is not loaded, or how a call ended.
fn outcome(text: &str) -> String {
    let world = match support::headers(text, "world").first() {
        Some(word) => World::from_word(word),
        None => Some(World::Router),
    };
    let mut component = support::component(text, world);
    let id = world.unwrap_or(World::Router).id();
    let contract = support::headers(text, "contract").first().copied().unwrap_or(&id).to_owned();
    let manifest = support::manifest(&contract, &support::headers(text, "budget"));
    let copies = match support::headers(text, "manifest").first() {
        Some(&"none") => 0,
        Some(&"twice") => 2,
        _ => usize::from(world.is_some()),
    };
    for _ in 0..copies {
        component = support::with_manifest(component, &manifest);
    }
    let package = match support::read(component) {
        Ok(package) => package,
        Err(problem) => return format!("not a plugin: {problem}\n"),
    };
    let plugin = match support::sandbox().load(&package) {
        Ok(plugin) => plugin,
        Err(problem) => return format!("not loaded: {problem}\n"),
    };
    let budget = support::budget(&package);
    let called = plugin.call(support::call(&Grant::sealed_by_default()), &budget);
    if called
        .result
        .as_ref()
        .is_err_and(|it| !matches!(it, hilum_sandbox::PluginFault::Misbehaved(_)))
    {
        assert_eq!(called.report.fuel, budget.fuel, "a trap is charged the whole budget");
    }
    assert!(called.report.host_calls <= budget.host_calls + 1);
    assert!(called.report.memory_bytes <= budget.memory_bytes);
    printed(&called)
}

fn printed(called: &Called) -> String {
    let mut text = match &called.result {
        Err(fault) => format!("fault: {fault}\n"),
        Ok(Answered::Refused(why)) => why.iter().map(|it| format!("refused: {it}\n")).collect(),
        Ok(answered) => format!("{}\n", answered.word()),
    };
    let report = &called.report;
    if let Some(said) = &report.said {
        let _ = writeln!(text, "said: {said}");
    } else if let [line] = report.log.as_slice() {
        let _ = writeln!(text, "log: {}: {}", line.level, line.text);
    }
    if report.log_cut_bytes != 0 {
        let kept: usize = report.log.iter().map(|it| it.text.len()).sum();
        let cut = report.log_cut_bytes;
        let _ = writeln!(text, "log: {} lines, {kept} bytes; {cut} bytes cut", report.log.len());
    }
    text
}

#[test]
fn every_hostile_plugin_ends_as_its_fault_says() {
    let texts = texts();
    assert!(100 < texts.len(), "tests/hostile has its texts");
    for path in texts {
        let text = std::fs::read(&path).expect("a text");
        let outcome = outcome(&String::from_utf8(text).expect("UTF-8"));
        expect_file![path.with_extension("fault")].assert_eq(&outcome);
    }
}

/// The list of functions is the WIT's own: a new one needs its text.
#[test]
fn every_function_is_given_more_than_it_can_take() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile");
    for offered in offered::functions() {
        let function = offered.function.rsplit('.').next().expect("a name").to_owned();
        for parameter in &offered.long {
            let name = format!("huge-{}-{function}-{parameter}.wat", offered.interface);
            assert!(folder.join(&name).exists(), "tests/hostile/{name} is missing");
        }
    }
}

#[test]
fn after_all_of_them_a_good_plugin_still_runs() {
    for path in texts() {
        let text = std::fs::read(&path).expect("a text");
        outcome(&String::from_utf8(text).expect("UTF-8"));
    }
    let plugin = support::plugin(
        r#"(module
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
            (func (export "hilum:plugin/route@0.1.0#run") (result i32) (i32.const 0)))"#,
        World::Router,
    );
    for _ in 0..200 {
        let called = support::run(&plugin);
        assert!(matches!(called.result, Ok(Answered::Routed(names)) if names.is_empty()));
    }
}
