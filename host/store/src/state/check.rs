//! Whether a step may be, from the state in which things are.

use std::collections::BTreeSet;

use hilum_words::{DeliveryId, RunId};

use super::{Delivery, State};
use crate::content::{Change, StepContent};
use crate::{DeliveryState, Parked, RunState, StoreError};

impl State {
    /// Whether a step may be: each change from the state that it needs, none twice.
    pub(crate) fn check(&self, step: &StepContent) -> Result<(), StoreError> {
        let mut touched = BTreeSet::new();
        for change in &step.changes {
            let item = self.check_change(change)?;
            if !touched.insert(item) {
                let item = match item {
                    Parked::Run(run) => run.to_string(),
                    Parked::Delivery(delivery) => delivery.to_string(),
                };
                let (state, wanted) = ("in this step already", "changed again");
                return Err(StoreError::NotInState { item, state, wanted });
            }
        }
        Ok(())
    }

    fn check_change(&self, change: &Change) -> Result<Parked, StoreError> {
        match change {
            Change::Dispatched { run, outputs } => {
                for output in outputs {
                    if self.deliveries.contains_key(&output.delivery) {
                        let item = output.delivery.to_string();
                        let (state, wanted) = ("known", "queued");
                        return Err(StoreError::NotInState { item, state, wanted });
                    }
                }
                self.check_decidable(*run, "dispatched")
            }
            Change::Refused { run, .. } => self.check_decidable(*run, "refused"),
            Change::Held { run, .. } => self.check_decidable(*run, "held"),
            Change::Parked { run, .. } => self.check_decidable(*run, "parked"),
            Change::RunDiscarded { run } => self.check_run(*run, "discarded", |state| {
                matches!(state, RunState::Parked(_) | RunState::Held(_))
            }),
            Change::Replayed { parent, new, .. } => {
                if self.runs.contains_key(&new.run) {
                    let item = new.run.to_string();
                    let (state, wanted) = ("known", "begun");
                    return Err(StoreError::NotInState { item, state, wanted });
                }
                // A parent that is old and finished was forgotten; what is written names its
                // message all the same.
                if !self.runs.contains_key(parent) {
                    return Ok(Parked::Run(*parent));
                }
                self.check_run(*parent, "replayed", |state| {
                    !matches!(state, RunState::Undecided | RunState::Replayed)
                })
            }
            Change::Delivered { delivery, .. } => self.check_queued(*delivery, "delivered"),
            Change::Deferred { delivery, .. } => self.check_queued(*delivery, "deferred"),
            Change::DeliveryParked { delivery, .. } => self.check_queued(*delivery, "parked"),
            Change::Requeued { delivery } => {
                let entry = self.check_parked(*delivery, "queued again")?;
                if !entry.is_cleared {
                    return Err(StoreError::NotCleared(*delivery));
                }
                Ok(Parked::Delivery(*delivery))
            }
            Change::DeliveryDiscarded { delivery } => {
                self.check_parked(*delivery, "discarded")?;
                Ok(Parked::Delivery(*delivery))
            }
        }
    }

    fn check_run(
        &self,
        run: RunId,
        wanted: &'static str,
        may: impl FnOnce(&RunState) -> bool,
    ) -> Result<Parked, StoreError> {
        let entry = self.runs.get(&run).ok_or(StoreError::NoRun(run))?;
        if may(&entry.state) {
            return Ok(Parked::Run(run));
        }
        let (item, state) = (run.to_string(), entry.state.word());
        Err(StoreError::NotInState { item, state, wanted })
    }

    fn check_decidable(&self, run: RunId, wanted: &'static str) -> Result<Parked, StoreError> {
        self.check_run(run, wanted, |state| {
            matches!(state, RunState::Undecided | RunState::Held(_))
        })
    }

    fn check_queued(&self, id: DeliveryId, wanted: &'static str) -> Result<Parked, StoreError> {
        let entry = self.deliveries.get(&id).ok_or(StoreError::NoDelivery(id))?;
        if entry.state == DeliveryState::Queued {
            return Ok(Parked::Delivery(id));
        }
        let (item, state) = (id.to_string(), entry.state.word());
        Err(StoreError::NotInState { item, state, wanted })
    }

    fn check_parked(&self, id: DeliveryId, wanted: &'static str) -> Result<&Delivery, StoreError> {
        let entry = self.deliveries.get(&id).ok_or(StoreError::NoDelivery(id))?;
        if matches!(entry.state, DeliveryState::Parked(_)) {
            return Ok(entry);
        }
        let (item, state) = (id.to_string(), entry.state.word());
        Err(StoreError::NotInState { item, state, wanted })
    }
}
