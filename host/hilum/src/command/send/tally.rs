//! What `send` counts, and how it says so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use serde_json::json;

use super::link::Answered;
use crate::output::{Output, counted, printable, thousands};

/// Refused messages that are named one by one.
const NAMED_MAX: usize = 10;
/// The longest latency that is told apart, in microseconds: an hour.
const LATENCY_MAX: u64 = 3_600_000_000;
/// The codes of HL7 table 0008, in the order in which they are printed.
const CODES: [&str; 6] = ["AA", "CA", "AE", "AR", "CE", "CR"];

/// One message and what became of it.
#[derive(Clone, Debug)]
pub struct Sent {
    name: Arc<str>,
    bytes: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of one message.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was answered, or silence was agreed.
    Answered(Answered, Duration),
    /// It was not, or not sent at all.
    Failed(String),
}

impl Sent {
    /// A message with its answer.
    pub fn answered(name: Arc<str>, answered: Answered, latency: Duration, bytes: u64) -> Self {
        Self { name, bytes, outcome: Outcome::Answered(answered, latency) }
    }

    /// A message without one.
    pub fn failed(name: Arc<str>, why: String) -> Self {
        Self { name, bytes: 0, outcome: Outcome::Failed(why) }
    }
}

/// The tally of one call of `send`.
pub struct Tally {
    /// How long it took.
    pub seconds: f64,
    connections: u64,
    total: u64,
    answered: u64,
    accepted: u64,
    silent: u64,
    failed: u64,
    bytes: u64,
    codes: BTreeMap<String, u64>,
    latency: Histogram<u64>,
    named: Vec<(Arc<str>, String)>,
    unnamed: u64,
}

impl Tally {
    /// An empty tally of `total` messages over so many connections.
    pub fn new(connections: u64, total: u64) -> anyhow::Result<Self> {
        let latency = Histogram::new_with_bounds(1, LATENCY_MAX, 3).context("the histogram")?;
        Ok(Self {
            seconds: 0.0,
            connections,
            total,
            answered: 0,
            accepted: 0,
            silent: 0,
            failed: 0,
            bytes: 0,
            codes: BTreeMap::new(),
            latency,
            named: Vec::new(),
            unnamed: 0,
        })
    }

    /// Counts one message.
    pub fn add(&mut self, sent: Sent) {
        let why = match sent.outcome {
            Outcome::Failed(why) => {
                self.failed += 1;
                Some(why)
            }
            Outcome::Answered(answered, latency) => {
                self.answered += 1;
                self.bytes += sent.bytes;
                let micros = u64::try_from(latency.as_micros()).unwrap_or(LATENCY_MAX);
                self.latency.saturating_record(micros.max(1));
                self.accepted += u64::from(answered.is_accepted());
                self.silent += u64::from(answered.code.is_none());
                let is_accepted = answered.is_accepted();
                let fault = answered.fault.unwrap_or_default();
                let code = answered.code.unwrap_or_default();
                let why = (!is_accepted).then(|| format!("{code} {fault}").trim_end().to_owned());
                if !code.is_empty() {
                    *self.codes.entry(code).or_default() += 1;
                }
                why
            }
        };
        match why {
            Some(why) if self.named.len() < NAMED_MAX => self.named.push((sent.name, why)),
            Some(_) => self.unnamed += 1,
            None => {}
        }
    }

    /// Whether every message was accepted.
    pub fn all_accepted(&self) -> bool {
        self.accepted == self.total
    }

    /// The reason, if not one message got as far as an answer because no connection was made.
    pub fn nothing_was_sent(&self) -> Option<&str> {
        let (_, why) = self.named.first()?;
        (self.answered == 0 && why.starts_with("cannot connect")).then_some(why)
    }

    /// Prints the tally.
    pub fn print(&self, output: &Output) -> anyhow::Result<()> {
        if output.is_json() { output.json(&self.document()) } else { output.text(&self.lines()) }
    }

    fn rate(&self) -> f64 {
        if self.seconds <= 0.0 { 0.0 } else { precise(self.answered) / self.seconds }
    }

    fn not_sent(&self) -> u64 {
        self.total.saturating_sub(self.answered + self.failed)
    }

    /// The tally for programs.
    pub fn document(&self) -> serde_json::Value {
        let millis = |quantile: f64| precise(self.latency.value_at_quantile(quantile)) / 1000.0;
        json!({
            "messages": self.total,
            "sent": self.answered + self.failed,
            "accepted": self.accepted,
            "codes": self.codes,
            "silent": self.silent,
            "unanswered": self.failed,
            "not_sent": self.not_sent(),
            "bytes": self.bytes,
            "connections": self.connections,
            "seconds": rounded(self.seconds),
            "rate": rounded(self.rate()),
            "latency_ms": {
                "p50": rounded(millis(0.5)),
                "p90": rounded(millis(0.9)),
                "p99": rounded(millis(0.99)),
                "max": rounded(precise(self.latency.max()) / 1000.0),
            },
            "not_accepted": self.named.iter()
                .map(|(name, why)| json!({ "file": &**name, "why": why }))
                .collect::<Vec<_>>(),
        })
    }

    fn lines(&self) -> String {
        let mut out = String::new();
        for (name, why) in &self.named {
            // A receiver's words: printed as text, whatever they hold.
            out.push_str(&format!("{name}: {}\n", printable(why)));
        }
        if 0 < self.unnamed {
            out.push_str(&format!("… and {} more\n", thousands(self.unnamed)));
        }
        out.push_str(&format!(
            "sent      {}",
            counted(self.answered + self.failed, "message", "messages")
        ));
        if 0 < self.not_sent() {
            out.push_str(&format!(", {} not sent", thousands(self.not_sent())));
        }
        out.push_str("\nanswered ");
        for code in CODES {
            // AA, AE and AR are always there, so that a zero can be seen.
            let count = self.codes.get(code).copied().unwrap_or_default();
            if 0 < count || code.starts_with('A') {
                out.push_str(&format!(" {code} {}  ", thousands(count)));
            }
        }
        for (code, count) in self.codes.iter().filter(|(code, _)| !CODES.contains(&code.as_str())) {
            out.push_str(&format!(" {code} {}  ", thousands(*count)));
        }
        if 0 < self.silent {
            out.push_str(&format!(" silence as agreed {}  ", thousands(self.silent)));
        }
        if 0 < self.failed {
            out.push_str(&format!(" no answer {}", thousands(self.failed)));
        }
        let connections = counted(self.connections, "connection", "connections");
        let out = format!(
            "{}\nrate      {:.1} messages/s in {:.3} s over {connections}\n",
            out.trim_end(),
            self.rate(),
            self.seconds,
        );
        let at = |quantile| micros(self.latency.value_at_quantile(quantile));
        let max = micros(self.latency.max());
        format!("{out}latency   p50 {}   p90 {}   p99 {}   max {max}\n", at(0.5), at(0.9), at(0.99))
    }
}

/// A span of time for people.
fn micros(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", precise(micros) / 1e3),
        _ => format!("{:.2} s", precise(micros) / 1e6),
    }
}

/// Counts here are far below 2^53, where a float is exact.
fn precise(count: u64) -> f64 {
    count as f64
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
