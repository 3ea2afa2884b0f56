//! XAD and SAD: addresses.

use super::{cwe_string, dr_period, extension_text, period};
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::rows::rows;
use crate::v2_to_fhir::{codes, row};

/// `datatypes/XAD[Address]`, filled.
pub fn xad_address(w: &mut Writer, field: Field<'_>) -> bool {
    xad_address_in(w, field, None)
}

/// Whether the address names its district.
pub fn xad_has_district(field: Field<'_>) -> bool {
    field.component(9).is_valued()
}

/// `datatypes/XAD[Address]`, filled, in a district that stands elsewhere (PID-12) if it has none
/// itself.
#[inline(never)]
pub fn xad_address_in(w: &mut Writer, field: Field<'_>, district: Option<&str>) -> bool {
    let part = |number| field.component(number);
    if field.raw().is_empty() {
        return district.is_some() && w.text("district", district);
    }
    w.array("extension", |w| {
        let vacation = part(7).text().filter(|it| it == "HV");
        let url = "http://hl7.org/fhir/StructureDefinition/iso21090-AD-use";
        let written = extension_text(w, url, "valueCode", vacation.as_deref());
        rows(&["datatypes/XAD[Address]#9", "datatypes/XAD[Address]#10"], written);
    });
    let code = part(7).text();
    let code = code.as_deref().unwrap_or_default();
    let purpose = codes::value(&codes::ADDRESS_TYPE_USE, code);
    row("datatypes/XAD[Address]#8", w.text("use", purpose));
    let kind = codes::value(&codes::ADDRESS_TYPE_TYPE, code);
    row("datatypes/XAD[Address]#7", w.text("type", kind));
    let inside = w.len();
    w.array("line", |w| {
        row("datatypes/XAD[Address]#1", sad_lines(w, part(1)));
        row("datatypes/XAD[Address]#2", w.item(part(2).text()));
        row("datatypes/XAD[Address]#26", w.item(part(19).text()));
    });
    if part(10).is_valued() {
        w.array("_line", |w| {
            w.element(|w| {
                w.array("extension", |w| census_tract(w, part(10)));
            });
        });
    }
    row("datatypes/XAD[Address]#3", w.text("city", part(3).text()));
    match cwe_string(part(9)) {
        Some(own) => row("datatypes/XAD[Address]#15", w.text("district", Some(own))),
        None => w.text("district", district),
    };
    row("datatypes/XAD[Address]#4", w.text("state", part(4).text()));
    row("datatypes/XAD[Address]#5", w.text("postalCode", part(5).text()));
    row("datatypes/XAD[Address]#6", w.text("country", part(6).text()));
    let has_place = inside < w.len();
    if part(13).is_valued() || part(14).is_valued() {
        let of_period = ["datatypes/XAD[Address]#20", "datatypes/XAD[Address]#21"];
        period(w, "period", [part(13), part(14)], of_period);
    } else {
        row("datatypes/XAD[Address]#19", w.object_if("period", |w| dr_period(w, part(12))));
    }
    has_place
}

/// The guide puts it on the address, as a code; FHIR defines it for a line of one, as a string.
fn census_tract(w: &mut Writer, tract: Field<'_>) {
    let url = "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract";
    let written = extension_text(w, url, "valueString", cwe_string(tract).as_deref());
    rows(&["datatypes/XAD[Address]#16", "datatypes/XAD[Address]#17"], written);
}

/// `datatypes/SAD[Address]`: items of `line`.
pub fn sad_lines(w: &mut Writer, street: Field<'_>) -> bool {
    let address = row("datatypes/SAD[Address]#1", w.item(street.component(1).text()));
    let name = row("datatypes/SAD[Address]#2", w.item(street.component(2).text()));
    let number = row("datatypes/SAD[Address]#3", w.item(street.component(3).text()));
    address || name || number
}
