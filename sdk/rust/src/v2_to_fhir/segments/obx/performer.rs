//! Who observed: OBX-15, OBX-16, OBX-23 to OBX-25, and the PRT segments after an OBX.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::people::{organization, practitioner};
use crate::v2_to_fhir::segments::prt;
use crate::v2_to_fhir::{Refs, datatypes};

/// Writes `performer`. `is_repeated`: OBX-5 has several values, which are components.
pub(super) fn performers(
    w: &mut Writer,
    refs: &mut Refs<'_, '_>,
    obx: Segment<'_>,
    is_repeated: bool,
    participations: &[Segment<'_>],
    note: impl Fn(usize, usize, bool) -> bool,
) {
    w.array("performer", |w| {
        for observer in obx.repetitions(16) {
            let written = refs.mention(w, "", "PractitionerRole", None, |w, refs| {
                // The two maps of OBX read the same XCN by two maps.
                let is_known = if is_repeated {
                    practitioner::xcn_role_members(w, refs, observer, |_, _| {})
                } else {
                    practitioner::xcn(w, "practitioner", refs, observer)
                };
                if note(51, 53, is_known) {
                    // The guide's system for it does not have it.
                    role(w, None, "responsibleObserver");
                }
            });
            note(52, 54, written);
        }
        // The map for components does not have OBX-15.
        note(49, 0, organization::cwe(w, "", refs, obx.field(15)));
        performing(w, refs, obx, &note);
        for prt in participations.iter().filter(|it| it.is_valued(5)) {
            prt::practitioner_role(w, "", refs, *prt);
        }
    });
}

/// OBX-23 and OBX-24: the organization; with its medical director (OBX-25) as a role.
fn performing(
    w: &mut Writer,
    refs: &mut Refs<'_, '_>,
    obx: Segment<'_>,
    note: &impl Fn(usize, usize, bool) -> bool,
) {
    let organization = |w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, rows: [usize; 4]| {
        let written = organization::xon_with(w, key, refs, obx.field(23), |w, _| {
            let written = w.array("address", |w| {
                w.element_if(|w| datatypes::xad_address(w, obx.field(24)));
            });
            note(rows[2], rows[3], written);
        });
        note(rows[0], rows[1], written && obx.is_valued(23))
    };
    if !obx.is_valued(25) {
        organization(w, "", refs, [62, 64, 64, 66]);
        return;
    }
    refs.mention(w, "", "PractitionerRole", None, |w, refs| {
        let written = practitioner::xcn_role_members(w, refs, obx.field(25), |_, _| {});
        if note(66, 68, written) {
            role(w, Some("http://terminology.hl7.org/CodeSystem/v2-0912"), "MDIR");
            note(67, 69, true);
            note(68, 70, true);
        }
        organization(w, "organization", refs, [63, 65, 65, 67]);
    });
}

fn role(w: &mut Writer, system: Option<&str>, code: &str) {
    w.array("code", |w| {
        w.element(|w| {
            w.array("coding", |w| {
                w.element(|w| {
                    w.text("system", system);
                    w.text("code", Some(code));
                });
            });
        });
    });
}
