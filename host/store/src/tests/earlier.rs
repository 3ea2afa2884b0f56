//! What an earlier gateway wrote reads as it was meant.
//!
//! `earlier/` holds a journal as 0.1 wrote it before 24 November 2026: a refused run with one reason,
//! a held run without its step, deliveries of one lane, and no generation or mark.

use hilum_env::OpenMode;
use hilum_words::{CauseWord, Reason, Rejection};

use super::world::*;
use crate::{DeliveryState, Effect, RunState};

fn world() -> World {
    let world = World::closed(1, |_| {});
    let disk = world.twin.disk();
    let put = |path: &std::path::Path, content: &[u8]| {
        let file = hilum_env::Disk::open(&**disk, path, OpenMode::CreateNew).expect("made");
        file.write_all_at(content, 0).expect("written");
        file.sync_data().expect("synced");
    };
    hilum_env::Disk::create_folder(&**disk, &folder().join("seg")).expect("made");
    put(&folder().join("LOG"), include_bytes!("earlier/LOG"));
    put(&segment(1), include_bytes!("earlier/00000001.seg"));
    put(&segment(2), include_bytes!("earlier/00000002.seg"));
    for path in [folder().join("seg"), folder(), "/".into()] {
        hilum_env::Disk::sync_folder(&**disk, &path).expect("synced");
    }
    world
}

#[test]
fn an_earlier_journal_is_read_as_it_was_meant() {
    let mut world = world();
    let report = world.check();
    assert!(report.is_sound() && report.is_complete, "{report:?}");
    world.open().expect("it opens");
    let store = world.store();
    let state = |number| store.run(run_id(number)).expect("known").state;
    let text = "no such code".to_owned();
    let refused = Rejection { reason: Reason::UnknownCode, at: Some("PID-8".to_owned()), text };
    assert_eq!(state(1), RunState::Refused(vec![refused]));
    // Its step was not written: released, it is asked by every validator but the first.
    assert_eq!(state(2), RunState::Held { why: "look at PV1".to_owned(), step: 0 });
    assert_eq!(state(3), RunState::Discarded);
    assert_eq!(state(7), RunState::Undecided);
    assert_eq!(store.run(run_id(7)).expect("known").from_step, 0);
    for number in [4, 5, 6] {
        let delivery = store.delivery(delivery_id(number)).expect("known");
        assert_eq!(delivery.lanes, [number.to_be_bytes().to_vec()]);
        assert_eq!(
            delivery.body,
            format!(r#"{{"resourceType":"Basic","text":"output {number}"}}"#)
        );
    }
    let parked = store.delivery(delivery_id(6)).expect("known").state;
    assert_eq!(parked, DeliveryState::Parked(cause(CauseWord::Rejected)));
    assert_eq!(store.parked_lanes("ehr"), [6u64.to_be_bytes().to_vec()]);
    let queued = store.queued("ehr");
    assert_eq!((queued.len(), queued[0].attempts, queued[0].is_again), (1, 1, false));
    assert_eq!((store.generations(9).len(), store.marks().len()), (0, 0));
}

#[test]
fn an_earlier_journal_goes_on_with_what_is_new() {
    let mut world = world();
    world.open().expect("it opens");
    world.commit(step(2, vec![Effect::Released { next: 1 }])).expect("released");
    let (first, records) = generation(1);
    let applied = world.store().apply_generation(first.clone(), records);
    world.redeem(applied).expect("stored");
    world.restart(hilum_env::twin::Unsynced::Lost);
    assert_eq!(world.store().generations(9), [first]);
    let run = world.store().run(run_id(2)).expect("known");
    assert_eq!((run.state, run.from_step), (RunState::Undecided, 1));
    world.stop();
    let report = world.check();
    assert!(report.is_sound() && report.is_complete, "{report:?}");
}
