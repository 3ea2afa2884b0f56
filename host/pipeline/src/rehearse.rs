//! One message through a route without a store: `hilum plugin run`.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use hilum_message::Message;
use hilum_policy::{Input, Policy};
use hilum_sandbox::Answered;

use crate::worker::{Run, call_first, process};
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

/// The places of the message whose values stand, as tokens, in what the route's first step makes of
/// it. The step is called once more: the same message always gives the same output.
pub fn carried(policy: &Policy, run: &Run, message: &Arc<Message>) -> BTreeSet<Arc<str>> {
    let Some(called) = call_first(policy, run, message) else { return BTreeSet::new() };
    let Ok(Answered::Mapped(made)) = called.result else { return BTreeSet::new() };
    made.iter().flat_map(|output| called.seals.places_in(&output.body)).collect()
}
