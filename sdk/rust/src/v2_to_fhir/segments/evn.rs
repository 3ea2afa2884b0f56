//! EVN: the Provenance of an event.

use super::msh;
use crate::hl7::Segment;
use crate::v2_to_fhir::bundle::{Bundle, Identity, Urn};
use crate::v2_to_fhir::people::{location, practitioner};
use crate::v2_to_fhir::{codes, datatypes, row};

/// `EVN[Provenance]`, and `MSH[Provenance-Operator]` where EVN-5 names nobody; `operator` is the
/// message's row for that. None if nobody answers for the event: FHIR requires somebody.
pub fn provenance(
    bundle: &mut Bundle<'_>,
    evn: Segment<'_>,
    operator: &'static str,
) -> Option<Urn> {
    let msh = bundle.ctx().hl7.segment(0)?;
    bundle.add("Provenance", "Provenance[3]", Identity::None, |w, refs| {
        w.array("target", |w| {
            msh::header(w, refs);
        });
        let recorded = w.text("recorded", msh::instant(evn.field(2)));
        if !row("segments/EVN[Provenance]#3", recorded)
            && !w.text("recorded", msh::instant(msh.field(7)))
        {
            msh::received(w, refs);
        }
        let occurred = datatypes::date_time(evn.field(6));
        row("segments/EVN[Provenance]#9", w.text("occurredDateTime", occurred));
        let kind = ["event - :", &msh::written_type(msh.field(9), 2)].concat();
        row("segments/EVN[Provenance]#1", msh::activity(w, &kind));
        let reason = evn.field(4);
        w.array("reason", |w| {
            if reason.code() == Some("U") {
                let unknown = w.element(|w| {
                    w.array("extension", |w| {
                        w.element(|w| {
                            // The extension holds a code; the guide has it as a CodeableConcept.
                            w.text(
                                "url",
                                Some("http://hl7.org/fhir/StructureDefinition/data-absent-reason"),
                            );
                            w.text("valueCode", Some("unknown"));
                        });
                    });
                });
                row("segments/EVN[Provenance]#6", unknown);
                row("segments/EVN[Provenance]#7", unknown);
            } else {
                let known = w.element_if(|w| {
                    datatypes::cwe_concept_of(w, refs.ctx(), reason, &codes::EVENT_REASON)
                });
                row("segments/EVN[Provenance]#5", known);
            }
        });
        let place = location::hd(w, "location", refs, evn.field(7));
        row("segments/EVN[Provenance]#10", place);
        let is_known = w.array("agent", |w| {
            for who in evn.repetitions(5) {
                let written = w.element(|w| {
                    practitioner::xcn(w, "who", refs, who);
                });
                row("segments/EVN[Provenance]#8", written);
            }
            if w.is_empty() {
                row(operator, msh::operator(w, refs, msh));
            }
        });
        if !is_known {
            refs.leave_out();
        }
    })
}
