//! `datatypes/HD[MessageHeader.…]`: who sent a message and who is to get it.

use std::borrow::Cow;

use crate::Writer;
use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::row;

/// MSH-3 and MSH-24. FHIR requires an endpoint: where there is none, it says why.
pub(super) fn source(w: &mut Writer, msh: Segment<'_>) {
    let [application, address] = [3, 24].map(|it| msh.field(it));
    let is_named = w.text("name", application.component(1).text());
    row("datatypes/HD[MessageHeader.source-name]#1", is_named);
    if let Some(name) = named(address).filter(|_| !is_named) {
        w.text("name", Some(name));
        row("datatypes/HD[MessageHeader.source-endpoint]#6", address.component(2).is_valued());
        row("datatypes/HD[MessageHeader.source-endpoint]#1", !address.component(2).is_valued());
    }
    let software = w.text("software", application.component(2).text());
    row("datatypes/HD[MessageHeader.source-name]#2", software);
    row("segments/MSH[MessageHeader]#3", is_named || software);
    let from = if address.is_valued() { address } else { application };
    // Where there is no id, the name is what the map of the endpoint says too.
    let is_bare = is_named && !address.is_valued() && !application.component(2).is_valued();
    row("datatypes/HD[MessageHeader.source-endpoint]#1", is_bare);
    let id = if address.is_valued() {
        "segments/MSH[MessageHeader]#29"
    } else {
        "segments/MSH[MessageHeader]#4"
    };
    match Endpoint::of(from) {
        Some(endpoint) => {
            row(endpoint.source_row(), w.text("endpoint", Some(&endpoint.uri)));
            row(id, true);
        }
        None => {
            absent(w);
            row("datatypes/HD[MessageHeader.source-endpoint]#7", true);
            row("datatypes/HD[MessageHeader.source-endpoint]#8", true);
            row(id, from.is_valued());
            row("segments/MSH[MessageHeader]#30", !from.is_valued());
            row("segments/MSH[MessageHeader]#31", !from.is_valued());
        }
    }
}

/// Name and endpoint of MSH-25, else of MSH-5.
pub(super) fn destination(w: &mut Writer, msh: Segment<'_>) {
    let [application, address] = [5, 25].map(|it| msh.field(it));
    let is_addressed = address.is_valued();
    let from = if is_addressed { address } else { application };
    let id = if is_addressed {
        "segments/MSH[MessageHeader]#32"
    } else {
        "segments/MSH[MessageHeader]#8"
    };
    if w.text("name", from.component(1).text()) {
        row("datatypes/HD[MessageHeader.destination-endpoint]#1", true);
        row(id, true);
        // MSH-25 names the destination better than MSH-5.2, which is an id.
        row("segments/MSH[MessageHeader]#7", is_addressed && application.is_valued());
    } else if is_addressed && w.text("name", application.component(2).text()) {
        row("datatypes/HD[MessageHeader.destination-name]#2", true);
        row("segments/MSH[MessageHeader]#7", true);
    }
    match Endpoint::of(from) {
        Some(endpoint) => {
            row(endpoint.destination_row(), w.text("endpoint", Some(&endpoint.uri)));
            row(id, true);
        }
        None => {
            absent(w);
            row("datatypes/HD[MessageHeader.destination-endpoint]#5", true);
            row("datatypes/HD[MessageHeader.destination-endpoint]#6", true);
            row(id, from.is_valued());
            row("segments/MSH[MessageHeader]#33", !from.is_valued());
            row("segments/MSH[MessageHeader]#34", !from.is_valued());
        }
    }
}

/// Rows 30 and 31, 33 and 34: the extension by its canonical URL (the guide has that of its page).
fn absent(w: &mut Writer) {
    w.object("_endpoint", |w| {
        w.array("extension", |w| {
            w.element(|w| {
                w.text("url", Some("http://hl7.org/fhir/StructureDefinition/data-absent-reason"));
                w.text("valueCode", Some("unknown"));
            });
        });
    });
}

/// `HD.1 - HD.3:HD.2` where the id says nothing by itself.
fn named(address: Field<'_>) -> Option<Cow<'_, str>> {
    let [name, id, kind] = [1, 2, 3].map(|it| address.component(it).text());
    let Some(id) = id else {
        return name;
    };
    if kind.as_deref().is_some_and(|it| matches!(it, "ISO" | "UUID" | "DNS" | "URI")) {
        return None;
    }
    let (name, kind) = (name.unwrap_or_default(), kind.unwrap_or_default());
    Some(Cow::Owned([&name, " - ", &kind, ":", &id].concat()))
}

/// An address as a URL.
struct Endpoint {
    uri: String,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Iso,
    Uuid,
    Dns,
    Uri,
}

impl Endpoint {
    /// None: there is no universal id, or it is not what its type says.
    fn of(address: Field<'_>) -> Option<Self> {
        let (id, kind) = (address.component(2).text()?, address.component(3).text()?);
        let (before, kind) = match &*kind {
            "ISO" if is_oid(&id) => ("urn:oid:", Kind::Iso),
            "UUID" | "GUID" if is_uuid(&id) => ("urn:uuid:", Kind::Uuid),
            "DNS" if !id.contains(char::is_whitespace) => ("urn:dns:", Kind::Dns),
            // The guide has `urn:uri:` before it, which no reader could follow.
            "URI" | "URL" if id.contains(':') && !id.contains(char::is_whitespace) => {
                ("", Kind::Uri)
            }
            _ => return None,
        };
        Some(Self { uri: [before, &id].concat(), kind })
    }

    fn source_row(&self) -> &'static str {
        match self.kind {
            Kind::Iso => "datatypes/HD[MessageHeader.source-endpoint]#2",
            Kind::Uuid => "datatypes/HD[MessageHeader.source-endpoint]#3",
            Kind::Dns => "datatypes/HD[MessageHeader.source-endpoint]#4",
            Kind::Uri => "datatypes/HD[MessageHeader.source-endpoint]#5",
        }
    }

    fn destination_row(&self) -> &'static str {
        match self.kind {
            Kind::Iso => "datatypes/HD[MessageHeader.destination-endpoint]#2",
            Kind::Uuid => "datatypes/HD[MessageHeader.destination-endpoint]#3",
            Kind::Dns | Kind::Uri => "datatypes/HD[MessageHeader.destination-endpoint]#4",
        }
    }
}

/// Digits and points, without a leading zero in an arc, under one of the three roots.
fn is_oid(text: &str) -> bool {
    let is_arc = |it: &str| {
        !it.is_empty()
            && it.bytes().all(|it| it.is_ascii_digit())
            && (it == "0" || !it.starts_with('0'))
    };
    text.starts_with(['0', '1', '2'])
        && text.as_bytes().get(1) == Some(&b'.')
        && text.split('.').all(is_arc)
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 5
        && parts.iter().zip([8, 4, 4, 4, 12]).all(|(part, length)| {
            part.len() == length && part.bytes().all(|it| it.is_ascii_hexdigit())
        })
}
