use hilum_message::Message;

use super::Job;
use crate::{Class, Classes, Clear, ClearFault, Leak};

/// Classes of values that may be any word.
pub(super) const LOOSE: Classes = Classes::of(Class::Unknown).and(Classes::of(Class::Text));

impl Job<'_> {
    /// The class that any text of the output may have, if a plugin of the run has read what no search
    /// can find again: a body that nothing here can read, or values of JSON, of which most are short
    /// words, numbers and codes.
    fn read_at_large(&self) -> Option<Class> {
        let seals = self.seals();
        let class = match &**seals.source.message() {
            Message::Opaque(_) => Class::Body,
            Message::Fhir(_) => Class::Unknown,
            Message::Hl7(_) => return None,
        };
        seals.opened.has(class).then_some(class)
    }

    /// Whether [`Self::check_read`] has to be asked about every text.
    pub(super) fn reads_at_large(&self) -> bool {
        self.read_at_large().is_some()
    }

    /// What text that a plugin wrote has to be cleared for wherever it stands, and is then marked
    /// with.
    pub(super) fn check_read(
        &self,
        text: &str,
        at: impl Fn() -> String,
    ) -> Result<Classes, ClearFault> {
        let class = self.read_at_large().filter(|_| !self.is_original);
        let Some(class) = class.filter(|_| text.contains(char::is_alphanumeric)) else {
            return Ok(Classes::NONE);
        };
        let classes = Classes::of(class);
        if self.clearance.clear_of(classes) != Ok(Clear::Open) {
            return Err(ClearFault::Denied { classes, at: at() });
        }
        Ok(classes)
    }

    /// Searches text that a plugin wrote for sensitive values of the message. Answers the classes
    /// of what it holds, if that may leave. The message itself is not searched: there they stand by
    /// right, and their places decide.
    pub(super) fn search(
        &self,
        text: &str,
        at: impl Fn() -> String,
    ) -> Result<Classes, ClearFault> {
        self.search_but(text, Classes::NONE, at)
    }

    /// The same, where values of some classes are excused.
    pub(super) fn search_but(
        &self,
        text: &str,
        excused: Classes,
        at: impl Fn() -> String,
    ) -> Result<Classes, ClearFault> {
        if self.is_original {
            return Ok(Classes::NONE);
        }
        let mut held = self.check_read(text, &at)?;
        let seals = self.seals();
        for find in seals.source.sensitive().find_all(text) {
            if find.value.classes().is_within(excused) {
                continue;
            }
            // A word of a Z segment or of a remark may be one that the plugin writes anyway, such as
            // "name" in the URL of an extension. Names, addresses and identifiers are never excused.
            let is_loose = find.value.classes().is_within(LOOSE);
            if is_loose && text.get(find.range.clone()).is_some_and(|it| seals.is_constant(it)) {
                continue;
            }
            // The same text may stand in several places, and be granted in one of them.
            let places = || find.value.places.iter().copied();
            let was_read = |it: &Classes| it.is_within(seals.opened);
            let granted: Vec<_> = places().filter(was_read).collect();
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
