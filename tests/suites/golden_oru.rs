//! What `oru-to-fhir` makes of real results: the fixtures' messages, beside
//! `plugins/oru-to-fhir/golden/*.json`. `UPDATE_EXPECT=1` writes what it is today.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hilum_tests::{hilum, repository};
use serde_json::Value;

/// The Bundle that becomes of a message; and that the plugin saw nothing of a patient for it.
fn mapped(message: &Path) -> Value {
    let example = repository().join("examples/st-anna");
    let table = format!("admit-source={}", example.join("tables/admit-source.csv").display());
    let output = Command::new(hilum())
        .args(["plugin", "run", "--format", "json", "--table", &table])
        .args([&example.join("plugins/oru-to-fhir.wasm"), message])
        .stdin(Stdio::null())
        .output()
        .expect("hilum runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}: {said}", message.display());
    let said: Value = serde_json::from_str(&said).expect("JSON");
    for none in ["opened", "withheld", "denied"] {
        let report = said["steps"][0][none].as_object().expect("a report");
        assert!(report.is_empty(), "{none} {}", message.display());
    }
    let body = said["outputs"][0]["body"].as_str().expect("a body");
    serde_json::from_str(body).expect("JSON")
}

/// Every ORU of the fixtures that has a patient.
fn messages() -> Vec<PathBuf> {
    let fixtures = repository().join("tests/fixtures");
    [
        "hl7v2-messages/ms-fhir-converter/LAB-ORU-1.hl7",
        "hl7v2-messages/ms-fhir-converter/LAB-ORU-2.hl7",
        "hl7v2-messages/ms-fhir-converter/LRI_2.0-NG_CBC_Typ_Message.hl7",
        "hl7v2-messages/ms-fhir-converter/ORU-R01-01.hl7",
        "hl7v2-messages/ms-fhir-converter/ORU-R01-RMGEAD.hl7",
        "hl7v2-messages/python-hl7/samples.rep_sample_hl7.hl7",
        "hl7v2-messages/python-hl7/samples.sample_hl7.hl7",
        "phi/canaries-sample/s-v2-004-ORU_R01.hl7",
        "v2-to-fhir/samples/page-ORU_R01.hl7",
    ]
    .map(|it| fixtures.join(it))
    .into()
}

fn resources<'v>(bundle: &'v Value, kind: &str) -> Vec<&'v Value> {
    let entries = bundle["entry"].as_array().expect("entries");
    let all = entries.iter().map(|it| &it["resource"]);
    all.filter(|it| it["resourceType"] == kind).collect()
}

#[test]
fn oru_to_fhir_makes_what_it_made() {
    let folder = repository().join("plugins/oru-to-fhir/golden");
    let is_update = std::env::var_os("UPDATE_EXPECT").is_some();
    for message in messages() {
        let bundle = mapped(&message);
        every_result_is_in_one_report(&message, &bundle);
        let made = format!("{bundle:#}\n");
        let name = message.file_stem().expect("a name");
        let golden = folder.join(name).with_added_extension("json");
        if is_update {
            std::fs::write(&golden, &made).expect("written");
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert!(made == expected, "{} is not what it was; UPDATE_EXPECT=1", golden.display());
    }
}

/// Every OBX of the message is an Observation of the Bundle, and none is a result of two reports.
fn every_result_is_in_one_report(message: &Path, bundle: &Value) {
    let text = std::fs::read(message).expect("read");
    let text = String::from_utf8_lossy(&text);
    let count = |name: &str| text.split(['\r', '\n']).filter(|it| it.starts_with(name)).count();
    // The document between ORC and OBR has no map.
    let documents = count("TXA|");
    let observations = resources(bundle, "Observation").len();
    assert_eq!(observations, count("OBX|") - documents, "{}", message.display());
    let reports = resources(bundle, "DiagnosticReport");
    assert_eq!(reports.len(), count("OBR|"), "{}", message.display());
    let results = reports.iter().filter_map(|it| it["result"].as_array()).flatten();
    let mut results: Vec<&str> =
        results.map(|it| it["reference"].as_str().expect("a reference")).collect();
    let all = results.len();
    results.sort_unstable();
    results.dedup();
    assert_eq!(results.len(), all, "{}", message.display());
    assert!(all <= observations, "{}", message.display());
}

/// A document of 200 KiB is one token: the plugin gets by with its memory, and what comes out is what
/// went in.
#[test]
fn a_large_document_goes_through_untouched() {
    let folder = tempfile::tempdir().expect("a folder");
    let message = folder.path().join("message.hl7");
    let document = "QUJD".repeat(50 * 1_024);
    let text = format!(
        "MSH|^~\\&|A|B|||20260101||ORU^R01|1|P|2.5.1\rPID|1||7^^^X\rOBR|1||F1|P^Panel\r\
         OBX|1|ED|D^Document||^application^pdf^Base64^{document}||||||F\r"
    );
    std::fs::write(&message, text).expect("written");
    let bundle = mapped(&message);
    let [observation] = resources(&bundle, "Observation")[..] else {
        panic!("one observation");
    };
    let attachment = &observation["extension"][0]["valueAttachment"];
    assert_eq!(attachment["contentType"], "application/pdf");
    assert!(attachment["data"] == document.as_str(), "the document is another");
}
