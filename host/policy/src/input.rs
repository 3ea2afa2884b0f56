use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use hilum_message::Message;
use hilum_words::Digest;

use crate::Seals;

/// What a plugin made: a body with tokens, and what they stand for.
#[derive(Clone)]
pub struct Template {
    pub(crate) body: Arc<Message>,
    pub(crate) seals: Arc<Seals>,
}

impl Template {
    /// Its format by name.
    pub fn format(&self) -> &str {
        self.body.format()
    }

    /// Its bytes, with tokens.
    pub fn bytes(&self) -> &Bytes {
        self.body.bytes()
    }

    /// What its tokens stand for.
    pub fn seals(&self) -> &Arc<Seals> {
        &self.seals
    }
}

/// Counts only: literal text may be PHI.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?}, {:?})", self.body, self.seals)
    }
}

/// What a step works on: the message as it was accepted, or what the step before made of it.
#[derive(Clone, Debug)]
pub enum Input {
    /// The message as it was accepted.
    Message(Arc<Message>),
    /// What the step before made.
    Template(Arc<Template>),
}

impl Input {
    /// The format by name.
    pub fn format(&self) -> &str {
        self.body().format()
    }

    /// The digest of its bytes; of a template with tokens, so that the trail never depends on more
    /// than the plugin saw.
    pub fn digest(&self) -> Digest {
        Digest::of(self.body().bytes())
    }

    pub(crate) fn body(&self) -> &Arc<Message> {
        match self {
            Self::Message(message) => message,
            Self::Template(template) => &template.body,
        }
    }
}
