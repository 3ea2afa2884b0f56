use std::fmt;

use hilum_words::{Name, Timestamp};

/// What a courier is doing, as one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum State {
    /// Nothing is queued.
    #[default]
    Idle,
    /// Deliveries are on their way.
    Sending,
    /// Deliveries wait for their next attempt.
    Waiting,
    /// The destination's set-up is at fault: a person has to act.
    Misconfigured,
    /// A person has paused it.
    Paused,
    /// It is stopping, or has stopped.
    Stopped,
}

impl State {
    /// The word as it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Misconfigured => "misconfigured",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Whether faults in a row have cut a destination off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Breaker {
    /// Deliveries go as they come.
    #[default]
    Closed,
    /// Nothing goes, for a while.
    Open,
    /// One delivery tries.
    HalfOpen,
}

impl Breaker {
    /// Every state.
    pub(crate) const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    /// The word as it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

impl fmt::Display for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What an operator sees of a courier. Holds no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourierStatus {
    /// The destination's name.
    pub name: Name,
    /// The destination's kind.
    pub kind: &'static str,
    /// What it is doing.
    pub state: State,
    /// Deliveries it holds. More may be in the journal: `has_more`.
    pub queued: usize,
    /// Whether the journal has more than the courier holds.
    pub has_more: bool,
    /// Deliveries on their way.
    pub in_flight: usize,
    /// When the destination last took one, since the start.
    pub last_success: Option<Timestamp>,
    /// When it last did not, and why; cleared by a success.
    pub last_fault: Option<(Timestamp, String)>,
    /// When the next attempt is due, if nothing can go before.
    pub next_attempt: Option<Timestamp>,
    /// Whether a person has paused it.
    pub is_paused: bool,
    /// Whether faults in a row have cut the destination off.
    pub breaker: Breaker,
}
