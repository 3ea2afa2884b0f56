//! IN3: who manages the case.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::rows::rows;

/// `segments/IN3[CareTeam]`: one element of `participant`. The guide has the role alone; the name
/// (IN3-21) is the member's.
pub fn participant(w: &mut Writer, in3: Segment<'_>) -> bool {
    let Some(manager) = in3.field(21).text() else {
        return false;
    };
    let written = w.element(|w| {
        w.array("role", |w| {
            w.element(|w| {
                w.array("coding", |w| {
                    w.element(|w| {
                        w.text("system", Some("http://snomed.info/sct"));
                        w.text("code", Some("768832004"));
                    });
                });
                w.text("text", Some("case manager"));
            });
        });
        w.object("member", |w| {
            w.text("display", Some(manager));
        });
    });
    rows(
        &["segments/IN3[CareTeam]#21", "segments/IN3[CareTeam]#22", "segments/IN3[CareTeam]#23"],
        written,
    )
}
