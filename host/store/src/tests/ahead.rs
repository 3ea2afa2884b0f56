//! What a queued delivery stands behind.

use hilum_env::twin::Unsynced;
use hilum_words::{CauseWord, Timestamp};

use super::world::*;
use crate::Effect;

/// The runs with these numbers are decided, each with a delivery in these lanes.
fn queue(world: &World, all: &[(u64, &[&str])]) {
    for (number, lanes) in all {
        world.accept(arrival(*number)).expect("stored");
        let mut one = outgoing(*number, "ehr", Some(cleared("x")));
        one.lanes = lanes.iter().map(|it| it.as_bytes().to_vec()).collect();
        let effect = Effect::Dispatched { deliveries: vec![one], parked: Vec::new() };
        world.commit(step(*number, vec![effect])).expect("stored");
    }
}

#[test]
fn the_first_of_a_lane_is_what_the_others_stand_behind() {
    let mut world = World::new(1);
    queue(&world, &[(1, &["a"]), (2, &["b"]), (3, &["a", "b"]), (4, &["b"]), (5, &["c"])]);
    let due = Timestamp::from_micros(9_000_000);
    let why = "not reached".to_owned();
    let deferred = Effect::Deferred { delivery: delivery_id(1), attempt: 1, due, why };
    world.commit(step(1, vec![deferred])).expect("stored");
    world.restart(Unsynced::Lost);
    let store = world.store();
    let ahead = |number| store.ahead(delivery_id(number), false);
    assert_eq!((ahead(1), ahead(2), ahead(5)), (None, None, None));
    for behind in [3, 4] {
        let first = ahead(behind).expect("something");
        assert_eq!((first.delivery, first.is_parked), (delivery_id(1), false), "by the merge");
        assert_eq!((first.due, first.why.as_deref()), (Some(due), Some("not reached")));
    }
    assert_eq!(store.queued_count("ehr"), 5);
    assert_eq!(store.queued_count("nowhere"), 0);
}

#[test]
fn a_parked_one_is_stood_behind_only_where_it_is_waited_for() {
    let world = World::new(1);
    queue(&world, &[(1, &["a"]), (2, &["a"]), (3, &["b"])]);
    let cause = cause(CauseWord::GaveUp);
    let park = Effect::DeliveryParked { delivery: delivery_id(1), cause };
    world.commit(step(1, vec![park])).expect("stored");
    let store = world.store();
    assert_eq!(store.ahead(delivery_id(2), false), None);
    let ahead = store.ahead(delivery_id(2), true).expect("something");
    assert_eq!((ahead.delivery, ahead.is_parked), (delivery_id(1), true));
    assert_eq!(store.ahead(delivery_id(3), true), None);
    assert_eq!(store.queued_count("ehr"), 2);
}

#[test]
fn not_all_that_is_before_one_is_looked_at() {
    let world = World::new(1);
    queue(&world, &[(1, &["a"]), (2, &["b"]), (3, &["b"]), (4, &["a"])]);
    assert_eq!(world.store().ahead_within(delivery_id(4), false, 2), None);
    assert!(world.store().ahead_within(delivery_id(4), false, 3).is_some());
}
