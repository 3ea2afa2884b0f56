use expect_test::{Expect, expect};
use hilum_message::TimeZone;

use super::*;
use crate::Overrides;

const ADT: &str = "MSH|^~\\&|LAB\rPID|1||17^^^H^MR||EVE^A\rOBX|1|ST|G^H||free\rZPD|ward|x\r";
const PATIENT: &str = r#"{"resourceType":"Patient","gender":"male","active":"no","name":[{"family":"EVE"}],"made up":{"x":1},"extension":[{"url":"http://x","valueCode":"c"},{"url":"http://y","valueCode":"d"}]}"#;

fn policy() -> Policy {
    Policy::new(TimeZone::UTC).with_overrides(Overrides::of(&[
        ("ZPD-1", "address"),
        ("PID-3.1", "open"),
        ("extension('http://x')", "date"),
    ]))
}

fn parse(format: &str, text: &str) -> Arc<Message> {
    Arc::new(Message::parse(format, text.to_owned().into()).expect("parses"))
}

#[track_caller]
fn check(all: &[Explained], expected: Expect) {
    let line = |it: &Explained| {
        format!("{} | {} | {} | {} | {}\n", it.place, it.classes, it.verdict, it.seen, it.rule)
    };
    expected.assert_eq(&all.iter().map(line).collect::<String>());
}

#[test]
fn a_plugin_sees_tokens_and_each_value_has_its_rule() {
    let grant = Grant::sealed_by_default().with(Class::Text, Sight::Open);
    check(
        &policy().explain(&parse("hl7v2", ADT), &grant, RunSeed([5; 16])),
        expect![[r#"
        MSH-3.1 | open | open | LAB | Sending application: open, decided (ST,HD)
        PID-1.1 | open | open | 1 | Set id pid: open, by its type (SI)
        PID-3.1 | open | open | 17 | [phi] "PID-3.1" = "open"
        PID-3.4 | open | open | H | Patient identifier list: identifier, named by the PHI table; component 4 of CK,CM_PAT_ID,CX is open
        PID-3.5 | open | open | MR | Patient identifier list: identifier, named by the PHI table; component 5 of CK,CM_PAT_ID,CX is open
        PID-5.1 | name | seal | ZQITQPKNJWGDVR | Patient name: name, named by the PHI table (PN,XPN)
        PID-5.2 | name | seal | ZQI54EC8TBXUD6 | Patient name: name, named by the PHI table (PN,XPN)
        OBX-1.1 | open | open | 1 | Set id obx: open, by its type (SI)
        OBX-2.1 | open | open | ST | Value type: open, by its type (ID)
        OBX-3.1 | open | open | G | Observation identifier: open, by its type (CE,CWE)
        OBX-3.2 | open | open | H | Observation identifier: open, by its type (CE,CWE)
        OBX-5.1 | text | open | free | Observation value: by OBX-2, which is ST
        ZPD-1.1 | address | seal | ZQZD5GQ4NCCPVH | [phi] "ZPD-1" = "address"
        ZPD-2.1 | unknown | seal | ZQJT0IFNALF234 | no version of HL7 v2 has ZPD-2
    "#]],
    );
}

#[test]
fn a_destination_gets_what_it_is_cleared_for() {
    let clearance = Clearance::none()
        .with(Class::Name, Clear::Mask)
        .with(Class::Text, Clear::Withhold)
        .with(Class::Address, Clear::Open);
    check(
        &policy().explain_cleared(&parse("hl7v2", ADT), &clearance),
        expect![[r#"
        MSH-3.1 | open | open | LAB | Sending application: open, decided (ST,HD)
        PID-1.1 | open | open | 1 | Set id pid: open, by its type (SI)
        PID-3.1 | open | open | 17 | [phi] "PID-3.1" = "open"
        PID-3.4 | open | open | H | Patient identifier list: identifier, named by the PHI table; component 4 of CK,CM_PAT_ID,CX is open
        PID-3.5 | open | open | MR | Patient identifier list: identifier, named by the PHI table; component 5 of CK,CM_PAT_ID,CX is open
        PID-5.1 | name | mask | *** | Patient name: name, named by the PHI table (PN,XPN)
        PID-5.2 | name | mask | *** | Patient name: name, named by the PHI table (PN,XPN)
        OBX-1.1 | open | open | 1 | Set id obx: open, by its type (SI)
        OBX-2.1 | open | open | ST | Value type: open, by its type (ID)
        OBX-3.1 | open | open | G | Observation identifier: open, by its type (CE,CWE)
        OBX-3.2 | open | open | H | Observation identifier: open, by its type (CE,CWE)
        OBX-5.1 | text | withhold |  | Observation value: by OBX-2, which is ST
        ZPD-1.1 | address | open | ward | [phi] "ZPD-1" = "address"
        ZPD-2.1 | unknown | park |  | no version of HL7 v2 has ZPD-2
    "#]],
    );
}

#[test]
fn elements_of_fhir_and_names_are_explained() {
    let message = parse("fhir-json", PATIENT);
    let grant = Grant::sealed_by_default();
    check(
        &policy().explain(&message, &grant, RunSeed([5; 16])),
        expect![[r#"
        resourceType | open | open | Patient | the type of a resource
        gender | open | open | male | Patient.gender
        active | unknown | seal | ZQ842O7L125CCG | Patient.active, but not a value that it may have
        name[0].family | name | seal | ZQYX24TN41HMYB | HumanName.family
        ? | unknown | seal | ZQAZAQ2VOTEJ1K | a name that no element of FHIR has
        ?.? | unknown | seal | ZQLFGOIY0CYTU7 | a name that no element of FHIR has
        ?.? | unknown | seal | ZQK9SD0MCTPZ9D | no element of FHIR R4 stands here
        extension[0].url | open | open | http://x | Extension.url
        extension[0].valueCode | date | seal | ZQ7ITEPP1I176E | [phi] "extension('http://x')" = "date"
        extension[1].url | open | open | http://y | Extension.url
        extension[1].valueCode | unknown | seal | ZQSQEH7VGXADRP | Extension.valueCode
    "#]],
    );
    let clearance = Clearance::treatment().with(Class::Unknown, Clear::Mask);
    check(
        &policy().explain_cleared(&message, &clearance),
        expect![[r#"
        resourceType | open | open | Patient | the type of a resource
        gender | open | open | male | Patient.gender
        active | unknown | mask | *** | Patient.active, but not a value that it may have
        name[0].family | name | open | EVE | HumanName.family
        ? | unknown | withhold |  | a name that no element of FHIR has
        ?.? | unknown | withhold |  | a name that no element of FHIR has
        ?.? | unknown | withhold |  | no element of FHIR R4 stands here
        extension[0].url | open | open | http://x | Extension.url
        extension[0].valueCode | date | open | c | [phi] "extension('http://x')" = "date"
        extension[1].url | open | open | http://y | Extension.url
        extension[1].valueCode | unknown | mask | *** | Extension.valueCode
    "#]],
    );
}
