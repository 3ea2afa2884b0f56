use super::{device, observation_location, practitioner_role, related_person};
use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::people::tests::{Made, made};
use crate::v2_to_fhir::segments::rol::care_team;
use crate::v2_to_fhir::{Identity, Refs};

#[track_caller]
fn mapped(
    prt: &str,
    map: impl Fn(&mut Writer, &str, &mut Refs<'_, '_>, Segment<'_>) -> bool,
) -> Made {
    made(prt, &[], |bundle, hl7| {
        let prt = hl7.first("PRT").unwrap();
        bundle.add("Basic", "Basic[1]", Identity::None, |w, refs| {
            map(w, "subject", refs, prt);
        });
    })
}

#[track_caller]
fn known(prt: &str) -> Made {
    made(prt, &[], |bundle, hl7| {
        related_person(bundle, hl7.first("PRT").unwrap());
    })
}

#[test]
fn a_role_has_what_prt_says_of_it() {
    let it = mapped(
        "PRT|1|AD||AT^Attending^HL70912|13^Jones|207^Doctor|1^Hospital^HL70406|House|WARD^1||20210223|20210224||6547 St^^Flint|^PRN^PH^^^810^4502369||||||||B|L12\r",
        practitioner_role,
    );
    it.has("PractitionerRole", r#"iso21090-preferred","valueBoolean":true"#);
    it.has("PractitionerRole", r#""specialty":[{"coding":[{"code":"207","display":"Doctor"}]}]"#);
    it.has("Practitioner", r#""city":"Flint""#);
    it.has("Organization", r#""type":[{"#);
    it.notes("segments/PRT[PractitionerRole]", &[5, 6, 7, 8, 9, 10, 12, 13, 15, 17, 30, 31, 42]);
}

#[test]
fn the_rows_of_a_telecom_depend_on_the_preference() {
    for (preference, row) in [("B", 17), ("C", 18), ("E", 19), ("F", 20), ("H", 21), ("O", 22)] {
        let prt = ["PRT|1|||AT|13||||||||||^^PH^^^^5||||||||", preference, "\r"].concat();
        let preferred = 30 + 2 * (row - 17);
        mapped(&prt, practitioner_role)
            .notes("segments/PRT[PractitionerRole]", &[5, 6, row, preferred, preferred + 1]);
        known(&prt).notes("segments/PRT[RelatedPerson]", &[5, 6, row, preferred - 1, preferred]);
    }
    mapped("PRT|1|||AT|13||||||||||^^PH^^^^5\r", practitioner_role)
        .notes("segments/PRT[PractitionerRole]", &[5, 6, 16]);
}

#[test]
fn a_device_has_a_carrier_or_a_number() {
    let it = mapped(
        "PRT|1|||EQUIP||||||D-7^^2.51.1^ISO||||||00643169001763^^2.51.1.1^ISO|20140401|20220712|123ABC|21A11F|RA1^^2.16^ISO|P^Pump\r",
        device,
    );
    let device_text = it.one("Device");
    for part in [
        r#""identifier":[{"system":"urn:oid:2.51.1","value":"D-7"}]"#,
        r#""udiCarrier":[{"deviceIdentifier":"00643169001763"}]"#,
        r#""distinctIdentifier":"RA1""#,
        r#""manufactureDate":"2014-04-01""#,
        r#""expirationDate":"2022-07-12""#,
        r#""lotNumber":"123ABC","serialNumber":"21A11F""#,
        r#""display":"Pump""#,
    ] {
        assert!(device_text.contains(part), "{part}: {device_text}");
    }
    it.notes("segments/PRT[Device]", &[12, 18, 19, 20, 21, 22, 23, 24]);
    let it = mapped("PRT|1|||EQUIP||||||(01)00643169001763\r", device);
    it.has("Device", r#""udiCarrier":[{"deviceIdentifier":"(01)00643169001763"}]"#);
    it.notes("segments/PRT[Device]", &[11]);
}

#[test]
fn an_observation_is_at_a_place_or_an_address() {
    let it = made("PRT|1|||AT|||||WARD^1|||||6547 St^^Flint\r", &[], |bundle, hl7| {
        let prt = hl7.first("PRT").unwrap();
        bundle.add("Observation", "Observation[1]", Identity::None, |w, refs| {
            w.array("extension", |w| {
                observation_location(w, refs, prt);
            });
        });
    });
    it.has("Location", r#""city":"Flint""#);
    it.notes("segments/PRT[Observation-Location]", &[10, 11, 16, 17]);
}

#[test]
fn a_member_is_a_person_a_role_or_an_organization() {
    let team = |prt: &str| {
        made(prt, &[], |bundle, hl7| {
            let all: Vec<Segment<'_>> = hl7.all("PRT").collect();
            care_team(bundle, &all);
        })
    };
    let it = team("PRT|1|||AT|13^Jones|||House|||20210101|20210102||1 Lane|^^PH^^^^5\r");
    it.has("CareTeam", r##""member":{"reference":"#practitioner-1"},"onBehalfOf""##);
    it.notes("segments/PRT[CareTeam]", &[5, 6, 12, 16, 17, 19, 23, 24, 28]);
    // FHIR (ctm-1): only a Practitioner acts on behalf of somebody.
    let it = team("PRT|1|||AT|13^Jones|207^Doctor||House\r");
    it.has("CareTeam", r##""member":{"reference":"#practitionerrole-1"}"##);
    it.lacks("onBehalfOf");
    it.notes("segments/PRT[CareTeam]", &[5, 8, 9, 12]);
    let it = team("PRT|1|||PO||||House\r");
    it.has("CareTeam", r##""member":{"reference":"#organization-1"}"##);
    it.notes("segments/PRT[CareTeam]", &[5, 11]);
}
