//! What a step changes, and who is told.

use bytes::Bytes;
use hilum_audit::What;
use hilum_env::twin::Unsynced;
use hilum_words::{CauseWord, Digest, Name, Reason, Rejection, Timestamp};

use super::world::*;
use crate::{DeliveryState, Effect, Happened, Outgoing, Parked, RunState, Step, StoreError};

/// Says what is to be done, in short. Decisions are looked at by tests of their own.
fn told(world: &World) -> Vec<String> {
    let short = |happened: Happened| match happened {
        Happened::Run(ready) => Some(format!("run {}", ready.run.bits() & 0xffff)),
        Happened::Queued(ready) => {
            let delivery = ready.delivery.bits() & 0xffff;
            Some(format!("queued {delivery} for {}", ready.destination))
        }
        Happened::Settled(run) => Some(format!("settled {}", run.bits() & 0xffff)),
        Happened::Unparked { delivery, destination } => {
            Some(format!("unparked {} for {destination}", delivery.bits() & 0xffff))
        }
        Happened::Decided { .. } => None,
    };
    world.take_happened().into_iter().filter_map(short).collect()
}

fn state_of(world: &World, number: u64) -> RunState {
    world.store().run(run_id(number)).expect("it is known").state
}

fn delivery_state(world: &World, number: u64) -> DeliveryState {
    world.store().delivery(delivery_id(number)).expect("it is known").state
}

#[test]
fn a_message_goes_its_whole_way() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    assert_eq!(told(&world), ["run 1"]);
    assert_eq!(world.store().undecided(), [run_id(1)]);
    assert_eq!(world.store().body(message_id(1)).expect("there"), body_of(1));
    world.store().note_start(run_id(1));
    let run = world.store().run(run_id(1)).expect("known");
    assert!(run.is_undecided());
    assert_eq!((run.starts, run.message, &*run.route), (1, message_id(1), "adt"));

    world.commit(dispatched(1)).expect("stored");
    assert_eq!(told(&world), ["queued 1 for ehr"]);
    assert_eq!(world.store().undecided(), []);
    let queued = world.store().queued("ehr");
    assert_eq!(queued.len(), 1);
    assert_eq!(world.store().queued("elsewhere").len(), 0);
    let delivery = world.store().delivery(queued[0].delivery).expect("known");
    assert_eq!(delivery.body, r#"{"resourceType":"Basic","text":"output 1"}"#);
    assert_eq!(&*delivery.format, "fhir-json");

    let due = Timestamp::from_micros(at().micros() + 5);
    let why = "busy: 503".to_owned();
    let deferred = Effect::Deferred { delivery: delivery_id(1), attempt: 1, due, why };
    world.commit(step(1, vec![deferred])).expect("stored");
    let again = &world.store().queued("ehr")[0];
    assert_eq!((again.attempts, again.due), (1, Some(due)));
    assert_eq!(told(&world), [""; 0]);

    world.commit(delivered(1)).expect("stored");
    assert_eq!(told(&world), ["settled 1"]);
    let delivery = world.store().delivery(delivery_id(1)).expect("known");
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!(delivery.answer, Some((Name::from("fhir-json"), Bytes::from("answer 1"))));

    let words: Vec<_> =
        world.store().trail(message_id(1)).expect("read").into_iter().map(|it| it.what).collect();
    assert_eq!(words, [What::Accepted, What::Dispatched, What::Deferred, What::Delivered]);
    let recent = world.store().recent(10, None);
    assert_eq!(recent.len(), 1);
    assert_eq!(recent[0].deliveries, [(Name::from("ehr"), DeliveryState::Delivered)]);
}

#[test]
fn all_of_it_is_there_after_a_restart() {
    let mut world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    world.accept(arrival(2)).expect("stored");
    world.accept(arrival(3)).expect("stored");
    world.commit(dispatched(1)).expect("stored");
    world.commit(step(2, vec![Effect::Parked(cause(CauseWord::Leak))])).expect("stored");
    world.store().note_start(run_id(3));
    let look = |world: &World| {
        let store = world.store();
        let runs: Vec<_> = (1..=3).map(|number| store.run(run_id(number))).collect();
        let messages: Vec<_> = (1..=3).map(|number| store.message(message_id(number))).collect();
        let bodies: Vec<_> = (1..=3).map(|number| store.body(message_id(number)).ok()).collect();
        let delivery = format!("{:?}", store.delivery(delivery_id(1)));
        (runs, messages, bodies, delivery, store.recent(9, None), store.parked(), store.undecided())
    };
    let before = look(&world);
    world.restart(Unsynced::Kept);
    assert_eq!(look(&world), before);
    // A power cut loses at most the count of a start.
    world.restart(Unsynced::Lost);
    assert_eq!(look(&world), before, "opening made it durable");
}

#[test]
fn bytes_of_the_message_are_not_written_again() {
    let world = World::new(1);
    let body = body_of(7);
    world.accept(arrival(7)).expect("stored");
    let before = world.store().counts().bytes_written;
    let deliveries = vec![
        outgoing(1, "ehr", Some(passed_through(body.clone()))),
        outgoing(2, "archive", Some(passed_through(body.clone()))),
    ];
    world.commit(step(7, vec![Effect::Dispatched { deliveries, parked: vec![] }])).expect("stored");
    let written = world.store().counts().bytes_written - before;
    assert!(written < 1_500, "{written} bytes for two copies of {}", body.len());
    for number in [1, 2] {
        assert_eq!(world.store().delivery(delivery_id(number)).expect("known").body, body);
    }
}

#[test]
fn equal_outputs_are_stored_once() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let text = "y".repeat(3_000);
    let outputs = |to: &[&str]| -> Vec<Outgoing> {
        (1..).zip(to).map(|(number, to)| outgoing(number, to, Some(cleared(&text)))).collect()
    };
    let before = world.store().counts().bytes_written;
    let deliveries = outputs(&["a", "b", "c"]);
    world.commit(step(1, vec![Effect::Dispatched { deliveries, parked: vec![] }])).expect("stored");
    assert!(world.store().counts().bytes_written - before < 2 * 3_000);
    assert_eq!(world.store().delivery(delivery_id(3)).expect("known").body.len(), 3_034);
}

#[test]
fn a_run_is_decided_once() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    world.commit(dispatched(1)).expect("stored");
    let again = world.commit(step(1, vec![Effect::Parked(cause(CauseWord::Leak))]));
    let Err(StoreError::NotInState { state, wanted, .. }) = again else { panic!("{again:?}") };
    assert_eq!((state, wanted), ("dispatched", "parked"));
    let unknown = world.commit(step(9, vec![Effect::Parked(cause(CauseWord::Leak))]));
    assert!(matches!(unknown, Err(StoreError::NoRun(_))), "{unknown:?}");
}

#[test]
fn two_decisions_in_one_group_are_one() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let first = world.store().commit(dispatched(1));
    let second = world.store().commit(step(1, vec![held("look")]));
    world.redeem(first).expect("stored");
    assert!(matches!(world.redeem(second), Err(StoreError::NotInState { .. })));
    assert_eq!(world.store().counts().groups, 2);
    assert_eq!(state_of(&world, 1), RunState::Dispatched);
}

#[test]
fn a_step_changes_nothing_twice() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    world.commit(dispatched(1)).expect("stored");
    let effect = || Effect::Delivered { delivery: delivery_id(1), answer: None };
    let twice = world.commit(step(1, vec![effect(), effect()]));
    assert!(matches!(twice, Err(StoreError::NotInState { .. })), "{twice:?}");
    assert_eq!(delivery_state(&world, 1), DeliveryState::Queued, "nothing of it was done");
}

#[test]
fn a_run_without_outputs_is_settled_and_so_is_a_refused_one() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    world.accept(arrival(2)).expect("stored");
    told(&world);
    let nothing = Effect::Dispatched { deliveries: vec![], parked: vec![] };
    world.commit(step(1, vec![nothing])).expect("stored");
    let (reason, at) = (Reason::UnknownCode, Some("PID-8".to_owned()));
    let rejection = Rejection { reason, at, text: "no such code".to_owned() };
    world.commit(step(2, vec![Effect::Refused(vec![rejection.clone()])])).expect("stored");
    assert_eq!(told(&world), ["settled 1", "settled 2"]);
    assert_eq!(state_of(&world, 2), RunState::Refused(vec![rejection]));
}

#[test]
fn a_held_run_is_released_or_discarded() {
    let mut world = World::new(1);
    for number in [1, 2] {
        world.accept(arrival(number)).expect("stored");
        world.commit(step(number, vec![held("look at PV1")])).expect("stored");
    }
    assert_eq!(world.store().counts().held, 2);
    assert_eq!(world.store().parked()[0].held.as_deref(), Some("look at PV1"));
    world.commit(dispatched(1)).expect("released");
    let discard = Effect::Discarded(Parked::Run(run_id(2)));
    world.commit(step(2, vec![discard])).expect("discarded");
    assert_eq!((world.store().counts().held, world.store().parked().len()), (0, 0));
    world.restart(Unsynced::Lost);
    assert_eq!(state_of(&world, 1), RunState::Dispatched);
    assert_eq!(state_of(&world, 2), RunState::Discarded);
}

#[test]
fn a_parked_delivery_is_queued_again_or_discarded() {
    let mut world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    world.commit(dispatched(1)).expect("stored");
    let park = Effect::DeliveryParked { delivery: delivery_id(1), cause: cause(CauseWord::GaveUp) };
    world.commit(step(1, vec![park])).expect("stored");
    let parked = world.store().parked();
    assert_eq!(parked[0].item, Parked::Delivery(delivery_id(1)));
    assert_eq!(parked[0].cause, Some(cause(CauseWord::GaveUp)));
    assert_eq!(world.store().parked_item(parked[0].item).as_ref(), Some(&parked[0]));
    assert_eq!(world.store().parked_item(Parked::Run(run_id(1))), None);
    assert_eq!(told(&world), ["run 1", "queued 1 for ehr", "settled 1"]);
    world.restart(Unsynced::Lost);
    let requeue = Effect::Requeued { delivery: delivery_id(1) };
    world.commit(step(1, vec![requeue])).expect("stored");
    assert_eq!(told(&world), ["queued 1 for ehr"]);
    assert_eq!(world.store().queued("ehr")[0].attempts, 0);
    world.commit(delivered(1)).expect("stored");
    assert_eq!(told(&world), ["settled 1"]);
    let late = world.commit(step(1, vec![Effect::Requeued { delivery: delivery_id(1) }]));
    assert!(matches!(late, Err(StoreError::NotInState { .. })), "{late:?}");
}

#[test]
fn what_was_not_cleared_cannot_be_sent() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let parked = vec![(outgoing(2, "research", None), cause(CauseWord::Denied))];
    // Whoever forgets to park what has no body does not get it queued.
    let deliveries = vec![outgoing(1, "ehr", Some(cleared("a"))), outgoing(3, "ehr", None)];
    world.commit(step(1, vec![Effect::Dispatched { deliveries, parked }])).expect("stored");
    assert_eq!(world.store().queued("ehr").len(), 1);
    assert!(matches!(delivery_state(&world, 3), DeliveryState::Parked(_)));
    let record = world.store().delivery(delivery_id(2)).expect("known");
    assert!(!record.is_cleared && record.body.is_empty());
    let requeue = Effect::Requeued { delivery: delivery_id(2) };
    let answer = world.commit(step(1, vec![requeue]));
    assert!(matches!(answer, Err(StoreError::NotCleared(_))), "{answer:?}");
}

fn replay(parent: u64, new: u64) -> Step {
    let generation = Digest::of(b"the next one");
    step(parent, vec![Effect::Replayed { parent: run_id(parent), new: start(new), generation }])
}

#[test]
fn a_replay_is_a_new_run_and_the_old_one_waits_no_more() {
    let mut world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let undecided = world.commit(replay(1, 500));
    assert!(matches!(undecided, Err(StoreError::NotInState { .. })), "{undecided:?}");
    world.commit(step(1, vec![Effect::Parked(cause(CauseWord::PluginFault))])).expect("stored");
    told(&world);
    world.commit(replay(1, 500)).expect("stored");
    assert_eq!(told(&world), ["run 500"]);
    for unsynced in [Unsynced::Kept, Unsynced::Lost] {
        let store = world.store();
        assert_eq!(store.parked(), []);
        assert_eq!(state_of(&world, 1), RunState::Replayed);
        let run = store.run(run_id(500)).expect("known");
        assert_eq!((run.message, run.parent), (message_id(1), Some(run_id(1))));
        assert_eq!(run.generation, Digest::of(b"the next one"));
        let runs = store.message(message_id(1)).expect("known").runs;
        assert_eq!(runs, [run_id(1), run_id(500)]);
        world.restart(unsynced);
    }
    let again = world.commit(replay(1, 501));
    assert!(matches!(again, Err(StoreError::NotInState { .. })), "{again:?}");
}

#[test]
fn a_replay_takes_the_place_of_parked_outputs() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let parked = vec![(outgoing(2, "research", None), cause(CauseWord::Denied))];
    let deliveries = vec![outgoing(1, "ehr", Some(cleared("a")))];
    world.commit(step(1, vec![Effect::Dispatched { deliveries, parked }])).expect("stored");
    world.commit(replay(1, 500)).expect("stored");
    assert_eq!(world.store().parked(), []);
    assert_eq!(delivery_state(&world, 2), DeliveryState::Replayed);
    assert_eq!(delivery_state(&world, 1), DeliveryState::Queued, "it is on its way");
}

#[test]
fn evidence_alone_is_in_the_trail_too() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let revealed = step(1, vec![Effect::Noted]).records;
    world.redeem(world.store().note(revealed)).expect("stored");
    let trail = world.store().trail(message_id(1)).expect("read");
    assert_eq!(trail.last().map(|it| it.what), Some(What::Revealed));
}

#[test]
fn deliveries_are_queued_in_the_order_of_the_journal() {
    let mut world = World::new(1);
    for number in 1..=5 {
        world.accept(arrival(number)).expect("stored");
    }
    for number in [3, 1, 2, 5, 4] {
        world.commit(dispatched(number)).expect("stored");
    }
    let order = |world: &World| -> Vec<u128> {
        world.store().queued("ehr").iter().map(|it| it.delivery.bits() & 0xffff).collect()
    };
    assert_eq!(order(&world), [3, 1, 2, 5, 4]);
    world.restart(Unsynced::Lost);
    assert_eq!(order(&world), [3, 1, 2, 5, 4]);
    let (first, is_all) = world.store().queued_first("ehr", 2);
    assert_eq!((first.len(), is_all), (2, false));
    assert!(world.store().queued_first("ehr", 5).1);
}
