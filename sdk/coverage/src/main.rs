//! `make coverage`, and the outputs for `make validate`: maps every fixture with the plugins given, by
//! `hilum plugin run --coverage`, keeps what was made of it, and judges it by the guide.
//!
//! ```text
//! hilum-coverage [--outputs-only] HILUM OUT PLUGIN...
//! ```
//!
//! `OUT/outputs/PLUGIN/KIND/FOLDER.MESSAGE.json` are the Bundles, `OUT/report.txt` is the report.

#![expect(
    clippy::disallowed_methods,
    reason = "a tool of the house reads files without a gateway's doors"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};
use hilum_coverage::evaluate::{Case, evaluate};
use hilum_coverage::guide::Guide;
use hilum_coverage::notes;
use hilum_coverage::report::Report;
use hilum_coverage::source::Source;
use serde_json::Value;

/// Folders with messages, in the repository.
const FIXTURES: &[&str] = &[
    "tests/fixtures/hl7v2-messages/hl7apy",
    "tests/fixtures/hl7v2-messages/ms-fhir-converter",
    "tests/fixtures/hl7v2-messages/python-hl7",
    "tests/fixtures/phi/canaries-sample",
    "tests/fixtures/v2-to-fhir/samples",
    "examples/st-anna/messages",
];

/// The kinds of Bundle that a plugin makes, each for a destination of its name. Rows are judged in the
/// first: it alone has MessageHeader and Provenance.
const KINDS: &[&str] = &["message", "transaction", "collection"];

const ADMIT_SOURCE: &str = "admit-source=examples/st-anna/tables/admit-source.csv";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let outputs_only = arguments.first().is_some_and(|it| it == "--outputs-only");
    arguments.drain(..usize::from(outputs_only));
    match run(&arguments, outputs_only) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("coverage: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String], outputs_only: bool) -> anyhow::Result<()> {
    let [hilum, out, plugins @ ..] = arguments else {
        bail!("usage: hilum-coverage HILUM OUT PLUGIN...")
    };
    ensure!(!plugins.is_empty(), "no plugin is given");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let ours = repository.join("tests/coverage");
    let guide = Guide::read(&repository.join("tests/fixtures/v2-to-fhir"), &ours)?;
    let out = std::path::absolute(out)?;
    let outputs = out.join("outputs");
    if outputs.exists() {
        std::fs::remove_dir_all(&outputs)?;
    }
    let mut report = Report::default();
    for plugin in plugins {
        for folder in FIXTURES {
            let told = told(hilum, Path::new(plugin), &repository, folder)?;
            for message in told["messages"].as_array().into_iter().flatten() {
                keep(message, &outputs, Path::new(plugin), folder)?;
                if !outputs_only {
                    judge(&guide, message, &repository, folder, &mut report)?;
                }
            }
        }
    }
    if outputs_only {
        return Ok(());
    }
    let reasons = notes::read(&ours.join("reasons.toml"))?;
    let printed = report.print(&reasons);
    // A stale reason must not hide the report.
    let text = match &printed {
        Ok(text) => text.clone(),
        Err(_) => report.print(&notes::Notes::new())?,
    };
    std::fs::write(out.join("report.txt"), &text)?;
    print!("{text}");
    printed?;
    println!("\n{}", report.verdict()?);
    Ok(())
}

/// What `hilum plugin run --coverage` tells about a folder.
fn told(hilum: &str, plugin: &Path, repository: &Path, folder: &str) -> anyhow::Result<Value> {
    let plugin = std::path::absolute(plugin)?;
    let mut command = Command::new(std::path::absolute(hilum)?);
    command.args(["plugin", "run", "--coverage", "--format", "json", "--table", ADMIT_SOURCE]);
    for kind in KINDS {
        command.args(["--to", kind, "--setting", &format!("{kind}={kind}")]);
    }
    let ran = command.arg(plugin).arg(folder).current_dir(repository).output()?;
    // It exits 1 for a message that could not be mapped, and tells of it.
    serde_json::from_slice(&ran.stdout)
        .with_context(|| format!("{folder}: {}", String::from_utf8_lossy(&ran.stderr)))
}

/// Writes the Bundles of a message where the validator finds them.
fn keep(message: &Value, outputs: &Path, plugin: &Path, folder: &str) -> anyhow::Result<()> {
    let label = text(&message["message"])?;
    let plugin = plugin.file_stem().unwrap_or_default();
    let folder = Path::new(folder).file_name().unwrap_or_default().to_string_lossy().into_owned();
    for output in message["run"]["outputs"].as_array().into_iter().flatten() {
        let kind = text(&output["destination"])?;
        let Some(body) = output["body"].as_str() else { continue };
        let place = outputs.join(plugin).join(kind);
        std::fs::create_dir_all(&place)?;
        std::fs::write(place.join(format!("{folder}.{}.json", label.replace('/', "."))), body)?;
    }
    Ok(())
}

fn judge(
    guide: &Guide,
    message: &Value,
    repository: &Path,
    folder: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    let label = text(&message["message"])?;
    let mapped = message["run"]["outputs"].as_array().into_iter().flatten();
    let mut bodies = mapped.filter(|it| it["destination"] == KINDS[0]);
    let Some(body) = bodies.next().and_then(|it| it["body"].as_str()) else {
        let why = message["run"]["why"].as_str().unwrap_or("nothing to send").to_owned();
        report.refused.push((label.to_owned(), why));
        return Ok(());
    };
    let bundle: Value = serde_json::from_str(body).with_context(|| label.to_owned())?;
    let rows = message["rows"].as_array().into_iter().flatten();
    let reported: BTreeSet<String> = rows.filter_map(|it| it.as_str().map(str::to_owned)).collect();
    let source = source(&repository.join(folder), label)?;
    let case = Case { guide, source: &source, bundle: &bundle, reported: &reported };
    match evaluate(&case).with_context(|| label.to_owned())? {
        Some(found) => report.add(label, found),
        None => report.unmapped.push((label.to_owned(), text(&message["kind"])?.to_owned())),
    }
    Ok(())
}

/// The message that a label names: a file, or `file#2`, the second of it.
fn source(folder: &Path, label: &str) -> anyhow::Result<Source> {
    let (file, number): (PathBuf, usize) = match label.rsplit_once('#') {
        Some((file, number)) => (folder.join(file), number.parse()?),
        None => (folder.join(label), 1),
    };
    let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
    let mut all = Source::read_all(&bytes)?;
    ensure!(0 < number && number <= all.len(), "{label}: there is no such message");
    Ok(all.swap_remove(number - 1))
}

fn text(value: &Value) -> anyhow::Result<&str> {
    value.as_str().context("`hilum plugin run` tells another document than is expected")
}
