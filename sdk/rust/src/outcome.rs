//! What a plugin hands back: outputs, or a refusal.

use crate::bindings::hilum::plugin::outputs::Body;
use crate::message::Unread;
use crate::{Object, Output, Reason, Refusal};

/// A refusal of the message. The text is for a person and holds no value of the message.
pub fn refuse(reason: Reason, text: impl Into<String>) -> Refusal {
    Refusal { reason, text: text.into(), path: None }
}

impl Refusal {
    /// Where in the message the reason is, such as `PID-3.1`.
    #[must_use]
    pub fn at(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }
}

/// With `?`, a value that the plugin needs and may not see refuses the message.
impl From<Unread> for Refusal {
    fn from(unread: Unread) -> Self {
        let text = unread.to_string();
        match unread {
            Unread::Withheld { path } => refuse(Reason::Application, text).at(path),
            Unread::Unstructured | Unread::Other(_) => refuse(Reason::Unsupported, text),
        }
    }
}

/// An output of this format, for all destinations of the route.
pub fn output(format: &str, text: impl Into<String>) -> Output {
    Output {
        format: Some(format.to_owned()),
        destinations: Vec::new(),
        body: Body::Text(text.into()),
    }
}

impl Output {
    /// A FHIR resource as JSON.
    pub fn fhir(resource: Object) -> Self {
        output("fhir-json", resource.into_text())
    }

    /// Sends this output to one destination of the route. May be called again for more.
    #[must_use]
    pub fn to(mut self, destination: impl Into<String>) -> Self {
        self.destinations.push(destination.into());
        self
    }
}
