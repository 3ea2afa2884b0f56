//! Every bound, where it bites; and what happens when the disk fails.

use std::time::Duration;

use bytes::Bytes;
use hilum_env::Space;
use hilum_env::twin::Unsynced;
use hilum_words::{CauseWord, Digest};

use super::world::*;
use crate::{Accepted, Effect, OpenError, StoreError};

#[test]
fn segments_roll_and_everything_in_them_is_found() {
    let mut world = World::new(1);
    for number in 1..=40 {
        world.accept(arrival(number)).expect("stored");
    }
    assert!(4 < world.store().counts().segments, "{:?}", world.store().counts());
    world.restart(Unsynced::Lost);
    for number in 1..=40 {
        assert_eq!(world.store().body(message_id(number)).expect("there"), body_of(number));
    }
}

#[test]
fn a_large_message_has_a_segment_of_its_own() {
    let mut world = World::with(1, |options| options.segment_bytes = 64 << 10);
    let body = Bytes::from(vec![b'x'; 3 << 20]);
    world.accept(arrival(1)).expect("stored");
    world.accept(arrival_of(2, "2", body.clone())).expect("stored");
    world.accept(arrival(3)).expect("stored");
    assert_eq!(world.store().counts().segments, 3);
    world.restart(Unsynced::Lost);
    assert_eq!(world.store().body(message_id(2)).expect("there"), body);
    assert_eq!(world.store().body(message_id(3)).expect("there"), body_of(3));
}

#[test]
fn what_waits_is_written_together_up_to_the_bounds() {
    let world = World::with(1, |options| {
        options.group_requests_max = 10;
        options.group_bytes_max = 20_000;
    });
    let tickets: Vec<_> = (1..=25).map(|number| world.store().accept(arrival(number))).collect();
    for ticket in tickets {
        world.redeem(ticket).expect("stored");
    }
    assert_eq!(world.store().counts().groups, 3, "by count");
    let large = |number| arrival_of(number, &number.to_string(), Bytes::from(vec![b'x'; 9_000]));
    let tickets: Vec<_> = (31..=34).map(|number| world.store().accept(large(number))).collect();
    for ticket in tickets {
        world.redeem(ticket).expect("stored");
    }
    assert_eq!(world.store().counts().groups, 5, "by bytes");
}

#[test]
fn a_queue_that_is_full_is_busy() {
    let world = World::with(1, |options| {
        options.queue_max = 3;
        options.queue_bytes_max = 10_000;
    });
    let mut tickets: Vec<_> = (1..=4).map(|number| world.store().accept(arrival(number))).collect();
    let refused = tickets.pop().expect("the fourth").now();
    assert!(matches!(refused, Ok(Err(StoreError::Busy))));
    // A decision is never turned away: it is what empties the queue.
    let record = arrival(9).records.first().clone();
    let decided = world.store().note(hilum_audit::NonEmpty::of(record));
    world.redeem(decided).expect("stored");
    for ticket in tickets {
        world.redeem(ticket).expect("stored");
    }
    let large = |number| arrival_of(number, "large", Bytes::from(vec![b'x'; 9_000]));
    let first = world.store().accept(large(5));
    assert!(matches!(world.store().accept(large(6)).now(), Ok(Err(StoreError::Busy))));
    world.redeem(first).expect("stored");
}

#[test]
fn a_message_over_the_bound_is_not_stored() {
    let world = World::with(1, |options| options.body_bytes_max = 100);
    let at_the_bound = arrival_of(1, "1", Bytes::from(vec![b'x'; 100]));
    world.accept(at_the_bound).expect("stored");
    let past_it = world.accept(arrival_of(2, "2", Bytes::from(vec![b'x'; 101])));
    assert!(matches!(past_it, Err(StoreError::TooLarge { .. })), "{past_it:?}");
}

#[test]
fn a_step_of_too_many_records_is_not_written() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let parked = |count| {
        let parked = (1..=count).map(|it| (outgoing(it, "ehr", None), cause(CauseWord::Denied)));
        step(1, vec![Effect::Dispatched { deliveries: vec![], parked: parked.collect() }])
    };
    // Each is a record, and so is its evidence; two more are the subject and the decision, one its
    // evidence.
    let past_it = world.commit(parked(499));
    assert!(matches!(past_it, Err(StoreError::TooLarge { .. })), "{past_it:?}");
    world.commit(parked(498)).expect("stored");
    assert_eq!(world.store().parked().len(), 498);
}

#[test]
fn without_space_no_message_is_accepted_and_work_goes_on() {
    let world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let set = |free| world.twin.disk().set_space(Space { free, total: 1_000_000 });
    set(99_999);
    world.twin.advance(Duration::from_secs(1));
    let refused = world.accept(arrival(2));
    assert!(matches!(refused, Err(StoreError::NoSpace { percent: 10 })), "{refused:?}");
    // The sender of a message that is known has been promised it already.
    assert!(matches!(world.accept(arrival_of(3, "1", body_of(1))), Ok(Accepted::Known(_))));
    world.commit(dispatched(1)).expect("stored");
    set(100_000);
    world.twin.advance(Duration::from_secs(1));
    world.accept(arrival(2)).expect("stored");
}

#[test]
fn a_failed_write_or_sync_ends_writing_for_good() {
    // A group is a write and a sync.
    for failing in [0, 1] {
        let mut world = World::new(1);
        world.accept(arrival(1)).expect("stored");
        world.rest();
        world.twin.disk().fail_at(world.twin.disk().operations() + failing);
        let failed = world.accept(arrival(2));
        assert!(matches!(failed, Err(StoreError::Poisoned { .. })), "{failed:?}");
        let before = world.twin.disk().operations();
        let later = world.accept(arrival(3));
        assert!(matches!(later, Err(StoreError::Poisoned { .. })), "{later:?}");
        world.store().note_start(run_id(1));
        world.rest();
        assert_eq!(world.twin.disk().operations(), before, "nothing is written or synced again");
        assert!(world.store().poisoned().is_some());
        assert!(world.redeem(world.store().stop()).is_err());
        // What was there can still be read, and opening again is the way out.
        assert_eq!(world.store().body(message_id(1)).expect("there"), body_of(1));
        world.restart(Unsynced::Torn);
        assert_eq!(world.store().body(message_id(1)).expect("there"), body_of(1));
        world.accept(arrival(3)).expect("stored");
    }
}

#[test]
fn finished_messages_are_forgotten_past_the_recent_ones() {
    let mut world = World::with(1, |options| {
        options.recent_max = 5;
        options.segment_bytes = 64 << 10;
    });
    for number in 1..=50 {
        world.accept(arrival(number)).expect("stored");
        // Every tenth stays unfinished.
        if number % 10 != 0 {
            world.commit(dispatched(number)).expect("stored");
            world.commit(delivered(number)).expect("stored");
        }
    }
    for unsynced in [Unsynced::Kept, Unsynced::Lost] {
        let store = world.store();
        assert_eq!(store.counts().messages, 4 + 5, "unfinished and recent");
        assert_eq!(store.recent(100, None).len(), 5);
        assert_eq!(store.undecided().len(), 5);
        assert!(store.message(message_id(11)).is_none());
        // An unfinished one that is not recent is read back.
        let old = store.message(message_id(10)).expect("known");
        assert_eq!((&*old.kind, old.runs), ("ADT^A01", vec![run_id(10)]));
        world.restart(unsynced);
    }
    world.commit(dispatched(10)).expect("stored");
    world.commit(delivered(10)).expect("stored");
    assert!(world.store().message(message_id(10)).is_none());
    assert!(world.store().run(run_id(10)).is_none());
}

#[test]
fn bodies_in_memory_are_bounded_and_released() {
    let world = World::with(1, |options| options.bodies_in_memory_max = 10_000);
    let body = |number: u64| Bytes::from(vec![u8::try_from(number).expect("small"); 3_000]);
    for number in 1..=9 {
        world.accept(arrival_of(number, &number.to_string(), body(number))).expect("stored");
    }
    let kept = world.store().counts().bodies_in_memory;
    assert!((3_000..=10_000).contains(&kept), "{kept}");
    for number in 1..=9 {
        assert_eq!(world.store().body(message_id(number)).expect("there"), body(number));
        world.commit(dispatched(number)).expect("stored");
        world.commit(delivered(number)).expect("stored");
    }
    assert_eq!(world.store().counts().bodies_in_memory, 0);
}

#[test]
fn recent_messages_are_listed_page_by_page() {
    let world = World::new(1);
    for number in 1..=5 {
        world.accept(arrival(number)).expect("stored");
    }
    let page = |before| -> Vec<u128> {
        world.store().recent(2, before).iter().map(|it| it.message.bits() & 0xffff).collect()
    };
    assert_eq!(page(None), [5, 4]);
    assert_eq!(page(Some(message_id(4))), [3, 2]);
    assert_eq!(page(Some(message_id(1))), [0; 0]);
    assert_eq!(page(Some(message_id(99))), [0; 0]);
}

#[test]
fn a_folder_is_used_by_one() {
    let mut world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let store = world.store.take().expect("open");
    assert!(matches!(world.open(), Err(OpenError::InUse { .. })));
    world.store = Some(store);
    world.stop();
    world.open().expect("free again");
}

#[test]
fn a_stopped_journal_is_vouched_for_and_takes_nothing_more() {
    let mut world = World::new(1);
    let first = world.store().accept(arrival(1));
    let stopped = world.store().stop();
    let late = world.store().accept(arrival(2));
    assert!(matches!(late.now(), Ok(Err(StoreError::Stopped))));
    world.redeem(first).expect("what waited is written");
    world.redeem(stopped).expect("stopped");
    let store = world.store.take().expect("was open");
    let after = store.accept(arrival(3));
    assert!(matches!(world.redeem(after), Err(StoreError::Stopped)));
    drop(store);
    // Damage to the last message is noticed, since the last frame vouches for it.
    let report = world.check();
    assert!(report.is_sound(), "{report:?}");
    world.twin.disk().flip(&segment(1), 88 + 64 + 20, 1);
    assert!(matches!(world.open(), Err(OpenError::Damaged { .. })));
}

#[test]
fn blobs_are_kept_by_digest_and_checked() {
    let mut world = World::new(1);
    let digest = world.store().put_blob(b"a plugin").expect("stored");
    assert_eq!(digest, Digest::of(b"a plugin"));
    assert_eq!(world.store().put_blob(b"a plugin").expect("is there"), digest);
    world.restart(Unsynced::Lost);
    assert_eq!(world.store().blob(digest).expect("there"), "a plugin");
    let missing = world.store().blob(Digest::of(b"b"));
    assert!(matches!(missing, Err(StoreError::NoBlob(_))));
    world.twin.disk().flip(&folder().join("blobs").join(digest.hex()), 3, 0);
    assert!(matches!(world.store().blob(digest), Err(StoreError::NoBlob(_))));
    world.store().put_blob(b"a plugin").expect("stored again");
    assert_eq!(world.store().blob(digest).expect("there"), "a plugin");
}

#[test]
fn syncs_are_measured_where_asked() {
    let world = World::with(1, |options| options.syncs_measured = 20);
    assert!(40 < world.twin.disk().operations());
    assert!(!world.twin.doors().disk.exists(&folder().join("sync-test")));
}
