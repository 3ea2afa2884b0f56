//! ADT messages to FHIR R4, as HL7's v2-to-FHIR guide 1.0.0 maps them: every event whose structure
//! the guide has, and A03, which it has not, by the maps of ADT_A01.
//!
//! The segments' maps are the SDK's (`hilum_sdk::v2_to_fhir`). Here is what makes a message of them:
//! which map an event takes ([`structures`]), which segments belong together ([`groups`]), and what
//! becomes of them in which order ([`assembly`]).
//!
//! The mapping works blind: it asks for no class of patient data, so what it moves are tokens.
//! Codes are open by default and looked up in the guide's tables; one that a site seals is left out,
//! since its token says nothing.
//!
//! A PUT replaces the whole resource, so a value that the sender deleted (`""`) and one that was not
//! sent both end as an element that is not there.
//!
//! Settings of the route:
//!
//! - `system.<NAMESPACE>`: the URI of an assigning authority or of a local code system, such as
//!   `"system.ST-ANNA" = "urn:oid:1.2.40.0.34.99.1"`; `system.derived`, `system.control-id` and
//!   `system.social-security` for what has no namespace.
//! - `transaction`, `collection`, `message`: which destinations get which type of bundle, such as
//!   `transaction = "ehr, archive"`. A transaction has the patient's identifier in its URLs, so it
//!   can only go where identifiers may; a collection has the same resources and asks for nothing; a
//!   message has the MessageHeader and the Provenances besides. Without these, every destination gets
//!   the transaction.
//!
//! Not here: race and ethnicity (local by the guide), GT1, IN2, DRG, ACC, UB1 and UB2 (the guide has
//! no map), EpisodeOfCare as a resource of its own.

mod assembly;
mod groups;
mod structures;

use hilum_sdk::hl7::Hl7;
use hilum_sdk::v2_to_fhir::Context;
use hilum_sdk::{Message, Output, Reason, Refusal, refuse};

hilum_sdk::transformer!(map);

/// The mapping.
pub fn map(message: &Message) -> Result<Vec<Output>, Refusal> {
    let hl7 = Hl7::read(message)?;
    let ctx = Context::new(message, &hl7);
    let Some(msh) = hl7.segment(0) else {
        return Err(refuse(Reason::Unsupported, "the message has no MSH"));
    };
    let event = msh.field(9).component(2).text();
    let structure = event.as_deref().and_then(structures::of_event);
    let Some(structure) = structure.filter(|_| msh.field(9).component(1).code() == Some("ADT"))
    else {
        let why = "the v2-to-FHIR guide has no map for this event";
        return Err(refuse(Reason::Unsupported, why).at("MSH-9.2"));
    };
    assembly::bundle(&ctx, msh, structure).map(hilum_sdk::v2_to_fhir::Bundle::outputs)
}

#[cfg(test)]
mod tests;
