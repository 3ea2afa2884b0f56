//! Any edits of any message: a refused one changes nothing, the others leave what they do not name.

#![no_main]

use bytes::Bytes;
use hilum_hl7::{Draft, EditError, EditLimits, Message, Path, Position, Value};
use libfuzzer_sys::fuzz_target;

const LIMITS: EditLimits = EditLimits {
    bytes_max: 1 << 16,
    number_max: 64,
};

// The input: edits of three bytes and a text each, a NUL, and the message.
fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|&byte| byte == 0) else {
        return;
    };
    let (edits, bytes) = (&bytes[..end], &bytes[end + 1..]);
    let Ok(message) = Message::parse(Bytes::copy_from_slice(bytes)) else {
        return;
    };
    let mut draft = message.edit(LIMITS);
    for edit in edits.chunks_exact(8).take(32) {
        let path = path(&message, edit[1], edit[2]);
        let text = String::from_utf8_lossy(&edit[3..]);
        let before = draft.finish().map(|it| it.bytes().clone());
        let edited = apply(&mut draft, edit[0], &path, &text, &message);
        let after = draft.finish();
        match (edited, after) {
            (Err(_), after) => assert_eq!(before, after.map(|it| it.bytes().clone())),
            (Ok(()), Ok(after)) if edit[0] % 8 == 0 => match after.value(&path) {
                Value::Text(range) => assert_eq!(after.text(range).as_deref(), Ok(&*text)),
                Value::Absent => assert_eq!(text, ""),
                Value::Deleted => panic!("a text deletes nothing"),
            },
            (Ok(()), Err(_)) => assert!(bytes.contains(&b'\n')),
            (Ok(()), Ok(_)) => {}
        }
    }
});

/// A place of the message, or one beside it.
fn path(message: &Message, which: u8, beside: u8) -> Path {
    let leaf = message.leaves().nth(usize::from(which) % 64);
    let mut path = leaf.map_or(
        Path::field_of(hilum_hl7::SegmentName::MSH, 9),
        |leaf| Path::from(leaf.place),
    );
    let number = Some(u32::from(beside / 8) + 1);
    match beside % 8 {
        0 => path.subcomponent = number,
        1 => (path.component, path.subcomponent) = (number, None),
        2 => (path.repetition, path.component, path.subcomponent) = (number, None, None),
        3 => {
            path = Path {
                occurrence: path.occurrence,
                ..Path::field_of(path.segment, number.unwrap_or(1))
            }
        }
        4 => {
            path = Path {
                field: None,
                ..Path::field_of(path.segment, 1)
            }
        }
        _ => {}
    }
    path
}

fn apply(
    draft: &mut Draft,
    which: u8,
    path: &Path,
    text: &str,
    from: &Message,
) -> Result<(), EditError> {
    match which % 8 {
        0 => draft.set(path, text),
        1 => draft.set_deleted(path),
        2 => draft.remove(path).map(drop),
        3 => draft.take_out(path).map(drop),
        4 => draft.insert(path, text),
        5 => draft
            .insert_segment(path.segment, Position::After(*path))
            .map(drop),
        6 => match from.segment(path.segment, 1) {
            Some(segment) => draft.copy_segment(&segment, Position::Last).map(drop),
            None => Ok(()),
        },
        _ => match from.part(path) {
            Some(range) => draft.copy_range(path, from, range),
            None => Ok(()),
        },
    }
}
