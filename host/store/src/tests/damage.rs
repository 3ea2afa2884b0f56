//! Damage is refused with a sentence, never passed over; a torn tail is cut.

use std::path::PathBuf;

use expect_test::{Expect, expect};
use hilum_env::twin::Unsynced;
use hilum_env::{Disk, OpenMode};
use hilum_words::{CauseWord, MessageId};

use super::world::*;
use crate::frame::{HEAD_BYTES, Head};
use crate::{Effect, OpenError, Place};

/// A journal of several segments, as it lies on the disk after a gateway ended.
struct Sample {
    files: Vec<(PathBuf, Vec<u8>)>,
    shown: String,
}

const MESSAGES: u64 = 12;

fn sample() -> Sample {
    let mut world = World::new(3);
    for number in 1..=MESSAGES {
        world.accept(arrival(number)).expect("stored");
        if number % 2 == 0 {
            world.commit(dispatched(number)).expect("stored");
        }
        if number % 3 == 0 {
            let park = Effect::Parked(cause(CauseWord::Leak));
            let _ = world.commit(step(number, vec![park]));
        }
        world.store().note_start(run_id(number));
    }
    assert!(2 < world.store().counts().segments);
    world.stop();
    let mut files = Vec::new();
    let mut take = |path: PathBuf| {
        let content = world.twin.disk().read(&path, 1 << 20).expect("there");
        files.push((path, content));
    };
    take(folder().join("LOG"));
    for entry in world.twin.disk().list(&folder().join("seg")).expect("listed") {
        take(folder().join("seg").join(entry.name));
    }
    let mut sample = Sample { files, shown: String::new() };
    let mut again = sample.world();
    again.open().expect("the sample opens");
    sample.shown = show(&again);
    sample
}

/// All that a journal shows.
fn show(world: &World) -> String {
    let store = world.store();
    let mut shown = String::new();
    for number in 1..=MESSAGES {
        let message = message_id(number);
        shown.push_str(&format!(
            "{:?} {:?} {:?} {:?} {:?}\n",
            store.message(message),
            store.body(message).ok(),
            store.run(run_id(number)).map(|run| (run.state, run.starts)),
            store.trail(message).ok(),
            store.delivery(delivery_id(number)).map(|it| it.body).ok(),
        ));
    }
    shown
}

impl Sample {
    /// A world whose disk has these files.
    fn world(&self) -> World {
        let world = World::closed(3, |options| options.segment_bytes = 4 << 10);
        let disk = world.twin.disk();
        disk.create_folder(&folder().join("seg")).expect("made");
        for (path, content) in &self.files {
            let file = disk.open(path, OpenMode::Create).expect("made");
            file.write_all_at(content, 0).expect("written");
            file.sync_data().expect("synced");
        }
        for path in ["/", "/data", "/data/seg"] {
            disk.sync_folder(path.as_ref()).expect("synced");
        }
        world
    }

    fn segment(&self, number: usize) -> &[u8] {
        &self.files[number].1
    }

    fn segments(&self) -> usize {
        self.files.len() - 1
    }

    /// Where the frames of a segment begin.
    fn frames(&self, number: usize) -> Vec<usize> {
        let content = self.segment(number);
        let mark = u64::from_le_bytes(content[..8].try_into().expect("eight"));
        let mut at = 0;
        let mut all = Vec::new();
        while at < content.len() {
            all.push(at);
            let head = content[at..].first_chunk::<HEAD_BYTES>().expect("whole");
            at += usize::try_from(Head::from_bytes(head, mark).expect("whole").frame_bytes())
                .expect("small");
        }
        all
    }

    /// Opens a changed copy.
    fn after(
        &self,
        change: impl FnOnce(&mut Vec<(PathBuf, Vec<u8>)>),
    ) -> (World, Result<(), OpenError>) {
        let mut copy = Self { files: self.files.clone(), shown: String::new() };
        change(&mut copy.files);
        let mut world = copy.world();
        let opened = world.open();
        (world, opened)
    }
}

#[track_caller]
fn refused(opened: Result<(), OpenError>, expected: Expect) {
    expected.assert_eq(&opened.expect_err("it is refused").to_string());
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let sample = sample();
    let mut passed = 0;
    for number in 1..=sample.segments() {
        let last_frame = *sample.frames(number).last().expect("there is one");
        for at in 0..sample.segment(number).len() {
            let (world, opened) = sample.after(|files| files[number].1[at] ^= 1 << (at % 8));
            match opened {
                Err(OpenError::Damaged { .. } | OpenError::Newer { .. }) => {}
                Err(other) => panic!("segment {number}, byte {at}: {other}"),
                Ok(()) => {
                    // Padding means nothing, and the very last frame holds nothing.
                    passed += 1;
                    assert_eq!(show(&world), sample.shown, "segment {number}, byte {at}");
                    let is_last = number == sample.segments() && last_frame <= at;
                    let is_zero = sample.segment(number)[at] == 0;
                    assert!(is_last || is_zero, "segment {number}, byte {at}");
                }
            }
        }
    }
    assert!(passed < 300, "{passed}");
}

#[test]
fn a_zeroed_or_missing_piece_is_refused() {
    let sample = sample();
    for number in 1..=sample.segments() {
        let frames = sample.frames(number);
        for pair in frames.windows(2) {
            let [from, to] = *pair else { continue };
            let (_, zeroed) = sample.after(|files| files[number].1[from..to].fill(0));
            assert!(
                matches!(zeroed, Err(OpenError::Damaged { .. })),
                "{number} {from}: {zeroed:?}"
            );
            let (_, without) = sample.after(|files| drop(files[number].1.drain(from..to)));
            assert!(
                matches!(without, Err(OpenError::Damaged { .. })),
                "{number} {from}: {without:?}"
            );
        }
    }
}

#[test]
fn a_segment_that_is_cut_is_refused_unless_it_is_the_last() {
    let sample = sample();
    let last = sample.segments();
    for number in 1..last {
        for bytes in (0..sample.segment(number).len()).step_by(40) {
            let (_, opened) = sample.after(|files| files[number].1.truncate(bytes));
            assert!(
                matches!(opened, Err(OpenError::Damaged { .. })),
                "{number} {bytes}: {opened:?}"
            );
        }
    }
    // What is cut from the last one cannot be told from a torn write: that takes a second copy of
    // the trail's head, which is a later issue. What is left is right.
    let frames = sample.frames(last);
    for bytes in (frames[1]..sample.segment(last).len()).step_by(40) {
        let (world, opened) = sample.after(|files| files[last].1.truncate(bytes));
        opened.expect("it opens");
        let whole = frames.iter().filter(|at| **at <= bytes).count() - 1;
        let expected = world.store().counts().sequence;
        assert!(whole as u64 <= expected, "{bytes}");
    }
    let (_, opened) = sample.after(|files| files[last].1.truncate(3));
    assert!(matches!(opened, Err(OpenError::Damaged { .. })), "its beginning was durable");
}

#[test]
fn missing_and_mixed_up_files_are_refused() {
    let sample = sample();
    let last = sample.segments();
    let (_, opened) = sample.after(|files| drop(files.remove(0)));
    refused(
        opened,
        expect![
            "/data/LOG is damaged at byte 0: it is missing, and there are segments. Nothing was changed. Restore /data from a backup; if there is none, keep a copy, then `hilum store check` lists what can be read"
        ],
    );
    for number in 1..=last {
        let (_, opened) = sample.after(|files| drop(files.remove(number)));
        let Err(OpenError::Damaged { path, why, .. }) = opened else { panic!("{number}") };
        assert_eq!(
            (path, &*why),
            (segment(u32::try_from(number).expect("small")), "it is missing")
        );
    }
    let (_, opened) = sample.after(|files| {
        let first = files[1].1.clone();
        files[1].1 = std::mem::replace(&mut files[2].1, first);
    });
    assert!(matches!(opened, Err(OpenError::Damaged { .. })));
    let (_, opened) = sample.after(|files| {
        files.push((segment(u32::try_from(last).expect("small") + 2), Vec::new()));
    });
    assert!(matches!(opened, Err(OpenError::Damaged { .. })));
    let (_, opened) = sample.after(|files| files[0].1[20] ^= 1);
    assert!(matches!(opened, Err(OpenError::Damaged { .. })));
    // A segment of another journal.
    let other = World::new(4);
    other.accept(arrival(1)).expect("stored");
    let foreign = other.twin.disk().read(&segment(1), 1 << 20).expect("there");
    let (_, opened) = sample.after(|files| files[1].1 = foreign);
    assert!(matches!(opened, Err(OpenError::Damaged { .. })));
}

#[test]
fn what_a_newer_gateway_wrote_is_left_alone() {
    let sample = sample();
    let frames = sample.frames(1);
    let (world, opened) = sample.after(|files| {
        let content = &mut files[1].1;
        let at = frames[2];
        content[at + 8] = 77;
        let crc = crc32c::crc32c(&content[at..at + 60]);
        content[at + 60..at + 64].copy_from_slice(&crc.to_le_bytes());
    });
    let Err(OpenError::Newer { what, .. }) = opened else { panic!("{opened:?}") };
    assert_eq!(what, "a kind of frame");
    assert_eq!(
        world.twin.disk().read(&segment(1), 1 << 20).expect("there").len(),
        sample.segment(1).len()
    );
}

#[test]
fn a_frame_that_is_sent_as_a_message_is_no_frame() {
    // Somebody sends us a part of our own journal; then the last write is torn.
    let mut world = World::with(5, |options| options.segment_bytes = 1 << 20);
    world.accept(arrival(1)).expect("stored");
    world.rest();
    let own = world.twin.disk().read(&segment(1), 1 << 20).expect("there");
    for unsynced in [Unsynced::Torn, Unsynced::Reordered] {
        let number = world.store().counts().sequence;
        world.accept(arrival_of(number, &number.to_string(), own.clone().into())).expect("stored");
        world.rest();
        world.twin.disk().stop_at(world.twin.disk().operations() + 1);
        let _ = world.accept(arrival_of(number + 1, "x", own.clone().into()));
        world.restart(unsynced);
        assert_eq!(world.store().body(message_id(number)).expect("there"), own);
    }
}

#[test]
fn the_reader_lists_damage_and_goes_on_behind_it() {
    let sample = sample();
    let whole = sample.world().check();
    assert!(whole.is_sound() && whole.is_complete, "{whole:?}");
    assert_eq!(whole.messages, MESSAGES);
    let frames = sample.frames(2);
    let (world, opened) = sample.after(|files| files[2].1[frames[3] + 70] ^= 1);
    assert!(opened.is_err());
    let report = world.check();
    let offset = u64::try_from(frames[3]).expect("small");
    assert_eq!(report.damage.len(), 1, "{report:?}");
    assert_eq!(report.damage[0].at, Place { segment: 2, offset });
    assert_eq!(report.damage[0].what, "the checksum of a frame is wrong");
    assert_eq!(report.frames, whole.frames - 1);
    assert!(!report.is_sound() && !report.is_complete);
}

#[test]
fn the_reader_knows_a_torn_tail_and_changes_nothing() {
    let sample = sample();
    let last = sample.segments();
    let frames = sample.frames(last);
    let cut = frames[frames.len() - 2] + 30;
    let mut copy = Sample { files: sample.files.clone(), shown: String::new() };
    copy.files[last].1.truncate(cut);
    let world = copy.world();
    for _ in 0..2 {
        let report = world.check();
        let offset = u64::try_from(frames[frames.len() - 2]).expect("small");
        let segment = u32::try_from(last).expect("small");
        assert_eq!(report.torn, Some(Place { segment, offset }));
        assert!(report.is_sound());
    }
}

#[test]
fn the_reader_finds_a_change_that_the_trail_does_not_tell() {
    let mut world = World::new(1);
    world.accept(arrival(1)).expect("stored");
    let mut untold = dispatched(1);
    untold.records = step(1, vec![Effect::Noted]).records;
    world.commit(untold).expect("stored");
    world.stop();
    let report = world.check();
    let said: Vec<_> = report.disagreements.iter().map(|it| it.what.as_str()).collect();
    let expected = format!("{} was dispatched, and the trail does not say so", run_id(1));
    assert_eq!(said, [expected]);
    assert!(!report.is_sound());
    assert_eq!((report.runs, report.deliveries, report.unfinished.queued), (1, 1, 1));
}

#[test]
fn the_bytes_on_disk_never_change() {
    // If this fails, journals of before are read differently or not at all: write a new format
    // version instead.
    let sample = sample();
    let digests: Vec<_> = sample
        .files
        .iter()
        .map(|(path, content)| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            format!("{name} {} {}", content.len(), hilum_words::Digest::of(content).short())
        })
        .collect();
    expect![[r#"
        LOG 40 d3b09552e8f6
        00000001.seg 3688 e46b6e32121b
        00000002.seg 4032 404dccc0e6c6
        00000003.seg 3512 0ed98d8fad57
        00000004.seg 1520 9600c91bd92e"#]]
    .assert_eq(&digests.join("\n"));
}

#[test]
fn damage_that_comes_while_the_journal_is_open_is_an_error_of_that_message() {
    let mut world = World::with(1, |options| options.bodies_in_memory_max = 0);
    world.accept(arrival(1)).expect("stored");
    world.accept(arrival(2)).expect("stored");
    world.twin.disk().flip(&segment(1), 88 + HEAD_BYTES as u64 + 300, 2);
    let store = world.store.take().expect("open");
    let read = |id: MessageId| store.body(id).map_err(|fault| fault.to_string());
    assert_eq!(
        read(message_id(1)),
        Err("segment 00000001 is damaged at byte 88: the checksum of a frame is wrong".to_owned())
    );
    assert_eq!(read(message_id(2)), Ok(body_of(2)));
}
