//! Data types of HL7 v2 as data types of FHIR: `datatypes/…` of the guide.
//!
//! A map fills an object that its caller opened, and answers whether that is worth keeping:
//!
//! ```no_run
//! # use hilum_sdk::{Writer, hl7::Segment, v2_to_fhir::{Refs, datatypes, row}};
//! # fn example(w: &mut Writer, refs: &mut Refs<'_, '_>, pid: Segment<'_>) {
//! row("segments/PID[Patient]#3", w.array("identifier", |w| {
//!     for field in pid.repetitions(3) {
//!         w.element_if(|w| datatypes::cx_identifier(w, refs, field));
//!     }
//! }));
//! # }
//! ```
//!
//! Persons, organizations and places are in [`super::people`]; quantities, timings and documents in
//! [`super::results`].
//!
//! Promises: no element of a fixed value set gets a code that is not in it; a URI is absolute and an
//! OID is one.

mod address;
mod concept;
mod identifier;
mod name;
mod telecom;
mod time;

pub use address::{sad_lines, xad_address, xad_address_in, xad_has_district};
pub use concept::{
    ce_concept, ce_concept_of, cf_concept, cne_concept, cne_concept_of, cwe_code, cwe_coding,
    cwe_concept, cwe_concept_of, cwe_string, cwe_uri, id_concept, is_code, is_concept, st_concept,
    system_of,
};
pub use identifier::{
    cx_identifier, cx_identifier_of, cx_key, cx_type, dln_identifier, ei_coding, ei_condition,
    ei_default, ei_extension, ei_key, ei_organization, ei_procedure, ei_system, ei_uri, eip_filler,
    eip_placer, fixed_type, hd_uri, hd_urn, is_oid, type_of,
};
pub use name::{fn_family, xpn_name, xpn_names, xpn_string};
pub use telecom::{xtn_contact_point, xtn_preferred};
pub use time::{date, date_time, dr_period, dr_start, instant, period};

use crate::Writer;

/// Writes an extension as an element of `extension`, if `fill` writes its value.
#[inline]
pub fn extension(w: &mut Writer, url: &str, fill: impl FnOnce(&mut Writer) -> bool) -> bool {
    w.element_if(|w| {
        w.text("url", Some(url));
        fill(w)
    })
}

/// The same for a string, a code, a date.
#[inline(never)]
pub fn extension_text(w: &mut Writer, url: &str, key: &str, value: Option<&str>) -> bool {
    value.is_some() && extension(w, url, |w| w.text(key, value))
}

#[cfg(test)]
mod tests;
