//! `segments/OBR[Specimen]`, with the first SPM of the same order.

use super::Order;
use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::people::practitioner;
use crate::v2_to_fhir::results::text::whole;
use crate::v2_to_fhir::results::{noted, quantity, source};
use crate::v2_to_fhir::segments::{prt, spm};
use crate::v2_to_fhir::{Bundle, Identity, Refs, Urn, datatypes};
use crate::{Writer, is_token};

const OBR: &str = "segments/OBR[Specimen]";

/// Sections of table 0074 that examine the patient and not a specimen.
const SECTIONS: [&str; 24] = [
    "AU", "CTH", "CT", "CUS", "EC", "EN", "NMR", "NMS", "NRS", "OUS", "OT", "PHR", "PHY", "PT",
    "RAD", "RC", "RT", "RUS", "RX", "VR", "VUS", "XRC", "CRD", "NUR",
];

/// Whether the order has a specimen: what a laboratory reports has one, an X-ray has none.
pub fn has_specimen(it: &Order<'_, '_>) -> bool {
    let is_dated = [7, 8].into_iter().any(|number| it.obr(number).is_valued());
    let section = it.obr(24).code().unwrap_or_default();
    is_described(it) || is_dated && !SECTIONS.contains(&section)
}

/// Whether OBR says more of a specimen than when it was taken: then it is not told in SPM.
pub fn is_described(it: &Order<'_, '_>) -> bool {
    [9, 10, 14, 15, 39].into_iter().any(|number| it.obr(number).is_valued())
}

/// Adds the specimen of an order: what OBR and, if there is one, SPM say of it. `key` is what its
/// derived identifier ends with, `number` makes its name.
pub fn specimen(
    bundle: &mut Bundle<'_>,
    it: &Order<'_, '_>,
    spm: Option<Segment<'_>>,
    key: &str,
    number: usize,
) -> Option<Urn> {
    let name = ["Specimen[", &number.to_string(), "]"].concat();
    bundle.add("Specimen", &name, Identity::derived(key), |w, refs| {
        fill(w, refs, it, spm);
    })
}

fn fill(w: &mut Writer, refs: &mut Refs<'_, '_>, it: &Order<'_, '_>, spm: Option<Segment<'_>>) {
    let ctx = refs.ctx();
    let source = it.obr(15);
    let mut from_source = false;
    w.array("identifier", |w| {
        if let Some(spm) = spm {
            spm::identifiers(w, refs, spm);
        }
        refs.derived_identifier(w);
    });
    if let Some(spm) = spm {
        spm::accession(w, refs, spm);
        spm::status(w, spm);
    }
    if !spm.is_some_and(|spm| spm::kind(w, ctx, spm)) {
        from_source |= source::kind(w, ctx, source);
    }
    refs.to(w, "subject", "Patient");
    if !spm.is_some_and(|spm| spm::received(w, spm)) {
        noted(OBR, 16, w.text("receivedTime", datatypes::date_time(it.obr(14))));
    }
    if let Some(spm) = spm {
        spm::parents(w, refs, spm);
    }
    w.object("collection", |w| {
        if !who(w, refs, it) {
            let mut collectors = it.of_role(&["SC"]);
            collectors.any(|prt| prt::practitioner_role(w, "collector", refs, prt));
        }
        match spm.is_some_and(|spm| spm::collected(w, spm)) {
            false => collected(w, it),
            // The same moment: HL7 wants it so, and sealed it cannot be seen.
            true => {
                let range = spm.map_or(Field::EMPTY, |spm| spm.field(17));
                let times =
                    [range.component(1).code(), it.obr(7).code()].map(Option::unwrap_or_default);
                let is_same = times[0] == times[1] || times.into_iter().all(is_token);
                let is_moment = !range.component(2).is_valued() && !it.obr(8).is_valued();
                noted(OBR, 7, is_same && is_moment && it.obr(7).is_valued());
            }
        }
        if !spm.is_some_and(|spm| spm::quantity(w, ctx, spm)) {
            let written = w.object_if("quantity", |w| quantity::cq(w, ctx, it.obr(9)));
            noted(OBR, 10, written);
        }
        if let Some(spm) = spm {
            spm::method(w, ctx, spm);
        }
        if !spm.is_some_and(|spm| spm::body_site(w, ctx, spm)) {
            from_source |= source::body_site(w, ctx, source);
        }
    });
    w.array("container", |w| {
        if !spm.is_some_and(|spm| spm::containers(w, ctx, spm)) {
            from_source |= source::container(w, ctx, source);
        }
    });
    w.array("condition", |w| {
        if let Some(spm) = spm {
            spm::conditions(w, ctx, spm);
        }
        from_source |= source::condition(w, ctx, source);
    });
    w.array("note", |w| {
        if let Some(spm) = spm {
            spm::note(w, spm);
        }
        from_source |= source::note(w, source);
        for comment in it.obr.into_iter().flat_map(|obr| obr.repetitions(39)) {
            let written = w.element(|w| {
                w.text("text", whole(comment));
            });
            noted(OBR, 43, written);
        }
    });
    noted(OBR, 17, from_source);
}

fn who(w: &mut Writer, refs: &mut Refs<'_, '_>, it: &Order<'_, '_>) -> bool {
    noted(OBR, 11, practitioner::xcn(w, "collector", refs, it.obr(10)))
}

fn collected(w: &mut Writer, it: &Order<'_, '_>) {
    if !it.obr(8).is_valued() {
        let time = datatypes::date_time(it.obr(7));
        noted(OBR, 7, w.text("collectedDateTime", time));
        return;
    }
    w.object("collectedPeriod", |w| {
        noted(OBR, 8, w.text("start", datatypes::date_time(it.obr(7))));
        noted(OBR, 9, w.text("end", datatypes::date_time(it.obr(8))));
    });
}
