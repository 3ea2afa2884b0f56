//! The kinds of identifiers that results have; and OG, which says where in a group of results an
//! observation belongs.

use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::rows::row;

/// Writes the type of an identifier, of table 0203.
pub fn kind(w: &mut Writer, code: &str) -> bool {
    w.object("type", |w| {
        w.array("coding", |w| {
            w.element(|w| coding(w, code));
        });
    })
}

/// Fills a coding of table 0203.
pub fn coding(w: &mut Writer, code: &str) {
    // R4 holds the table as it was before these: with its URI they would be wrong codes.
    let is_younger = matches!(code, "FGN" | "PGN" | "SHIP");
    let system = "http://terminology.hl7.org/CodeSystem/v2-0203";
    w.text("system", (!is_younger).then_some(system));
    w.text("code", Some(code));
}

/// Writes the extension of an OG, or of the plain sub-identifier of older versions:
/// `datatypes/OG[Extension-Subidentifier]`.
pub fn og_extension(w: &mut Writer, og: Field<'_>) -> bool {
    const URL: &str = "http://hl7.org/fhir/StructureDefinition/observation-v2-subid";
    w.element_if(|w| {
        w.text("url", Some(URL));
        w.array("extension", |w| {
            let original = part(w, "original-sub-identifier", |w| {
                w.text("valueString", og.component(1).text())
            });
            row("datatypes/OG[Extension-Subidentifier]#1", original);
            row("datatypes/OG[Extension-Subidentifier]#2", original);
            let group = part(w, "group", |w| w.number("valueDecimal", og.component(2).text()));
            row("datatypes/OG[Extension-Subidentifier]#3", group);
            row("datatypes/OG[Extension-Subidentifier]#4", group);
            let sequence =
                part(w, "sequence", |w| w.number("valueDecimal", og.component(3).text()));
            row("datatypes/OG[Extension-Subidentifier]#5", sequence);
            row("datatypes/OG[Extension-Subidentifier]#6", sequence);
            let identifier =
                part(w, "identifier", |w| w.text("valueString", og.component(4).text()));
            row("datatypes/OG[Extension-Subidentifier]#7", identifier);
            row("datatypes/OG[Extension-Subidentifier]#8", identifier);
        })
    })
}

fn part(w: &mut Writer, url: &str, fill: impl FnOnce(&mut Writer) -> bool) -> bool {
    w.element_if(|w| {
        w.text("url", Some(url));
        fill(w)
    })
}
