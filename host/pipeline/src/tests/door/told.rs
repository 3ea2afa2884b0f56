//! What the trail says that a sender was told.

use super::*;

fn fact(middle: &Middle, what: What, key: &str) -> Option<String> {
    let id = middle.store.recent(1, None)[0].message;
    let trail = middle.store.trail(id).expect("a trail");
    let record = trail.iter().find(|it| it.what == what)?;
    record.find(key).map(ToString::to_string)
}

#[track_caller]
fn check(middle: &Middle, accept: &str, application: &str, told: &str) {
    let id = format!("{accept}{application}1");
    drop(middle.receive(&adt(&id, accept, application)));
    assert_eq!(fact(middle, What::Accepted, "told").as_deref(), Some(told));
}

#[test]
fn what_a_sender_hears_stands_in_the_record_of_the_arrival() {
    let stored = with(&[], |_| {});
    check(&stored, "", "", "AA");
    check(&stored, "AL", "AL", "CA AA");
    check(&stored, "AL", "NE", "CA");
    check(&stored, "ER", "SU", "AA");
    check(&stored, "NE", "NE", "nothing");
    let later = processed(&[]);
    check(&later, "", "", "after processing");
    check(&later, "AL", "AL", "CA after processing");
    check(&later, "NE", "ER", "after processing");
    check(&later, "AL", "NE", "CA");
    check(&later, "NE", "NE", "nothing");
}

#[test]
fn where_a_batch_answers_errors_alone_nothing_is_said_of_what_is_taken() {
    let middle = with(&[], |it| it.batch_answer = BatchAnswer::Errors);
    drop(middle.receive(&format!("BHS|^~\\&\r{}BTS|1\r", adt("1", "", ""))));
    assert_eq!(fact(&middle, What::Accepted, "told").as_deref(), Some("nothing"));
}

#[test]
fn a_refusal_that_is_final_says_what_the_sender_is_told() {
    let middle = processed(&[refuses()]);
    middle.start_worker();
    assert_eq!(middle.codes(&adt("1", "", "")), ". > AE");
    assert_eq!(fact(&middle, What::Refused, "told").as_deref(), Some("AE"));
}

#[test]
fn a_repeat_is_in_the_trail_of_its_message_once_a_second() {
    let middle = with(&[], |_| {});
    let repeats = |count: usize| {
        (0..count).for_each(|_| drop(middle.receive(&adt("1", "", ""))));
        middle.twin.run_until_idle();
    };
    let noted = || {
        let id = middle.store.recent(1, None)[0].message;
        let trail = middle.store.trail(id).expect("a trail");
        let known = trail.iter().filter(|it| it.what == What::Known);
        known.map(|it| it.find("count").map(ToString::to_string)).collect::<Vec<_>>()
    };
    repeats(1);
    assert!(noted().is_empty(), "the first is no repeat");
    repeats(50);
    assert_eq!(noted(), [Some("1".to_owned())], "fifty repeats do not fill the disk");
    middle.twin.advance(Duration::from_secs(2));
    repeats(1);
    assert_eq!(noted(), [Some("1".to_owned()), Some("50".to_owned())]);
}
