//! PRT-10 and PRT-16 to PRT-22: a device.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::people::{ei_identifier, ei_key, noted};
use crate::v2_to_fhir::{Refs, datatypes};

const MAP: &str = "segments/PRT[Device]";

/// `segments/PRT[Device]`: writes the device, and a reference to it. One that somebody gave a number is
/// an entry of its own, else it is contained.
pub fn device(w: &mut Writer, key: &str, refs: &mut Refs<'_, '_>, prt: Segment<'_>) -> bool {
    if ![10, 16, 20, 22].into_iter().any(|it| prt.is_valued(it)) {
        return false;
    }
    let known = ei_key(refs.ctx(), prt.field(10)).filter(|it| it.system.is_some());
    let identity = known.filter(|_| !is_carrier(prt));
    refs.mention(w, key, "Device", identity, |w, refs| {
        w.array("identifier", |w| {
            if !is_carrier(prt) {
                let own = w.element_if(|w| ei_identifier(w, refs.ctx(), prt.field(10)));
                noted(MAP, 12, own);
            }
        });
        carriers(w, prt);
        // The guide has it as a string, and it is an EI.
        noted(MAP, 23, w.text("distinctIdentifier", prt.field(21).component(1).text()));
        noted(MAP, 19, w.text("manufactureDate", datatypes::date_time(prt.field(17))));
        noted(MAP, 20, w.text("expirationDate", datatypes::date_time(prt.field(18))));
        noted(MAP, 21, w.text("lotNumber", prt.field(19).text()));
        noted(MAP, 22, w.text("serialNumber", prt.field(20).text()));
        kind(w, refs, prt);
    })
}

/// Whether PRT-10 is what is printed on the device: readable by people (HRF: `(01)…`) or machines
/// (AIDC: `]d2…` and the like), and no number that somebody gave it.
fn is_carrier(prt: Segment<'_>) -> bool {
    let id = prt.field(10).component(1).code().unwrap_or_default();
    ["(01)", "]", "+", "="].into_iter().any(|it| id.starts_with(it))
}

fn carriers(w: &mut Writer, prt: Segment<'_>) {
    w.array("udiCarrier", |w| {
        if is_carrier(prt) {
            carrier(w, prt, 10, 11);
        }
        carrier(w, prt, 16, 18);
    });
}

fn carrier(w: &mut Writer, prt: Segment<'_>, field: usize, number: usize) {
    let written = w.element(|w| {
        let written = w.text("deviceIdentifier", prt.field(field).component(1).text());
        noted("datatypes/EI[Device-udiCarrier]", 1, written);
    });
    noted(MAP, number, written);
}

fn kind(w: &mut Writer, refs: &mut Refs<'_, '_>, prt: Segment<'_>) {
    let written = w.object_if("type", |w| datatypes::cne_concept(w, refs.ctx(), prt.field(22)));
    noted(MAP, 24, written);
}
