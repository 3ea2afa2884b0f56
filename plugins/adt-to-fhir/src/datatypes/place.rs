//! XAD and PL: addresses, and places in a hospital.

use hilum_sdk::{Message, Object};

use super::{coding, concept_of, dates, extension};
use crate::codes;

/// An address, and whether it has a county already.
pub struct Address {
    /// As FHIR.
    pub object: Object,
    /// XAD.9.
    pub district: Option<String>,
}

/// XAD: `datatypes/XAD[Address]`, `datatypes/SAD[Address]`.
pub fn addresses(message: &Message, field: &str) -> Vec<Address> {
    let parts = [
        ".1.1", ".1.2", ".1.3", ".2", ".3", ".4", ".5", ".6", ".7", ".9.9", ".9.2", ".9.1",
        ".10.9", ".10.2", ".12.1", ".12.2", ".13", ".14", ".19",
    ];
    message
        .each(field, parts)
        .into_iter()
        .map(|parts| {
            let [
                street,
                name,
                number,
                other,
                city,
                state,
                postal_code,
                country,
                kind,
                county_original,
                county_text,
                county,
                tract_original,
                tract_text,
                valid_from,
                valid_until,
                from,
                until,
                addressee,
            ] = parts;
            // datatypes/CWE[string]; before 2.7 the county was a bare code.
            let district = county_original.or(county_text).or(county);
            let of_type = |url: &str, key, value: Option<String>| {
                extension(
                    &format!("http://hl7.org/fhir/StructureDefinition/iso21090-{url}"),
                    key,
                    value,
                )
            };
            let vacation = kind.clone().filter(|it| it == "HV");
            let (from, until) = match (from, until) {
                (None, None) => (valid_from, valid_until),
                dated => dated,
            };
            let code = kind.as_deref();
            let object = Object::new()
                .set(
                    "extension",
                    [
                        of_type("AD-use", "valueCode", vacation), // #9, #10
                        of_type("ADXP-censusTract", "valueString", tract_original.or(tract_text)),
                    ],
                )
                .set("use", code.and_then(|it| codes::value(codes::ADDRESS_USE, it))) // #8
                .set("type", code.and_then(|it| codes::value(codes::ADDRESS_TYPE, it))) // #7
                .set("line", [street, name, number, other, addressee])
                .set("city", city)
                .set("district", &district)
                .set("state", state)
                .set("postalCode", postal_code)
                .set("country", country)
                .set("period", dates(from, until));
            Address { object, district }
        })
        .collect()
}

/// One contained Location.
pub struct Location {
    /// Its id within the resource that contains it.
    pub id: String,
    /// As FHIR.
    pub resource: Object,
}

/// The parts of a PL from the finest to the coarsest, and the code of table location-physical-type.
/// The guide has no code for a point of care.
const LEVELS: [(&str, &str, &str); 6] = [
    (".3", "bed", "bd"),
    (".2", "room", "ro"),
    (".8", "floor", "lvl"),
    (".1", "point-of-care", ""),
    (".7", "building", "bu"),
    (".4", "facility", "si"),
];

/// PL: `datatypes/PL[Location]`. Each level that is there, the finest first, each part of the next.
pub fn location(message: &Message, field: &str, name: &str) -> Vec<Location> {
    let paths: Vec<String> = LEVELS
        .iter()
        .flat_map(|(part, ..)| [format!("{field}{part}.1"), format!("{field}{part}.2")])
        .chain([format!("{field}.9")])
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut read = message.get_many(&paths).into_iter().map(|it| it.ok().flatten());

    let mut levels = Vec::new();
    for (_, level, code) in LEVELS {
        let ids = [read.next().flatten(), read.next().flatten()]; // datatypes/HD[Identifier]
        if ids.iter().any(Option::is_some) {
            levels.push((format!("{name}-{level}"), code, ids));
        }
    }
    let mut description = read.next().flatten();
    let parents: Vec<String> = levels.iter().skip(1).map(|(id, ..)| id.clone()).collect();
    let mut parents = parents.into_iter();
    levels
        .into_iter()
        .map(|(id, code, ids)| {
            let kind = (!code.is_empty()).then(|| {
                let system = "http://terminology.hl7.org/CodeSystem/location-physical-type";
                concept_of([Some(coding(system, code))], None)
            });
            let parent = parents.next().map(|it| Object::new().set("reference", format!("#{it}")));
            let resource = Object::new()
                .set("resourceType", "Location")
                .set("id", &id)
                .set("identifier", ids.map(|it| Object::new().set("value", it)))
                .set("description", description.take())
                .set("mode", "instance")
                .set("physicalType", kind)
                .set("partOf", parent);
            Location { id, resource }
        })
        .collect()
}
