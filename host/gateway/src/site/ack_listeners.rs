//! Whether what comes to the listeners that destinations name for acknowledgements can be believed.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use hilum_destinations::DestinationConfig;
use hilum_pipeline::{Routes, StepPlan};
use hilum_sandbox::World;
use hilum_words::config::Placed;
use hilum_words::{Name, Problems};

use super::ListenerPlan;

/// Notes each listener of acknowledgements that everybody may talk to: a control id can be guessed,
/// and who guesses one says that a message has arrived, or that it has not.
pub(super) fn check(
    destinations: &[&DestinationConfig],
    listeners: &[(String, Option<ListenerPlan>)],
    problems: &Problems,
) {
    for named in destinations.iter().filter_map(|it| it.ack_listener()) {
        let mut all = listeners.iter().filter_map(|(_, plan)| plan.as_ref());
        let open = all.find(|it| it.name == named.value).filter(|it| is_open(it));
        if let Some(listener) = open {
            let text = format!(
                "everybody may connect to listener \"{}\" and acknowledge messages: give it `allow` or `tls.client_ca`",
                listener.name
            );
            named.problem(problems, text);
        }
    }
}

/// Whether anybody on the network may connect.
fn is_open(listener: &ListenerPlan) -> bool {
    let config = &listener.config;
    let is_local = config.bind().parse().is_ok_and(|it: SocketAddr| it.ip().is_loopback());
    let knows_clients = config.tls.as_ref().is_some_and(|it| it.client_ca.is_some());
    !is_local && !knows_clients && config.allow.is_none()
}

/// Notes destinations that share a listener of acknowledgements and get the same messages, with the
/// same MSH-5, MSH-6 and MSH-10: no acknowledgement could be told to be for the one or the other.
/// Steps that are no validators may make a difference.
pub(super) fn check_shared(
    destinations: &[(&Name, &DestinationConfig)],
    routes: &Routes,
    problems: &Problems,
) {
    let is_validator = |it: &StepPlan| it.plugin.world() == World::Validator;
    for route in routes.iter().filter(|it| it.steps.iter().all(is_validator)) {
        let mut first: BTreeMap<&Name, &Name> = BTreeMap::new();
        for (name, config) in destinations {
            let Some(named) = config.ack_listener() else { continue };
            if !route.to.iter().any(|it| it.name == **name) {
                continue;
            }
            let Some(other) = first.get(&named.value) else {
                first.insert(&named.value, name);
                continue;
            };
            note(named, &route.name, other, problems);
        }
    }
}

fn note(named: &Placed<Name>, route: &Name, other: &Name, problems: &Problems) {
    let text = format!(
        "is that of destination \"{other}\", and route \"{route}\" sends both the same messages: their acknowledgements cannot be told apart; give each a listener of its own"
    );
    named.problem(problems, text);
}
