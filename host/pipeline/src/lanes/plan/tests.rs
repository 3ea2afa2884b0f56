use bytes::Bytes;

use super::*;

const MSH: &str = "MSH|^~\\&|ADT|WARD|||2026||ADT^A08|7|P|2.5.1\r";

fn keys(lane: &[&str], segments: &str) -> Vec<Vec<u8>> {
    let bytes = Bytes::from(format!("{MSH}{segments}"));
    let message = Message::parse("hl7v2", bytes).expect("a message");
    LanePlan::parse(lane).expect("a lane").keys(&Name::from("adt-in"), &message)
}

fn source() -> Vec<Vec<u8>> {
    vec![b"adt-in".to_vec()]
}

#[test]
fn the_words_of_a_lane() {
    assert_eq!(LanePlan::parse(&["source"]), Ok(LanePlan::Source));
    assert_eq!(LanePlan::parse(&["none"]), Ok(LanePlan::None));
    let both = LanePlan::parse(&["PID-3.1", "Patient.id"]);
    assert!(matches!(both, Ok(LanePlan::Paths(paths)) if paths.len() == 2));
    for wrong in [&["sourse"][..], &["PID-"], &["PID-3.x"], &["Patient"], &[], &["source", "PID-3"]]
    {
        assert!(LanePlan::parse(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn equal_values_share_a_lane_and_others_do_not() {
    let lane = &["PID-3.1"][..];
    assert_eq!(keys(lane, "PID|||17^^^A\r"), keys(lane, "PID|1||17^^^B||X\rPV1|1\r"));
    assert_ne!(keys(lane, "PID|||17\r"), keys(lane, "PID|||18\r"));
    assert_ne!(keys(lane, "PID|||17\r"), keys(&["PID-2.1"], "PID||17\r"));
}

#[test]
fn every_repetition_counts() {
    let both = keys(&["PID-3.1"], "PID|||17^^^A~18^^^B\r");
    assert_eq!(both.len(), 2);
    assert!(both.contains(&keys(&["PID-3.1"], "PID|||17\r")[0]));
    assert!(both.contains(&keys(&["PID-3.1"], "PID|||18\r")[0]));
}

#[test]
fn a_merge_is_in_the_lanes_of_both_patients() {
    let merge = keys(&["PID-3.1"], "EVN|A40\rPID|||17^^^A\rMRG|18^^^A~19^^^A\rPID|||20\rMRG|21\r");
    assert_eq!(merge.len(), 5);
    for number in 17..=21 {
        let alone = keys(&["PID-3.1"], &format!("PID|||{number}\r"));
        assert!(merge.contains(&alone[0]), "{number}");
    }
    // A path elsewhere has no counterpart in MRG.
    assert_eq!(keys(&["PV1-19.1"], "PV1|1|||||||||||||||||||V1\rMRG|18\r").len(), 1);
}

#[test]
fn a_message_without_the_value_is_in_its_listeners_lane() {
    for segments in ["PV1|1\r", "PID|||\r", "PID|||\"\"\r"] {
        assert_eq!(keys(&["PID-3.1"], segments), source(), "{segments}");
    }
    assert_eq!(keys(&["none"], "PID|||17\r"), Vec::<Vec<u8>>::new());
    // FHIR has no PID.
    let bundle = Message::parse("fhir-json", Bytes::from_static(b"{\"id\":\"17\"}")).expect("JSON");
    let plan = LanePlan::parse(&["PID-3.1"]).expect("a lane");
    assert_eq!(plan.keys(&Name::from("adt-in"), &bundle), source());
}

#[test]
fn more_lanes_than_the_bound_are_the_listeners_one() {
    let many = |count: usize| {
        let values: Vec<String> = (0..count).map(|it| it.to_string()).collect();
        format!("PID|||{}\r", values.join("~"))
    };
    assert_eq!(keys(&["PID-3.1"], &many(LANES_MAX)).len(), LANES_MAX);
    assert_eq!(keys(&["PID-3.1"], &many(LANES_MAX + 1)), source());
}

#[test]
fn a_key_holds_no_value() {
    for key in keys(&["PID-3.1", "PID-5.1"], "PID|||4711^^^A||EVERYWOMAN\r") {
        let text = String::from_utf8_lossy(&key).into_owned();
        assert!(!text.contains("4711") && !text.contains("EVERYWOMAN"), "{text}");
        assert!(key.len() < 64);
    }
}

#[test]
fn json_has_lanes_by_its_own_paths() {
    let read = |text: &'static str| {
        let message = Message::parse("fhir-json", Bytes::from_static(text.as_bytes()));
        let plan = LanePlan::parse(&["Patient.identifier.value"]).expect("a lane");
        plan.keys(&Name::from("adt-in"), &message.expect("JSON"))
    };
    let two = read(r#"{"resourceType":"Patient","identifier":[{"value":"1"},{"value":"2"}]}"#);
    assert_eq!(two.len(), 2);
    let one = read(r#"{"resourceType":"Patient","identifier":[{"value":"2"}],"active":true}"#);
    assert!(two.contains(&one[0]));
}
