use expect_test::{Expect, expect};
use hilum_message::{Message, TimeZone};
use hilum_words::config::Document;
use hilum_words::{Problem, Problems};

use super::*;
use crate::Policy;

fn read(text: &str) -> (Overrides, String) {
    let problems = Problems::default();
    let document = Document::parse("hilum.toml", text, &problems);
    let mut root = document.root(&problems);
    let overrides = root.section("phi").map(Overrides::read).unwrap_or_default();
    root.finish();
    let all: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
    (overrides, all.join("\n"))
}

#[track_caller]
fn check(lines: &str, expected: Expect) {
    expected.assert_eq(&read(&format!("[phi]\n{lines}\n")).1);
}

fn shown(overrides: Overrides, format: &str, text: &str) -> String {
    let message = Message::parse(format, text.to_owned().into()).expect("parses");
    Policy::new(TimeZone::UTC).with_overrides(overrides).shown(&message)
}

#[test]
fn the_narrower_counts_more_whatever_comes_first() {
    let text = "[phi]\n\"ZPD-3.2\" = \"name\"\n\"ZPD-3\" = \"open\"\n\"ZPD\" = \"date\"\n\
                \"PID-5\" = \"open\"\n\"PID-8\" = \"identifier\"\n\"PID-3.1\" = \"open\"\n";
    let (overrides, problems) = read(text);
    assert_eq!(problems, "");
    let message = "MSH|^~\\&|A\rPID|1||7^8^^H||A^B||19470228|F\rZPD|a|b|c^d^e|f\rZPE|x\r";
    let expected = expect![[r#"
        MSH|^~\&|A
        PID|1||7^[phi:identifier]^^H||A^B||[phi:birth-date]|[phi:identifier]
        ZPD|[phi:date]|[phi:date]|c^[phi:name]^e|[phi:date]
        ZPE|[phi:unknown]
    "#]];
    expected.assert_eq(&shown(overrides, "hl7v2", message));
}

#[test]
fn obx_5_can_be_classed_whatever_it_is() {
    let (overrides, problems) = read("[phi]\n\"OBX-5\" = \"text\"\n");
    assert_eq!(problems, "");
    let message = "MSH|^~\\&|A\rOBX|1|NM|A||7\rOBX|2|CE|A||b^c\r";
    let shown = shown(overrides, "hl7v2", message);
    assert!(shown.contains("||[phi:text]\n") && shown.contains("[phi:text]^[phi:text]"), "{shown}");
}

#[test]
fn elements_and_extensions_of_fhir_are_classed() {
    let text = "[phi]\n\"Patient.gender\" = \"text\"\n\"Patient.name.family\" = \"open\"\n\
                \"extension('http://x/ward')\" = \"address\"\n";
    let (overrides, problems) = read(text);
    assert_eq!(problems, "");
    let patient = r#"{"resourceType":"Patient","gender":"male","name":[{"family":"A","given":["B"]}],"extension":[{"url":"http://x/ward","valueString":"2W"}]}"#;
    let expected = expect![[
        r#"{"resourceType":"Patient","gender":"[phi:text]","name":[{"family":"A","given":["[phi:name]"]}],"extension":[{"url":"http://x/ward","valueString":"[phi:address]"}]}"#
    ]];
    expected.assert_eq(&shown(overrides, "fhir-json", patient));
}

#[test]
fn what_is_said_of_a_data_type_holds_wherever_it_stands() {
    let text = "[phi]\n\"Account.subject.display\" = \"open\"\n\
                \"Reference.identifier.system\" = \"identifier\"\n";
    let (overrides, problems) = read(text);
    assert_eq!(problems, "");
    let account = r#"{"resourceType":"Account","subject":[{"display":"A","identifier":{"system":"B"}}],"owner":{"display":"C","identifier":{"system":"D"}}}"#;
    let expected = expect![[
        r#"{"resourceType":"Account","subject":[{"display":"A","identifier":{"system":"[phi:identifier]"}}],"owner":{"display":"[phi:name]","identifier":{"system":"[phi:identifier]"}}}"#
    ]];
    expected.assert_eq(&shown(overrides, "fhir-json", account));
}

#[test]
fn what_is_no_place_says_what_to_write() {
    check(
        "\"PID-5\" = \"names\"\n\"PID-3[2].1\" = \"open\"\n\"PID-3.4.1\" = \"open\"\n\"PID-0\" = \"open\"\n\
         \"PID-4000000000\" = \"open\"\n\"MSH\" = \"open\"\n\"MSH-18\" = \"text\"\n\"OBX-5.1\" = \"open\"\n\
         \"PID-7\" = \"open\"\n\"PID-7 \" = \"open\"",
        expect![[r#"
            hilum.toml:2  phi.PID-5  must be one of "name", "address", "birth-date", "date", "contact", "identifier", "text", "image", "body", "unknown", "open"; did you mean "name"?
            hilum.toml:3  phi.PID-3[2].1  a class holds for every segment of this name, every repetition and all in a component: write "PID-3.1"
            hilum.toml:4  phi.PID-3.4.1  a class holds for every segment of this name, every repetition and all in a component: write "PID-3.4"
            hilum.toml:5  phi.PID-0  is no path of HL7 v2 (not a path like PID-3[2].4.1: byte 4 is not what may stand there): write "PID-5", or "PID-5.1" for a component
            hilum.toml:6  phi.PID-4000000000  no field is above 999, no component above 99
            hilum.toml:7  phi.MSH  holds what messages are read by, so not all of it can have a class: name its fields, such as "MSH-3"
            hilum.toml:8  phi.MSH-18  is what messages are read by: it is open, and stays so
            hilum.toml:9  phi.OBX-5.1  OBX-5 is classed by OBX-2, and its components with it: write "OBX-5" to class it whatever it is
            hilum.toml:11  phi.PID-7   is no path of HL7 v2 (not a path like PID-3[2].4.1: byte 5 is not what may stand there): write "PID-5", or "PID-5.1" for a component"#]],
    );
    check(
        "\"Patien.name\" = \"open\"\n\"Patient\" = \"open\"\n\"Patient.nam\" = \"open\"\n\
         \"Patient.name.famly\" = \"open\"\n\"Patient.name[0].family\" = \"open\"\n\"Patient.gender.x\" = \"open\"\n\
         \"Patient.contained.name\" = \"open\"\n\"Patient.extension('http://x')\" = \"open\"\n\
         \"extension(http://x)\" = \"open\"\n\"extension('')\" = \"open\"\n\
         \"extension('http://x')\" = \"open\"\n\"extension(\\\"http://x\\\")\" = \"name\"\nPID-5.1 = \"open\"",
        expect![[r#"
            hilum.toml:2  phi.Patien.name  is neither a path of HL7 v2 ("PID-5.1") nor one of FHIR R4 ("Patient.name"): no type has this name; did you mean "Patient"?
            hilum.toml:3  phi.Patient  names a whole type: write which element, such as "Patient.active"
            hilum.toml:4  phi.Patient.nam  FHIR R4 has no element "nam" in Patient; did you mean "name"?
            hilum.toml:5  phi.Patient.name.famly  FHIR R4 has no element "famly" in Patient.name; did you mean "family"?
            hilum.toml:6  phi.Patient.name[0].family  a class holds for every repetition: write "name" without []
            hilum.toml:7  phi.Patient.gender.x  Patient.gender has no elements to name here: a value has none, and what a resource holds is named by its own type
            hilum.toml:8  phi.Patient.contained.name  Patient.contained has no elements to name here: a value has none, and what a resource holds is named by its own type
            hilum.toml:9  phi.Patient.extension('http://x')  names an extension by its url, wherever it stands: "extension('http://…')"; "Patient.extension" would be all that stand there
            hilum.toml:10  phi.extension(http://x)  names an extension by its url, wherever it stands: "extension('http://…')"
            hilum.toml:11  phi.extension('')  names an extension by its url, wherever it stands: "extension('http://…')"
            hilum.toml:13  phi.extension("http://x")  is the same place as "extension('http://x')"
            hilum.toml:14  phi.PID-5  must be a string, not a table
            hilum.toml:14  phi.PID-5  names a place by one path in quotes: "PID-5.1" = "open", "Patient.name" = "open""#]],
    );
}

#[test]
fn only_a_choice_ends_with_x() {
    let good =
        "[phi]\n\"Patient.deceased[x]\" = \"open\"\n\"Observation.valueString\" = \"text\"\n";
    assert_eq!(read(good).1, "");
    check(
        "\"Patient.marital[x]\" = \"open\"\n\"Task.group[x]\" = \"open\"\n\"Condition.onset[x].id\" = \"open\"\n\
         \"Patient.name[x].family\" = \"open\"",
        expect![[r#"
            hilum.toml:2  phi.Patient.marital[x]  FHIR R4 has no element "marital[x]" in Patient
            hilum.toml:3  phi.Task.group[x]  FHIR R4 has no element "group[x]" in Task
            hilum.toml:4  phi.Condition.onset[x].id  onset[x] would be all elements of a choice, and nothing can follow that: name one of them
            hilum.toml:5  phi.Patient.name[x].family  name[x] would be all elements of a choice, and nothing can follow that: name one of them"#]],
    );
}

#[test]
fn a_segment_that_no_version_has_is_a_slip() {
    // DG1-3 would have stayed open, and nobody would have heard of it.
    let (_, problems) = read("[phi]\n\"DGI-3\" = \"text\"\n\"ZDG-3\" = \"text\"\n");
    assert_eq!(
        problems,
        "hilum.toml:2  phi.DGI-3  no version of HL7 v2 has a segment DGI; one of the site's own begins with Z"
    );
}

/// A field's number is not how many there are: nobody writes a path that takes the memory.
#[test]
fn numbers_are_bounded() {
    let (overrides, problems) = read("[phi]\n\"ZZZ-999.99\" = \"open\"\n");
    assert_eq!(problems, "");
    assert!(shown(overrides, "hl7v2", "MSH|^~\\&|A\rZZZ|x\r").contains("[phi:unknown]"));
    assert!(read("[phi]\n\"ZZZ-1000\" = \"open\"\n").1.contains("no field is above 999"));
    assert!(read("[phi]\n\"ZZZ-1.100\" = \"open\"\n").1.contains("no component above 99"));
    let extension = |length: usize| {
        read(&format!("[phi]\n\"extension('{}')\" = \"open\"\n", "u".repeat(length))).1
    };
    assert_eq!(extension(1_024), "");
    assert!(extension(1_025).contains("has a url of more than 1024 bytes"));
    let many: String = (1..=1_001).map(|it| format!("\"ZZZ-1.{}\" = \"open\"\n", it)).collect();
    assert!(read(&format!("[phi]\n{many}")).1.contains("1000 places at most"));
}

#[test]
fn what_a_site_says_is_in_the_version() {
    let policy = |text: &str| Policy::new(TimeZone::UTC).with_overrides(read(text).0).version();
    let own = policy("");
    assert_eq!(own, Policy::new(TimeZone::UTC).version());
    assert_ne!(own, policy("[phi]\n\"ZPD-3\" = \"open\"\n"));
    assert_ne!(policy("[phi]\n\"ZPD-3\" = \"name\"\n"), policy("[phi]\n\"ZPD-3\" = \"open\"\n"));
}
