//! Decisions that nobody waits for.

use std::time::Duration;

use super::world::*;
use crate::{Committed, RunState, Ticket};

/// A world with three messages, all that was told of them taken away.
fn world() -> World {
    let world = World::new(1);
    for number in 1..=3 {
        world.accept(arrival(number)).expect("stored");
    }
    world
}

fn groups(world: &World) -> u64 {
    world.store().counts().groups
}

/// The ticket, if it is not answered once everything has run that can run without time passing.
fn unanswered(world: &World, ticket: Ticket<Committed>) -> Ticket<Committed> {
    world.run();
    ticket.now().expect_err("nothing was synced")
}

#[test]
fn they_are_synced_together_once_their_time_is_over() {
    let world = world();
    let before = groups(&world);
    let first = unanswered(&world, world.store().commit_soon(dispatched(1)));
    world.pass(Duration::from_millis(1));
    let second = unanswered(&world, world.store().commit_soon(dispatched(2)));
    let first = unanswered(&world, first);
    world.pass(Duration::from_millis(1));
    for ticket in [first, second] {
        assert!(matches!(ticket.now(), Ok(Ok(_))), "the first one's time is over");
    }
    assert_eq!(groups(&world), before + 1);
    assert_eq!(world.store().run(run_id(2)).expect("known").state, RunState::Dispatched);
}

#[test]
fn they_go_with_what_somebody_waits_for_and_before_it() {
    let world = world();
    let before = groups(&world);
    let soon = unanswered(&world, world.store().commit_soon(dispatched(1)));
    world.commit(delivered(1)).expect("its delivery is queued before");
    assert!(matches!(soon.now(), Ok(Ok(_))));
    assert_eq!(groups(&world), before + 1);
}

#[test]
fn many_of_them_do_not_wait() {
    let world = World::with(1, |options| options.soon_max = 2);
    for number in 1..=2 {
        world.accept(arrival(number)).expect("stored");
    }
    let first = unanswered(&world, world.store().commit_soon(dispatched(1)));
    let second = world.store().commit_soon(dispatched(2));
    world.run();
    for ticket in [first, second] {
        assert!(matches!(ticket.now(), Ok(Ok(_))), "two are enough");
    }
}

#[test]
fn large_ones_do_not_wait() {
    let world = World::with(1, |options| options.group_bytes_max = 300);
    for number in 1..=3 {
        world.accept(arrival(number)).expect("stored");
    }
    let first = unanswered(&world, world.store().commit_soon(dispatched(1)));
    let others = [2, 3].map(|number| world.store().commit_soon(dispatched(number)));
    world.run();
    for ticket in [first].into_iter().chain(others) {
        assert!(matches!(ticket.now(), Ok(Ok(_))), "together they are a group's bytes");
    }
}

#[test]
fn a_journal_that_is_closed_has_them() {
    let mut world = world();
    let soon = unanswered(&world, world.store().commit_soon(dispatched(1)));
    world.stop();
    assert!(matches!(soon.now(), Ok(Ok(_))));
}
