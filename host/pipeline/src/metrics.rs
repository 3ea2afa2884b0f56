//! What the story counts.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// What became of a message at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Taken {
    /// Stored for the first time.
    Accepted,
    /// The same message again.
    Known,
    /// Another message under a known control id.
    Reused,
    /// Refused to its sender.
    Refused,
    /// An acknowledgement that nobody waited for.
    Ignored,
    /// An acknowledgement that somebody waited for.
    Matched,
}

impl Taken {
    /// The label value. Names are API: operators' alerts hold them.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Known => "known",
            Self::Reused => "reused",
            Self::Refused => "refused",
            Self::Ignored => "ignored",
            Self::Matched => "matched",
        }
    }
}

impl EncodeLabelValue for Taken {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.word(), encoder)
    }
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decided {
    /// Its outputs are queued.
    Dispatched,
    /// A plugin refused it, and the sender was told.
    Refused,
    /// A validator wants a person.
    Held,
    /// It waits for a person.
    Parked,
    /// It is tried again.
    Again,
}

impl Decided {
    /// The label value. Names are API: operators' alerts hold them.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dispatched => "dispatched",
            Self::Refused => "refused",
            Self::Held => "held",
            Self::Parked => "parked",
            Self::Again => "again",
        }
    }
}

impl EncodeLabelValue for Decided {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.word(), encoder)
    }
}

/// Labels of messages taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TakenLabels {
    /// The listener's name in the configuration.
    pub listener: String,
    /// What became of it.
    pub outcome: Taken,
}

/// Labels of runs decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DecidedLabels {
    /// The route's name in the configuration.
    pub route: String,
    /// What became of it.
    pub outcome: Decided,
}

/// Labels of plugin calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PluginLabels {
    /// The plugin's name in the configuration.
    pub plugin: String,
}

/// Counters of intake and worker. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Messages by listener and what became of them.
    pub taken: Family<TakenLabels, Counter>,
    /// Runs by route and what became of them.
    pub decided: Family<DecidedLabels, Counter>,
    /// Plugin calls.
    pub calls: Family<PluginLabels, Counter>,
    /// Plugin calls that broke a rule of the sandbox.
    pub faults: Family<PluginLabels, Counter>,
    /// Fuel burnt by plugins.
    pub fuel: Family<PluginLabels, Counter>,
    /// Requests of plugins that policy denied.
    pub denials: Family<PluginLabels, Counter>,
}

impl Metrics {
    /// Adds the families to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("messages", "Messages by listener and outcome", self.taken.clone());
        registry.register("runs", "Runs by route and outcome", self.decided.clone());
        registry.register("plugin_calls", "Plugin calls", self.calls.clone());
        registry.register("plugin_faults", "Plugin calls that broke a rule", self.faults.clone());
        registry.register("plugin_fuel", "Fuel burnt by plugins", self.fuel.clone());
        registry.register("plugin_denials", "Requests that policy denied", self.denials.clone());
    }

    /// Counts a message at the door.
    pub fn took(&self, listener: &str, outcome: Taken) {
        let labels = TakenLabels { listener: listener.to_owned(), outcome };
        self.taken.get_or_create(&labels).inc();
    }

    /// Counts a decision.
    pub fn decided(&self, route: &str, outcome: Decided) {
        let labels = DecidedLabels { route: route.to_owned(), outcome };
        self.decided.get_or_create(&labels).inc();
    }

    /// Counts a plugin call.
    pub fn called(&self, plugin: &str, is_fault: bool, report: &hilum_sandbox::Report) {
        let labels = PluginLabels { plugin: plugin.to_owned() };
        self.calls.get_or_create(&labels).inc();
        self.fuel.get_or_create(&labels).inc_by(report.fuel);
        self.denials.get_or_create(&labels).inc_by(report.denials.values().sum());
        if is_fault {
            self.faults.get_or_create(&labels).inc();
        }
    }
}
