use std::rc::Rc;

use super::{device, location, organization, practitioner, related_person};
use crate::Message;
use crate::hl7::{Hl7, Segment};
use crate::native::{self, Body, Desk};
use crate::v2_to_fhir::{Bundle, Context, Identifier, Identity};

/// What a map makes of a message with one patient (`Patient`, number 7), as the entries of a
/// collection; and the rows that it noted.
pub(crate) struct Made {
    pub(crate) text: String,
    pub(crate) rows: Vec<String>,
}

/// Runs a map on a message; its MSH and PID are put before it.
pub(crate) fn made(
    segments: &str,
    settings: &[(&str, &str)],
    run: impl FnOnce(&mut Bundle<'_>, &Hl7),
) -> Made {
    let text = ["MSH|^~\\&|||||||ADT^A01|1|P|2.5\rPID|1||7\r", segments].concat();
    let mut desk = Desk::new(&text).setting("collection", "x").setting("hilum.coverage", "rows");
    for (key, value) in settings {
        desk = desk.setting(key, value);
    }
    let desk = Rc::new(desk);
    let outputs = native::call(Rc::clone(&desk) as Rc<dyn native::Host>, |message: &Message| {
        let hl7 = Hl7::read(message).unwrap();
        let ctx = Context::new(message, &hl7);
        let mut bundle = Bundle::new(&ctx);
        bundle.patient(Identifier::new(Some("urn:oid:1.2"), "7"), |w, _| {
            w.flag("active", Some(true));
        });
        run(&mut bundle, &hl7);
        bundle.outputs()
    });
    let [output] = outputs.as_slice() else {
        panic!("one collection");
    };
    let Body::Text(text) = &output.body else {
        panic!("a bundle is text");
    };
    let rows = desk.lines().into_iter().flat_map(|(_, line)| {
        let rows = line.strip_prefix("hilum.coverage rows ").unwrap_or_default().to_owned();
        rows.split(' ').map(id).collect::<Vec<_>>()
    });
    Made { text: text.clone(), rows: rows.filter(|it| !it.is_empty()).collect() }
}

/// The id that a word in the log stands for: `z5b` is `[`.
fn id(word: &str) -> String {
    let mut pieces = word.split('z');
    let mut id = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (hex, rest) = piece.split_at(2);
        id.push(char::from(u8::from_str_radix(hex, 16).unwrap()));
        id.push_str(rest);
    }
    id
}

impl Made {
    /// The resources of a type, contained ones too, as they are written.
    pub(crate) fn all(&self, kind: &str) -> Vec<String> {
        let start = ["{\"resourceType\":\"", kind, "\""].concat();
        self.text.match_indices(&start).map(|(at, _)| object(&self.text[at..])).collect()
    }

    /// The one resource of a type.
    #[track_caller]
    pub(crate) fn one(&self, kind: &str) -> String {
        let all = self.all(kind);
        assert_eq!(all.len(), 1, "{kind} in {}", self.text);
        all.into_iter().next().unwrap()
    }

    #[track_caller]
    pub(crate) fn has(&self, kind: &str, part: &str) {
        let all = self.all(kind);
        assert!(all.iter().any(|it| it.contains(part)), "no {part} in {all:#?}");
    }

    #[track_caller]
    pub(crate) fn lacks(&self, part: &str) {
        assert!(!self.text.contains(part), "{part} in {}", self.text);
    }

    /// Whether the rows of a map are noted, and only they.
    #[track_caller]
    pub(crate) fn notes(&self, map: &str, numbers: &[u32]) {
        let mut noted: Vec<u32> = self
            .rows
            .iter()
            .filter_map(|it| it.strip_prefix(map)?.strip_prefix('#')?.parse().ok())
            .collect();
        noted.sort_unstable();
        assert_eq!(noted, numbers, "{map}");
    }
}

/// The object at the beginning of a text. No brace stands in the strings of these tests.
fn object(text: &str) -> String {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return text[..=at].to_owned();
        }
    }
    panic!("an object does not end");
}

/// What a map of data types makes, in a Basic that mentions it by `subject`.
#[track_caller]
fn mentioned(
    field: &str,
    map: impl FnOnce(
        &mut crate::Writer,
        &str,
        &mut crate::v2_to_fhir::Refs<'_, '_>,
        crate::hl7::Field<'_>,
    ) -> bool,
) -> Made {
    made(&["ZZZ|", field, "\r"].concat(), &[("system.HOUSE", "urn:oid:1.2.3")], |bundle, hl7| {
        let segment: Segment<'_> = hl7.first("ZZZ").unwrap();
        bundle.add("Basic", "Basic[1]", Identity::None, |w, refs| {
            map(w, "subject", refs, segment.field(1));
        });
    })
}

#[test]
fn a_person_with_a_number_of_an_authority_is_an_entry_of_its_own() {
    let it = mentioned(
        "007^Smith&van&Smit^Ann^B^Jr^Dr^MD^^HOUSE&2.16.1&ISO^L^4^M11^NPI^^^^20100101^G^20110101^20120101^PhD",
        practitioner::xcn,
    );
    assert_eq!(it.all("Organization").len(), 1);
    let person = it.one("Practitioner");
    for part in [
        r#""system":"urn:oid:1.2.3","value":"007""#,
        r#""family":"Smith""#,
        r#""given":["Ann","B"]"#,
        r#""prefix":["Dr"]"#,
        r#""suffix":["Jr","PhD"]"#,
        r#""use":"official""#,
        r#""period":{"start":"2011-01-01","end":"2012-01-01"}"#,
        r#""qualification":[{"code":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0360","code":"MD""#,
        r#"humanname-own-prefix","valueString":"van""#,
        r#"identifier-checkDigit","valueString":"4""#,
    ] {
        assert!(person.contains(part), "{part}: {person}");
    }
    it.lacks(r##""reference":"#practitioner"##);
    it.notes(
        "datatypes/XCN[Practitioner]",
        &[1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 21, 22, 23, 24, 25],
    );
}

#[test]
fn a_person_with_a_bare_number_stays_with_who_mentions_them() {
    let it = mentioned("1210^ANES^MARK^^^^^^^^^^^^^^20100101&20110101", practitioner::xcn);
    it.has("Basic", r##""subject":{"reference":"#practitioner-1"}"##);
    it.has("Practitioner", r#""identifier":[{"value":"1210"}]"#);
}

#[test]
fn a_name_is_valid_as_xcn_17_says_where_xcn_19_and_20_are_absent() {
    let it = mentioned("^ANES^^^^^^^^^^^^^^^20100101&20110101", practitioner::xcn);
    it.has("Practitioner", r#""period":{"start":"2010-01-01","end":"2011-01-01"}"#);
    it.notes("datatypes/XCN[Practitioner]", &[2, 20]);
}

#[test]
fn a_title_that_the_table_does_not_have_stays_as_it_is() {
    let it = mentioned("^A^^^^^Chief", practitioner::xcn);
    it.has("Practitioner", r#""qualification":[{"code":{"coding":[{"code":"Chief"}]}}]"#);
}

#[test]
fn nobody_is_mentioned_by_an_empty_field() {
    for field in ["", "\"\"", "^^^", "^^^^^^^^&&"] {
        let it = mentioned(field, practitioner::xcn);
        it.lacks("Basic");
        it.lacks("Practitioner");
    }
}

#[test]
fn a_sealed_person_is_moved_as_tokens() {
    let it = mentioned(
        "ZQ7K3M9XA2WB4T^ZQ7K3M9XA2WB4S^ZQ7K3M9XA2WB4R^^^^ZQ7K3M9XA2WB4U^^HOUSE",
        practitioner::xcn,
    );
    it.has("Practitioner", r#""value":"ZQ7K3M9XA2WB4T""#);
    it.has("Practitioner", r#""family":"ZQ7K3M9XA2WB4S""#);
    it.has("Practitioner", r#""qualification":[{"code":{"text":"ZQ7K3M9XA2WB4U"}}]"#);
}

#[test]
fn a_role_has_its_person_and_its_places_beside_it() {
    let it =
        mentioned("22&Doe&Jo&&Sr&Dr&MD^20200101^20200102^WARD^12^3^HOUSE", practitioner::ndl_role);
    it.has("Basic", r##""subject":{"reference":"#practitionerrole-1"}"##);
    it.has("PractitionerRole", r##""practitioner":{"reference":"#practitioner-1"}"##);
    it.has("PractitionerRole", r#""period":{"start":"2020-01-01","end":"2020-01-02"}"#);
    it.has("Practitioner", r#""suffix":["Sr","MD"]"#);
    assert_eq!(it.all("Location").len(), 4);
    it.notes("datatypes/CNN[Practitioner]", &[1, 2, 3, 5, 6, 7]);
    it.notes(
        "datatypes/NDL[PractitionerRole]",
        &[1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22],
    );
}

#[test]
fn a_place_is_part_of_the_next_one_that_is_there() {
    let it = mentioned("WARD^12^3^HOUSE^^^^^by the window", location::pl);
    assert_eq!(it.all("Location").len(), 4);
    let bed = r##"{"resourceType":"Location","identifier":[{"value":"3"}],"description":"by the window","mode":"instance","physicalType":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/location-physical-type","code":"bd","display":"Bed"}]},"partOf":{"reference":"#location-3"},"id":"location-4"}"##;
    it.has("Location", bed);
    it.has("Basic", r##""subject":{"reference":"#location-4"}"##);
    it.has("Location", r##""identifier":[{"value":"WARD"}],"mode":"instance","partOf""##);
    it.notes(
        "datatypes/PL[Location]",
        &[2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 33],
    );
}

#[test]
fn a_place_with_a_number_of_an_authority_is_an_entry_of_its_own() {
    let it = mentioned("WARD^12^^^^^^^^R-12&HOUSE", location::pl);
    it.has("Location", r#"{"system":"urn:oid:1.2.3","value":"R-12""#);
    it.has("Basic", r#""subject":{"reference":"urn:uuid:"#);
}

#[test]
fn an_authority_of_places_is_who_assigned_their_numbers() {
    let it = mentioned("WARD^^^^^^^^^R-12^HOUSE", location::pl);
    it.has("Location", r##""value":"R-12","assigner":{"reference":"##);
    it.has("Organization", r#""value":"HOUSE""#);
}

#[test]
fn a_place_that_is_only_described_is_one() {
    let it = mentioned("^^^^^^^^the garden", location::pl);
    it.has("Location", r#""description":"the garden""#);
}

#[test]
fn an_organization_is_found_by_its_number_in_its_system() {
    let it = mentioned("East^L^ignored^1^M10^HOUSE^XX^^^4324B", organization::xon);
    it.has("Organization", r#""system":"urn:oid:1.2.3","value":"4324B""#);
    it.has("Organization", r#""name":"East""#);
    it.has("Basic", r#""subject":{"reference":"urn:uuid:"#);
    it.lacks("ignored");
    it.notes("datatypes/XON[Organization]", &[1, 4, 5, 6, 7, 8, 9, 10, 11, 14]);
}

#[test]
fn an_organization_of_old_has_its_number_in_xon_3() {
    let it = mentioned("East^L^12", organization::xon);
    it.has("Organization", r#""identifier":[{"value":"12"}],"name":"East""#);
    it.notes("datatypes/XON[Organization]", &[1, 3]);
}

#[test]
fn an_authority_has_a_name_and_a_universal_id() {
    let it = mentioned("HOSP^2.16.840.1^ISO", organization::hd);
    it.has("Organization", r#"{"value":"HOSP"}"#);
    it.has("Organization", r#""system":"urn:ietf:rfc:3986","value":"urn:oid:2.16.840.1""#);
    it.notes("datatypes/HD[Organization]", &[1, 2, 3, 4]);
    let it = mentioned("HOSP", organization::hd);
    it.has("Basic", r##""reference":"#organization-1""##);
    it.notes("datatypes/HD[Organization]", &[1]);
}

#[test]
fn a_site_is_named_by_an_authority() {
    let it = mentioned("EventFac^1.2.3^ISO", location::hd);
    it.has("Location", r#""name":"EventFac""#);
    it.notes("datatypes/HD[Location]", &[1, 2, 3, 4]);
    let it = mentioned("EventFac", location::hd);
    it.lacks("physicalType");
}

#[test]
fn a_device_has_its_codes_as_identifiers() {
    let it = mentioned("D1^Pump^HOUSE^D2^Pumpe^L^^^the pump", device::cwe);
    it.has("Device", r#""identifier":[{"system":"urn:oid:1.2.3","value":"D1"},{"value":"D2"}]"#);
    it.has("Device", r#"{"name":"the pump","type":"user-friendly-name"}"#);
    it.notes("datatypes/CWE[Device]", &[1, 3, 4, 5, 7, 9, 10, 15, 16]);
}

#[test]
fn a_relative_has_no_authority() {
    let it = made("ZZZ|7^Doe^Jo^^^^^^HOUSE^L\r", &[], |bundle, hl7| {
        let segment = hl7.first("ZZZ").unwrap();
        bundle.add("RelatedPerson", "RelatedPerson[1]", Identity::derived("1"), |w, refs| {
            related_person::xcn_members(w, refs, segment.field(1), |w, refs| {
                refs.derived_identifier(w);
            });
        });
    });
    it.has("RelatedPerson", r#""value":"urn:oid:1.2/7-RelatedPerson-1""#);
    it.notes("datatypes/XCN[RelatedPerson]", &[1, 2, 3, 10]);
}

#[test]
fn an_organization_of_which_only_the_address_is_known_is_none() {
    let it = mentioned("", |w, key, refs, field| {
        organization::xon_with(w, key, refs, field, |w, _| {
            w.object("address", |w| {
                w.text("city", Some("Wien"));
            });
        }) | organization::hd_with(w, key, refs, field, |w, _| {
            w.object("address", |w| {
                w.text("country", Some("AT"));
            });
        })
    });
    it.lacks("Organization");
    it.lacks("Basic");
}
