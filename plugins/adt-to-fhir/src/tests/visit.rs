//! PV1, PV2.

use super::*;

#[test]
fn the_status_is_the_events_the_discharges_or_the_classs() {
    check(&made("A01", &[PID, "PV1|1|I"]), &["\"status\":\"in-progress\""]);
    check(&made("A05", &[PID, "PV1|1|P"]), &["\"status\":\"planned\""]);
    check(&made("A01", &[PID, "PV1|1|LOCAL"]), &["\"status\":\"unknown\""]);
    let over = format!("PV1|1|I{}20260103", "|".repeat(43));
    check(&made("A01", &[PID, &over]), &["\"status\":\"finished\"", "\"end\":\"2026-01-03\""]);
    check(&made("A11", &[PID, "PV1|1|I"]), &["\"status\":\"cancelled\""]);
    // The discharge itself is over whether or not it says when.
    check(&made("A03", &[PID, "PV1|1|I"]), &["\"status\":\"finished\""]);
}

#[test]
fn a_visit_that_is_none_is_left_out() {
    assert_eq!(count(&made("A31", &[PID, "PV1|1|N"]), "Encounter"), 0);
    assert_eq!(count(&made("A31", &[PID, "PV1|1|N|||||||||||||||||V1"]), "Encounter"), 1);
    assert_eq!(count(&made("A31", &[PID]), "Encounter"), 0);
    // Unnamed, but a visit: the message names it.
    let made = made("A01", &[PID, "PV1|1|I"]);
    check(&made, &["Encounter?identifier=urn:ietf:rfc:3986|urn:uuid:"]);
}

#[test]
fn a_planned_visit_has_a_planned_place() {
    let at = |class: &str| made("A01", &[PID, &format!("PV1|1|{class}|W^1^2")]);
    check(&at("P"), &["},\"status\":\"planned\"}]"]);
    check(&at("I"), &["},\"status\":\"active\"}]"]);
}

#[test]
fn a_bed_has_a_status_and_a_ward_has_none() {
    let with = |place: &str| made("A01", &[PID, &format!("PV1|1|I|{place}{}O", "|".repeat(37))]);
    check(&with("W^1^2"), &["\"operationalStatus\":{", "\"code\":\"O\""]);
    check(&with("W"), &["!operationalStatus"]);
}

#[test]
fn where_the_patient_was_before_is_a_history() {
    let before = format!("PV1|1|I{}W^1^2", "|".repeat(41));
    let made = made("A02", &[PID, &before]);
    check(
        &made,
        &[
            "\"resourceType\":\"Basic\"",
            "EncounterHistory",
            "\"valueReference\":{\"reference\":\"#location-",
        ],
    );
    assert_eq!(count(&super::made("A02", &[PID, "PV1|1|I"]), "Basic"), 0);
}

#[test]
fn a_description_is_text_and_no_markup() {
    let with = |text: &str| made("A01", &[PID, "PV1|1|I", &format!("PV2||||||||||||{text}")]);
    check(&with("a <b> \\T\\ c"), &["a &lt;b&gt; &amp; c</div>"]);
    // What a token stands for might be markup.
    check(&with("ZQ7K3M9XA2WB4T"), &["!\"div\""]);
}

#[test]
fn a_stay_has_a_length_that_is_not_negative() {
    let with = |days: &str| made("A01", &[PID, "PV1|1|I", &format!("PV2|||||||||||{days}")]);
    check(&with("3"), &["\"length\":{\"value\":3,\"unit\":\"days\"", "\"code\":\"d\""]);
    check(&with("-3"), &["!\"length\""]);
    check(&with("three"), &["!\"length\""]);
}

#[test]
fn a_class_of_payment_alone_is_a_coverage_by_nobody_known() {
    let paid = format!("PV1|1|I{}HMO", "|".repeat(18));
    let alone = made("A01", &[PID, &paid]);
    assert_eq!(count(&alone, "Coverage"), 1);
    let insured = made("A01", &[PID, &paid, "IN1|1|PLAN|CO1|Company"]);
    assert_eq!(count(&insured, "Coverage"), 1);
    check(&insured, &["\"name\":\"Company\""]);
}

#[test]
fn a_discharge_that_repeats_says_last_when_it_was() {
    let over = format!("PV1|1|I{}20260103~20260104", "|".repeat(43));
    check(&made("A01", &[PID, &over]), &["\"end\":\"2026-01-04\""]);
}
