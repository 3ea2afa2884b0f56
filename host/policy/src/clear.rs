//! Clearing: what becomes of each value of a body on its way to one destination.
//!
//! ```text
//! a token          by the classes of its seal: the value, `***`, or nothing
//! literal in HL7   by the place where it stands, as a next step would see it; so a short name that
//!                  a plugin was granted to read does not get out where names may not
//! literal in JSON  by the element where it stands, as far as a step was granted to read its class: a
//!                  blind plugin writes ids and texts of its own. Where a step has read what is
//!                  unknown of JSON, only to a destination that is cleared for that
//! any literal      is searched for sensitive values of the message: one that no step was granted
//!                  to read is a leak, one that was has to be cleared for the destination
//! ```
//!
//! Values are put in once and not searched for tokens again.

mod hl7;
mod json;
mod literal;
mod opaque;
mod writer;

use std::sync::Arc;

use hilum_message::{At, Message};
use hilum_words::Name;

use crate::overrides::Rules;
use crate::seals::Source;
use crate::{ClearFault, Clearance, Cleared, Input, Seals, Template};
use writer::Writer;

/// What stands in the place of a masked value.
const MASK: &str = "***";

pub(crate) fn clear(
    input: &Input,
    original: &Arc<Message>,
    clearance: &Clearance,
    rules: &Arc<Rules>,
) -> Result<Cleared, ClearFault> {
    let template = match input {
        Input::Template(template) => Arc::clone(template),
        // No plugin has touched it, so it is a template without tokens that nobody has seen.
        Input::Message(message) => {
            let source = Arc::new(Source::new(Arc::clone(message), Arc::clone(rules)));
            let seals = Arc::new(Seals::new(source, crate::Classes::NONE));
            Arc::new(Template { body: Arc::clone(message), seals })
        }
    };
    let job = Job::new(&template, original, clearance);
    match &*template.body {
        Message::Hl7(_) => hl7::clear(&job),
        Message::Fhir(json) => json::clear(&job, json),
        Message::Opaque(_) => opaque::clear(&job),
    }
}

/// One body for one destination.
struct Job<'a> {
    template: &'a Template,
    /// The body's own classes. The message's, if it is the message.
    classer: Arc<crate::origin::Classer>,
    original: &'a Arc<Message>,
    clearance: &'a Clearance,
    /// Whether the body is the message as it was accepted: nothing can leak into it.
    is_original: bool,
}

impl<'a> Job<'a> {
    fn new(template: &'a Template, original: &'a Arc<Message>, clearance: &'a Clearance) -> Self {
        let is_original = Arc::ptr_eq(&template.body, template.seals.source.message());
        let classer = if is_original {
            Arc::clone(&template.seals.source.classer)
        } else {
            let rules = Arc::clone(template.seals.source.classer.rules());
            Arc::new(crate::origin::Classer::new(Arc::clone(&template.body), rules))
        };
        Self { template, classer, original, clearance, is_original }
    }

    fn body(&self) -> &'a Arc<Message> {
        &self.template.body
    }

    fn seals(&self) -> &'a Seals {
        &self.template.seals
    }

    /// Whether ranges of the body are ranges of what the store has.
    fn is_stored(&self) -> bool {
        Arc::ptr_eq(self.body(), self.original)
    }

    /// A place of the body for an error. Names of members and segments are the plugin's own.
    fn place(&self, at: At) -> String {
        let name = self.body().place_name(at);
        if name.is_empty() { "the document".to_owned() } else { self.seals().scrub(&name) }
    }

    fn writer(&self) -> Writer<'a> {
        Writer::new(self.body().bytes(), self.original, self.is_stored())
    }

    fn cleared(&self, writer: Writer<'_>) -> Cleared {
        let (parts, marks) = writer.finish();
        Cleared::new(Name::from(self.template.format()), parts, marks)
    }
}

#[cfg(test)]
mod tests;
