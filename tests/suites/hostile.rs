//! A plugin that is made to hurt the compiler hurts a child: the gateway says so and goes on.

use std::time::Duration;

use expect_test::expect_file;
use hilum_contract::World;
use hilum_env::Doors;
use hilum_env::system::SystemChildren;
use hilum_sandbox::{CompileLimits, EngineLimits, Package, Sandbox};
use hilum_tests::{Site, adt, hilum, repository};

use crate::texts;

/// The number of `;; key: 512 MiB` at the top of a text.
fn bound(text: &str, key: &str) -> Option<u64> {
    let header = texts::headers(text, key).first()?.to_owned();
    Some(header.split(' ').next()?.parse().expect("a number"))
}

fn bounds(text: &str) -> CompileLimits {
    let usual = CompileLimits::DEFAULT;
    CompileLimits {
        memory_bytes: bound(text, "memory").map_or(usual.memory_bytes, |it| it << 20),
        processor_seconds: bound(text, "processor").unwrap_or(usual.processor_seconds),
        wall: bound(text, "wall").map_or(usual.wall, Duration::from_millis),
    }
}

fn plugin(text: &str) -> Vec<u8> {
    let component = texts::component(text, Some(World::Router));
    texts::with_manifest(component, &texts::manifest(&World::Router.id(), &[]))
}

/// What comes of loading it, with the real program as the child.
fn loaded(text: &str) -> String {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let doors = Doors {
        children: std::sync::Arc::new(SystemChildren::of(hilum())),
        ..hilum_env::system::doors(runtime.handle().clone())
    };
    let limits = EngineLimits { compile: bounds(text), ..EngineLimits::for_cores(1) };
    let sandbox = Sandbox::with_limits(&doors, limits).expect("a sandbox");
    let package = Package::read(plugin(text).into(), limits.component_bytes_max);
    match sandbox.load(&package.expect("a package")) {
        Ok(_) => "loaded\n".to_owned(),
        Err(problem) => format!("not loaded: {problem}\n"),
    }
}

#[test]
fn what_costs_too_much_to_compile_is_not_loaded() {
    let folder = repository().join("tests/hostile/compile");
    let mut texts: Vec<_> = std::fs::read_dir(folder).expect("texts").flatten().collect();
    texts.retain(|it| it.path().extension().is_some_and(|it| it == "wat"));
    texts.sort_by_key(std::fs::DirEntry::path);
    assert!(6 < texts.len(), "tests/hostile/compile has its texts");
    for text in texts {
        let outcome = loaded(&std::fs::read_to_string(text.path()).expect("a text"));
        expect_file![text.path().with_extension("fault")].assert_eq(&outcome);
    }
}

const SITE: &str = r#"
[gateway]
name = "test"
data = "data"
timezone = "UTC"

[listener.in]
kind = "mllp"
bind = "127.0.0.1:0"

[plugin.by]
file = "plugins/route-by-facility.wasm"

[destination.out]
kind = "file"
folder = "out"
clearance = "treatment"

[route.all]
from = "in"
steps = ["by"]
to = ["out"]
settings = { otherwise = "out" }
"#;

const BOMB: &str = "hilum.toml:12  plugin.by.file  compiling it takes more memory than a plugin may have \
                    compiled with (1024 MiB): make its functions smaller, or of several plugins one each";

/// With the bounds that every gateway has, in each command that compiles.
#[test]
fn a_compile_bomb_is_a_problem_in_every_command_and_the_running_generation_stays() {
    let text = repository().join("tests/hostile/compile/memory-by-loops.wat");
    let bomb = plugin(&std::fs::read_to_string(text).expect("a text"));
    let site = Site::new(SITE).expect("a site");
    site.write("message.hl7", adt("1", "4711")).expect("written");
    let running = site.serve().expect("serving");
    let generation = |running: &hilum_tests::Running<'_>| {
        running.json(&["status"]).expect("a status")["generation"].clone()
    };
    let before = generation(&running);
    assert!(!before.is_null(), "it says which generation runs");

    site.write("plugins/route-by-facility.wasm", &bomb).expect("written");
    let (code, _, err) = site.run(&["check"]).expect("run");
    assert_eq!((code, err.contains(BOMB)), (78, true), "{err}");
    let (code, _, err) = site.run(&["apply", "--yes"]).expect("run");
    assert!(code != 0 && err.contains(BOMB), "{code}: {err}");
    let bomb = site.path().join("plugins/route-by-facility.wasm").display().to_string();
    let message = site.path().join("message.hl7").display().to_string();
    let (code, _, err) = site.run(&["plugin", "run", &bomb, &message]).expect("run");
    assert!(code == 1 && err.contains("takes more memory"), "{code}: {err}");

    // Nothing has changed, and messages go on.
    assert_eq!(generation(&running), before);
    let answer =
        running.client("in").expect("connected").send(&adt("2", "4711")).expect("answered");
    assert!(answer.contains("MSA|AA|2"), "{answer}");
    running.wait_until_idle().expect("idle");
    assert_eq!(running.terminate().expect("stopped"), 0);

    // And a gateway that finds it at its start does not start.
    let (code, _, err) = site.run(&["serve"]).expect("run");
    assert_eq!((code, err.contains(BOMB)), (78, true), "{err}");
}
