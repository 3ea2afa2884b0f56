//! What a running gateway says about itself. Names and counts, never content.

use std::path::PathBuf;

use hilum_store::Counts;
use hilum_words::{Digest, Name, Timestamp};

/// One listener.
#[derive(Clone, Debug)]
pub struct ListenerStatus {
    /// Its name in the configuration.
    pub name: Name,
    /// Its kind.
    pub kind: &'static str,
    /// The address as bound.
    pub address: String,
    /// Connections that are open.
    pub connections: usize,
    /// When the first certificate of its chain expires, in microseconds since 1970.
    pub certificate_expiry: Option<i64>,
}

/// One destination.
#[derive(Clone, Debug)]
pub struct DestinationStatus {
    /// Its name in the configuration.
    pub name: Name,
    /// Its kind.
    pub kind: &'static str,
    /// What its courier is doing, as one word; `blocked` where all that is queued stands behind
    /// something parked.
    pub state: &'static str,
    /// When a person paused it, who, and why; none if nobody did.
    pub paused: Option<String>,
    /// Whether faults in a row have cut it off: `closed`, `open`, `half-open`.
    pub breaker: &'static str,
    /// Deliveries that wait for it, those on their way with them.
    pub queued: usize,
    /// Deliveries on their way.
    pub in_flight: usize,
    /// Deliveries to it that are parked.
    pub parked: usize,
    /// When it last took one.
    pub last_success: Option<Timestamp>,
    /// When it last did not, and why; cleared by a success.
    pub last_fault: Option<(Timestamp, String)>,
    /// When the next attempt is due, if nothing can go before.
    pub next_attempt: Option<Timestamp>,
}

/// One plugin.
#[derive(Clone, Debug)]
pub struct PluginStatus {
    /// Its name in the configuration.
    pub name: Name,
    /// Its own name and version.
    pub version: String,
    /// The digest of its component.
    pub digest: Digest,
    /// The file, as the configuration writes it.
    pub file: String,
}

/// One route: the interface inventory is made of these.
#[derive(Clone, Debug)]
pub struct RouteStatus {
    /// Its name.
    pub name: Name,
    /// The listener it takes from.
    pub from: Name,
    /// Its steps.
    pub steps: Vec<Name>,
    /// Its destinations.
    pub to: Vec<Name>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
}

/// A part that readiness depends on.
#[derive(Clone, Debug)]
pub struct Component {
    /// Which.
    pub name: &'static str,
    /// Whether it works.
    pub ok: bool,
    /// Why not.
    pub why: Option<String>,
}

/// A running gateway.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its name.
    pub name: Name,
    /// The version of the program.
    pub version: &'static str,
    /// When it started.
    pub started: Timestamp,
    /// The file that an apply reads.
    pub configuration: PathBuf,
    /// The generation that new messages are pinned to.
    pub generation: Digest,
    /// Since when they are.
    pub generation_since: Timestamp,
    /// Its listeners.
    pub listeners: Vec<ListenerStatus>,
    /// Its destinations.
    pub destinations: Vec<DestinationStatus>,
    /// Its plugins.
    pub plugins: Vec<PluginStatus>,
    /// Its routes.
    pub routes: Vec<RouteStatus>,
    /// What it counts.
    pub counts: Counts,
}
