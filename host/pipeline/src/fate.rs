//! What becomes of a run: the one decision, with its evidence.

use hilum_audit::What;
use hilum_policy::Cleared;
use hilum_words::{Cause, Digest, Name, Rejection};

/// What one step did, for the trail.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// The step's name in the configuration.
    pub step: Name,
    /// The plugin's own name.
    pub plugin: Name,
    /// The digest of its component.
    pub digest: Digest,
    /// The digest of what it was given, as a template: with tokens, never the values.
    pub input: Digest,
    /// The digests of what it made, with tokens. None where the run ended with this step.
    pub outputs: Vec<Digest>,
    /// The word for what it answered; none if it ended with a fault.
    pub answered: Option<&'static str>,
    /// What the sandbox and policy counted.
    pub report: hilum_sandbox::Report,
    /// The fault it ended with.
    pub fault: Option<String>,
    /// What kind of plugin it was.
    pub world: hilum_sandbox::World,
}

impl StepReport {
    /// The word of the trail for a call of this kind of plugin.
    pub fn what(&self) -> What {
        match self.world {
            hilum_sandbox::World::Transformer => What::Transformed,
            hilum_sandbox::World::Router => What::Routed,
            hilum_sandbox::World::Validator => What::Validated,
        }
    }
}

/// What all steps of a run did, in order.
pub type Reports = Vec<StepReport>;

/// One output on its way to one destination.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The destination.
    pub destination: Name,
    /// Which of the run's outputs, counted from 1.
    pub ordinal: u32,
    /// What may leave, or why it may not.
    pub content: Result<Cleared, Cause>,
}

/// What becomes of a run.
#[derive(Debug)]
pub enum Fate {
    /// Its outputs go to their destinations; where policy denies one, that one is parked. No
    /// parcel at all means that there is nothing to send.
    Dispatched(Vec<Parcel>),
    /// A plugin refused it.
    Refused(Vec<Rejection>),
    /// A validator wants a person to decide.
    Held {
        /// What the person is to look at, without content.
        why: String,
        /// Which of the route's steps asks, counted from 0.
        step: usize,
    },
    /// It waits for a person because something went wrong.
    Parked(Cause),
    /// The machine was at fault, not the message: try again.
    Again,
}

impl Fate {
    /// The word that is printed and counted.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Dispatched(_) => "dispatched",
            Self::Refused(_) => "refused",
            Self::Held { .. } => "held",
            Self::Parked(_) => "parked",
            Self::Again => "again",
        }
    }
}
