//! Every HL7 file of the fixtures is read, and written back as it was.

#![expect(clippy::disallowed_methods, reason = "a test may read its data")]

use std::path::{Path as FilePath, PathBuf};

use hilum_hl7::{FindingKind, Message, Path};

fn files() -> std::io::Result<Vec<PathBuf>> {
    let mut folders = vec![FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "hl7") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Every file with its message, if it is one; an error names the file.
fn messages() -> Result<Vec<(PathBuf, Message)>, String> {
    let read = |path: PathBuf| {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let bytes = std::fs::read(&path).map_err(|error| named(&error))?;
        let message = Message::parse(bytes.into()).map_err(|error| named(&error))?;
        Ok((path, message))
    };
    files().map_err(|error| error.to_string())?.into_iter().map(read).collect()
}

#[test]
fn every_file_is_its_prefix_and_segments_and_terminators() {
    let messages = messages().unwrap();
    assert_eq!(messages.len(), 221);
    for (path, message) in &messages {
        let bytes = message.bytes();
        let mut written = bytes[message.prefix()].to_vec();
        for segment in message.segments() {
            written.extend_from_slice(&bytes[segment.range()]);
            written.extend_from_slice(&bytes[segment.terminator()]);
        }
        assert!(written == std::fs::read(path).unwrap(), "{} changed", path.display());
    }
}

#[test]
fn every_value_of_every_file_is_found_by_its_place() {
    let mut values = 0;
    for (path, message) in &messages().unwrap() {
        for leaf in message.leaves() {
            let found = message.find(&Path::from(leaf.place));
            assert_eq!(found, Some(leaf.range), "{} {}", path.display(), leaf.place);
            values += 1;
        }
    }
    assert!(10_000 < values, "{values}");
}

#[test]
fn the_odd_ones_are_told_apart() {
    let messages = messages().unwrap();
    let count = |odd: &dyn Fn(&Message) -> bool| messages.iter().filter(|it| odd(&it.1)).count();
    let found =
        |kind| count(&|message| message.findings().iter().any(|finding| finding.kind == kind));
    let begins = |message: &Message, name: &str| {
        message.segments().next().is_some_and(|segment| segment.name() == name)
    };
    assert_eq!(count(&|it| begins(it, "FHS") || begins(it, "BHS")), 16);
    assert_eq!(count(&|it| 1 < it.count_messages()), 5);
    assert_eq!(found(FindingKind::ByteOrderMark), 27);
    assert_eq!(found(FindingKind::NotInCharset), 2);
}

#[test]
fn every_message_of_every_batch_is_a_message() {
    let (mut messages, mut odd) = (0, 0);
    for (path, file) in self::messages().unwrap() {
        let batch = file.batch();
        odd += usize::from(!batch.findings.is_empty());
        for part in batch.messages {
            let message = Message::parse(file.bytes().slice(part.range)).unwrap();
            assert!(!message.is_batch(), "{}", path.display());
            assert_eq!(message.segments().count(), part.segments.len(), "{}", path.display());
            messages += 1;
        }
    }
    assert_eq!((messages, odd), (224, 12));
}
