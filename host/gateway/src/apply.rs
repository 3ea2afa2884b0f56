//! Makes a running gateway another generation, while messages come and go.
//!
//! The new one is read, compiled and checked beside the old one; new listeners are bound; its files
//! are kept and the journal is told. Then one pointer is swapped, and listeners and couriers follow.
//!
//! Promises: whatever goes wrong before the swap leaves the old generation as it was and says why;
//! a message belongs to the generation that accepted it; a listener whose address and kind stay
//! keeps its socket and its connections; one change at a time, and nobody who hangs up stops it
//! half-way.
//! Not here: what differs ([`Changes`]), who may ask (`hilum_admin`).

use std::sync::{Arc, Mutex, PoisonError};

use hilum_audit::{NonEmpty, Record, What, fact};
use hilum_destinations::Courier;
use hilum_env::Doors;
use hilum_pipeline::Generation;
use hilum_store::{GenerationRecord, StoreError};
use hilum_words::{Actor, Digest, Name, Problem, Timestamp, chain};
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use crate::changes::Changes;
use crate::gate::Gate;
use crate::listeners::Open;
use crate::plant::by_name;
use crate::running::{Home, Running};
use crate::start::{ListenError, keep_files};
use crate::{Checked, Gateway};

/// How many of the generations that the journal knows are looked through.
pub(crate) const GENERATIONS_MAX: usize = 10_000;

/// What a gateway is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// What is in the site's folder now.
    Folder,
    /// A generation that ran before.
    Stored(Digest),
    /// The one that ran before this one.
    Before,
}

/// A change that somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// To what.
    pub source: Source,
    /// The generation that the person was shown; another one is not taken.
    pub expect: Option<Digest>,
    /// Only say what would change.
    pub is_rehearsal: bool,
    /// Wait for a change that is under way, instead of giving up.
    pub is_patient: bool,
    /// Who.
    pub actor: Actor,
    /// Why, if they said so.
    pub reason: Option<String>,
}

/// What was changed, or would be.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The generation that runs now, or would.
    pub digest: Digest,
    /// The one before.
    pub parent: Digest,
    /// What is different.
    pub changes: Changes,
    /// Whether it was done.
    pub is_applied: bool,
}

/// Why a change was not made. The old generation goes on.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The new configuration has problems.
    #[error("the configuration has problems")]
    Problems(Vec<Problem>),
    /// A new listener was not bound.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The journal did not take it.
    #[error("the generation was not stored")]
    Store(#[from] StoreError),
    /// Something else than what the person was shown.
    #[error("the configuration has changed since it was shown; look at it again")]
    Moved {
        /// What is there now.
        found: Digest,
    },
    /// There is no such generation.
    #[error("no generation is named {0}")]
    NoGeneration(String),
    /// Too few digits to mean one.
    #[error("{0} is no generation: at least six digits of its digest are needed")]
    TooShort(String),
    /// Several begin like that.
    #[error("several generations begin with {0}; give more digits")]
    Ambiguous(String),
    /// There is none before this one.
    #[error("no other generation ran before this one")]
    NothingBefore,
    /// Another change is under way.
    #[error("another change is under way; try again when it is done")]
    Busy,
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopping,
}

/// Who makes a change, and why.
pub(crate) struct Why {
    pub(crate) actor: Actor,
    pub(crate) reason: Option<String>,
    /// Whether it goes back to what ran before.
    pub(crate) is_rollback: bool,
}

impl Gateway {
    /// Makes the gateway what is wanted, or says why not. It is done by a task of its own: whoever
    /// asks may hang up.
    pub async fn change(self: &Arc<Self>, wanted: Wanted) -> Result<Applied, ApplyError> {
        let (tell, told) = oneshot::channel();
        let gateway = Arc::clone(self);
        let work = async move {
            let ended = gateway.change_now(wanted).await;
            // Nobody waits any more: it is in the log and in the trail.
            let _ = tell.send(ended);
        };
        self.plant.doors.tasks.spawn("change", Box::pin(work));
        told.await.unwrap_or(Err(ApplyError::Stopping))
    }

    async fn change_now(&self, wanted: Wanted) -> Result<Applied, ApplyError> {
        let changing = Arc::clone(&self.changing);
        let _changing = if wanted.is_patient {
            changing.lock_owned().await
        } else {
            changing.try_lock_owned().map_err(|_| ApplyError::Busy)?
        };
        if self.is_stopping() {
            return Err(ApplyError::Stopping);
        }
        let is_rehearsal = wanted.is_rehearsal;
        let ended = self.change_alone(wanted).await;
        if let Err(fault) = ended.as_ref().err().filter(|_| !is_rehearsal).map_or(Ok(()), Err) {
            self.note_failure(fault);
        }
        ended
    }

    async fn change_alone(&self, wanted: Wanted) -> Result<Applied, ApplyError> {
        let running = self.running();
        let is_rollback = !matches!(wanted.source, Source::Folder);
        let checked = self.look(wanted.source).await?;
        let digest = checked.generation.digest;
        if wanted.expect.is_some_and(|it| it != digest) {
            return Err(ApplyError::Moved { found: digest });
        }
        let fixed = running.site.fixed_that_differ(&checked.site);
        if !fixed.is_empty() {
            return Err(ApplyError::Problems(fixed));
        }
        if wanted.is_rehearsal {
            let changes = Changes::between(&running.outline, &checked.outline);
            let parent = running.generation.digest;
            return Ok(Applied { digest, parent, changes, is_applied: false });
        }
        let why = Why { actor: wanted.actor, reason: wanted.reason, is_rollback };
        self.take_over(&running, checked, why).await
    }

    /// Makes a checked site the running one. For who has one in hand; an operator's change is
    /// [`change`](Self::change).
    pub async fn apply(&self, checked: Checked, actor: Actor) -> Result<Applied, ApplyError> {
        let _changing = self.changing.lock().await;
        let running = self.running();
        let fixed = running.site.fixed_that_differ(&checked.site);
        if !fixed.is_empty() {
            return Err(ApplyError::Problems(fixed));
        }
        let why = Why { actor, reason: None, is_rollback: false };
        self.take_over(&running, checked, why).await
    }

    /// Reads and checks, off the async threads.
    async fn look(&self, source: Source) -> Result<Checked, ApplyError> {
        let (home, store) = (self.home.clone(), self.plant.store.clone());
        let doors = self.plant.doors.clone();
        let current = self.running().generation.digest;
        let look = move |home: &Home, doors: &Doors| match source {
            Source::Folder => Ok(home.check(doors)),
            Source::Stored(digest) => {
                let is_known =
                    store.generations(GENERATIONS_MAX).iter().any(|it| it.digest == digest);
                if !is_known {
                    return Err(ApplyError::NoGeneration(digest.to_string()));
                }
                Ok(home.check_stored(digest, &store))
            }
            Source::Before => {
                let all = store.generations(GENERATIONS_MAX);
                let before = all.iter().find(|it| it.digest != current);
                let before = before.ok_or(ApplyError::NothingBefore)?.digest;
                Ok(home.check_stored(before, &store))
            }
        };
        let with_materials = move || {
            let checked = look(&home, &doors)?;
            home.with_materials(checked, &doors).map_err(ApplyError::Problems)
        };
        self.blocking("change/check", with_materials).await
    }

    async fn take_over(
        &self,
        running: &Running,
        checked: Checked,
        why: Why,
    ) -> Result<Applied, ApplyError> {
        let actor = why.actor.clone();
        let (parent, digest) = (running.generation.digest, checked.generation.digest);
        let changes = Changes::between(&running.outline, &checked.outline);
        let gate = Gate::new();
        let bound = self.bind(&checked, &gate).await?;
        let is_other = parent != digest;
        let checked =
            if is_other { self.remember(checked, parent, &changes, why).await? } else { checked };

        // From here on nothing fails. New destinations have a place before anything is made for
        // them; their couriers come once those have ended that may write into the same folder.
        let at = self.now();
        let (_, next) = checked.settle(at);
        let next = Arc::new(next);
        let before = by_name(&running.site.destinations);
        let now = by_name(&next.site.destinations);
        let new: Vec<&Name> =
            now.keys().copied().filter(|name| !before.contains_key(*name)).collect();
        new.iter().for_each(|name| drop(self.plant.dispatch.vacate(name)));
        self.plant.current.swap(Arc::clone(&next.generation));
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        self.listeners.become_of(&next.site.listeners, &next.materials.listeners, bound);
        gate.open();
        let changed: Vec<&Name> = before
            .keys()
            .copied()
            .filter(|name| !now.contains_key(*name) || !running.has_same_destination(name, &next))
            .collect();
        self.stop_couriers(&changed).await;
        for name in changed.into_iter().chain(new.iter().copied()) {
            match now.get(name) {
                Some(destination) => {
                    self.plant.open_courier(destination, &next.fetched(name));
                    // What waits for another attempt did not fail with this configuration.
                    self.plant.dispatch.courier(name).iter().for_each(Courier::hurry);
                }
                None => self.plant.give_up(name),
            }
        }
        self.plant.welcome(new.into_iter().cloned().collect());
        self.plant.metrics.loaded(at);
        if is_other {
            self.plant.metrics.applied();
            info!(
                generation = %digest.short(), parent = %parent.short(), %actor,
                changes = changes.summary(), "another generation took over"
            );
        } else {
            info!(generation = %digest.short(), %actor, "the configuration was read again; nothing is different");
        }
        Ok(Applied { digest, parent, changes, is_applied: true })
    }

    /// Binds the listeners that need a socket of their own. If one fails, those before it are let
    /// go, and nothing has changed.
    async fn bind(&self, checked: &Checked, gate: &Gate) -> Result<Vec<Open>, ApplyError> {
        let doors = gate.before(&self.plant.doors);
        let mut bound = Vec::new();
        for plan in self.listeners.to_bind(&checked.site.listeners) {
            if let Some(other) = self.listeners.blocks(plan) {
                let text = format!(
                    "the running listener \"{other}\" has this address and gives it back only after \
                     the change; change the address first, or restart"
                );
                return Err(ApplyError::Problems(vec![plan.problem(text)]));
            }
            let materials = checked.materials.as_ref().and_then(|it| it.listeners.get(&plan.name));
            let materials = materials.cloned().unwrap_or_default();
            bound.push(Open::start(plan, &materials, &self.plant, &doors).await?);
        }
        Ok(bound)
    }

    /// Keeps the files of a generation, and has the journal know it.
    async fn remember(
        &self,
        checked: Checked,
        parent: Digest,
        changes: &Changes,
        why: Why,
    ) -> Result<Checked, ApplyError> {
        let store = self.plant.store.clone();
        let checked = self
            .blocking("change/keep", move || keep_files(&checked, &store).map(|()| checked))
            .await?;
        let (record, evidence) = generation_record(
            &checked.generation,
            Some(parent),
            self.now(),
            why,
            changes.summary(),
        );
        self.plant.store.apply_generation(record, NonEmpty::of(evidence)).await?;
        Ok(checked)
    }

    /// Ends these couriers, all at once: one destination that does not answer is waited for no
    /// longer than its drain.
    async fn stop_couriers(&self, names: &[&Name]) {
        let mut ending = Vec::new();
        for name in names {
            let (plant, name) = (self.plant.clone(), (*name).clone());
            let (tell, told) = oneshot::channel();
            let work = async move {
                plant.stop_courier(&name).await;
                // Whoever waits has gone only if the process ends.
                let _ = tell.send(());
            };
            self.plant.doors.tasks.spawn("change/courier", Box::pin(work));
            ending.push(told);
        }
        for ended in ending {
            let _ = ended.await;
        }
    }

    /// Runs something that blocks off the async threads.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let made: Arc<Mutex<Option<T>>> = Arc::default();
        let place = Arc::clone(&made);
        let work = move || {
            let result = work();
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        };
        self.plant.doors.tasks.blocking(name, Box::new(work)).await;
        let made = made.lock().unwrap_or_else(PoisonError::into_inner).take();
        made.unwrap_or_else(|| unreachable!("blocking work has ended"))
    }

    fn note_failure(&self, fault: &ApplyError) {
        if matches!(fault, ApplyError::Busy | ApplyError::Stopping) {
            return;
        }
        self.plant.metrics.not_loaded();
        error!(fault = %chain(fault), "the running generation goes on; the new one was not taken");
        if let ApplyError::Problems(problems) = fault {
            for problem in problems {
                warn!(place = %problem.place, key = problem.key, "{}", problem.text);
            }
        }
    }
}

/// What the journal is told of a generation, and the evidence beside it.
pub(crate) fn generation_record(
    generation: &Generation,
    parent: Option<Digest>,
    at: Timestamp,
    Why { actor, reason, is_rollback }: Why,
    summary: String,
) -> (GenerationRecord, Record) {
    let digest = generation.digest;
    let mut evidence = Record::new(at, What::Applied, actor.clone())
        .generation(digest)
        .digest(fact::POLICY, generation.policy.version())
        .text(fact::DETAIL, &summary);
    if let Some(parent) = parent {
        evidence = evidence.digest(fact::PARENT, parent);
    }
    if let Some(reason) = &reason {
        evidence = evidence.text(fact::REASON, reason);
    }
    if is_rollback {
        evidence = evidence.text("from", "journal");
    }
    (GenerationRecord { digest, at, actor, summary, parent, reason, is_rollback }, evidence)
}
