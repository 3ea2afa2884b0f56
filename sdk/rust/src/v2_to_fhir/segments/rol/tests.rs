use super::{care_team, general_practitioner, participant, related_person};
use super::{is_care_team, is_general_practitioner};
use crate::hl7::Segment;
use crate::v2_to_fhir::Identity;
use crate::v2_to_fhir::people::tests::{Made, made};
use crate::v2_to_fhir::segments::prt;

#[track_caller]
fn mapped(segments: &str) -> Made {
    made(segments, &[], |bundle, hl7| {
        bundle.add("Basic", "Basic[1]", Identity::None, |w, refs| {
            w.array("generalPractitioner", |w| {
                for segment in hl7.segments() {
                    match segment.name() {
                        "ROL" => general_practitioner(w, refs, segment),
                        "PRT" => prt::general_practitioner(w, refs, segment),
                        _ => false,
                    };
                }
            });
        });
    })
}

#[track_caller]
fn visited(rol: &str) -> Made {
    made(rol, &[], |bundle, hl7| {
        bundle.add("Encounter", "Encounter[1]", Identity::None, |w, refs| {
            w.array("participant", |w| {
                for rol in hl7.all("ROL") {
                    participant(w, refs, rol);
                }
            });
        });
    })
}

#[track_caller]
fn team(segments: &str) -> Made {
    made(segments, &[], |bundle, hl7| {
        let all: Vec<Segment<'_>> = hl7.segments().skip(2).collect();
        care_team(bundle, &all);
    })
}

const FULL: &str = "ROL|1|AD|PP^Primary^HL70443|12377^Smith^John|20220101|20220202|||408^General^SCT|2^Clinic^HL70406|1 Lane^^Houston^TX^^^H~PO Box^^Waco^TX^^^M~Bill^^Bath^ME^^^B|^^Internet^j@x.example|WARD^12|Good Health\r";

#[test]
fn a_general_practitioner_is_a_person_in_a_role() {
    let it = mapped(FULL);
    it.has("Basic", r##""generalPractitioner":[{"reference":"#practitionerrole-1"}]"##);
    it.has("PractitionerRole", r#""period":{"start":"2022-01-01","end":"2022-02-02"}"#);
    it.has("PractitionerRole", r#""system":"email","value":"j@x.example""#);
    it.has("Practitioner", r#""city":"Houston""#);
    it.has("Organization", r#""city":"Bath""#);
    it.has("Location", r#""city":"Waco""#);
    it.notes("segments/ROL[Patient-GeneralPractitioner]", &[1, 3, 4, 5, 6, 11, 12, 13, 15, 16, 17]);
}

#[test]
fn a_role_in_the_visit_is_a_participant() {
    let it = visited(FULL);
    it.has("Encounter", r#""code":"446050000""#);
    it.has("Encounter", r##""individual":{"reference":"#practitionerrole-1"}"##);
    it.notes("segments/ROL[Encounter-PractitionerRole]", &[1, 2, 4, 5, 6, 7, 12, 13, 14, 15]);
    visited("ROL|||\r").lacks("Encounter");
}

#[test]
fn one_team_has_all_who_are_of_it() {
    let it = team(
        "ROL|1|AD|AT^Attending^HL70443|12^Smith|20220101|||9^Why^L|408^General^SCT|2||||House\rIN3|1||||||||||||||||||||Manager Smith\rPRT|1|AD||AT^Attending^HL70912|13^Jones\r",
    );
    let team = it.one("CareTeam");
    for part in [
        r#""status":"active""#,
        r#""code":"ATND""#,
        r##""member":{"reference":"#practitioner-1"},"onBehalfOf":{"reference":"#organization-1"}"##,
        r##""member":{"reference":"#practitioner-2"}"##,
        r#""code":"768832004"}],"text":"case manager"}],"member":{"display":"Manager Smith"}"#,
        r#""reasonCode":[{"coding":[{"code":"9","display":"Why"}]}]"#,
        r#""value":"urn:oid:1.2/7-CareTeam-1""#,
    ] {
        assert!(team.contains(part), "{part}: {team}");
    }
    it.notes("segments/ROL[CareTeam]", &[3, 4, 7, 10, 11, 12, 17]);
    it.notes("segments/IN3[CareTeam]", &[21, 22, 23]);
    it.notes("segments/PRT[CareTeam]", &[5, 6]);
}

#[test]
fn an_organization_is_a_member_where_no_person_is() {
    let it = team("ROL|1|AD|AT^Attending^HL70443|||||||||||House\r");
    it.has("CareTeam", r##""member":{"reference":"#organization-1"}"##);
    it.lacks("onBehalfOf");
    it.notes("segments/ROL[CareTeam]", &[3, 18]);
}

#[test]
fn who_is_of_no_team_makes_none() {
    team("ROL|1|AD|PP^Primary^HL70443|12^Smith\rROL|2|AD|AT^^HL70443\rIN3|1\rPRT|1|AD||ZZ|13\rAL1|1\r").lacks("CareTeam");
}

#[test]
fn the_conditions_of_the_message_maps() {
    made(
        "ROL|1||PP^^HL70443\rROL|2||AT^^HL70443\rROL|3||PP^^L\rPRT|1|||PP\rPRT|2|||PO\r",
        &[],
        |_, hl7| {
            let all = |of: fn(Segment<'_>) -> bool, name| -> Vec<bool> {
                hl7.all(name).map(of).collect()
            };
            assert_eq!(all(is_general_practitioner, "ROL"), [true, false, false]);
            assert_eq!(all(is_care_team, "ROL"), [false, true, false]);
            assert_eq!(all(prt::is_general_practitioner, "PRT"), [true, false]);
            assert_eq!(all(prt::is_care_team, "PRT"), [true, true]);
        },
    );
}

#[test]
fn a_relative_may_have_a_role() {
    let it = made("ROL|1|AD|AT^^HL70443|^Doe^Jo|||||||1 Lane|^^PH^^^^5\r", &[], |bundle, hl7| {
        related_person(bundle, hl7.first("ROL").unwrap());
    });
    it.has("RelatedPerson", r#""patient":{"reference":"urn:uuid:"#);
    it.notes("segments/ROL[RelatedPerson]", &[1, 3, 4, 11, 12]);
}

#[test]
fn a_participation_of_a_person_alone_is_the_person() {
    let it = mapped("PRT|1|AD||PP|13^Jones\r");
    it.has("Basic", r##""generalPractitioner":[{"reference":"#practitioner-1"}]"##);
    it.notes("segments/PRT[Patient-GeneralPractitioner-Practitioner]", &[6]);
    let it = mapped(
        "PRT|1|AD||PP|13^Jones|||House|WARD||20210101|20210102||1 Lane|^^PH^^^^5|||||||||L12^SL^^20250101\r",
    );
    it.has("PractitionerRole", r#""period":{"start":"2021-01-01","end":"2021-01-02"}"#);
    it.notes(
        "segments/PRT[Patient-GeneralPractitioner-PractitionerRole]",
        &[4, 5, 8, 9, 11, 12, 14, 15, 24],
    );
    it.notes("datatypes/PLN[Identifier]", &[1, 2, 4]);
}
