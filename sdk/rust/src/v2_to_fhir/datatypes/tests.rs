use std::rc::Rc;

use super::*;
use crate::hl7::{Field, Hl7};
use crate::native::{self, Desk};
use crate::v2_to_fhir::{Bundle, Context, Identifier, Identity, Refs, codes};

/// What `fill` makes of ZZZ-1, as an object, without the resources that it mentions.
#[track_caller]
fn check(raw: &str, fill: impl FnOnce(&mut Writer, &mut Refs<'_, '_>, Field<'_>), expected: &str) {
    check_at(&[], raw, fill, expected);
}

#[track_caller]
fn check_at(
    settings: &[(&str, &str)],
    raw: &str,
    fill: impl FnOnce(&mut Writer, &mut Refs<'_, '_>, Field<'_>),
    expected: &str,
) {
    let mut desk = Desk::new(&["MSH|^~\\&|\rZZZ|", raw].concat());
    for (key, value) in settings {
        desk = desk.setting(key, value);
    }
    let mut made = String::new();
    native::call(Rc::new(desk), |message| {
        let hl7 = Hl7::read(message).expect("a message");
        let ctx = Context::new(message, &hl7);
        let field = hl7.first("ZZZ").expect("a segment").field(1);
        let mut bundle = Bundle::new(&ctx);
        bundle.add("Basic", "Basic[1]", Identity::None, |_, refs| {
            let mut w = Writer::new();
            fill(&mut w, refs, field);
            made = w.into_text();
        });
    });
    assert_eq!(made, expected, "{raw}");
}

fn kept(fill: impl FnOnce(&mut Writer) -> bool, w: &mut Writer) {
    w.only_if(fill);
}

mod identifiers {
    use super::*;

    #[track_caller]
    fn check_uri(settings: &[(&str, &str)], hd: &str, expected: Option<&str>) {
        check_at(
            settings,
            hd,
            |_, refs, field| assert_eq!(hd_uri(refs.ctx(), field).as_deref(), expected, "{hd}"),
            "{}",
        );
    }

    #[test]
    fn an_authority_is_an_absolute_uri() {
        for (hd, expected) in [
            ("MR", "urn:hilum:namespace:MR"),
            ("GOOD HEALTH", "urn:hilum:namespace:GOOD%20HEALTH"),
            ("https://x.example/a", "https://x.example/a"),
            ("MR^1.2.40^ISO", "urn:oid:1.2.40"),
            ("^1.2.40^ISO", "urn:oid:1.2.40"),
            ("^ZQ7K3M9XA2WB4T^ISO", "urn:oid:ZQ7K3M9XA2WB4T"),
            (
                "^019A0000-0000-7000-8000-000000000001^UUID",
                "urn:uuid:019a0000-0000-7000-8000-000000000001",
            ),
            ("^https://x.example/a^URI", "https://x.example/a"),
            // What only says that it is one.
            ("MR^HCD^ISO", "urn:hilum:namespace:MR"),
            ("MR^1.2.040^ISO", "urn:hilum:namespace:MR"),
            ("MR^2.8^ISO", "urn:hilum:namespace:MR"),
            ("MR^7^UUID", "urn:hilum:namespace:MR"),
            ("MR^x.example^DNS", "urn:hilum:namespace:MR"),
        ] {
            check_uri(&[], hd, Some(expected));
        }
        for hd in ["", "ZQ7K3M9XA2WB4T", "^1.2^ISO", "^x^DNS", "^http://a b^URI", "^urn:oid:x^URI"]
        {
            check_uri(&[], hd, None);
        }
        let site = [("system.MR", "urn:oid:1.9.9")];
        check_uri(&site, "MR^1.2.40^ISO", Some("urn:oid:1.9.9"));
    }

    #[test]
    fn an_oid_is_one() {
        for good in ["1.2.3", "0.0.0", "2.16.840.1.113883"] {
            assert!(is_oid(good), "{good}");
        }
        for bad in ["", "1", "1.2", "3.1.1", "1.2.", "1..2", ".1.2", "1.02.3", "1.2.x", "1.2.3 "] {
            assert!(!is_oid(bad), "{bad}");
        }
    }

    #[test]
    fn a_cx_is_an_identifier() {
        check(
            "7^3^M10^MR^MR^^20200101^20301231",
            |w, refs, field| kept(|w| cx_identifier(w, refs, field), w),
            concat!(
                r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/identifier-checkDigit","valueString":"3"},"#,
                r#"{"url":"http://hl7.org/fhir/StructureDefinition/namingsystem-checkDigit","valueString":"M10"}],"#,
                r#""type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR","display":"Medical record number"}]},"#,
                r#""system":"urn:hilum:namespace:MR","value":"7","period":{"start":"2020-01-01","end":"2030-12-31"},"#,
                r##""assigner":{"reference":"#organization-1"}}"##
            ),
        );
        // A type that the table does not have keeps no system; without a value there is nothing.
        check(
            "7^^^^X Y",
            |w, refs, field| kept(|w| cx_identifier(w, refs, field), w),
            r#"{"type":{"coding":[{"code":"X Y"}]},"value":"7"}"#,
        );
        for raw in ["", "^^^MR^MR", "\"\"^^^MR"] {
            check(raw, |w, refs, field| kept(|w| cx_identifier(w, refs, field), w), "{}");
        }
    }

    #[test]
    fn what_finds_a_resource_is_what_its_identifier_says() {
        check(
            "7^^^MR",
            |_, refs, field| {
                let expected = Identifier::new(Some("urn:hilum:namespace:MR"), "7");
                assert_eq!(cx_key(refs.ctx(), field), Some(expected));
            },
            "{}",
        );
        check(
            "7^NS^1.2.3^ISO",
            |w, refs, field| {
                let expected = Identifier::new(Some("urn:oid:1.2.3"), "7");
                assert_eq!(ei_key(refs.ctx(), field), Some(expected));
                kept(|w| ei_system(w, refs.ctx(), field), w);
            },
            r#"{"system":"urn:oid:1.2.3","value":"7"}"#,
        );
        check("^^^MR", |_, refs, field| assert_eq!(cx_key(refs.ctx(), field), None), "{}");
    }
}

mod coded {
    use super::*;

    #[test]
    fn three_codings_and_a_text() {
        check(
            "1^one^LN^2^two^HL70002^v1^v2^text^3^three^L^v3",
            |w, refs, field| kept(|w| cwe_concept(w, refs.ctx(), field), w),
            concat!(
                r#"{"coding":[{"system":"http://loinc.org","version":"v1","code":"1","display":"one"},"#,
                r#"{"system":"http://terminology.hl7.org/CodeSystem/v2-0002","version":"v2","code":"2","display":"two"},"#,
                r#"{"version":"v3","code":"3","display":"three"}],"text":"text"}"#
            ),
        );
        check_at(
            &[("system.L", "https://x.example/l")],
            "3^three^L",
            |w, refs, field| kept(|w| cwe_concept(w, refs.ctx(), field), w),
            r#"{"coding":[{"system":"https://x.example/l","code":"3","display":"three"}]}"#,
        );
        for raw in ["", "^^LN", "\"\""] {
            check(raw, |w, refs, field| kept(|w| cwe_concept(w, refs.ctx(), field), w), "{}");
        }
    }

    #[test]
    fn a_code_of_the_table_is_its_coding_and_the_senders_stays_beside_it() {
        let marital = |w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>| {
            kept(|w| cwe_concept_of(w, refs.ctx(), field, &codes::MARITAL_STATUS), w);
        };
        const M: &str = r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M","display":"Married"}"#;
        check("M", marital, &format!(r#"{{"coding":[{M}]}}"#));
        check(
            "M^verheiratet^HL70002",
            marital,
            &format!(
                r#"{{"coding":[{M},{{"system":"http://terminology.hl7.org/CodeSystem/v2-0002","code":"M","display":"verheiratet"}}]}}"#
            ),
        );
        // Another table of HL7 cannot be meant.
        check(
            "M^verheiratet^HL70396",
            marital,
            &format!(r#"{{"coding":[{M},{{"code":"M","display":"verheiratet"}}]}}"#),
        );
        // A code that the table does not have is not of that table.
        check("2^x^HL70002", marital, r#"{"coding":[{"code":"2","display":"x"}]}"#);
    }

    #[test]
    fn what_cannot_be_a_code_is_a_text() {
        check(
            "a  b^named",
            |w, refs, field| kept(|w| cwe_concept(w, refs.ctx(), field), w),
            r#"{"text":"a  b"}"#,
        );
        for good in ["a", "a b", "ZQ7K3M9XA2WB4T"] {
            assert!(is_code(good), "{good}");
        }
        for bad in ["", " a", "a ", "a  b", "a\tb", "a\nb"] {
            assert!(!is_code(bad), "{bad:?}");
        }
    }
}

mod persons {
    use super::*;

    #[test]
    fn a_name_and_what_the_person_is_called() {
        check(
            "Zed&von&Zed&auf&Litz^Q^R S^Jr^Dr^MD^L^^^20200101&20211231^G^^^Prof^Quinn",
            |w, _, field| {
                w.array("name", |w| {
                    xpn_names(w, field);
                });
            },
            concat!(
                r#"{"name":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/humanname-assembly-order","valueCode":"G"}],"#,
                r#""use":"official","family":"Zed","_family":{"extension":["#,
                r#"{"url":"http://hl7.org/fhir/StructureDefinition/humanname-own-prefix","valueString":"von"},"#,
                r#"{"url":"http://hl7.org/fhir/StructureDefinition/humanname-own-name","valueString":"Zed"},"#,
                r#"{"url":"http://hl7.org/fhir/StructureDefinition/humanname-partner-prefix","valueString":"auf"},"#,
                r#"{"url":"http://hl7.org/fhir/StructureDefinition/humanname-partner-name","valueString":"Litz"}]},"#,
                r#""given":["Q","R S"],"prefix":["Dr"],"suffix":["Jr","MD","Prof"],"period":{"start":"2020-01-01","end":"2021-12-31"}},"#,
                r#"{"use":"nickname","given":["Quinn"]}]}"#
            ),
        );
        for raw in ["", "^^^^^^L", "\"\"^\"\""] {
            let names = |w: &mut Writer, _: &mut Refs<'_, '_>, field: Field<'_>| {
                w.array("name", |w| {
                    xpn_names(w, field);
                });
            };
            check(raw, names, "{}");
        }
    }

    #[test]
    fn an_address() {
        check(
            "Lane 1&Lane&1^Top 2^Wien^W^1010^AUT^H^^county^tract^^^20200101",
            |w, _, field| kept(|w| xad_address(w, field), w),
            concat!(
                r#"{"use":"home","line":["Lane 1","Lane","1","Top 2"],"#,
                r#""_line":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract","valueString":"tract"}]}],"#,
                r#""city":"Wien","district":"county","#,
                r#""state":"W","postalCode":"1010","country":"AUT","period":{"start":"2020-01-01"}}"#
            ),
        );
        let within = |w: &mut Writer, _: &mut Refs<'_, '_>, field: Field<'_>| {
            kept(|w| xad_address_in(w, field, Some("elsewhere")), w);
        };
        check("^^Wien", within, r#"{"city":"Wien","district":"elsewhere"}"#);
        check("^^^^^^M", |w, _, field| kept(|w| xad_address(w, field), w), "{}");
    }

    #[test]
    fn telephones_and_mail() {
        let home = |w: &mut Writer, _: &mut Refs<'_, '_>, field: Field<'_>| {
            kept(|w| xtn_contact_point(w, field, Some("home")), w);
        };
        for (raw, expected) in [
            ("555 1", r#"{"system":"phone","value":"555 1","use":"home"}"#),
            ("^WPN^FX^^^^^^^^^+43 1", r#"{"system":"fax","value":"+43 1","use":"work"}"#),
            ("^PRN^CP^^^^^^^^^+43 1", r#"{"system":"phone","value":"+43 1","use":"mobile"}"#),
            ("^NET^Internet^a@b", r#"{"system":"email","value":"a@b"}"#),
            ("^^^a@b", r#"{"system":"email","value":"a@b","use":"home"}"#),
            ("^NET^Internet", "{}"),
            ("", "{}"),
        ] {
            check(raw, home, expected);
        }
        // Where a part is missing that the guide composes with, what is there is composed.
        for (raw, expected) in [
            ("^^^^43^1^555^7", "+43 1 555 X7"),
            ("^^^^43^1^555", "+43 1 555"),
            ("^^^^^1^555^7", "1 555 X7"),
            ("^^^^^1^555", "1 555"),
            ("^^^^^^555", "555"),
            ("^^^^43^^555", "+43 555"),
        ] {
            let value = format!(r#""value":"{expected}""#);
            let desk = Desk::new(&["MSH|^~\\&|\rZZZ|", raw].concat());
            native::call(Rc::new(desk), |message| {
                let hl7 = Hl7::read(message).expect("a message");
                let mut w = Writer::new();
                let field = hl7.first("ZZZ").expect("a segment").field(1);
                assert!(xtn_contact_point(&mut w, field, None));
                let text = w.into_text();
                assert!(text.contains(&value), "{text}");
            });
        }
    }
}

#[test]
fn times_are_as_precise_as_they_are() {
    let desk = Desk::new("MSH|^~\\&|\rZZZ|20260102|20260102101500+0100|x|20200101^2021");
    native::call(Rc::new(desk), |message| {
        let hl7 = Hl7::read(message).expect("a message");
        let zzz = hl7.first("ZZZ").expect("a segment");
        let [day, second, none, range] = [1, 2, 3, 4].map(|it| zzz.field(it));
        assert_eq!(date(second).as_deref(), Some("2026-01-02"));
        assert_eq!(date_time(day).as_deref(), Some("2026-01-02"));
        assert_eq!(date_time(second).as_deref(), Some("2026-01-02T10:15:00+01:00"));
        assert_eq!(date_time(none), None);
        assert_eq!(instant(day), None);
        assert_eq!(instant(second), date_time(second));
        let mut w = Writer::new();
        assert!(dr_period(&mut w, range));
        assert_eq!(w.into_text(), r#"{"start":"2020-01-01","end":"2021"}"#);
    });
}
