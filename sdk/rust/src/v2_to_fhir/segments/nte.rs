//! NTE: `segments/NTE[Observation]`, `NTE[ServiceRequest]` of the guide.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::people::practitioner;
use crate::v2_to_fhir::results::noted;
use crate::v2_to_fhir::results::text::whole;
use crate::v2_to_fhir::{Refs, datatypes};

/// Writes an Annotation (an empty key is an element of `note`), with each repetition of NTE-3 on a line of its own. The guide's
/// message map takes the map of ServiceRequest for the notes of an Observation; they have the same
/// rows.
pub fn annotation(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, nte: Segment<'_>) -> bool {
    let lines: Vec<_> = nte.repetitions(3).filter_map(whole).collect();
    if lines.is_empty() {
        return false;
    }
    w.object(key, |w| {
        let author = practitioner::xcn(w, "authorReference", refs, nte.field(5));
        let time = w.text("time", datatypes::date_time(nte.field(6)));
        w.text("text", Some(lines.join("\n")));
        for map in ["segments/NTE[Observation]", "segments/NTE[ServiceRequest]"] {
            noted(map, 3, true);
            noted(map, 5, author);
            noted(map, 6, time);
        }
    })
}
