//! CWE, CE, CNE, CF, IS, ID, ST: coded values.
//!
//! A code of a coding system that nobody here knows keeps no system: FHIR's systems are URIs, and a
//! name such as `L` or `99LAB` is none. The site says what it is: the setting `system.99LAB`. A code
//! that HL7's own table does not have does not get that table's URI either.

use std::borrow::Cow;
use std::rc::Rc;

use crate::hl7::Field;
use crate::v2_to_fhir::codes::{self, Table};
use crate::v2_to_fhir::{Context, row};
use crate::{Writer, is_token};

/// The rows of one of the maps to CodeableConcept.
struct Map {
    codings: [Coding; 3],
    text: &'static str,
}

/// Where a coding stands in the data type, and the rows: code, display, system, version.
struct Coding {
    parts: [usize; 4],
    rows: [&'static str; 4],
}

macro_rules! map {
    ($name:literal, $([$($part:literal $row:literal),*]),*; $text:literal) => {
        Map {
            codings: [$(Coding {
                parts: [$($part),*],
                rows: [$(concat!("datatypes/", $name, "[CodeableConcept]#", $row)),*],
            }),*],
            text: concat!("datatypes/", $name, "[CodeableConcept]#", $text),
        }
    };
}

static CWE: Map =
    map!("CWE", [1 1, 2 2, 3 3, 7 7], [4 4, 5 5, 6 6, 8 8], [10 10, 11 11, 12 12, 13 13]; 9);
static CNE: Map =
    map!("CNE", [1 1, 2 2, 3 3, 7 7], [4 4, 5 5, 6 6, 8 8], [10 10, 11 11, 12 12, 13 13]; 9);
static CF: Map =
    map!("CF", [1 1, 2 2, 3 3, 7 7], [4 4, 5 5, 6 6, 8 8], [10 10, 11 11, 12 12, 13 13]; 9);
/// CE ends with its sixth component; what a sender puts behind it is read as in a CWE.
static CE: Map =
    map!("CE", [1 1, 2 2, 3 3, 7 3], [4 4, 5 5, 6 6, 8 6], [10 4, 11 5, 12 6, 13 6]; 2);

/// `datatypes/CWE[CodeableConcept]`, filled.
pub fn cwe_concept(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    concept(w, ctx, field, None, &CWE)
}

/// `datatypes/CWE[CodeableConcept]`, filled; a code that the table has becomes its coding.
pub fn cwe_concept_of(
    w: &mut Writer,
    ctx: &Context<'_>,
    field: Field<'_>,
    table: &'static Table,
) -> bool {
    concept(w, ctx, field, Some(table), &CWE)
}

/// `datatypes/CNE[CodeableConcept]`, filled.
pub fn cne_concept(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    concept(w, ctx, field, None, &CNE)
}

/// `datatypes/CNE[CodeableConcept]`, filled; a code that the table has becomes its coding.
pub fn cne_concept_of(
    w: &mut Writer,
    ctx: &Context<'_>,
    field: Field<'_>,
    table: &'static Table,
) -> bool {
    concept(w, ctx, field, Some(table), &CNE)
}

/// `datatypes/CE[CodeableConcept]`, filled.
pub fn ce_concept(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    concept(w, ctx, field, None, &CE)
}

/// `datatypes/CE[CodeableConcept]`, filled; a code that the table has becomes its coding.
pub fn ce_concept_of(
    w: &mut Writer,
    ctx: &Context<'_>,
    field: Field<'_>,
    table: &'static Table,
) -> bool {
    concept(w, ctx, field, Some(table), &CE)
}

/// `datatypes/CF[CodeableConcept]`, filled.
pub fn cf_concept(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    concept(w, ctx, field, None, &CF)
}

/// `datatypes/ID[CodeableConcept]`, `datatypes/IS[CodeableConcept]`, filled: a code of the table, or
/// the sender's own.
pub fn id_concept(w: &mut Writer, field: Field<'_>, table: Option<&'static Table>) -> bool {
    let Some(code) = field.text() else {
        return false;
    };
    let is_mapped = w.array("coding", |w| {
        if !table.is_some_and(|it| codes::coding(w, "", it, &code)) && is_code(&code) {
            w.element(|w| {
                w.text("code", Some(&code));
            });
        }
    });
    row("datatypes/ID[CodeableConcept]#1", is_mapped);
    row("datatypes/IS[CodeableConcept]#1", is_mapped);
    is_mapped || w.text("text", Some(code))
}

/// `datatypes/ST[CodeableConcept]`, filled.
pub fn st_concept(w: &mut Writer, field: Field<'_>) -> bool {
    row("datatypes/ST[CodeableConcept]#1", w.text("text", field.text()))
}

/// Whether a field would make a concept.
pub fn is_concept(field: Field<'_>) -> bool {
    [1, 2, 4, 5, 9, 10, 11].into_iter().any(|it| field.component(it).is_valued())
}

#[inline(never)]
fn concept(
    w: &mut Writer,
    ctx: &Context<'_>,
    field: Field<'_>,
    table: Option<&'static Table>,
    map: &'static Map,
) -> bool {
    if field.raw().is_empty() {
        return false;
    }
    let mut odd = None;
    let [first, ..] = &map.codings;
    let is_coded = w.array("coding", |w| {
        let mapped =
            table.and_then(|table| Some((table, codes::find(table, &field.component(1).text()?)?)));
        if let Some((table, found)) = mapped {
            let written = codes::write(w, "", table, found);
            row(first.rows[0], written);
        }
        for (number, coding) in map.codings.iter().enumerate() {
            let is_mapped = number == 0 && mapped.is_some();
            // What the sender said stays beside what it became, if it is more than the code.
            let [_, display, system, _] = coding.parts;
            let says_more =
                field.component(display).is_valued() || field.component(system).is_valued();
            if is_mapped && !says_more {
                continue;
            }
            let own = if number == 0 { table } else { None };
            w.element_if(|w| write(w, ctx, field, coding, own, is_mapped, &mut odd));
        }
    });
    // What is no code can be read, at least.
    let text = field.component(9).text();
    let is_text = row(map.text, text.is_some()) && w.text("text", text) || w.text("text", odd);
    is_coded || is_text
}

/// One coding. A code that FHIR cannot hold (two blanks in a row) goes to `odd`.
fn write<'m>(
    w: &mut Writer,
    ctx: &Context<'_>,
    field: Field<'m>,
    coding: &Coding,
    table: Option<&Table>,
    is_mapped: bool,
    odd: &mut Option<Cow<'m, str>>,
) -> bool {
    let [code, display, system, version] = coding.parts.map(|it| field.component(it));
    let code = code.text();
    if let Some(text) = &code
        && !is_code(text)
    {
        odd.get_or_insert_with(|| text.clone());
        return false;
    }
    let [code_row, display_row, system_row, version_row] = coding.rows;
    let uri = match (&code, system.text()) {
        (Some(_), Some(name)) => {
            system_of(ctx, &name).filter(|uri| may_be_of(table, is_mapped, uri))
        }
        _ => None,
    };
    row(system_row, w.text("system", uri));
    if code.is_some() {
        row(version_row, w.text("version", version.text()));
    }
    let is_code = row(code_row, w.text("code", code));
    let is_display = row(display_row, w.text("display", display.text()));
    is_code || is_display
}

/// Whether a code may be one of this system: a code that the field's table has is of no other table of
/// HL7, and one that it does not have is not of it, whatever the sender says.
fn may_be_of(table: Option<&Table>, is_mapped: bool, uri: &str) -> bool {
    let Some(table) = table else {
        return true;
    };
    let is_own = table.v2_system == uri;
    let is_hl7s = uri.starts_with("http://terminology.hl7.org/CodeSystem/v2-");
    if is_mapped { is_own || !is_hl7s } else { !is_own }
}

/// The URI of a coding system that HL7 table 0396 names; the site knows its own.
#[inline(never)]
pub fn system_of(ctx: &Context<'_>, name: &str) -> Option<Rc<str>> {
    if let Some(own) = ctx.site_system(name) {
        return Some(own);
    }
    if let Some(table) = name.strip_prefix("HL7")
        && table.len() == 4
        && table.bytes().all(|it| it.is_ascii_digit())
    {
        return Some(Rc::from(["http://terminology.hl7.org/CodeSystem/v2-", table].concat()));
    }
    let known = match name {
        "LN" => "http://loinc.org",
        "SCT" => "http://snomed.info/sct",
        "UCUM" => "http://unitsofmeasure.org",
        "I10" => "http://hl7.org/fhir/sid/icd-10",
        "I10C" => "http://hl7.org/fhir/sid/icd-10-cm",
        "I9" | "I9C" => "http://hl7.org/fhir/sid/icd-9-cm",
        "C4" | "CPT" => "http://www.ama-assn.org/go/cpt",
        "NDC" => "http://hl7.org/fhir/sid/ndc",
        "CVX" => "http://hl7.org/fhir/sid/cvx",
        "MVX" => "http://terminology.hl7.org/CodeSystem/MVX",
        "RXNORM" => "http://www.nlm.nih.gov/research/umls/rxnorm",
        "CDCREC" => "urn:oid:2.16.840.1.113883.6.238",
        "ISO3166_1" | "ISO+" => "urn:iso:std:iso:3166",
        "ISO639" => "urn:ietf:bcp:47",
        _ => return None,
    };
    Some(Rc::from(known))
}

/// Whether a text can be a `code` of FHIR: no blanks around it, and single ones inside. A token
/// stands for what the sender wrote, which nobody here can look at.
pub fn is_code(text: &str) -> bool {
    is_token(text) || text.split(' ').all(|it| !it.is_empty() && !it.contains(char::is_whitespace))
}

/// `datatypes/CWE[Coding]`, filled.
pub fn cwe_coding(w: &mut Writer, ctx: &Context<'_>, field: Field<'_>) -> bool {
    let [code, display, system, version] = [1, 2, 3, 7].map(|it| field.component(it).text());
    let code = code.filter(|it| is_code(it));
    let uri = system.filter(|_| code.is_some()).and_then(|it| system_of(ctx, &it));
    row("datatypes/CWE[Coding]#3", w.text("system", uri));
    row("datatypes/CWE[Coding]#7", w.text("version", version.filter(|_| code.is_some())));
    let is_code = row("datatypes/CWE[Coding]#1", w.text("code", code));
    row("datatypes/CWE[Coding]#2", w.text("display", display)) || is_code
}

/// `datatypes/CWE[string]`: the original text, else the display; before 2.7 such a field was a bare
/// code.
pub fn cwe_string(field: Field<'_>) -> Option<Cow<'_, str>> {
    let original = field.component(9).text();
    row("datatypes/CWE[string]#9", original.is_some());
    original.or_else(|| {
        let display = field.component(2).text();
        row("datatypes/CWE[string]#2", display.is_some());
        display.or_else(|| field.component(1).text())
    })
}

/// `datatypes/CWE[code]`: the code, else the alternate one.
pub fn cwe_code(field: Field<'_>) -> Option<Cow<'_, str>> {
    let code = field.component(1).text();
    row("datatypes/CWE[code]#1", code.is_some());
    code.or_else(|| {
        let alternate = field.component(4).text();
        row("datatypes/CWE[code]#4", alternate.is_some());
        alternate
    })
}

/// `datatypes/CWE[uri]`: the code, else the alternate one, if it is a URI.
pub fn cwe_uri(field: Field<'_>) -> Option<Cow<'_, str>> {
    let uri = |number| field.component(number).text().filter(|it| super::identifier::is_uri(it));
    let code = uri(1);
    row("datatypes/CWE[uri]#1", code.is_some());
    code.or_else(|| {
        let alternate = uri(4);
        row("datatypes/CWE[uri]#4", alternate.is_some());
        alternate
    })
}
