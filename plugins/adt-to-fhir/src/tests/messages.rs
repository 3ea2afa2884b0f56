//! Which map an event takes, and what is about the message itself.

use super::*;

#[test]
fn an_event_without_a_map_is_refused() {
    for event in ["A15", "A40", "A99", ""] {
        refused(event, &[PID], Reason::Unsupported, "MSH-9.2");
    }
    let text = "MSH|^~\\&|A|B|||20260101||ORU^A01|1|P|2.5.1\rPID|1||7";
    let refusal = on_desk(text, &[]).expect_err("it is refused");
    assert_eq!(refusal.reason, Reason::Unsupported);
}

#[test]
fn every_event_that_the_manifest_takes_is_mapped_and_no_other() {
    let manifest = include_str!("../../plugin.toml");
    for number in 1..=62 {
        let event = format!("A{number:02}");
        let is_taken = manifest.contains(&format!("hl7v2:ADT^{event}\""));
        assert_eq!(crate::structures::of_event(&event).is_some(), is_taken, "{event}");
    }
}

#[test]
fn a_message_without_a_patient_is_refused() {
    refused("A01", &["PV1|1|I"], Reason::RequiredMissing, "PID");
    refused("A01", &["PID|1||\"\""], Reason::RequiredMissing, "PID-3");
}

#[test]
fn two_patients_change_places() {
    let made = made(
        "A17",
        &[
            "PID|1||7^^^X^MR",
            "PV1|1|I|||||||||||||||||V7",
            "PID|2||8^^^X^MR",
            "PV1|2|I|||||||||||||||||V8",
        ],
    );
    assert_eq!([count(&made, "Patient"), count(&made, "Encounter")], [2, 2]);
    let patients: Vec<&str> = made.split("\"resourceType\":\"Patient\"").skip(1).collect();
    check(patients[0], &["\"value\":\"7\"", "\"value\":\"V7\"", "!\"value\":\"V8\""]);
    check(patients[1], &["\"value\":\"8\"", "\"value\":\"V8\""]);
    // In any other message a second patient is not asked for.
    let made = super::made("A01", &["PID|1||7^^^X^MR", "PID|2||8^^^X^MR", "PV1|1|I"]);
    assert_eq!([count(&made, "Patient"), count(&made, "Encounter")], [1, 0]);
}

#[test]
fn a_role_belongs_to_what_it_stands_behind() {
    let role = "ROL|1|AD|PP^x^HL70443|55^Doc^A^^^^^^ST";
    let made = made("A01", &[PID, role, "PV1|1|I"]);
    check(&made, &["generalPractitioner", "!participant"]);
    let made = super::made("A01", &[PID, "PV1|1|I", role]);
    check(&made, &["!generalPractitioner", "participant"]);
}

#[test]
fn what_is_about_the_message_stands_in_a_message_alone() {
    let segments = [PID, "PV1|1|I"];
    let transaction = made("A01", &segments);
    check(&transaction, &["\"type\":\"transaction\"", "!MessageHeader", "!Provenance"]);
    let message = message("A01", &segments);
    check(
        &message,
        &[
            "\"type\":\"message\"",
            "\"entry\":[{\"fullUrl\":\"urn:uuid:",
            "\"timestamp\":\"2026-01-02T03:04:05+01:00\"",
            "v2-fhir-transformation",
        ],
    );
    let first = message.split("\"resourceType\":").nth(2).unwrap_or_default();
    assert!(first.starts_with("\"MessageHeader\""), "{first}");
}

#[test]
fn the_first_software_wrote_the_message_and_others_handed_it_on() {
    let message = message("A01", &["SFT|Maker|1.0|Writer", "SFT|Other|2.0|Engine", PID]);
    let sources = message.matches("\"role\":\"source\"").count();
    let handed_on = message.matches("\"role\":\"derivation\"").count();
    // The message itself is a source twice: of what it says, and of what was made of it.
    assert_eq!([sources, handed_on], [3, 1]);
}

#[test]
fn the_event_is_the_operators_or_the_senders() {
    let named = message("A01", &["EVN||20260102||02|55^Doc^A", PID]);
    check(&named, &["event - :ADT^A01", "\"family\":\"Doc\"", "\"code\":\"TREAT\""]);
    let unnamed = message("A01", &["EVN||20260102||U", PID]);
    check(
        &unnamed,
        &[
            "event - :ADT^A01",
            "!\"family\"",
            "\"reason\":[{\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/data-absent-reason\",\"valueCode\":\"unknown\"}]}]",
        ],
    );
    // A date without a time is no instant: the message's own time is.
    check(
        &unnamed,
        &["!\"recorded\":\"2026-01-02\"", "\"recorded\":\"2026-01-02T03:04:05+01:00\""],
    );
}

#[test]
fn an_address_is_a_url_or_says_why_it_is_none() {
    let header = |application: &str, address: &str| {
        let text = format!(
            "MSH|^~\\&|{application}|FAC|B|C|20260102030405||ADT^A01|1|P|2.5.1||||||||||||{address}\r{PID}"
        );
        on_desk(&text, &[("message", "x")]).expect("it is mapped").remove(0)
    };
    check(&header("APP^1.2.3^ISO", ""), &["\"endpoint\":\"urn:oid:1.2.3\"", "\"name\":\"APP\""]);
    check(&header("APP^1.2.3^ISO", "GW^gw.example^DNS"), &["\"endpoint\":\"urn:dns:gw.example\""]);
    check(
        &header("APP", "^https://gw.example/in^URI"),
        &["\"endpoint\":\"https://gw.example/in\""],
    );
    check(&header("", "GW^7^HCD"), &["\"name\":\"GW - HCD:7\"", "\"_endpoint\":{\"extension\""]);
    check(&header("APP^1.x^ISO", ""), &["!urn:oid:1.x", "\"_endpoint\":{\"extension\""]);
}
