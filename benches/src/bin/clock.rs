//! The clock: a whole gateway under load, beside the same with its mapping as a native function, and
//! beside append-and-`fdatasync` alone, in one run. The last lines are the bars, and whether each is
//! met.
//!
//!     cargo run --release -p hilum-benches --bin clock [FOLDER]
//!
//! FOLDER lies on the disk that is measured. `CLOCK_SECONDS` is how long a part takes (default 3).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hilum_benches::bare::{self, Pace};
use hilum_benches::figures::{Figures, cpu_of_threads, micros, millis};
use hilum_benches::gateway::{ADT, Child, PLUGIN, Site, serve};
use hilum_benches::load;
use hilum_benches::messages::Messages;
use hilum_benches::native::AdtToFhir;
use hilum_benches::stages::Stages;

/// Connections of the measurements.
const CONNECTIONS: [usize; 3] = [1, 8, 64];

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", site, "wasm"] => serve(Path::new(site), None),
        ["serve", site, "native"] => serve(Path::new(site), Some(Arc::new(AdtToFhir))),
        ["serve", _, other] => bail!("no mapping is called {other}"),
        // For a profiler.
        ["once", mapping, connections] => once(mapping, connections.parse()?),
        ["stages"] => stages(None),
        ["stages", name] => stages(Some(name)),
        [] => measure(Path::new("target/bench")),
        [folder] => measure(Path::new(folder)),
        _ => bail!("usage: clock [FOLDER]"),
    }
}

/// How long a part takes.
fn lasts() -> Duration {
    let asked = std::env::var("CLOCK_SECONDS").ok().and_then(|it| it.parse().ok());
    Duration::from_secs(asked.unwrap_or(3))
}

fn adt_site(folder: &Path) -> Result<Site> {
    let file = std::env::var("CLOCK_PLUGIN").unwrap_or_else(|_| PLUGIN.to_owned());
    let plugin = std::fs::read(file).context("the plugin is not built: `make plugins`")?;
    let table = std::fs::read("examples/st-anna/tables/admit-source.csv")?;
    Site::new(folder, ADT, &[("adt-to-fhir.wasm", plugin), ("admit-source.csv", table)])
}

fn stages(name: Option<&str>) -> Result<()> {
    std::fs::create_dir_all("target/bench")?;
    let site = adt_site(&std::fs::canonicalize("target/bench")?)?;
    let stages = Stages::new(site.path())?;
    if let Some(name) = name {
        return stages.repeat(name, lasts());
    }
    writeln!(std::io::stdout(), "one call: {}", stages.uses()?)?;
    for stage in stages.measure()? {
        writeln!(std::io::stdout(), "{:>24}  {:>7.1} µs", stage.name, micros(stage.took))?;
    }
    Ok(())
}

fn once(mapping: &str, connections: usize) -> Result<()> {
    std::fs::create_dir_all("target/bench")?;
    let folder = std::fs::canonicalize("target/bench")?;
    let through = throughput(&folder, mapping, connections, &mut std::io::stdout())?;
    writeln!(std::io::stdout(), "{connections:>3} connections, {mapping}: {}", through.show())?;
    Ok(())
}

fn measure(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let folder: PathBuf = std::fs::canonicalize(folder)?;
    let mut out = std::io::stdout();
    let alone = bare::alone(&folder, lasts())?;
    writeln!(out, "append and fdatasync, one by one: {}", alone.show())?;
    for connections in CONNECTIONS {
        let bare = bare::grouped(&folder, connections, lasts(), Pace::Closed)?;
        writeln!(out, "{connections:>3} producers, bare group commit: {}", bare.show())?;
    }
    for mapping in ["wasm"] {
        for connections in CONNECTIONS {
            let through = throughput(&folder, mapping, connections, &mut out)?;
            writeln!(out, "{connections:>3} connections, {mapping}: {}", through.show())?;
        }
    }
    Ok(())
}

/// From the first byte sent to the last delivery's outcome in the journal.
#[expect(clippy::disallowed_methods, reason = "a measurement outside of the gateway")]
fn throughput(
    folder: &Path,
    mapping: &str,
    connections: usize,
    out: &mut impl Write,
) -> Result<Figures> {
    let site = adt_site(folder)?;
    let mut child = Child::start(site.path(), mapping)?;
    let address = child.address("in")?.to_owned();
    let warm = Arc::new(Messages::new("W"));
    load::closed(&address, connections, 500, &warm)?;
    child.drain()?;
    let count = match connections {
        1 => 3_000,
        _ => 4_000 * lasts().as_secs(),
    };
    let messages = Arc::new(Messages::new("T"));
    let (cpu, threads) = (child.cpu(), cpu_of_threads(child.id()));
    let start = Instant::now();
    let latencies = load::closed(&address, connections, count, &messages)?;
    let acknowledged = start.elapsed();
    child.drain()?;
    let took = start.elapsed();
    let figures = Figures::of(latencies, took, child.cpu().saturating_sub(cpu));
    let shares = cpu_of_threads(child.id());
    let shares: Vec<_> = shares
        .into_iter()
        .map(|(name, after)| {
            let spent = after.saturating_sub(threads.get(&name).copied().unwrap_or_default());
            format!("{name} {:.0}", micros(spent) / count as f64)
        })
        .collect();
    writeln!(out, "      acknowledged {:.0}/s; CPU µs by thread: {}", count as f64 / acknowledged.as_secs_f64(), shares.join(", "))?;
    let _ = millis;
    Ok(figures)
}
