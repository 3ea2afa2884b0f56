//! Any bytes are a message or an error, and a message is its own bytes.

#![no_main]

use bytes::Bytes;
use hilum_hl7::{Message, Path};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::parse(Bytes::copy_from_slice(bytes)) else {
        return;
    };
    assert_eq!(message.bytes(), bytes);
    assert!(message.findings().len() <= 65);

    let mut end = message.prefix().end;
    for segment in message.segments() {
        assert_eq!(segment.range().start, end);
        assert_eq!(segment.terminator().start, segment.range().end);
        end = segment.terminator().end;
    }
    assert_eq!(end, bytes.len());

    let mut last = 0;
    // Finding a place walks the segments before it: of a big input only every nth leaf.
    let step = message.leaves().count() / 32 + 1;
    for leaf in message.leaves().step_by(step) {
        assert!(last <= leaf.range.start && leaf.range.start < leaf.range.end);
        last = leaf.range.end;
        assert_eq!(
            message.find(&Path::from(leaf.place)).as_ref(),
            Some(&leaf.range)
        );
        let printed: Path = leaf
            .place
            .to_string()
            .parse()
            .expect("a printed place is a path");
        assert_eq!(message.find(&printed).as_ref(), Some(&leaf.range));
        assert!(
            message
                .find_all(&printed)
                .contains(&Some(leaf.range.clone()))
        );
        let Ok(text) = message.text(leaf.range) else {
            continue;
        };
        let mut written = Vec::new();
        if message.escape_into(&text, &mut written).is_ok() {
            let read = message
                .charset()
                .decode(message.delimiters().unescape(&written));
            assert!(read.is_ok_and(|read| read == text));
        }
    }
    let _ = (message.header(), message.kind(), message.is_batch());
});
