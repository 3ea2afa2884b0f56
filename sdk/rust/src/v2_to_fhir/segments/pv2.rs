//! PV2: more of an Encounter. Each function writes what stands together in the resource.

use crate::Writer;
use crate::hl7::Segment;
use crate::is_token;
use crate::v2_to_fhir::people::location as place;
use crate::v2_to_fhir::segments::{msh, pv1::participant};
use crate::v2_to_fhir::{Refs, codes, datatypes, row};

/// `meta.security` (#29).
pub(super) fn protection(w: &mut Writer, pv2: Segment<'_>) {
    let code = pv2.field(22).text();
    let written = w.object("meta", |w| {
        w.array("security", |w| {
            if let Some(code) = code {
                codes::coding(w, "", &codes::YES_NO_INDICATOR, &code);
            }
        });
    });
    row("datatypes/ID[Coding]#1", written);
    row("segments/PV2[Encounter]#29", written);
}

/// Elements of `extension`.
pub(super) fn extensions(w: &mut Writer, refs: &mut Refs<'_, '_>, pv2: Segment<'_>) {
    for (name, field, rows) in [
        ("plannedStartDate", 8, ["segments/PV2[Encounter]#10", "segments/PV2[Encounter]#11"]),
        ("plannedEndDate", 9, ["segments/PV2[Encounter]#12", "segments/PV2[Encounter]#13"]),
    ] {
        let written = w.element_if(|w| {
            let url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.";
            w.text("url", Some([url, name].concat()));
            w.text("valueDateTime", datatypes::date_time(pv2.field(field)))
        });
        for id in rows {
            row(id, written);
        }
    }
    let arrived = w.element_if(|w| {
        w.text("url", Some("http://hl7.org/fhir/StructureDefinition/encounter-modeOfArrival"));
        w.object_if("valueCoding", |w| {
            msh::coding_of(w, refs.ctx(), pv2.field(38), &codes::MODE_OF_ARRIVAL_CODE)
        })
    });
    row("segments/PV2[Encounter]#45", arrived);
    row("segments/PV2[Encounter]#46", arrived);
}

pub(super) fn priority(w: &mut Writer, refs: &mut Refs<'_, '_>, pv2: Segment<'_>) {
    let written = w.object_if("priority", |w| {
        datatypes::cwe_concept_of(w, refs.ctx(), pv2.field(25), &codes::ENCOUNTER_PRIORITY)
    });
    row("segments/PV2[Encounter]#32", written);
}

/// Elements of `participant`: PV2-13 (#17 to #20).
pub(super) fn referrer(w: &mut Writer, refs: &mut Refs<'_, '_>, pv2: Segment<'_>) {
    for who in pv2.repetitions(13) {
        let written = participant(w, refs, who, "REF", "referrer", true);
        for id in [
            "segments/PV2[Encounter]#17",
            "segments/PV2[Encounter]#18",
            "segments/PV2[Encounter]#19",
            "segments/PV2[Encounter]#20",
        ] {
            row(id, written);
        }
    }
}

/// `length` (#15): `datatypes/NM[Quantity-LengthOfStay]`, with the system as FHIR writes it.
pub(super) fn length(w: &mut Writer, pv2: Segment<'_>) {
    let days = pv2.field(11).text().filter(|it| is_token(it) || !it.starts_with('-'));
    let written = w.object_if("length", |w| {
        let written = w.number("value", days);
        w.text("unit", Some("days"));
        w.text("system", Some("http://unitsofmeasure.org"));
        w.text("code", Some("d"));
        written
    });
    for id in [
        "datatypes/NM[Quantity-LengthOfStay]#1",
        "datatypes/NM[Quantity-LengthOfStay]#2",
        "datatypes/NM[Quantity-LengthOfStay]#3",
        "datatypes/NM[Quantity-LengthOfStay]#4",
        "segments/PV2[Encounter]#15",
    ] {
        row(id, written);
    }
}

/// `reasonCode` (#5).
pub(super) fn reason(w: &mut Writer, refs: &mut Refs<'_, '_>, pv2: Segment<'_>) {
    let written = w.array("reasonCode", |w| {
        w.element_if(|w| datatypes::cwe_concept(w, refs.ctx(), pv2.field(3)));
    });
    row("segments/PV2[Encounter]#5", written);
}

/// An element of `location`: PV2-1 (#1, #2).
pub(super) fn location(w: &mut Writer, refs: &mut Refs<'_, '_>, pv2: Segment<'_>) {
    let written = w.element_if(|w| {
        let written = place::pl(w, "location", refs, pv2.field(1));
        w.text("status", Some("planned"));
        written
    });
    row("segments/PV2[Encounter]#1", written);
    row("segments/PV2[Encounter]#2", written);
}

/// `text` (#16). A token cannot be escaped for XHTML, and what it stands for might be markup: a
/// sealed description is left out.
pub(super) fn narrative(w: &mut Writer, pv2: Segment<'_>) {
    let Some(text) = pv2.field(12).text().filter(|it| !is_token(it)) else {
        return;
    };
    let mut div = String::from("<div xmlns=\"http://www.w3.org/1999/xhtml\">");
    for character in text.chars() {
        match character {
            '<' => div.push_str("&lt;"),
            '>' => div.push_str("&gt;"),
            '&' => div.push_str("&amp;"),
            '\n' => div.push_str("<br/>"),
            _ => div.push(character),
        }
    }
    div.push_str("</div>");
    let written = w.object("text", |w| {
        w.text("status", Some("additional"));
        w.text("div", Some(div));
    });
    row("segments/PV2[Encounter]#16", written);
}
