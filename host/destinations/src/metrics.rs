//! What couriers count.

use std::fmt;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::{Breaker, SendFault, Whose};

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The destination has it.
    Delivered,
    /// Parked: the content is wrong.
    Rejected,
    /// Parked: attempts or age ran out, or the outcome is unknown and the site wants a person.
    GaveUp,
    /// Parked: what was to be sent cannot be read.
    Gone,
    /// Again later: nothing was reached.
    Unreachable,
    /// Again later: the destination asks for patience.
    Busy,
    /// Again later, slowly: the set-up is at fault.
    Misconfigured,
    /// Again later: no answer, outcome unknown.
    Ambiguous,
}

impl Outcome {
    /// The word as it is exported.
    pub fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::GaveUp => "gave-up",
            Self::Gone => "gone",
            Self::Unreachable => "unreachable",
            Self::Busy => "busy",
            Self::Misconfigured => "misconfigured",
            Self::Ambiguous => "ambiguous",
        }
    }

    /// What a fault counts as if it is tried again.
    pub(crate) fn deferred(fault: &SendFault, whose: Whose) -> Self {
        match fault {
            _ if whose == Whose::SetUp => Self::Misconfigured,
            SendFault::Unreachable(_) => Self::Unreachable,
            SendFault::Busy { .. } => Self::Busy,
            SendFault::Misconfigured { .. } => Self::Misconfigured,
            SendFault::Ambiguous(_) => Self::Ambiguous,
            // The site's table says that it may be sent again.
            SendFault::Refused { .. } => Self::Busy,
            SendFault::Unconfirmed(_) => Self::GaveUp,
        }
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.word(), encoder)
    }
}

/// Labels of attempts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AttemptLabels {
    /// The destination's name in the configuration.
    pub destination: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// An answer that settles no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stray {
    /// To an earlier message, after we stopped waiting for it.
    Late,
    /// To a message that has its answer already.
    Repeated,
    /// To a message that we did not send on this connection.
    Foreign,
    /// While no message was on its way.
    Unsolicited,
    /// From elsewhere, while the message's own connection had no commit acknowledgement, and none
    /// followed.
    Uncommitted,
    /// It may be to the message of the one or the other destination.
    Ambiguous,
    /// An acknowledgement that names no message.
    NoControlId,
    /// No acknowledgement of one message.
    NoAcknowledgement,
    /// A frame without content.
    Empty,
    /// Cut off by the start of another.
    CutOff,
}

impl Stray {
    /// The word as it is exported.
    pub fn word(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Repeated => "repeated",
            Self::Foreign => "foreign",
            Self::Unsolicited => "unsolicited",
            Self::Uncommitted => "uncommitted",
            Self::Ambiguous => "ambiguous",
            Self::NoControlId => "no_control_id",
            Self::NoAcknowledgement => "no_acknowledgement",
            Self::Empty => "empty",
            Self::CutOff => "cut_off",
        }
    }

    /// What came, in words, to follow a number.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Repeated => "repeated",
            Self::Foreign => "to another message",
            Self::Unsolicited => "unsolicited",
            Self::Uncommitted => "from elsewhere before any commit acknowledgement",
            Self::Ambiguous => "that may be to another destination's message",
            Self::NoControlId => "without a control id",
            Self::NoAcknowledgement => "that is no acknowledgement",
            Self::Empty => "empty",
            Self::CutOff => "cut off",
        }
    }
}

impl EncodeLabelValue for Stray {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.word(), encoder)
    }
}

/// Labels of answers that settle no message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StrayLabels {
    /// The destination's name in the configuration.
    pub destination: String,
    /// What came.
    pub answer: Stray,
}

/// Labels of what is counted per destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DestinationLabels {
    /// The destination's name in the configuration.
    pub destination: String,
}

impl EncodeLabelValue for Breaker {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.word(), encoder)
    }
}

/// Labels of the breaker's states: one of them is 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BreakerLabels {
    /// The destination's name in the configuration.
    pub destination: String,
    /// The state.
    pub state: Breaker,
}

/// Counters of all couriers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Attempts by destination and what came of them.
    pub attempts: Family<AttemptLabels, Counter>,
    /// Time from the start of an attempt to its answer.
    pub duration: Family<DestinationLabels, Histogram, fn() -> Histogram>,
    /// Deliveries that a courier holds in its window.
    pub window: Family<DestinationLabels, Gauge>,
    /// Deliveries on their way.
    pub in_flight: Family<DestinationLabels, Gauge>,
    /// Answers that settled no message.
    pub strays: Family<StrayLabels, Counter>,
    /// 1 while a destination's set-up is at fault.
    pub misconfigured: Family<DestinationLabels, Gauge>,
    /// 1 while a person has paused a destination.
    pub paused: Family<DestinationLabels, Gauge>,
    /// 1 for the state in which a destination's breaker is.
    pub breaker: Family<BreakerLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            attempts: Family::default(),
            duration: Family::new_with_constructor(buckets),
            window: Family::default(),
            in_flight: Family::default(),
            strays: Family::default(),
            misconfigured: Family::default(),
            paused: Family::default(),
            breaker: Family::default(),
        }
    }
}

fn buckets() -> Histogram {
    Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0])
}

impl Metrics {
    /// Adds the families to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "delivery_attempts",
            "Attempts by destination and outcome",
            self.attempts.clone(),
        );
        registry.register_with_unit(
            "delivery_duration",
            "Time from the start of an attempt to its answer",
            Unit::Seconds,
            self.duration.clone(),
        );
        registry.register(
            "courier_window",
            "Deliveries that a courier holds in its window",
            self.window.clone(),
        );
        registry.register(
            "deliveries_in_flight",
            "Deliveries on their way",
            self.in_flight.clone(),
        );
        registry.register(
            "stray_answers",
            "Answers of a destination that settled no message",
            self.strays.clone(),
        );
        registry.register(
            "destination_misconfigured",
            "1 while a destination's set-up is at fault",
            self.misconfigured.clone(),
        );
        registry.register(
            "destination_paused",
            "1 while a person has paused a destination",
            self.paused.clone(),
        );
        registry.register(
            "destination_breaker",
            "1 for the state in which a destination's circuit breaker is",
            self.breaker.clone(),
        );
    }

    pub(crate) fn attempted(&self, destination: &str, outcome: Outcome) {
        let labels = AttemptLabels { destination: destination.to_owned(), outcome };
        self.attempts.get_or_create(&labels).inc();
    }

    pub(crate) fn strayed(&self, destination: &str, answer: Stray, count: u64) {
        let labels = StrayLabels { destination: destination.to_owned(), answer };
        self.strays.get_or_create(&labels).inc_by(count);
    }

    pub(crate) fn took(&self, destination: &str, seconds: f64) {
        self.duration.get_or_create(&labels(destination)).observe(seconds);
    }

    pub(crate) fn holds(
        &self,
        destination: &str,
        window: usize,
        in_flight: usize,
        misconfigured: bool,
        paused: bool,
    ) {
        let labels = labels(destination);
        let count = |it: usize| i64::try_from(it).unwrap_or(i64::MAX);
        self.window.get_or_create(&labels).set(count(window));
        self.in_flight.get_or_create(&labels).set(count(in_flight));
        self.misconfigured.get_or_create(&labels).set(i64::from(misconfigured));
        self.paused.get_or_create(&labels).set(i64::from(paused));
    }

    pub(crate) fn breaks(&self, destination: &str, now: Breaker) {
        for state in Breaker::ALL {
            let labels = BreakerLabels { destination: destination.to_owned(), state };
            self.breaker.get_or_create(&labels).set(i64::from(state == now));
        }
    }
}

impl Metrics {
    /// Drops what is said about the present of a destination that is no longer configured, or an
    /// alert about it would never end. What was counted stays.
    pub fn forget(&self, destination: &str) {
        let labels = labels(destination);
        for family in [&self.window, &self.in_flight, &self.misconfigured, &self.paused] {
            family.remove(&labels);
        }
        for state in Breaker::ALL {
            let labels = BreakerLabels { destination: destination.to_owned(), state };
            self.breaker.remove(&labels);
        }
    }
}

fn labels(destination: &str) -> DestinationLabels {
    DestinationLabels { destination: destination.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breaker_is_called_in_metrics_as_in_the_status() {
        let metrics = Metrics::default();
        metrics.breaks("lab", Breaker::HalfOpen);
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("encoded");
        for (state, is) in [(Breaker::Closed, 0), (Breaker::Open, 0), (Breaker::HalfOpen, 1)] {
            let line =
                format!("destination_breaker{{destination=\"lab\",state=\"{state}\"}} {is}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
        metrics.forget("lab");
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("encoded");
        assert!(!text.contains("state="), "{text}");
    }
}
