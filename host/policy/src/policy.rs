use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use hilum_message::{Message, TimeZone};

use crate::{
    ClearFault, Clearance, Cleared, Grant, Input, Misbehaved, RunSeed, Seals, Template, View,
};

/// The rules of a site.
#[derive(Clone)]
pub struct Policy {
    zone: TimeZone,
}

impl Policy {
    /// Rules for a site in this time zone.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    /// What a plugin sees of `input` under `grant`. `step` is the plugin's place on the route; with
    /// the run's seed it decides the tokens.
    pub fn view(&self, input: Input, grant: &Grant, seed: RunSeed, step: usize) -> View {
        View::new(input, grant.clone(), seed, step, self.zone.clone())
    }

    /// Takes what a plugin made from a view that ended with `seals`.
    pub fn output(
        &self,
        seals: &Arc<Seals>,
        format: &str,
        body: Bytes,
    ) -> Result<Template, Misbehaved> {
        Template::read(seals, format, body)
    }

    /// Clears a body for one destination. `original` is the message as it was accepted.
    pub fn clear(
        &self,
        input: &Input,
        original: &Arc<Message>,
        clearance: &Clearance,
    ) -> Result<Cleared, ClearFault> {
        crate::clear::clear(input, original, clearance)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({:?})", self.zone)
    }
}
