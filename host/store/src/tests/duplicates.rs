//! New, known, reused, conflict.

use std::time::Duration;

use bytes::Bytes;
use hilum_audit::What;
use hilum_env::twin::Unsynced;
use hilum_words::CauseWord;

use super::world::*;
use crate::{Accepted, Arrival, Effect, OnReused, Parked, Stored};

fn check(world: &World, arrival: Arrival, expected: &str) -> Option<Stored> {
    let accepted = world.accept(arrival).expect("decided");
    let word = match &accepted {
        Accepted::New(_) => "new",
        Accepted::Known(_) => "known",
        Accepted::Reused(_) => "reused",
        Accepted::Conflict => "conflict",
    };
    assert_eq!(word, expected);
    accepted.stored().cloned()
}

/// The same bytes under the same control id, as a sender that got no answer sends them again.
fn repeat(number: u64, of: u64) -> Arrival {
    arrival_of(number, &of.to_string(), body_of(of))
}

#[test]
fn the_same_message_is_known_and_runs_once() {
    let mut world = World::new(1);
    check(&world, arrival(1), "new");
    let stored = check(&world, repeat(2, 1), "known").expect("the proof");
    assert_eq!(stored.message(), message_id(1));
    assert_eq!(world.store().undecided().len(), 1);
    assert!(world.store().message(message_id(2)).is_none());
    world.restart(Unsynced::Lost);
    check(&world, repeat(3, 1), "known");
    assert_eq!(world.store().counts().known, 1);
}

#[test]
fn the_same_message_twice_in_one_group_is_known_too() {
    let world = World::new(1);
    let first = world.store().accept(arrival(1));
    let second = world.store().accept(repeat(2, 1));
    assert!(matches!(world.redeem(first), Ok(Accepted::New(_))));
    assert!(matches!(world.redeem(second), Ok(Accepted::Known(_))));
    assert_eq!(world.store().counts().groups, 1);
}

#[test]
fn another_message_under_a_used_control_id_is_accepted_with_a_finding_or_refused() {
    let world = World::new(1);
    check(&world, arrival(1), "new");
    let other = |number| arrival_of(number, "1", Bytes::from_static(b"MSH|^~\\&|other"));
    check(&world, Arrival { on_reused: OnReused::Refuse, ..other(2) }, "conflict");
    assert!(world.store().message(message_id(2)).is_none());
    check(&world, other(3), "reused");
    let findings = world.store().message(message_id(3)).expect("known").findings;
    assert_eq!(findings, [format!("the control id was used before, by {}", message_id(1))]);
    let trail = world.store().trail(message_id(3)).expect("read");
    let words: Vec<_> = trail.iter().map(|it| it.what).collect();
    assert_eq!(words, [What::Accepted, What::Conflict]);
    // From now on the control id is the later one's.
    check(&world, arrival_of(4, "1", Bytes::from_static(b"MSH|^~\\&|other")), "known");
    check(&world, repeat(5, 1), "reused");
}

#[test]
fn without_a_key_everything_is_new() {
    let world = World::new(1);
    check(&world, Arrival { key: None, ..repeat(1, 1) }, "new");
    check(&world, Arrival { key: None, ..repeat(2, 1) }, "new");
}

#[test]
fn a_control_id_is_forgotten_with_age() {
    let world = World::new(1);
    check(&world, arrival(1), "new");
    world.twin.advance(Duration::from_secs(24 * 60 * 60));
    check(&world, repeat(2, 1), "known");
    world.twin.advance(Duration::from_secs(1));
    check(&world, repeat(3, 1), "new");
}

#[test]
fn age_is_counted_from_the_arrival_after_a_restart_too() {
    let mut world = World::new(1);
    check(&world, arrival(1), "new");
    world.twin.advance(Duration::from_secs(23 * 60 * 60));
    world.restart(Unsynced::Lost);
    check(&world, repeat(2, 1), "known");
    world.twin.advance(Duration::from_secs(2 * 60 * 60));
    check(&world, repeat(3, 1), "new");
}

#[test]
fn only_so_many_control_ids_are_remembered() {
    let mut world = World::with(1, |options| options.duplicate_ids_max = 3);
    for number in 1..=4 {
        check(&world, arrival(number), "new");
    }
    check(&world, repeat(10, 2), "known");
    check(&world, repeat(11, 1), "new");
    world.restart(Unsynced::Lost);
    check(&world, repeat(12, 4), "known");
    check(&world, repeat(13, 2), "new");
}

#[test]
fn a_repeat_is_accepted_when_the_first_was_refused_or_parked() {
    let mut world = World::new(1);
    check(&world, arrival(1), "new");
    world.commit(step(1, vec![Effect::Parked(cause(CauseWord::Refused))])).expect("stored");
    check(&world, repeat(2, 1), "new");
    let findings = world.store().message(message_id(2)).expect("known").findings;
    assert_eq!(findings, [format!("repeats {}, which was refused or parked", message_id(1))]);
    // The second is on its way, so a third is known.
    check(&world, repeat(3, 1), "known");
    world.restart(Unsynced::Lost);
    check(&world, repeat(4, 1), "known");
}

#[test]
fn one_run_that_went_well_makes_a_repeat_known() {
    let world = World::new(1);
    let runs = vec![start(1), start(2)];
    check(&world, Arrival { runs, ..arrival(1) }, "new");
    world.commit(step(1, vec![Effect::Parked(cause(CauseWord::Leak))])).expect("stored");
    check(&world, repeat(3, 1), "known");
    let held = step(2, vec![held("look")]);
    world.commit(held).expect("stored");
    check(&world, repeat(4, 1), "known");
    let discard = Effect::Discarded(Parked::Run(run_id(2)));
    world.commit(step(2, vec![discard])).expect("stored");
    check(&world, repeat(5, 1), "new");
}

#[test]
fn how_a_message_ended_is_remembered_longer_than_the_message() {
    let mut world = World::with(1, |options| options.recent_max = 1);
    check(&world, arrival(1), "new");
    check(&world, arrival(2), "new");
    world.commit(step(1, vec![Effect::Parked(cause(CauseWord::Leak))])).expect("stored");
    let discard = Effect::Discarded(Parked::Run(run_id(1)));
    world.commit(step(1, vec![discard])).expect("stored");
    world.commit(dispatched(2)).expect("stored");
    world.commit(delivered(2)).expect("stored");
    check(&world, arrival(3), "new");
    assert!(world.store().message(message_id(1)).is_none(), "it is forgotten");
    assert!(world.store().message(message_id(2)).is_none(), "it is forgotten");
    world.restart(Unsynced::Lost);
    check(&world, repeat(4, 2), "known");
    check(&world, repeat(5, 1), "new");
}
