//! Held runs that go on, refusals with several reasons, lanes, and who is told of decisions.

use hilum_env::twin::Unsynced;
use hilum_words::{CauseWord, Name};

use super::world::*;
use crate::{DeliveryState, Effect, Happened, Parked, RunState, StoreError};

/// The decisions that were told, by the runs' numbers.
fn decided(world: &World) -> Vec<(u64, RunState)> {
    let decision = |happened| match happened {
        Happened::Decided { run, state } => {
            Some((u64::try_from(run.bits() & 0xffff).expect("small"), state))
        }
        _ => None,
    };
    world.take_happened().into_iter().filter_map(decision).collect()
}

#[test]
fn every_decision_is_told_and_nothing_else_is_one() {
    let world = World::new(1);
    for number in 1..=5 {
        world.accept(arrival(number)).expect("stored");
    }
    assert_eq!(decided(&world), []);
    let effects = [
        Effect::Dispatched { deliveries: vec![], parked: vec![] },
        Effect::Refused(vec![rejection(1), rejection(2)]),
        held("look"),
        Effect::Parked(cause(CauseWord::Leak)),
    ];
    for (number, effect) in (1..).zip(effects) {
        world.commit(step(number, vec![effect])).expect("stored");
    }
    let states = [
        (1, RunState::Dispatched),
        (2, RunState::Refused(vec![rejection(1), rejection(2)])),
        (3, RunState::Held { why: "look".to_owned(), step: 1 }),
        (4, RunState::Parked(cause(CauseWord::Leak))),
    ];
    assert_eq!(decided(&world), states);
    world.commit(step(4, vec![Effect::Discarded(Parked::Run(run_id(4)))])).expect("stored");
    world.commit(step(3, vec![Effect::Released { next: 2 }])).expect("stored");
    assert_eq!(decided(&world), []);
    world.commit(step(3, vec![Effect::Refused(vec![])])).expect("stored");
    let [(3, RunState::Refused(rejections))] = &decided(&world)[..] else { panic!("refused") };
    assert_eq!(rejections.len(), 1, "a refusal has a reason");
}

#[test]
fn a_decision_is_told_as_it_was_made_though_more_has_happened_since() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    // Both are in one group, so the second is applied before the first is told.
    let first = world.store().commit(step(1, vec![Effect::Parked(cause(CauseWord::Leak))]));
    let second = world.store().commit(step(1, vec![Effect::Discarded(Parked::Run(run_id(1)))]));
    world.redeem(first).expect("stored");
    world.redeem(second).expect("stored");
    assert_eq!(decided(&world), [(1, RunState::Parked(cause(CauseWord::Leak)))]);
}

#[test]
fn a_released_run_waits_again_in_its_old_place() {
    let mut world = World::new(1);
    for number in 1..=3 {
        world.accept(arrival(number)).expect("stored");
    }
    world.store().note_start(run_id(1));
    world.commit(step(1, vec![held("look")])).expect("stored");
    assert_eq!(world.store().undecided(), [run_id(2), run_id(3)]);
    let before = world.store().run(run_id(1)).expect("known");
    world.take_happened();
    world.commit(step(1, vec![Effect::Released { next: 2 }])).expect("released");
    let told = world.take_happened();
    let [Happened::Run(ready)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((ready.run, &ready.lanes), (run_id(1), &before.lanes));
    for _ in 0..2 {
        assert_eq!(world.store().undecided(), [run_id(1), run_id(2), run_id(3)]);
        let run = world.store().run(run_id(1)).expect("known");
        assert_eq!((run.from_step, run.starts, run.state), (2, 0, RunState::Undecided));
        let pinned = (run.seed, run.lanes, run.generation);
        assert_eq!(pinned, (before.seed, before.lanes.clone(), before.generation));
        assert_eq!((world.store().counts().held, world.store().counts().undecided), (0, 3));
        world.restart(Unsynced::Lost);
    }
    world.commit(dispatched(1)).expect("decided");
    assert_eq!(world.store().run(run_id(1)).expect("known").state, RunState::Dispatched);
}

#[test]
fn only_a_held_run_is_released() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let release = || step(1, vec![Effect::Released { next: 2 }]);
    let early = world.commit(release());
    let Err(StoreError::NotInState { state, wanted, .. }) = early else { panic!("{early:?}") };
    assert_eq!((state, wanted), ("undecided", "released"));
    world.commit(step(1, vec![held("look")])).expect("stored");
    world.commit(release()).expect("released");
    assert!(matches!(world.commit(release()), Err(StoreError::NotInState { .. })));
}

#[test]
fn a_message_whose_held_run_is_refused_may_be_sent_again() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    world.commit(step(1, vec![held("look")])).expect("stored");
    world.commit(step(1, vec![Effect::Refused(vec![rejection(1)])])).expect("refused");
    assert_eq!((world.store().counts().held, world.store().parked().len()), (0, 0));
    let again = arrival_of(2, "1", body_of(1));
    assert!(matches!(world.accept(again), Ok(crate::Accepted::New(_))));
}

#[test]
fn a_delivery_keeps_all_its_lanes_once_each() {
    let mut world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let lane = |text: &str| text.as_bytes().to_vec();
    let mut merge = outgoing(1, "ehr", Some(cleared("a")));
    merge.lanes = vec![lane("new"), lane("old"), lane("new")];
    let mut none = outgoing(2, "ehr", Some(cleared("b")));
    none.lanes = vec![];
    let deliveries = vec![merge, none];
    world.commit(step(1, vec![Effect::Dispatched { deliveries, parked: vec![] }])).expect("stored");
    for _ in 0..2 {
        let queued = world.store().queued("ehr");
        assert_eq!(queued[0].lanes, [lane("new"), lane("old")]);
        // Without a place to keep it has a lane that is its own.
        assert_eq!(queued[1].lanes, [delivery_id(2).bits().to_be_bytes().to_vec()]);
        assert!(queued[0].place < queued[1].place);
        world.restart(Unsynced::Lost);
    }
}

#[test]
fn what_is_parked_stands_in_its_place_and_its_end_is_told() {
    let mut world = World::new(1);
    for number in 1..=4 {
        world.accept(arrival(number)).expect("stored");
        world.commit(dispatched(number)).expect("stored");
    }
    for number in [2, 3] {
        let (delivery, cause) = (delivery_id(number), cause(CauseWord::Rejected));
        world.commit(step(number, vec![Effect::DeliveryParked { delivery, cause }])).expect("ok");
    }
    world.restart(Unsynced::Lost);
    let standing = |world: &World, from, max| {
        let (all, is_all) = world.store().standing("ehr", from, max, true);
        let short = |it: &crate::Standing| (it.ready.delivery.bits() & 0xffff, it.is_parked);
        (all.iter().map(short).collect::<Vec<_>>(), is_all)
    };
    let all = [(1, false), (2, true), (3, true), (4, false)];
    assert_eq!(standing(&world, (0, 0), 9), (all.to_vec(), true));
    assert_eq!(standing(&world, (0, 0), 2), (all[..2].to_vec(), false));
    let third = world.store().standing("ehr", (0, 0), 3, true).0[2].ready.place;
    assert_eq!(standing(&world, third, 2), (all[2..].to_vec(), true));
    let queued = world.store().standing("ehr", (0, 0), 9, false).0;
    assert_eq!((queued.len(), queued.iter().any(|it| it.is_parked)), (2, false));
    assert_eq!(world.store().parked_lanes("ehr").len(), 2);
    assert_eq!(world.store().parked_lanes("elsewhere").len(), 0);

    let discard = Effect::Discarded(Parked::Delivery(delivery_id(2)));
    world.commit(step(2, vec![discard])).expect("discarded");
    let told = world.take_happened();
    let is_unparked = |it: &Happened| {
        matches!(it, Happened::Unparked { delivery, destination }
            if *delivery == delivery_id(2) && *destination == Name::from("ehr"))
    };
    assert!(told.iter().any(is_unparked), "{told:?}");
    world.commit(step(3, vec![Effect::Requeued { delivery: delivery_id(3) }])).expect("requeued");
    let told = world.take_happened();
    let [Happened::Queued(ready)] = &told[..] else { panic!("{told:?}") };
    assert!(ready.is_again);
    let left = [(1, false), (3, false), (4, false)];
    assert_eq!(standing(&world, (0, 0), 9), (left.to_vec(), true), "in its old place");
    assert_eq!(world.store().parked_lanes("ehr").len(), 0);

    // A run that is made again frees what of it is parked.
    let (delivery, cause) = (delivery_id(3), cause(CauseWord::Rejected));
    world.commit(step(3, vec![Effect::DeliveryParked { delivery, cause }])).expect("parked");
    world.take_happened();
    let generation = hilum_words::Digest::of(b"next");
    let replay = Effect::Replayed { parent: run_id(3), new: start(9), generation };
    world.commit(step(3, vec![replay])).expect("replayed");
    let told = world.take_happened();
    let is_told = told.iter().any(|it| matches!(it, Happened::Unparked { .. }));
    assert!(is_told, "{told:?}");
    let state = world.store().delivery(delivery_id(3)).expect("known").state;
    assert_eq!(state, DeliveryState::Replayed);
}
