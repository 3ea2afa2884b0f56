//! PRT-15, of which PRT-23 says which kind is preferred.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::datatypes;
use crate::v2_to_fhir::people::noted;

/// The numbers of the rows that depend on PRT-23.
pub(super) struct Rows {
    map: &'static str,
    /// Without a preference, and the first of those with one.
    telecom: [usize; 2],
    /// The first of those that say so, two for each preference.
    preferred: usize,
}

pub(super) const ROLE: Rows =
    Rows { map: "segments/PRT[PractitionerRole]", telecom: [16, 17], preferred: 30 };
pub(super) const PERSON: Rows =
    Rows { map: "segments/PRT[RelatedPerson]", telecom: [16, 17], preferred: 29 };

/// What PRT-23 may prefer, in the guide's order, and whether a telecom (XTN.2, XTN.3) is of it: mail,
/// a mobile, at work, a fax, at home.
const PREFERENCES: [&str; 6] = ["B", "C", "E", "F", "H", "O"];

/// The array `telecom`.
pub(super) fn telecoms(w: &mut Writer, prt: Segment<'_>, rows: Option<&Rows>) -> bool {
    let preference = prt.field(23).component(1).code();
    let at = preference.and_then(|it| PREFERENCES.iter().position(|known| *known == it));
    w.array("telecom", |w| {
        for (number, field) in prt.repetitions(15).enumerate() {
            // The first is the one that the preference is about: PRT says no more.
            let is_preferred = number == 0 && at.is_some();
            w.element_if(|w| {
                let written = if is_preferred {
                    datatypes::xtn_preferred(w, field)
                } else {
                    datatypes::xtn_contact_point(w, field, None)
                };
                if let Some(rows) = rows {
                    note(rows, at, is_preferred, written);
                }
                written
            });
        }
    })
}

fn note(rows: &Rows, at: Option<usize>, is_preferred: bool, written: bool) {
    let Some(at) = at else {
        noted(rows.map, rows.telecom[0], written);
        return;
    };
    noted(rows.map, rows.telecom[1] + at, written);
    if is_preferred {
        noted(rows.map, rows.preferred + 2 * at, written);
        noted(rows.map, rows.preferred + 2 * at + 1, written);
    }
}
