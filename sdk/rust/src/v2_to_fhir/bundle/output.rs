//! The bundle as outputs of the plugin: a transaction, a collection, a message.

use super::identity::Request;
use super::{Bundle, Entry};
use crate::{Output, Writer, output, settings};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Transaction,
    Collection,
    Message,
}

impl Type {
    const ALL: [Self; 3] = [Self::Transaction, Self::Collection, Self::Message];

    /// The code, and the setting that names the destinations.
    fn code(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Collection => "collection",
            Self::Message => "message",
        }
    }

    /// MessageHeader and Provenance are about the message itself.
    fn has(self, entry: &Entry) -> bool {
        match self {
            Self::Message => true,
            Self::Collection => !matches!(entry.kind, "MessageHeader" | "Provenance"),
            Self::Transaction => {
                !matches!(entry.kind, "MessageHeader" | "Provenance")
                    && !matches!(entry.request, Request::Nothing)
            }
        }
    }
}

impl Bundle<'_> {
    /// The types of bundle that the route's settings ask for, each to its destinations; without such
    /// a setting, the transaction to all.
    pub fn outputs(self) -> Vec<Output> {
        let asked = Type::ALL.map(|it| (it, settings::list(it.code())));
        if asked.iter().all(|(_, it)| it.is_none()) {
            return vec![self.output(Type::Transaction)];
        }
        let mut outputs = Vec::new();
        for (kind, destinations) in asked {
            // An output that names no destination would go to all of them.
            if let Some(destinations) = destinations.filter(|it| !it.is_empty()) {
                let mut one = self.output(kind);
                one.destinations = destinations;
                outputs.push(one);
            }
        }
        outputs
    }

    fn output(&self, kind: Type) -> Output {
        let mut w =
            Writer::with_capacity(self.entries.iter().map(|it| it.resource.len() + 300).sum());
        w.text("resourceType", Some("Bundle"));
        w.text("type", Some(kind.code()));
        if let Some(head) = &self.head {
            w.append(head);
        }
        w.array("entry", |w| {
            // FHIR R4, messaging: the first resource of the bundle is the MessageHeader.
            let (first, rest): (Vec<&Entry>, Vec<&Entry>) =
                self.entries.iter().partition(|it| it.kind == "MessageHeader");
            for entry in first.into_iter().chain(rest).filter(|it| kind.has(it)) {
                w.element(|w| entry.write(w, kind));
            }
        });
        output("fhir-json", w.into_text())
    }
}

impl Entry {
    fn write(&self, w: &mut Writer, kind: Type) {
        w.text("fullUrl", Some(&self.urn));
        w.whole("resource", &self.resource);
        if kind != Type::Transaction {
            return;
        }
        w.object("request", |w| match &self.request {
            Request::Put(url) => {
                w.text("method", Some("PUT"));
                w.text("url", Some(url));
            }
            Request::PostUnless { kind, query } => {
                w.text("method", Some("POST"));
                w.text("url", Some(kind));
                w.text("ifNoneExist", Some(query));
            }
            Request::Nothing => {}
        });
    }
}
