//! The metrics page.
//!
//! The gateway's families come encoded as OpenMetrics. What the operating system knows about the
//! process is added here under the names that every Prometheus client uses. A scraper that does
//! not ask for OpenMetrics gets the older text format, which differs in the names of counters.

use std::collections::BTreeSet;
use std::path::Path;

use hilum_env::{Disk, OpenMode};
use hilum_words::Timestamp;

/// `Content-Type` of OpenMetrics.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// `Content-Type` of the format before it.
pub const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The most that is read of a file of `/proc`.
const PROC_BYTES_MAX: usize = 64 << 10;
/// Linux counts processor time in these, whatever the kernel's own tick (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// The page that this `Accept` header gets: its type and its text.
pub fn page(accept: Option<&str>, families: &str, more: &str) -> (&'static str, String) {
    let families = families.strip_suffix("# EOF\n").unwrap_or(families);
    let all = format!("{families}{more}# EOF\n");
    if accept.is_some_and(|it| it.contains("application/openmetrics-text")) {
        (OPEN_METRICS, all)
    } else {
        (TEXT, older(&all))
    }
}

/// OpenMetrics names a counter's family without `_total`; the older format names the sample.
fn older(page: &str) -> String {
    let counters: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut out = String::with_capacity(page.len());
    for line in page.lines() {
        let mut words = line.splitn(4, ' ');
        let line = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("EOF" | "UNIT"), ..) => continue,
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(name) => {
                format!("# {what} {name}_total {rest}")
            }
            (Some("#"), Some("TYPE"), Some(name), Some("info")) => {
                format!("# TYPE {name}_info gauge")
            }
            (Some("#"), Some("TYPE"), Some(name), Some("unknown")) => {
                format!("# TYPE {name} untyped")
            }
            _ => line.to_owned(),
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// What is known about this build and this process.
pub fn process(disk: &dyn Disk, version: &str, started: Timestamp) -> String {
    let mut out = String::new();
    let mut gauge = |name: &str, help: &str, sample: String| {
        out.push_str(&format!("# HELP {name} {help}.\n# TYPE {name} gauge\n{sample}\n"));
    };
    let name = "hilum_build_info";
    gauge(name, "The version that is running", format!("{name}{{version=\"{version}\"}} 1"));
    let name = "process_start_time_seconds";
    // Whole seconds are plenty, and exact in a float.
    let seconds = started.micros() / 1_000_000;
    gauge(name, "When the gateway started, in seconds since 1970", format!("{name} {seconds}"));
    if let Some(bytes) = resident_bytes(disk) {
        let name = "process_resident_memory_bytes";
        gauge(name, "Resident memory", format!("{name} {bytes}"));
    }
    if let Ok(open) = disk.list(Path::new("/proc/self/fd")) {
        let name = "process_open_fds";
        gauge(name, "Open file descriptors", format!("{name} {}", open.len()));
    }
    if let Some(seconds) = processor_seconds(disk) {
        out.push_str(&format!(
            "# HELP process_cpu_seconds User and system time.\n\
             # TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total {seconds}\n"
        ));
    }
    out
}

fn resident_bytes(disk: &dyn Disk) -> Option<u64> {
    let status = read(disk, "/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn processor_seconds(disk: &dyn Disk) -> Option<f64> {
    let stat = read(disk, "/proc/self/stat")?;
    // The second field is the command in parentheses and may hold blanks: proc_pid_stat(5).
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

/// A file of `/proc`: those say that they are empty, so they are read to their end.
fn read(disk: &dyn Disk, path: &str) -> Option<String> {
    let file = disk.open(Path::new(path), OpenMode::Read).ok()?;
    let mut bytes = vec![0; PROC_BYTES_MAX];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, filled as u64).ok()? {
            0 => break,
            more => filled += more,
        }
    }
    bytes.truncate(filled);
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP hilum_runs Runs by route and outcome.\n\
        # TYPE hilum_runs counter\n\
        hilum_runs_total{route=\"adt\"} 3\n\
        # HELP hilum_queue_bytes Bytes that wait.\n\
        # TYPE hilum_queue_bytes gauge\n\
        # UNIT hilum_queue_bytes bytes\n\
        hilum_queue_bytes 7\n\
        # EOF\n";

    #[test]
    fn open_metrics_is_given_to_who_asks_for_it() {
        let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
        let (kind, page) = page(Some(accept), PAGE, "# TYPE more gauge\nmore 1\n");
        assert_eq!(kind, OPEN_METRICS);
        assert!(
            page.ends_with("hilum_queue_bytes 7\n# TYPE more gauge\nmore 1\n# EOF\n"),
            "{page}"
        );
        assert_eq!(page.matches("# EOF").count(), 1);
    }

    #[test]
    fn the_older_format_names_counters_with_total() {
        let (kind, page) = page(None, PAGE, "");
        assert_eq!(kind, TEXT);
        assert_eq!(
            page,
            "# HELP hilum_runs_total Runs by route and outcome.\n\
             # TYPE hilum_runs_total counter\n\
             hilum_runs_total{route=\"adt\"} 3\n\
             # HELP hilum_queue_bytes Bytes that wait.\n\
             # TYPE hilum_queue_bytes gauge\n\
             hilum_queue_bytes 7\n"
        );
    }
}
