//! ORU R01 to FHIR R4, as HL7's v2-to-FHIR guide 1.0.0 maps it: a DiagnosticReport for each order,
//! an Observation for each OBX, the Specimens, and the ServiceRequest that was answered.
//!
//! The segments' maps are the SDK's (`hilum_sdk::v2_to_fhir`). Here is what makes a message of them:
//! which segments belong together ([`groups`]), and what becomes of them in which order
//! ([`assembly`]).
//!
//! The mapping works blind: it asks for no class of patient data. Numbers, codes and units are open
//! by default; texts, documents and persons are moved as tokens. A document is never read here: a
//! large OBX-5 is one token, and the host puts the bytes in.
//!
//! A report, a result and a specimen are found again by the patient's identifier, the laboratory's
//! number and their codes, so that a correction (`C`), a cancellation (`X`) or a repeat replaces what
//! came before. An OBX with an instance identifier (OBX-21) is found by that.
//!
//! Settings of the route:
//!
//! - `system.<NAMESPACE>`, `system.derived`, `transaction`, `collection`, `message`: as in
//!   `adt-to-fhir`.
//! - `demographics = "update"`: Patient, Account and Encounter are replaced. Without it they are
//!   created where they are missing, and else stay as they are: a result says less of a patient than
//!   the registry knows.
//! - `orders = "none"`: no ServiceRequest is made.
//!
//! Beyond the guide: an OBR without an ORC makes a ServiceRequest too, if it says who ordered or by
//! what number; notes on an order are notes of its ServiceRequest; OBR-7 is the time of a result
//! that has none; OBR-26 becomes `derivedFrom` of the results, if its result is in the same message; an
//! OBR that says that it is of a section that examines patients (an X-ray) makes no Specimen.
//!
//! Not here: the document between ORC and OBR (OBX, TXA), CTD, FT1, CTI, notes on the patient; the
//! guide has no map for them.

mod assembly;
mod groups;

use hilum_sdk::hl7::Hl7;
use hilum_sdk::v2_to_fhir::{Bundle, Context};
use hilum_sdk::{Message, Output, Reason, Refusal, refuse};

hilum_sdk::transformer!(map);

/// The mapping.
pub fn map(message: &Message) -> Result<Vec<Output>, Refusal> {
    let hl7 = Hl7::read(message)?;
    let ctx = Context::new(message, &hl7);
    let Some(msh) = hl7.segment(0) else {
        return Err(refuse(Reason::Unsupported, "the message has no MSH"));
    };
    let kind = [1, 2].map(|it| msh.field(9).component(it).code());
    if kind != [Some("ORU"), Some("R01")] {
        return Err(refuse(Reason::Unsupported, "this plugin maps ORU^R01").at("MSH-9"));
    }
    let results = groups::patient_results(&hl7);
    if results.is_empty() {
        return Err(refuse(Reason::RequiredMissing, "a result needs an order").at("OBR"));
    }
    assembly::bundle(&ctx, msh, &results).map(Bundle::outputs)
}
