//! What holds for any edit of any message.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::ops::Range;

use bytes::Bytes;
use hilum_hl7::{Draft, EditError, EditLimits, Message, Path, Place, Position, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

mod soup;
use soup::soup;

const LIMITS: EditLimits = EditLimits { bytes_max: 1 << 24, number_max: 1 << 20 };

fn path() -> impl Strategy<Value = Path> {
    let names = select(vec!["PID", "PID", "OBX", "MSH", "?"]);
    let number = || proptest::option::of(1..5u32);
    (names, number(), number(), number(), number(), number()).prop_map(
        |(name, occurrence, field, repetition, component, subcomponent)| Path {
            occurrence,
            field,
            repetition,
            component,
            subcomponent,
            ..name.parse().unwrap()
        },
    )
}

fn text() -> impl Strategy<Value = String> {
    "([|^~\\\\&#$XF\r\n\u{b}\u{1c}\"]|.){0,8}"
}

fn place(path: &Path) -> Place {
    Place {
        segment: path.segment,
        occurrence: path.occurrence.unwrap_or(1),
        field: path.field.unwrap_or(1),
        repetition: path.repetition.unwrap_or(1),
        component: path.component.unwrap_or(1),
        subcomponent: path.subcomponent.unwrap_or(1),
    }
}

/// Every value but the one at a place, and every segment but the one it is in.
fn others(message: &Message, at: Place) -> (Vec<(Place, Bytes)>, Vec<Bytes>) {
    let bytes = |range: Range<usize>| message.bytes().slice(range);
    let leaves = message.leaves().filter(|leaf| leaf.place != at);
    let segments = message
        .segments()
        .filter(|it| it.segment_name() != at.segment || it.occurrence() != at.occurrence as usize);
    (
        leaves.map(|leaf| (leaf.place, bytes(leaf.range))).collect(),
        segments.map(|it| bytes(it.range().start..it.terminator().end)).collect(),
    )
}

#[derive(Clone, Debug)]
enum Edit {
    Set(Path, String),
    SetDeleted(Path),
    Remove(Path),
    TakeOut(Path),
    Insert(Path, String),
    InsertSegment(Path, bool),
    Copy(Path, Path),
    CopySegment(usize, Path),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (path(), text()).prop_map(|(at, text)| Edit::Set(at, text)),
        path().prop_map(Edit::SetDeleted),
        path().prop_map(Edit::Remove),
        path().prop_map(Edit::TakeOut),
        (path(), text()).prop_map(|(at, text)| Edit::Insert(at, text)),
        (path(), any::<bool>()).prop_map(|(at, before)| Edit::InsertSegment(at, before)),
        (path(), path()).prop_map(|(at, from)| Edit::Copy(at, from)),
        (0..5usize, path()).prop_map(|(from, at)| Edit::CopySegment(from, at)),
    ]
}

fn apply(draft: &mut Draft, edit: &Edit, other: &Message) -> Result<(), EditError> {
    match edit {
        Edit::Set(at, text) => draft.set(at, text),
        Edit::SetDeleted(at) => draft.set_deleted(at),
        Edit::Remove(at) => draft.remove(at).map(drop),
        Edit::TakeOut(at) => draft.take_out(at).map(drop),
        Edit::Insert(at, text) => draft.insert(at, text),
        Edit::InsertSegment(at, true) => {
            draft.insert_segment(at.segment, Position::Before(*at)).map(drop)
        }
        Edit::InsertSegment(at, false) => {
            draft.insert_segment("ZZZ".parse::<Path>().unwrap().segment, Position::After(*at))?;
            draft.set(&"ZZZ-2".parse().unwrap(), "z")
        }
        Edit::Copy(at, from) => match other.part(from) {
            Some(range) => draft.copy_range(at, other, range),
            None => Ok(()),
        },
        Edit::CopySegment(from, at) => match other.segments().nth(*from) {
            Some(segment) => draft.copy_segment(&segment, Position::After(*at)).map(drop),
            None => Ok(()),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn what_is_set_is_read_and_everything_else_stays(bytes in soup(), at in path(), text in text()) {
        let Ok(message) = Message::parse(bytes.into()) else { return Ok(()) };
        let mut draft = message.edit(LIMITS);
        if draft.set(&at, &text).is_err() {
            let same = draft.finish().unwrap();
            prop_assert_eq!(same.bytes(), message.bytes());
            return Ok(());
        }
        let Ok(edited) = draft.finish() else {
            prop_assert!(message.bytes().contains(&b'\n'));
            return Ok(());
        };
        match edited.value(&at) {
            Value::Text(range) => prop_assert_eq!(edited.text(range).unwrap(), text),
            Value::Absent => prop_assert_eq!(text, ""),
            Value::Deleted => prop_assert!(false, "a text deletes nothing"),
        }
        let at = place(&at);
        let ((leaves, segments), (leaves_after, mut segments_after)) =
            (others(&message, at), others(&edited, at));
        prop_assert_eq!(leaves, leaves_after);
        // The one before may get a CR in place of a line feed that held only by what followed.
        for (before, after) in segments.iter().zip(&mut segments_after) {
            if before.ends_with(b"\n") && after.ends_with(b"\r") {
                *after = before.clone();
            }
        }
        prop_assert_eq!(segments, segments_after);
        prop_assert_eq!(&edited.bytes()[edited.prefix()], &message.bytes()[message.prefix()]);
    }

    #[test]
    fn any_edits_give_a_message_of_the_segments_that_were_meant(
        bytes in soup(),
        other in soup(),
        edits in vec(edit(), 0..12),
    ) {
        let (Ok(message), Ok(other)) = (Message::parse(bytes.into()), Message::parse(other.into()))
        else { return Ok(()) };
        let mut draft = message.edit(LIMITS);
        for edit in &edits {
            let before = draft.finish();
            if apply(&mut draft, edit, &other).is_err()
                && !matches!(edit, Edit::InsertSegment(_, false))
            {
                let same = match (before, draft.finish()) {
                    (Ok(before), Ok(after)) => before.bytes() == after.bytes(),
                    (before, after) => before.is_err() && after.is_err(),
                };
                prop_assert!(same, "a refused edit changes nothing");
            }
        }
        if let Ok(edited) = draft.finish() {
            prop_assert_eq!(edited.charset(), message.charset());
            prop_assert_eq!(edited.delimiters(), message.delimiters());
        } else {
            prop_assert!(message.bytes().contains(&b'\n'));
        }
    }

    #[test]
    fn a_copy_reads_as_the_original(
        from in soup(),
        number in 0..16usize,
        to in select(vec!["MSH|^~\\&|\rZZZ|", "MSH$%~\\&$\rZZZ$", "MSH!$r?@!\rZZZ!a"]),
    ) {
        let (Ok(from), Ok(to)) = (Message::parse(from.into()), Message::parse(to.into()))
        else { return Ok(()) };
        let Some(leaf) = from.leaves().nth(number) else { return Ok(()) };
        let at = Path {
            occurrence: Some(leaf.place.occurrence),
            ..Path::field_of(leaf.place.segment, leaf.place.field)
        };
        let Some(range) = from.part(&at) else { return Ok(()) };
        let mut draft = to.edit(LIMITS);
        let target: Path = "ZZZ-2".parse().unwrap();
        if draft.copy_range(&target, &from, range.clone()).is_err() {
            return Ok(());
        }
        let copy = draft.finish().unwrap();
        for leaf in from.leaves().filter(|leaf| range.contains(&leaf.range.start)) {
            let there = Path::from(Place { segment: target.segment, occurrence: 1, field: 2, ..leaf.place });
            let found = copy.find(&there).unwrap();
            let (read, copied) = (from.text(leaf.range.clone()), copy.text(found));
            let asked = Path::from(leaf.place);
            let deletes = |message: &Message, path| message.value(path) == Value::Deleted;
            prop_assert_eq!(deletes(&from, &asked), deletes(&copy, &there));
            // A sequence that is kept is written with the other escape character. The one here is the
            // segment's own: a later MSH may have declared others.
            let here = from.segment(leaf.place.segment, leaf.place.occurrence).unwrap();
            let is_same_escape = here.delimiters().escape == copy.delimiters().escape;
            match (read, copied) {
                (Ok(read), Ok(copied)) if is_same_escape => {
                    prop_assert_eq!(read, copied);
                }
                (read, copied) => prop_assert_eq!(read.is_ok(), copied.is_ok()),
            }
        }
    }
}

/// Each of these would take minutes if an edit cost as much as the message.
#[test]
fn many_edits_cost_no_more_than_a_few() {
    let many = 20_000u32;
    let segments = "OBX|1|TX|a^b|x\r".repeat(many as usize);
    let message = Message::parse(Bytes::from(format!("MSH|^~\\&|A\r{segments}"))).unwrap();
    let mut draft = message.edit(LIMITS);
    let obx: Path = "OBX-5".parse().unwrap();
    for number in 1..=many {
        draft.set(&Path { occurrence: Some(number), ..obx }, "y").unwrap();
    }
    for number in 1..=many / 4 {
        let segment = Path { field: None, ..obx };
        let at = Path { occurrence: Some(number * 2), ..segment };
        draft.insert_segment(obx.segment, Position::Before(at)).unwrap();
        assert_eq!(draft.remove(&Path { occurrence: Some(1), ..segment }), Ok(1));
    }
    assert_eq!(draft.finish().unwrap().count(&"OBX".parse().unwrap()), many as usize);

    let message = Message::parse(Bytes::from_static(b"MSH|^~\\&|A\rPID|\r")).unwrap();
    for at in ["PID-1", "PID-1[1]", "PID-1.1", "PID-1.1.1", "PID-1[20000]", "PID-1.20000"] {
        let at: Path = at.parse().unwrap();
        let mut draft = message.edit(LIMITS);
        for _ in 0..many / 2 {
            draft.insert(&at, "x").unwrap();
            draft.set(&at, "yy").unwrap();
        }
        draft.finish().unwrap();
        for _ in 0..many / 2 {
            assert_eq!(draft.take_out(&at), Ok(true));
        }
    }
}
