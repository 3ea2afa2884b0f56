//! HD and CWE: a device or a program.

use super::noted;
use super::organization::{hd_identifiers, hd_identity};
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::{Refs, datatypes};

/// `datatypes/HD[Device]`: writes the device, and a reference to it.
pub fn hd(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    refs.mention(w, key, "Device", hd_identity(field), |w, _| {
        hd_identifiers(w, "datatypes/HD[Device]", field);
    })
}

/// `datatypes/CWE[Device]`: writes the device, and a reference to it. The code is taken for the one
/// device and not for its kind.
pub fn cwe(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    const CWE: &str = "datatypes/CWE[Device]";
    /// Where code, name and system stand, and the rows of value, system, name and its type.
    const PARTS: [([usize; 3], [usize; 4]); 3] =
        [([1, 2, 3], [1, 5, 3, 4]), ([4, 5, 6], [7, 11, 9, 10]), ([10, 11, 12], [17, 21, 19, 20])];
    let ctx = refs.ctx();
    refs.mention(w, key, "Device", None, |w, _| {
        w.array("identifier", |w| {
            for ([code, _, system], [value_row, system_row, ..]) in PARTS {
                w.element_if(|w| {
                    let name = field.component(system).text();
                    let system = name.and_then(|it| datatypes::system_of(ctx, &it));
                    noted(CWE, system_row, w.text("system", system));
                    noted(CWE, value_row, w.text("value", field.component(code).text()))
                });
            }
        });
        w.array("deviceName", |w| {
            let original = ([9, 9, 9], [0, 0, 15, 16]);
            for ([_, name, _], [.., name_row, type_row]) in PARTS.into_iter().chain([original]) {
                w.element_if(|w| {
                    let written =
                        noted(CWE, name_row, w.text("name", field.component(name).text()));
                    noted(CWE, type_row, written && w.text("type", Some("user-friendly-name")))
                });
            }
        });
    })
}
