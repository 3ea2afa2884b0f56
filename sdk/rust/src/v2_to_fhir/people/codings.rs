//! The codings of a coded value without its text, where several fields make one concept.

use super::noted;
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::{Context, datatypes};

/// `datatypes/CWE[CodeableConcept]` (CNE and CE are numbered alike): elements of `coding`.
pub fn codings(w: &mut Writer, ctx: &Context<'_>, map: &'static str, field: Field<'_>) -> bool {
    let mut written = false;
    for parts in [[1, 2, 3, 7], [4, 5, 6, 8], [10, 11, 12, 13]] {
        let [code, display, system, version] = parts.map(|it| field.component(it).text());
        let code = code.filter(|it| datatypes::is_code(it));
        let is_coded = code.is_some();
        written |= w.element_if(|w| {
            let uri = system.filter(|_| is_coded).and_then(|it| datatypes::system_of(ctx, &it));
            noted(map, parts[2], w.text("system", uri));
            noted(map, parts[3], w.text("version", version.filter(|_| is_coded)));
            let is_code = noted(map, parts[0], w.text("code", code));
            noted(map, parts[1], w.text("display", display)) || is_code
        });
    }
    written
}
