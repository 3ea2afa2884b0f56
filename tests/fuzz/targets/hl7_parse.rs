//! Any bytes are a message or an error, and a message is its own bytes.

#![no_main]

use bytes::Bytes;
use hilum_hl7::{Charset, Message, Options, Path};
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
        let fits = message.escape_into(&text, &mut written).is_ok();
        let escape = message.delimiters().escape;
        // Where characters hold delimiters only a message can read them: `hl7_edit`.
        if fits && message.charset().structure(&written, escape) == written.as_slice() {
            let read = message
                .charset()
                .decode(message.delimiters().unescape(&written));
            assert!(read.is_ok_and(|read| read == text));
        }
    }
    let _ = (message.header(), message.kind(), message.is_batch());
    let _ = message.formatted_text(0..bytes.len());

    let batch = message.batch();
    assert_eq!(batch.messages.len(), message.count_messages());
    let mut last = 0;
    for it in &batch.messages {
        assert!(last <= it.range.start && it.range.start < it.range.end);
        last = it.range.end;
        // Each is a message of its own, but for one whose delimiters cannot be used.
        if let Ok(one) = Message::parse(message.bytes().slice(it.range.clone())) {
            assert_eq!(one.bytes(), &bytes[it.range.clone()]);
            let _ = one.fragment();
        }
        let header = message.header_at(it.segments.start).detached(64);
        assert!(header.longer_than(64).is_none());
    }
    // Every segment is of a message, of a wrapper, or a stray.
    let inside: usize = batch.messages.iter().map(|it| it.segments.len()).sum();
    assert!(inside + batch.wrappers.len() <= message.segments().count());
    assert!(batch.strays.len() <= message.segments().count() - inside);
    for wrapper in &batch.wrappers {
        let _ = message.header_at(wrapper.segment);
    }
    if let Ok(joined) = message.joined() {
        assert!(joined.bytes().len() <= bytes.len());
    }

    for name in ["ISO IR87", "GB 18030-2000", "BIG-5", "KS X 1001"] {
        let default_charset = Charset::from_name(name.as_bytes()).expect("HL7 has the name");
        let options = Options { default_charset };
        let Ok(message) = Message::parse_with(Bytes::copy_from_slice(bytes), &options) else {
            continue;
        };
        assert_eq!(message.structure().len(), bytes.len());
        for leaf in message.leaves().take(64) {
            let place = leaf.place;
            assert_eq!(message.find(&place.into()), Some(leaf.range.clone()));
            let _ = message.text(leaf.range);
        }
    }
});
