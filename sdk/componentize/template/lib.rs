//! ADT to a FHIR Patient.
//!
//! The values are moved, not read: without a grant `family` is a token such as `ZQ7K3M9XA2WB4T`.

use hilum_sdk::{Message, Object, Output, Reason, Refusal, conversions, fhir, refuse};

hilum_sdk::transformer!(map);

fn map(message: &Message) -> Result<Vec<Output>, Refusal> {
    let [number, authority] = message.values(["PID-3.1", "PID-3.4.1"]);
    let Some(number) = number else {
        return Err(refuse(Reason::RequiredMissing, "a patient needs an identifier").at("PID-3"));
    };
    let system = authority.map(|it| format!("https://hospital.example/id/{it}"));

    let [family, given, born, sex] = message.values(["PID-5.1", "PID-5.2", "PID-7", "PID-8"]);
    // What is not there leaves no trace in the output.
    let patient = Object::new()
        .set("resourceType", "Patient")
        .set("identifier", [Object::new().set("system", &system).set("value", &number)])
        .set("name", [Object::new().set("family", family).set("given", [given])])
        .set("gender", sex.and_then(|it| gender(&it)))
        .set("birthDate", born.and_then(|it| conversions::fhir_date(&it)));

    // A repeat of the message updates the same patient.
    let url = fhir::by_identifier("Patient", system.as_deref(), &number);
    let entry = fhir::put(&message.urn("Patient"), &url, patient);
    Ok(vec![Output::fhir(fhir::transaction([entry]))])
}

fn gender(code: &str) -> Option<&'static str> {
    match code {
        "F" => Some("female"),
        "M" => Some("male"),
        "O" | "A" | "N" => Some("other"),
        "U" => Some("unknown"),
        _ => None,
    }
}
