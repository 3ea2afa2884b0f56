use super::Job;
use crate::{Classes, Clear, ClearFault, Leak};

impl Job<'_> {
    /// Searches text that a plugin wrote for sensitive values of the message. Answers the classes
    /// of what it holds, if that may leave. The message itself is not searched: there they stand by
    /// right, and their places decide.
    pub(super) fn search(
        &self,
        text: &str,
        at: impl Fn() -> String,
    ) -> Result<Classes, ClearFault> {
        let mut held = Classes::NONE;
        if self.is_original {
            return Ok(held);
        }
        let seals = self.seals();
        for find in seals.source.sensitive().find_all(text) {
            // The same text may stand in several places, and be granted in one of them.
            let places = || find.value.places.iter().copied();
            let granted: Vec<_> = places().filter(|it| it.is_within(seals.opened)).collect();
            if granted.is_empty() {
                return Err(Leak { classes: find.value.classes(), at: at() }.into());
            }
            let cleared = |classes: &Classes| self.clearance.clear_of(*classes) == Ok(Clear::Open);
            match granted.iter().copied().find(cleared) {
                Some(classes) => held = held.and(classes),
                None => {
                    let classes = granted.into_iter().fold(Classes::NONE, Classes::and);
                    return Err(ClearFault::Denied { classes, at: at() });
                }
            }
        }
        Ok(held)
    }
}
