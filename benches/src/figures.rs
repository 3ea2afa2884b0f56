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

/// What is wanted of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Bar {
    /// It must not be larger.
    AtMost(f64),
    /// It must not be smaller.
    AtLeast(f64),
}

impl Bar {
    /// Whether a figure that was somewhere between `low` and `high` meets it. All of it has to: what
    /// was measured on both sides of the bar shows nothing. Nor does a figure that is no positive
    /// number: an acknowledgement that is faster than its sync, or a rate of nothing.
    pub fn verdict(self, low: f64, high: f64) -> &'static str {
        if ![low, high].iter().all(|it| it.is_finite() && 0.0 < *it) {
            return "not shown";
        }
        let is_met = |it: f64| match self {
            Self::AtMost(wanted) => it <= wanted,
            Self::AtLeast(wanted) => wanted <= it,
        };
        match (is_met(low), is_met(high)) {
            (true, true) => "met",
            (false, false) => "NOT MET",
            _ => "not shown",
        }
    }
}

impl std::fmt::Display for Bar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(wanted) => write!(f, "at most {wanted:<6}"),
            Self::AtLeast(wanted) => write!(f, "at least {wanted:<6}"),
        }
    }
}

/// The lower quartile, the median and the upper quartile.
pub fn quartiles(mut figures: Vec<f64>) -> [f64; 3] {
    figures.sort_unstable_by(f64::total_cmp);
    let last = figures.len().saturating_sub(1);
    [1, 2, 3].map(|it| figures.get(last * it / 4).copied().unwrap_or(f64::NAN))
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

#[cfg(test)]
mod tests {
    use super::Bar::{AtLeast, AtMost};
    use super::quartiles;

    #[test]
    fn quartiles_are_of_the_sorted_figures() {
        assert_eq!(quartiles(vec![5.0, 1.0, 4.0, 2.0, 3.0]), [2.0, 3.0, 4.0]);
        assert!(quartiles(vec![]).iter().all(|it| it.is_nan()));
    }

    #[test]
    fn a_bar_is_met_only_by_a_figure_that_shows_it() {
        assert_eq!(AtMost(200.0).verdict(150.0, 200.0), "met");
        assert_eq!(AtMost(200.0).verdict(200.5, 300.0), "NOT MET");
        assert_eq!(AtMost(200.0).verdict(150.0, 200.5), "not shown");
        assert_eq!(AtLeast(0.6).verdict(0.6, 0.6), "met");
        assert_eq!(AtLeast(0.6).verdict(0.5, 0.5), "NOT MET");
    }

    #[test]
    fn a_figure_of_nothing_shows_nothing() {
        assert_eq!(AtMost(200.0).verdict(-1_472.0, 100.0), "not shown");
        assert_eq!(AtMost(150.0).verdict(0.0, 0.0), "not shown");
        assert_eq!(AtLeast(0.6).verdict(f64::INFINITY, f64::INFINITY), "not shown");
        assert_eq!(AtLeast(0.6).verdict(f64::NAN, f64::NAN), "not shown");
    }
}
