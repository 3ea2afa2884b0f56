//! A gateway in a process of its own, so that its processor time is nobody else's.
//!
//! [`Child::start`] runs this same program again, which calls [`serve`]: a whole gateway on a bench
//! site in a folder of its own, with the log that `hilum serve` has. It prints its address, answers
//! `drain` on its standard input once nothing waits any more, and ends with its input.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use hilum_gateway::{Checked, Gateway};
use hilum_pipeline::{Generation, Route, Routes, StepPlan};
use hilum_sandbox::Native;

use crate::figures::cpu_of;

/// The plugin whose mapping is measured, where `make plugins` puts it.
pub const PLUGIN: &str = "examples/st-anna/plugins/adt-to-fhir.wasm";

/// The folder of a bench site.
pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// A site with this configuration and these plugins, beside the data of other measurements: on
    /// the disk that is to be measured.
    pub fn new(within: &Path, configuration: &str, plugins: &[(&str, Vec<u8>)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("site-").tempdir_in(within)?;
        std::fs::write(folder.path().join("hilum.toml"), configuration)?;
        for (name, bytes) in plugins {
            std::fs::write(folder.path().join(name), bytes)?;
        }
        Ok(Self { folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// One listener, the plugin, one file that is appended to.
pub const ADT: &str = r#"
[gateway]
name = "bench"
data = "data"
timezone = "Europe/Vienna"

[listener.in]
kind = "mllp"
bind = "127.0.0.1:0"
ack = "stored"

[table.admit-source]
file = "admit-source.csv"

[plugin.adt-to-fhir]
file = "adt-to-fhir.wasm"
grant = { tables = ["admit-source"] }

[destination.out]
kind = "file"
folder = "out"
append = true
clearance = "treatment"

[route.adt]
from = "in"
steps = ["adt-to-fhir"]
to = ["out"]
lane = "PID-3.1"
owner = "bench@hilum.example"
purpose = "measuring"
"#;

/// The same beside a route whose plugin never ends; it is stopped after its wall time, three times.
pub fn with_neighbour() -> String {
    format!(
        "{ADT}{}",
        r#"
[listener.hostile]
kind = "mllp"
bind = "127.0.0.1:0"
ack = "stored"

[plugin.endless]
file = "endless.wasm"
budget = { fuel = 20_000_000_000, wall = "500ms" }

[route.hostile]
from = "hostile"
steps = ["endless"]
to = ["out"]
lane = "none"
owner = "bench@hilum.example"
purpose = "measuring"
"#
    )
}

/// A gateway that runs.
pub struct Child {
    process: std::process::Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Where each of its listeners can be reached, by name.
    pub addresses: Vec<(String, String)>,
}

impl Child {
    /// Starts a gateway on a site; `mapping` is `wasm` or `native`.
    pub fn start(site: &Path, mapping: &str) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve".as_ref(), site.as_os_str(), mapping.as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take();
        let output = process.stdout.take().ok_or_else(|| anyhow!("no standard output"))?;
        let mut child = Self { process, input, output: BufReader::new(output), addresses: vec![] };
        let line = child.line()?;
        let pairs = line.split_whitespace().filter_map(|it| it.split_once('='));
        child.addresses = pairs.map(|(name, at)| (name.to_owned(), at.to_owned())).collect();
        Ok(child)
    }

    /// Where the listener of this name can be reached.
    pub fn address(&self, listener: &str) -> Result<&str> {
        let found = self.addresses.iter().find(|(name, _)| name == listener);
        found.map(|(_, at)| at.as_str()).with_context(|| format!("no listener {listener}"))
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Processor time so far.
    pub fn cpu(&self) -> Duration {
        cpu_of(self.id())
    }

    /// Waits until every run is decided and every delivery has its outcome, but for `others`:
    /// messages of a route that is not waited for and parks each.
    pub fn drain(&mut self, others: u64) -> Result<()> {
        let input = self.input.as_mut().ok_or_else(|| anyhow!("it has ended"))?;
        writeln!(input, "drain {others}")?;
        match self.line()?.as_str() {
            "idle" => Ok(()),
            other => bail!("the gateway says: {other}"),
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("the gateway has ended");
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Nothing of it is needed any more, and a plugin that never ends would be waited for.
        let _ = self.process.kill();
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

/// Runs a gateway until standard input ends.
pub fn serve(site: &Path, native: Option<Arc<dyn Native>>) -> Result<()> {
    // The same log as `hilum serve`: what a span costs is part of the measurement.
    let filter = tracing_subscriber::EnvFilter::new("info");
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let doors = hilum_env::system::doors(runtime.handle().clone());
    let path: PathBuf = site.join("hilum.toml");
    let checked = hilum_gateway::check(&path, &doors).map_err(|problems| {
        anyhow!("{}", problems.iter().map(|it| format!("{it}\n")).collect::<String>())
    })?;
    let checked = match native {
        Some(native) => with_native(checked, &native),
        None => checked,
    };
    let gateway = runtime.block_on(Gateway::start(checked, doors))?;
    let listeners = gateway.status().listeners;
    let addresses: Vec<_> =
        listeners.iter().map(|it| format!("{}={}", it.name, it.address)).collect();
    let mut out = std::io::stdout();
    writeln!(out, "{}", addresses.join(" "))?;
    for line in std::io::stdin().lines() {
        if let Some(others) = line?.strip_prefix("drain ").and_then(|it| it.parse::<u64>().ok()) {
            loop {
                let counts = gateway.store().counts();
                if others < counts.parked {
                    writeln!(out, "{} parked", counts.parked)?;
                    break;
                }
                // A decision that waits for the committer is an undecided run.
                if counts.undecided + counts.parked == others && counts.queued == 0 {
                    writeln!(out, "idle")?;
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
    runtime.block_on(gateway.stop(Duration::from_secs(10)));
    Ok(())
}

/// The same generation with a function in the place of each plugin.
fn with_native(mut checked: Checked, native: &Arc<dyn Native>) -> Checked {
    let before = &checked.generation;
    let step = |it: &StepPlan| StepPlan {
        name: it.name.clone(),
        plugin: Arc::new(it.plugin.with_native(Arc::clone(native))),
        grant: it.grant.clone(),
        budget: it.budget,
        tables: Arc::clone(&it.tables),
        tables_known: Arc::clone(&it.tables_known),
    };
    let routes = before.routes.iter().map(|it| {
        Arc::new(Route {
            name: it.name.clone(),
            from: it.from.clone(),
            when: it.when.clone(),
            steps: it.steps.iter().map(step).collect(),
            to: it.to.clone(),
            lane: it.lane.clone(),
            settings: Arc::clone(&it.settings),
            owner: it.owner.clone(),
            purpose: it.purpose.clone(),
        })
    });
    checked.generation = Arc::new(Generation {
        digest: before.digest,
        routes: Routes::new(routes.collect()),
        policy: before.policy.clone(),
        plugins: before.plugins.clone(),
        intakes: before.intakes.clone(),
    });
    checked
}
