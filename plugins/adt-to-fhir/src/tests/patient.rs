//! PID, PD1, NK1, MRG.

use super::*;

#[test]
fn a_county_goes_with_the_one_address_that_has_none() {
    let with = |addresses: &str| made("A31", &[&format!("{PID}||||||||{addresses}|County")]);
    check(&with("1 St^^Town"), &["\"city\":\"Town\",\"district\":\"County\"}]"]); // #15
    check(&with("1 St^^Town^^^^^^Other"), &["\"district\":\"Other\"},{\"district\":\"County\"}"]); // #16
    check(&with("1 St^^Town^^^^^^County"), &["\"district\":\"County\"}]"]);
    check(&with("1 St^^Town~2 St"), &["\"city\":\"Town\"}", ",{\"district\":\"County\"}]"]); // #17
    check(&with(""), &["\"address\":[{\"district\":\"County\"}]"]); // #18
}

#[test]
fn a_birth_order_decides_before_the_indicator() {
    let with = |born: &str| made("A31", &[&format!("{PID}|||||||||||||||||||||{born}")]);
    check(&with("Y|2"), &["\"multipleBirthInteger\":2", "!multipleBirthBoolean"]);
    check(&with("Y"), &["\"multipleBirthBoolean\":true"]);
    check(&with("Y|second"), &["\"multipleBirthBoolean\":true", "!multipleBirthInteger"]);
}

#[test]
fn a_time_of_death_decides_before_the_indicator() {
    let with = |died: &str| made("A31", &[&format!("{PID}||||||||||||||||||||||||||{died}")]);
    check(&with("20260102|Y"), &["\"deceasedDateTime\":\"2026-01-02\"", "!deceasedBoolean"]);
    check(&with("|N"), &["\"deceasedBoolean\":false"]);
    check(&with("unknown|Y"), &["\"deceasedBoolean\":true"]);
}

#[test]
fn a_time_of_birth_is_kept_unless_it_is_sealed() {
    let with = |born: &str| made("A31", &[&format!("{PID}||||{born}")]);
    check(&with("198003120405"), &["\"birthDate\":\"1980-03-12\"", "patient-birthTime"]);
    check(&with("19800312"), &["\"birthDate\":\"1980-03-12\"", "!patient-birthTime"]);
    check(&with("ZQ7K3M9XA2WB4T"), &["!patient-birthTime"]);
}

#[test]
fn a_social_security_number_is_the_countrys() {
    let of = |country: &str, settings: &[(&str, &str)]| {
        let head = "MSH|^~\\&|A|B|||20260101||ADT^A31|1|P|2.5.1|||||";
        let text = format!("{head}{country}\r{PID}||||||||||||||||123456789");
        on_desk(&text, settings).expect("it is mapped").remove(0)
    };
    check(&of("USA", &[]), &["\"code\":\"SS\"", "http://hl7.org/fhir/sid/us-ssn"]);
    check(&of("AUT", &[]), &["\"code\":\"SB\"", "!us-ssn"]);
    let settings = [("system.social-security", "urn:oid:1.2.40.0.10.1.4.3.1")];
    check(&of("AUT", &settings), &["\"code\":\"SB\"", "urn:oid:1.2.40.0.10.1.4.3.1"]);
}

#[test]
fn a_breed_needs_a_species() {
    let with =
        |animal: &str| made("A31", &[&format!("{PID}||||||||||||||||||||||||||||||||{animal}")]);
    check(&with("125097000^Goat^SCT|1^Boer^SCT"), &["patient-animal", "\"species\"", "\"breed\""]);
    check(&with("|1^Boer^SCT"), &["!patient-animal"]);
}

#[test]
fn the_language_is_bcp_47_only_if_it_looks_so() {
    let with = |code: &str| made("A31", &[&format!("{PID}||||||||||||{code}")]);
    check(&with("de^Deutsch^ISO639"), &["urn:ietf:bcp:47", "\"code\":\"de\""]);
    check(&with("de-AT"), &["urn:ietf:bcp:47"]);
    check(&with("GER^German^L"), &["!urn:ietf:bcp:47", "\"code\":\"GER\""]);
}

#[test]
fn an_employer_is_no_related_person_in_an_admission() {
    let employer = "NK1|1|Boss^B|EMR^Employer^HL70063";
    let admitted = made("A01", &[PID, employer]);
    assert_eq!(count(&admitted, "RelatedPerson"), 0);
    check(&admitted, &["\"contact\":[{"]);
    // The map of ADT_A05 has no such condition.
    assert_eq!(count(&made("A31", &[PID, employer]), "RelatedPerson"), 1);
}

#[test]
fn a_contact_that_cannot_be_reached_or_named_is_none() {
    let unnamed = made("A01", &[PID, "NK1|1||SPO^Spouse^HL70063"]);
    check(&unnamed, &["!contact", "RelatedPerson"]);
    check(&made("A01", &[PID, "NK1|1"]), &["!contact", "!RelatedPerson"]);
    check(
        &made("A01", &[PID, "NK1|1||SPO|||555"]),
        &["\"contact\"", "RelatedPerson", "\"use\":\"work\""],
    );
}

#[test]
fn a_mother_known_by_her_number_is_a_person() {
    let made = made("A31", &[&format!("{PID}||||||||||||||||||99^^^X^MR")]);
    check(
        &made,
        &["RelatedPerson", "\"code\":\"MTH\"", "\"value\":\"99\"", "7-RelatedPerson-mother"],
    );
}

#[test]
fn an_account_merged_into_itself_is_one() {
    let pid = format!("{PID}|||||||||||||||ACC1^^^X^AN");
    assert_eq!(count(&made("A06", &[&pid, "MRG|||ACC2^^^X^AN"]), "Account"), 2);
    assert_eq!(count(&made("A06", &[&pid, "MRG|||ACC1^^^X^AN"]), "Account"), 1);
    assert_eq!(count(&made("A06", &[PID, "PV1|1|I"]), "Account"), 0);
    // Only the map of ADT_A06 has MRG.
    assert_eq!(count(&made("A01", &[&pid, "MRG|||ACC2^^^X^AN"]), "Account"), 1);
}

#[test]
fn the_record_number_finds_the_patient() {
    let made = made("A31", &["PID|1||9^^^X^SS~7^^^X^MR"]);
    check(&made, &["Patient?identifier=urn:hilum:namespace:X|7"]);
    let made = super::made("A31", &["PID|1||9^^^X^SS~7^^^X^PI"]);
    check(&made, &["Patient?identifier=urn:hilum:namespace:X|9"]);
}
