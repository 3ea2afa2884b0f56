//! One message through a route without a store: `hilum plugin run`.

use std::sync::Arc;

use bytes::Bytes;
use hilum_message::Message;
use hilum_policy::{Input, Policy};

use crate::worker::{Run, process};
use crate::{Fate, Reports};

/// What a rehearsal shows.
pub struct Rehearsal {
    /// The message as the first step sees it: tokens in the places of sealed values.
    pub view: Bytes,
    /// What would become of it.
    pub fate: Fate,
    /// What each step did.
    pub reports: Reports,
}

/// Runs one message through a route, exactly as a worker would, and commits nothing.
pub fn rehearse(policy: &Policy, run: &Run, message: &Arc<Message>) -> Rehearsal {
    let view = match run.route.steps.first() {
        Some(step) => {
            let input = Input::Message(message.joined());
            policy.view(input, &step.grant, run.seed, 0).body()
        }
        None => message.bytes().clone(),
    };
    let mut reports = Reports::new();
    let fate = process(policy, run, message, &mut reports);
    Rehearsal { view, fate, reports }
}
