//! The guide's code tables (`codesystems/`), as far as they say anything for these messages. A test
//! compares each with the guide's own file.

use hilum_sdk::Object;

/// A table of the guide: codes of HL7 v2, and what they are in FHIR.
pub struct Table {
    /// The v2 table as a code system, for a code that the table does not have.
    pub v2_system: &'static str,
    rows: &'static [Row],
}

struct Row {
    v2: &'static str,
    code: &'static str,
    display: &'static str,
    system: &'static str,
}

/// The FHIR code alone, for an element whose value set is fixed.
pub fn value(table: &Table, v2: &str) -> Option<&'static str> {
    table.rows.iter().find(|row| row.v2 == v2).map(|row| row.code)
}

/// The FHIR coding.
pub fn coding(table: &Table, v2: &str) -> Option<Object> {
    let row = table.rows.iter().find(|row| row.v2 == v2)?;
    Some(Object::new().set("system", row.system).set("code", row.code).set("display", row.display))
}

/// `codesystems/YesNoIndicator`.
pub fn yes_no(v2: Option<&str>) -> Option<bool> {
    match v2 {
        Some("Y") => Some(true),
        Some("N") => Some(false),
        _ => None,
    }
}

macro_rules! table {
    ($v2:literal, $([$code:literal, $fhir:literal, $display:literal, $system:literal],)*) => {
        Table {
            v2_system: concat!("http://terminology.hl7.org/CodeSystem/v2-", $v2),
            rows: &[$(Row { v2: $code, code: $fhir, display: $display, system: $system }),*],
        }
    };
}

/// `codesystems/AdministrativeSex`.
pub const ADMINISTRATIVE_SEX: &Table = &table! {
    "0001",
    ["F", "female", "Female", "http://hl7.org/fhir/administrative-gender"],
    ["M", "male", "Male", "http://hl7.org/fhir/administrative-gender"],
    ["O", "other", "Other", "http://hl7.org/fhir/administrative-gender"],
    ["U", "unknown", "Unknown", "http://hl7.org/fhir/administrative-gender"],
    ["A", "other", "Other", "http://hl7.org/fhir/administrative-gender"],
    ["N", "other", "Other", "http://hl7.org/fhir/administrative-gender"],
};

/// `codesystems/MaritalStatus`.
pub const MARITAL_STATUS: &Table = &table! {
    "0002",
    ["A", "L", "Legally Separated", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["D", "D", "Divorced", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["M", "M", "Married", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["S", "S", "Never Married", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["W", "W", "Widowed", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["C", "C", "Common Law", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["G", "T", "Domestic partner", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["P", "T", "Domestic partner", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["R", "T", "Domestic partner", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["E", "L", "Legally Separated", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["N", "A", "Annulled", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["I", "I", "Interlocutory", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["B", "U", "unmarried", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"],
    ["U", "UNK", "Unknown", "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"],
    ["O", "OTH", "Other", "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"],
    ["T", "NAVU", "Not available", "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"],
};

/// `codesystems/NameType`.
pub const NAME_USE: &Table = &table! {
    "0200",
    ["BAD", "old", "Old", "http://hl7.org/fhir/name-use"],
    ["D", "usual", "Usual", "http://hl7.org/fhir/name-use"],
    ["L", "official", "Official", "http://hl7.org/fhir/name-use"],
    ["M", "maiden", "Name changed for Marriage", "http://hl7.org/fhir/name-use"],
    ["MSK", "anonymous", "Anonymous", "http://hl7.org/fhir/name-use"],
    ["N", "nickname", "Nickname", "http://hl7.org/fhir/name-use"],
    ["NAV", "temp", "temp", "http://hl7.org/fhir/name-use"],
    ["R", "official", "Official", "http://hl7.org/fhir/name-use"],
    ["TEMP", "temp", "Temp", "http://hl7.org/fhir/name-use"],
};

/// `codesystems/AddressType[Type]`.
pub const ADDRESS_TYPE: &Table = &table! {
    "0190",
    ["M", "postal", "Postal", "http://hl7.org/fhir/address-type"],
    ["SH", "postal", "Postal", "http://hl7.org/fhir/address-type"],
};

/// `codesystems/AddressType[Use]`.
pub const ADDRESS_USE: &Table = &table! {
    "0190",
    ["BA", "old", "Old / Incorrect", "http://hl7.org/fhir/address-use"],
    ["BI", "billing", "Billing", "http://hl7.org/fhir/address-use"],
    ["C", "temp", "Temporary", "http://hl7.org/fhir/address-use"],
    ["B", "work", "Work", "http://hl7.org/fhir/address-use"],
    ["H", "home", "Home", "http://hl7.org/fhir/address-use"],
    ["O", "work", "Work", "http://hl7.org/fhir/address-use"],
};

/// `codesystems/TelecommunicationEquipmentType`.
pub const EQUIPMENT: &Table = &table! {
    "0202",
    ["PH", "phone", "Phone", "http://hl7.org/fhir/contact-point-system"],
    ["FX", "fax", "Fax", "http://hl7.org/fhir/contact-point-system"],
    ["MD", "other", "Other", "http://hl7.org/fhir/contact-point-system"],
    ["CP", "mobile", "Mobile", "http://hl7.org/fhir/contact-point-use"],
    ["SAT", "other", "Other", "http://hl7.org/fhir/contact-point-system"],
    ["BP", "pager", "Pager", "http://hl7.org/fhir/contact-point-system"],
    ["Internet", "email", "email", "http://hl7.org/fhir/contact-point-system"],
    ["X.400", "email", "email", "http://hl7.org/fhir/contact-point-system"],
    ["TDD", "other", "Other", "http://hl7.org/fhir/contact-point-system"],
    ["TTY", "other", "Other", "http://hl7.org/fhir/contact-point-system"],
};

/// `codesystems/TelecommunicationUseCode`.
pub const TELECOM_USE: &Table = &table! {
    "0201",
    ["PRN", "home", "Home", "http://hl7.org/fhir/contact-point-use"],
    ["WPN", "work", "Work", "http://hl7.org/fhir/contact-point-use"],
    ["PRS", "mobile", "Mobile", "http://hl7.org/fhir/contact-point-use"],
};

/// `codesystems/PatientClass[EncounterClass]`.
pub const ENCOUNTER_CLASS: &Table = &table! {
    "0004",
    ["E", "EMER", "emergency", "http://terminology.hl7.org/CodeSystem/v3-ActCode"],
    ["I", "IMP", "inpatient encounter", "http://terminology.hl7.org/CodeSystem/v3-ActCode"],
    ["O", "AMB", "ambulatory", "http://terminology.hl7.org/CodeSystem/v3-ActCode"],
    ["P", "PRENC", "pre-admission", "http://terminology.hl7.org/CodeSystem/v3-ActCode"],
    ["R", "R", "Recurring patient", "http://terminology.hl7.org/CodeSystem/v2-0004"],
    ["B", "B", "Obstetrics", "http://terminology.hl7.org/CodeSystem/v2-0004"],
    ["C", "C", "Commercial Account", "http://terminology.hl7.org/CodeSystem/v2-0004"],
    ["N", "N", "Not Applicable", "http://terminology.hl7.org/CodeSystem/v2-0004"],
    ["U", "U", "Unknown", "http://terminology.hl7.org/CodeSystem/v2-0004"],
};

/// `codesystems/PatientClass[EncounterStatus]`.
pub const ENCOUNTER_STATUS: &Table = &table! {
    "0004",
    ["E", "in-progress", "", "http://hl7.org/fhir/encounter-status"],
    ["I", "in-progress", "", "http://hl7.org/fhir/encounter-status"],
    ["O", "in-progress", "", "http://hl7.org/fhir/encounter-status"],
    ["P", "planned", "", "http://hl7.org/fhir/encounter-status"],
    ["R", "in-progress", "", "http://hl7.org/fhir/encounter-status"],
    ["B", "in-progress", "", "http://hl7.org/fhir/encounter-status"],
    ["C", "in-progress", "", "http://hl7.org/fhir/encounter-status"],
    ["N", "in-progress", "", "http://hl7.org/fhir/encounter-status"],
    ["U", "unknown", "", "http://hl7.org/fhir/encounter-status"],
};

/// `codesystems/HospitalService`.
pub const HOSPITAL_SERVICE: &Table = &table! {
    "0069",
    ["MED", "382", "Medical Services", "http://terminology.hl7.org/CodeSystem/service-type"],
    ["SUR", "SUR", "Surgical Service", "http://terminology.hl7.org/CodeSystem/v2-0069"],
    ["URO", "222", "Urology", "http://terminology.hl7.org/CodeSystem/service-type"],
    ["PUL", "PUL", "Pulmonary Service", "http://terminology.hl7.org/CodeSystem/v2-0069"],
    ["CAR", "CAR", "Cardiac Service", "http://terminology.hl7.org/CodeSystem/v2-0069"],
};
#[cfg(test)]
mod tests;
