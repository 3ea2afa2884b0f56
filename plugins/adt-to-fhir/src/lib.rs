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
//! Settings of the route:
//!
//! - `system.<NAMESPACE>`: the URI of an assigning authority or of a local code system, such as
//!   `"system.ST-ANNA" = "urn:oid:1.2.40.0.34.99.1"`.
//! - `transaction = "ehr, archive"` and `collection = "research"`: which destinations get which kind
//!   of bundle. A transaction has the patient's identifier in a URL, so it can only go where
//!   identifiers may; a collection has the same resources and asks for nothing. Without these,
//!   every destination gets the transaction.
//!
//! Not here: next of kin, insurance, allergies, diagnoses, observations, race and ethnicity (local
//! by the guide), religion, the mother's identifier, discharge location.

mod codes;
mod datatypes;
mod encounter;
mod patient;

use hilum_sdk::{Message, Object, Output, Refusal, fhir, settings};

hilum_sdk::transformer!(map);

/// A resource, what the others of the bundle call it, and what finds it on a server.
struct Entry {
    urn: String,
    url: String,
    resource: Object,
}

fn map(message: &Message) -> Result<Vec<Output>, Refusal> {
    let patient = patient::entry(message)?;
    let encounter = encounter::entry(message, &patient.urn);
    let entries = [Some(patient), encounter];

    let transaction = || Output::fhir(fhir::transaction(entries.each_ref().map(put)));
    let collection = || Output::fhir(fhir::collection(entries.each_ref().map(read)));
    let [to_servers, to_readers] = ["transaction", "collection"].map(settings::list);
    if to_servers.is_none() && to_readers.is_none() {
        return Ok(vec![transaction()]);
    }
    let to_servers = to_servers.and_then(|it| addressed(&transaction, it));
    let to_readers = to_readers.and_then(|it| addressed(&collection, it));
    Ok(to_servers.into_iter().chain(to_readers).collect())
}

/// The output for these destinations; none if there are none, since an output that names no
/// destination goes to all of them.
fn addressed(output: &dyn Fn() -> Output, destinations: Vec<String>) -> Option<Output> {
    let named = (!destinations.is_empty()).then(output)?;
    Some(destinations.into_iter().fold(named, Output::to))
}

fn put(entry: &Option<Entry>) -> Option<Object> {
    entry.as_ref().and_then(|it| fhir::put(&it.urn, &it.url, &it.resource))
}

fn read(entry: &Option<Entry>) -> Option<Object> {
    entry.as_ref().and_then(|it| fhir::entry(&it.urn, &it.resource))
}
