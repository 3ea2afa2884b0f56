//! Vital signs. FHIR R4 asks more of an Observation whose LOINC code is one of these, whatever else
//! it says: the category, a time, and a value or the reason why there is none.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::results::unknown_primitive;

/// The codes for which FHIR R4 (`observation-vitalsigns`) has a profile.
const CODES: [&str; 13] = [
    "85353-1", "9279-1", "8867-4", "2708-6", "8310-5", "8302-2", "9843-4", "29463-7", "39156-5",
    "85354-9", "8480-6", "8462-4", "59408-5",
];

/// An OBX that is a vital sign.
#[derive(Clone, Copy, Debug)]
pub(super) struct VitalSign(());

pub(super) fn of(obx: Segment<'_>) -> Option<VitalSign> {
    let code = obx.field(3);
    let is_one = [(1, 3), (4, 6), (10, 12)].into_iter().any(|(number, system)| {
        matches!(code.component(system).code(), Some("LN"))
            && code.component(number).code().is_some_and(|it| CODES.contains(&it))
    });
    is_one.then_some(VitalSign(()))
}

/// Writes an element of `category`.
pub(super) fn category(w: &mut Writer, sign: Option<VitalSign>) {
    if sign.is_none() {
        return;
    }
    w.element(|w| {
        w.array("coding", |w| {
            w.element(|w| {
                let system = "http://terminology.hl7.org/CodeSystem/observation-category";
                w.text("system", Some(system));
                w.text("code", Some("vital-signs"));
            });
        });
    });
}

/// Says that the time is not known, if it is not.
pub(super) fn effective(w: &mut Writer, sign: Option<VitalSign>, is_known: bool) {
    if sign.is_none() || is_known {
        return;
    }
    unknown_primitive(w, "_effectiveDateTime");
}
