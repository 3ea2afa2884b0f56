//! Destinations that a person pauses.

use hilum_audit::{NonEmpty, Record, What, fact};
use hilum_destinations::Courier;
use hilum_store::MarkKey;
use hilum_words::Actor;

use super::ActionError;
use crate::Gateway;

/// Characters of a reason that are kept with a mark; the trail has all of it.
const REASON_CHARACTERS_MAX: usize = 200;

impl Gateway {
    /// Lets nothing go to a destination, or lets it go on. It stays so over a restart. What waits
    /// stays queued, and senders do not feel it. To go on ends every other wait as well, the breaker's and
    /// that for another attempt. The answer is whether it was paused before.
    pub async fn pause(
        &self,
        destination: &str,
        is_paused: bool,
        actor: Actor,
        reason: &str,
    ) -> Result<bool, ActionError> {
        let is_known =
            self.running().site.destinations.iter().any(|it| it.name.as_str() == destination);
        if !is_known {
            return Err(ActionError::NoDestination { name: destination.to_owned() });
        }
        let what = if is_paused { What::Paused } else { What::Resumed };
        let evidence = Record::new(self.now(), what, actor.clone())
            .generation(self.plant.current.current().digest)
            .text(fact::DESTINATION, destination)
            .text(fact::REASON, reason);
        let key = MarkKey::new(Courier::paused_mark(destination))
            .map_err(|_| ActionError::NoDestination { name: destination.to_owned() })?;
        let value = is_paused.then(|| {
            let reason: String = reason.chars().take(REASON_CHARACTERS_MAX).collect();
            format!("{} {actor}: {reason}", self.now())
        });
        let was_paused = self.plant.store.marks().contains_key(&Courier::paused_mark(destination));
        self.plant.store.mark(key, value, NonEmpty::of(evidence)).await?;
        // One that is being replaced reads the mark when it begins.
        if let Some(courier) = self.plant.dispatch.courier(destination) {
            courier.pause(is_paused);
            if !is_paused {
                courier.hurry();
            }
        }
        Ok(was_paused)
    }
}
