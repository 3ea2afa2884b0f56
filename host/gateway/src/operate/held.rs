//! Runs that a validator holds: a person lets them go on, or refuses them.

use std::sync::Arc;

use hilum_audit::{NonEmpty, Record, What, fact};
use hilum_store::{Effect, Parked, RunState, Step, StoreError};
use hilum_words::{Actor, Reason, Rejection, RunId};
use tracing::info;

use super::ActionError;
use crate::Gateway;

/// All that a sender is told about a refusal by a person.
const REFUSED: &str = "refused by a person";

impl Gateway {
    /// Lets a held run go on behind the validator that held it: under the generation that accepted
    /// its message, with the same seed.
    pub async fn release(&self, run: RunId, actor: Actor, reason: &str) -> Result<(), ActionError> {
        let (step, evidence) = self.held(run, "released", What::Released, actor, reason)?;
        self.load_for(run).await?;
        self.step(run, Effect::Released { next: step.saturating_add(1) }, evidence).await?;
        Ok(())
    }

    /// Ends a held run. Its sender was told that the message is accepted; sent again, the message begins
    /// anew if all its runs ended so, and is refused with [`REFUSED`] by a listener that tells what became
    /// of a message that it knows.
    pub async fn refuse(&self, run: RunId, actor: Actor, reason: &str) -> Result<(), ActionError> {
        let (_, evidence) = self.held(run, "refused", What::Refused, actor, reason)?;
        // The sender may read this. The reason is a person's own words, which may name a patient: it
        // stays in the trail.
        let rejection =
            Rejection { reason: Reason::Application, at: None, text: REFUSED.to_owned() };
        self.step(run, Effect::Refused(vec![rejection]), evidence).await?;
        Ok(())
    }

    /// The step that holds the run, and the beginning of the evidence about it.
    fn held(
        &self,
        run: RunId,
        wanted: &'static str,
        what: What,
        actor: Actor,
        reason: &str,
    ) -> Result<(u32, Record), StoreError> {
        let record = self.plant.store.run(run).ok_or(StoreError::NoRun(run))?;
        let RunState::Held { step, .. } = record.state else {
            let (item, state) = (run.to_string(), record.state.word());
            return Err(StoreError::NotInState { item, state, wanted });
        };
        let evidence = Record::new(self.now(), what, actor)
            .message(record.message)
            .run(run)
            .generation(record.generation)
            .text(fact::ROUTE, record.route.as_str())
            .text(fact::REASON, reason);
        Ok((step, evidence))
    }

    /// Loads the generation that a run is pinned to, if it is not loaded.
    async fn load_for(&self, run: RunId) -> Result<(), ActionError> {
        let record = self.plant.store.run(run).ok_or(StoreError::NoRun(run))?;
        let digest = record.generation;
        if self.plant.current.find(digest).is_some() {
            return Ok(());
        }
        let (home, store) = (self.home.clone(), self.plant.store.clone());
        let loaded = self.blocking("held/load", move || home.load(digest, &store)).await;
        let generation = loaded.map_err(|why| ActionError::NotLoaded { digest, why })?;
        info!(generation = %digest.short(), "an older generation goes on with a released run");
        self.plant.current.keep(Arc::clone(&generation));
        Ok(())
    }

    pub(super) async fn step(
        &self,
        run: RunId,
        effect: Effect,
        evidence: Record,
    ) -> Result<(), StoreError> {
        let step = Step { run, effects: vec![effect], records: NonEmpty::of(evidence) };
        self.plant.store.commit(step).await.map(drop)
    }

    /// Whether this run is held.
    pub fn is_held(&self, run: RunId) -> bool {
        let item = self.plant.store.parked_item(Parked::Run(run));
        item.is_some_and(|it| it.held.is_some())
    }
}
