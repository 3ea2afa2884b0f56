//! XPN and XCN: names of persons, and persons.

use hilum_sdk::{Message, Object};

use super::{Authority, coding, dates, extension};
use crate::codes;

/// XPN: `datatypes/XPN[HumanName]`, `datatypes/FN[HumanName]`.
pub fn names(message: &Message, field: &str) -> Vec<Object> {
    let parts = [
        ".1.1", ".1.2", ".1.3", ".1.4", ".1.5", ".2", ".3", ".4", ".5", ".6", ".7", ".10.1",
        ".10.2", ".11", ".12", ".13", ".14", ".15",
    ];
    let mut all = Vec::new();
    for parts in message.each(field, parts) {
        let [
            family,
            own_prefix,
            own,
            partner_prefix,
            partner,
            given,
            further,
            suffix,
            prefix,
            degree,
            kind,
            valid_from,
            valid_until,
            order,
            from,
            until,
            professional,
            called,
        ] = parts;
        let (from, until) = match (from, until) {
            (None, None) => (valid_from, valid_until), // #10
            dated => dated,
        };
        let url = "http://hl7.org/fhir/StructureDefinition/humanname-assembly-order";
        all.push(
            Object::new()
                .set("extension", [extension(url, "valueCode", order)]) // #11, #12
                .set("use", kind.and_then(|it| codes::value(codes::NAME_USE, &it)))
                .set("family", family)
                .set("_family", surname([own_prefix, own, partner_prefix, partner]))
                .set("given", [given, further])
                .set("prefix", [prefix])
                .set("suffix", [suffix, degree, professional])
                .set("period", dates(from, until)),
        );
        // #16, #17: what the person is called is a name of its own.
        all.extend(called.map(|it| Object::new().set("use", "nickname").set("given", [it])));
    }
    all
}

/// The parts of a surname (FN.2 to FN.5).
fn surname(parts: [Option<String>; 4]) -> Object {
    let names = ["own-prefix", "own-name", "partner-prefix", "partner-name"];
    let extensions: Vec<Object> = names
        .into_iter()
        .zip(parts)
        .filter_map(|(name, part)| {
            let url = format!("http://hl7.org/fhir/StructureDefinition/humanname-{name}");
            extension(&url, "valueString", part)
        })
        .collect();
    Object::new().set("extension", extensions)
}

/// XCN: `datatypes/XCN[Practitioner]`, each with its id within the resource that contains it;
/// `before` of them are in it already.
pub fn practitioners(message: &Message, field: &str, before: usize) -> Vec<(String, Object)> {
    let parts = [
        ".1", ".2.1", ".3", ".4", ".5", ".6", ".7", ".9.1", ".9.2", ".9.3", ".10", ".13", ".17.1",
        ".17.2", ".19", ".20", ".21",
    ];
    message
        .each(field, parts)
        .into_iter()
        .zip(before + 1..)
        .map(|(parts, number)| {
            let [
                id,
                family,
                given,
                further,
                suffix,
                prefix,
                degree,
                namespace,
                authority,
                authority_type,
                name_kind,
                id_kind,
                valid_from,
                valid_until,
                from,
                until,
                professional,
            ] = parts;
            let authority = Authority { namespace, id: authority, id_type: authority_type };
            let kind =
                id_kind.map(|it| coding("http://terminology.hl7.org/CodeSystem/v2-0203", &it));
            let identifier = id.map(|it| {
                Object::new()
                    .set("type", Object::new().set("coding", [kind]))
                    .set("system", authority.system())
                    .set("value", it)
                    .set("assigner", authority.organization())
            });
            let (from, until) = match (from, until) {
                (None, None) => (valid_from, valid_until),
                dated => dated,
            };
            let name = Object::new()
                .set("use", name_kind.and_then(|it| codes::value(codes::NAME_USE, &it)))
                .set("family", family)
                .set("given", [given, further])
                .set("prefix", [prefix])
                .set("suffix", [suffix, professional])
                .set("period", dates(from, until));
            // #7: a degree is a qualification.
            let degree =
                degree.map(|it| coding("http://terminology.hl7.org/CodeSystem/v2-0360", &it));
            let qualification = Object::new().set("code", Object::new().set("coding", [degree]));
            let id = format!("practitioner-{number}");
            let resource = Object::new()
                .set("resourceType", "Practitioner")
                .set("id", &id)
                .set("identifier", [identifier])
                .set("name", [name])
                .set("qualification", [qualification]);
            (id, resource)
        })
        .collect()
}
