//! Whether a step may be, from the state in which things are.

use std::collections::BTreeSet;

use hilum_words::{DeliveryId, RunId};

use super::site::MARKS_MAX;
use super::{Delivery, State};
use crate::content::{Change, StepContent};
use crate::{DeliveryState, MarkKey, Parked, RunState, StoreError};

impl State {
    /// Whether a step may be: each change from the state that it needs, none twice.
    pub(crate) fn check(&self, step: &StepContent) -> Result<(), StoreError> {
        let mut touched = BTreeSet::new();
        for change in &step.changes {
            let Some(item) = self.check_change(change)? else {
                continue;
            };
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

    /// Checks one change, and says what of the work it touches.
    fn check_change(&self, change: &Change) -> Result<Option<Parked>, StoreError> {
        let checked = match change {
            Change::Applied { .. } => return Ok(None),
            Change::Marked { key, value } => return self.check_mark(key, value.is_some()),
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
                matches!(state, RunState::Parked(_) | RunState::Held { .. })
            }),
            Change::Released { run, .. } => {
                self.check_run(*run, "released", |state| matches!(state, RunState::Held { .. }))
            }
            Change::Replayed { parent, new, .. } => {
                if self.runs.contains_key(&new.run) {
                    let item = new.run.to_string();
                    let (state, wanted) = ("known", "begun");
                    return Err(StoreError::NotInState { item, state, wanted });
                }
                // A parent that is old and finished was forgotten; what is written names its
                // message all the same.
                if !self.runs.contains_key(parent) {
                    return Ok(Some(Parked::Run(*parent)));
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
        };
        checked.map(Some)
    }

    /// Marks are bounded, like all that stays in memory.
    fn check_mark(&self, key: &MarkKey, is_set: bool) -> Result<Option<Parked>, StoreError> {
        if is_set && !self.site.takes(key) {
            return Err(StoreError::TooLarge { what: format!("there are {MARKS_MAX} marks") });
        }
        Ok(None)
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
            matches!(state, RunState::Undecided | RunState::Held { .. })
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
