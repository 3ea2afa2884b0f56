//! PID becomes a Patient: `segments/PID[Patient]`.

use hilum_sdk::{
    Json, Message, Object, Reason, Refusal, conversions, fhir, is_token, number, refuse,
};

use crate::Entry;
use crate::codes;
use crate::datatypes::{
    self, Identifier, addresses, coded, concept, extension, identifiers, names, telecoms,
};

/// The patient, to be created or replaced.
pub fn entry(message: &Message) -> Result<Entry, Refusal> {
    let listed = identifiers(message, "PID-3");
    let Some(key) = key(&listed) else {
        // Withheld is not missing: the sender did nothing wrong.
        message.get("PID-3.1")?;
        return Err(refuse(Reason::RequiredMissing, "a patient needs an identifier").at("PID-3"));
    };
    Ok(Entry {
        urn: message.urn("Patient"),
        url: fhir::by_identifier("Patient", key.system.as_deref(), &key.value),
        resource: patient(message, &listed),
    })
}

/// The identifier that finds the patient: the medical record number, else the first.
fn key(listed: &[Identifier]) -> Option<&Identifier> {
    listed.iter().find(|it| it.kind.as_deref() == Some("MR")).or(listed.first())
}

fn patient(message: &Message, listed: &[Identifier]) -> Object {
    let [born, sex, language] = message.values(["PID-7", "PID-8", "PID-15.1"]);
    Object::new()
        .set("resourceType", "Patient")
        .set("extension", extensions(message))
        .set("identifier", all_identifiers(message, listed))
        .set("name", [names(message, "PID-5"), names(message, "PID-9")].concat()) // #5, #12
        .set("telecom", all_telecoms(message))
        .set("gender", sex.and_then(|it| codes::value(codes::ADMINISTRATIVE_SEX, &it))) // #11
        .set("birthDate", born.as_deref().and_then(conversions::fhir_date)) // #8
        .set("_birthDate", born.as_deref().map(birth_time))
        .set("deceasedDateTime", deceased_at(message)) // #47
        .set("deceasedBoolean", deceased(message))
        .set("address", all_addresses(message))
        .set("maritalStatus", coded(message, "PID-16", codes::MARITAL_STATUS)) // #24
        .set("multipleBirthBoolean", multiple_birth(message))
        .set("multipleBirthInteger", birth_order(message)) // #39
        .set("communication", language.map(|it| communication(message, &it))) // #23
}

/// PID-3 is the list (#3); PID-2 and PID-4 are its old neighbours (#2, #4), PID-19 and PID-20 the
/// numbers that had fields of their own (#28 to #33).
fn all_identifiers(message: &Message, listed: &[Identifier]) -> Vec<Object> {
    let mut all: Vec<Object> = Vec::new();
    all.extend(identifiers(message, "PID-2").iter().map(Identifier::object));
    all.extend(listed.iter().map(Identifier::object));
    all.extend(identifiers(message, "PID-4").iter().map(Identifier::object));
    let [social, license, expires] = message.values(["PID-19", "PID-20.1", "PID-20.3"]);
    let kind =
        |code: &str| datatypes::coding("http://terminology.hl7.org/CodeSystem/v2-0203", code);
    all.extend(social.map(|it| {
        // #29 is the United States', #30 everybody else's; the number's system is not known here.
        Object::new().set("type", Object::new().set("coding", [kind("SB")])).set("value", it)
    }));
    all.extend(license.map(|it| {
        // datatypes/DLN[Identifier]
        let end = expires.as_deref().and_then(conversions::fhir_date);
        Object::new()
            .set("type", Object::new().set("coding", [kind("DL")]))
            .set("value", it)
            .set("period", Object::new().set("end", end))
    }));
    all
}

/// #19 to #22, #64.
fn all_telecoms(message: &Message) -> Vec<Object> {
    [
        telecoms(message, "PID-13", Some("home")),
        telecoms(message, "PID-14", Some("work")),
        telecoms(message, "PID-40", None),
    ]
    .concat()
}

/// PID-11 (#14), and the county of PID-12: with the one address that has none (#15), else as an
/// address of its own (#16 to #18).
fn all_addresses(message: &Message) -> Vec<Object> {
    let mut all = addresses(message, "PID-11");
    let Some(county) = message.value("PID-12") else {
        return all.into_iter().map(|it| it.object).collect();
    };
    let own = match all.as_mut_slice() {
        [only] if only.district.is_none() => {
            only.object = std::mem::take(&mut only.object).set("district", county);
            None
        }
        [only] if only.district.as_ref() == Some(&county) => None,
        _ => Some(Object::new().set("district", county)),
    };
    all.into_iter().map(|it| it.object).chain(own).collect()
}

/// #9, #10: the time of birth, where there is one. The length of a token says nothing, so that a
/// sealed time of birth stays a date.
fn birth_time(born: &str) -> Object {
    let time =
        Some(born).filter(|it| it.len() > 8 && !is_token(it)).and_then(conversions::fhir_date_time);
    let url = "http://hl7.org/fhir/StructureDefinition/patient-birthTime";
    Object::new().set("extension", [extension(url, "valueDateTime", time)])
}

fn deceased_at(message: &Message) -> Option<String> {
    message.value("PID-29").as_deref().and_then(conversions::fhir_date_time)
}

/// #48: only if there is no time of death.
fn deceased(message: &Message) -> Option<bool> {
    match deceased_at(message) {
        Some(_) => None,
        None => codes::yes_no(message.value("PID-30").as_deref()),
    }
}

fn birth_order(message: &Message) -> Option<impl Json> {
    let order = message.value("PID-25")?;
    let is_whole = is_token(&order) || order.bytes().all(|it| it.is_ascii_digit());
    number(&order).filter(|_| is_whole)
}

/// #38: only if there is no birth order.
fn multiple_birth(message: &Message) -> Option<bool> {
    match birth_order(message) {
        Some(_) => None,
        None => codes::yes_no(message.value("PID-24").as_deref()),
    }
}

/// The guide's table has languages by BCP 47 alone and no v2 codes to come from; a code that has
/// that form is one.
fn communication(message: &Message, code: &str) -> Vec<Object> {
    let is_bcp_47 = match code.as_bytes() {
        [a, b] => [a, b].iter().all(|it| it.is_ascii_lowercase()),
        [a, b, b'-', c, d] => {
            [a, b].iter().all(|it| it.is_ascii_lowercase())
                && [c, d].iter().all(|it| it.is_ascii_uppercase())
        }
        _ => false,
    };
    let language = match is_bcp_47 {
        true => Some(
            Object::new()
                .set("coding", [datatypes::coding("urn:ietf:bcp:47", code)])
                .set("text", message.value("PID-15.2")),
        ),
        false => concept(message, "PID-15", "http://terminology.hl7.org/CodeSystem/v2-0296"),
    };
    vec![Object::new().set("language", language)]
}

/// #6 and #7, #36 and #37, #40 to #46.
fn extensions(message: &Message) -> Vec<Object> {
    let of_patient = |name: &str| format!("http://hl7.org/fhir/StructureDefinition/patient-{name}");
    let [mother, birth_place] = message.values(["PID-6.1", "PID-23"]);
    let place = Object::new().set("text", birth_place);
    // These two have their code one extension deeper.
    let country = |name: &str, field: &str| {
        let code = concept(message, field, "urn:iso:std:iso:3166");
        let part = extension("code", "valueCodeableConcept", code)?;
        Some(Object::new().set("url", of_patient(name)).set("extension", [part]))
    };
    let all = [
        extension(&of_patient("mothersMaidenName"), "valueString", mother),
        extension(&of_patient("birthPlace"), "valueAddress", place),
        country("citizenship", "PID-26"),
        country("nationality", "PID-28"),
    ];
    all.into_iter().flatten().collect()
}
