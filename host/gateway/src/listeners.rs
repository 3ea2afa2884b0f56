//! The listeners that are open, and how they become those of another generation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hilum_env::Doors;
use hilum_listeners::{Listener, Materials};
use hilum_pipeline::Intake;
use hilum_words::Name;
use tracing::error;

use crate::ListenerPlan;
use crate::plant::Plant;
use crate::start::ListenError;
use crate::status::ListenerStatus;

/// A listener, and what it was made from.
pub(crate) struct Open {
    listener: Listener,
    plan: ListenerPlan,
}

impl Open {
    /// Binds, and serves connections as soon as the doors' acceptor gives any.
    pub(crate) async fn start(
        plan: &ListenerPlan,
        materials: &Materials,
        plant: &Plant,
        doors: &Doors,
    ) -> Result<Self, ListenError> {
        let (dispatch, listener) = (Arc::clone(&plant.dispatch), plan.name.clone());
        let intake = Intake::new(
            plan.name.clone(),
            plant.store.clone(),
            Arc::clone(&plant.current),
            Arc::clone(&plant.dispatch.backlog),
            Arc::clone(&plant.dispatch.waiters),
            Arc::clone(&doors.clock),
            Arc::clone(&doors.entropy),
            plant.metrics.pipeline.clone(),
        )
        .with_replies(Arc::new(move |_, _, content| dispatch.answered(&listener, &content)));
        let listener = Listener::start(
            plan.name.clone(),
            &plan.config,
            materials,
            Arc::new(intake),
            doors,
            plant.budget.clone(),
            plant.metrics.listeners.clone(),
        );
        let listener = listener.await.map_err(|source| ListenError {
            name: plan.name.clone(),
            bind: plan.config.bind().to_owned(),
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
            let here = open.get(&plan.name);
            here.is_none_or(|here| !here.plan.config.keeps_socket_of(&plan.config))
        };
        plans.iter().filter(is_new).collect()
    }

    /// The running listener that has this address: as long as it is there nobody else can have it.
    /// With port 0 there is always another.
    pub(crate) fn blocks(&self, plan: &ListenerPlan) -> Option<Name> {
        let bind = plan.config.bind();
        let all = self.lock();
        let mut open = all.open.values();
        let here = open.find(|it| it.plan.config.bind() == bind && !bind.ends_with(":0"));
        here.map(|it| it.plan.name.clone())
    }

    /// Makes these plans true: `bound` has the sockets that were opened for them. Listeners that
    /// have no plan any more stop accepting; their connections end after the message they are in.
    /// Nothing else is closed.
    pub(crate) fn become_of(
        &self,
        plans: &[ListenerPlan],
        materials: &BTreeMap<Name, Materials>,
        bound: Vec<Open>,
    ) {
        let mut all = self.lock();
        let nothing = Materials::default();
        let fresh: Vec<_> = bound.iter().map(|it| it.plan.name.clone()).collect();
        for new in bound {
            if let Some(before) = all.open.insert(new.plan.name.clone(), new) {
                all.dismiss(before);
            }
        }
        for (name, mut here) in std::mem::take(&mut all.open) {
            let Some(plan) = plans.iter().find(|plan| plan.name == name) else {
                all.dismiss(here);
                continue;
            };
            if !fresh.contains(&name) {
                let materials = materials.get(&name).unwrap_or(&nothing);
                if let Err(fault) = here.listener.reconfigure(&plan.config, materials) {
                    // They were tried when the site was checked.
                    error!(listener = %name, %fault, "the listener keeps its old limits and certificate");
                }
                here.plan = plan.clone();
            }
            all.open.insert(name, here);
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

    /// What an operator sees of each.
    pub(crate) fn status(&self) -> Vec<ListenerStatus> {
        let of = |it: &Open| ListenerStatus {
            name: it.plan.name.clone(),
            kind: it.listener.kind(),
            address: it.listener.address().to_string(),
            connections: it.listener.connections(),
            certificate_expiry: it.listener.certificate_expiry(),
        };
        self.lock().open.values().map(of).collect()
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
