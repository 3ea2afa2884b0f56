//! Who may do what: the one place that says so.

use std::fmt;

use hilum_words::{Actor, MessageId, Name};

use crate::target::{ParkedId, Target};

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// See names, ids, counts and states.
    List,
    /// See one message's masked body, runs, deliveries, trail.
    View,
    /// See one message's body in the plain.
    Reveal,
    /// Try again what is parked.
    Replay,
    /// Give up what is parked.
    Discard,
    /// Let a held run go on.
    Release,
    /// Refuse a held run.
    Refuse,
    /// Pause a destination, or resume it.
    Pause,
    /// Change the running configuration, or see what a change would do.
    Apply,
}

impl Action {
    /// The word as it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::View => "view",
            Self::Reveal => "reveal",
            Self::Replay => "replay",
            Self::Discard => "discard",
            Self::Release => "release",
            Self::Refuse => "refuse",
            Self::Pause => "pause",
            Self::Apply => "apply",
        }
    }
}

/// What it would be done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The gateway as a whole.
    Gateway,
    /// One message.
    Message(MessageId),
    /// One run or delivery.
    Parked(ParkedId),
    /// One destination.
    Destination(Name),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway => f.write_str("gateway"),
            Self::Message(id) => id.fmt(f),
            Self::Parked(id) => id.fmt(f),
            Self::Destination(name) => name.fmt(f),
        }
    }
}

/// A yes, with its reason for the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permitted {
    /// Why.
    pub because: &'static str,
}

/// A no, with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{because}")]
pub struct Denied {
    /// Why.
    pub because: &'static str,
}

/// Decides. Today whoever could read the gateway's files anyway may do everything: the user that
/// it runs as, and root. Roles come with single sign-on, and come here.
pub fn may(
    actor: &Actor,
    action: Action,
    resource: &Resource,
    own_uid: u32,
) -> Result<Permitted, Denied> {
    // Every action on every resource has the same answer for now; both are asked for so that no
    // caller has to change when they differ.
    let _ = (action, resource);
    match actor {
        Actor::LocalUser(uid) if *uid == own_uid => Ok(Permitted { because: "runs the gateway" }),
        Actor::LocalUser(0) => Ok(Permitted { because: "is root" }),
        Actor::LocalUser(_) => {
            Err(Denied { because: "only the user that runs the gateway, and root, may do this" })
        }
        Actor::System(_) | Actor::Plugin(..) => {
            Err(Denied { because: "only a person may do this" })
        }
    }
}

impl Target {
    /// What answering this takes.
    pub fn asks(&self) -> (Action, Resource) {
        match self {
            Self::Status
            | Self::Messages { .. }
            | Self::ParkedList
            | Self::HeldList
            | Self::Destinations
            | Self::Generations { .. }
            | Self::Generation(_)
            | Self::Difference(..) => (Action::List, Resource::Gateway),
            Self::Message(id) | Self::Trace(id) => (Action::View, Resource::Message(*id)),
            Self::Reveal(id) => (Action::Reveal, Resource::Message(*id)),
            Self::Parked(id) => (Action::View, Resource::Parked(*id)),
            Self::Replay(id) => (Action::Replay, Resource::Parked(*id)),
            Self::Discard(id) => (Action::Discard, Resource::Parked(*id)),
            Self::Release(run) => (Action::Release, Resource::Parked(ParkedId::Run(*run))),
            Self::Refuse(run) => (Action::Refuse, Resource::Parked(ParkedId::Run(*run))),
            Self::Pause(name) | Self::Resume(name) => {
                (Action::Pause, Resource::Destination(name.clone()))
            }
            Self::Apply | Self::Rollback => (Action::Apply, Resource::Gateway),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hilum_words::Digest;

    const ACTIONS: [Action; 9] = [
        Action::List,
        Action::View,
        Action::Reveal,
        Action::Replay,
        Action::Discard,
        Action::Release,
        Action::Refuse,
        Action::Pause,
        Action::Apply,
    ];

    #[test]
    fn only_the_gateways_own_user_and_root_may_do_anything() {
        let resource = Resource::Message(MessageId::from_bits(1));
        for action in ACTIONS {
            let ask = |actor| may(&actor, action, &resource, 1000);
            assert_eq!(ask(Actor::LocalUser(1000)), Ok(Permitted { because: "runs the gateway" }));
            assert_eq!(ask(Actor::LocalUser(0)), Ok(Permitted { because: "is root" }));
            assert!(ask(Actor::LocalUser(1001)).is_err());
            assert!(ask(Actor::system("courier/ehr")).is_err());
            assert!(ask(Actor::Plugin(Name::from("x"), Digest::of(b""))).is_err());
        }
    }
}
