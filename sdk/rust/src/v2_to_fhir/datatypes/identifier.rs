//! CX, EI, EIP, DLN: identifiers, and the authorities that assigned them.
//!
//! An identifier's system is a URI, and HL7's namespaces are not. In this order: what the site says
//! (the setting `system.<NAMESPACE>`), the universal id, and `urn:hilum:namespace:<NAMESPACE>`, so
//! that numbers of two authorities never meet. (The guide takes the namespace first; but two
//! hospitals may each have a namespace `MR`, and the wrong patient would be found.)

use std::rc::Rc;

use super::{cwe_uri, date_time, extension_text, is_code, period};
use crate::hl7::Field;
use crate::v2_to_fhir::rows::rows;
use crate::v2_to_fhir::{Context, Identifier, Refs, codes, people, row};
use crate::{Writer, conversions, is_token};

/// `datatypes/CX[Identifier]`, filled.
pub fn cx_identifier(w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    cx_identifier_of(w, refs, field, |w| w.object_if("type", |w| cx_type(w, field)))
}

/// `datatypes/CX[Identifier]`, filled; `kind` writes `type`.
pub fn cx_identifier_of(
    w: &mut Writer,
    refs: &mut Refs<'_, '_>,
    field: Field<'_>,
    kind: impl FnOnce(&mut Writer) -> bool,
) -> bool {
    if field.raw().is_empty() {
        return false;
    }
    if field.component(2).is_valued() || field.component(3).is_valued() {
        w.array("extension", |w| cx_check(w, field));
    }
    kind(w);
    cx_rest(w, refs, field)
}

#[inline(never)]
fn cx_rest(w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    let authority = field.component(4);
    row("datatypes/CX[Identifier]#7", w.text("system", hd_uri(refs.ctx(), authority)));
    let is_written = row("datatypes/CX[Identifier]#1", w.text("value", field.component(1).text()));
    let dates = ["datatypes/CX[Identifier]#10", "datatypes/CX[Identifier]#11"];
    period(w, "period", [field.component(7), field.component(8)], dates);
    if is_written {
        row("datatypes/CX[Identifier]#6", assigner(w, refs, authority));
    }
    is_written
}

#[inline(never)]
fn cx_check(w: &mut Writer, field: Field<'_>) {
    let [digit, scheme] = [2, 3].map(|it| field.component(it).text());
    let url = "http://hl7.org/fhir/StructureDefinition/identifier-checkDigit";
    let written = extension_text(w, url, "valueString", digit.as_deref());
    rows(&["datatypes/CX[Identifier]#2", "datatypes/CX[Identifier]#3"], written);
    let url = "http://hl7.org/fhir/StructureDefinition/namingsystem-checkDigit";
    let written = extension_text(w, url, "valueString", scheme.as_deref());
    rows(&["datatypes/CX[Identifier]#4", "datatypes/CX[Identifier]#5"], written);
}

/// CX.5 as the CodeableConcept `type`, filled.
#[inline(never)]
pub fn cx_type(w: &mut Writer, field: Field<'_>) -> bool {
    row("datatypes/CX[Identifier]#8", type_of(w, field.component(5)))
}

/// A code of table 0203 as CodeableConcept, filled. One that the table does not have keeps no system.
pub fn type_of(w: &mut Writer, field: Field<'_>) -> bool {
    let Some(code) = field.text() else {
        return false;
    };
    if !is_code(&code) {
        return w.text("text", Some(code));
    }
    w.array("coding", |w| {
        if !codes::coding(w, "", &codes::IDENTIFIER_TYPE, &code) {
            w.element(|w| {
                w.text("code", Some(&code));
            });
        }
    })
}

/// A `type` of table 0203 that the place decides, as a CodeableConcept, filled.
pub fn fixed_type(w: &mut Writer, code: &str) -> bool {
    w.array("coding", |w| {
        w.element(|w| crate::v2_to_fhir::results::identifier::coding(w, code));
    })
}

/// The same for a code that table 0203 got after FHIR R4 was made: R4's own copy does not have it, so
/// it keeps no system.
fn newer_type(w: &mut Writer, code: &str) -> bool {
    w.array("coding", |w| {
        w.element(|w| {
            w.text("code", Some(code));
        });
    })
}

/// What finds a resource by a CX: its value, and the system as the identifier has it.
pub fn cx_key(ctx: &Context<'_>, field: Field<'_>) -> Option<Identifier> {
    let value = field.component(1).text()?.into_owned();
    Some(Identifier { system: hd_uri(ctx, field.component(4)), value })
}

/// `datatypes/HD[uri]`: the URI of an authority, always absolute.
#[inline(never)]
pub fn hd_uri(ctx: &Context<'_>, hd: Field<'_>) -> Option<String> {
    // A sealed name may be one that is no part of a URI: it has blanks, and nobody here can encode them.
    let Some(namespace) = hd.component(1).text().filter(|it| !is_token(it)) else {
        return hd_urn(hd);
    };
    if let Some(own) = ctx.site_system(&namespace) {
        return Some(Rc::as_ref(&own).to_owned());
    }
    let urn = hd_urn(hd);
    if urn.is_some() {
        return urn;
    }
    if is_token(&namespace) {
        // Nobody here can encode what it stands for, and as it is it may not stand in a URI.
        return None;
    }
    row("datatypes/HD[uri]#1", true);
    if is_uri(&namespace) {
        return Some(namespace.into_owned());
    }
    let mut uri = String::from("urn:hilum:namespace:");
    crate::fhir::encode(&namespace, &mut uri);
    Some(uri)
}

/// The universal id of an HD as a URI, if it is one.
#[inline(never)]
pub fn hd_urn(hd: Field<'_>) -> Option<String> {
    let id = hd.component(2).text()?;
    match hd.component(3).code() {
        Some("ISO") if is_token(&id) || is_oid(&id) => {
            row("datatypes/HD[uri]#2", true);
            Some(["urn:oid:", &id].concat())
        }
        Some("UUID" | "GUID") if is_token(&id) || is_uuid(&id) => {
            row("datatypes/HD[uri]#3", true);
            Some(["urn:uuid:", &conversions::lower_case(&id)].concat())
        }
        _ if is_uri(&id) => {
            row("datatypes/HD[uri]#4", true);
            Some(id.into_owned())
        }
        _ => None,
    }
}

/// `1.2.40`: three arcs at least, the first is 0 to 2, and none begins with a 0 that it does not need.
pub fn is_oid(text: &str) -> bool {
    if !matches!(text.as_bytes(), [b'0'..=b'2', b'.', ..]) {
        return false;
    }
    let (mut dots, mut digits, mut has_zero_first) = (0, 0, false);
    for byte in text.bytes() {
        match byte {
            b'.' if 0 < digits => (dots, digits) = (dots + 1, 0),
            b'0'..=b'9' if digits == 0 => (digits, has_zero_first) = (1, byte == b'0'),
            b'0'..=b'9' if !has_zero_first => digits += 1,
            _ => return false,
        }
    }
    2 <= dots && 0 < digits
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, it)| match at {
            8 | 13 | 18 | 23 => it == b'-',
            _ => it.is_ascii_hexdigit(),
        })
}

/// Whether a text is an absolute URI as FHIR wants one: a scheme that FHIR's readers know, and no
/// blanks. `DNS:x` and `C:\x` are none.
pub(super) fn is_uri(text: &str) -> bool {
    let has_scheme = ["http://", "https://", "urn:"].into_iter().any(|it| text.starts_with(it));
    let urn_is_right = match text.strip_prefix("urn:oid:") {
        Some(oid) => is_oid(oid),
        None => text.strip_prefix("urn:uuid:").is_none_or(is_uuid),
    };
    has_scheme && urn_is_right && !text.contains(|it: char| it.is_whitespace() || it.is_control())
}

/// `datatypes/EI[Identifier-System]`, filled. EI.4 is the type of EI.3 and not of the identifier, so
/// it only says how EI.3 is read.
#[inline(never)]
pub fn ei_system(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    let system = ei_uri(ctx, field);
    row("datatypes/EI[Identifier-System]#2", system.is_some() && field.component(2).is_valued());
    row("datatypes/EI[Identifier-System]#3", system.is_some() && field.component(3).is_valued());
    w.text("system", system);
    row("datatypes/EI[Identifier-System]#1", w.text("value", field.component(1).text()))
}

/// The URI of the authority in EI.2 to EI.4.
pub fn ei_uri(ctx: &Context<'_>, field: Field<'_>) -> Option<String> {
    hd_uri(ctx, field.after(1))
}

/// The Organization that assigned an identifier.
fn assigner(w: &mut Writer, refs: &mut Refs<'_, '_>, hd: Field<'_>) -> bool {
    hd.is_valued() && people::organization::hd(w, "assigner", refs, hd)
}

/// `datatypes/EI[Identifier-Organization]`, filled: the authority is the assigner, and the system
/// that its numbers are of.
pub fn ei_organization(w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    w.text("system", ei_uri(refs.ctx(), field));
    let id = "datatypes/EI[Identifier-Organization]#1";
    let is_written = row(id, w.text("value", field.component(1).text()));
    is_written && {
        let [namespace, universal] = [2, 3].map(|it| field.component(it).is_valued());
        let written = assigner(w, refs, field.after(1));
        row("datatypes/EI[Identifier-Organization]#2", written && namespace);
        row("datatypes/EI[Identifier-Organization]#3", written && universal);
        row("datatypes/EI[Identifier-Organization]#4", written && universal);
        true
    }
}

/// `datatypes/EI[Condition]`, filled: an Identifier.
pub fn ei_condition(w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    w.text("system", ei_uri(refs.ctx(), field));
    let is_written = row("datatypes/EI[Condition]#1", w.text("value", field.component(1).text()));
    is_written && {
        let [namespace, universal] = [2, 3].map(|it| field.component(it).is_valued());
        let written = assigner(w, refs, field.after(1));
        row("datatypes/EI[Condition]#2", written && namespace);
        row("datatypes/EI[Condition]#3", written && universal);
        row("datatypes/EI[Condition]#4", written && universal);
        true
    }
}

/// `datatypes/EI[Procedure]`, filled: an Identifier.
pub fn ei_procedure(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    w.text("system", ei_uri(ctx, field));
    row("datatypes/EI[Procedure]#1", w.text("value", field.component(1).text()))
}

/// `datatypes/EI[Identifier-DefaultAssigner]`, filled.
pub fn ei_default(w: &mut Writer, field: Field<'_>) -> bool {
    let id = "datatypes/EI[Identifier-DefaultAssigner]#1";
    row(id, w.text("value", field.component(1).text()))
}

/// `datatypes/EI[Identifier-Extension]`, filled.
pub fn ei_extension(w: &mut Writer, field: Field<'_>) -> bool {
    let id = "datatypes/EI[Identifier-Extension]#1";
    row(id, w.text("value", field.component(1).text()))
}

/// `datatypes/EI[Coding]`, filled.
pub fn ei_coding(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    let Some(code) = field.component(1).text().filter(|it| is_code(it)) else {
        return false;
    };
    row("datatypes/EI[Coding]#2", w.text("system", ei_uri(ctx, field)));
    row("datatypes/EI[Coding]#1", w.text("code", Some(code)))
}

/// What finds a resource by an EI.
pub fn ei_key(ctx: &Context<'_>, field: Field<'_>) -> Option<Identifier> {
    let value = field.component(1).text()?.into_owned();
    Some(Identifier { system: ei_uri(ctx, field), value })
}

/// `datatypes/EIP[Identifier-PlacerAssignedIdentifier]`, filled.
pub fn eip_placer(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    w.object_if("type", |w| newer_type(w, "PGN"));
    w.text("system", ei_uri(ctx, field.component(1)));
    let written = w.text("value", field.component(1).component(1).text());
    rows(
        &[
            "datatypes/EIP[Identifier-PlacerAssignedIdentifier]#1",
            "datatypes/EIP[Identifier-PlacerAssignedIdentifier]#2",
        ],
        written,
    )
}

/// `datatypes/EIP[Identifier-FillerAssignedIdentifier]`, filled.
pub fn eip_filler(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    w.object_if("type", |w| newer_type(w, "FGN"));
    w.text("system", ei_uri(ctx, field.component(2)));
    let written = w.text("value", field.component(2).component(1).text());
    rows(
        &[
            "datatypes/EIP[Identifier-FillerAssignedIdentifier]#4",
            "datatypes/EIP[Identifier-FillerAssignedIdentifier]#5",
        ],
        written,
    )
}

/// `datatypes/DLN[Identifier]`, filled.
pub fn dln_identifier(w: &mut Writer, field: Field<'_>) -> bool {
    let number = field.component(1).text();
    w.object_if("type", |w| fixed_type(w, "DL"));
    row("datatypes/DLN[Identifier]#4", w.text("system", cwe_uri(field.component(2))));
    let written = w.text("value", number);
    rows(
        &[
            "datatypes/DLN[Identifier]#1",
            "datatypes/DLN[Identifier]#2",
            "datatypes/DLN[Identifier]#3",
        ],
        written,
    );
    w.object("period", |w| {
        row("datatypes/DLN[Identifier]#5", w.text("end", date_time(field.component(3))));
    });
    written
}
