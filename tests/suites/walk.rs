//! A new user's walk: a mapping of her own, from `plugin new` to the changed field that arrives.

use std::path::Path;
use std::process::Command;

use hilum_tests::{Site, adt, hilum, hilum_in};

fn run(folder: &Path, arguments: &[&str]) -> String {
    hilum_in(folder, arguments).expect("hilum succeeds")
}

const SITE: &str = r#"
[gateway]
name = "walk"
data = "data"
timezone = "UTC"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[plugin.my-mapping]
file = "plugins/my-mapping.wasm"

[destination.out]
kind = "file"
folder = "out"
clearance = "treatment"

[route.adt]
from = "adt-in"
steps = ["my-mapping"]
to = ["out"]
"#;

#[test]
fn a_new_mapping_is_made_changed_built_tried_and_used() {
    let desk = tempfile::tempdir().expect("a folder");
    run(desk.path(), &["plugin", "new", "my-mapping"]);
    let project = desk.path().join("my-mapping");
    run(&project, &["plugin", "build", "."]);

    // She changes one line …
    let source = project.join("src/lib.rs");
    let text = std::fs::read_to_string(&source).expect("the source");
    let before = "\"resourceType\", \"Patient\"";
    assert!(text.contains(before), "the line is there:\n{text}");
    let changed = text.replace(before, "\"resourceType\", \"Person\"");
    std::fs::write(&source, changed).expect("written");
    // … builds, and tries it at her desk.
    run(&project, &["plugin", "build", "."]);
    let example = std::fs::read_dir(&project)
        .expect("the project")
        .chain(std::fs::read_dir(project.join("examples")).into_iter().flatten())
        .map(|it| it.expect("an entry").path())
        .find(|it| it.extension().is_some_and(|ending| ending == "hl7"))
        .expect("an example message");
    let shown = run(&project, &["plugin", "run", "my-mapping.wasm", &example.to_string_lossy()]);
    assert!(shown.contains("Person"), "{shown}");
    assert!(shown.contains("ZQ"), "the view has tokens: {shown}");
    let output = run(
        &project,
        &["plugin", "run", "my-mapping.wasm", &example.to_string_lossy(), "--output"],
    );
    assert!(output.contains("\"Person\""), "the output alone: {output}");

    // She puts it into the site and sees the changed field arrive.
    let site = Site::new(SITE).expect("a site");
    std::fs::copy(project.join("my-mapping.wasm"), site.path().join("plugins/my-mapping.wasm"))
        .expect("copied");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    assert!(client.send(&adt("N1", "4711")).expect("answered").contains("|AA|"));
    running.wait_until_idle().expect("idle");
    let file = std::fs::read_dir(site.path().join("out"))
        .expect("out/")
        .next()
        .expect("a file")
        .expect("an entry")
        .path();
    let arrived = std::fs::read_to_string(file).expect("text");
    assert!(arrived.contains("Person") && arrived.contains("Zedlitz"), "{arrived}");
}

#[test]
fn a_mapping_with_a_mistake_names_the_line() {
    let desk = tempfile::tempdir().expect("a folder");
    run(desk.path(), &["plugin", "new", "broken"]);
    let source = desk.path().join("broken/src/lib.rs");
    let text = std::fs::read_to_string(&source).expect("the source");
    std::fs::write(&source, format!("{text}\nfn wrong() -> u32 {{ \"text\" }}\n"))
        .expect("written");
    let output = Command::new(hilum())
        .args(["plugin", "build", "broken"])
        .current_dir(desk.path())
        .output()
        .expect("hilum runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("src/lib.rs:") && said.contains("mismatched types"), "{said}");
}
