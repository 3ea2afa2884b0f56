//! The clock: a whole gateway under load, beside the same with its mapping as a native function, and
//! beside append-and-`fdatasync` alone, in one run. The last lines are the bars, and whether each is
//! met, or was not shown.
//!
//!     cargo run --release -p hilum-benches --bin clock [FOLDER]
//!
//! FOLDER lies on the disk that is measured. `CLOCK_SECONDS` is how long a part takes (default 3).
//! For a profiler: `clock once wasm|native CONNECTIONS` and `clock stages [view|call|output|clear|whole]`.

#![expect(clippy::disallowed_methods, reason = "a measurement outside of the gateway")]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hilum_benches::bare::{self, Pace};
use hilum_benches::figures::Bar::{AtLeast, AtMost};
use hilum_benches::figures::{Bar, Figures, cpu_of_threads, micros, millis, quartiles};
use hilum_benches::gateway::{ADT, Child, PLUGIN, Site, serve, with_neighbour};
use hilum_benches::messages::Messages;
use hilum_benches::native::AdtToFhir;
use hilum_benches::stages::{Stage, Stages};
use hilum_benches::{adt_a01, guests, intake, load};

/// Connections of the measurements.
const CONNECTIONS: [usize; 3] = [1, 8, 64];
/// Rounds of the measurement that compares two things at a disk that others use.
const ROUNDS: u32 = 12;
/// Messages for the plugin that never ends: more than it comes to the end of.
const HOSTILE: u64 = 200;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", site, "wasm"] => serve(Path::new(site), None),
        ["serve", site, "native"] => serve(Path::new(site), Some(Arc::new(AdtToFhir))),
        ["serve", _, other] => bail!("no mapping is called {other}"),
        ["once", mapping, connections] => Clock::new("target/bench")?.once(mapping, connections),
        ["stages"] => Clock::new("target/bench")?.stages(),
        ["stages", name] => Clock::new("target/bench")?.stage(name),
        [] => Clock::new("target/bench")?.measure(),
        [folder] => Clock::new(folder)?.measure(),
        _ => bail!("usage: clock [FOLDER]"),
    }
}

/// Where is measured, how long, and where the figures go.
struct Clock {
    folder: std::path::PathBuf,
    lasts: Duration,
    out: std::io::Stdout,
}

/// What one load came to.
struct Loaded {
    figures: Figures,
    /// Acknowledgements a second, while they came.
    acknowledged: f64,
    /// Processor time by thread, a message.
    threads: String,
}

impl Clock {
    fn new(folder: &str) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let folder = std::fs::canonicalize(folder)?;
        let asked = std::env::var("CLOCK_SECONDS").ok().and_then(|it| it.parse().ok());
        let lasts = Duration::from_secs(asked.unwrap_or(3));
        Ok(Self { folder, lasts, out: std::io::stdout() })
    }

    fn site(&self, configuration: &str) -> Result<Site> {
        let file = std::env::var("CLOCK_PLUGIN").unwrap_or_else(|_| PLUGIN.to_owned());
        let plugin = std::fs::read(file).context("the plugin is not built: `make plugins`")?;
        let table = std::fs::read("examples/st-anna/tables/admit-source.csv")?;
        let files = [
            ("adt-to-fhir.wasm", plugin),
            ("admit-source.csv", table),
            ("endless.wasm", guests::endless()?),
        ];
        Site::new(&self.folder, configuration, &files)
    }

    fn once(mut self, mapping: &str, connections: &str) -> Result<()> {
        let connections = connections.parse()?;
        let loaded = self.load(mapping, connections)?;
        self.row(connections, mapping, &loaded)
    }

    fn stage(self, name: &str) -> Result<()> {
        let site = self.site(ADT)?;
        Stages::new(site.path())?.repeat(name, self.lasts)
    }

    fn head(&mut self, text: &str) -> Result<()> {
        writeln!(self.out, "\n== {text}")?;
        Ok(())
    }

    /// What the parts of a message cost, on one thread: the fastest of many.
    fn stages(&mut self) -> Result<()> {
        let site = self.site(ADT)?;
        let stages = Stages::new(site.path())?;
        let bytes = adt_a01().len();
        let uses = stages.uses()?;
        self.head(&format!("a message of {bytes} bytes in a worker, µs: {uses}"))?;
        let all = stages.measure()?;
        let whole = all.last().map_or(Duration::ZERO, |it| it.took);
        for Stage { name, took } in all {
            let share = 100.0 * took.as_secs_f64() / whole.as_secs_f64();
            writeln!(self.out, "{name:>28} {:>8.1}  {share:>4.0} %", micros(took))?;
        }
        for Stage { name, took } in stages.calls()? {
            writeln!(self.out, "{name:>28} {:>8.2}", micros(took))?;
        }
        Ok(())
    }

    fn measure(mut self) -> Result<()> {
        self.head("append and fdatasync alone: a second (p50, p99 in ms; CPU µs each)")?;
        let alone = bare::alone(&self.folder, self.lasts)?;
        writeln!(self.out, "  1 after another {:>34}", alone.show())?;
        let mut intake_ratio = 0.0;
        for producers in CONNECTIONS {
            let bare = bare::grouped(&self.folder, producers, self.lasts, Pace::Closed)?;
            let journal = intake::journal(&self.folder, producers, self.lasts)?;
            intake_ratio = journal.rate / bare.rate;
            writeln!(
                self.out,
                "{producers:>3} producers, group commit {:>28}   journal {:>28}   ratio {intake_ratio:.2}",
                bare.show(),
                journal.show()
            )?;
        }
        self.stages()?;
        self.head(
            "MLLP in, adt-to-fhir, appended file out, durable: settled a second (p50, p99 of the \
             acknowledgement in ms; CPU µs a message of the whole gateway)",
        )?;
        let mut ratio = 0.0;
        let mut most = None;
        for connections in CONNECTIONS {
            let native = self.load("native", connections)?;
            self.row(connections, "native", &native)?;
            let wasm = self.load("wasm", connections)?;
            self.row(connections, "wasm", &wasm)?;
            ratio = wasm.figures.rate / native.figures.rate;
            writeln!(self.out, "      wasm against native: {ratio:.2}")?;
            most = Some(wasm.figures);
        }
        let most = most.context("something was measured")?;
        let half = self.half_load(most.rate / 2.0)?;
        let single = self.single()?;
        let neighbour = self.neighbour()?;
        self.head("bars")?;
        let cpu = micros(most.cpu);
        self.bar("64 connections, CPU µs a message", [cpu; 3], AtMost(150.0))?;
        self.bar("64 connections, throughput against native", [ratio; 3], AtLeast(0.6))?;
        self.bar("64 producers, journal against bare", [intake_ratio; 3], AtLeast(0.5))?;
        self.bar("half load, p99 of the ack against bare", [half; 3], AtMost(3.0))?;
        self.bar("one connection, ack minus fdatasync, µs", single, AtMost(200.0))?;
        self.bar("neighbour, rate against its share", [neighbour; 3], AtLeast(0.75))
    }

    /// A figure, between those below and above it that were as good as it.
    fn bar(&mut self, name: &str, [low, is, high]: [f64; 3], bar: Bar) -> Result<()> {
        writeln!(self.out, "{name:<44} {is:>8.2}   {bar} {}", bar.verdict(low, high))?;
        Ok(())
    }

    fn row(&mut self, connections: usize, mapping: &str, loaded: &Loaded) -> Result<()> {
        let Loaded { figures, acknowledged, threads } = loaded;
        writeln!(
            self.out,
            "{connections:>3} connections, {mapping:<6} {:>30}   acknowledged {acknowledged:.0}/s   \
             µs by thread: {threads}",
            figures.show()
        )?;
        Ok(())
    }

    /// From the first byte sent to the last delivery's outcome in the journal.
    fn load(&self, mapping: &str, connections: usize) -> Result<Loaded> {
        let site = self.site(ADT)?;
        let mut child = Child::start(site.path(), mapping)?;
        let address = child.address("in")?.to_owned();
        load::closed(&address, connections, 500, &Arc::new(Messages::new("W")))?;
        child.drain(0)?;
        let a_second = if connections == 1 { 700 } else { 3_000 };
        let count = a_second * self.lasts.as_secs();
        let messages = Arc::new(Messages::new("T"));
        let (cpu, threads) = (child.cpu(), cpu_of_threads(child.id()));
        let start = Instant::now();
        let latencies = load::closed(&address, connections, count, &messages)?;
        let acknowledged = count as f64 / start.elapsed().as_secs_f64();
        child.drain(0)?;
        let took = start.elapsed();
        let figures = Figures::of(latencies, took, child.cpu().saturating_sub(cpu));
        let spent = cpu_of_threads(child.id()).into_iter().map(|(name, after)| {
            let spent = after.saturating_sub(threads.get(&name).copied().unwrap_or_default());
            (name, micros(spent) / count as f64)
        });
        let spent = spent.filter(|(_, spent)| 1.0 <= *spent);
        let threads: Vec<_> = spent.map(|(name, spent)| format!("{name} {spent:.0}")).collect();
        Ok(Loaded { figures, acknowledged, threads: threads.join(", ") })
    }

    /// The p99 of the acknowledgement at this rate, against that of bare group-committed appends at
    /// the same rate by as many producers.
    fn half_load(&mut self, rate: f64) -> Result<f64> {
        self.head(&format!("64 connections at half load, {rate:.0} a second: p50, p99 in ms"))?;
        let lasts = 2 * self.lasts;
        let bare = bare::grouped(&self.folder, 64, lasts, Pace::PerSecond(rate))?;
        let site = self.site(ADT)?;
        let mut child = Child::start(site.path(), "wasm")?;
        let address = child.address("in")?.to_owned();
        load::closed(&address, 64, 500, &Arc::new(Messages::new("W")))?;
        child.drain(0)?;
        let messages = Messages::new("H");
        let ours = load::paced(&address, 64, lasts, Pace::PerSecond(rate), &messages)?;
        let [ours50, ours99] = [ours.p50, ours.p99].map(millis);
        let [bare50, bare99] = [bare.p50, bare.p99].map(millis);
        let ratio = ours99 / bare99;
        writeln!(
            self.out,
            "acknowledgement {ours50:.2}, {ours99:.2}   bare append {bare50:.2}, {bare99:.2}   \
             ratio {:.1}, {ratio:.1}",
            ours50 / bare50
        )?;
        Ok(ratio)
    }

    /// What an acknowledgement takes beside its sync, one message at a time, in µs: the quartiles of
    /// the rounds, in each of which both are measured, since what else goes on at the disk changes
    /// within seconds.
    fn single(&mut self) -> Result<[f64; 3]> {
        let site = self.site(ADT)?;
        let mut child = Child::start(site.path(), "wasm")?;
        let address = child.address("in")?.to_owned();
        load::closed(&address, 1, 200, &Arc::new(Messages::new("W")))?;
        let (mut acks, mut syncs, mut more) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            child.drain(0)?;
            let sync = bare::alone(&self.folder, self.lasts / ROUNDS)?;
            let messages = Messages::new(&format!("O{round}-"));
            let ack = load::paced(&address, 1, self.lasts / ROUNDS, Pace::Closed, &messages)?;
            let [ack, sync] = [ack.p50, sync.p50].map(micros);
            acks.push(ack);
            syncs.push(sync);
            more.push(ack - sync);
        }
        let [acks, syncs, more] = [acks, syncs, more].map(quartiles);
        self.head("one connection, one message at a time: quartiles of the rounds' medians in µs")?;
        let show = |[low, middle, high]: [f64; 3]| format!("{low:.0} {middle:.0} {high:.0}");
        writeln!(
            self.out,
            "acknowledgement {}   fdatasync alone {}   difference {}",
            show(acks),
            show(syncs),
            show(more)
        )?;
        Ok(more)
    }

    /// How fast a route is beside one whose plugin never ends, against its share of the cores: half,
    /// since two routes want all of them.
    fn neighbour(&mut self) -> Result<f64> {
        let rate = |others: u64| -> Result<f64> {
            let site = self.site(&with_neighbour())?;
            let mut child = Child::start(site.path(), "wasm")?;
            let (address, hostile) =
                (child.address("in")?.to_owned(), child.address("hostile")?.to_owned());
            load::closed(&address, 8, 500, &Arc::new(Messages::new("W")))?;
            child.drain(0)?;
            load::closed(&hostile, 8, others, &Arc::new(Messages::new("X")))?;
            let count = 500 * self.lasts.as_secs();
            let start = Instant::now();
            load::closed(&address, 8, count, &Arc::new(Messages::new("N")))?;
            child.drain(others)?;
            Ok(count as f64 / start.elapsed().as_secs_f64())
        };
        let (alone, beside) = (rate(0)?, rate(HOSTILE)?);
        let share = beside / (alone / 2.0);
        self.head("a route beside one whose plugin never ends: settled a second")?;
        writeln!(
            self.out,
            "alone {alone:.0}   beside it {beside:.0}   half of the cores would be {:.0}   ratio {share:.2}",
            alone / 2.0
        )?;
        Ok(share)
    }
}
