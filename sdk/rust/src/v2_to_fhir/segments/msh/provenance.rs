//! `MSH[Provenance-…]`: where the message came from, who answers for it, and what made FHIR of it.

use crate::hl7::Segment;
use crate::v2_to_fhir::bundle::{Bundle, Identity, Urn};
use crate::v2_to_fhir::people::{device, organization};
use crate::v2_to_fhir::segments::sft;
use crate::v2_to_fhir::{Refs, row};
use crate::{Writer, conversions};

use super::{HEADER, identifier, instant, written_type};

const AGENT_TYPES: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";

/// `MSH[Provenance-Source]`, and the SFTs: the first software is the one that wrote the message, the
/// others handed it on. None without a sender, whom the guide asks for and FHIR too.
pub fn source(
    bundle: &mut Bundle<'_>,
    msh: Segment<'_>,
    software: [&'static str; 2],
) -> Option<Urn> {
    bundle.add("Provenance", "Provenance[1]", Identity::None, |w, refs| {
        w.array("target", |w| {
            header(w, refs);
            of_bundle(w, msh, refs);
        });
        let occurred = msh.field(7).text().and_then(|it| conversions::fhir_date_time(&it));
        row("segments/MSH[Provenance-Source]#15", w.text("occurredDateTime", occurred));
        if !row("segments/MSH[Provenance-Source]#14", w.text("recorded", instant(msh.field(7)))) {
            received(w, refs);
        }
        let activity = activity(w, &["message - ", &written_type(msh.field(9), 3)].concat());
        row("segments/MSH[Provenance-Source]#17", activity);
        let is_sent = w.array("agent", |w| {
            if msh.is_valued(22) {
                let written =
                    agent(w, "author", |w| organization::xon(w, "who", refs, msh.field(22)));
                row("segments/MSH[Provenance-Source]#30", written);
                row("segments/MSH[Provenance-Source]#31", written);
                row("segments/MSH[Provenance-Source]#32", written);
            } else {
                let written =
                    agent(w, "author", |w| organization::hd(w, "who", refs, msh.field(4)));
                row("segments/MSH[Provenance-Source]#9", written);
                row("segments/MSH[Provenance-Source]#10", written);
                row("segments/MSH[Provenance-Source]#11", written);
            }
        });
        if !is_sent {
            refs.leave_out();
        }
        w.array("entity", |w| {
            let kept = original(w, refs);
            row("segments/MSH[Provenance-Source]#1", kept);
            row("segments/MSH[Provenance-Source]#4", kept);
            if msh.is_valued(3) && msh.is_valued(24) {
                let written = w.element_if(|w| {
                    w.text("role", Some("source"));
                    device::hd(w, "what", refs, msh.field(3))
                });
                row("segments/MSH[Provenance-Source]#7", written);
                for (component, id) in [
                    (1, "datatypes/HD[Identifier]#1"),
                    (2, "datatypes/HD[Identifier]#2"),
                    (3, "datatypes/HD[Identifier]#3"),
                ] {
                    row(id, written && msh.field(3).component(component).is_valued());
                }
                row("segments/MSH[Provenance-Source]#8", written);
            }
            for (index, segment) in msh.hl7().all("SFT").enumerate() {
                let (role, id) = match index {
                    0 => ("source", software[0]),
                    _ => ("derivation", software[1]),
                };
                let written = w.element_if(|w| {
                    w.text("role", Some(role));
                    sft::device(w, "what", refs, segment)
                });
                row(id, written);
            }
        });
    })
}

/// `MSH[Provenance-Transformation]`. A plugin has no clock: the time is that of the message's
/// arrival. `mapping` is the name of what maps.
pub fn transformation(bundle: &mut Bundle<'_>, msh: Segment<'_>, mapping: &str) -> Option<Urn> {
    bundle.add("Provenance", "Provenance[2]", Identity::None, |w, refs| {
        w.array("target", |w| {
            of_bundle(w, msh, refs);
        });
        row("segments/MSH[Provenance-Transformation]#3", received(w, refs));
        let policy = w.array("policy", |w| {
            w.item(Some("http://hl7.org/fhir/uv/v2mappings"));
        });
        row("segments/MSH[Provenance-Transformation]#4", policy);
        w.object("activity", |w| {
            w.array("coding", |w| {
                w.element(|w| {
                    w.text("system", Some("http://hl7.org/fhir/uv/v2mappings/CodeSystem/provenance-activity-type-v2-to-fhir"));
                    w.text("code", Some("v2-fhir-transformation"));
                });
            });
        });
        row("segments/MSH[Provenance-Transformation]#1", true);
        row("segments/MSH[Provenance-Transformation]#2", true);
        let made = w.array("agent", |w| {
            agent(w, "assembler", |w| {
                w.object("who", |w| {
                    w.text("type", Some("Device"));
                    w.text("display", Some(mapping));
                })
            });
        });
        row("segments/MSH[Provenance-Transformation]#5", made);
        row("segments/MSH[Provenance-Transformation]#6", made);
        row("segments/MSH[Provenance-Transformation]#7", made);
        let kept = w.array("entity", |w| {
            original(w, refs);
        });
        row("segments/MSH[Provenance-Transformation]#8", kept);
        row("segments/MSH[Provenance-Transformation]#10", kept);
        row("segments/MSH[Provenance-Transformation]#11", kept);
    })
}

/// `MSH[Provenance-Operator]`: who answers for the event where EVN-5 names nobody. An element of
/// `agent`. The guide reads MSH-22 as HD; it is an XON.
pub fn operator(w: &mut Writer, refs: &mut Refs<'_, '_>, msh: Segment<'_>) -> bool {
    if msh.is_valued(22) {
        let written = w.element(|w| {
            organization::xon(w, "who", refs, msh.field(22));
        });
        return row("segments/MSH[Provenance-Operator]#22", written);
    }
    let written = w.element(|w| {
        organization::hd(w, "who", refs, msh.field(4));
    });
    row("segments/MSH[Provenance-Operator]#4", written)
}

/// The message's header, as a target.
pub(in crate::v2_to_fhir::segments) fn header(w: &mut Writer, refs: &Refs<'_, '_>) -> bool {
    w.element(|w| {
        w.text("reference", Some(&refs.urn(HEADER)));
    })
}

/// The Bundle that all of this stands in, by its identifier: a resource cannot refer to the Bundle
/// around it in any other way.
fn of_bundle(w: &mut Writer, msh: Segment<'_>, refs: &Refs<'_, '_>) -> bool {
    w.element(|w| {
        w.text("type", Some("Bundle"));
        let known = w.object("identifier", |w| {
            identifier(w, msh, refs.ctx());
        });
        if !known {
            w.text("display", Some("the Bundle of this Provenance"));
        }
    })
}

/// An activity that has no code.
pub(in crate::v2_to_fhir::segments) fn activity(w: &mut Writer, display: &str) -> bool {
    w.object("activity", |w| {
        w.array("coding", |w| {
            w.element(|w| {
                w.text("display", Some(display));
            });
        });
    })
}

/// When the gateway got the message.
pub(in crate::v2_to_fhir::segments) fn received(w: &mut Writer, refs: &Refs<'_, '_>) -> bool {
    w.text("recorded", Some(&refs.ctx().facts().received))
}

/// One agent of a type, if there is one.
pub(in crate::v2_to_fhir::segments) fn agent(
    w: &mut Writer,
    code: &str,
    who: impl FnOnce(&mut Writer) -> bool,
) -> bool {
    w.element_if(|w| {
        w.object("type", |w| {
            w.array("coding", |w| {
                w.element(|w| {
                    w.text("system", Some(AGENT_TYPES));
                    w.text("code", Some(code));
                });
            });
        });
        who(w)
    })
}

/// The message as it came. The gateway keeps it under its id, so that the entity says where, and
/// does not repeat it.
fn original(w: &mut Writer, refs: &mut Refs<'_, '_>) -> bool {
    let url = ["urn:uuid:", &refs.ctx().facts().id].concat();
    w.element_if(|w| {
        w.text("role", Some("source"));
        refs.mention(w, "what", "DocumentReference", None, |w, _| {
            w.text("status", Some("current"));
            w.array("content", |w| {
                w.element(|w| {
                    w.object("attachment", |w| {
                        w.text("contentType", Some("x-application/hl7-v2+er7"));
                        w.text("url", Some(&url));
                    });
                });
            });
        })
    })
}
