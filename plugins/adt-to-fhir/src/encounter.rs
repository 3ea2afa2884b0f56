//! PV1 becomes an Encounter: `segments/PV1[Encounter]`.
//!
//! Practitioners and locations are contained: an ADT feed is not the master of either, and a
//! resource of their own would be made again by each message, or overwrite the registry's.

use hilum_sdk::{Message, Object, conversions, fhir, log, tables};

use crate::Entry;
use crate::codes;
use crate::datatypes::{
    Identifier, coding, concept, concept_of, identifiers, location, period, practitioners,
};

/// The encounter, to be created or replaced; none without a PV1.
pub fn entry(message: &Message, patient: &str) -> Option<Entry> {
    message.count("PV1").ok().filter(|count| *count > 0)?;
    let urn = message.urn("Encounter");
    let visit = identifiers(message, "PV1-19");
    let mut others = identifiers(message, "PV1-50"); // #75
    if visit.is_empty() && others.is_empty() {
        // Nothing names the visit, and a delivery may be repeated: the message's own id for it
        // keeps the repeat from making a second one.
        others.push(Identifier::new("urn:ietf:rfc:3986", &urn));
    }
    let key = visit.first().or(others.first())?;
    Some(Entry {
        url: fhir::by_identifier("Encounter", key.system.as_deref(), &key.value),
        resource: encounter(message, patient, &visit, &others),
        urn,
    })
}

fn encounter(
    message: &Message,
    patient: &str,
    visit: &[Identifier],
    others: &[Identifier],
) -> Object {
    let [class, admitted, discharged] = message.values(["PV1-2.1", "PV1-44", "PV1-45"]);
    let class = class.as_deref();
    let mut contained = Vec::new();
    let participants = participants(message, &mut contained);
    let locations = locations(message, class, &mut contained);
    let start = admitted.as_deref().and_then(conversions::fhir_date_time); // #68
    let end = discharged.as_deref().and_then(conversions::fhir_date_time); // #69
    let kinds = concept(message, "PV1-4", "http://terminology.hl7.org/CodeSystem/v2-0007");
    Object::new()
        .set("resourceType", "Encounter")
        .set("contained", contained)
        .set(
            "identifier",
            [
                visit.iter().map(visit_number).collect::<Vec<_>>(),
                others.iter().map(Identifier::object).collect(),
            ]
            .concat(),
        )
        .set("status", status(class, discharged.is_some()))
        .set("class", class_coding(message, class))
        .set("type", [kinds]) // #7
        .set("serviceType", service(message)) // #23
        .set("subject", Object::new().set("reference", patient))
        .set("participant", participants)
        .set("period", period(start, end))
        .set("hospitalization", hospitalization(message))
        .set("location", locations)
}

/// #39 to #42: whatever its own type says, this is the visit number.
fn visit_number(number: &Identifier) -> Object {
    let kind = coding("http://terminology.hl7.org/CodeSystem/v2-0203", "VN");
    number.object_of_type(Object::new().set("coding", [kind]).set("text", "visit number"))
}

/// #3, #70. FHIR requires a status; where the table has none, it is unknown.
fn status(class: Option<&str>, discharged: bool) -> &'static str {
    match class {
        _ if discharged => "finished",
        Some(class) => codes::value(codes::ENCOUNTER_STATUS, class).unwrap_or("unknown"),
        None => "unknown",
    }
}

/// #2. FHIR requires a class: a local one keeps its code, none at all is said to be unknown.
fn class_coding(message: &Message, class: Option<&str>) -> Object {
    let Some(class) = class else {
        return coding("http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "UNK")
            .set("display", "unknown");
    };
    codes::coding(codes::ENCOUNTER_CLASS, class).unwrap_or_else(|| {
        coding("http://terminology.hl7.org/CodeSystem/v2-0004", class)
            .set("display", message.value("PV1-2.2"))
    })
}

fn service(message: &Message) -> Option<Object> {
    let [code, text] = message.values(["PV1-10.1", "PV1-10.9"]);
    match code.as_deref().and_then(|it| codes::coding(codes::HOSPITAL_SERVICE, it)) {
        Some(mapped) => Some(concept_of([Some(mapped)], text)),
        None => concept(message, "PV1-10", "http://terminology.hl7.org/CodeSystem/v2-0069"),
    }
}

/// Field, code and display of a role (table v3-ParticipationType): #11 to #22, #34 to #37, #77 to #80.
const ROLES: [(&str, &str, &str); 5] = [
    ("PV1-7", "ATND", "attender"),
    ("PV1-8", "REF", "referrer"),
    ("PV1-9", "CON", "consultant"),
    ("PV1-17", "ADM", "admitter"),
    ("PV1-52", "PART", "Participation"),
];

fn participants(message: &Message, contained: &mut Vec<Object>) -> Vec<Object> {
    let mut all = Vec::new();
    for (field, code, display) in ROLES {
        for (id, practitioner) in practitioners(message, field, all.len()) {
            let role = coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", code)
                .set("display", display);
            all.push(
                Object::new()
                    .set("type", [concept_of([Some(role)], None)])
                    .set("individual", Object::new().set("reference", format!("#{id}"))),
            );
            contained.push(practitioner);
        }
    }
    all
}

/// #4 to #6, #9, #10, #24, #25, #65, #66.
fn locations(message: &Message, class: Option<&str>, contained: &mut Vec<Object>) -> Vec<Object> {
    let assigned = if class == Some("P") { "planned" } else { "active" };
    [
        ("PV1-3", "assigned", assigned),
        ("PV1-6", "prior", "completed"),
        ("PV1-11", "temporary", "active"),
        ("PV1-42", "pending", "reserved"),
    ]
    .into_iter()
    .filter_map(|(field, name, status)| {
        let chain = location(message, field, name);
        let finest = chain.first()?.id.clone();
        contained.extend(chain.into_iter().map(|it| it.resource));
        Some(
            Object::new()
                .set("location", Object::new().set("reference", format!("#{finest}")))
                .set("status", status),
        )
    })
    .collect()
}

fn hospitalization(message: &Message) -> Object {
    let v2 = |table: &str| format!("http://terminology.hl7.org/CodeSystem/v2-{table}");
    Object::new()
        .set(
            "preAdmissionIdentifier",
            identifiers(message, "PV1-5").first().map(Identifier::object),
        ) // #8
        .set("admitSource", admit_source(message, &v2("0023"))) // #31
        .set("reAdmission", concept(message, "PV1-13", &v2("0092"))) // #30
        .set("dietPreference", [concept(message, "PV1-38", &v2("0114"))]) // #61
        .set("specialCourtesy", [concept(message, "PV1-16", &v2("0099"))]) // #33
        .set("specialArrangement", [concept(message, "PV1-15", &v2("0009"))]) // #32
        .set("dischargeDisposition", concept(message, "PV1-36", &v2("0112"))) // #59
}

/// Table 0023 has no values of its own, so the guide maps none: the site's table `admit-source`
/// does. The sender's code stays beside what it became.
fn admit_source(message: &Message, own_system: &str) -> Option<Object> {
    let [code, display, text] = message.values(["PV1-14.1", "PV1-14.2", "PV1-14.9"]);
    let code = code?;
    let mapped = tables::translate("admit-source", &code).unwrap_or_else(|_| {
        log::warn("PV1-14: the site lends no table admit-source; the code stays as it came");
        None
    });
    let mapped = mapped.map(|it| coding("http://terminology.hl7.org/CodeSystem/admit-source", &it));
    let own = coding(own_system, &code).set("display", display);
    Some(concept_of([mapped, Some(own)], text))
}
