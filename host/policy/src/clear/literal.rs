use hilum_message::Message;

use super::Job;
use crate::{Class, Classes, Clear, ClearFault, Leak};

/// Classes of values that may be any word.
const LOOSE: Classes = Classes::of(Class::Unknown).and(Classes::of(Class::Text));

impl Job<'_> {
    /// Whether any text of the output may come from a body that nothing here can read: a plugin of
    /// the run has read it, and there are no values that could be searched for.
    fn may_be_of_body(&self) -> bool {
        let seals = self.seals();
        let is_opaque = matches!(&**seals.source.message(), Message::Opaque(_));
        is_opaque && seals.opened.has(Class::Body)
    }

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
        if self.may_be_of_body() && text.contains(char::is_alphanumeric) {
            let body = Classes::of(Class::Body);
            if self.clearance.clear_of(body) != Ok(Clear::Open) {
                return Err(ClearFault::Denied { classes: body, at: at() });
            }
            held = body;
        }
        for find in seals.source.sensitive().find_all(text) {
            // A word of a Z segment or of a remark may be one that the plugin writes anyway, such as
            // "name" in the URL of an extension. Names, addresses and identifiers are never excused.
            let is_loose = find.value.classes().is_within(LOOSE);
            if is_loose && text.get(find.range.clone()).is_some_and(|it| seals.is_constant(it)) {
                continue;
            }
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
