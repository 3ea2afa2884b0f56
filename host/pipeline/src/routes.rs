//! Which way a message goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use hilum_message::{Message, Predicate};
use hilum_policy::{Clearance, Grant};
use hilum_sandbox::{Budget, Plugin, Table};
use hilum_words::Name;

use crate::LanePlan;

/// One step of a route: a plugin, and what the site lets it do.
pub struct StepPlan {
    /// The plugin's name in the configuration.
    pub name: Name,
    /// The plugin, compiled.
    pub plugin: Arc<Plugin>,
    /// Which classes it sees, and how.
    pub grant: Grant,
    /// What one call may use.
    pub budget: Budget,
    /// The tables that are lent to it: asked for and granted.
    pub tables: Arc<BTreeMap<Name, Arc<Table>>>,
    /// All tables of the site, so that "unknown" and "ungranted" are told apart.
    pub tables_known: Arc<Vec<Name>>,
}

/// One destination of a route, and what may leave to it.
#[derive(Clone, Debug)]
pub struct DestinationPlan {
    /// The destination's name in the configuration.
    pub name: Name,
    /// What it is cleared for.
    pub clearance: Arc<Clearance>,
}

/// One way through the gateway, checked.
pub struct Route {
    /// Its name in the configuration.
    pub name: Name,
    /// The listener it takes messages from.
    pub from: Name,
    /// Which of them; all where there is no condition.
    pub when: Option<Predicate>,
    /// Its plugins, in the order of the configuration.
    pub steps: Vec<StepPlan>,
    /// Where results go.
    pub to: Vec<DestinationPlan>,
    /// What keeps its order.
    pub lane: LanePlan,
    /// Its settings, lent to every step.
    pub settings: Arc<BTreeMap<String, String>>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
}

impl Route {
    /// The lane keys of a message on this route.
    pub fn lanes(&self, message: &Message) -> Vec<Vec<u8>> {
        self.lane.keys(&self.from, message)
    }
}

/// All routes of a generation.
#[derive(Default)]
pub struct Routes {
    all: Vec<Arc<Route>>,
}

impl Routes {
    /// These routes, in the order of the configuration.
    pub fn new(all: Vec<Arc<Route>>) -> Self {
        Self { all }
    }

    /// The routes that take this message from this listener. Predicates read true values; they
    /// leave no trace but the verdict.
    pub fn select(&self, listener: &str, message: &Message) -> Vec<&Arc<Route>> {
        let from_here = self.all.iter().filter(|route| route.from.as_str() == listener);
        from_here.filter(|route| route.when.as_ref().is_none_or(|it| it.holds(message))).collect()
    }

    /// The route of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<Route>> {
        self.all.iter().find(|route| route.name.as_str() == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.all.iter()
    }
}
