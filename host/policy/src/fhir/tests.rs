use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use expect_test::expect_file;
use hilum_message::{At, Message};

use super::*;

const TABLE: &str = include_str!("../table/fhir.txt");
const TYPES: &str = include_str!("../table/fhir_types.txt");
const DECISIONS: &str = include_str!("../table/fhir_decisions.txt");
const ELEMENTS: &[u8] = include_bytes!("../../../../tests/fixtures/fhir-r4/elements.json");
const PHI: &str = include_str!("../../../../tests/fixtures/phi/safe-harbor/fhir_r4_paths.csv");

const HEAD: &str = "\
# Every element of FHIR R4 with its type and class. `.` is a complex element whose parts have their own.
# The last word is the choice that it is one of, if it is.
#
# `id`, `extension` and `modifierExtension` stand everywhere and are left away here: an identifier, and
# what is unknown until the site says what it is. Made by the test
# `elements_are_what_the_definitions_say`, with UPDATE_EXPECT=1; not by hand.
";

/// Elements that are as another one whose name is not theirs (`contentReference`).
const AS_ANOTHER: &[(&str, &str)] = &[
    ("ConceptMap.group.element.target.product", "ConceptMap.group.element.target.dependsOn"),
    ("Contract.term.group", "Contract.term"),
    ("ExampleScenario.process.step.process", "ExampleScenario.process"),
    (
        "ExampleScenario.process.step.operation.request",
        "ExampleScenario.instance.containedInstance",
    ),
    (
        "ExampleScenario.process.step.operation.response",
        "ExampleScenario.instance.containedInstance",
    ),
    ("Invoice.totalPriceComponent", "Invoice.lineItem.priceComponent"),
    (
        "MedicinalProductAuthorization.procedure.application",
        "MedicinalProductAuthorization.procedure",
    ),
    ("OperationDefinition.parameter.part", "OperationDefinition.parameter"),
    ("Parameters.parameter.part", "Parameters.parameter"),
    ("SubstanceSpecification.name.synonym", "SubstanceSpecification.name"),
    ("SubstanceSpecification.name.translation", "SubstanceSpecification.name"),
    ("ValueSet.compose.exclude", "ValueSet.compose.include"),
];

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
    lines.map(|it| it.split_whitespace().collect())
}

/// Path and types of each element, in the order of the definitions.
fn elements() -> Vec<(String, Vec<String>)> {
    let message = Message::parse("json", ELEMENTS.into()).expect("JSON");
    let json = message.as_json().expect("JSON");
    let mut all = Vec::new();
    for of_type in json.children(Json::ROOT) {
        for element in json.children(of_type) {
            let parts: Vec<_> = json.children(element).collect();
            let path = json.scalar(parts[0]).expect("a path");
            let types = json.children(parts[3]).filter_map(|it| json.scalar(it));
            let types = types.map(|it| it.split('(').next().unwrap_or_default().to_owned());
            all.push((path, types.collect()));
        }
    }
    all
}

/// The element that another without types is as.
fn another<'a>(path: &str, all: &'a [(String, Vec<String>)]) -> Option<&'a str> {
    if let Some((_, as_that)) = AS_ANOTHER.iter().find(|(it, _)| *it == path) {
        return Some(as_that);
    }
    let (of, last) = path.split_once('.')?;
    let last = last.rsplit('.').next()?;
    let is_it = |(it, types): &&(String, Vec<String>)| {
        it.split_once('.').is_some_and(|(type_of, rest)| {
            type_of == of && rest.rsplit('.').next() == Some(last) && !types.is_empty()
        })
    };
    all.iter().find(is_it).map(|(it, _)| it.as_str())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|it| it.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

struct Deciding {
    decisions: BTreeMap<&'static str, &'static str>,
    types: BTreeMap<&'static str, &'static str>,
    used: BTreeSet<&'static str>,
}

impl Deciding {
    fn decision(&mut self, key: &str) -> Option<&'static str> {
        let (key, class) = self.decisions.get_key_value(key)?;
        self.used.insert(key);
        Some(class)
    }

    /// The class of one element of one type: the nearest decision, or the type's.
    fn class(&mut self, context: &str, name: &str, chosen: &str, of: &str) -> &'static str {
        let is_resource = !context.contains('.') && context.starts_with(char::is_uppercase);
        self.decision(&format!("{context}.{chosen}"))
            .or_else(|| self.decision(&format!("{context}.{name}")))
            .or_else(|| is_resource.then(|| self.decision(&format!("*.{name}"))).flatten())
            .or_else(|| self.types.get(of).copied())
            .or_else(|| self.decision(of))
            .unwrap_or(".")
    }
}

#[test]
fn elements_are_what_the_definitions_say() {
    let all = elements();
    let mut deciding = Deciding {
        decisions: rows(DECISIONS).map(|it| (it[0], it[1])).collect(),
        types: rows(TYPES).map(|it| (it[0], it[1])).collect(),
        used: BTreeSet::new(),
    };
    let mut contexts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, types) in &all {
        let Some((context, name)) = path.rsplit_once('.') else { continue };
        // Primitives have no elements of their own in JSON.
        if context.starts_with(char::is_lowercase)
            || ["id", "extension", "modifierExtension"].contains(&name)
        {
            continue;
        }
        let lines = contexts.entry(context.to_owned()).or_default();
        if types.is_empty() {
            let of = another(path, &all).unwrap_or_else(|| panic!("{path} has no type"));
            lines.push(format!("{name} {of} ."));
            continue;
        }
        for of in types {
            let chosen = match name.strip_suffix("[x]") {
                Some(choice) => format!("{choice}{}", capital(of)),
                None => name.to_owned(),
            };
            let of = match of.as_str() {
                "BackboneElement" | "Element" => path.clone(),
                "System.String" => "string".to_owned(),
                of => of.to_owned(),
            };
            let class = deciding.class(context, name, &chosen, &of);
            let choice = if chosen == name { String::new() } else { format!(" {name}") };
            lines.push(format!("{chosen} {of} {class}{choice}"));
        }
    }
    let unused: Vec<_> =
        deciding.decisions.keys().filter(|it| !deciding.used.contains(*it)).collect();
    assert!(unused.is_empty(), "decisions about no element: {unused:?}");
    let mut made = HEAD.to_owned();
    for (context, lines) in &contexts {
        writeln!(made, "\n{context}").expect("written");
        for line in lines {
            writeln!(made, "  {line}").expect("written");
        }
    }
    expect_file!["../table/fhir.txt"].assert_eq(&made);
}

#[test]
fn every_line_of_the_table_is_read() {
    let types: BTreeSet<_> = rows(TYPES).map(|it| it[0]).collect();
    let mut members = 0;
    for line in TABLE.lines().filter(|it| it.starts_with(' ')) {
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, of, class] = words[..3] else { panic!("{line}") };
        assert!(words.len() == 3 || words.len() == 4 && words[3].ends_with("[x]"), "{line}");
        members += 1;
        assert!(matches!(class, "." | "open") || Class::from_word(class).is_some(), "{line}");
        let is_known = types.contains(of) || r4().types.contains_key(of);
        assert!(is_known || of == "Resource", "{line}");
        assert!(class != "." || !types.contains(of), "{line}");
    }
    assert_eq!(r4().contexts.iter().map(|it| it.members.len()).sum::<usize>(), members);
    for words in rows(TYPES) {
        let kind = kind_of(words[0]).expect("a primitive");
        let written = match words[2] {
            "text" => Kind::Text,
            "number" => Kind::Number,
            _ => Kind::Boolean,
        };
        assert_eq!(kind, written, "{}", words[0]);
    }
}

fn json(text: &str) -> Message {
    Message::parse("fhir-json", text.to_owned().into()).expect("JSON")
}

/// The classes of each value, as `path class`.
fn classes(fhir: &Fhir, text: &str) -> Vec<String> {
    let message = json(text);
    let json = message.as_json().expect("JSON");
    let classes = fhir.classes(json);
    let values = message.values();
    values
        .map(|found| {
            let At::Json(node) = found.at else { panic!("a value of JSON") };
            format!("{} {}", message.place_name(found.at), classes[node.index()])
        })
        .collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(classes(r4(), text), expected);
}

/// Rows of the PHI table by an example that each has to be PHI in.
#[test]
fn every_row_of_the_phi_table_is_phi() {
    let examples: &[(&str, &str)] = &[
        (
            "Patient.name |",
            r#"{"resourceType":"Patient","name":[{"family":"@"}],"contact":[{"name":{"given":["@"]}}]}"#,
        ),
        ("*.subject.display", r#"{"resourceType":"Observation","subject":{"display":"@"}}"#),
        ("Practitioner.name", r#"{"resourceType":"Practitioner","name":[{"text":"@"}]}"#),
        (
            "Signature.who.display",
            r#"{"resourceType":"Bundle","signature":{"who":{"display":"@"},"data":"@"}}"#,
        ),
        (
            "Patient.address",
            r#"{"resourceType":"Patient","address":[{"line":["@"],"city":"@","district":"@","postalCode":"@","text":"@"}]}"#,
        ),
        (
            "Location.position",
            r#"{"resourceType":"Location","position":{"longitude":1.5,"latitude":1.5}}"#,
        ),
        (
            "Patient.extension(patient-birthPlace)",
            r#"{"resourceType":"Patient","extension":[{"valueAddress":{"city":"@","state":"@"}}]}"#,
        ),
        (
            "Patient.birthDate",
            r#"{"resourceType":"Patient","birthDate":"@","deceasedDateTime":"@"}"#,
        ),
        (
            "*.*Date",
            r#"{"resourceType":"Observation","issued":"@","effectivePeriod":{"start":"@","end":"@"}}"#,
        ),
        ("Age (", r#"{"resourceType":"Condition","onsetAge":{"value":91,"unit":"@"}}"#),
        ("Patient.telecom", r#"{"resourceType":"Patient","telecom":[{"value":"@"}]}"#),
        ("Patient.identifier[system", r#"{"resourceType":"Patient","identifier":[{"value":"@"}]}"#),
        (
            "Patient.identifier[type = MR]",
            r#"{"resourceType":"Observation","subject":{"identifier":{"value":"@"}}}"#,
        ),
        (
            "Coverage.subscriberId",
            r#"{"resourceType":"Coverage","subscriberId":"@","dependent":"@","identifier":[{"value":"@"}]}"#,
        ),
        ("Account.identifier", r#"{"resourceType":"Encounter","identifier":[{"value":"@"}]}"#),
        (
            "Patient.identifier[type = DL",
            r#"{"resourceType":"Practitioner","qualification":[{"identifier":[{"value":"@"}]}]}"#,
        ),
        (
            "Patient.identifier[type = plate",
            r#"{"resourceType":"Device","identifier":[{"value":"@"}]}"#,
        ),
        (
            "Device.identifier",
            r#"{"resourceType":"Device","serialNumber":"@","lotNumber":"@","udiCarrier":[{"deviceIdentifier":"@","carrierHRF":"@"}]}"#,
        ),
        ("ContactPoint[system=url]", r#"{"resourceType":"Patient","photo":[{"url":"@"}]}"#),
        (
            "AuditEvent.agent",
            r#"{"resourceType":"AuditEvent","agent":[{"network":{"address":"@"}}]}"#,
        ),
        ("Media /", r#"{"resourceType":"Media","content":{"data":"@"}}"#),
        ("Patient.photo", r#"{"resourceType":"Patient","photo":[{"data":"@"}]}"#),
        (
            "Resource.id",
            r#"{"resourceType":"Bundle","id":"@","identifier":{"value":"@"},"entry":[{"fullUrl":"@","resource":{"resourceType":"Observation","id":"@","subject":{"reference":"@"}}}]}"#,
        ),
        (
            "Narrative",
            r#"{"resourceType":"Observation","text":{"div":"@"},"note":[{"text":"@"}],"valueString":"@","code":{"text":"@"}}"#,
        ),
        (
            "Extension.value*",
            r#"{"resourceType":"Patient","extension":[{"valueString":"@","valueCode":"@","valueBoolean":true}],"_birthDate":{"extension":[{"valueDateTime":"@"}]}}"#,
        ),
    ];
    let mut rows = 0;
    for row in PHI.lines().skip(1).filter(|it| !it.is_empty()) {
        let path = row.split_once(',').expect("columns").1.trim_start_matches('"');
        let of = |it: &&(&str, &str)| path.starts_with(it.0);
        let (_, example) = examples
            .iter()
            .filter(of)
            .max_by_key(|it| it.0.len())
            .unwrap_or_else(|| panic!("{row}"));
        rows += 1;
        for value in classes(r4(), example) {
            let is_open = value.ends_with(" open");
            assert!(
                !is_open || value.starts_with("resourceType") || value.contains(".resourceType"),
                "{row}: {value}"
            );
        }
    }
    assert_eq!(rows, examples.len());
}

#[test]
fn a_patient_is_classed_by_its_elements() {
    check(
        r#"{"resourceType":"Patient","id":"a","meta":{"versionId":"1","extension":[{"url":"u","valueString":"x"}]},
           "text":{"status":"generated","div":"<div/>"},"gender":"female","active":true,
           "name":[{"use":"official","family":"A","given":["B","C"],"period":{"start":"2020"}}],
           "birthDate":"1947-02-28","_birthDate":{"extension":[{"url":"t","valueDateTime":"1947"}]},
           "maritalStatus":{"coding":[{"system":"s","code":"M","display":"Married"}],"text":"t"},
           "address":[{"state":"W","city":"V"}],"multipleBirthInteger":2,"generalPractitioner":[{"reference":"P/1","display":"D"}]}"#,
        &[
            "resourceType open",
            "id identifier",
            "meta.versionId open",
            "meta.extension[0].url open",
            "meta.extension[0].valueString unknown",
            "text.status open",
            "text.div text",
            "gender open",
            "active open",
            "name[0].use open",
            "name[0].family name",
            "name[0].given[0] name",
            "name[0].given[1] name",
            "name[0].period.start date",
            "birthDate birth-date",
            "_birthDate.extension[0].url open",
            "_birthDate.extension[0].valueDateTime unknown",
            "maritalStatus.coding[0].system open",
            "maritalStatus.coding[0].code open",
            "maritalStatus.coding[0].display open",
            "maritalStatus.text text",
            "address[0].state open",
            "address[0].city address",
            "multipleBirthInteger open",
            "generalPractitioner[0].reference identifier",
            "generalPractitioner[0].display name",
        ],
    );
}

#[test]
fn bundles_and_contained_resources_are_classed_by_their_own_types() {
    check(
        r#"{"resourceType":"Bundle","type":"transaction","timestamp":"2026","entry":[
           {"fullUrl":"urn:x","request":{"method":"PUT","url":"Patient/1"},
            "resource":{"resourceType":"Observation","status":"final","contained":[{"resourceType":"Patient","name":[{"text":"A"}]}],
            "valueQuantity":{"value":7.2,"unit":"mg"},"component":[{"valueString":"s","valueInteger":3}]}}]}"#,
        &[
            "resourceType open",
            "type open",
            "timestamp open",
            "entry[0].fullUrl identifier",
            "entry[0].request.method open",
            "entry[0].request.url identifier",
            "entry[0].resource.resourceType open",
            "entry[0].resource.status open",
            "entry[0].resource.contained[0].resourceType open",
            "entry[0].resource.contained[0].name[0].text name",
            "entry[0].resource.valueQuantity.value open",
            "entry[0].resource.valueQuantity.unit open",
            "entry[0].resource.component[0].valueString text",
            "entry[0].resource.component[0].valueInteger open",
        ],
    );
}

#[test]
fn what_no_definition_has_is_unknown() {
    // No element of it, no resource, another kind of value, and what stands below.
    check(
        r#"{"resourceType":"Patient","status":"x","gender":7,"active":"yes","name":["A"],"birthDate":{"family":"B"},"deceasedBoolean":"C"}"#,
        &[
            "resourceType open",
            "status unknown",
            "gender unknown",
            "active unknown",
            "name[0] unknown",
            "birthDate.family unknown",
            "deceasedBoolean unknown",
        ],
    );
    check(
        r#"{"resourceType":"Nothing","status":"x"}"#,
        &["resourceType unknown", "status unknown"],
    );
    check(r#"{"status":"x"}"#, &["status unknown"]);
    check(r#"["x",1]"#, &["[0] unknown", "[1] unknown"]);
    check(
        r#"{"resourceType":"Patient","name":[{"resourceType":"Patient","family":"A"}]}"#,
        &["resourceType open", "name[0].resourceType unknown", "name[0].family name"],
    );
}

#[test]
fn what_the_table_opens_whole_opens_nothing_that_no_definition_has() {
    check(
        r#"{"resourceType":"Patient","meta":{"source":"s","name":"A","tag":[{"code":"c","family":"B"},"C",{"display":7}],
           "profile":[{"text":"D"}]},"contained":[{"resourceType":"Basic","meta":"E"},{"resourceType":"Basic","meta":["F"]}]}"#,
        &[
            "resourceType open",
            "meta.source open",
            "meta.name unknown",
            "meta.tag[0].code open",
            "meta.tag[0].family unknown",
            "meta.tag[1] unknown",
            "meta.tag[2].display unknown",
            "meta.profile[0].text unknown",
            "contained[0].resourceType open",
            "contained[0].meta unknown",
            "contained[1].resourceType open",
            "contained[1].meta[0] unknown",
        ],
    );
    check(
        r#"{"resourceType":"MessageHeader","eventCoding":{"code":"A01","nickname":"A"},"eventUri":"u"}"#,
        &["resourceType open", "eventCoding.code open", "eventCoding.? unknown", "eventUri open"],
    );
    // What a site opens is open with all that is in it.
    let mut fhir = r4().clone();
    fhir.set(&["Patient", "meta"], said(None, 0)).expect("an element");
    let patient = r#"{"resourceType":"Patient","meta":{"name":"A"}}"#;
    assert_eq!(classes(&fhir, patient), ["resourceType open", "meta.name open"]);
}

fn said(class: Option<Class>, line: u16) -> Said {
    let classes = class.map(Classes::of).unwrap_or_default();
    Said { classes, line: Some(line) }
}

#[test]
fn a_site_says_what_an_element_is_and_what_is_in_it() {
    let mut fhir = r4().clone();
    fhir.set(&["HumanName", "use"], said(Some(Class::Text), 0)).expect("an element");
    fhir.set(&["Patient", "name"], said(None, 1)).expect("an element");
    fhir.set(&["Patient", "name", "family"], said(Some(Class::Name), 2)).expect("an element");
    fhir.set(&["Observation", "value[x]"], said(Some(Class::Text), 3)).expect("an element");
    fhir.set_extension("http://x/race", said(None, 4));
    let patient = r#"{"resourceType":"Patient","name":[{"use":"official","family":"A","given":["B"]}],"contact":[{"name":{"use":"old","family":"C"}}],
        "extension":[{"url":"http://x/race","extension":[{"url":"a","valueString":"b"}],"valueAge":{"value":1}},{"url":"http://x/other","valueString":"c"}]}"#;
    assert_eq!(
        classes(&fhir, patient),
        [
            "resourceType open",
            "name[0].use text",
            "name[0].family name",
            "name[0].given[0] open",
            "contact[0].name.use text",
            "contact[0].name.family name",
            "extension[0].url open",
            "extension[0].extension[0].url open",
            "extension[0].extension[0].valueString open",
            "extension[0].valueAge.value open",
            "extension[1].url open",
            "extension[1].valueString unknown",
        ]
    );
    let observation =
        r#"{"resourceType":"Observation","valueQuantity":{"value":1,"code":"a"},"valueInteger":2}"#;
    assert_eq!(
        classes(&fhir, observation),
        [
            "resourceType open",
            "valueQuantity.value text",
            "valueQuantity.code text",
            "valueInteger text"
        ]
    );
}

#[test]
fn what_fhir_does_not_have_cannot_be_said_something_about() {
    let mut fhir = r4().clone();
    assert!(matches!(fhir.set(&["Patien", "name"], said(None, 0)), Err(NoElement::Type(_))));
    assert!(matches!(fhir.set(&["Patient"], said(None, 0)), Err(NoElement::Member(..))));
    let no = fhir.set(&["Patient", "name", "famly"], said(None, 0)).expect_err("no element");
    assert!(
        matches!(no, NoElement::Member(of, have) if of == "Patient.name" && have.contains(&"family"))
    );
}
