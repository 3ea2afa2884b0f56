use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use super::*;

/// One request on a connection of its own; status and body, or `None` if the peer hung up.
fn ask(peer: &FhirPeer, method: &str, target: &str, body: &str) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(peer.address()).expect("connected");
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\n\
         Content-Length: {}\r\nConnection: close\r\nIdempotency-Key: k1\r\n\r\n{body}",
        body.len()
    )
    .expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).unwrap_or_else(|_| body.into())))
}

fn transaction(value: &str) -> String {
    json!({
        "resourceType": "Bundle", "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:1", "resource": {
                    "resourceType": "Patient", "identifier": [{ "system": "urn:oid:1.2", "value": value }],
                },
                "request": { "method": "PUT", "url": format!("Patient?identifier=urn%3Aoid%3A1.2%7C{value}") },
            },
            {
                "resource": { "resourceType": "Encounter", "subject": { "reference": "urn:uuid:1" } },
                "request": { "method": "POST", "url": "Encounter" },
            },
        ],
    })
    .to_string()
}

#[test]
fn a_transaction_with_conditional_update_makes_one_patient() {
    let peer = FhirPeer::start().expect("started");
    let (status, first) = ask(&peer, "POST", "/fhir", &transaction("7")).expect("answered");
    assert_eq!((status, &first["type"]), (200, &json!("transaction-response")));
    assert_eq!(first["entry"][0]["response"]["status"], "201 Created");
    let (_, second) = ask(&peer, "POST", "/fhir", &transaction("7")).expect("answered");
    assert_eq!(second["entry"][0]["response"]["status"], "200 OK");
    assert_eq!(second["entry"][0]["response"]["location"], "Patient/1/_history/2");
    ask(&peer, "POST", "/fhir", &transaction("8")).expect("answered");

    assert_eq!(peer.resources("Patient").len(), 2);
    let encounters = peer.resources("Encounter");
    let subjects: Vec<_> = encounters.iter().map(|it| &it["subject"]["reference"]).collect();
    assert_eq!(subjects[..2], ["Patient/1", "Patient/1"]);
    let (_, found) =
        ask(&peer, "GET", "/fhir/Patient?identifier=urn:oid:1.2|8", "").expect("answered");
    assert_eq!((&found["total"], &found["entry"][0]["resource"]["id"]), (&json!(1), &json!("4")));
    let (status, read) = ask(&peer, "GET", "/fhir/Patient/1", "").expect("answered");
    assert_eq!((status, &read["identifier"][0]["value"]), (200, &json!("7")));
    assert_eq!(ask(&peer, "GET", "/fhir/Patient/99", "").expect("answered").0, 404);
    assert_eq!(ask(&peer, "GET", "/fhir/metadata", "").expect("answered").0, 200);
    assert_eq!(peer.received()[0].header("Idempotency-Key"), Some("k1"));
}

#[test]
fn a_transaction_is_all_or_nothing() {
    let peer = FhirPeer::start().expect("started");
    let broken = transaction("7").replace("\"url\":\"Encounter\"", "\"url\":\"Patient\"");
    let (status, outcome) = ask(&peer, "POST", "/fhir", &broken).expect("answered");
    assert_eq!((status, &outcome["resourceType"]), (400, &json!("OperationOutcome")));
    let dangling =
        transaction("7").replace("\"reference\":\"urn:uuid:1\"", "\"reference\":\"urn:uuid:2\"");
    assert_eq!(ask(&peer, "POST", "/fhir", &dangling).expect("answered").0, 400);
    assert_eq!(ask(&peer, "POST", "/fhir", "{\"resourceType\":").expect("answered").0, 400);
    assert_eq!(peer.resources("Patient").len(), 0);

    let batch = broken.replace("\"transaction\"", "\"batch\"");
    let (status, answer) = ask(&peer, "POST", "/fhir", &batch).expect("answered");
    assert_eq!((status, &answer["entry"][1]["response"]["status"]), (200, &json!("400")));
    assert_eq!(peer.resources("Patient").len(), 1);
}

#[test]
fn every_fault_switch_does_what_it_says() {
    let peer = FhirPeer::start().expect("started");
    let post = || ask(&peer, "POST", "/fhir", &transaction("7"));
    peer.answer_with(503, Some(Duration::from_millis(1200)));
    assert_eq!(post().expect("answered").0, 503);
    peer.fail(Fault::Entries { status: 422 });
    assert_eq!(post().expect("answered").1["entry"][0]["response"]["status"], "422");
    peer.fail_next([Fault::HangUpBefore, Fault::Says("<html>")]);
    assert_eq!(post(), None);
    assert_eq!(post().expect("answered"), (200, json!("<html>")));
    assert_eq!(peer.resources("Patient").len(), 0);
    peer.fail(Fault::HangUpAfter);
    assert_eq!(post(), None);
    assert_eq!(peer.resources("Patient").len(), 1);

    peer.down().expect("down");
    assert!(TcpStream::connect(peer.address()).is_err(), "nobody listens");
    peer.recover();
    assert_eq!(post().expect("answered").0, 200);
    let answered: Vec<_> = peer.received().iter().map(|it| it.answered).collect();
    assert_eq!(answered, [Some(503), Some(200), None, Some(200), None, Some(200)]);
}
