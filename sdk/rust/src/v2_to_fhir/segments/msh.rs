//! MSH: the Bundle, the MessageHeader, the Provenance of the message and of its mapping, and the
//! status of a visit that is not what it was.
//!
//! Row 17 of `MSH[Provenance-Source]` and its like take the message type as it came.

mod endpoint;
mod provenance;

pub(super) use provenance::{activity, agent, header, received};
pub use provenance::{operator, source, transformation};

use std::borrow::Cow;

use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::bundle::{Bundle, Identity, Urn};
use crate::v2_to_fhir::people::{device, organization};
use crate::v2_to_fhir::{Context, Refs, codes, datatypes, row};
use crate::{Writer, conversions, name_based};

/// The name of the entry: only one message has sent it.
pub const HEADER: &str = "MessageHeader[1]";

/// The space of the control ids of one sender (RFC 9562).
const CONTROL_IDS: &str = "0d3c9b53-6a0e-5c3f-9a55-6f1d2b6c7e21";

/// `MSH[Bundle]`: members of the Bundle itself.
pub fn bundle(w: &mut Writer, msh: Segment<'_>, ctx: &Context<'_>) {
    // The guide means a message; a route may ask for other types besides, or instead.
    row("segments/MSH[Bundle]#1", ctx.setting("message").is_some());
    w.object("identifier", |w| {
        identifier(w, msh, ctx);
    });
    row("segments/MSH[Bundle]#8", w.text("timestamp", instant(msh.field(7))));
}

/// MSH-10 is unique for its sender: the system is made of MSH-3 and MSH-4, or the setting
/// `system.control-id`.
fn identifier(w: &mut Writer, msh: Segment<'_>, ctx: &Context<'_>) -> bool {
    let Some(control_id) = msh.field(10).text() else {
        return false;
    };
    match ctx.setting("system.control-id") {
        Some(system) => w.text("system", Some(&*system)),
        None => {
            let sender = [msh.field(3).raw(), "|", msh.field(4).raw()].concat();
            w.text("system", Some(name_based::urn(CONTROL_IDS, &sender)))
        }
    };
    row("segments/MSH[Bundle]#12", true);
    row("segments/MSH[Bundle]#11", w.text("value", Some(control_id)))
}

/// `MSH[MessageHeader]`, about these entries.
pub fn message_header(bundle: &mut Bundle<'_>, msh: Segment<'_>, focus: &[Urn]) -> Option<Urn> {
    bundle.add("MessageHeader", HEADER, Identity::None, |w, refs| {
        w.object("meta", |w| meta(w, refs, msh));
        row("segments/MSH[MessageHeader]#23", w.text("language", language(msh.field(19))));
        w.object("eventCoding", |w| event(w, msh.field(9)));
        w.array("destination", |w| {
            w.element(|w| {
                endpoint::destination(w, msh);
                let target = device::hd(w, "target", refs, msh.field(5));
                row("segments/MSH[MessageHeader]#6", target);
                let receiver = organization::xon(w, "receiver", refs, msh.field(23));
                if !row("segments/MSH[MessageHeader]#28", receiver) {
                    let receiver = organization::hd(w, "receiver", refs, msh.field(6));
                    row("segments/MSH[MessageHeader]#9", receiver);
                }
            });
        });
        sender(w, msh, refs);
        let responsible = organization::xon(w, "responsible", refs, msh.field(22));
        row("segments/MSH[MessageHeader]#27", responsible);
        w.object("source", |w| endpoint::source(w, msh));
        w.array("focus", |w| {
            for urn in focus {
                w.element(|w| {
                    w.text("reference", Some(urn));
                });
            }
        });
    })
}

/// MSH-4, and MSH-17 as its country.
fn sender(w: &mut Writer, msh: Segment<'_>, refs: &mut Refs<'_, '_>) {
    let country = msh.field(17).text();
    let sent = organization::hd_with(w, "sender", refs, msh.field(4), |w, _| {
        w.array("address", |w| {
            w.element(|w| {
                let known =
                    country.as_deref().and_then(|it| codes::value(&codes::COUNTRY_CODE, it));
                let written = w.text("country", known.or(country.as_deref()));
                row("segments/MSH[MessageHeader]#21", written);
            });
        });
    });
    row("segments/MSH[MessageHeader]#5", sent);
}

fn meta(w: &mut Writer, refs: &mut Refs<'_, '_>, msh: Segment<'_>) {
    w.array("security", |w| {
        // MSH-8 is free text: what its letters mean is between sender and receiver.
        let label = w.element(|w| {
            w.text("display", msh.field(8).text());
        });
        row("segments/MSH[MessageHeader]#12", label);
        let confidentiality = w.element_if(|w| {
            let table = &codes::CONFIDENTIALITY_CLASSIFICATION;
            coding_of(w, refs.ctx(), msh.field(26), table)
        });
        row("segments/MSH[MessageHeader]#35", confidentiality);
        for handling in msh.repetitions(27) {
            let written = w.element_if(|w| {
                let table = &codes::SECURITY_LABEL_HANDLING_INSTRUCTIONS;
                coding_of(w, refs.ctx(), handling, table)
            });
            row("segments/MSH[MessageHeader]#36", written);
        }
    });
    // datatypes/PT[Meta]
    let tags = w.array("tag", |w| {
        let [processing, mode] = [1, 2].map(|it| msh.field(11).component(it).text());
        let tag = |w: &mut Writer, table, system, code: Option<Cow<'_, str>>| {
            let code = code.and_then(|it| codes::value(table, &it));
            w.element_if(|w| {
                w.text("system", Some(system));
                w.text("code", code)
            })
        };
        let written = tag(
            w,
            &codes::PROCESSING_ID,
            "http://terminology.hl7.org/CodeSystem/v2-0103",
            processing,
        );
        row("datatypes/PT[Meta]#1", written);
        row("datatypes/PT[Meta]#2", written);
        let written =
            tag(w, &codes::PROCESSING_MODE, "http://terminology.hl7.org/CodeSystem/v2-0207", mode);
        row("datatypes/PT[Meta]#3", written);
        row("datatypes/PT[Meta]#4", written);
    });
    row("segments/MSH[MessageHeader]#15", tags);
}

/// `datatypes/MSG[Coding]`.
fn event(w: &mut Writer, kind: Field<'_>) {
    let code = kind.component(2).text();
    if code.is_some() {
        w.text("system", Some("http://terminology.hl7.org/CodeSystem/v2-0003"));
        row("datatypes/MSG[Coding]#4", true);
    }
    row("datatypes/MSG[Coding]#3", w.text("code", code));
    let written = w.text("display", Some(written_type(kind, 3)));
    row("datatypes/MSG[Coding]#1", written);
    row("segments/MSH[MessageHeader]#13", written);
}

/// `ADT^A01^ADT_A01`, of as many parts as there are.
pub(super) fn written_type(kind: Field<'_>, parts: usize) -> String {
    let mut text = String::new();
    for number in 1..=parts {
        let Some(part) = kind.component(number).text() else { break };
        if number > 1 {
            text.push('^');
        }
        text.push_str(&part);
    }
    text
}

/// The guide's table has languages of FHIR alone; a code that has the form of BCP 47 is one.
fn language(field: Field<'_>) -> Option<Cow<'_, str>> {
    field.text().filter(|it| is_language(it))
}

/// `de`, `de-AT`: the form of the codes in FHIR's own list of languages.
pub(super) fn is_language(code: &str) -> bool {
    let is_lower = |it: &[u8]| it.iter().all(u8::is_ascii_lowercase);
    match code.as_bytes() {
        [_, _] => is_lower(code.as_bytes()),
        [a, b, b'-', c, d] => {
            is_lower(&[*a, *b]) && c.is_ascii_uppercase() && d.is_ascii_uppercase()
        }
        _ => false,
    }
}

/// A time as an `instant`, which has seconds and an offset. A token cannot be looked at: the host
/// gives a time that is one if the sender wrote a time of day.
pub(super) fn instant(field: Field<'_>) -> Option<String> {
    let time = conversions::fhir_date_time(&field.text()?)?;
    (crate::is_token(&time) || time.contains('T')).then_some(time)
}

/// `MSH[Encounter]`: what the event says of the visit's status, from `codesystems/Event[EncounterStatus]`.
pub fn encounter_status(msh: Segment<'_>) -> Option<&'static str> {
    let event = msh.field(9).component(2).text()?;
    let status = codes::value(&codes::EVENT_ENCOUNTER_STATUS, &event);
    row("datatypes/MSG[code]#2", status.is_some());
    row("segments/MSH[Encounter]#9", status.is_some());
    status
}

/// `datatypes/CWE[Coding]` by a table of the guide, filled: the table's coding, else the sender's own
/// code. HL7's URI does not go with a code that HL7's table does not have.
pub(super) fn coding_of(
    w: &mut Writer,
    ctx: &Context<'_>,
    field: Field<'_>,
    table: &'static codes::Table,
) -> bool {
    let code = field.component(1).text();
    if let Some(found) = code.as_deref().and_then(|it| codes::find(table, it)) {
        row("datatypes/CWE[Coding]#3", w.text("system", Some(codes::system(table, found))));
        row("datatypes/CWE[Coding]#1", w.text("code", Some(found.code)));
        row("datatypes/CWE[Coding]#2", w.text("display", Some(found.display)));
        return true;
    }
    let code = code.filter(|it| datatypes::is_code(it));
    let system = field.component(3).text().filter(|_| code.is_some());
    let system = system.and_then(|it| datatypes::system_of(ctx, &it));
    let system = system.filter(|it| **it != *table.v2_system);
    row("datatypes/CWE[Coding]#3", w.text("system", system));
    let is_coded = row("datatypes/CWE[Coding]#1", w.text("code", code));
    row("datatypes/CWE[Coding]#2", w.text("display", field.component(2).text())) || is_coded
}
