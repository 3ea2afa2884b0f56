//! The listeners that are open, and how they become those of another generation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hilum_env::Doors;
use hilum_listeners::mllp::MllpListener;
use hilum_pipeline::Intake;
use hilum_words::Name;

use crate::ListenerPlan;
use crate::plant::Plant;
use crate::start::ListenError;
use crate::status::ListenerStatus;

/// A listener, and what it was made from.
pub(crate) struct Open {
    listener: MllpListener,
    plan: ListenerPlan,
}

impl Open {
    /// Binds, and serves connections as soon as the doors' acceptor gives any.
    pub(crate) async fn start(
        plan: &ListenerPlan,
        plant: &Plant,
        doors: &Doors,
    ) -> Result<Self, ListenError> {
        let intake = Intake::new(
            plan.name.clone(),
            plant.store.clone(),
            Arc::clone(&plant.current),
            Arc::clone(&plant.dispatch.backlog),
            Arc::clone(&plant.dispatch.waiters),
            Arc::clone(&doors.clock),
            Arc::clone(&doors.entropy),
            plant.metrics.pipeline.clone(),
        );
        let listener = MllpListener::start(
            plan.name.clone(),
            plan.config.clone(),
            Arc::new(intake),
            doors,
            plant.budget.clone(),
            plant.metrics.listeners.clone(),
        );
        let listener = listener.await.map_err(|source| ListenError {
            name: plan.name.clone(),
            bind: plan.bind().to_owned(),
            source,
        })?;
        Ok(Self { listener, plan: plan.clone() })
    }
}

/// The open listeners by name.
#[derive(Default)]
pub(crate) struct Listeners {
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    open: BTreeMap<Name, Open>,
    /// Stopped, with connections that are inside a message.
    leaving: Vec<Open>,
}

impl All {
    fn dismiss(&mut self, open: Open) {
        open.listener.stop();
        self.leaving.retain(|it| 0 < it.listener.connections());
        self.leaving.push(open);
    }
}

impl Listeners {
    /// Those of these plans that need a socket of their own: new ones, and those whose address or
    /// kind is another one.
    pub(crate) fn to_bind<'a>(&self, plans: &'a [ListenerPlan]) -> Vec<&'a ListenerPlan> {
        let open = &self.lock().open;
        let is_new = |plan: &&ListenerPlan| {
            open.get(&plan.name).is_none_or(|here| !here.plan.keeps_socket_of(plan))
        };
        plans.iter().filter(is_new).collect()
    }

    /// The listener that has this address and is not to be kept; a new one of another name cannot
    /// have it before that is gone.
    pub(crate) fn blocks(&self, plan: &ListenerPlan) -> Option<Name> {
        let all = self.lock();
        let here = all.open.values().find(|it| it.plan.bind() == plan.bind());
        here.map(|it| it.plan.name.clone())
    }

    /// Makes these plans true: `bound` has the sockets that were opened for them. Listeners that
    /// have no plan any more stop accepting; their connections end after the message they are in.
    pub(crate) fn become_of(&self, plans: &[ListenerPlan], bound: Vec<Open>) {
        let mut all = self.lock();
        for new in bound {
            if let Some(before) = all.open.insert(new.plan.name.clone(), new) {
                all.dismiss(before);
            }
        }
        for (name, mut here) in std::mem::take(&mut all.open) {
            match plans.iter().find(|plan| plan.name == name) {
                Some(plan) => {
                    here.plan = plan.clone();
                    all.open.insert(name, here);
                }
                None => all.dismiss(here),
            }
        }
    }

    /// Stops accepting everywhere.
    pub(crate) fn stop(&self) {
        self.lock().open.values().for_each(|it| it.listener.stop());
    }

    /// Connections that are open.
    pub(crate) fn connections(&self) -> usize {
        let all = self.lock();
        all.open.values().chain(&all.leaving).map(|it| it.listener.connections()).sum()
    }

    pub(crate) fn status(&self) -> Vec<ListenerStatus> {
        let of = |it: &Open| ListenerStatus {
            name: it.plan.name.clone(),
            kind: "mllp",
            address: it.listener.address().to_string(),
            connections: it.listener.connections(),
        };
        self.lock().open.values().map(of).collect()
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
