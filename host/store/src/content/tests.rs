use proptest::prelude::*;

use super::*;
use crate::wire::{RECORDS_MAX, put_record, put_skippable};

fn segment() -> SegmentContent {
    SegmentContent { segment: 7, log: 0x1122 }
}

#[test]
fn a_record_that_may_be_skipped_is_skipped_and_another_is_not() {
    let mut payload = segment().to_payload();
    put_skippable(&mut payload, 150, |out| out.extend_from_slice(b"later"));
    let Ok(Content::Segment(read)) = read(Kind::Segment, &payload) else { panic!("it reads") };
    assert_eq!(read, segment());
    put_record(&mut payload, 151, |out| out.extend_from_slice(b"later"));
    let unread = super::read(Kind::Segment, &payload).expect_err("it is not known");
    assert_eq!(unread, Unread::Newer("a record with tag 151".to_owned()));
}

#[test]
fn a_record_may_grow_at_its_end() {
    let mut payload = Vec::new();
    put_record(&mut payload, SEGMENT, |out| {
        wire::put_u32(out, 7);
        wire::put_u64(out, 0x1122);
        out.extend_from_slice(b"more");
    });
    assert!(matches!(read(Kind::Segment, &payload), Ok(Content::Segment(it)) if it == segment()));
}

#[test]
fn more_records_than_the_bound_are_refused() {
    let mut payload = segment().to_payload();
    for _ in 1..RECORDS_MAX {
        put_skippable(&mut payload, 150, |_| {});
    }
    assert!(read(Kind::Segment, &payload).is_ok());
    put_skippable(&mut payload, 150, |_| {});
    assert!(matches!(read(Kind::Segment, &payload), Err(Unread::Malformed("too many records"))));
}

#[test]
fn a_list_that_claims_too_much_ends_where_the_bytes_end() {
    let mut payload = Vec::new();
    put_record(&mut payload, RUN, |out| {
        wire::put_id(out, 1);
        wire::put_text(out, "adt");
        out.extend_from_slice(&[0; 16]);
        wire::put_u32(out, u32::MAX);
    });
    assert!(matches!(read(Kind::Arrival, &payload), Err(Unread::Malformed("a field is cut"))));
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Segment),
        Just(Kind::Arrival),
        Just(Kind::Step),
        Just(Kind::Started),
        Just(Kind::Idle)
    ]
}

/// A payload of records with tags that mean something and content that does not.
fn payloads() -> impl Strategy<Value = Vec<u8>> {
    let record = (0u16..70, proptest::collection::vec(any::<u8>(), 0..60));
    proptest::collection::vec(record, 0..6).prop_map(|records| {
        let mut payload = Vec::new();
        for (tag, content) in records {
            put_record(&mut payload, tag, |out| out.extend_from_slice(&content));
        }
        payload
    })
}

proptest! {
    #[test]
    fn any_bytes_return(kind in kinds(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(kind, &bytes);
        let _ = evidence(&bytes);
    }

    #[test]
    fn any_records_return(kind in kinds(), payload in payloads()) {
        let _ = read(kind, &payload);
        let _ = evidence(&payload);
    }
}
