//! ORC: `segments/ORC[DiagnosticReport]`, `ORC[ServiceRequest]` of the guide. An order is one
//! resource, so the maps are in [`super::obr`]; here is what only ORC has.

use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::codes::{CONFIDENTIALITY_CODE, find, system};
use crate::v2_to_fhir::results::{self, identifier};
use crate::v2_to_fhir::rows::rows;
use crate::v2_to_fhir::{Context, datatypes};

/// Writes `meta` with ORC-28.
pub(super) fn security(w: &mut Writer, ctx: &Context<'_>, confidentiality: Field<'_>) -> bool {
    if !confidentiality.is_valued() {
        return false;
    }
    w.object("meta", |w| {
        w.array("security", |w| {
            w.element_if(|w| {
                let code = confidentiality.component(1).text();
                match code.and_then(|it| find(&CONFIDENTIALITY_CODE, &it)) {
                    Some(row) => {
                        w.text("system", Some(system(&CONFIDENTIALITY_CODE, row)));
                        w.text("code", Some(row.code));
                        w.text("display", Some(row.display))
                    }
                    None => datatypes::cwe_coding(w, ctx, confidentiality),
                }
            });
        });
    })
}

/// Writes an EI as an element of `identifier`, with its type.
pub(super) fn ei(w: &mut Writer, ctx: &Context<'_>, number: Field<'_>, code: &str) -> bool {
    w.element_if(|w| {
        identifier::kind(w, code);
        results::ei(w, ctx, number)
    })
}

/// Writes an ORC-4 that is one number as an element of `identifier`.
pub(super) fn group(w: &mut Writer, ctx: &Context<'_>, number: Field<'_>) -> bool {
    const ROWS: [&str; 3] = [
        "datatypes/EIP[Identifier-PlacerAssignedIdentifier]#1",
        "datatypes/EIP[Identifier-PlacerAssignedIdentifier]#2",
        "datatypes/EIP[Identifier-PlacerAssignedIdentifier]#3",
    ];
    rows(&ROWS, ei(w, ctx, number, "PGN"))
}

/// Whether ORC-4 is a pair (EIP) or one number (EI). The guide's comment at ORC[ServiceRequest]#16: it is a
/// pair in 2.8.2 alone, since 2.9 took that back. A sender who says 2.8.2 and writes one number all the same
/// has a third component or a fourth, which a pair has not.
pub(super) fn is_pair(ctx: &Context<'_>, group: Field<'_>) -> bool {
    let version = ctx.hl7.first("MSH").and_then(|msh| msh.field(12).code());
    version == Some("2.8.2") && !group.component(3).is_valued() && !group.component(4).is_valued()
}
