//! HL7 v2 data types as FHIR ones: `datatypes/…` of the guide.

mod name;
mod place;
mod telecom;

use hilum_sdk::{Message, Object, conversions, settings};

pub use name::{names, practitioners};
pub use place::{addresses, location};
pub use telecom::telecoms;

use crate::codes::{self, Table};

/// CX: `datatypes/CX[Identifier]`.
#[derive(Clone, Debug, Default)]
pub struct Identifier {
    /// CX.1.
    pub value: String,
    /// The URI that CX.4 stands for.
    pub system: Option<String>,
    /// CX.5.
    pub kind: Option<String>,
    /// The rest, as FHIR.
    assigner: Object,
    period: Object,
    extensions: Vec<Object>,
}

/// Each repetition of a CX field that has a value.
pub fn identifiers(message: &Message, field: &str) -> Vec<Identifier> {
    let parts = [".1", ".2", ".3", ".4.1", ".4.2", ".4.3", ".5", ".7", ".8"];
    message
        .each(field, parts)
        .into_iter()
        .filter_map(|[value, digit, scheme, namespace, id, id_type, kind, from, until]| {
            let authority = Authority { namespace, id, id_type };
            let check = [
                ("http://hl7.org/fhir/StructureDefinition/identifier-checkDigit", digit),
                ("http://hl7.org/fhir/StructureDefinition/namingsystem-checkDigit", scheme),
            ];
            Some(Identifier {
                value: value?,
                system: authority.system(),
                assigner: authority.organization(),
                kind,
                period: dates(from, until),
                extensions: check
                    .into_iter()
                    .filter_map(|(url, it)| extension(url, "valueString", it))
                    .collect(),
            })
        })
        .collect()
}

impl Identifier {
    /// A value in a system, and nothing else.
    pub fn new(system: &str, value: &str) -> Self {
        Self { value: value.to_owned(), system: Some(system.to_owned()), ..Self::default() }
    }

    /// As FHIR, with the type of CX.5 (#8).
    pub fn object(&self) -> Object {
        let kind = self.kind.as_deref();
        let kind = kind.map(|it| coding("http://terminology.hl7.org/CodeSystem/v2-0203", it));
        self.object_of_type(Object::new().set("coding", [kind]))
    }

    /// As FHIR, with a type that the place decides.
    pub fn object_of_type(&self, kind: Object) -> Object {
        Object::new()
            .set("extension", &self.extensions)
            .set("type", kind)
            .set("system", &self.system)
            .set("value", &self.value)
            .set("period", &self.period)
            .set("assigner", &self.assigner)
    }
}

/// HD: who assigned an identifier.
struct Authority {
    namespace: Option<String>,
    id: Option<String>,
    id_type: Option<String>,
}

impl Authority {
    /// `datatypes/HD[uri]`. The site's own setting goes first. Then a universal id that says what
    /// it is, although the guide takes the namespace first (#1): two hospitals may each have a
    /// namespace `MR`, and the wrong patient would be found.
    fn system(&self) -> Option<String> {
        self.namespace
            .as_deref()
            .and_then(site_system)
            .or_else(|| self.urn())
            .or_else(|| self.namespace.clone())
    }

    /// #2 to #4: an OID and a UUID become a URN, a URI is one.
    fn urn(&self) -> Option<String> {
        let id = self.id.as_deref()?;
        match self.id_type.as_deref() {
            Some("ISO") => Some(format!("urn:oid:{id}")),
            Some("UUID" | "GUID") => Some(format!("urn:uuid:{}", conversions::lower_case(id))),
            Some("URI" | "URL") => Some(id.to_owned()),
            _ => None,
        }
    }

    /// `datatypes/HD[Organization]`, as a reference by what is known of it.
    fn organization(&self) -> Object {
        let urn = self.urn();
        let system = urn.as_ref().map(|_| "urn:ietf:rfc:3986");
        Object::new()
            .set("identifier", Object::new().set("system", system).set("value", urn))
            .set("display", &self.namespace)
    }
}

/// What the site says a namespace or a local code system is.
fn site_system(name: &str) -> Option<String> {
    settings::get(&format!("system.{name}"))
}

/// A coding of one code.
pub fn coding(system: &str, code: &str) -> Object {
    Object::new().set("system", system).set("code", code)
}

/// A CodeableConcept of these codings.
pub fn concept_of<const N: usize>(codings: [Option<Object>; N], text: Option<String>) -> Object {
    Object::new().set("coding", codings).set("text", text)
}

/// CWE: `datatypes/CWE[CodeableConcept]`. A code without a coding system is of `own_system`, the
/// table that the standard gives the field.
pub fn concept(message: &Message, field: &str, own_system: &str) -> Option<Object> {
    let at = |part: &str| format!("{field}.{part}");
    let paths = ["1", "2", "3", "7", "4", "5", "6", "8", "10", "11", "12", "13", "9"].map(at);
    let read = message.values(std::array::from_fn::<_, 13, _>(|index| paths[index].as_str()));
    let [c1, d1, s1, v1, c2, d2, s2, v2, c3, d3, s3, v3, text] = read;
    let one =
        |code: Option<String>, display, system: Option<String>, version, own: Option<&str>| {
            let system = match (&code, &system) {
                (Some(_), Some(name)) => system_of(name),
                (Some(_), None) => own.map(str::to_owned),
                (None, _) => None,
            };
            Object::new()
                .set("system", system)
                .set("version", version)
                .set("code", code)
                .set("display", display)
        };
    let all = concept_of(
        [
            Some(one(c1, d1, s1, v1, Some(own_system))),
            Some(one(c2, d2, s2, v2, None)),
            Some(one(c3, d3, s3, v3, None)),
        ],
        text,
    );
    (!all.is_empty()).then_some(all)
}

/// A CWE whose code is in one of the guide's tables becomes that table's coding; any other stays.
pub fn coded(message: &Message, field: &str, table: &Table) -> Option<Object> {
    let [code, text] = message.values([&format!("{field}.1"), &format!("{field}.9")]);
    match code.as_deref().and_then(|it| codes::coding(table, it)) {
        Some(mapped) => Some(concept_of([Some(mapped)], text)),
        None => concept(message, field, table.v2_system),
    }
}

/// The URI of a coding system that HL7 table 0396 names; the site knows its own.
fn system_of(name: &str) -> Option<String> {
    if let Some(own) = site_system(name) {
        return Some(own);
    }
    if let Some(table) = name.strip_prefix("HL7").filter(|it| it.len() == 4) {
        return Some(format!("http://terminology.hl7.org/CodeSystem/v2-{table}"));
    }
    let known = match name {
        "LN" => "http://loinc.org",
        "SCT" => "http://snomed.info/sct",
        "UCUM" => "http://unitsofmeasure.org",
        "I10" => "http://hl7.org/fhir/sid/icd-10",
        "I10C" => "http://hl7.org/fhir/sid/icd-10-cm",
        "I9" | "I9C" => "http://hl7.org/fhir/sid/icd-9-cm",
        "ISO3166_1" | "ISO+" => "urn:iso:std:iso:3166",
        "ISO639" => "urn:ietf:bcp:47",
        _ => return None,
    };
    Some(known.to_owned())
}

/// One extension, if its value is there.
pub fn extension(url: &str, key: &str, value: impl hilum_sdk::Json) -> Option<Object> {
    let empty = Object::new().set(key, &value).is_empty();
    (!empty).then(|| Object::new().set("url", url).set(key, value))
}

/// A Period of two times that are FHIR already.
pub fn period(start: Option<String>, end: Option<String>) -> Object {
    Object::new().set("start", start).set("end", end)
}

/// A Period of two HL7 dates or times.
fn dates(from: Option<String>, until: Option<String>) -> Object {
    let convert = |it: Option<String>| it.as_deref().and_then(conversions::fhir_date_time);
    period(convert(from), convert(until))
}
