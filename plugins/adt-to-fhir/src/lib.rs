//! ADT A01, A04 and A08 to a FHIR R4 transaction of a Patient and an Encounter, as HL7's v2-to-FHIR
//! guide 1.0.0 maps them. Comments name its rows: `segments/PID[Patient]#3` is the third.
//!
//! The mapping works blind: it asks for no class of patient data, so what it moves are tokens.
//! Codes (sex, marital status, patient class, uses and types) are open by default and looked up in
//! [`codes`]; one that a site seals is left out, since its token says nothing.
//!
//! A PUT replaces the whole resource, so a value that the sender deleted (`""`) and one that was not
//! sent both end as an element that is not there.
//!
//! Settings of the route: `system.<NAMESPACE>` is the URI of an assigning authority or of a local
//! code system, such as `"system.ST-ANNA" = "urn:oid:1.2.40.0.34.99.1"`.
//!
//! Not here: next of kin, insurance, allergies, diagnoses, observations, race and ethnicity (local
//! by the guide), religion, the mother's identifier, discharge location.

mod codes;
mod datatypes;
mod encounter;
mod patient;

use hilum_sdk::{Message, Output, Refusal, fhir};

hilum_sdk::transformer!(map);

fn map(message: &Message) -> Result<Vec<Output>, Refusal> {
    let urn = message.urn("Patient");
    let transaction = fhir::transaction([
        patient::entry(message, &urn)?,
        encounter::entry(message, &urn),
    ]);
    Ok(vec![Output::fhir(transaction)])
}
