//! Generations and marks, and the catalogue that shows them: whatever becomes of it, the journal
//! makes it again.

use std::cell::Cell;

use expect_test::expect;
use hilum_env::twin::Unsynced;

use super::world::*;
use crate::catalogue::Entry;
use crate::{Batch, MemoryTable, OpenError, StoreError, Table, TableFault};

fn apply(world: &World, number: u64) {
    let (generation, records) = generation(number);
    world.redeem(world.store().apply_generation(generation, records)).expect("stored");
}

fn set(world: &World, name: &str, value: Option<&str>) {
    let (key, records) = mark(name);
    world.redeem(world.store().mark(key, value.map(str::to_owned), records)).expect("stored");
}

/// A journal with a history, and its table.
fn history() -> World {
    let world = World::new(1);
    apply(&world, 1);
    set(&world, "destination.ehr.paused", Some("ticket 4711"));
    apply(&world, 2);
    set(&world, "destination.lab.paused", Some("yes"));
    set(&world, "destination.ehr.paused", None);
    world
}

/// The catalogue says what the journal says.
#[track_caller]
fn check(world: &World) {
    let summaries: Vec<String> =
        world.store().generations(9).into_iter().map(|it| it.summary).collect();
    assert_eq!(summaries, ["change 2", "change 1"], "the newest first");
    let marks: Vec<_> = world.store().marks().into_iter().collect();
    assert_eq!(marks, [("destination.lab.paused".to_owned(), "yes".to_owned())]);
    let (position, mut generations, shown) = world.catalogue();
    generations.reverse();
    assert_eq!((generations, shown), (world.store().generations(9), world.store().marks()));
    assert_eq!(position, world.store().counts().sequence, "nothing came after the marks");
}

#[test]
fn generations_and_marks_outlive_the_process() {
    let mut world = history();
    check(&world);
    assert_eq!(world.store().generations(1), [generation(2).0]);
    world.restart(Unsynced::Lost);
    check(&world);
    world.stop();
    let report = world.check();
    assert!(report.is_sound() && report.is_complete, "{report:?}");
}

#[test]
fn a_catalogue_that_is_gone_or_left_behind_catches_up() {
    let mut world = World::new(1);
    let mut earlier = vec![MemoryTable::default()];
    apply(&world, 1);
    earlier.push(world.table.copy());
    set(&world, "destination.lab.paused", Some("yes"));
    earlier.push(world.table.copy());
    apply(&world, 2);
    for table in earlier {
        world.crash(Unsynced::Lost);
        world.table = table;
        world.open().expect("it opens");
        check(&world);
    }
}

#[test]
fn no_damage_to_the_catalogue_shows() {
    let mut world = history();
    let whole = world.table.copy();
    let entries = whole.entries().expect("in memory");
    assert_eq!(entries.len(), 4, "two generations, a mark, the position");
    let damages: [&dyn Fn(&Entry) -> Batch; 3] = [
        &|(key, value)| {
            let mut value = value.clone();
            value[0] ^= 1;
            vec![(key.clone(), Some(value))]
        },
        &|(key, value)| vec![(key.clone(), Some(value[..value.len() - 1].to_vec()))],
        // It lies under another key.
        &|(key, value)| vec![(key.clone(), None), ([key, &b"x"[..]].concat(), Some(value.clone()))],
    ];
    for entry in &entries {
        for damage in damages {
            world.crash(Unsynced::Lost);
            let mut damaged = whole.copy();
            damaged.write(damage(entry)).expect("in memory");
            // The first is the damaged one; what is made after it was moved away is empty.
            let opened = Cell::new(0);
            world
                .open_with(&|_| {
                    opened.set(opened.get() + 1);
                    match opened.get() {
                        1 => Ok(Box::new(damaged.clone())),
                        _ => Ok(Box::new(MemoryTable::default())),
                    }
                })
                .expect("it opens");
            assert_eq!(opened.get(), 2, "{:?}", entry.0);
            check(&world);
        }
    }
}

#[test]
fn a_catalogue_of_another_journal_is_not_believed() {
    let mut world = history();
    let foreign = {
        let other = World::new(2);
        apply(&other, 7);
        other.table.copy()
    };
    world.crash(Unsynced::Lost);
    let opened = Cell::new(0);
    world
        .open_with(&|_| {
            opened.set(opened.get() + 1);
            match opened.get() {
                1 => Ok(Box::new(foreign.clone())),
                _ => Ok(Box::new(MemoryTable::default())),
            }
        })
        .expect("it opens");
    check(&world);
}

#[test]
fn a_journal_that_ends_before_the_catalogue_was_cut() {
    let mut world = history();
    // The end of the journal is lost, though it was synced.
    let before = {
        let mut copy = World::new(1);
        apply(&copy, 1);
        copy.crash(Unsynced::Kept);
        copy
    };
    let table = world.table.copy();
    world.crash(Unsynced::Lost);
    let mut cut = before;
    cut.table = table;
    let refused = cut.open().expect_err("something is lost");
    let OpenError::Damaged { why, .. } = &refused else { panic!("{refused}") };
    expect!["it ends at 2, and the catalogue has seen 6: the journal was cut or replaced by an older copy. If that was meant, move the folder `catalogue` away"]
        .assert_eq(why);
    cut.table = MemoryTable::default();
    cut.open().expect("a person moved it away");
}

/// A table that writes no more, or cannot be opened.
struct Broken;

impl Table for Broken {
    fn entries(&self) -> Result<Vec<Entry>, TableFault> {
        Ok(Vec::new())
    }

    fn range(&self, _: &[u8], _: &[u8], _: usize) -> Result<Vec<Entry>, TableFault> {
        Err(TableFault("broken".to_owned()))
    }

    fn write(&mut self, _: Batch) -> Result<(), TableFault> {
        Err(TableFault("broken".to_owned()))
    }

    fn close(&mut self) {}
}

#[test]
fn a_catalogue_that_fails_stops_nothing() {
    let mut world = history();
    for opens in [true, false] {
        world.crash(Unsynced::Lost);
        world
            .open_with(&|_| match opens {
                true => Ok(Box::new(Broken)),
                false => Err(TableFault("no room".to_owned())),
            })
            .expect("it opens");
        assert_eq!(world.store().generations(9).len(), 2);
        set(&world, "destination.lab.paused", Some("yes"));
        world.accept(arrival(if opens { 1 } else { 2 })).expect("stored");
    }
    world.crash(Unsynced::Lost);
    world.open().expect("it opens");
    assert_eq!(world.catalogue().1.len(), 2, "it is made again");
}

#[test]
fn generations_that_memory_forgets_are_in_the_catalogue() {
    const MANY: u64 = 300;
    let mut world = World::with(1, |options| options.segment_bytes = 64 << 10);
    for number in 1..=MANY {
        apply(&world, number);
    }
    for _ in 0..2 {
        let all = world.store().generations(usize::MAX);
        let digests: Vec<_> = all.iter().map(|it| it.digest).collect();
        let expected: Vec<_> = (1..=MANY).rev().map(|it| generation(it).0.digest).collect();
        assert_eq!(digests, expected);
        assert_eq!(world.store().generations(270).len(), 270);
        world.restart(Unsynced::Lost);
    }
    world.crash(Unsynced::Lost);
    world.open_with(&|_| Ok(Box::new(Broken))).expect("it opens");
    assert_eq!(world.store().generations(usize::MAX).len(), 256, "what memory has");
}

#[test]
fn what_a_person_writes_is_bounded() {
    let world = World::new(1);
    let (mut long, records) = generation(1);
    long.summary = "ä".repeat(5_000);
    world.redeem(world.store().apply_generation(long, records)).expect("stored");
    assert_eq!(world.store().generations(1)[0].summary, "ä".repeat(1_024));
    let (key, records) = mark("note");
    let refused = world.redeem(world.store().mark(key, Some("x".repeat(1_025)), records));
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
    assert!(crate::MarkKey::new("").is_err());
    assert!(crate::MarkKey::new("x".repeat(257)).is_err());
    check_marks_are_bounded(&world);
}

fn check_marks_are_bounded(world: &World) {
    let mut tickets = Vec::new();
    for number in 0..10_001 {
        let (key, records) = mark(&format!("mark {number}"));
        tickets.push(world.store().mark(key, Some("on".to_owned()), records));
    }
    let last = tickets.pop().expect("there are many");
    let refused = world.redeem(last);
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
    assert_eq!(world.store().marks().len(), 10_000);
    set(world, "mark 17", None);
    set(world, "one more", Some("on"));
}

#[test]
fn a_generation_or_mark_without_evidence_is_found() {
    let mut world = World::new(1);
    let (generation, _) = generation(1);
    let (key, records) = mark("destination.ehr.paused");
    // Evidence of something else.
    world.redeem(world.store().apply_generation(generation, records)).expect("stored");
    let (_, other) = super::world::generation(1);
    world.redeem(world.store().mark(key, Some("on".to_owned()), other)).expect("stored");
    world.stop();
    let report = world.check();
    assert_eq!(report.disagreements.len(), 2, "{report:?}");
    let said: Vec<String> = report.disagreements.iter().map(|it| it.what.clone()).collect();
    assert!(said[0].contains("took over, and the trail does not say so"), "{said:?}");
    assert!(said[1].contains("the mark destination.ehr.paused was set"), "{said:?}");
}
