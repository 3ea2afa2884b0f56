//! Latencies, rates and processor time, and how they are printed.

use std::time::Duration;

/// What one measurement of many messages came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Messages.
    pub count: u64,
    /// Messages a second.
    pub rate: f64,
    /// Half of the answers came within this time.
    pub p50: Duration,
    /// Of a hundred answers one took longer.
    pub p99: Duration,
    /// Processor time of the measured process, a message.
    pub cpu: Duration,
}

impl Figures {
    /// From the time that each answer took, the time that all took, and the processor time of all.
    pub fn of(mut latencies: Vec<Duration>, took: Duration, cpu: Duration) -> Self {
        latencies.sort_unstable();
        let at = |share: usize| {
            latencies.get(latencies.len() * share / 100).copied().unwrap_or_default()
        };
        let count = u32::try_from(latencies.len()).unwrap_or(u32::MAX).max(1);
        let rate = f64::from(count) / took.as_secs_f64();
        let (p50, p99) = (at(50), at(99));
        Self { count: u64::from(count), rate, p50, p99, cpu: cpu / count }
    }

    /// `7400 (0.13, 0.22; 41)`: messages a second (p50, p99 in ms; CPU µs each).
    pub fn show(&self) -> String {
        let (p50, p99) = (millis(self.p50), millis(self.p99));
        format!("{:.0} ({p50:.2}, {p99:.2}; {:.0})", self.rate, micros(self.cpu))
    }
}

/// In milliseconds.
pub fn millis(it: Duration) -> f64 {
    it.as_secs_f64() * 1e3
}

/// In microseconds.
pub fn micros(it: Duration) -> f64 {
    it.as_secs_f64() * 1e6
}

/// Processor time of a process, user and system, those of its threads that have ended too.
pub fn cpu_of(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    ticks(&stat)
}

/// Processor time of each thread that is alive, by name; those that share a name are added up.
pub fn cpu_of_threads(process: u32) -> std::collections::BTreeMap<String, Duration> {
    let mut all = std::collections::BTreeMap::new();
    let folder = format!("/proc/{process}/task");
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let read = |file: &str| std::fs::read_to_string(entry.path().join(file));
        let name = read("comm").unwrap_or_default();
        let name = name.trim().trim_end_matches(|it: char| it.is_ascii_digit() || it == '-');
        // In nanoseconds, where the kernel keeps it.
        let exact = read("schedstat").ok().and_then(|it| {
            it.split_whitespace().next()?.parse::<u64>().ok().map(Duration::from_nanos)
        });
        let spent = exact.unwrap_or_else(|| ticks(&read("stat").unwrap_or_default()));
        *all.entry(name.to_owned()).or_default() += spent;
    }
    all
}

/// Fields 14 and 15 of a `stat`, in ticks of 10 ms.
fn ticks(stat: &str) -> Duration {
    // The third field is the first behind the name, which stands in parentheses.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
