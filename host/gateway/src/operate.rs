//! What an operator sees of a running gateway, and what she may decide about.

mod destinations;
mod generations;
mod held;
mod waits;

use hilum_audit::{Record, What, fact};
use hilum_destinations::{Courier, CourierStatus};
use hilum_pipeline::Generation;
use hilum_store::{Effect, Parked, RunStart, StoreError};
use hilum_words::{Actor, DeliveryId, Digest, RunId, Timestamp};

pub use generations::GenerationShown;

use crate::start::Gateway;
use crate::status::{Component, DestinationStatus, PluginStatus, RouteStatus, Status};

/// Why an operator's action was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The journal says no, or cannot.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The current generation cannot do it.
    #[error(
        "the current configuration has no route \"{route}\" any more; the run cannot be replayed"
    )]
    NoRoute {
        /// The route that the run took.
        route: String,
    },
    /// The generation that a run is pinned to does not load.
    #[error(
        "the generation {} that accepted the message does not load ({why}); replay the run with the current one",
        digest.short()
    )]
    NotLoaded {
        /// Which.
        digest: Digest,
        /// Why.
        why: String,
    },
    /// No such destination is configured.
    #[error("no destination is named \"{name}\"")]
    NoDestination {
        /// The name.
        name: String,
    },
}

impl Gateway {
    /// A message for people who may not see PHI, by what the running configuration says about places.
    pub fn shown(&self, message: &hilum_message::Message) -> String {
        self.plant.current.current().policy.shown(message)
    }

    /// What the gateway says about itself.
    pub fn status(&self) -> Status {
        let running = self.running();
        let site = &running.site;
        let parked = self.plant.store.parked();
        let marks = self.plant.store.marks();
        let destination = |(status, is_there): (CourierStatus, bool)| {
            let waits = parked.iter().filter(|it| it.destination.as_ref() == Some(&status.name));
            DestinationStatus {
                parked: waits.count(),
                kind: status.kind,
                state: match is_there {
                    true if self.is_blocked(&status) => "blocked",
                    true => status.state.word(),
                    false => "replacing",
                },
                paused: marks.get(&Courier::paused_mark(&status.name)).cloned(),
                breaker: status.breaker.word(),
                // Not what its courier holds: the rest is in the journal.
                queued: self.plant.store.queued_count(&status.name),
                in_flight: status.in_flight,
                last_success: status.last_success,
                last_fault: status.last_fault,
                next_attempt: status.next_attempt,
                name: status.name,
            }
        };
        let current = self.plant.current.current();
        Status {
            name: site.name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            started: self.started,
            configuration: self.home.configuration(),
            generation: current.digest,
            generation_since: running.since,
            listeners: self.listeners.status(),
            destinations: self.plant.dispatch.statuses().into_iter().map(destination).collect(),
            plugins: site
                .plugins
                .iter()
                .map(|it| PluginStatus {
                    name: it.name.clone(),
                    version: it.title.clone(),
                    digest: it.digest,
                    file: it.file.clone(),
                })
                .collect(),
            routes: routes(&current),
            counts: self.plant.store.counts(),
        }
    }

    /// The version of the program, and when it started.
    pub fn born(&self) -> (&'static str, Timestamp) {
        (env!("CARGO_PKG_VERSION"), self.started)
    }

    /// The parts that readiness depends on: the journal and the listeners, never one destination.
    pub fn ready(&self) -> Vec<Component> {
        let poisoned = self.plant.store.poisoned().map(|fault| fault.to_string());
        let is_stopping = self.is_stopping();
        let workers = self.plant.dispatch.backlog.is_stopping() && !is_stopping;
        let component = |name, why: Option<String>| Component { name, ok: why.is_none(), why };
        vec![
            component("journal", poisoned),
            component("workers", workers.then(|| "a decision could not be stored".to_owned())),
            component("listeners", is_stopping.then(|| "the gateway is stopping".to_owned())),
        ]
    }

    /// All metrics as OpenMetrics text.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        let mut text = text.strip_suffix("# EOF\n").unwrap_or(&text).to_owned();
        let counts = self.plant.store.counts();
        // What waits now: counters start again with each start of the gateway, these do not.
        for (name, help, value) in [
            ("runs_undecided", "Runs that wait for a decision", counts.undecided),
            ("deliveries_queued", "Deliveries that wait for their destination", counts.queued),
            ("parked", "Runs and deliveries that wait for a person", counts.parked),
            ("held", "Runs that a validator holds", counts.held),
            ("journal_segments", "Segments of the journal", counts.segments),
        ] {
            text += &format!(
                "# HELP hilum_{name} {help}.\n# TYPE hilum_{name} gauge\nhilum_{name} {value}\n"
            );
        }
        text += &self.expiries();
        text + "# EOF\n"
    }

    /// When certificates expire. They are read again with each change, so they are asked here.
    fn expiries(&self) -> String {
        let listeners = self.listeners.status().into_iter();
        let listeners = listeners
            .filter_map(|it| Some((format!("listener.{}", it.name), it.certificate_expiry?)));
        let running = self.running();
        let destinations = running.materials.destinations.iter().filter_map(|(name, it)| {
            Some((format!("destination.{name}"), it.secrets.certificate_expiry()?))
        });
        let all: Vec<_> = listeners.chain(destinations).collect();
        if all.is_empty() {
            return String::new();
        }
        let name = "hilum_tls_certificate_expiry_timestamp_seconds";
        let mut text = format!(
            "# HELP {name} When the first certificate of a chain expires, in seconds since 1970.\n\
             # TYPE {name} gauge\n"
        );
        for (section, micros) in all {
            let section = section.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            text += &format!("{name}{{section=\"{section}\"}} {}\n", micros / 1_000_000);
        }
        text
    }

    /// Makes a parked or held run again, under the current generation and with the same seed.
    pub async fn replay_run(&self, run: RunId, actor: Actor) -> Result<RunId, ActionError> {
        let record = self.plant.store.run(run).ok_or(StoreError::NoRun(run))?;
        let generation = self.plant.current.current();
        let route = generation.routes.named(&record.route);
        let route =
            route.ok_or_else(|| ActionError::NoRoute { route: record.route.to_string() })?;
        let at = self.now();
        let new = RunId::new(at, self.plant.doors.entropy.bytes());
        let evidence = Record::new(at, What::Replayed, actor)
            .message(record.message)
            .run(new)
            .generation(generation.digest)
            .text(fact::PARENT, run.to_string())
            .text(fact::ROUTE, record.route.as_str());
        let start = RunStart {
            run: new,
            route: route.name.clone(),
            seed: record.seed,
            lanes: record.lanes,
        };
        let effect = Effect::Replayed { parent: run, new: start, generation: generation.digest };
        self.step(run, effect, evidence).await?;
        Ok(new)
    }

    /// Queues a parked delivery again, as it is. One of which nothing may leave has no bytes that could
    /// go: its run is made again, which sends to all its destinations. The answer is that new run.
    pub async fn replay_delivery(
        &self,
        delivery: DeliveryId,
        actor: Actor,
    ) -> Result<Option<RunId>, ActionError> {
        let item = Parked::Delivery(delivery);
        let (run, evidence) = self.about(item, What::Requeued, actor.clone())?;
        match self.step(run, Effect::Requeued { delivery }, evidence).await {
            Ok(()) => Ok(None),
            Err(StoreError::NotCleared(_)) => self.replay_run(run, actor).await.map(Some),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Gives up on what waits for a person.
    pub async fn discard(
        &self,
        item: Parked,
        actor: Actor,
        reason: &str,
    ) -> Result<(), ActionError> {
        let (run, evidence) = self.about(item, What::Discarded, actor)?;
        let evidence = evidence.text(fact::REASON, reason);
        Ok(self.step(run, Effect::Discarded(item), evidence).await?)
    }

    /// The run that a parked thing belongs to, and the beginning of the evidence about it.
    fn about(&self, item: Parked, what: What, actor: Actor) -> Result<(RunId, Record), StoreError> {
        let parked = self.plant.store.parked_item(item);
        let missing = match item {
            Parked::Run(run) => StoreError::NoRun(run),
            Parked::Delivery(delivery) => StoreError::NoDelivery(delivery),
        };
        let parked = parked.ok_or(missing)?;
        let generation = self.plant.current.current().digest;
        let mut record = Record::new(self.now(), what, actor)
            .message(parked.message)
            .run(parked.run)
            .generation(generation);
        if let Parked::Delivery(delivery) = item {
            record = record.delivery(delivery);
        }
        if let Some(destination) = &parked.destination {
            record = record.text(fact::DESTINATION, destination.as_str());
        }
        Ok((parked.run, record))
    }
}

fn routes(generation: &Generation) -> Vec<RouteStatus> {
    let route = |it: &std::sync::Arc<hilum_pipeline::Route>| RouteStatus {
        name: it.name.clone(),
        from: it.from.clone(),
        steps: it.steps.iter().map(|step| step.name.clone()).collect(),
        to: it.to.iter().map(|to| to.name.clone()).collect(),
        owner: it.owner.clone(),
        purpose: it.purpose.clone(),
    };
    generation.routes.iter().map(route).collect()
}
