//! An HL7 v2 receiver over MLLP: one message, one answer, matched by MSA-2.
//!
//! A connection is kept for the next message, and one message at a time is on its way on it. Bodies
//! go out as they are, with the same MSH-10 on each attempt. What an answer means is a table
//! ([`OnAnswer`]) with the standard's meaning where the site says nothing else.
//!
//! Promises: only an answer to this very message settles it; what else comes is counted and named
//! without its content; a message is begun on a second connection only if not one byte of it went
//! out on the first.
//! Not here: an application acknowledgement on another connection, batches, commit bytes of MLLP
//! release 2, TLS (later issues). One that comes elsewhere is not awaited for ever: the message is
//! parked, since the receiver has stored it.

mod answer;
mod expected;
mod link;
mod on_answer;
mod outgoing;
mod strays;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hilum_env::{Address, BoxFuture, Clock, Doors, Net};
use hilum_words::Name;
use hilum_words::config::Section;
use tracing::warn;

use crate::{Delivered, Delivery, Destination, Metrics, SendFault};
use link::{Link, NotBegun, Times};
use outgoing::Outgoing;

pub use on_answer::OnAnswer;

/// The format that is sent.
const FORMAT: &str = "hl7v2";

/// An `mllp` destination's own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MllpConfig {
    /// `host:port`.
    pub address: String,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time to answer, and once more for an application acknowledgement after a commit one.
    pub timeout: Duration,
    /// Bytes of an answer.
    pub answer_bytes_max: usize,
    /// Connections, with one message on its way on each.
    pub connections_max: usize,
    /// What negative answers mean.
    pub on_answer: OnAnswer,
}

impl MllpConfig {
    /// Reads the kind's own keys.
    pub(crate) fn read(section: &mut Section<'_>) -> Option<Self> {
        let address = section.required_text("address");
        let timeout = section.duration("timeout");
        let connect_timeout = section.duration("connect_timeout");
        let connections_max = section.integer("connections_max", 1..=256);
        let answer_bytes_max = section.size("answer_bytes_max");
        let on_answer = OnAnswer::read(section);
        for time in [&timeout, &connect_timeout].into_iter().flatten() {
            if time.value.is_zero() {
                time.problem(section.problems(), "must be more than nothing");
            }
        }
        let address = address?;
        if !is_host_and_port(&address.value) {
            let text = "must be host and port, such as \"127.0.0.1:2576\"";
            address.problem(section.problems(), text);
            return None;
        }
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Some(Self {
            address: address.value,
            connect_timeout: connect_timeout.map_or(Duration::from_secs(10), |it| it.value),
            timeout: timeout.map_or(Duration::from_secs(30), |it| it.value),
            answer_bytes_max: answer_bytes_max.map_or(1 << 20, |it| size(it.value)),
            connections_max: connections_max.map_or(1, |it| size(it.value)),
            on_answer,
        })
    }
}

fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    // An address of IPv6 stands in brackets, or its last group would be taken for the port.
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    let is_host = if is_bracketed { 2 < host.len() } else { !host.contains([':', '[', ']']) };
    let is_plain = !host.contains(|it: char| it.is_whitespace() || matches!(it, '/' | '@'));
    !host.is_empty() && is_host && is_plain && port.parse::<u16>().is_ok_and(|it| 0 < it)
}

/// An MLLP receiver.
pub struct MllpDestination {
    name: Name,
    config: MllpConfig,
    address: Address,
    net: Arc<dyn Net>,
    clock: Arc<dyn Clock>,
    idle: Mutex<Vec<Link>>,
    metrics: OnceLock<Metrics>,
}

impl MllpDestination {
    /// The receiver of this configuration. It is dialled with the first delivery.
    pub fn new(name: &Name, config: &MllpConfig, doors: &Doors) -> Self {
        Self {
            name: name.clone(),
            config: config.clone(),
            address: Address::Tcp(config.address.clone()),
            net: Arc::clone(&doors.net),
            clock: Arc::clone(&doors.clock),
            idle: Mutex::default(),
            metrics: OnceLock::new(),
        }
    }

    /// Sends one message: on a kept connection if there is one, and on a fresh one if the kept one
    /// proves to be closed before the first byte went out.
    async fn send(&self, delivery: &Delivery) -> Result<Delivered, SendFault> {
        let outgoing = Outgoing::of(delivery)?;
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(link) = kept.filter(|it| !it.has_sent(&outgoing.control_id))
            && let Ok(result) = self.on(link, &outgoing).await
        {
            return result;
        }
        let link = self.connect().await?;
        let begun = self.on(link, &outgoing).await;
        begun.unwrap_or_else(|NotBegun(why)| Err(SendFault::Unreachable(why)))
    }

    /// One message on one connection, which is kept afterwards if it can be.
    async fn on(
        &self,
        mut link: Link,
        outgoing: &Outgoing,
    ) -> Result<Result<Delivered, SendFault>, NotBegun> {
        let times = Times { clock: &*self.clock, answer: self.config.timeout };
        let result = link.exchange(outgoing, &self.config.on_answer, times).await;
        let strays = link.take_strays();
        if !strays.is_empty() {
            warn!(destination = %self.name, %strays, "answers that settle no message came");
            for (stray, count) in strays.iter() {
                if let Some(metrics) = self.metrics.get() {
                    metrics.strayed(&self.name, stray, count);
                }
            }
        }
        if link.is_usable() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(link);
        }
        result
    }

    async fn connect(&self) -> Result<Link, SendFault> {
        let deadline = self.clock.instant().plus(self.config.connect_timeout);
        let dialled = tokio::select! {
            biased;
            dialled = self.net.dial(&self.address) => dialled,
            () = self.clock.sleep_until(deadline) => {
                return Err(SendFault::Unreachable("timed out while connecting".into()));
            }
        };
        let connection =
            dialled.map_err(|error| SendFault::Unreachable(error.kind().to_string()))?;
        Ok(Link::new(connection.stream, self.config.answer_bytes_max))
    }
}

impl Destination for MllpDestination {
    fn kind(&self) -> &'static str {
        "mllp"
    }

    fn together_max(&self) -> usize {
        1
    }

    fn count_with(&self, metrics: &Metrics) {
        // The first is the one that is served.
        let _ = self.metrics.set(metrics.clone());
    }

    fn send_many<'a>(
        &'a self,
        deliveries: &'a [Delivery],
    ) -> BoxFuture<'a, Vec<Result<Delivered, SendFault>>> {
        Box::pin(async move {
            let mut results = Vec::with_capacity(deliveries.len());
            for delivery in deliveries {
                results.push(self.send(delivery).await);
            }
            results
        })
    }
}

#[cfg(test)]
mod tests;
